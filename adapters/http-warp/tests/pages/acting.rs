//! An administrator acts as a user in their own browser.

use std::time::Duration;

use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

const BOSS: &str = "boss@example.com";

/// An administrator at home, and Ann's id.
async fn office(site: &Site) -> (Browser, String) {
    let boss = site.sign_up("Users", BOSS).await;
    site.give("Users", &boss, "admin").await;
    let ann = site.sign_up("Users", EMAIL).await;
    let browser = Browser::new(site);
    let fields = [("identifier", BOSS), ("password", PASSWORD)];
    browser
        .fill("/login", "/login", &fields)
        .await
        .leads_to("/account");
    (browser, ann)
}

async fn begin(browser: &Browser, ann: &str) {
    let page = format!("/auth/impersonate?user={ann}");
    browser
        .fill(
            &page,
            "/auth/impersonate",
            &[("user", ann), ("reason", "ticket 7")],
        )
        .await
        .leads_to("/account");
}

#[tokio::test]
async fn every_page_says_who_acts_until_they_stop_and_are_themselves_again() {
    let site = Site::open().await;
    let (browser, ann) = office(&site).await;
    let own = browser.cookie("portcullis").unwrap();
    browser
        .get(&format!("/auth/impersonate?user={ann}"))
        .await
        .is(200)
        .says("Act as ann@example.com");
    begin(&browser, &ann).await;
    assert_ne!(browser.cookie("portcullis"), Some(own.clone()));
    for page in [
        "/account",
        "/account/security",
        "/signup",
        "/reset",
        "/nothing/here",
    ] {
        let shown = browser.get(page).await;
        assert!(
            shown
                .text
                .contains("You act as <strong>ann@example.com</strong> as administrator"),
            "{page}: {}",
            shown.text
        );
        assert!(shown.text.contains(BOSS) && shown.text.contains(" UTC"), "{page}");
    }
    browser.get("/account").await.says(EMAIL);
    browser
        .fill("/account", "/auth/impersonate/stop", &[])
        .await
        .leads_to("/account");
    assert_eq!(browser.cookie("portcullis"), Some(own));
    assert_eq!(browser.cookie("portcullis-own"), None);
    let home = browser.get("/account").await.is(200).says(BOSS);
    assert!(!home.text.contains("You act as"));
}

#[tokio::test]
async fn a_reason_is_asked_for_and_a_fresh_proof() {
    let site = Site::open().await;
    let (browser, ann) = office(&site).await;
    let page = format!("/auth/impersonate?user={ann}");
    browser
        .fill(&page, "/auth/impersonate", &[("user", &ann), ("reason", " ")])
        .await
        .is(422)
        .says("can&#x27;t be blank");
    site.later(Duration::from_hours(2));
    browser
        .fill(&page, "/auth/impersonate", &[("user", &ann), ("reason", "x")])
        .await
        .leads_to(&format!(
            "/account/confirm?return_to=%2Fauth%2Fimpersonate%3Fuser%3D{ann}"
        ));
}

#[tokio::test]
async fn forms_that_would_change_something_are_refused() {
    let site = Site::open().await;
    let (browser, ann) = office(&site).await;
    begin(&browser, &ann).await;
    let csrf = browser.get("/account").await.hidden("csrf");
    for (action, fields) in [
        ("/account/password", vec![]),
        ("/account/email", vec![]),
        ("/account/verify-email", vec![]),
        ("/account/phone", vec![]),
        ("/account/phone/send-code", vec![]),
        ("/account/phone/confirm", vec![]),
        ("/account/sessions/end-others", vec![]),
        ("/account/identities/unlink", vec![]),
        ("/account/credentials/forget", vec![]),
        ("/account/security/totp", vec![]),
        ("/account/security/totp/confirm", vec![]),
        ("/account/security/passkeys/begin", vec![]),
        ("/account/security/passkeys", vec![]),
        ("/account/security/recovery", vec![]),
        ("/account/security/rename", vec![]),
        ("/account/security/remove", vec![]),
        ("/account/security/devices/forget", vec![]),
        ("/account/security/sessions/end", vec![]),
        ("/account/security/sessions/end-others", vec![]),
        ("/account/confirm", vec![]),
        ("/account/confirm/passkey", vec![]),
        ("/account/confirm/code", vec![]),
        ("/auth/impersonate", vec![("user", ann.as_str()), ("reason", "x")]),
    ] {
        browser
            .post(action, &csrf, &fields)
            .await
            .is(403)
            .says("You act as <strong>ann@example.com")
            .says("theirs alone to do");
    }
}

#[tokio::test]
async fn who_is_no_administrator_finds_no_such_page() {
    let site = Site::open().await;
    let (_, ann) = office(&site).await;
    let browser = Browser::new(&site);
    let page = format!("/auth/impersonate?user={ann}");
    browser
        .get(&page)
        .await
        .leads_to(&format!("/login?return_to=%2Fauth%2Fimpersonate%3Fuser%3D{ann}"));
    browser.log_in().await.leads_to("/account");
    browser.get(&page).await.is(404);
    let csrf = browser.get("/account").await.hidden("csrf");
    let fields = [("user", ann.as_str()), ("reason", "x")];
    browser.post("/auth/impersonate", &csrf, &fields).await.is(404);
    browser
        .post("/auth/impersonate/stop", &csrf, &[])
        .await
        .leads_to("/account");
}

#[tokio::test]
async fn logging_out_and_logging_in_end_both_sessions() {
    let site = Site::open().await;
    for action in ["/logout", "/login"] {
        let (browser, ann) = if action == "/logout" {
            office(&site).await
        } else {
            let browser = Browser::new(&site);
            let fields = [("identifier", BOSS), ("password", PASSWORD)];
            browser.fill("/login", "/login", &fields).await;
            let found = site.services.user_meant(
                site.services.pool(&domain::id::PoolName::new("Users")).unwrap(),
                EMAIL,
            );
            (browser, found.await.unwrap().id.to_string())
        };
        let own = browser.cookie("portcullis").unwrap();
        begin(&browser, &ann).await;
        let acting = browser.cookie("portcullis").unwrap();
        let csrf = browser.get("/account").await.hidden("csrf");
        let fields = [("identifier", EMAIL), ("password", PASSWORD)];
        let fields: &[_] = if action == "/login" { &fields } else { &[] };
        browser.post(action, &csrf, fields).await.is(303);
        assert_eq!(browser.cookie("portcullis-own"), None, "{action}");
        for token in [own, acting] {
            assert_eq!(site.get("/Users/me", &token).await.status, 401, "{action}");
        }
    }
}

#[tokio::test]
async fn whoever_stops_gets_back_no_session_but_their_own() {
    let site = Site::open().await;
    let (browser, ann) = office(&site).await;
    begin(&browser, &ann).await;
    let others = site.log_in("Users", EMAIL).await;
    browser.set_cookie("portcullis-own", &others);
    browser
        .fill("/account", "/auth/impersonate/stop", &[])
        .await
        .leads_to("/login?return_to=%2Faccount");
    assert_eq!(browser.cookie("portcullis"), None);
    assert_eq!(browser.cookie("portcullis-own"), None);
}
