//! One's own record: read it, change it, replace it, delete it; nobody else does.

use e2e::{Client, PASSWORD, Person, Portcullis};
use serde_json::{Value, json};

const NEW: &str = "another long password";

/// A server without fresh logins: every change of a contact needs the password.
const NEVER_FRESH: &str = "[users.Users]\nfresh_login = 0";

async fn ann(server: &Portcullis) -> (Client, Person, String) {
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    (client, ann, token)
}

#[tokio::test]
async fn only_the_owner_reaches_a_record() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let bob = client.sign_up("bob").await;
    let eve = client.with(&client.log_in(&bob).await);
    let missing = "00000000-0000-7000-8000-000000000000";
    let strangers = [("eve", &eve), ("nobody", &client)];
    for (name, stranger) in strangers {
        for method in ["GET", "HEAD", "PATCH", "PUT", "DELETE"] {
            let reply = stranger
                .send(stranger.request(method, &ann.path()).json(&json!({ "a": 1 })))
                .await;
            assert_eq!(reply.status, 401, "{name} {method}");
        }
        for rest in ["replace", "exists"] {
            let path = format!("{}/{rest}", ann.path());
            let method = if rest == "exists" { "GET" } else { "POST" };
            let reply = stranger
                .send(stranger.request(method, &path).json(&json!({ "a": 1 })))
                .await;
            assert_eq!(reply.status, 401, "{name} {path}");
        }
        stranger
            .post(&format!("{}/phone/send-code", ann.path()), json!({}))
            .await
            .expect(401)
            .done();
        stranger
            .post(&format!("{}/phone/confirm", ann.path()), json!({ "code": "1" }))
            .await
            .expect(401)
            .done();
    }
    let (foreign, unknown) = (
        eve.get(&ann.path()).await,
        eve.get(&format!("/api/Users/{missing}")).await,
    );
    foreign.refused(401, "AUTHORIZATION_REQUIRED");
    assert_eq!(foreign.message(), "Authorization Required");
    assert_eq!((foreign.status, &foreign.text), (unknown.status, &unknown.text));
    let record = client.with(&token).get(&ann.path()).await.expect(200).json();
    assert_eq!(record["email"], ann.email);
    assert!(record.get("a").is_none());
}

#[tokio::test]
async fn the_status_of_a_refusal_is_the_pools_choice_for_token_holders() {
    for (status, code) in [(403, "ACCESS_DENIED"), (404, "MODEL_NOT_FOUND")] {
        let server = Portcullis::with(&format!("[users.Users]\nacl_error_status = {status}")).await;
        let (client, _, token) = ann(&server).await;
        let bob = client.sign_up("bob").await;
        client.with(&token).get(&bob.path()).await.refused(status, code);
        client
            .get(&bob.path())
            .await
            .refused(401, "AUTHORIZATION_REQUIRED");
    }
}

#[tokio::test]
async fn nobody_lists_counts_or_rewrites_users() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let me = client.with(&token);
    for (method, path) in [
        ("GET", "/api/Users"),
        ("GET", "/api/Users?filter={\"where\":{}}"),
        ("GET", "/api/Users/findOne"),
        ("GET", "/api/Users/count"),
        ("PUT", "/api/Users"),
        ("PATCH", "/api/Users"),
        ("POST", "/api/Users/replaceOrCreate"),
        ("POST", "/api/Users/update?where={}"),
        ("POST", "/api/Users/upsertWithWhere?where={}"),
        ("GET", "/api/Users/change-stream"),
        ("POST", "/api/Users/change-stream"),
        ("GET", &format!("{}/exists", ann.path())),
    ] {
        let body = json!({ "id": ann.id, "email": ann.email, "password": NEW });
        let reply = me.send(me.request(method, path).json(&body)).await;
        assert!(
            matches!(reply.status, 401 | 404 | 405),
            "{method} {path}: {}",
            reply.status
        );
        assert!(!reply.text.contains("ann@example.com"), "{}", reply.text);
    }
    assert_eq!(client.try_password(&ann, PASSWORD).await, 200);
}

#[tokio::test]
async fn me_is_ones_own_id() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let me = client.with(&token);
    assert_eq!(me.get("/api/Users/me").await.expect(200).at("id"), ann.id);
    assert_eq!(
        me.patch("/api/Users/me", json!({ "colour": "red" }))
            .await
            .expect(200)
            .at("colour"),
        "red"
    );
    client
        .get("/api/Users/me")
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_answers_the_whole_user() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let me = client.with(&token);
    me.patch(
        &ann.path(),
        json!({ "colour": "red", "size": 7, "username": "ann" }),
    )
    .await
    .expect(200)
    .done();
    let user = me
        .patch(&ann.path(), json!({ "size": null, "shape": "round" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            user["email"].as_str(),
            user["colour"].as_str(),
            user["shape"].as_str()
        ),
        (Some(&*ann.email), Some("red"), Some("round"))
    );
    assert_eq!((user["username"].as_str(), user.get("size")), (Some("ann"), None));
    assert_eq!(me.patch(&ann.path(), json!({})).await.expect(200).json(), user);
    let same_id = me
        .patch(&ann.path(), json!({ "id": ann.id, "colour": "blue" }))
        .await
        .expect(200);
    assert_eq!(same_id.at("colour"), "blue");
    let other_id = me.patch(&ann.path(), json!({ "id": "999" })).await.expect(400);
    assert_eq!(
        other_id.message(),
        format!(
            "id cannot be updated from {} to 999 when forceId is set to true",
            ann.id
        )
    );
}

#[tokio::test]
async fn a_replacement_drops_what_it_does_not_name() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let me = client.with(&token);
    me.patch(&ann.path(), json!({ "colour": "red", "username": "ann" }))
        .await
        .expect(200)
        .done();
    let whole = json!({ "email": ann.email, "password": PASSWORD, "shape": "round" });
    let user = me.put(&ann.path(), whole.clone()).await.expect(200).json();
    assert_eq!(
        (user["shape"].as_str(), user.get("colour"), user.get("username")),
        (Some("round"), None, None)
    );
    assert!(client.opens(&token, &ann).await, "the same password is no change");
    me.post(&format!("{}/replace", ann.path()), whole)
        .await
        .expect(200)
        .done();
    let missing = me.put(&ann.path(), json!({ "shape": "round" })).await.expect(422);
    assert_eq!(
        missing.json()["error"]["details"]["codes"],
        json!({ "email": ["presence"], "password": ["presence"] })
    );
    assert_eq!(client.try_password(&ann, PASSWORD).await, 200);
}

#[tokio::test]
async fn internal_properties_cannot_be_changed_by_their_owner() {
    let server = Portcullis::with("[users.Users]\nemail_verification_required = false").await;
    let (client, ann, token) = ann(&server).await;
    let me = client.with(&token);
    let planted = json!({
        "emailVerified": true, "verificationToken": "t", "phoneConfirmed": true, "roles": ["admin"], "isAdmin": true, "realm": "one", "_id": "1",
        "scopes": ["*"], "accessTokens": [{ "id": "planted" }], "identities": [], "credentials": [], "passwordHash": "x", "sessionEpoch": 9, "revision": 0, "created": "1970",
    });
    let mut whole = planted.clone();
    whole["email"] = json!(ann.email);
    whole["password"] = json!(PASSWORD);
    for user in [
        me.patch(&ann.path(), planted.clone()).await.expect(200).json(),
        me.put(&ann.path(), whole).await.expect(200).json(),
        me.get(&ann.path()).await.expect(200).json(),
    ] {
        assert_eq!(user["emailVerified"], false);
        for name in planted
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| *name != "emailVerified")
        {
            assert!(user.get(name).is_none(), "{name} in {user}");
        }
    }
    assert_eq!(client.try_password(&ann, PASSWORD).await, 200);
}

#[tokio::test]
async fn a_stolen_session_cannot_set_the_password() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let me = client.with(&token);
    me.patch(&ann.path(), json!({ "password": NEW }))
        .await
        .refused(401, "PASSWORD_CHANGE_NOT_ALLOWED");
    me.put(&ann.path(), json!({ "email": ann.email, "password": NEW }))
        .await
        .refused(401, "PASSWORD_CHANGE_NOT_ALLOWED");
    let guess = json!({ "password": NEW, "currentPassword": "something else" });
    me.patch(&ann.path(), guess)
        .await
        .refused(400, "INVALID_PASSWORD");
    for odd in [json!(7), json!(["x"]), json!({ "neq": "" }), json!("x")] {
        let reply = me
            .patch(
                &ann.path(),
                json!({ "password": odd, "currentPassword": PASSWORD }),
            )
            .await;
        assert_eq!(reply.status, 422, "{odd}: {}", reply.text);
    }
    assert_eq!(
        (
            client.try_password(&ann, NEW).await,
            client.try_password(&ann, PASSWORD).await
        ),
        (401, 200)
    );
}

#[tokio::test]
async fn the_current_password_changes_the_password_and_ends_other_sessions() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let other = client.log_in(&ann).await;
    let change = json!({ "password": NEW, "currentPassword": PASSWORD });
    let user = client
        .with(&token)
        .patch(&ann.path(), change)
        .await
        .expect(200)
        .json();
    assert!(user.get("password").is_none() && user.get("currentPassword").is_none());
    assert!(client.opens(&token, &ann).await && !client.opens(&other, &ann).await);
    assert_eq!(
        (
            client.try_password(&ann, NEW).await,
            client.try_password(&ann, PASSWORD).await
        ),
        (200, 401)
    );
}

#[tokio::test]
async fn a_pool_can_refuse_password_changes_by_patch() {
    let server = Portcullis::with("[users.Users]\nreject_password_changes_via_patch_or_replace = true").await;
    let (client, ann, token) = ann(&server).await;
    let me = client.with(&token);
    let change = json!({ "password": NEW, "currentPassword": PASSWORD });
    me.patch(&ann.path(), change)
        .await
        .refused(401, "PASSWORD_CHANGE_NOT_ALLOWED");
    me.put(
        &ann.path(),
        json!({ "email": ann.email, "password": PASSWORD, "a": 1 }),
    )
    .await
    .expect(200)
    .done();
    me.patch(&ann.path(), json!({ "a": 2 })).await.expect(200).done();
}

#[tokio::test]
async fn contacts_change_only_with_proof_and_end_other_sessions() {
    for change in [
        json!({ "email": "new@example.com" }),
        json!({ "phone": "+447700900123" }),
        json!({ "mobile": "+447700900123" }),
    ] {
        let server = Portcullis::with(NEVER_FRESH).await;
        let (client, ann, token) = ann(&server).await;
        let other = client.log_in(&ann).await;
        let me = client.with(&token);
        me.patch(&ann.path(), change.clone())
            .await
            .refused(401, "FRESH_LOGIN_REQUIRED");
        let mut wrong = change.clone();
        wrong["currentPassword"] = json!("something else");
        me.patch(&ann.path(), wrong)
            .await
            .refused(400, "INVALID_PASSWORD");
        assert!(client.opens(&other, &ann).await);
        let mut right = change.clone();
        right["currentPassword"] = json!(PASSWORD);
        let user = me.patch(&ann.path(), right).await.expect(200).json();
        assert_eq!(user["emailVerified"], false);
        assert!(user.get("currentPassword").is_none() && user.get("mobile").is_none());
        assert!(
            client.opens(&token, &ann).await && !client.opens(&other, &ann).await,
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_fresh_login_stands_for_the_proof_of_a_contact() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let user = client
        .with(&token)
        .patch(&ann.path(), json!({ "email": "new@example.com" }))
        .await
        .expect(200);
    assert_eq!(user.at("email"), "new@example.com");
    let log_in = async |email: &str| {
        client
            .post(
                "/api/Users/login",
                json!({ "email": email, "password": PASSWORD }),
            )
            .await
            .status
    };
    assert_eq!(
        (log_in("new@example.com").await, log_in(&ann.email).await),
        (200, 401)
    );
}

#[tokio::test]
async fn an_address_somebody_holds_cannot_be_taken() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let bob = client.sign_up("bob").await;
    client
        .with(&client.log_in(&bob).await)
        .patch(&bob.path(), json!({ "username": "bob" }))
        .await
        .expect(200)
        .done();
    let me = client.with(&token);
    for email in ["bob@example.com", "BOB@example.com", "bob@EXAMPLE.com"] {
        let refused = me.patch(&ann.path(), json!({ "email": email })).await.expect(422);
        assert_eq!(
            refused.json()["error"]["details"]["codes"]["email"],
            json!(["uniqueness"]),
            "{email}"
        );
    }
    let refused = me
        .patch(&ann.path(), json!({ "username": "BOB" }))
        .await
        .expect(422);
    assert_eq!(
        refused.json()["error"]["details"]["messages"]["username"],
        json!(["User already exists"])
    );
    assert_eq!(client.try_password(&bob, PASSWORD).await, 200);
}

#[tokio::test]
async fn a_changed_address_must_be_verified_again() {
    let server = Portcullis::with("[users.Users]\nemail_verification_required = true").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let confirm = async |email: &str, nth: usize| {
        let token = e2e::in_link(&server.console().link(email, nth).await, "token");
        client
            .get(&format!("/api/Users/confirm?uid={}&token={token}", ann.id))
            .await
            .status
    };
    assert_eq!(confirm(&ann.email, 0).await, 204);
    let me = client.with(&client.log_in(&ann).await);
    let changed = me
        .patch(
            &ann.path(),
            json!({ "email": "new@example.com", "emailVerified": true }),
        )
        .await
        .expect(200);
    assert_eq!(changed.json()["emailVerified"], false);
    let changed = me
        .patch(&ann.path(), json!({ "emailVerified": true }))
        .await
        .expect(200);
    assert_eq!(changed.json()["emailVerified"], false);
    assert_eq!(confirm("new@example.com", 0).await, 204);
    assert_eq!(
        me.get(&ann.path()).await.expect(200).json()["emailVerified"],
        true
    );
}

#[tokio::test]
async fn a_filter_chooses_the_fields() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let me = client.with(&token);
    me.patch(&ann.path(), json!({ "colour": "red" }))
        .await
        .expect(200)
        .done();
    let read = async |filter: &str| {
        me.get(&format!("{}?{filter}", ann.path()))
            .await
            .expect(200)
            .json()
    };
    let two = json!({ "id": ann.id, "colour": "red" });
    assert_eq!(read("filter={\"fields\":[\"id\",\"colour\"]}").await, two);
    assert_eq!(
        read("filter={\"fields\":{\"id\":true,\"colour\":true}}").await,
        two
    );
    assert_eq!(read("filter[fields][0]=id&filter[fields][1]=colour").await, two);
    assert_eq!(
        read("filter[fields][id]=true&filter[fields][colour]=true").await,
        two
    );
    assert!(
        read("filter={\"fields\":{\"colour\":false}}")
            .await
            .get("colour")
            .is_none()
    );
    for hidden in ["password", "verificationToken", "passwordHash"] {
        assert_eq!(
            read(&format!("filter={{\"fields\":[\"{hidden}\",\"colour\"]}}")).await,
            json!({ "colour": "red" })
        );
    }
    let text = me.get(&format!("{}?filter=text", ann.path())).await.expect(400);
    assert_eq!(text.message(), "Value is not an object.");
}

#[tokio::test]
async fn attributes_are_bounded() {
    let server = Portcullis::start().await;
    let (client, ann, token) = ann(&server).await;
    let me = client.with(&token);
    let deep = (0..30).fold(json!(1), |inner, _| json!({ "a": inner }));
    me.patch(&ann.path(), json!({ "deep": deep }))
        .await
        .expect(422)
        .done();
    let half = "x".repeat(40_000);
    me.patch(&ann.path(), json!({ "one": half }))
        .await
        .expect(200)
        .done();
    me.patch(&ann.path(), json!({ "two": half }))
        .await
        .expect(422)
        .done();
    let user: Value = me.get(&ann.path()).await.expect(200).json();
    assert!(user.get("two").is_none() && user.get("deep").is_none());
    me.patch(
        &ann.path(),
        json!({ "__proto__": { "isAdmin": true }, "constructor": { "prototype": { "x": 1 } } }),
    )
    .await
    .expect(200)
    .done();
    client.sign_up("bob").await;
}
