//! Logging in with a password, and out again.

use e2e::{PASSWORD, Portcullis};
use futures_util::future::join_all;
use serde_json::{Value, json};

#[tokio::test]
async fn a_login_gives_a_token_as_loopback_does() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client
        .post(
            "/api/Users/login",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
        .await
        .expect(200);
    assert_eq!(token.header("cache-control"), "no-store");
    assert!(token.headers.get("set-cookie").is_none());
    let token = token.json();
    let id = token["id"].as_str().unwrap();
    assert!(
        id.len() == 64 && id.bytes().all(|b| b.is_ascii_alphanumeric()),
        "{id}"
    );
    assert_eq!(
        (&token["ttl"], &token["userId"]),
        (&json!(1_209_600), &json!(ann.id))
    );
    let created = token["created"].as_str().unwrap();
    assert!(
        created.len() == 24 && created.ends_with('Z') && &created[10..11] == "T" && &created[19..20] == ".",
        "{created}"
    );
    assert!(token.get("user").is_none() && token.get("scopes").is_none());
}

#[tokio::test]
async fn the_user_comes_along_when_asked_for() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    for query in [
        "?include=user",
        "?include=USER",
        "?include=[\"user\"]",
        "?include%5B%5D=user",
    ] {
        let body = json!({ "email": ann.email, "password": PASSWORD });
        let token = client
            .post(&format!("/api/Users/login{query}"), body)
            .await
            .expect(200)
            .json();
        assert_eq!(token["user"]["email"], ann.email, "{query}");
    }
}

#[tokio::test]
async fn names_are_found_in_every_spelling_that_signs_up() {
    let server = Portcullis::start().await;
    let client = server.client();
    let body = json!({ "email": "ann@example.com", "username": "Ann", "password": PASSWORD });
    client.post("/api/Users", body).await.expect(200).done();
    let log_in = async |name: Value| {
        let mut body = name;
        body["password"] = json!(PASSWORD);
        client.post("/api/Users/login", body).await.status
    };
    for name in [
        json!({ "email": "ann@example.com" }),
        json!({ "email": "ANN@Example.COM" }),
        json!({ "username": "ann" }),
        json!({ "username": "ANN" }),
        json!({ "email": "ann@example.com", "username": "somebody else" }),
    ] {
        assert_eq!(log_in(name.clone()).await, 200, "{name}");
    }
    assert_eq!(
        log_in(json!({ "email": "nobody@example.com", "username": "ann" })).await,
        401,
        "email wins over username"
    );
}

#[tokio::test]
async fn forms_log_in_and_out() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client
        .post_form(
            "/api/Users/login",
            &[("email", &ann.email), ("password", PASSWORD)],
        )
        .await
        .expect(200)
        .at("id");
    client
        .with(&token)
        .post_form("/api/Users/logout", &[])
        .await
        .expect(204)
        .done();
    assert!(!client.opens(&token, &ann).await);
}

#[tokio::test]
async fn logging_out_ends_this_session_alone() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let (here, there) = (client.log_in(&ann).await, client.log_in(&ann).await);
    let out = client
        .with(&here)
        .send(client.with(&here).request("POST", "/api/Users/logout"))
        .await
        .expect(204);
    assert_eq!(out.text, "");
    assert!(!client.opens(&here, &ann).await && client.opens(&there, &ann).await);
    let again = client
        .with(&here)
        .post("/api/Users/logout", json!({}))
        .await
        .expect(401);
    assert_eq!(
        (again.message().as_str(), again.code().as_str()),
        ("accessToken is required to logout", "")
    );
    client
        .post("/api/Users/logout", json!({ "access_token": there }))
        .await
        .expect(401)
        .done();
    client
        .with(&there)
        .get("/api/Users/logout")
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    assert!(client.opens(&there, &ann).await, "no GET logs out");
}

#[tokio::test]
async fn a_session_stays_dead_while_others_hammer() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    let hammering = (0..6).map(|_| {
        let (client, ann, token) = (client.clone(), &ann, &token);
        async move {
            for _ in 0..40 {
                client.with(token).get(&ann.path()).await.done();
            }
        }
    });
    let ending = async {
        client
            .with(&token)
            .post("/api/Users/logout", json!({}))
            .await
            .expect(204)
            .done();
    };
    futures_util::future::join(join_all(hammering), ending).await;
    assert!(!client.opens(&token, &ann).await);
}

#[tokio::test]
async fn unknown_user_and_wrong_password_are_one_answer() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let ask = async |email: &str, password: &str| {
        client
            .post(
                "/api/Users/login",
                json!({ "email": email, "password": password }),
            )
            .await
    };
    let (wrong, unknown) = (
        ask(&ann.email, "something else").await,
        ask("nobody@example.com", "something else").await,
    );
    wrong.refused(401, "LOGIN_FAILED");
    assert_eq!(wrong.message(), "login failed");
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    let names = |reply: &e2e::Reply| reply.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&wrong), names(&unknown));
    for person in ["ann", "no address at all", "an\u{0}n@example.com"] {
        ask(person, "something else").await.refused(401, "LOGIN_FAILED");
    }
}

#[tokio::test]
async fn unknown_user_and_wrong_password_cost_the_same_hash() {
    // Two places for hashes: whoever costs one is turned away from a crowd of twenty, whoever costs none never is.
    let server = Portcullis::with("[hash]\nworkers = 1\nqueue = 1").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    for email in [ann.email.as_str(), "nobody@example.com", "no address"] {
        let body = json!({ "email": email, "password": "something else" });
        let crowd = join_all((0..20).map(|_| client.post("/api/Users/login", body.clone()))).await;
        let statuses: Vec<u16> = crowd.iter().map(|reply| reply.status).collect();
        assert!(
            statuses.contains(&503) && statuses.contains(&401),
            "{email}: {statuses:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_login_is_a_clear_400() {
    let server = Portcullis::start().await;
    let client = server.client();
    let post = async |body: Value| client.post("/api/Users/login", body).await;
    post(json!({ "password": PASSWORD }))
        .await
        .refused(400, "USERNAME_EMAIL_REQUIRED");
    post(json!({ "email": { "neq": "" }, "password": PASSWORD }))
        .await
        .refused(400, "INVALID_EMAIL");
    post(json!({ "username": ["ann"], "password": PASSWORD }))
        .await
        .refused(400, "INVALID_USERNAME");
    post(json!({ "email": "ann@example.com", "realm": { "neq": "x" }, "password": PASSWORD }))
        .await
        .refused(400, "INVALID_REALM");
    for password in [json!(7), json!(["x"]), json!({ "neq": "" }), json!(false)] {
        assert_eq!(
            post(json!({ "email": "ann@example.com", "password": password }))
                .await
                .status,
            400
        );
    }
    assert_eq!(
        post(json!(["ann@example.com"])).await.expect(400).message(),
        "Value is not an object."
    );
    assert_eq!(
        post(json!("text")).await.expect(400).message(),
        "Value is not an object."
    );
    post(Value::Null).await.refused(400, "USERNAME_EMAIL_REQUIRED");
    post(json!({ "email": "ann@example.com" }))
        .await
        .refused(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn passwords_are_compared_exactly() {
    let server = Portcullis::start().await;
    let client = server.client();
    let passwords = [
        "correct horse battery staple, all of it and more than seventy-two bytes of it",
        "  blanks on both sides  ",
        "пароль длинный и простой",
        "四季折々の花が咲く",
        "Mixed Case Matters",
        "with\u{0}a nul inside",
    ];
    for (n, password) in passwords.iter().enumerate() {
        let email = format!("user{n}@example.com");
        client
            .post("/api/Users", json!({ "email": email, "password": password }))
            .await
            .expect(200)
            .done();
        let log_in = async |text: &str| {
            client
                .post("/api/Users/login", json!({ "email": email, "password": text }))
                .await
                .status
        };
        assert_eq!(log_in(password).await, 200, "{password}");
        let mut short = (*password).to_owned();
        short.pop();
        let other_case: String = password
            .chars()
            .map(|c| {
                if c.is_lowercase() {
                    c.to_ascii_uppercase()
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect();
        let folded = [
            short,
            format!("{password} "),
            format!("{password}\u{0}"),
            password.trim().to_owned(),
            other_case,
            password.split('\u{0}').next().unwrap_or_default().to_owned(),
        ];
        for other in folded.iter().filter(|other| other.as_str() != *password) {
            assert_eq!(log_in(other).await, 401, "{other:?} for {password:?}");
        }
    }
}

#[tokio::test]
async fn beyond_bcrypts_72_bytes_every_character_still_counts() {
    let server = Portcullis::start().await;
    let client = server.client();
    let long = "x1".repeat(64);
    let person = json!({ "email": "long@example.com", "password": long });
    client.post("/api/Users", person).await.expect(200).done();
    let log_in = async |password: &str| {
        let body = json!({ "email": "long@example.com", "password": password });
        client.post("/api/Users/login", body).await.status
    };
    let (whole, cut, short) = (
        log_in(&long).await,
        log_in(&long[..127]).await,
        log_in(&long[..72]).await,
    );
    assert_eq!((whole, cut, short), (200, 401, 401));
}
#[tokio::test]
async fn realms_part_the_users_of_a_pool() {
    let server = Portcullis::with("[users.Users]\nrealm_required = true\nrealm_delimiter = \":\"").await;
    let client = server.client();
    let user = |realm: &str, password: &str| json!({ "realm": realm, "email": "ann@example.com", "password": password });
    client
        .post("/api/Users", user("one", "the password of one"))
        .await
        .expect(200)
        .done();
    client
        .post("/api/Users", user("two", "the password of two"))
        .await
        .expect(200)
        .done();
    client
        .post(
            "/api/Users",
            json!({ "email": "ann@example.com", "password": PASSWORD }),
        )
        .await
        .expect(422)
        .done();
    let log_in = async |body: Value| client.post("/api/Users/login", body).await;
    log_in(user("one", "the password of one"))
        .await
        .expect(200)
        .done();
    log_in(user("one", "the password of two"))
        .await
        .refused(401, "LOGIN_FAILED");
    log_in(json!({ "email": "two:ann@example.com", "password": "the password of two" }))
        .await
        .expect(200)
        .done();
    log_in(json!({ "email": "ann@example.com", "password": "the password of one" }))
        .await
        .refused(400, "REALM_REQUIRED");
}

#[tokio::test]
async fn an_unverified_address_keeps_its_owner_out_where_the_pool_says_so() {
    let server = Portcullis::with("[users.Users]\nemail_verification_required = true").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let right = client
        .post(
            "/api/Users/login",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
        .await;
    right.refused(401, "LOGIN_FAILED_EMAIL_NOT_VERIFIED");
    assert_eq!(right.json()["error"]["details"]["userId"], ann.id);
    let wrong = client
        .post(
            "/api/Users/login",
            json!({ "email": ann.email, "password": "something else" }),
        )
        .await;
    wrong.refused(401, "LOGIN_FAILED");
    let link = server.console().link(&ann.email, 0).await;
    let confirm = format!(
        "/api/Users/confirm?uid={}&token={}",
        ann.id,
        e2e::in_link(&link, "token")
    );
    client.get(&confirm).await.expect(204).done();
    client.log_in(&ann).await;
}

#[tokio::test]
async fn there_is_no_account_after_the_first_start() {
    let server = Portcullis::start().await;
    for (name, password) in [
        ("admin", "admin"),
        ("root", "root"),
        ("admin@localhost", "password"),
        ("portcullis", "portcullis"),
    ] {
        for key in ["email", "username"] {
            let reply = server
                .client()
                .post("/api/Users/login", json!({ key: name, "password": password }))
                .await;
            reply.refused(401, "LOGIN_FAILED");
        }
    }
}

#[tokio::test]
async fn a_hashing_storm_is_shed_and_disturbs_no_token() {
    let server = Portcullis::with("[hash]\nworkers = 1\nqueue = 2").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    let storm = (0..40).map(|_| {
        client.post(
            "/api/Users/login",
            json!({ "email": ann.email, "password": PASSWORD }),
        )
    });
    let reading = async {
        for _ in 0..20 {
            assert!(client.opens(&token, &ann).await);
        }
    };
    let (replies, ()) = futures_util::future::join(join_all(storm), reading).await;
    assert!(replies.iter().any(|reply| reply.status == 200));
    let shed: Vec<_> = replies.iter().filter(|reply| reply.status != 200).collect();
    assert!(!shed.is_empty(), "forty logins went through a queue of two");
    for reply in shed {
        assert_eq!(reply.status, 503, "{}", reply.text);
        assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    }
}
