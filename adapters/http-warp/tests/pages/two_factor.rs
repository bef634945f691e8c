//! Codes: confirming a number at sign-up, and logging in with one.

use std::time::Duration;

use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

const PHONE: &str = "+447700900123";

#[tokio::test]
async fn a_number_given_at_sign_up_is_confirmed_and_then_guards_the_login() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[("phone", PHONE)]).await.leads_to("/verify");
    browser
        .get("/verify")
        .await
        .is(200)
        .says("the number ending in 23");
    browser
        .fill("/verify", "/verify", &[("code", "000000")])
        .await
        .is(400)
        .says("That code is wrong");
    let code = site.console.code();
    browser
        .fill("/verify", "/verify", &[("code", &code)])
        .await
        .leads_to("/login?confirmed=1");
    browser.log_in().await.leads_to("/two-factor");
    assert_eq!(browser.cookie("portcullis"), None);
    browser
        .get("/two-factor")
        .await
        .is(200)
        .says("the number ending in 23")
        .says("within 60 seconds");
    let code = format!(" {} ", site.console.code());
    browser
        .fill("/two-factor", "/two-factor", &[("code", &code)])
        .await
        .leads_to("/account");
    assert_eq!(browser.cookie("portcullis-pending"), None);
    browser.get("/account").await.is(200).says("Confirmed");
}

#[tokio::test]
async fn the_first_missed_code_is_sent_again_without_a_login() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[("phone", PHONE)]).await;
    let missed = site.console.code();
    site.later(Duration::from_mins(2));
    browser
        .fill("/verify", "/verify", &[("code", &missed)])
        .await
        .is(400);
    browser
        .fill("/verify", "/verify/phone/resend", &[])
        .await
        .leads_to("/verify?sent=1");
    browser
        .get("/verify?sent=1")
        .await
        .says("A new code is on its way.");
    let code = site.console.code();
    browser
        .fill("/verify", "/verify", &[("code", &code)])
        .await
        .leads_to("/login?confirmed=1");
}

#[tokio::test]
async fn long_after_the_sign_up_its_cookie_sends_no_more_codes() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[("phone", PHONE)]).await;
    let sent = site.console.text();
    site.later(Duration::from_mins(11));
    browser
        .fill("/verify", "/verify/phone/resend", &[])
        .await
        .leads_to("/login?created=1");
    assert_eq!(site.console.text(), sent);
}

#[tokio::test]
async fn the_phone_step_may_be_skipped() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[("phone", PHONE)]).await;
    browser
        .get("/verify")
        .await
        .says("Do this later")
        .says("href=\"/login?pool=Users\"");
    browser.log_in().await.leads_to("/account");
    browser.get("/account").await.says("Not confirmed");
}

#[tokio::test]
async fn a_new_code_voids_the_one_before() {
    let site = Site::open().await;
    let browser = with_second_factor(&site).await;
    browser.log_in().await.leads_to("/two-factor");
    let before = site.console.code();
    browser
        .fill("/two-factor", "/two-factor/resend", &[])
        .await
        .leads_to("/two-factor?sent=1&method=sms");
    let after = site.console.code();
    if before != after {
        browser
            .fill("/two-factor?sent=1", "/two-factor", &[("code", &before)])
            .await
            .is(401)
            .says("That code is wrong");
    }
    browser
        .fill("/two-factor", "/two-factor", &[("code", &after)])
        .await
        .leads_to("/account");
}

#[tokio::test]
async fn five_wrong_codes_end_a_login() {
    let site = Site::open().await;
    let browser = with_second_factor(&site).await;
    browser.log_in().await;
    let code = site.console.code();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        browser
            .fill("/two-factor", "/two-factor", &[("code", wrong)])
            .await
            .is(401);
    }
    browser
        .fill("/two-factor", "/two-factor", &[("code", &code)])
        .await
        .is(401);
    assert_eq!(browser.cookie("portcullis"), None);
}

#[tokio::test]
async fn a_code_works_in_the_browser_it_was_asked_from_and_once() {
    let site = Site::open().await;
    let browser = with_second_factor(&site).await;
    browser.log_in().await;
    let code = site.console.code();
    let stranger = Browser::new(&site);
    let csrf = stranger.get("/login").await.hidden("csrf");
    stranger
        .post("/two-factor", &csrf, &[("code", &code)])
        .await
        .leads_to("/login");
    let pending = browser.cookie("portcullis-pending").unwrap();
    browser
        .fill("/two-factor", "/two-factor", &[("code", &code)])
        .await
        .leads_to("/account");
    let opened = browser.cookie("portcullis");
    browser.set_cookie("portcullis-pending", &pending);
    let csrf = browser.get("/account").await.hidden("csrf");
    browser
        .post("/two-factor", &csrf, &[("code", &code)])
        .await
        .leads_to("/login?again=1");
    assert_eq!(browser.cookie("portcullis"), opened, "no further session");
}

#[tokio::test]
async fn without_a_pending_login_there_is_no_code_page() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.get("/two-factor").await.leads_to("/login");
    browser.set_cookie("portcullis-pending", "rubbish");
    browser.get("/two-factor").await.leads_to("/login");
    browser.sign_up(&[("phone", PHONE)]).await;
    browser.get("/two-factor").await.leads_to("/login");
}

#[tokio::test]
async fn the_place_to_return_to_survives_the_code() {
    let site = Site::open().await;
    let browser = with_second_factor(&site).await;
    let fields = [
        ("identifier", EMAIL),
        ("password", PASSWORD),
        ("return_to", "/docs?a=1&b=2"),
    ];
    let place = "/two-factor?return_to=%2Fdocs%3Fa%3D1%26b%3D2";
    browser.fill("/login", "/login", &fields).await.leads_to(place);
    let page = browser.get(place).await;
    assert_eq!(page.hidden("return_to"), "/docs?a=1&b=2");
    let code = site.console.code();
    let fields = [("code", code.as_str()), ("return_to", "/docs?a=1&b=2")];
    browser
        .fill(place, "/two-factor", &fields)
        .await
        .leads_to("/docs?a=1&b=2");
}

#[tokio::test]
async fn an_ended_login_leads_back_to_the_start() {
    let site = Site::open().await;
    let browser = with_second_factor(&site).await;
    browser.log_in().await;
    let csrf = browser.get("/two-factor").await.is(200).hidden("csrf");
    site.later(Duration::from_mins(11));
    let pending = browser.cookie("portcullis-pending").unwrap();
    browser.get("/two-factor").await.leads_to("/login?again=1");
    browser.set_cookie("portcullis-pending", &pending);
    browser
        .post("/two-factor/resend", &csrf, &[])
        .await
        .leads_to("/login?again=1");
    browser.get("/two-factor").await.leads_to("/login");
}

/// Ann with a confirmed number, not logged in.
async fn with_second_factor(site: &Site) -> Browser {
    let browser = Browser::new(site);
    browser.sign_up(&[("phone", PHONE)]).await;
    let code = site.console.code();
    browser
        .fill("/verify", "/verify", &[("code", &code)])
        .await
        .leads_to("/login?confirmed=1");
    browser
}
