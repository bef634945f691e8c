//! Callbacks that are forged, stolen, repeated, raced, or meant for somebody else.

use std::time::{Duration, Instant};

use e2e::{Counterparty, Portcullis, Reply};
use futures_util::future::join_all;
use serde_json::json;

use super::entries::{self, altered, arrive, callback, file, json_entry, panva, parameter};

async fn provider_and_server() -> (Counterparty, Portcullis) {
    let party = Counterparty::panva().await;
    let file = file([
        ("panva", json_entry(panva(&party, "web"))),
        ("other", json_entry(panva(&party, "other"))),
        ("page", panva(&party, "web")),
    ]);
    let server = entries::server(file).await;
    (party, server)
}

#[track_caller]
fn unknown(reply: &Reply) {
    reply.refused(401, "AUTHORIZATION_UNKNOWN");
    assert!(!reply.headers.get_all("set-cookie").iter().any(|line| {
        let line = line.to_str().unwrap();
        line.starts_with("portcullis=") && !line.contains("Max-Age=0")
    }));
}

#[tokio::test]
async fn every_start_draws_a_state_of_its_own_and_binds_it_to_the_browser() {
    let (_party, server) = provider_and_server().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let reply = server.browser().peek("/auth/panva").await.expect(302);
        let url = reply.header("location").to_owned();
        let cookie = reply.header("set-cookie");
        assert!(cookie.starts_with("portcullis-auth-"), "{cookie}");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        for name in ["state", "nonce", "code_challenge"] {
            let value = parameter(&url, name);
            assert!(value.len() >= 32, "{name} in {url}");
            assert!(!cookie.contains(&value));
            assert!(seen.insert(value), "{name} repeats");
        }
        assert_eq!(parameter(&url, "response_type"), "code");
        assert_eq!(parameter(&url, "code_challenge_method"), "S256");
    }
}

#[tokio::test]
async fn a_callback_without_its_state_or_from_another_browser_opens_nothing() {
    let (_party, server) = provider_and_server().await;
    let mut attacker = server.browser().as_program();
    let stolen = callback(&server, &mut attacker, "panva").await;
    for (what, forged) in [
        (
            "missing",
            altered(&stolen, |pairs| pairs.retain(|(name, _)| name != "state")),
        ),
        (
            "wrong",
            altered(&stolen, |pairs| set(pairs, "state", &"x".repeat(64))),
        ),
        ("empty", altered(&stolen, |pairs| set(pairs, "state", ""))),
        (
            "doubled",
            altered(&stolen, |pairs| {
                pairs.push(("state".to_owned(), parameter(&stolen, "state")));
            }),
        ),
    ] {
        let reply = attacker.peek(&forged).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "AUTHORIZATION_UNKNOWN"),
            "{what}"
        );
    }
    // The attacker's callback in the victim's browser, with nothing begun there, and over a start of the victim's own.
    let mut victim = server.browser().as_program();
    unknown(&victim.peek(&stolen).await);
    let own = callback(&server, &mut victim, "panva").await;
    unknown(&victim.peek(&stolen).await);
    assert!(!victim.is_logged_in());
    // Nobody spoiled anything: both finish what they began.
    victim.peek(&own).await.expect(200).done();
    attacker.peek(&stolen).await.expect(200).done();
}

#[tokio::test]
async fn a_callback_works_once_and_at_its_own_entry_only() {
    let (_party, server) = provider_and_server().await;
    let mut browser = server.browser().as_program();
    let back = callback(&server, &mut browser, "panva").await;
    let elsewhere = back.replace("/auth/panva/callback", "/auth/other/callback");
    assert_ne!(back, elsewhere);
    let mut copy = browser.tab().as_program();
    unknown(&copy.open(&elsewhere).await.reply);

    let mut browser = server.browser().as_program();
    let back = callback(&server, &mut browser, "panva").await;
    browser.peek(&back).await.expect(200).done();
    unknown(&browser.peek(&back).await);
    // A fresh code does not help a spent state.
    let fresh = callback(&server, &mut browser, "panva").await;
    let mixed = altered(&back, |pairs| set(pairs, "code", &parameter(&fresh, "code")));
    unknown(&browser.peek(&mixed).await);
}

#[tokio::test]
async fn of_ten_racing_callbacks_of_one_start_one_opens_a_session() {
    let (party, server) = provider_and_server().await;
    let mut browser = server.browser().as_program();
    let back = callback(&server, &mut browser, "panva").await;
    let replies = join_all((0..10).map(|_| browser.peek(&back))).await;
    let opened = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(
        opened,
        1,
        "{:?}",
        replies.iter().map(|reply| &reply.text).collect::<Vec<_>>()
    );
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.refused(401, "AUTHORIZATION_UNKNOWN");
    }
    assert_eq!(party.asked("POST /token").await, 1, "a code is redeemed once");
}

#[tokio::test]
async fn ten_first_logins_of_one_account_at_one_instant_make_one_user() {
    let (_party, server) = provider_and_server().await;
    let mut ways = Vec::new();
    for _ in 0..10 {
        let mut browser = server.browser().as_program();
        let back = callback(&server, &mut browser, "panva").await;
        ways.push((browser, back));
    }
    let replies = join_all(ways.iter().map(|(browser, back)| browser.peek(back))).await;
    let users: std::collections::BTreeSet<String> = replies
        .iter()
        .map(|reply| {
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.at("userId")
        })
        .collect();
    assert_eq!(users.len(), 1);
}

#[tokio::test]
async fn nobody_is_led_off_the_site() {
    let (_party, server) = provider_and_server().await;
    let browser = server.browser().as_program();
    for place in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "http://127.0.0.1@evil.example/",
        "\\\\evil.example",
        "/%09/evil.example/..//evil.example\t",
        "https:/evil.example",
        "data:text/html,x",
        "myapp:/back",
    ] {
        for name in ["returnTo", "return_to"] {
            let mut url = reqwest::Url::parse(&server.at("/auth/page")).unwrap();
            url.query_pairs_mut().append_pair(name, place);
            let reply = browser.peek(url.as_str()).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (400, "RETURN_NOT_ALLOWED"),
                "{place}"
            );
        }
    }
    for name in ["next", "redirect", "redirect_uri", "callbackURL"] {
        let url = server.at(&format!("/auth/page?{name}=https://evil.example/"));
        let reply = browser.peek(&url).await.expect(302);
        let redirect = parameter(reply.header("location"), "redirect_uri");
        assert_eq!(redirect, server.at("/auth/page/callback"));
    }
    let mut browser = server.browser();
    let page = browser
        .open(&server.at("/auth/page?returnTo=/account"))
        .await
        .expect(200);
    assert_eq!(page.path(), "/account");
}

#[tokio::test]
async fn a_provider_nobody_configured_is_not_found() {
    let (_party, server) = provider_and_server().await;
    for name in ["unknown", "__proto__", "constructor", &"x".repeat(3000)] {
        for path in [
            format!("/auth/{name}"),
            format!("/auth/{name}/callback?state=a&code=b"),
            format!("/link/{name}"),
        ] {
            let reply = server.client().get(&path).await;
            assert!(
                matches!(reply.status, 404 | 401 | 400),
                "{path}: {}",
                reply.status
            );
            assert!(reply.header("location").is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_slow_provider_holds_nobody_else_up() {
    let party = Counterparty::panva().await;
    let file = file([("panva", json_entry(panva(&party, "web")))]);
    let setup = Portcullis::setup()
        .config("[outbound]\ntimeout = 6")
        .providers(&file);
    let server = setup.start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    let mut ways = Vec::new();
    for _ in 0..10 {
        let mut browser = server.browser().as_program();
        let back = callback(&server, &mut browser, "panva").await;
        ways.push((browser, back));
    }
    party.tell("slow?ms=25000", &json!({})).await;
    let begun = Instant::now();
    let waiting = join_all(ways.iter().map(|(browser, back)| browser.peek(back)));
    let others = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        for _ in 0..20 {
            assert!(client.opens(&token, &ann).await);
        }
        begun.elapsed()
    };
    let (answers, others_took) = tokio::join!(waiting, others);
    assert!(
        others_took < Duration::from_secs(4),
        "others waited {others_took:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "the callbacks end in time"
    );
    for answer in answers {
        answer.refused(502, "PROVIDER_UNAVAILABLE");
    }
    party.tell("slow?ms=0", &json!({})).await;
    arrive(&server, "panva").await;
}

fn set(pairs: &mut [(String, String)], name: &str, value: &str) {
    for pair in pairs.iter_mut().filter(|(key, _)| key == name) {
        value.clone_into(&mut pair.1);
    }
}
