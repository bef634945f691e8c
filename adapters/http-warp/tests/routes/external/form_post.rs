//! A provider that answers by `POST` (`form_post`), as Apple does: the browser leaves `SameSite=Lax` cookies behind.

use super::{begin, who};
use crate::browser::Browser;
use crate::site::Site;

#[tokio::test]
async fn a_posted_answer_is_led_here_again_with_the_cookie() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    let posted = site
        .ask_site("POST", "/auth/facebook/callback")
        .header("origin", "https://facebook.example")
        .header("sec-fetch-site", "cross-site")
        .form(&[
            ("code", "ann"),
            ("state", state.as_str()),
            ("user", "{\"a\":\"ä&b\"}"),
        ]);
    let answer = Site::answer(posted).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (303, ""));
    let place = answer.header("location").to_owned();
    assert!(
        place.starts_with("/auth/facebook/callback?code=ann&state="),
        "{place}"
    );
    browser.get(&place).await.is(302);
    assert!(!who(&site, &browser).await.is_empty());
}

#[tokio::test]
async fn a_posted_answer_with_its_cookie_ends_the_way_at_once() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    let posted = browser
        .request("POST", "/auth/facebook/callback")
        .form(&[("code", "ann"), ("state", state.as_str())]);
    browser.send(posted).await.is(302);
    assert!(!who(&site, &browser).await.is_empty());
}

#[tokio::test]
async fn a_form_to_an_address_with_our_state_in_it_counts_with_its_address() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    let address = format!("/auth/facebook/callback?state={state}");
    let posted = site
        .ask_site("POST", &address)
        .header("sec-fetch-site", "cross-site")
        .form(&[("code", "ann")]);
    let place = Site::answer(posted).await.header("location").to_owned();
    browser.get(&place).await.is(302);
    assert!(!who(&site, &browser).await.is_empty());
    let state = begin(&browser, "/auth/facebook").await;
    let doubled = browser
        .request("POST", &format!("/auth/facebook/callback?state={state}"))
        .form(&[("code", "ann"), ("state", "another")]);
    let place = browser.send(doubled).await.is(303).location().to_owned();
    browser.get(&place).await.is(401);
}

#[tokio::test]
async fn only_a_form_of_sane_size_is_an_answer() {
    let site = Site::open().await;
    let post = || site.ask_site("POST", "/auth/facebook/callback");
    let json = post().header("content-type", "application/json").body("{}");
    assert_eq!(Site::answer(json).await.status, 415);
    let long = "x".repeat(9000);
    let huge = post().form(&[("state", "s"), ("code", long.as_str())]);
    let page = Site::answer(huge).await;
    assert_eq!(
        page.status, 200,
        "an address would not hold it: a form brings it here again"
    );
    let again = site
        .ask_site("POST", "/auth/facebook/callback?again=1")
        .form(&[("state", "s"), ("code", long.as_str())]);
    Site::answer(again).await.is(401, "AUTHORIZATION_UNKNOWN");
}
