//! `callbackPath`: whose way is it, and how often.

use futures_util::future::join_all;

use super::{begin, bindings, come_back, logged_in, who};
use crate::browser::Browser;
use crate::site::Site;

#[tokio::test]
async fn a_first_login_makes_a_user_and_every_later_one_finds_it() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = come_back(&browser, "/auth/facebook", "ann@").await.is(302);
    assert_eq!(page.location(), "/auth/account");
    let set = page.set_cookie("portcullis");
    for flag in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=1209600"] {
        assert!(set.contains(flag), "{set}");
    }
    let ann = who(&site, &browser).await;
    assert!(!ann.is_empty());
    let elsewhere = logged_in(&site, "/auth/facebook", "ann@").await;
    assert_eq!(who(&site, &elsewhere).await, ann);
}

#[tokio::test]
async fn the_way_back_leads_where_it_was_begun_for() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = come_back(&browser, "/auth/facebook?returnTo=/shop%3Fa%3Db", "ann").await;
    assert_eq!(page.is(302).location(), "/shop?a=b");
    let page = come_back(&browser, "/auth/google", "ann").await;
    assert_eq!(page.is(302).location(), "/welcome");
}

#[tokio::test]
async fn a_login_rotates_the_session_of_the_browser() {
    let site = Site::open().await;
    let browser = logged_in(&site, "/auth/facebook", "ann").await;
    let first = browser.cookie("portcullis").unwrap();
    come_back(&browser, "/auth/facebook", "ann").await.is(302);
    assert_ne!(browser.cookie("portcullis").unwrap(), first);
    site.get("/Users/me", &first)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn oa_03_a_callback_without_its_own_state_opens_nothing() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    for query in [
        "code=ann".to_owned(),
        "code=ann&state=".to_owned(),
        "code=ann&state=made-up".to_owned(),
        format!("code=ann&state={state}&state={state}"),
        format!("code=ann&state={state}x"),
        "code=ann&state[]=x".to_owned(),
    ] {
        let page = browser
            .get(&format!("/auth/facebook/callback?{query}"))
            .await
            .is(401);
        assert!(page.set_cookie("portcullis").is_empty(), "{query}");
    }
    assert_eq!(who(&site, &browser).await, "");
}

#[tokio::test]
async fn oa_03_an_attackers_callback_opens_nothing_in_the_victims_browser_even_over_their_own_start() {
    let site = Site::open().await;
    let (attacker, victim) = (Browser::new(&site), Browser::new(&site));
    let foreign = begin(&attacker, "/auth/facebook").await;
    let own = begin(&victim, "/auth/facebook").await;
    let led = format!("/auth/facebook/callback?code=mallory&state={foreign}");
    let page = victim.get(&led).await.is(401);
    assert!(page.set_cookie("portcullis").is_empty());
    let page = victim
        .get(&format!("/auth/facebook/callback?code=ann&state={own}"))
        .await;
    assert_eq!(page.is(302).location(), "/auth/account");
}

#[tokio::test]
async fn oa_04_a_callback_works_once() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    let binding = browser_binding(&browser, &state);
    let page = browser
        .get(&format!("/auth/facebook/callback?code=ann&state={state}"))
        .await
        .is(302);
    assert!(
        bindings(&page).iter().any(|line| line.contains("Max-Age=0")),
        "the cookie is cleared"
    );
    for code in ["ann", "bob"] {
        browser.set_cookie(&binding.0, &binding.1);
        let again = browser
            .get(&format!("/auth/facebook/callback?code={code}&state={state}"))
            .await;
        again.is(401);
    }
}

/// The cookie that binds a state to the browser.
fn browser_binding(browser: &Browser, state: &str) -> (String, String) {
    let flow = domain::secret::Token::presented(state).hash().to_text();
    let name = format!("portcullis-auth-{}", &flow[..16]);
    let value = browser.cookie(&name).unwrap();
    (name, value)
}

#[tokio::test]
async fn oa_05_ten_callbacks_of_one_start_make_one_session() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    let path = format!("/auth/facebook/callback?code=ann&state={state}");
    // Built beforehand: the first answer takes the cookie away.
    let requests: Vec<_> = (0..10).map(|_| browser.request("GET", &path)).collect();
    let pages = join_all(requests.into_iter().map(|request| browser.send(request))).await;
    let let_in = pages.iter().filter(|page| page.status == 302).count();
    assert_eq!(let_in, 1);
    assert!(pages.iter().all(|page| page.status == 302 || page.status == 401));
}

#[tokio::test]
async fn oa_12_a_way_ends_at_the_entry_it_was_begun_by() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    for path in ["/auth/google", "/auth/json", "/link/facebook"] {
        let page = browser
            .get(&format!("{path}/callback?code=ann&state={state}"))
            .await;
        assert_eq!(page.is(401).set_cookie("portcullis"), "");
    }
}

#[tokio::test]
async fn oa_08_an_unvouched_address_opens_nobodys_account() {
    let site = Site::open().await;
    let (_, ann, _) = site.ann().await;
    let browser = Browser::new(&site);
    come_back(&browser, "/auth/facebook", "ann~").await.is(302);
    assert_eq!(who(&site, &browser).await, "", "{ann} is still to be proven");
}

#[tokio::test]
async fn oa_09_an_account_is_its_subject_byte_for_byte() {
    let site = Site::open().await;
    let first = logged_in(&site, "/auth/facebook", "carl@").await;
    let other_case = logged_in(&site, "/auth/facebook", "Carl").await;
    let other_address = logged_in(&site, "/auth/facebook", "carl~").await;
    let carl = who(&site, &first).await;
    assert_ne!(who(&site, &other_case).await, carl);
    assert_eq!(who(&site, &other_address).await, carl);
}

#[tokio::test]
async fn two_entries_of_one_provider_meet_in_one_identity() {
    let site = Site::open().await;
    let login = logged_in(&site, "/auth/google", "ann").await;
    let answer = come_back(&Browser::new(&site), "/auth/json", "ann").await.is(200);
    let answer: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(answer["userId"], who(&site, &login).await);
}

#[tokio::test]
async fn a_way_takes_ten_minutes_at_most() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    site.later(std::time::Duration::from_secs(601));
    browser
        .get(&format!("/auth/facebook/callback?code=ann&state={state}"))
        .await
        .is(401);
}

#[tokio::test]
async fn no_callback_is_a_fault_of_ours() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for query in [
        "",
        "%",
        "&&=&=",
        "state=%ff&code=%00",
        "error=access_denied",
        "state=%0d%0aX:y&code=a",
        "oauth_token=a&denied=b",
    ] {
        for path in ["/auth/facebook", "/auth/json", "/link/google"] {
            let page = browser.get(&format!("{path}/callback?{query}")).await;
            assert!((400..500).contains(&page.status), "{path} {query}: {}", page.text);
        }
    }
}
