//! LoopBack's own cookies: read where their secret is known, written only on request.

use domain::secret::Secret;
use http_warp::LegacyCookies;
use serde_json::json;

use super::{come_back, who};
use crate::browser::Browser;
use crate::site::Site;

async fn site(write: bool) -> Site {
    Site::with(|_, settings| {
        settings.legacy_cookies = Some(LegacyCookies {
            secret: Secret::new("keyboard cat"),
            write,
        });
    })
    .await
}

#[tokio::test]
async fn a_login_sets_them_signed_and_out_of_reach_only_on_request() {
    let quiet = site(false).await;
    let page = come_back(&Browser::new(&quiet), "/auth/facebook", "ann")
        .await
        .is(302);
    assert_eq!(page.set_cookie("access_token"), "");
    let site = site(true).await;
    let browser = Browser::new(&site);
    let page = come_back(&browser, "/auth/facebook", "ann").await.is(302);
    let user = who(&site, &browser).await;
    let token = browser.cookie("portcullis").unwrap();
    for (name, value) in [("access_token", token.as_str()), ("userId", user.as_str())] {
        let line = page.set_cookie(name);
        assert!(line.starts_with(&format!("{name}=s%3A{value}.")), "{line}");
        for flag in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=1209600"] {
            assert!(line.contains(flag), "{line}");
        }
    }
}

#[tokio::test]
async fn a_signed_cookie_opens_calls_and_a_forged_one_does_not() {
    let site = site(true).await;
    let browser = Browser::new(&site);
    come_back(&browser, "/auth/facebook", "ann").await.is(302);
    let signed = browser.cookie("access_token").unwrap();
    let token = browser.cookie("portcullis").unwrap();
    let ask = |method: &str, path: &str, cookie: &str| {
        site.ask(method, path)
            .header("cookie", format!("access_token={cookie}"))
    };
    Site::answer(ask("GET", "/Users/me", &signed)).await.ok();
    for forged in [
        token.clone(),
        format!("s%3A{token}.AAAA"),
        signed.replace(&token[..4], "AAAA"),
    ] {
        Site::answer(ask("GET", "/Users/me", &forged))
            .await
            .is(401, "AUTHORIZATION_REQUIRED");
    }
    let change = |origin: &str| {
        ask("PATCH", "/Users/me", &signed)
            .header("origin", origin)
            .json(&json!({"colour": "red"}))
    };
    Site::answer(change("https://evil.example"))
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    Site::answer(change("http://localhost:3000")).await.ok();
}
