//! Providers that are posted to and post back (SAML), with their further doors.

use super::who;
use crate::browser::{Browser, Page};
use crate::site::Site;

/// Off to the provider; returns the state it will send back.
async fn leave(browser: &Browser, path: &str) -> String {
    let page = browser.get(path).await.is(200);
    assert!(
        page.text.contains("action=\"https://poster.example/sso\""),
        "{}",
        page.text
    );
    page.hidden("RelayState")
}

/// The provider's form, as a browser posts it for another site: without our cookies.
async fn answer(site: &Site, path: &str, response: &str, state: &str) -> crate::site::Answer {
    let form = site
        .ask_site("POST", &format!("{path}/callback"))
        .header("origin", "https://poster.example")
        .header("sec-fetch-site", "cross-site")
        .form(&[("SAMLResponse", response), ("RelayState", state)]);
    Site::answer(form).await
}

/// What the page in between posts, with the cookies.
async fn again(browser: &Browser, path: &str, response: &str, state: &str) -> Page {
    let form = browser
        .request("POST", &format!("{path}/callback?again=1"))
        .header("sec-fetch-site", "same-origin")
        .form(&[("SAMLResponse", response), ("RelayState", state)]);
    browser.send(form).await
}

async fn logged_in(site: &Site, name: &str) -> Browser {
    let browser = Browser::new(site);
    let state = leave(&browser, "/auth/poster").await;
    let page = answer(site, "/auth/poster", name, &state).await;
    assert_eq!((page.status, page.header("set-cookie")), (200, ""));
    again(&browser, "/auth/poster", name, &state).await.is(302);
    browser
}

#[tokio::test]
async fn the_request_is_a_form_that_sends_itself_or_waits_for_its_button() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = browser.get("/auth/poster").await.is(200);
    assert_eq!(page.hidden("SAMLRequest"), "<asks \"who\">");
    let policy = page.header("content-security-policy").to_owned();
    assert!(
        policy.contains("script-src 'self'") && policy.contains("form-action 'self' https:"),
        "{policy}"
    );
    assert!(
        page.text
            .contains("<script src=\"/assets/send.js\" defer></script>")
    );
    let page = page.says("<button type=\"submit\">Continue</button>");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let script = browser.get("/assets/send.js").await.is(200);
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
}

#[tokio::test]
async fn an_answer_by_form_counts_in_the_browser_that_asked_and_in_no_other() {
    let site = Site::open().await;
    let browser = logged_in(&site, "ann").await;
    assert!(!who(&site, &browser).await.is_empty());
    let asked = Browser::new(&site);
    let state = leave(&asked, "/auth/poster").await;
    let other = Browser::new(&site);
    again(&other, "/auth/poster", "ann", &state)
        .await
        .is(401)
        .says("AUTHORIZATION_UNKNOWN");
    again(&asked, "/auth/poster", "bob", &state).await.is(302);
}

#[tokio::test]
async fn an_assertion_counts_once_whatever_way_it_comes() {
    let site = Site::open().await;
    logged_in(&site, "ann").await;
    let browser = Browser::new(&site);
    let state = leave(&browser, "/auth/poster").await;
    again(&browser, "/auth/poster", "ann", &state)
        .await
        .is(401)
        .says("ANSWER_REPLAYED");
}

#[tokio::test]
async fn nobody_is_sent_here_unasked_unless_the_entry_says_so() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    again(&browser, "/auth/poster", "unasked ann", "")
        .await
        .is(401)
        .says("AUTHORIZATION_UNKNOWN");
    again(&browser, "/auth/open", "unasked ann", "/elsewhere")
        .await
        .is(302);
    assert!(!who(&site, &browser).await.is_empty());
    let thief = Browser::new(&site);
    again(&thief, "/auth/open", "unasked ann", "")
        .await
        .is(401)
        .says("ANSWER_REPLAYED");
    again(&thief, "/auth/open", "bob", "")
        .await
        .is(401)
        .says("SAML_IN_RESPONSE_TO");
}

#[tokio::test]
async fn the_operator_of_the_provider_finds_our_metadata() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = browser.get("/auth/poster/metadata").await.is(200);
    assert_eq!(page.header("content-type"), "application/samlmetadata+xml");
    page.says("<EntityDescriptor/>");
}

#[tokio::test]
async fn who_leaves_there_leaves_here() {
    let site = Site::open().await;
    let (ann, bob) = (logged_in(&site, "ann").await, logged_in(&site, "bob").await);
    let told = Browser::new(&site)
        .get("/auth/poster/logout?SAMLRequest=ann&RelayState=x")
        .await;
    assert_eq!(
        (told.status, told.location()),
        (302, "https://poster.example/slo?done=true")
    );
    assert!(who(&site, &ann).await.is_empty());
    assert!(!who(&site, &bob).await.is_empty());
    let replayed = Browser::new(&site)
        .get("/auth/poster/logout?SAMLRequest=ann&RelayState=x")
        .await;
    replayed.is(401).says("ANSWER_REPLAYED");
    let unsigned = Browser::new(&site).get("/auth/poster/logout?SAMLRequest=").await;
    unsigned.is(401).says("SAML_SIGNATURE");
}

#[tokio::test]
async fn who_leaves_here_is_led_there_and_back() {
    let site = Site::open().await;
    let browser = logged_in(&site, "ann").await;
    let account = browser.get("/account").await.is(200);
    let form = [("csrf", account.hidden("csrf"))];
    let page = browser.send(browser.request("POST", "/logout").form(&form)).await;
    page.is(200).says("https://poster.example/slo?leaves=ann");
    assert!(who(&site, &browser).await.is_empty());
    let back = browser.get("/auth/poster/logout?SAMLResponse=x").await;
    assert_eq!((back.status, back.location()), (303, "/login?bye=1"));
}
