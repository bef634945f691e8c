//! Entries whose names and passwords somebody else judges.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{logged_in, who};
use crate::browser::{Browser, Page};
use crate::site::Site;

async fn type_in(browser: &Browser, path: &str, name: &str, password: &str) -> Page {
    let page = browser.get(path).await;
    let form = [
        ("csrf", page.hidden("csrf")),
        ("uid", name.to_owned()),
        ("pass", password.to_owned()),
    ];
    browser.send(browser.request("POST", path).form(&form)).await
}

#[tokio::test]
async fn people_log_in_by_the_form_and_are_one_user_however_they_spell_their_name() {
    let site = Site::open().await;
    let mut users = Vec::new();
    for name in ["ann", " Ann ", "ANN"] {
        let browser = Browser::new(&site);
        let page = type_in(&browser, "/auth/ldap?returnTo=/shop", name, "right").await;
        assert_eq!((page.status, page.location()), (302, "/shop"));
        users.push(who(&site, &browser).await);
    }
    assert!(!users[0].is_empty());
    assert!(users.iter().all(|user| *user == users[0]), "{users:?}");
}

#[tokio::test]
async fn the_form_comes_again_with_the_name_and_without_the_password() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for password in ["wrong", "", "  ", "locked"] {
        let page = type_in(&browser, "/auth/ldap", "<ann>", password).await.is(401);
        let page = page.says("do not fit together").says("&lt;ann&gt;");
        assert!(!page.text.contains("wrong"));
    }
    type_in(&browser, "/auth/ldap", " ", "right")
        .await
        .is(400)
        .says("Enter your name");
    assert!(who(&site, &browser).await.is_empty());
}

/// A directory that does not know a name says so at once; one that compares a password first takes its time.
#[tokio::test]
async fn how_long_a_refusal_takes_says_nothing_of_the_name() {
    let site = Site::open().await;
    for (name, password) in [("ann", "wrong"), ("nobody", "wrong"), ("ann", "")] {
        let begun = Instant::now();
        let refused = site
            .ask_site("POST", "/auth/ldapjson")
            .json(&json!({"uid": name, "pass": password}));
        Site::answer(refused).await.is(401, "LOGIN_FAILED");
        assert!(begun.elapsed() >= Duration::from_millis(250), "{name} {password}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_right_password_is_said() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = type_in(&browser, "/auth/ldap", "ann", "expired").await.is(401);
    page.says("Your password is right, but it is over");
    let page = type_in(&browser, "/auth/ldap", "ann", "down").await.is(502);
    page.says("There is no answer");
}

#[tokio::test]
async fn programs_send_json_and_get_a_token_or_a_code() {
    let site = Site::open().await;
    let ask = |body| Site::answer(site.ask_site("POST", "/auth/ldapjson").json(&body));
    let token = ask(json!({"uid": "ann", "pass": "right"})).await.ok();
    let me = site
        .get("/Users/me", token.body["access_token"].as_str().unwrap())
        .await
        .ok();
    assert_eq!(me.body["id"], token.body["userId"]);
    ask(json!({"uid": "ann", "pass": "wrong"}))
        .await
        .is(401, "LOGIN_FAILED");
    ask(json!({"uid": "ann"})).await.is(401, "LOGIN_FAILED");
    ask(json!({"pass": "right"}))
        .await
        .is(400, "USERNAME_EMAIL_REQUIRED");
    ask(json!({"uid": {"inq": ["ann"]}, "pass": "right"}))
        .await
        .is(400, "");
    ask(json!({"uid": "ann", "pass": "expired"}))
        .await
        .is(401, "DIRECTORY_PASSWORD_EXPIRED");
    ask(json!({"uid": "ann", "pass": "down"}))
        .await
        .is(502, "PROVIDER_UNAVAILABLE");
}

#[tokio::test]
async fn no_other_site_types_in_a_name() {
    let site = Site::open().await;
    for (header, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let form = site
            .ask_site("POST", "/auth/ldap")
            .header(header, value)
            .form(&[("uid", "ann"), ("pass", "right")]);
        Site::answer(form).await.is(403, "STALE_FORM");
    }
}

#[tokio::test]
async fn guesses_at_one_name_are_counted_together_however_it_is_spelt() {
    let site = Site::open().await;
    let mut statuses = Vec::new();
    for round in 0..12 {
        let name = if round % 2 == 0 { "ann" } else { " ANN" };
        let guess = json!({"uid": name, "pass": format!("guess {round}")});
        let answer = Site::answer(site.ask_site("POST", "/auth/ldapjson").json(&guess)).await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}

#[tokio::test]
async fn a_directory_that_is_down_costs_nobody_a_try() {
    let site = Site::open().await;
    let ask = |body| Site::answer(site.ask_site("POST", "/auth/ldapjson").json(&body));
    for _ in 0..12 {
        ask(json!({"uid": "ann", "pass": "down"}))
            .await
            .is(502, "PROVIDER_UNAVAILABLE");
    }
    ask(json!({"uid": "ann", "pass": "right"})).await.ok();
}

#[tokio::test]
async fn whoever_is_logged_in_links_by_the_form_and_by_no_other() {
    let site = Site::open().await;
    let browser = logged_in(&site, "/auth/facebook", "bob").await;
    let user = who(&site, &browser).await;
    let without = browser
        .request("POST", "/link/ldap")
        .form(&[("uid", "ann"), ("pass", "right")]);
    browser.send(without).await.is(403);
    let page = type_in(&browser, "/link/ldap", "ann", "right").await;
    assert_eq!((page.status, page.location()), (302, "/link/account"));
    let other = Browser::new(&site);
    type_in(&other, "/auth/ldap", "ann", "right").await.is(302);
    assert_eq!(who(&site, &other).await, user);
}

#[tokio::test]
async fn who_is_not_logged_in_logs_in_before_linking() {
    let site = Site::open().await;
    let form = site
        .ask_site("POST", "/link/ldap")
        .form(&[("uid", "ann"), ("pass", "right")]);
    Site::answer(form).await.is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn a_group_is_a_role_to_proxies() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    type_in(&browser, "/auth/ldap", "ann", "right").await.is(302);
    let checked = browser.get("/auth/check").await.is(200);
    assert_eq!(checked.header("x-user-roles"), "admin%2C of all");
}
