//! Mailed links: resetting a password, and what links do when they are only opened.

use std::time::Duration;

use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

const NEW: &str = "a whole new sentence";

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_mailed_link() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    browser
        .fill("/reset", "/reset", &[("email", EMAIL)])
        .await
        .leads_to("/reset?sent=1");
    browser
        .get("/reset?sent=1")
        .await
        .says("If there is an account with that address");
    let token = site.mailbox.of_link("token");
    let link = format!("/reset?pool=Users&token={token}");
    let send = async |new| {
        browser
            .fill(
                &link,
                "/reset",
                &[
                    ("token", token.as_str()),
                    ("pool", "Users"),
                    ("new_password", new),
                ],
            )
            .await
    };
    send("short").await.is(422).says("Use at least 8 characters.");
    browser.get("/account").await.is(200);
    send(NEW).await.leads_to("/login?reset=1");
    assert_eq!(browser.cookie("portcullis"), None);
    browser.log_in().await.is(401);
    browser
        .fill("/login", "/login", &[("identifier", EMAIL), ("password", NEW)])
        .await
        .leads_to("/account");
    send("yet another sentence")
        .await
        .is(400)
        .says("too old or was used before");
}

#[tokio::test]
async fn asking_for_a_link_says_the_same_for_everybody() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    let known = browser.fill("/reset", "/reset", &[("email", EMAIL)]).await;
    let unknown = browser
        .fill("/reset", "/reset", &[("email", "nobody@example.com")])
        .await;
    assert_eq!(
        (known.status, known.location(), &known.text),
        (unknown.status, unknown.location(), &unknown.text)
    );
    browser
        .fill("/reset", "/reset", &[("email", " ")])
        .await
        .is(400)
        .says("Enter your e-mail address.");
}

#[tokio::test]
async fn an_old_link_sets_no_password() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    browser.fill("/reset", "/reset", &[("email", EMAIL)]).await;
    let token = site.mailbox.of_link("token");
    site.later(Duration::from_mins(16));
    let fields = [
        ("token", token.as_str()),
        ("pool", "Users"),
        ("new_password", NEW),
    ];
    browser
        .fill(&format!("/reset?token={token}"), "/reset", &fields)
        .await
        .is(400)
        .says("Ask for another one.");
    browser.log_in().await.leads_to("/account");
}

#[tokio::test]
async fn a_link_of_one_pool_is_worth_nothing_in_another() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    browser.fill("/reset", "/reset", &[("email", EMAIL)]).await;
    let token = site.mailbox.of_link("token");
    let fields = [
        ("token", token.as_str()),
        ("pool", "Employees"),
        ("new_password", NEW),
    ];
    browser
        .fill(&format!("/reset?token={token}"), "/reset", &fields)
        .await
        .is(400);
    browser.log_in().await.leads_to("/account");
}

#[tokio::test]
async fn opening_a_link_any_number_of_times_spends_nothing() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    browser.fill("/reset", "/reset", &[("email", EMAIL)]).await;
    let token = site.mailbox.of_link("token");
    let link = format!("/reset?pool=Users&token={token}");
    for _ in 0..3 {
        browser.get(&link).await.is(200);
        browser.send(browser.request("HEAD", &link)).await.is(200);
    }
    let fields = [
        ("token", token.as_str()),
        ("pool", "Users"),
        ("new_password", NEW),
    ];
    browser
        .fill(&link, "/reset", &fields)
        .await
        .leads_to("/login?reset=1");
}

#[tokio::test]
async fn a_token_from_a_link_is_shown_as_text_only() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for path in [
        "/reset?token=%22%3E%3Cscript%3Ex",
        "/verify?token=%22%3E%3Cscript%3Ex&uid=%22%3E%3Cscript%3Ex",
    ] {
        assert!(
            !browser.get(path).await.is(200).text.contains("<script"),
            "{path}"
        );
    }
    let fields = [("identifier", "\"><script>x"), ("password", PASSWORD)];
    assert!(
        !browser
            .fill("/login", "/login", &fields)
            .await
            .is(401)
            .text
            .contains("<script")
    );
}

#[tokio::test]
async fn without_anything_to_confirm_the_page_leads_home() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.get("/verify").await.leads_to("/account");
    let csrf = browser.get("/login").await.hidden("csrf");
    browser
        .post("/verify", &csrf, &[("code", "123456")])
        .await
        .leads_to("/account");
    browser
        .post("/verify", &csrf, &[("uid", "x"), ("token", "y")])
        .await
        .is(400)
        .says("does nothing any more");
}
