//! Somebody comes by a provider with an address that has an account here already.

use std::time::Duration;

use crate::browser::{Browser, Page};
use crate::site::{EMAIL, PASSWORD, Site};

/// Ann has an account, and comes with one elsewhere of the same address.
async fn offered(site: &Site, door: &str) -> Browser {
    site.sign_up("Users", EMAIL).await;
    let browser = Browser::new(site);
    let back = browser.come_by(door, "ann@").await;
    assert_eq!((back.status, back.location()), (302, "/join"), "{}", back.text);
    browser
}

async fn with_password(browser: &Browser, password: &str) -> Page {
    browser.fill("/join", "/join", &[("password", password)]).await
}

/// The newest code that was mailed.
fn mailed_code(site: &Site) -> String {
    let text = site.mailbox.text();
    let mut words = text.split(|letter: char| !letter.is_ascii_digit());
    words.rfind(|word| word.len() == 6).unwrap().to_owned()
}

#[tokio::test]
async fn the_password_joins_both_and_from_then_on_the_provider_opens_the_account() {
    let site = Site::open().await;
    let browser = offered(&site, "/auth/facebook").await;
    let page = browser.get("/join").await.is(200).says("Is this account yours?");
    page.says("You came with your facebook-login account").says(EMAIL);
    browser.get("/account").await.is(303);
    let wrong = with_password(&browser, "something else").await.is(401);
    wrong.says("That is not the password of the account here.");
    with_password(&browser, PASSWORD).await.leads_to("/auth/account");
    assert_eq!(browser.cookie("portcullis-join"), None);
    browser
        .get("/account")
        .await
        .is(200)
        .says("<strong>facebook-login</strong> ann");
    let other = Browser::new(&site);
    let back = other.come_by("/auth/facebook", "ann@").await;
    assert_eq!(back.location(), "/auth/account");
    other.get("/account").await.is(200).says(EMAIL);
}

#[tokio::test]
async fn a_mailed_code_joins_both_too() {
    let site = Site::open().await;
    let browser = offered(&site, "/auth/facebook").await;
    browser
        .fill("/join", "/join/code", &[])
        .await
        .leads_to("/join?sent=1");
    browser.get("/join?sent=1").await.says("A code is on its way");
    let code = mailed_code(&site);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    browser
        .fill("/join", "/join/confirm", &[("code", wrong)])
        .await
        .is(401)
        .says("That code is wrong");
    browser
        .fill("/join", "/join/confirm", &[("code", &code)])
        .await
        .leads_to("/auth/account");
    browser
        .get("/account")
        .await
        .says("<strong>facebook-login</strong> ann");
}

#[tokio::test]
async fn whoever_declines_gets_an_account_of_their_own() {
    let site = Site::open().await;
    let browser = offered(&site, "/auth/facebook").await;
    browser
        .fill("/join", "/join/decline", &[])
        .await
        .leads_to("/auth/account");
    let page = browser.get("/account").await.is(200);
    let page = page.says("<strong>facebook-login</strong> ann");
    assert!(page.text.contains("None yet"), "no address, no phone");
    browser.get("/join").await.leads_to("/login?again=1");
}

#[tokio::test]
async fn the_place_to_return_to_survives_the_proof() {
    let site = Site::open().await;
    let browser = offered(&site, "/auth/facebook?returnTo=/docs").await;
    with_password(&browser, PASSWORD).await.leads_to("/docs");
}

#[tokio::test]
async fn an_app_gets_its_code_after_the_proof_by_a_page_that_leads_there() {
    let site = Site::open().await;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let place = "com.example.app%3A%2Fsigned-in";
    let door =
        format!("/auth/facebook?returnTo={place}&code_challenge={challenge}&code_challenge_method=S256");
    let browser = offered(&site, &door).await;
    let page = with_password(&browser, PASSWORD).await.is(200).says("One moment");
    page.says("content=\"0; url=com.example.app:/signed-in?code=");
    assert_eq!(browser.cookie("portcullis"), None);
    assert_eq!(browser.cookie("portcullis-join"), None);
}

#[tokio::test]
async fn a_second_factor_comes_before_the_join() {
    let site = Site::open().await;
    site.sign_up("Employees", EMAIL).await;
    let browser = Browser::new(&site);
    let back = browser.come_by("/auth/staff", "ann@").await;
    assert_eq!(back.location(), "/join");
    with_password(&browser, PASSWORD)
        .await
        .leads_to("/two-factor?pool=Employees");
    assert_eq!(browser.cookie("portcullis"), None);
    let code = site.console.code();
    browser
        .fill("/two-factor", "/two-factor", &[("code", &code)])
        .await
        .leads_to("/auth/account");
    browser
        .get("/account")
        .await
        .says("<strong>google-staff</strong> ann");
}

#[tokio::test]
async fn an_offer_belongs_to_its_browser_and_ends() {
    let site = Site::open().await;
    let browser = offered(&site, "/auth/facebook").await;
    let stranger = Browser::new(&site);
    stranger.get("/join").await.leads_to("/login?again=1");
    for rubbish in ["rubbish", "a.Users", &format!("{}.Users", "a".repeat(64))] {
        stranger.set_cookie("portcullis-join", rubbish);
        stranger.get("/join").await.leads_to("/login?again=1");
        assert_eq!(stranger.cookie("portcullis-join"), None);
    }
    let csrf = browser.get("/join").await.hidden("csrf");
    browser
        .post("/join", "wrong", &[("password", PASSWORD)])
        .await
        .is(403);
    site.later(Duration::from_mins(16));
    for action in ["/join", "/join/code", "/join/confirm", "/join/decline"] {
        browser.post(action, &csrf, &[]).await.leads_to("/login?again=1");
    }
}

#[tokio::test]
async fn guessing_is_limited() {
    let site = Site::open().await;
    let browser = offered(&site, "/auth/facebook").await;
    let csrf = browser.get("/join").await.hidden("csrf");
    let mut last = 0;
    for _ in 0..12 {
        last = browser
            .post("/join", &csrf, &[("password", "a guess")])
            .await
            .status;
    }
    assert_eq!(last, 429);
}
