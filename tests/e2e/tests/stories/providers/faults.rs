//! Everything a provider can do wrong: refused, each by its own code, and nothing of it comes through.

use std::collections::BTreeSet;

use e2e::{Counterparty, Portcullis};
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value};

use super::entries::{self, arrived, evil, json_entry};

/// Every fault that must be refused, and how.
const REFUSED: &[(&str, u16, &str)] = &[
    ("wrong-aud", 401, "ID_TOKEN_AUDIENCE"),
    ("aud-list-no-azp", 401, "ID_TOKEN_AUTHORIZED_PARTY"),
    ("azp-other", 401, "ID_TOKEN_AUTHORIZED_PARTY"),
    ("no-aud", 401, "ID_TOKEN_AUDIENCE"),
    ("wrong-iss", 401, "ID_TOKEN_ISSUER"),
    ("slash-iss", 401, "ID_TOKEN_ISSUER"),
    ("no-iss", 401, "ID_TOKEN_ISSUER"),
    ("expired", 401, "ID_TOKEN_EXPIRED"),
    ("no-exp", 401, "ID_TOKEN_EXPIRED"),
    ("exp-string", 401, "ID_TOKEN_MALFORMED"),
    ("nbf-future", 401, "ID_TOKEN_TIME"),
    ("iat-future", 401, "ID_TOKEN_TIME"),
    ("iat-ancient", 401, "ID_TOKEN_TIME"),
    ("nonce-wrong", 401, "ID_TOKEN_NONCE"),
    ("nonce-missing", 401, "ID_TOKEN_NONCE"),
    ("no-sub", 401, "SUBJECT_MISSING"),
    ("sub-empty", 401, "SUBJECT_MISSING"),
    ("sub-number", 401, "ID_TOKEN_MALFORMED"),
    ("sub-long", 401, "SUBJECT_MISSING"),
    ("at-hash-wrong", 401, "ID_TOKEN_ACCESS_TOKEN_HASH"),
    ("alg-none", 401, "ID_TOKEN_ALGORITHM"),
    ("alg-none-capital", 401, "ID_TOKEN_ALGORITHM"),
    ("alg-hs256-pubkey", 401, "ID_TOKEN_ALGORITHM"),
    ("alg-hs256-secret", 401, "ID_TOKEN_ALGORITHM"),
    ("alg-hs256-empty", 401, "ID_TOKEN_ALGORITHM"),
    ("bad-sig", 401, "ID_TOKEN_SIGNATURE"),
    ("sig-stripped", 401, "ID_TOKEN_SIGNATURE"),
    ("unknown-kid", 401, "ID_TOKEN_KEY_UNKNOWN"),
    ("jwk-header", 401, "ID_TOKEN_KEY_UNKNOWN"),
    ("jku-header", 401, "ID_TOKEN_KEY_UNKNOWN"),
    ("crit-header", 401, "ID_TOKEN_MALFORMED"),
    ("payload-swapped", 401, "ID_TOKEN_SIGNATURE"),
    ("not-a-jwt", 401, "ID_TOKEN_MALFORMED"),
    ("id-token-absent", 401, "ID_TOKEN_MISSING"),
    ("token-500", 502, "PROVIDER_UNAVAILABLE"),
    ("token-error-200", 401, "TOKEN_REQUEST_REFUSED"),
    ("token-type-mac", 401, "TOKEN_RESPONSE_INVALID"),
    ("token-type-absent", 401, "TOKEN_RESPONSE_INVALID"),
    ("no-access-token", 401, "TOKEN_RESPONSE_INVALID"),
    ("state-missing", 401, "AUTHORIZATION_UNKNOWN"),
    ("state-wrong", 401, "AUTHORIZATION_UNKNOWN"),
    ("state-twice", 401, "AUTHORIZATION_UNKNOWN"),
    ("code-missing", 401, "CALLBACK_INVALID"),
    ("code-twice", 401, "CALLBACK_INVALID"),
    ("iss-wrong", 401, "RESPONSE_ISSUER_MISMATCH"),
    ("iss-empty", 401, "RESPONSE_ISSUER_MISMATCH"),
    ("iss-missing", 401, "RESPONSE_ISSUER_MISMATCH"),
    ("iss-twice", 401, "CALLBACK_INVALID"),
    ("access-denied", 401, "ACCESS_DENIED"),
    ("other-error", 401, "PROVIDER_ERROR"),
    ("error-and-code", 401, "PROVIDER_ERROR"),
    ("userinfo-sub-mismatch", 401, "USERINFO_SUBJECT"),
    ("userinfo-401", 401, "USERINFO_INVALID"),
    ("userinfo-no-sub", 401, "USERINFO_SUBJECT"),
    ("userinfo-html", 401, "USERINFO_INVALID"),
    ("userinfo-slow", 502, "PROVIDER_UNAVAILABLE"),
    ("token-slow", 502, "PROVIDER_UNAVAILABLE"),
    ("token-huge", 401, "PROVIDER_RESPONSE_INVALID"),
    ("token-html", 401, "TOKEN_RESPONSE_INVALID"),
    ("token-redirect", 401, "PROVIDER_RESPONSE_INVALID"),
    ("jwks-500", 502, "PROVIDER_UNAVAILABLE"),
    ("jwks-slow", 502, "PROVIDER_UNAVAILABLE"),
    ("jwks-huge", 401, "PROVIDER_RESPONSE_INVALID"),
    ("jwks-rotated", 401, "ID_TOKEN_KEY_UNKNOWN"),
    ("discovery-500", 502, "PROVIDER_UNAVAILABLE"),
    ("discovery-html", 401, "DISCOVERY_INVALID"),
    ("discovery-slow", 502, "PROVIDER_UNAVAILABLE"),
    ("discovery-foreign", 401, "DISCOVERY_INVALID"),
    ("discovery-redirect", 401, "PROVIDER_RESPONSE_INVALID"),
];

/// What is odd but does no harm; and what is about refreshing, which has its own story.
const TAKEN: &[&str] = &[
    "email-unverified",
    "email-verified-string",
    "email-verified-maybe",
    "email-missing",
    "email-array",
    "expires-string",
    "refresh-omits",
    "refresh-narrows",
    "refresh-revoked",
    "refresh-500",
];

/// Of what came from the provider, nothing may be in an answer.
const CONTENT: &[&str] = &[
    "evil-1",
    "victim",
    "Victim",
    "script",
    "admin",
    "rogue",
    "another-client",
    "maintenance",
    "forged",
];

/// A server with one entry for each of these issuers, which does not wait long.
async fn server_for(party: &Counterparty, tenants: &[&str]) -> Portcullis {
    let entry = |tenant: &&str| ((*tenant).to_owned(), json_entry(evil(party, tenant)));
    let entries: Map<String, Value> = tenants.iter().map(entry).collect();
    let setup = Portcullis::setup().config("[outbound]\ntimeout = 2");
    setup.providers(&Value::Object(entries)).start().await
}

#[tokio::test]
async fn every_fault_of_a_provider_is_refused_by_its_own_code() {
    let party = Counterparty::evil_oidc().await;
    let names: Vec<&str> = REFUSED
        .iter()
        .map(|(name, _, _)| *name)
        .chain(["plain"])
        .collect();
    let server = server_for(&party, &names).await;
    let visits = REFUSED.iter().map(|&(fault, status, code)| {
        let server = &server;
        async move {
            let mut browser = server.browser().as_program();
            let reply = browser.open(&server.at(&format!("/auth/{fault}"))).await.reply;
            let leaks = CONTENT.iter().find(|content| reply.text.contains(**content));
            let is_right = (reply.status, reply.code().as_str()) == (status, code);
            let is_quiet = leaks.is_none() && !browser.is_logged_in() && reply.at("access_token").is_empty();
            (!is_right || !is_quiet)
                .then(|| format!("{fault}: {} {}, not {status} {code}", reply.status, reply.text))
        }
    });
    let wrong: Vec<String> = stream::iter(visits)
        .buffer_unordered(8)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // It is alive and well, and nobody came of all that: the first one who is let in is the first one there is.
    let first = entries::arrive(&server, "plain").await;
    let log = server.log().text();
    assert!(!log.contains("panicked"), "{log}");
    assert_eq!(
        entries::record(&server, &first).await["email"],
        "victim@example.test"
    );
}

#[tokio::test]
async fn no_fault_is_forgotten() {
    let party = Counterparty::evil_oidc().await;
    let faults = party.tell("faults", &Value::Null).await;
    let groups = faults.as_object().unwrap().values();
    let all: BTreeSet<&str> = groups
        .flat_map(|group| group.as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    let told: BTreeSet<&str> = REFUSED
        .iter()
        .map(|(name, _, _)| *name)
        .chain(TAKEN.iter().copied())
        .collect();
    assert_eq!(all, told);
}

#[tokio::test]
async fn an_address_counts_only_if_the_provider_vouches_for_it_plainly() {
    let party = Counterparty::evil_oidc().await;
    let server = server_for(&party, TAKEN).await;
    let quiet = TAKEN.iter().filter(|name| name.starts_with("email-"));
    let mut number = 0;
    for tenant in quiet {
        number += 1;
        let mut claims = serde_json::json!({ "sub": format!("quiet-{number}"), "name": "Quiet" });
        claims["email"] = format!("quiet-{number}@example.test").into();
        claims["email_verified"] = true.into();
        party.claims(tenant, claims).await;
        let who = entries::arrive(&server, tenant).await;
        let record = entries::record(&server, &who).await;
        assert_eq!(record["email"], Value::Null, "{tenant}: {record}");
        assert_ne!(record["emailVerified"], true, "{tenant}");
    }
    let odd = entries::visit(&server, "expires-string").await.expect(200);
    assert!(!arrived(&odd).user.is_empty());
}

#[tokio::test]
async fn people_see_what_went_wrong_and_start_again() {
    let party = Counterparty::evil_oidc().await;
    let file = entries::file([
        ("denied", evil(&party, "access-denied")),
        ("broken", evil(&party, "bad-sig")),
        ("gone", evil(&party, "token-500")),
        (
            "own-page",
            entries::with(
                evil(&party, "bad-sig"),
                &serde_json::json!({
                    "failureRedirect": "/sorry", "failureQueryString": true,
                }),
            ),
        ),
    ]);
    let server = entries::server(file).await;
    for (entry, status, code) in [
        ("denied", 401, "ACCESS_DENIED"),
        ("broken", 401, "ID_TOKEN_SIGNATURE"),
        ("gone", 502, "PROVIDER_UNAVAILABLE"),
    ] {
        let mut browser = server.browser();
        let page = browser
            .open(&server.at(&format!("/auth/{entry}")))
            .await
            .expect(status);
        let text = &page.reply.text;
        assert!(
            text.contains(code) && text.contains(&format!("/auth/{entry}")),
            "{text}"
        );
        assert!(!text.contains("alert(1)") && !browser.is_logged_in());
        assert!(browser.cookie("portcullis-auth-").is_none(), "the way is over");
    }
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/own-page")).await;
    assert_eq!(page.url, server.at("/sorry?error=ID_TOKEN_SIGNATURE"));
}
