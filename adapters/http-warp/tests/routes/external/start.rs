//! `authPath`: off to the provider.

use std::collections::BTreeSet;

use super::{begin, bindings, challenged, sent};
use crate::browser::Browser;
use crate::site::Site;
use crate::site::outside::entry;

#[tokio::test]
async fn a_way_begins_with_a_state_bound_to_this_browser() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = browser.get("/auth/facebook").await.is(302);
    assert!(page.location().starts_with("https://facebook.example/authorize?"));
    assert_eq!(
        sent(&page, "redirect_uri"),
        "http://localhost:3000/auth/facebook/callback"
    );
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let [binding] = bindings(&page).try_into().unwrap();
    for flag in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=600"] {
        assert!(binding.contains(flag), "{binding}");
    }
    assert!(!binding.contains("Domain") && !binding.contains(&sent(&page, "state")));
}

#[tokio::test]
async fn oa_01_eight_starts_have_eight_unguessable_states() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let mut states = BTreeSet::new();
    for _ in 0..8 {
        let state = begin(&browser, "/auth/facebook").await;
        assert!(state.len() >= 16, "{state}");
        states.insert(state);
    }
    assert_eq!(states.len(), 8);
}

#[tokio::test]
async fn a_browser_keeps_eight_open_ways_and_gives_up_the_oldest() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let names: Vec<String> = (0..9).map(|n| format!("portcullis-auth-{n:016}")).collect();
    for name in &names {
        browser.set_cookie(name, "x");
    }
    let page = browser.get("/auth/facebook").await.is(302);
    let set = bindings(&page);
    assert_eq!(set.len(), 3, "{set:?}");
    for (line, name) in set.iter().zip(&names[..2]) {
        assert!(
            line.starts_with(&format!("{name}=;")) && line.contains("Max-Age=0"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn paths_of_entries_compare_as_express_compares_and_our_own_routes_go_first() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for path in ["/AUTH/Facebook", "/auth/facebook/"] {
        browser.get(path).await.is(302);
    }
    site.doors.hang(vec![
        entry("greedy", "/auth/check"),
        entry("facebook-login", "/facebook"),
    ]);
    let check = Site::answer(site.ask_site("GET", "/auth/check")).await;
    assert_eq!(check.status, 401);
    browser.get("/auth/facebook").await.is(404);
    begin(&browser, "/facebook").await;
}

#[tokio::test]
async fn oa_13_unknown_and_odd_providers_are_not_there() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let long = format!("/auth/{}", "x".repeat(3000));
    for path in [
        "/auth/nobody",
        "/auth/__proto__",
        "/auth/..%2f",
        "/auth/%00",
        "/link/constructor",
        &long,
    ] {
        browser.get(path).await.is(404);
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = Site::answer(site.ask_site(method, "/auth/facebook")).await;
        assert_eq!(answer.status, 404, "{method}");
    }
}

#[tokio::test]
async fn oa_07_no_spelling_of_return_to_leads_off_site() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for bad in [
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example/",
        "https:evil.example",
        "https://app.example.org.evil.example/",
        "https://app.example.org@evil.example/",
        "http://app.example.org/",
        "javascript:alert(1)",
        "com.example.app:/other",
        "%09//evil.example",
        "evil.example",
    ] {
        for name in ["returnTo", "return_to"] {
            let path = challenged(&format!("/auth/facebook?{name}={bad}"));
            let page = browser.get(&path).await.is(400);
            assert!(bindings(&page).is_empty());
            let answer = Site::answer(site.ask_site("GET", &path)).await;
            answer.is(400, "RETURN_NOT_ALLOWED");
        }
    }
    let page = browser.get("/auth/facebook?returnTo=/account").await.is(302);
    assert_eq!(
        sent(&page, "redirect_uri"),
        "http://localhost:3000/auth/facebook/callback"
    );
    let twice = Site::answer(site.ask_site("GET", "/auth/facebook?returnTo=/a&return_to=/b")).await;
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn whoever_fetches_the_session_elsewhere_must_send_a_challenge() {
    let site = Site::open().await;
    for path in [
        "/auth/facebook?returnTo=https://app.example.org/in",
        "/auth/facebook?returnTo=com.example.app:/signed-in",
        "/auth/app",
        "/auth/facebook?code_challenge=short&code_challenge_method=S256",
        "/auth/facebook?code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    ] {
        Site::answer(site.ask_site("GET", path))
            .await
            .is(400, "CODE_CHALLENGE_REQUIRED");
    }
    let path = challenged("/auth/app");
    let answer = Site::answer(site.ask_site("GET", &path)).await;
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn a_post_begins_a_way_only_from_our_own_pages() {
    let site = Site::open().await;
    let post = |origin: &str| site.ask_site("POST", "/auth/facebook").header("origin", origin);
    assert_eq!(Site::answer(post("https://evil.example")).await.status, 403);
    assert_eq!(Site::answer(post("http://localhost:3000")).await.status, 302);
}
