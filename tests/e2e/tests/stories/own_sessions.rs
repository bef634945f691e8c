//! Sessions of one's own, refresh tokens, links to log in with, and the way back to an old address.

use e2e::{PASSWORD, Portcullis, in_link};
use serde_json::{Value, json};

/// The newest link of a kind on the console.
async fn link(server: &Portcullis, path: &str) -> String {
    let find = |line: &str| {
        let mut words = line.split_whitespace();
        words.find(|word| word.contains(path)).map(str::to_owned)
    };
    server.console().wait(path, 0, find).await
}

#[tokio::test]
async fn people_see_where_they_are_logged_in_and_end_what_is_not_theirs() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let body = json!({ "email": ann.email, "password": PASSWORD });
    let fox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
    let elsewhere = client
        .request("POST", &ann.of_pool("login"))
        .header("User-Agent", fox)
        .json(&body);
    let elsewhere = client.send(elsewhere).await.expect(200).at("id");
    let mine = client.with(&client.log_in(&ann).await);
    let sessions = format!("{}/sessions", ann.path());
    let list = mine.get(&sessions).await.expect(200).json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2);
    let other = list.iter().find(|session| session["current"] == false).unwrap();
    assert_eq!(
        (&other["device"], &other["address"]),
        (&json!("Firefox on Linux"), &json!("127.0.0.1"))
    );
    assert_eq!(other["amr"], json!(["pwd"]));
    assert!(
        !Value::from(list.clone()).to_string().contains(&elsewhere),
        "a list shows no token"
    );
    let id = other["id"].as_str().unwrap();
    mine.delete(&format!("{sessions}/{id}")).await.expect(204).done();
    assert!(!client.opens(&elsewhere, &ann).await);
    mine.delete(&format!("{sessions}/{id}"))
        .await
        .refused(404, "SESSION_UNKNOWN");
    let third = client.log_in(&ann).await;
    mine.delete(&sessions).await.expect(204).done();
    assert!(!client.opens(&third, &ann).await);
    mine.get(&ann.path()).await.expect(200).done();
}

#[tokio::test]
async fn a_refresh_token_renews_a_login_and_forgives_a_lost_answer() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let body = json!({ "email": ann.email, "password": PASSWORD, "refresh": true });
    let opened = client.post(&ann.of_pool("login"), body).await.expect(200);
    let first = opened.at("refreshToken");
    assert!(
        opened.json()["refreshTtl"].is_u64() && opened.json()["ttl"] == 900,
        "{}",
        opened.text
    );
    let refresh = async |token: &str| {
        client
            .post(&ann.of_pool("refresh"), json!({ "refreshToken": token }))
            .await
    };
    let renewed = refresh(&first).await.expect(200);
    assert!(client.opens(&renewed.at("id"), &ann).await);
    assert_ne!(renewed.at("refreshToken"), first);
    let repeated = refresh(&first).await.expect(200);
    assert_eq!(
        repeated.at("refreshToken"),
        renewed.at("refreshToken"),
        "the same answer again"
    );
    refresh(&renewed.at("refreshToken")).await.expect(200).done();
    for wrong in ["", "x", &"a".repeat(64)] {
        let status = refresh(wrong).await.status;
        assert!(matches!(status, 400 | 401), "{wrong}: {status}");
    }
    refresh(&"a".repeat(64))
        .await
        .refused(401, "INVALID_REFRESH_TOKEN");
}

#[tokio::test]
async fn no_refresh_token_is_given_to_who_asks_for_none() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let body = json!({ "email": ann.email, "password": PASSWORD });
    let opened = client.post(&ann.of_pool("login"), body).await.expect(200).json();
    assert!(opened.get("refreshToken").is_none() && opened.get("deviceToken").is_none());
}

#[tokio::test]
async fn a_mailed_link_logs_in_once_and_opening_it_spends_nothing() {
    let server = Portcullis::with("[users.Users]\nmagic_link = true").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    client
        .post(
            &ann.of_pool("requestLink"),
            json!({ "email": "nobody@example.com" }),
        )
        .await
        .expect(204)
        .done();
    let ask = async || {
        let body = json!({ "email": ann.email });
        client
            .post(&ann.of_pool("requestLink"), body)
            .await
            .expect(204)
            .done();
    };
    // Nobody proved the address yet: the first mail asks for that.
    ask().await;
    let verify = link(&server, "/verify?").await;
    let confirm = format!("confirm?uid={}&token={}", ann.id, in_link(&verify, "token"));
    client.get(&ann.of_pool(&confirm)).await.expect(204).done();
    ask().await;
    let link = link(&server, "/login/link?").await;
    let (_, path) = link.split_once("/login/").unwrap();
    for _ in 0..2 {
        // What a mail scanner does.
        client.get(&format!("/login/{path}")).await.expect(200).done();
    }
    let body = json!({ "token": in_link(&link, "token") });
    let opened = client
        .post(&ann.of_pool("loginWithLink"), body.clone())
        .await
        .expect(200);
    assert!(client.opens(&opened.at("id"), &ann).await);
    let again = client.post(&ann.of_pool("loginWithLink"), body).await;
    assert!(matches!(again.status, 400 | 401), "{}", again.text);
}

#[tokio::test]
async fn where_the_pool_has_no_links_none_is_mailed() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let asked = client
        .post(&ann.of_pool("requestLink"), json!({ "email": ann.email }))
        .await;
    asked.refused(401, "AUTHORIZATION_REQUIRED");
    assert_eq!(client.get("/login/link").await.status, 404);
}

#[tokio::test]
async fn the_reader_of_the_old_address_takes_it_back() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let thief = client.with(&client.log_in(&ann).await);
    let body = json!({ "email": "eve@example.com", "currentPassword": PASSWORD });
    thief.patch(&ann.path(), body).await.expect(200).done();
    let link = link(&server, "/email/revert?").await;
    assert!(
        server
            .console()
            .mails(&ann.email)
            .iter()
            .any(|mail| mail.contains("/email/revert?"))
    );
    let revert = ann.of_pool("revertEmail");
    client
        .post(&revert, json!({ "token": "x" }))
        .await
        .refused(400, "INVALID_TOKEN");
    let body = json!({ "token": in_link(&link, "token") });
    client.post(&revert, body.clone()).await.expect(204).done();
    assert_eq!(
        thief.get(&ann.path()).await.status,
        401,
        "everybody is logged out"
    );
    client.post(&revert, body).await.refused(400, "INVALID_TOKEN");
    let back = client.with(&client.log_in(&ann).await);
    assert_eq!(back.get(&ann.path()).await.expect(200).at("email"), ann.email);
}
