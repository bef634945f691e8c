//! After a code or a join, people get to where a plain log-in by the entry would have led them, with the same cookies.

use std::time::Duration;

use domain::id::PoolName;
use domain::secret::Secret;
use http_warp::{LegacyCookies, WebEntry};

use crate::browser::{Browser, Page};
use crate::site::outside::{entries, entry};
use crate::site::{EMAIL, PASSWORD, Site};

/// The operator's own place at another site.
const ELSEWHERE: &str = "https://app.example.org/in?x=1";

/// A site whose entries lead to another site, one with a second factor and one without.
async fn site() -> Site {
    let site = Site::with(|_, settings| {
        settings.legacy_cookies = Some(LegacyCookies {
            secret: Secret::new("keyboard cat"),
            write: true,
        });
    })
    .await;
    hang(&site, |entry| entry.success_redirect = Some(ELSEWHERE.to_owned()));
    site
}

fn hang(site: &Site, change: impl Fn(&mut WebEntry)) {
    let mut doors = entries();
    doors
        .iter_mut()
        .filter(|entry| ["/auth/facebook", "/auth/staff"].contains(&entry.auth_path.as_str()))
        .for_each(change);
    site.doors.hang(doors);
}

/// Comes by the entry with a second factor, up to the code.
async fn before_the_code(site: &Site, door: &str) -> Browser {
    let browser = Browser::new(site);
    let page = browser.come_by(door, "ann").await.is(302);
    assert!(
        page.location().starts_with("/two-factor?pool=Employees"),
        "{}",
        page.location()
    );
    assert_eq!(browser.cookie("access_token"), None);
    browser
}

async fn with_code(site: &Site, browser: &Browser, page: &str) -> Page {
    let code = site.console.code();
    browser.fill(page, "/two-factor", &[("code", &code)]).await
}

async fn joined(site: &Site, door: &str) -> Page {
    site.sign_up("Users", EMAIL).await;
    let browser = Browser::new(site);
    let page = browser.come_by(door, "ann@").await.is(302);
    assert_eq!(page.location(), "/join");
    browser.fill("/join", "/join", &[("password", PASSWORD)]).await
}

#[track_caller]
fn leads_elsewhere(page: Page, cookies: bool) {
    let page = page.is(200).says("One moment");
    let page = page.says("content=\"0; url=https://app.example.org/in?x=1\"");
    assert_eq!(page.location(), "");
    assert!(page.set_cookie("portcullis").contains("; HttpOnly"));
    for name in ["access_token", "userId"] {
        let line = page.set_cookie(name);
        assert_eq!(line.starts_with(&format!("{name}=s%3A")), cookies, "{line}");
    }
}

#[tokio::test]
async fn a_second_factor_ends_at_the_entrys_own_place_at_another_site() {
    let site = site().await;
    let plain = Browser::new(&site).come_by("/auth/facebook", "bob").await;
    assert_eq!(plain.is(302).location(), ELSEWHERE);
    let browser = before_the_code(&site, "/auth/staff").await;
    leads_elsewhere(with_code(&site, &browser, "/two-factor").await, true);
    assert_eq!(browser.cookie("portcullis-pending"), None);
    browser.get("/account").await.is(200);
}

#[tokio::test]
async fn a_join_ends_there_too_with_the_password_or_after_a_code() {
    let site = site().await;
    leads_elsewhere(joined(&site, "/auth/facebook").await, true);
    site.sign_up("Employees", EMAIL).await;
    let browser = Browser::new(&site);
    let page = browser.come_by("/auth/staff", "ann@").await.is(302);
    assert_eq!(page.location(), "/join");
    browser
        .fill("/join", "/join", &[("password", PASSWORD)])
        .await
        .leads_to("/two-factor?pool=Employees");
    leads_elsewhere(with_code(&site, &browser, "/two-factor").await, true);
}

#[tokio::test]
async fn a_session_that_is_fetched_is_fetched_from_the_entrys_own_place() {
    let site = Site::open().await;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let door = format!("/auth/app?code_challenge={challenge}&code_challenge_method=S256");
    let page = joined(&site, &door).await.is(200);
    let page = page.says("content=\"0; url=https://app.example.org/in?x=1&amp;code=");
    assert_eq!(page.set_cookie("portcullis"), "");
}

#[tokio::test]
async fn where_somebody_asked_to_go_comes_first() {
    let site = site().await;
    let browser = before_the_code(&site, "/auth/staff?returnTo=http://localhost:3000/docs%3Fa%3Db").await;
    let page = "/two-factor?return_to=/docs%3Fa%3Db";
    let opened = browser.get(page).await.hidden("return_to");
    assert_eq!(opened, "/docs?a=b");
    let fields = [("code", site.console.code()), ("return_to", opened)];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    browser
        .fill(page, "/two-factor", &fields)
        .await
        .leads_to("/docs?a=b");
    assert_eq!(
        joined(&site, "/auth/facebook?returnTo=/docs")
            .await
            .leads_to("/docs")
            .text,
        ""
    );
}

#[tokio::test]
async fn letters_beyond_ascii_in_a_place_are_led_to_as_well() {
    let site = Site::open().await;
    hang(&site, |entry| {
        entry.success_redirect = Some("/schön?a=b".to_owned());
    });
    joined(&site, "/auth/facebook").await.leads_to("/sch%C3%B6n?a=b");
}

#[tokio::test]
async fn nothing_a_browser_sends_leads_to_a_foreign_place() {
    let site = Site::open().await;
    let evil = "https://evil.example/";
    let browser = before_the_code(&site, "/auth/staff").await;
    let code = site.console.code();
    let page = format!("/two-factor?return_to={evil}");
    browser
        .fill(&page, "/two-factor", &[("code", &code), ("return_to", evil)])
        .await
        .leads_to("/auth/account");
    // Another entry's name, one of another pool's, an unknown one, an address: the file knows no place for them here.
    for (name, place) in [
        ("google%2Dstaff", "/auth/account"),
        ("google%2Dlogin", "/account"),
        ("google%2Dstaffjson", "/account"),
        ("nobody", "/account"),
        ("https%3A%2F%2Fevil%2Eexample%2F", "/account"),
        ("", "/account"),
    ] {
        // Codes are limited by the hour.
        site.later(Duration::from_hours(1));
        let browser = before_the_code(&site, "/auth/staff").await;
        let kept = browser.cookie("portcullis-pending").unwrap();
        let (rest, own) = kept.rsplit_once('.').unwrap();
        assert_eq!(own, "google%2Dstaff");
        browser.set_cookie("portcullis-pending", &format!("{rest}.{name}"));
        with_code(&site, &browser, "/two-factor").await.leads_to(place);
    }
}

#[tokio::test]
async fn an_entry_that_is_gone_by_then_leads_home() {
    let site = site().await;
    let browser = before_the_code(&site, "/auth/staff").await;
    site.doors.hang(Vec::new());
    let page = with_code(&site, &browser, "/two-factor").await;
    assert_eq!(page.leads_to("/account").set_cookie("access_token"), "");
}

#[tokio::test]
async fn cookies_of_loopback_are_for_who_wants_them_and_leave_with_the_session() {
    let site = site().await;
    hang(&site, |entry| entry.auto_login = false);
    let browser = before_the_code(&site, "/auth/staff").await;
    let page = with_code(&site, &browser, "/two-factor").await;
    assert_eq!(page.leads_to("/auth/account").set_cookie("access_token"), "");
    hang(&site, |_| {});
    let browser = before_the_code(&site, "/auth/staff").await;
    with_code(&site, &browser, "/two-factor").await;
    assert!(browser.cookie("access_token").is_some() && browser.cookie("userId").is_some());
    let page = browser.fill("/account", "/logout", &[]).await.is(303);
    for name in ["access_token", "userId"] {
        let line = page.set_cookie(name);
        assert!(line.starts_with(&format!("{name}=; Path=/; HttpOnly")), "{line}");
        assert_eq!(browser.cookie(name), None);
    }
    let plain = Site::open().await;
    let page = Browser::at_home(&plain)
        .await
        .fill("/account", "/logout", &[])
        .await;
    assert_eq!(page.set_cookie("access_token"), "", "nobody configured them");
}

#[tokio::test]
async fn a_local_entry_keeps_its_place_over_a_code_too() {
    let site = Site::open().await;
    site.sign_up("Employees", EMAIL).await;
    let mut local = entries()
        .into_iter()
        .find(|entry| entry.auth_path == "/auth/local")
        .unwrap();
    local.pool = PoolName::new("Employees");
    local.success_redirect = Some(ELSEWHERE.to_owned());
    site.doors
        .hang(vec![local, entry("facebook-login", "/auth/facebook")]);
    let browser = Browser::new(&site);
    let posted = browser
        .request("POST", "/auth/local")
        .header("sec-fetch-site", "same-origin")
        .form(&[("login", EMAIL), ("pass", PASSWORD)]);
    let page = browser.send(posted).await.is(302);
    assert_eq!(page.location(), "/two-factor?pool=Employees");
    leads_elsewhere(with_code(&site, &browser, "/two-factor").await, false);
}

#[tokio::test]
async fn the_page_of_a_join_says_what_a_mailed_code_does_to_an_account_nobody_proved() {
    let site = Site::open().await;
    site.sign_up("Users", EMAIL).await;
    let browser = Browser::new(&site);
    browser.come_by("/auth/facebook", "ann@").await.is(302);
    let page = browser.get("/join").await.is(200);
    page.says("If nobody ever confirmed it before")
        .says("takes its password, phone number, linked accounts and sessions off it");
}
