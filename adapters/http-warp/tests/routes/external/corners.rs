//! Doors as Express hangs them: methods, spelling, the end of an address.

use std::path::PathBuf;

use super::{begin, bindings, come_back, sent, who};
use crate::browser::{Browser, Page};
use crate::site::outside::{entries, entry};
use crate::site::{EMAIL, PASSWORD, Site};

#[tokio::test]
async fn head_goes_with_get() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let start = browser
        .send(browser.request("HEAD", "/auth/facebook"))
        .await
        .is(302);
    assert_eq!((start.text.as_str(), bindings(&start).len()), ("", 1));
    let state = sent(&start, "state");
    let callback = format!("/auth/facebook/callback?code=ann&state={state}");
    let back = browser.send(browser.request("HEAD", &callback)).await.is(302);
    assert_eq!((back.text.as_str(), back.location()), ("", "/auth/account"));
    assert_ne!(who(&site, &browser).await, "");
    let local = browser.send(browser.request("HEAD", "/auth/local")).await.is(303);
    assert_eq!(local.location(), "/login");
}

#[tokio::test]
async fn other_methods_find_nothing_at_a_door_and_spend_nothing() {
    let site = Site::with(|_, settings| {
        settings.cors_origins = vec!["https://spa.example.net".to_owned()];
    })
    .await;
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    let callback = format!("/auth/facebook/callback?code=ann&state={state}");
    for path in [
        "/auth/facebook",
        &callback,
        "/auth/local",
        "/auth/json",
        "/nowhere",
    ] {
        for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
            let page = browser.send(browser.request(method, path)).await;
            assert!(
                [404, 405, 501].contains(&page.status),
                "{method} {path}: {}",
                page.status
            );
            assert_eq!(page.set_cookie("portcullis"), "");
        }
    }
    let preflight = browser
        .request("OPTIONS", &callback)
        .header("origin", "https://spa.example.net")
        .header("access-control-request-method", "GET");
    browser.send(preflight).await.is(204);
    browser.get(&callback).await.is(302);
}

#[tokio::test]
async fn a_preflight_allows_the_headers_of_an_application() {
    let site = Site::with(|_, settings| {
        settings.cors_origins = vec!["https://spa.example.net".to_owned()];
    })
    .await;
    for path in ["/auth/json", "/api/Users/exchange"] {
        let preflight = site
            .ask_site("OPTIONS", path)
            .header("origin", "https://spa.example.net")
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "x-application-id,x-application-key",
            );
        let answer = Site::answer(preflight).await.void();
        let allowed = answer.header("access-control-allow-headers").to_ascii_lowercase();
        let allowed: Vec<&str> = allowed.split(", ").collect();
        for name in ["x-application-id", "x-application-key"] {
            assert!(allowed.contains(&name), "{allowed:?}");
        }
    }
}

#[tokio::test]
async fn a_door_is_found_in_any_case_and_with_a_slash_at_the_end() {
    let site = Site::open().await;
    for (start, callback) in [
        ("/AUTH/Facebook", "/Auth/FACEBOOK/callback"),
        ("/auth/facebook/", "/auth/facebook/callback/"),
    ] {
        let browser = Browser::new(&site);
        let state = begin(&browser, start).await;
        let back = browser.get(&format!("{callback}?code=ann&state={state}")).await;
        assert_eq!(back.is(302).location(), "/auth/account");
    }
    let browser = Browser::new(&site);
    for other in ["/auth/facebook//", "//auth/facebook", "/auth/facebook/x", "/auth"] {
        assert_eq!(browser.raw("GET", other).await.0, 404, "{other}");
    }
    let posted = browser
        .request("POST", "/Auth/Local/")
        .header("sec-fetch-site", "same-origin")
        .form(&[("login", EMAIL), ("pass", PASSWORD)]);
    assert_eq!(browser.send(posted).await.is(302).location(), "/login.html");
}

/// Comes back by an entry whose provider leaves `#_=_` at the end, and leads to `place` afterwards.
async fn by_facebook(place: Option<&str>, door: &str, static_dir: Option<PathBuf>) -> Page {
    let site = Site::with(|_, settings| settings.static_dir = static_dir).await;
    let mut facebook = entry("facebook-login", "/auth/facebook");
    facebook.success_redirect = place.map(str::to_owned);
    facebook.failure_redirect = Some("/failed".to_owned());
    facebook.stray_fragment = true;
    site.doors.hang(vec![facebook]);
    let code = if door.contains("refused") {
        "refused"
    } else {
        "ann"
    };
    come_back(&Browser::new(&site), door, code).await.is(302)
}

#[tokio::test]
async fn what_facebook_leaves_behind_the_hash_ends_at_our_door() {
    let spa = "https://app.example.org/in?x=1";
    for (place, door, end) in [
        (Some(spa), "/auth/facebook", "https://app.example.org/in?x=1#"),
        (Some("/welcome"), "/auth/facebook", "/welcome#"),
        (Some("/welcome#top"), "/auth/facebook", "/welcome#top"),
        (None, "/auth/facebook?returnTo=/docs", "/docs#"),
        (None, "/auth/facebook?x=refused", "/failed#"),
        // Our own pages read no fragment.
        (None, "/auth/facebook", "/auth/account"),
    ] {
        assert_eq!(by_facebook(place, door, None).await.location(), end);
    }
    // But there a team may have a page of its own.
    let own = by_facebook(None, "/auth/facebook", Some(PathBuf::from("/nowhere"))).await;
    assert_eq!(own.location(), "/auth/account#");
}

#[tokio::test]
async fn providers_without_that_habit_are_led_on_from_as_written() {
    let site = Site::open().await;
    for door in ["/auth/facebook", "/auth/google"] {
        let page = come_back(&Browser::new(&site), door, "ann").await;
        assert!(!page.is(302).location().contains('#'));
    }
}

#[tokio::test]
async fn the_landing_places_of_loopback_are_there() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for (path, place) in [
        ("/auth/account", "/account"),
        ("/link/account", "/account#linked"),
        ("/login.html", "/login"),
        ("/link.html", "/account#linked"),
    ] {
        browser.get(path).await.leads_to(place);
        browser.get(&format!("{path}/")).await.leads_to(place);
        let head = browser.send(browser.request("HEAD", path)).await;
        head.leads_to(place);
    }
}

#[tokio::test]
async fn no_entry_stands_where_a_route_of_ours_is() {
    for entry in entries() {
        assert_eq!(http_warp::own_route(&entry.auth_path), None);
    }
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for own in [
        "/login",
        "/signup",
        "/account",
        "/healthz",
        "/readyz",
        "/metrics",
        "/auth/check",
        "/join",
        "/reset",
        "/verify",
    ] {
        assert_eq!(http_warp::own_route(own), Some(own));
        assert_ne!(browser.get(own).await.status, 404, "{own}");
    }
}
