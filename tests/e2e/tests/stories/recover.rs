//! Forgotten passwords, addresses to confirm, passwords to change.

use std::time::Duration;

use e2e::{Client, PASSWORD, Person, Portcullis, Reply, in_link};
use futures_util::future::join_all;
use serde_json::{Value, json};

const NEW: &str = "another long password";

/// Asks for a reset; the token of the `nth` mail.
async fn reset_token(server: &Portcullis, person: &Person, nth: usize) -> String {
    server
        .client()
        .post(&person.of_pool("reset"), json!({ "email": person.email }))
        .await
        .expect(204)
        .done();
    in_link(&server.console().link(&person.email, nth).await, "token")
}

async fn reset_with(client: &Client, token: &str, password: impl Into<Value>) -> Reply {
    client
        .with(token)
        .post(
            "/api/Users/reset-password",
            json!({ "newPassword": password.into() }),
        )
        .await
}

#[tokio::test]
async fn a_mailed_token_sets_a_new_password_once_and_ends_every_session() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let session = client.log_in(&ann).await;
    let token = reset_token(&server, &ann, 0).await;
    assert!(client.opens(&session, &ann).await, "asking changes nothing");
    let done = reset_with(&client, &token, NEW).await.expect(204);
    assert_eq!(done.text, "");
    assert!(!client.opens(&session, &ann).await);
    assert_eq!(
        (
            client.try_password(&ann, NEW).await,
            client.try_password(&ann, PASSWORD).await
        ),
        (200, 401)
    );
    assert_eq!(
        reset_with(&client, &token, "a third long password").await.status,
        401
    );
    assert_eq!(client.try_password(&ann, NEW).await, 200);
}

#[tokio::test]
async fn a_reset_token_is_no_session_and_a_session_no_reset_token() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = reset_token(&server, &ann, 0).await;
    assert!(!client.opens(&token, &ann).await);
    client.with(&token).get("/auth/check").await.expect(401).done();
    client
        .with(&token)
        .patch(&ann.path(), json!({ "a": 1 }))
        .await
        .expect(401)
        .done();
    let session = client.log_in(&ann).await;
    assert_eq!(reset_with(&client, &session, NEW).await.status, 401);
    client
        .get(&format!("/api/Users/confirm?uid={}&token={token}", ann.id))
        .await
        .expect(400)
        .done();
    reset_with(&client, &token, NEW).await.expect(204).done();
}

#[tokio::test]
async fn a_reset_answers_the_same_for_everybody() {
    let mut server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let known = client
        .post("/api/Users/reset", json!({ "email": ann.email }))
        .await
        .expect(204);
    let unknown = client
        .post("/api/Users/reset", json!({ "email": "nobody@example.com" }))
        .await
        .expect(204);
    let odd = client
        .post("/api/Users/reset", json!({ "email": "no address" }))
        .await
        .expect(204);
    let names = |reply: &Reply| reply.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((names(&known), &known.text), (names(&unknown), &unknown.text));
    assert_eq!(odd.text, "");
    let token = in_link(&server.console().link(&ann.email, 0).await, "token");
    assert!(!format!("{:?}{}", known.headers, known.text).contains(&token));
    client
        .post("/api/Users/reset", json!({}))
        .await
        .refused(400, "EMAIL_REQUIRED");
    for email in [
        json!({ "neq": "" }),
        json!([ann.email, "eve@example.com"]),
        json!(7),
    ] {
        client
            .post("/api/Users/reset", json!({ "email": email }))
            .await
            .expect(400)
            .done();
    }
    for email in [
        "ann@example.com,eve@example.com",
        "ann@example.com\r\nCc: eve@example.com",
        "ann@example.com eve@example.com",
    ] {
        client
            .post("/api/Users/reset", json!({ "email": email }))
            .await
            .expect(204)
            .done();
    }
    client
        .post_raw(
            "/api/Users/reset",
            r#"{"email":"ann@example.com","email":"eve@example.com"}"#,
        )
        .await
        .expect(400)
        .done();
    server.settle().await;
    assert_eq!(server.console().mails_in_all(), 1, "{}", server.console().text());
}

#[tokio::test]
async fn links_are_built_from_the_configuration_alone() {
    let config = "[server]\npublic_url = \"https://login.example.com\"";
    let server = Portcullis::with(config).await;
    let client = server.client_to(&format!("http://127.0.0.1:{}", greeted_port(&server)));
    let ann = client.sign_up("ann").await;
    let mut request = client
        .request("POST", "/api/Users/reset")
        .json(&json!({ "email": ann.email }));
    for name in [
        "Host",
        "X-Forwarded-Host",
        "X-Original-Host",
        "X-Forwarded-Server",
        "X-Host",
    ] {
        request = request.header(name, "evil.example");
    }
    request = request
        .header("Forwarded", "host=evil.example;proto=http")
        .header("X-Forwarded-Proto", "http");
    client.send(request).await.expect(204).done();
    let link = server.console().link(&ann.email, 0).await;
    assert!(link.starts_with("https://login.example.com/reset?"), "{link}");
    assert!(!server.console().text().contains("evil"));
}

/// The port of a server whose greeting names its public address: its log tells where it listens.
fn greeted_port(server: &Portcullis) -> u16 {
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let inodes: Vec<String> = std::fs::read_dir(format!("/proc/{}/fd", server.pid()))
        .unwrap()
        .filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok())
        .filter_map(|link| {
            link.to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')
                .map(str::to_owned)
        })
        .collect();
    let listening = sockets
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let port = listening
        .filter(|columns| columns[3] == "0A" && inodes.iter().any(|inode| inode == columns[9]))
        .find_map(|columns| u16::from_str_radix(columns[1].split_once(':')?.1, 16).ok());
    port.expect("a listening socket")
}

#[tokio::test]
async fn odd_reset_tokens_change_nothing() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    reset_token(&server, &ann, 0).await;
    for token in [
        "null",
        "0",
        "%00",
        "undefined",
        "[]",
        "{\"neq\":\"\"}",
        "true",
        &"A".repeat(64),
        &"A".repeat(3000),
    ] {
        assert_eq!(reset_with(&client, token, NEW).await.status, 401, "{token}");
    }
    client
        .post("/api/Users/reset-password", json!({ "newPassword": NEW }))
        .await
        .expect(401)
        .done();
    client
        .post(
            "/api/Users/reset-password",
            json!({ "newPassword": NEW, "token": { "neq": "" } }),
        )
        .await
        .expect(401)
        .done();
    assert_eq!(client.try_password(&ann, PASSWORD).await, 200);
}

#[tokio::test]
async fn a_poor_new_password_leaves_the_token_for_another_try() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = reset_token(&server, &ann, 0).await;
    reset_with(&client, &token, "short")
        .await
        .refused(422, "INVALID_PASSWORD");
    for odd in [json!(7), json!(["x"]), json!({ "neq": "" })] {
        assert_eq!(reset_with(&client, &token, odd).await.status, 400);
    }
    assert_eq!(
        reset_with(&client, &token, "").await.expect(400).message(),
        "newPassword is a required argument"
    );
    reset_with(&client, &token, NEW).await.expect(204).done();
}

#[tokio::test]
async fn a_newer_reset_mail_voids_the_older() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let older = reset_token(&server, &ann, 0).await;
    let newer = reset_token(&server, &ann, 1).await;
    assert_eq!(reset_with(&client, &older, NEW).await.status, 401);
    reset_with(&client, &newer, NEW).await.expect(204).done();
}

#[tokio::test]
async fn a_reset_token_after_its_life_is_void() {
    let server = Portcullis::with("[users.Users]\nreset_password_token_ttl = 1").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = reset_token(&server, &ann, 0).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(reset_with(&client, &token, NEW).await.status, 401);
}

#[tokio::test]
async fn of_resets_at_one_instant_one_succeeds() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = reset_token(&server, &ann, 0).await;
    let passwords: Vec<String> = (0..8).map(|n| format!("{NEW} {n}")).collect();
    let replies = join_all(
        passwords
            .iter()
            .map(|password| reset_with(&client, &token, password.as_str())),
    )
    .await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 204).count(),
        1,
        "{statuses:?}"
    );
    assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
    let mut opened = Vec::new();
    for password in &passwords {
        opened.push(client.try_password(&ann, password).await == 200);
    }
    let winner = statuses.iter().position(|status| *status == 204);
    assert_eq!(
        (
            opened.iter().position(|open| *open),
            opened.iter().filter(|open| **open).count()
        ),
        (winner, 1)
    );
}

#[tokio::test]
async fn a_reset_does_not_pass_by_the_second_factor() {
    let server = Portcullis::with("[users.Users]\nsecond_factor = \"required\"").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = reset_token(&server, &ann, 0).await;
    let done = reset_with(&client, &token, NEW).await.expect(204);
    assert!(done.headers.get("set-cookie").is_none());
    let plain = client
        .post("/api/Users/login", json!({ "email": ann.email, "password": NEW }))
        .await;
    plain.refused(401, "SECOND_FACTOR_REQUIRED");
}

#[tokio::test]
async fn a_password_change_needs_the_current_one_and_ends_other_sessions() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let (here, there) = (client.log_in(&ann).await, client.log_in(&ann).await);
    let reset = reset_token(&server, &ann, 0).await;
    let me = client.with(&here);
    let change = async |old: Value, new: Value| {
        me.post(
            "/api/Users/change-password",
            json!({ "oldPassword": old, "newPassword": new }),
        )
        .await
    };
    let wrong = change(json!("something else"), json!(NEW)).await;
    wrong.refused(400, "INVALID_PASSWORD");
    assert_eq!(wrong.message(), "Invalid current password");
    assert_eq!(
        change(json!(PASSWORD), json!("")).await.expect(400).message(),
        "newPassword is a required argument"
    );
    change(json!(PASSWORD), json!("short"))
        .await
        .refused(422, "INVALID_PASSWORD");
    change(json!(PASSWORD), json!("x".repeat(257)))
        .await
        .refused(422, "PASSWORD_TOO_LONG");
    assert_eq!(change(json!({ "neq": "" }), json!(NEW)).await.status, 400);
    client
        .post(
            "/api/Users/change-password",
            json!({ "oldPassword": PASSWORD, "newPassword": NEW }),
        )
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    assert!(client.opens(&there, &ann).await);
    change(json!(PASSWORD), json!(NEW)).await.expect(204).done();
    assert!(client.opens(&here, &ann).await && !client.opens(&there, &ann).await);
    assert_eq!(
        (
            client.try_password(&ann, NEW).await,
            client.try_password(&ann, PASSWORD).await
        ),
        (200, 401)
    );
    assert_eq!(
        reset_with(&client, &reset, "a third long password").await.status,
        401,
        "an open reset is void"
    );
}

#[tokio::test]
async fn of_eight_password_changes_at_one_instant_one_succeeds() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let me = client.with(&client.log_in(&ann).await);
    let passwords: Vec<String> = (0..8).map(|n| format!("{NEW} {n}")).collect();
    let changes = passwords.iter().map(|new| {
        me.post(
            "/api/Users/change-password",
            json!({ "oldPassword": PASSWORD, "newPassword": new }),
        )
    });
    let statuses: Vec<u16> = join_all(changes).await.iter().map(|reply| reply.status).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 204).count(),
        1,
        "{statuses:?}"
    );
    assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
    let mut opened = 0;
    for password in &passwords {
        opened += u32::from(client.try_password(&ann, password).await == 200);
    }
    assert_eq!((opened, client.try_password(&ann, PASSWORD).await), (1, 401));
}

#[tokio::test]
async fn a_mailed_token_confirms_an_address_once() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    client
        .post(&format!("{}/verify", ann.path()), json!({}))
        .await
        .expect(204)
        .done();
    let mail = server.console().link(&ann.email, 0).await;
    assert!(server.console().mails(&ann.email)[0].contains("Subject: Thanks for Registering"));
    let token = in_link(&mail, "token");
    let confirm = async |uid: &str, token: &str| {
        client
            .get(&format!("/api/Users/confirm?uid={uid}&token={token}"))
            .await
    };
    for (uid, token) in [
        (ann.id.as_str(), "0"),
        (&ann.id, "null"),
        (&ann.id, "%00"),
        ("99", &token),
        (&ann.id, &token[1..]),
    ] {
        confirm(uid, token).await.refused(400, "INVALID_TOKEN");
    }
    let unknown = confirm("99", "x").await;
    let known = confirm(&ann.id, "x").await;
    assert_eq!(
        (known.status, &known.text),
        (unknown.status, &unknown.text),
        "nobody learns who exists"
    );
    assert_eq!(
        confirm(&ann.id, "").await.expect(400).message(),
        "token is a required argument"
    );
    assert_eq!(
        client.get("/api/Users/confirm").await.expect(400).message(),
        "uid is a required argument"
    );
    for query in [
        format!("uid={}&token[]={token}", ann.id),
        format!("uid={}&token={token}&token={token}", ann.id),
        format!("uid={}&token[neq]=", ann.id),
    ] {
        client
            .get(&format!("/api/Users/confirm?{query}"))
            .await
            .expect(400)
            .done();
    }
    let head = client
        .send(client.request(
            "HEAD",
            &format!("/api/Users/confirm?uid={}&token={token}", ann.id),
        ))
        .await;
    assert_ne!(head.status, 204, "a mail scanner's look uses nothing up");
    let me = client.with(&client.log_in(&ann).await);
    assert_eq!(me.get(&ann.path()).await.json()["emailVerified"], false);
    confirm(&ann.id, &token).await.expect(204).done();
    assert_eq!(me.get(&ann.path()).await.json()["emailVerified"], true);
    confirm(&ann.id, &token).await.refused(400, "INVALID_TOKEN");
}

#[tokio::test]
async fn a_token_confirms_only_the_address_it_was_mailed_to() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    client
        .post(&format!("{}/verify", ann.path()), json!({}))
        .await
        .expect(204)
        .done();
    let token = in_link(&server.console().link(&ann.email, 0).await, "token");
    let me = client.with(&client.log_in(&ann).await);
    me.patch(
        &ann.path(),
        json!({ "email": "new@example.com", "currentPassword": PASSWORD }),
    )
    .await
    .expect(200)
    .done();
    client
        .get(&format!("/api/Users/confirm?uid={}&token={token}", ann.id))
        .await
        .refused(400, "INVALID_TOKEN");
    assert_eq!(me.get(&ann.path()).await.json()["emailVerified"], false);
}

#[tokio::test]
async fn a_verification_answers_the_same_for_everybody() {
    let mut server = Portcullis::start().await;
    let client = server.client();
    client.sign_up("ann").await;
    for id in ["99", "00000000-0000-7000-8000-000000000000", "x%00"] {
        let reply = client
            .post(&format!("/api/Users/{id}/verify"), json!({}))
            .await
            .expect(204);
        assert_eq!(reply.text, "");
    }
    server.settle().await;
    assert_eq!(server.console().mails_in_all(), 0);
}

#[tokio::test]
async fn a_confirmation_leads_only_to_allowed_places() {
    let server = Portcullis::with("[server]\nredirect_origins = [\"https://app.example.com\"]").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    client
        .post(&format!("{}/verify", ann.path()), json!({}))
        .await
        .expect(204)
        .done();
    let token = in_link(&server.console().link(&ann.email, 0).await, "token");
    let confirm = async |redirect: &str| {
        let request = client.request("GET", "/api/Users/confirm");
        client
            .send(request.query(&[
                ("uid", ann.id.as_str()),
                ("token", &token),
                ("redirect", redirect),
            ]))
            .await
    };
    for place in [
        "//evil.example",
        "/\\evil.example",
        "////evil.example",
        "javascript:alert(1)",
        "https://evil.example/",
        "https:evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        " //evil.example",
        "https://app.example.com.evil.example/",
        "https://app.example.com@evil.example/",
        "data:text/html,x",
        "http://app.example.com/",
        "\u{0}//evil.example",
    ] {
        let reply = confirm(place).await;
        assert_eq!((reply.status, reply.header("location")), (400, ""), "{place:?}");
    }
    let led = confirm("https://app.example.com/welcome?a=b").await.expect(302);
    assert_eq!(led.header("location"), "https://app.example.com/welcome?a=b");
    let again = confirm("/welcome").await;
    assert_eq!(
        (again.status, again.header("location")),
        (400, ""),
        "the token was not spent on refused places, but now it is"
    );
}
