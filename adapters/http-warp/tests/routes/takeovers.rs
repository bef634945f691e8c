//! What somebody who holds a little (a session, an address, a name) tries to make of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::site::{EMAIL, PASSWORD, Site};

const MINE: &str = "+491701234567";
const THEIRS: &str = "+491709999999";

/// Gives Ann a confirmed number.
async fn confirm_number(site: &Site, path: &str, token: &str) {
    let phone = json!({"phone": MINE});
    site.call("PATCH", path, token, phone).await.ok();
    site.call("POST", &format!("{path}/phone/send-code"), token, json!({}))
        .await
        .ok();
    let code = json!({"code": site.console.code()});
    site.call("POST", &format!("{path}/phone/confirm"), token, code)
        .await
        .ok();
}

#[tokio::test]
async fn a_fresh_session_alone_neither_removes_nor_replaces_a_second_factor_nor_moves_its_address() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    confirm_number(&site, &path, &token).await;
    for change in [
        json!({"phone": null}),
        json!({"phone": THEIRS}),
        json!({"email": "thief@example.com"}),
    ] {
        let refused = site.call("PATCH", &path, &token, change.clone()).await;
        refused.is(401, "CURRENT_PASSWORD_REQUIRED");
        let mut proven = change;
        proven["currentPassword"] = json!("not the password");
        site.call("PATCH", &path, &token, proven)
            .await
            .is(400, "INVALID_PASSWORD");
    }
    let user = site.get(&path, &token).await.ok().body;
    assert_eq!(
        (&user["phone"], &user["email"], &user["phoneConfirmed"]),
        (&json!(MINE), &json!(EMAIL), &json!(true))
    );
}

#[tokio::test]
async fn with_the_password_a_new_number_takes_codes_only_once_confirmed() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    confirm_number(&site, &path, &token).await;
    let change = json!({"phone": THEIRS, "currentPassword": PASSWORD});
    let user = site.call("PATCH", &path, &token, change).await.ok().body;
    assert_eq!(
        (&user["phone"], &user["phoneConfirmed"]),
        (&json!(THEIRS), &json!(false))
    );
    let login = json!({"email": EMAIL, "password": PASSWORD});
    site.post("/Users/login", login)
        .await
        .is(401, "SECOND_FACTOR_REQUIRED");
}

#[tokio::test]
async fn a_replacement_by_a_client_that_knows_no_phone_keeps_the_second_factor() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    confirm_number(&site, &path, &token).await;
    let whole = json!({"email": EMAIL, "password": PASSWORD, "colour": "red"});
    let user = site.call("PUT", &path, &token, whole).await.ok().body;
    assert_eq!(
        (&user["phoneConfirmed"], &user["colour"]),
        (&json!(true), &json!("red"))
    );
}

/// What a stranger sees who signs up with an address and logs in with the same password.
async fn seen_by_a_stranger(site: &Site, email: &str) -> Vec<(u16, Value)> {
    let mine = json!({"email": email, "password": "the stranger's own"});
    let mut seen = Vec::new();
    for path in ["/Users", "/Users/login", "/Users/requestCode"] {
        let mut answer = site.post(path, mine.clone()).await;
        if let Some(id) = answer.body.get_mut("id") {
            *id = json!("some id");
        }
        if let Some(email) = answer.body.get_mut("email") {
            *email = json!("some address");
        }
        seen.push((answer.status, answer.body));
    }
    seen
}

#[tokio::test]
async fn where_sign_up_hides_takings_neither_login_nor_a_name_tells_of_them() {
    let site = Site::with(|users, _| {
        users.hide_existing = true;
        users.email_verification_required = true;
    })
    .await;
    site.sign_up("Users", EMAIL).await;
    let (taken, free) = (
        seen_by_a_stranger(&site, EMAIL).await,
        seen_by_a_stranger(&site, "free@example.com").await,
    );
    assert_eq!(taken, free);
    for email in [EMAIL, "other@example.com"] {
        let named = json!({"email": email, "username": "probe", "password": PASSWORD});
        let refused = site.post("/Users", named).await.is(422, "");
        assert_eq!(
            refused.body["error"]["details"]["codes"],
            json!({"username": ["absence"]})
        );
    }
}

#[tokio::test]
async fn a_verified_flag_stays_with_its_mailbox() {
    let site = Site::open().await;
    let id = site.sign_up("Users", "\u{fb01}ona@example.com").await;
    site.post(&format!("/Users/{id}/verify"), json!({})).await.void();
    let confirm = format!("/Users/confirm?uid={id}&token={}", site.mailbox.of_link("token"));
    Site::answer(site.ask("GET", &confirm)).await.void();
    let token = site.log_in("Users", "\u{fb01}ona@example.com").await;
    let moved = site
        .call(
            "PATCH",
            "/Users/me",
            &token,
            json!({"email": "fiona@example.com"}),
        )
        .await
        .ok();
    assert_eq!(
        moved.body["emailVerified"], false,
        "it compares equal, but it is another mailbox"
    );
}

#[tokio::test]
async fn nobody_stops_the_reset_mails_of_somebody_else_by_asking_for_verifications() {
    let site = Site::open().await;
    let id = site.sign_up("Users", EMAIL).await;
    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] {
        site.post_from(address, &format!("/Users/{id}/verify"), json!({}))
            .await
            .void();
    }
    let before = site.mailbox.text().matches("Subject: ").count();
    site.post("/Users/reset", json!({"email": EMAIL})).await.void();
    assert_eq!(site.mailbox.text().matches("Subject: ").count(), before + 1);
}

#[tokio::test]
async fn a_name_that_looks_like_an_address_is_its_owners_address() {
    let site = Site::open().await;
    let named =
        |email: &str, username: &str| json!({"email": email, "username": username, "password": PASSWORD});
    site.post("/Users", named("eve@example.com", EMAIL))
        .await
        .is(422, "");
    site.post("/Users", named(EMAIL, EMAIL)).await.ok();
    let token = site.log_in("Users", EMAIL).await;
    let patched = site
        .call(
            "PATCH",
            "/Users/me",
            &token,
            json!({"username": "bob@example.com"}),
        )
        .await;
    patched.is(422, "");
}

#[tokio::test]
async fn an_owner_who_gets_in_again_starts_with_a_clean_count() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let wrong = json!({"email": EMAIL, "password": "not the password"});
    for _ in 0..8 {
        site.post("/Users/login", wrong.clone())
            .await
            .is(401, "LOGIN_FAILED");
    }
    let limited = site
        .post("/Users/login", json!({"email": EMAIL, "password": PASSWORD}))
        .await;
    limited.is(429, "TOO_MANY_REQUESTS");
    site.later(Duration::from_secs(31));
    for _ in 0..3 {
        site.log_in("Users", EMAIL).await;
    }
}
