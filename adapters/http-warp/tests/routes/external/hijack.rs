//! Whoever came first to somebody else's address keeps nothing once its owner shows up.

use serde_json::{Value, json};

use super::{come_back, logged_in, sent, who};
use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

/// The newest code in the mailbox.
fn mailed_code(site: &Site) -> String {
    let mail = site.mailbox.text();
    let mut words = mail.split(|letter: char| !letter.is_ascii_digit());
    words.rfind(|word| word.len() == 6).unwrap().to_owned()
}

/// Ann's address, registered by somebody who does not read it: their token.
async fn squatted(site: &Site) -> String {
    site.sign_up("Users", EMAIL).await;
    site.log_in("Users", EMAIL).await
}

#[tokio::test]
async fn ph_03_whoever_proves_the_mailbox_takes_password_and_sessions_from_a_squatter() {
    let site = Site::open().await;
    let squatter = squatted(&site).await;
    let page = come_back(&Browser::new(&site), "/auth/json", "ann@")
        .await
        .is(409);
    let offer: Value = serde_json::from_str(&page.text).unwrap();
    let mut join = json!({"join": offer["error"]["details"]["join"]});
    site.post("/Users/join/send-code", join.clone()).await.void();
    join["code"] = mailed_code(&site).into();
    let joined = site.post("/Users/join", join).await.ok();
    let ann = joined.body["id"].as_str().unwrap();
    assert_eq!(site.get("/Users/me", ann).await.ok().body["email"], EMAIL);
    site.get("/Users/me", &squatter)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    let password = json!({"email": EMAIL, "password": PASSWORD});
    site.post("/Users/login", password).await.is(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn ph_04_an_account_linked_by_a_squatter_opens_nothing_after_the_owner_recovered() {
    let site = Site::open().await;
    let squatter = squatted(&site).await;
    let browser = Browser::new(&site);
    let start = browser
        .request("GET", "/link/google")
        .header("authorization", &squatter);
    let state = sent(&browser.send(start).await.is(302), "state");
    let back = format!("/link/google/callback?code=mallory&state={state}");
    browser.get(&back).await.is(302);
    site.post("/Users/reset", json!({"email": EMAIL})).await.void();
    let token = site.mailbox.of_link("token");
    let new = json!({"newPassword": "a password of her own"});
    site.call("POST", "/Users/reset-password", &token, new)
        .await
        .void();
    let login = json!({"email": EMAIL, "password": "a password of her own"});
    let ann = site.post("/Users/login", login).await.ok();
    let mallory = logged_in(&site, "/auth/google", "mallory").await;
    assert_ne!(json!(who(&site, &mallory).await), ann.body["userId"]);
}
