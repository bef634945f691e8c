//! Pools of users: nothing of one opens anything of another.

use e2e::{PASSWORD, Portcullis};
use serde_json::json;

const TWO: &str = "[users.Users]\n[users.Employees]\nsecond_factor = \"off\"\nttl = 60";

#[tokio::test]
async fn one_address_may_live_in_two_pools() {
    let server = Portcullis::with(TWO).await;
    let client = server.client();
    let user = client.sign_up("ann").await;
    let employee = client
        .post(
            "/api/Employees",
            json!({ "email": user.email, "password": "the other password" }),
        )
        .await
        .expect(200);
    assert_ne!(employee.at("id"), user.id);
    assert_eq!(client.try_password(&user, "the other password").await, 401);
    let log_in = json!({ "email": user.email, "password": "the other password" });
    let token = client
        .post("/api/Employees/login", log_in)
        .await
        .expect(200)
        .json();
    assert_eq!(token["ttl"], 60, "each pool has its own settings");
    client
        .post(
            "/api/Employees/login",
            json!({ "email": user.email, "password": PASSWORD }),
        )
        .await
        .refused(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn a_token_of_one_pool_opens_no_other() {
    let server = Portcullis::with(TWO).await;
    let client = server.client();
    let user = client.sign_up("ann").await;
    let employee = client.sign_up_in("Employees", "ann").await;
    let (users, employees) = (client.log_in(&user).await, client.log_in(&employee).await);
    assert!(client.opens(&users, &user).await && client.opens(&employees, &employee).await);
    assert!(!client.opens(&users, &employee).await && !client.opens(&employees, &user).await);
    for (token, pool, id) in [
        (&users, "Employees", &user.id),
        (&employees, "Users", &employee.id),
    ] {
        let me = client.with(token);
        for path in [format!("/api/{pool}/{id}"), format!("/api/{pool}/me")] {
            me.get(&path).await.expect(401).done();
            me.patch(&path, json!({ "colour": "red" }))
                .await
                .expect(401)
                .done();
            me.delete(&path).await.expect(401).done();
        }
        me.post(&format!("/api/{pool}/logout"), json!({}))
            .await
            .expect(401)
            .done();
        let change = json!({ "oldPassword": PASSWORD, "newPassword": "another long password" });
        me.post(&format!("/api/{pool}/change-password"), change)
            .await
            .expect(401)
            .done();
    }
    assert!(client.opens(&users, &user).await && client.opens(&employees, &employee).await);
}

#[tokio::test]
async fn a_password_change_in_one_pool_ends_no_session_of_another() {
    let server = Portcullis::with(TWO).await;
    let client = server.client();
    let user = client.sign_up("ann").await;
    let employee = client.sign_up_in("Employees", "ann").await;
    let (users, employees) = (client.log_in(&user).await, client.log_in(&employee).await);
    let change = json!({ "oldPassword": PASSWORD, "newPassword": "another long password" });
    client
        .with(&users)
        .post("/api/Users/change-password", change)
        .await
        .expect(204)
        .done();
    assert!(client.opens(&employees, &employee).await);
    assert_eq!(client.try_password(&employee, PASSWORD).await, 200);
}

#[tokio::test]
async fn reset_and_confirmation_tokens_stay_in_their_pool() {
    let server = Portcullis::with(TWO).await;
    let client = server.client();
    let user = client.sign_up("ann").await;
    let employee = client.sign_up_in("Employees", "ann").await;
    client
        .post("/api/Users/reset", json!({ "email": user.email }))
        .await
        .expect(204)
        .done();
    let token = e2e::in_link(&server.console().link(&user.email, 0).await, "token");
    let new = json!({ "newPassword": "another long password" });
    client
        .with(&token)
        .post("/api/Employees/reset-password", new.clone())
        .await
        .expect(401)
        .done();
    assert_eq!(client.try_password(&employee, PASSWORD).await, 200);
    client
        .with(&token)
        .post("/api/Users/reset-password", new)
        .await
        .expect(204)
        .done();
    client
        .post(&format!("{}/verify", user.path()), json!({}))
        .await
        .expect(204)
        .done();
    // A reset proves the address as well, so there is nothing to verify any more: take a fresh account.
    let bob = client.sign_up("bob").await;
    client
        .post(&format!("{}/verify", bob.path()), json!({}))
        .await
        .expect(204)
        .done();
    let token = e2e::in_link(&server.console().link(&bob.email, 0).await, "token");
    client
        .get(&format!("/api/Employees/confirm?uid={}&token={token}", bob.id))
        .await
        .expect(400)
        .done();
    client
        .get(&format!("/api/Users/confirm?uid={}&token={token}", bob.id))
        .await
        .expect(204)
        .done();
}

#[tokio::test]
async fn a_closed_pool_is_not_there() {
    let server = Portcullis::with("[users.Users]\nenabled = false\n[users.Employees]").await;
    let client = server.client();
    let gone = client
        .post(
            "/api/Users",
            json!({ "email": "ann@example.com", "password": PASSWORD }),
        )
        .await
        .expect(404);
    assert_eq!(gone.message(), "There is no method to handle POST /Users");
    client.sign_up_in("Employees", "ann").await;
}

#[tokio::test]
async fn configured_rules_close_what_the_defaults_open() {
    let rule = "[[users.Employees.acls]]\nprincipalType = \"ROLE\"\nprincipalId = \"$everyone\"\npermission = \"DENY\"\nproperty = \"create\"";
    let server = Portcullis::with(&format!("[users.Employees]\nacl_error_status = 403\n{rule}")).await;
    let client = server.client();
    let body = json!({ "email": "ann@example.com", "password": PASSWORD });
    client
        .post("/api/Employees", body)
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    let ann = client.sign_up("ann").await;
    assert_eq!(
        client
            .with(&client.log_in(&ann).await)
            .get("/api/Users")
            .await
            .status,
        401
    );
}
