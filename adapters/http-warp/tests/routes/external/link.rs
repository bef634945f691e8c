//! `link: true`: an account elsewhere for whoever is logged in here, and for nobody who was merely led here.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::{begin, come_back, logged_in, sent, who};
use crate::browser::Browser;
use crate::site::{EMAIL, Site};

async fn identities(site: &Site, token: &str) -> usize {
    let all = site.get("/Users/me/identities", token).await.ok();
    all.body.as_array().unwrap().len()
}

#[tokio::test]
async fn lk_01_nobody_is_sent_to_link_who_is_not_logged_in() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = browser.get("/link/google").await.is(302);
    assert_eq!(page.location(), "/login?return_to=%2Flink%2Fgoogle");
    for accept in ["application/json", "*/*"] {
        let asked = site.ask_site("GET", "/link/google").header("accept", accept);
        let answer = Site::answer(asked).await.is(401, "AUTHORIZATION_REQUIRED");
        assert_eq!(answer.header("set-cookie"), "");
    }
    browser
        .get("/link/google/callback?code=ann&state=made-up")
        .await
        .is(401);
}

#[tokio::test]
async fn lk_05_ones_own_link_logs_in_as_oneself() {
    let site = Site::open().await;
    let browser = logged_in(&site, "/auth/facebook", "ann").await;
    let ann = who(&site, &browser).await;
    let page = come_back(&browser, "/link/google", "ann-at-google").await.is(302);
    assert_eq!(page.location(), "/link/account");
    let token = browser.cookie("portcullis").unwrap();
    assert_eq!(identities(&site, &token).await, 2);
    let elsewhere = logged_in(&site, "/auth/google", "ann-at-google").await;
    assert_eq!(who(&site, &elsewhere).await, ann);
}

#[tokio::test]
async fn a_program_links_by_its_token() {
    let site = Site::open().await;
    let (path, id, token) = site.ann().await;
    let browser = Browser::new(&site);
    let asked = browser
        .request("GET", "/link/google")
        .header("authorization", &token);
    let page = browser
        .send(asked.header("sec-fetch-site", "cross-site"))
        .await
        .is(302);
    let back = format!("/link/google/callback?code=ann&state={}", sent(&page, "state"));
    browser.get(&back).await.is(302);
    let own = site.get(&format!("{path}/identities"), &token).await.ok();
    assert_eq!(own.body[0]["userId"], id);
    let asked = site
        .ask_site("GET", "/link/facebook")
        .header("x-access-token", &token)
        .header("accept", "application/json");
    let answer = Site::answer(asked).await.ok();
    assert!(
        answer.body["url"]
            .as_str()
            .unwrap()
            .starts_with("https://facebook.example/")
    );
    assert!(answer.header("set-cookie").starts_with("portcullis-auth-"));
}

#[tokio::test]
async fn a_token_in_the_address_links_nothing() {
    let site = Site::open().await;
    let (_, _, token) = site.ann().await;
    let asked = site.ask_site("GET", &format!("/link/google?access_token={token}"));
    Site::answer(asked).await.is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn lk_02_an_attackers_callback_links_nothing_to_the_victim() {
    let site = Site::open().await;
    let victim = logged_in(&site, "/auth/facebook", "ann").await;
    let attacker = logged_in(&site, "/auth/facebook", "mallory").await;
    let state = begin(&attacker, "/link/google").await;
    victim
        .get(&format!("/link/google/callback?code=mallory&state={state}"))
        .await
        .is(401);
    assert_eq!(identities(&site, &victim.cookie("portcullis").unwrap()).await, 1);
}

#[tokio::test]
async fn lk_03_a_link_without_its_state_links_nothing() {
    let site = Site::open().await;
    let browser = logged_in(&site, "/auth/facebook", "ann").await;
    begin(&browser, "/link/google").await;
    for query in ["code=x", "code=x&state=", "code=x&state=made-up"] {
        browser
            .get(&format!("/link/google/callback?{query}"))
            .await
            .is(401);
    }
    assert_eq!(identities(&site, &browser.cookie("portcullis").unwrap()).await, 1);
}

#[tokio::test]
async fn lk_06_of_six_users_who_link_one_account_at_one_instant_one_gets_it() {
    let site = Site::open().await;
    let mut ways = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        let browser = logged_in(&site, "/auth/facebook", name).await;
        let state = begin(&browser, "/link/google").await;
        ways.push((
            browser,
            format!("/link/google/callback?code=shared&state={state}"),
        ));
    }
    let pages = join_all(ways.iter().map(|(browser, path)| browser.get(path))).await;
    let linked = pages.iter().filter(|page| page.status == 302).count();
    let refused = pages.iter().filter(|page| page.status == 409).count();
    assert_eq!((linked, refused), (1, 5));
}

#[tokio::test]
async fn lk_07_another_site_that_leads_here_makes_us_ask_first() {
    let site = Site::open().await;
    let browser = logged_in(&site, "/auth/facebook", "ann").await;
    let led: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")],
        &[("sec-fetch-site", "same-site")],
        &[("referer", "https://evil.example/page")],
        &[("origin", "null")],
    ];
    for headers in led {
        let request = headers.iter().fold(
            browser.request("GET", "/link/google?returnTo=/shop"),
            |request, (name, value)| request.header(*name, *value),
        );
        let page = browser.send(request).await.is(200);
        assert!(page.text.contains("name=\"csrf\""), "{headers:?}");
    }
    let page = browser.get("/link/google").await;
    page.is(302);
    let forged = browser.post("/link/google", "made-up", &[]).await;
    forged.is(403);
    let request = browser
        .request("GET", "/link/google?returnTo=/shop")
        .header("sec-fetch-site", "cross-site");
    let asked = browser.send(request).await.is(200);
    let meant = browser
        .post("/link/google?returnTo=/shop", &asked.hidden("csrf"), &[])
        .await
        .is(302);
    let state = sent(&meant, "state");
    let page = browser
        .get(&format!("/link/google/callback?code=x&state={state}"))
        .await;
    assert_eq!(page.is(302).location(), "/shop");
}

#[tokio::test]
async fn lk_09_a_link_after_logout_or_deletion_is_refused() {
    let site = Site::open().await;
    for end in ["logout", "delete"] {
        let browser = logged_in(&site, "/auth/facebook", end).await;
        let token = browser.cookie("portcullis").unwrap();
        let state = begin(&browser, "/link/google").await;
        if end == "logout" {
            site.call("POST", "/Users/logout", &token, json!({})).await.void();
        } else {
            site.call("DELETE", "/Users/me", &token, json!({})).await.ok();
        }
        let page = browser
            .get(&format!("/link/google/callback?code={end}&state={state}"))
            .await;
        page.is(401);
        let stranger = come_back(&Browser::new(&site), "/auth/json", end).await.is(200);
        assert!(stranger.text.contains("access_token"), "the account was free");
    }
}

#[tokio::test]
async fn an_account_that_is_somebody_elses_is_refused_with_its_code() {
    let site = Site::open().await;
    logged_in(&site, "/auth/google", "taken").await;
    let (_, _, token) = site.ann().await;
    let browser = Browser::new(&site);
    let page = browser
        .send(
            browser
                .request("GET", "/link/google")
                .header("authorization", &token),
        )
        .await;
    let back = format!("/link/google/callback?code=taken&state={}", sent(&page, "state"));
    let answer = Site::answer(browser.request("GET", &back).header("accept", "application/json")).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert_eq!(identities(&site, &token).await, 0);
}

#[tokio::test]
async fn an_entry_for_programs_says_what_was_linked() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    let browser = Browser::new(&site);
    let page = browser
        .send(
            browser
                .request("GET", "/link/json")
                .header("authorization", &token),
        )
        .await;
    let state = sent(&page, "state");
    let page = browser
        .get(&format!("/link/json/callback?code=ann&state={state}"))
        .await
        .is(200);
    let answer: serde_json::Value = serde_json::from_str(&page.text).unwrap();
    let own = site.get("/Users/me/identities", &token).await.ok();
    assert_eq!(
        (&answer["userId"], &answer["identityId"]),
        (&json!(id), &own.body[0]["id"])
    );
}

#[tokio::test]
async fn lk_09_whoever_logs_out_while_the_provider_answers_links_nothing() {
    let site = Site::open().await;
    let (_, _, token) = site.ann().await;
    let browser = Browser::new(&site);
    let asked = browser
        .request("GET", "/link/google")
        .header("authorization", &token);
    let page = browser.send(asked).await.is(302);
    let back = format!("/link/google/callback?code=slow&state={}", sent(&page, "state"));
    let logging_out = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        site.call("POST", "/Users/logout", &token, json!({})).await.void();
    };
    let (page, ()) = tokio::join!(browser.get(&back), logging_out);
    page.is(401);
    let token = site.log_in("Users", EMAIL).await;
    assert_eq!(identities(&site, &token).await, 0);
}

#[tokio::test]
async fn a_token_in_an_address_that_a_browser_follows_links_nothing() {
    let site = Site::open().await;
    let (_, _, token) = site.ann().await;
    let browser = Browser::new(&site);
    let asked = browser
        .request("GET", "/link/google")
        .basic_auth(&token, Some(""))
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "cross-site");
    let page = browser.send(asked).await.is(302);
    assert_eq!(page.location(), "/login?return_to=%2Flink%2Fgoogle");
}
