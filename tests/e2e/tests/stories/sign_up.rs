//! Signing up: who gets an account, what may be in it, and who gets none.

use e2e::{PASSWORD, Portcullis};
use futures_util::future::join_all;
use serde_json::{Value, json};

#[tokio::test]
async fn a_new_user_gets_a_record_without_its_password() {
    let server = Portcullis::start().await;
    let body = json!({ "email": "Ann@Example.com", "username": "ann", "phone": "+44 7700 900123", "password": PASSWORD });
    let made = server.client().post("/api/Users", body).await.expect(200);
    assert_eq!(made.header("content-type"), "application/json; charset=utf-8");
    let user = made.json();
    let id = user["id"].as_str().unwrap();
    assert_eq!((id.len(), &id[14..15]), (36, "7"), "a UUID v7: {id}");
    assert_eq!(user["email"], "ann@example.com");
    assert_eq!(user["username"], "ann");
    assert_eq!(user["phone"], "+447700900123");
    assert_eq!(user["emailVerified"], false);
    assert!(
        user.get("password").is_none()
            && user.get("verificationToken").is_none()
            && user.get("realm").is_none()
    );
}

#[tokio::test]
async fn unknown_properties_are_kept_and_returned() {
    let server = Portcullis::start().await;
    let kept = json!({ "firstName": "Ann", "age": 33, "tags": ["a", { "b": null }], "öffentlich": true, "big": 1e300, "half": 0.1 });
    let mut body = kept.clone();
    body["email"] = json!("ann@example.com");
    body["password"] = json!(PASSWORD);
    let made = server.client().post("/api/Users", body).await.expect(200).json();
    let token = server
        .client()
        .post(
            "/api/Users/login",
            json!({ "email": "ann@example.com", "password": PASSWORD }),
        )
        .await
        .at("id");
    let read = server
        .client()
        .with(&token)
        .get("/api/Users/me")
        .await
        .expect(200)
        .json();
    for (name, value) in kept.as_object().unwrap() {
        assert_eq!((&made[name], &read[name]), (value, value), "{name}");
    }
}

#[tokio::test]
async fn a_list_makes_each_user_that_is_sound() {
    let server = Portcullis::start().await;
    let user = |name: &str| json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
    let both = server
        .client()
        .post("/api/Users", json!([user("ann"), user("bob")]))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (both[0]["email"].as_str(), both[1]["email"].as_str()),
        (Some("ann@example.com"), Some("bob@example.com"))
    );
    let mixed = server
        .client()
        .post("/api/Users", json!([user("cat"), user("ann"), 7]))
        .await
        .expect(422);
    assert_eq!(
        mixed.message(),
        "Failed with multiple errors, see `details` for more information."
    );
    let details = mixed.json()["error"]["details"].clone();
    assert_eq!(details[0], Value::Null);
    assert_eq!(details[1]["details"]["codes"]["email"], json!(["uniqueness"]));
    assert_eq!(details[2]["statusCode"], 400);
    let cat = server.client().post("/api/Users/login", user("cat")).await;
    cat.expect(200).done();
}

#[tokio::test]
async fn faults_read_as_loopbacks() {
    let server = Portcullis::start().await;
    let client = server.client();
    client.sign_up("ann").await;
    let post = async |body: Value| client.post("/api/Users", body).await.expect(422);
    let taken = post(json!({ "email": "ann@example.com", "password": PASSWORD })).await;
    assert_eq!(
        taken.json()["error"],
        json!({
            "statusCode": 422,
            "name": "ValidationError",
            "message": "The `User` instance is not valid. Details: `email` Email already exists (value: \"ann@example.com\").",
            "details": { "context": "User", "codes": { "email": ["uniqueness"] }, "messages": { "email": ["Email already exists"] } },
        })
    );
    let empty = post(json!({})).await;
    assert_eq!(
        empty.json()["error"]["details"]["codes"],
        json!({ "email": ["presence"], "password": ["presence"] })
    );
    assert!(
        empty
            .message()
            .contains("`email` can't be blank (value: undefined)"),
        "{}",
        empty.message()
    );
    let odd = post(json!({ "email": "no address", "password": PASSWORD })).await;
    assert_eq!(
        odd.json()["error"]["details"]["codes"],
        json!({ "email": ["custom.email"] })
    );
    let chosen = post(json!({ "id": 7, "email": "bob@example.com", "password": PASSWORD })).await;
    assert_eq!(
        chosen.json()["error"]["details"]["codes"],
        json!({ "id": ["absence"] })
    );
}

#[tokio::test]
async fn weak_and_wrong_passwords_make_no_account() {
    let server = Portcullis::start().await;
    let client = server.client();
    let odd = [
        json!("password"),
        json!("12345678"),
        json!("qwerty123"),
        json!("x"),
        json!(""),
        json!("          "),
        json!(null),
        json!(12_345_678),
        json!(true),
        json!([PASSWORD]),
        json!({ "a": PASSWORD }),
        json!("x".repeat(300)),
    ];
    for password in odd {
        let reply = client
            .post(
                "/api/Users",
                json!({ "email": "ann@example.com", "password": password }),
            )
            .await;
        assert!((400..500).contains(&reply.status), "{password}: {}", reply.text);
        assert!(!reply.message().is_empty());
    }
    client.sign_up("ann").await;
}

#[tokio::test]
async fn odd_addresses_make_no_account_and_send_no_mail() {
    let mut server = Portcullis::with("[users.Users]\nemail_verification_required = true").await;
    let client = server.client();
    let long = format!("{}@example.com", "a".repeat(290));
    for email in [
        json!("ann"),
        json!("a@b@c"),
        json!("ann@example.com\r\nBcc: eve@example.com"),
        json!("an\u{0}n@example.com"),
        json!(long),
        json!(["ann@example.com", "eve@example.com"]),
        json!("ann@example.com,eve@example.com"),
        json!(7),
        json!({ "inq": [] }),
        json!("<ann@example.com>"),
        json!(" ann@example.com"),
        json!("ann@exa mple.com"),
        json!("\"ann\"@example.com"),
    ] {
        let reply = client
            .post("/api/Users", json!({ "email": email, "password": PASSWORD }))
            .await;
        assert!(
            reply.status == 422 || reply.status == 400,
            "{email}: {} {}",
            reply.status,
            reply.text
        );
    }
    server.settle().await;
    assert_eq!(server.console().mails_in_all(), 0, "{}", server.console().text());
}

#[tokio::test]
async fn internal_properties_cannot_be_planted() {
    let server = Portcullis::start().await;
    let client = server.client();
    let planted = json!({
        "email": "eve@example.com", "password": PASSWORD,
        "_id": "1", "userId": "1", "emailVerified": true, "verificationToken": "t", "roles": ["admin"], "isAdmin": true,
        "realm": "one", "scopes": ["*"], "permissions": ["*"], "accessTokens": [{ "id": "planted", "ttl": 9999 }],
        "identities": [{ "provider": "google" }], "credentials": [{}], "phoneConfirmed": true, "factorPhone": "+4915112345678",
        "passwordHash": "x", "revision": 9, "sessionEpoch": 9, "status": "x", "pool": "Employees",
    });
    let made = client.post("/api/Users", planted).await.expect(200).json();
    assert_eq!(made["emailVerified"], false);
    for name in [
        "_id",
        "userId",
        "roles",
        "isAdmin",
        "realm",
        "scopes",
        "permissions",
        "accessTokens",
        "identities",
        "credentials",
        "phoneConfirmed",
        "passwordHash",
        "verificationToken",
        "revision",
        "sessionEpoch",
        "pool",
        "password",
    ] {
        assert!(made.get(name).is_none(), "{name} in {made}");
    }
    client
        .with("planted")
        .get(&format!("/api/Users/{}", made["id"].as_str().unwrap()))
        .await
        .expect(401)
        .done();
}

#[tokio::test]
async fn a_prehashed_password_is_just_a_password() {
    let server = Portcullis::start().await;
    let client = server.client();
    // The hash of "secret", cost 4.
    let hash = "$2a$04$SXUYBbEqzBfvXjVKvAqGduCeGIIzULGtRNw/0kgW4vCPc3IJLmCZy";
    client
        .post(
            "/api/Users",
            json!({ "email": "ann@example.com", "password": hash }),
        )
        .await
        .expect(200)
        .done();
    let log_in = async |password: &str| {
        client
            .post(
                "/api/Users/login",
                json!({ "email": "ann@example.com", "password": password }),
            )
            .await
            .status
    };
    assert_eq!((log_in("secret").await, log_in(hash).await), (401, 200));
}

#[tokio::test]
async fn of_sixteen_sign_ups_for_one_address_one_wins() {
    let server = Portcullis::start().await;
    let client = server.client();
    let passwords: Vec<String> = (0..16).map(|n| format!("{PASSWORD} number {n}")).collect();
    let tries = passwords.iter().map(|password| {
        client.post(
            "/api/Users",
            json!({ "email": "ann@example.com", "password": password }),
        )
    });
    let replies = join_all(tries).await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(won, 1);
    assert!(
        replies.iter().all(|reply| matches!(reply.status, 200 | 422)),
        "{:?}",
        replies.iter().map(|r| r.status).collect::<Vec<_>>()
    );
    let logins = passwords.iter().map(|password| {
        client.post(
            "/api/Users/login",
            json!({ "email": "ann@example.com", "password": password }),
        )
    });
    let opened = join_all(logins)
        .await
        .iter()
        .filter(|reply| reply.status == 200)
        .count();
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn a_second_sign_up_changes_nothing_for_the_first() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let again = json!({ "email": "ann@example.com", "password": "another long password" });
    client.post("/api/Users", again).await.expect(422).done();
    assert_eq!(client.try_password(&ann, "another long password").await, 401);
    assert_eq!(client.try_password(&ann, PASSWORD).await, 200);
}

#[tokio::test]
async fn where_takings_are_hidden_a_taken_address_answers_like_a_free_one() {
    let server =
        Portcullis::with("[users.Users]\nhide_existing = true\nemail_verification_required = true").await;
    let client = server.client();
    let body =
        |name: &str| json!({ "email": format!("{name}@example.com"), "password": PASSWORD, "colour": "red" });
    let first = client.post("/api/Users", body("ann")).await.expect(200);
    let second = client.post("/api/Users", body("ann")).await.expect(200);
    let names = |reply: &e2e::Reply| reply.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&first), names(&second));
    let (first, second) = (first.json(), second.json());
    assert_ne!(first["id"], second["id"]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&first), keys(&second));
    // The owner is told, once each way.
    server
        .console()
        .wait("the mail to the owner", 0, |line| {
            (line == "Subject: You already have an account").then_some(())
        })
        .await;
    assert_eq!(server.console().mails("ann@example.com").len(), 2);
}
