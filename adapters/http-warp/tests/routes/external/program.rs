//! Programs that fetch the session their person earned in a browser: a code, and the verifier of the challenge that began the way.

use serde_json::json;

use super::{VERIFIER, begin, challenged, come_back, sent};
use crate::browser::Browser;
use crate::site::Site;

/// Through the browser and back to the program: the code it gets.
async fn earned(site: &Site, entry: &str, code: &str) -> String {
    let browser = Browser::new(site);
    let page = come_back(&browser, &challenged(entry), code).await.is(302);
    assert_eq!(page.set_cookie("portcullis"), "", "the browser gets no session");
    sent(&page, "code")
}

#[tokio::test]
async fn a_code_and_its_verifier_fetch_the_session_once() {
    let site = Site::open().await;
    let code = earned(&site, "/auth/facebook?returnTo=com.example.app:/signed-in", "ann").await;
    let wrong = json!({"code": code, "code_verifier": "x".repeat(43)});
    let right = json!({"code": code, "code_verifier": VERIFIER});
    let fetched = site.post("/Users/exchange", right.clone()).await.ok();
    assert_eq!(fetched.header("cache-control"), "no-store");
    assert_eq!(fetched.body["ttl"], 1_209_600);
    site.get("/Users/me", fetched.body["id"].as_str().unwrap())
        .await
        .ok();
    site.post("/Users/exchange", right)
        .await
        .is(400, "EXCHANGE_REFUSED");
    site.post("/Users/exchange", wrong)
        .await
        .is(400, "EXCHANGE_REFUSED");
}

#[tokio::test]
async fn without_the_right_verifier_a_code_opens_nothing() {
    let site = Site::open().await;
    let code = earned(&site, "/auth/app", "ann").await;
    for verifier in ["", "x", &"x".repeat(43)] {
        let answer = site
            .post(
                "/Users/exchange",
                json!({"code": code, "code_verifier": verifier}),
            )
            .await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
    site.post(
        "/Employees/exchange",
        json!({"code": code, "code_verifier": VERIFIER}),
    )
    .await
    .is(400, "EXCHANGE_REFUSED");
    site.post("/Users/exchange", json!({"code": code}))
        .await
        .is(400, "");
}

#[tokio::test]
async fn the_code_joins_what_stands_in_the_address() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = come_back(&browser, &challenged("/auth/app"), "ann").await.is(302);
    assert!(
        page.location()
            .starts_with("https://app.example.org/in?x=1&code="),
        "{}",
        page.location()
    );
    let page = come_back(
        &browser,
        &challenged("/auth/facebook?returnTo=com.example.app:/signed-in"),
        "ann",
    )
    .await;
    assert!(
        page.location().starts_with("com.example.app:/signed-in?code="),
        "{}",
        page.location()
    );
    let page = come_back(&browser, &challenged("/auth/json"), "ann")
        .await
        .is(200);
    assert!(page.text.starts_with("{\"code\":\""), "{}", page.text);
}

#[tokio::test]
async fn no_token_ever_stands_in_an_address() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = come_back(&browser, &challenged("/auth/app"), "ann").await;
    let code = sent(&page, "code");
    site.get("/Users/me", &code)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn a_due_second_factor_is_asked_for_when_the_session_is_fetched() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = come_back(&browser, &challenged("/auth/staff"), "ann")
        .await
        .is(302);
    assert!(
        page.location().starts_with("/auth/account?code="),
        "{}",
        page.location()
    );
    let code = page.location().split('=').nth(1).unwrap().to_owned();
    let fetched = site
        .post(
            "/Employees/exchange",
            json!({"code": code, "code_verifier": VERIFIER}),
        )
        .await
        .is(401, "SECOND_FACTOR_REQUIRED");
    let details = &fetched.body["error"]["details"];
    let typed = json!({"challenge": details["challenge"], "code": site.console.code()});
    site.post("/Employees/loginWithCode", typed).await.ok();
}

#[tokio::test]
async fn a_challenge_of_one_way_does_not_help_another() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = begin(&browser, &challenged("/auth/app")).await;
    let other = Browser::new(&site);
    other
        .get(&format!("/auth/app/callback?code=ann&state={state}"))
        .await
        .is(401);
}
