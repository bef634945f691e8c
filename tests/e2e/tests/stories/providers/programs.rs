//! Programs get their tokens without one ever standing in an address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{Counterparty, Portcullis, Reply};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::entries::{self, arrive, file, json_entry, panva, parameter, with};

const VERIFIER: &str = "a-verifier-of-enough-letters-0123456789-0123456789";

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

async fn app_server(party: &Counterparty) -> Portcullis {
    let file = file([
        ("panva", panva(party, "web")),
        ("json", json_entry(panva(party, "web"))),
        ("tokens", with(panva(party, "web"), &json!({ "session": false }))),
    ]);
    let config = "[providers]\nreturn_to = [\"com.example.app:/back\", \"https://app.example.com/back\"]";
    Portcullis::setup().config(config).providers(&file).start().await
}

async fn exchange(server: &Portcullis, code: &str, verifier: &str) -> Reply {
    let body = json!({ "code": code, "code_verifier": verifier });
    server.client().post("/api/Users/exchange", body).await
}

#[tokio::test]
async fn an_app_fetches_its_token_by_a_code_that_only_it_can_use() {
    let party = Counterparty::panva().await;
    let server = app_server(&party).await;
    let known = arrive(&server, "json").await;
    for (place, entry) in [
        ("com.example.app:/back", "panva"),
        ("https://app.example.com/back", "tokens"),
    ] {
        let start = |challenge: &str| {
            let mut url = reqwest::Url::parse(&server.at(&format!("/auth/{entry}"))).unwrap();
            url.query_pairs_mut().append_pair("returnTo", place);
            if !challenge.is_empty() {
                let pairs = [("code_challenge", challenge), ("code_challenge_method", "S256")];
                url.query_pairs_mut().extend_pairs(pairs);
            }
            url.to_string()
        };
        server
            .browser()
            .as_program()
            .peek(&start(""))
            .await
            .refused(400, "CODE_CHALLENGE_REQUIRED");
        let mut browser = server.browser();
        let back = browser
            .follow_until(&start(&challenge(VERIFIER)), |url| url.starts_with(place))
            .await;
        assert!(
            !browser.is_logged_in(),
            "the browser gets no session, only the app"
        );
        assert!(!back.contains("token"), "{back}");
        let code = parameter(&back, "code");
        exchange(&server, &code, &VERIFIER.replace('a', "b"))
            .await
            .refused(400, "EXCHANGE_REFUSED");
        let tokens = exchange(&server, &code, VERIFIER).await;
        if tokens.status == 200 {
            assert_eq!(tokens.at("userId"), known.user);
        } else {
            // A wrong verifier may have burnt the code: then the right one alone must do.
            tokens.refused(400, "EXCHANGE_REFUSED");
            let back = browser
                .follow_until(&start(&challenge(VERIFIER)), |url| url.starts_with(place))
                .await;
            let tokens = exchange(&server, &parameter(&back, "code"), VERIFIER)
                .await
                .expect(200);
            assert_eq!(tokens.at("userId"), known.user);
        }
        exchange(&server, &code, VERIFIER)
            .await
            .refused(400, "EXCHANGE_REFUSED");
    }
    exchange(&server, &"x".repeat(64), VERIFIER)
        .await
        .refused(400, "EXCHANGE_REFUSED");
}

#[tokio::test]
async fn an_entry_for_programs_answers_in_json_and_sets_no_session() {
    let party = Counterparty::panva().await;
    let server = app_server(&party).await;
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/json")).await.expect(200);
    let answer = page.reply.json();
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["access_token", "userId"]);
    assert!(!browser.is_logged_in());
    assert!(
        page.trail
            .iter()
            .all(|url| !url.contains(answer["access_token"].as_str().unwrap()))
    );
    // Without session and without a place to fetch the token from, nothing is opened at all.
    let reply = server.browser().as_program().peek("/auth/tokens").await;
    reply.refused(400, "CODE_CHALLENGE_REQUIRED");
}

#[tokio::test]
async fn what_is_stored_and_logged_is_worth_nothing_elsewhere() {
    let (party, social, old) = (
        Counterparty::panva().await,
        Counterparty::social().await,
        Counterparty::oauth1().await,
    );
    let offline = json!({ "scope": ["openid", "email", "profile", "offline_access"], "authOptions": { "prompt": "consent" } });
    let server = entries::server(file([
        ("panva", json_entry(with(panva(&party, "web"), &offline))),
        ("page", panva(&party, "web")),
        ("x", json_entry(entries::x(&social))),
        ("facebook", json_entry(entries::facebook(&social))),
        ("twitter", json_entry(entries::twitter(&old))),
    ]))
    .await;
    let me = arrive(&server, "panva").await;
    for entry in ["x", "facebook", "twitter"] {
        let reply = entries::visit(&server, entry).await;
        assert!(matches!(reply.status, 200 | 409), "{entry}: {}", reply.text);
    }
    entries::fresh(&server, &me, "panva").await.expect(200).done();
    // One way that is never finished, too.
    let mut browser = server.browser();
    let back = entries::callback(&server, &mut browser, "page").await;
    let mut secrets = vec![parameter(&back, "state"), me.token.clone()];
    for party in [&party, &social, &old] {
        secrets.extend(party.issued().await);
    }
    secrets.extend(["web-secret", "social-secret", "consumer-secret"].map(str::to_owned));
    assert!(secrets.len() > 12, "{secrets:?}");
    let mut places = vec![("the log".to_owned(), server.log().text().into_bytes())];
    places.push(("the console".to_owned(), server.console().text().into_bytes()));
    collect(&server.home().join("data"), &mut places);
    assert_eq!(places.len() > 3, server.same_setup().keeps_to_its_folder());
    for (place, bytes) in &places {
        for secret in &secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {place}");
        }
    }
}

fn collect(folder: &std::path::Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.is_file() {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}
