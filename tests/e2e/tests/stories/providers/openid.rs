//! A certified OpenID provider: every algorithm, keys that rotate, refused consent, one account however it comes.

use e2e::{Counterparty, Portcullis, authority};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::entries::{self, arrive, callback, file, json_entry, linking, panva, with};

#[tokio::test]
async fn every_client_of_a_certified_provider_logs_in_as_one_user() {
    let party = Counterparty::panva().await;
    let public = with(panva(&party, "public"), &json!({ "clientSecret": null }));
    let names = ["web", "post", "es", "eddsa", "jwtinfo"];
    let mut entries: serde_json::Map<String, Value> = names
        .iter()
        .map(|client| ((*client).to_owned(), json_entry(panva(&party, client))))
        .collect();
    entries.insert("public".to_owned(), json_entry(public));
    let server = entries::server(Value::Object(entries)).await;
    let first = arrive(&server, "web").await;
    for client in ["web", "post", "es", "eddsa", "jwtinfo", "public"] {
        assert_eq!(arrive(&server, client).await.user, first.user, "{client}");
    }
    assert_eq!(entries::identities(&server, &first).await.len(), 1);
    let record = entries::record(&server, &first).await;
    assert_eq!(record["email"], "alice@example.test");
    assert_eq!(record["emailVerified"], true);
    assert_eq!(record["username"], "panva.alice");

    // The person changed their address there; it is the same account, and it stays theirs here.
    party
        .person(
            "alice",
            json!({ "email": "new@example.test", "email_verified": true, "name": "Alice Renamed" }),
        )
        .await;
    assert_eq!(arrive(&server, "web").await.user, first.user);
    let seen = entries::identities(&server, &first).await;
    assert_eq!(seen[0]["profile"]["displayName"], "Alice Renamed");
    // Somebody else with her former address is somebody else; and an account is named letter by letter.
    for other in ["Alice", "ALICE", "al%C3%ACce"] {
        party.next(other).await;
        let reply = entries::visit(&server, "web").await;
        // Names here know no case: who has the same one in other letters is asked to prove it.
        assert!(
            reply.status == 409 || reply.at("userId") != first.user,
            "{other}: {}",
            reply.text
        );
        assert!(
            reply.status == 409 || reply.status == 200,
            "{other}: {}",
            reply.text
        );
    }
}

#[tokio::test]
async fn people_without_a_vouched_address_get_an_account_without_one() {
    let party = Counterparty::panva().await;
    let strict = with(panva(&party, "web"), &json!({ "emailOptional": false }));
    let server = entries::server(file([
        ("panva", json_entry(panva(&party, "web"))),
        ("strict", json_entry(strict)),
    ]))
    .await;
    for person in ["bob", "noemail"] {
        party.next(person).await;
        entries::visit(&server, "strict")
            .await
            .refused(422, "PROVIDER_EMAIL_REQUIRED");
        let who = arrive(&server, "panva").await;
        let record = entries::record(&server, &who).await;
        assert_eq!(record["email"], Value::Null, "{record}");
        assert_eq!(record["username"], format!("panva.{person}"));
    }
    // Letters and signs of any kind are kept, and do nothing.
    party.next("carol").await;
    let who = arrive(&server, "panva").await;
    assert_eq!(
        entries::record(&server, &who).await["email"]
            .as_str()
            .unwrap()
            .to_lowercase(),
        "carol@example.test"
    );
    let profile = &entries::identities(&server, &who).await[0]["profile"];
    assert_eq!(profile["displayName"], "Cårôl 😀 <b>x</b>");
    for hidden in ["_raw", "_json"] {
        assert_eq!(profile[hidden], Value::Null);
    }
}

#[tokio::test]
async fn whoever_refuses_consent_is_not_logged_in_and_can_try_again() {
    let party = Counterparty::panva().await;
    let server = entries::server(file([("panva", panva(&party, "web"))])).await;
    party.next("deny").await;
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/panva")).await.expect(401);
    assert!(page.reply.text.contains("ACCESS_DENIED") && !page.reply.text.contains("alert(1)"));
    assert!(!browser.is_logged_in());
    party.next("alice").await;
    let page = browser.follow("/auth/panva").await.expect(200);
    page.came_by("/auth/account");
    assert!(browser.is_logged_in());
}

#[tokio::test]
async fn keys_rotate_at_the_provider_and_are_fetched_once() {
    let party = Counterparty::panva().await;
    let server = entries::server(file([("panva", json_entry(panva(&party, "web")))])).await;
    arrive(&server, "panva").await;
    let before = party.asked("GET /jwks").await;
    assert!(before <= 1, "keys were asked for {before} times");
    // The old keys are gone at once; ten log-ins are on their way.
    let mut ways = Vec::new();
    for _ in 0..10 {
        let mut browser = server.browser().as_program();
        let back = callback(&server, &mut browser, "panva").await;
        ways.push((browser, back));
    }
    party.tell("rotate?keep=0", &json!({})).await;
    for reply in join_all(ways.iter().map(|(browser, back)| browser.peek(back))).await {
        reply.expect(200).done();
    }
    let asked = party.asked("GET /jwks").await - before;
    assert!((1..=2).contains(&asked), "a storm of {asked} questions for keys");
    assert!(party.asked("GET /.well-known/openid-configuration").await <= 2);
}

#[tokio::test]
async fn two_entries_of_one_provider_meet_in_one_identity() {
    let party = Counterparty::panva().await;
    let google = |more: Value| {
        let entry = json!({
            "provider": "google", "module": "passport-google-oauth20", "clientID": "web", "clientSecret": "web-secret",
            "issuer": party.address(), "scope": ["email", "profile"],
        });
        with(entry, &more)
    };
    let server = entries::server(file([
        ("google-login", json_entry(google(json!({})))),
        (
            "google-link",
            linking(google(
                json!({ "clientID": "other", "clientSecret": "other-secret" }),
            )),
        ),
    ]))
    .await;
    // Linked first, logged in afterwards: the same user.
    let ann = server.client().sign_up("ann").await;
    let mut browser = entries::log_in_by_page(&server, &ann).await;
    entries::link(&server, &mut browser, "google-link")
        .await
        .expect(200)
        .done();
    let arrived = arrive(&server, "google-login").await;
    assert_eq!(arrived.user, ann.id);
    assert_eq!(entries::identities(&server, &arrived).await.len(), 1);
    assert_eq!(
        entries::credentials(&server, &arrived).await.len(),
        2,
        "one grant of each entry"
    );

    // And the other way round.
    party.next("carol").await;
    let carol = arrive(&server, "google-login").await;
    let mut browser = server.browser();
    let begun = entries::begin_link(&server, &browser, "google-link", &carol.token)
        .await
        .expect(200);
    browser.open(&begun.at("url")).await.done();
    assert_eq!(entries::identities(&server, &carol).await.len(), 1);
    assert_eq!(arrive(&server, "google-login").await.user, carol.user);
}

#[tokio::test]
async fn an_https_provider_must_show_a_certificate_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path());
    let party = Counterparty::evil_oidc().await;
    let ca = folder.path().join("ca.pem");
    for (certificate, trusted) in [
        ("wrong-host", false),
        ("untrusted", false),
        ("expired", false),
        ("localhost", true),
    ] {
        let front = Counterparty::tls_front(folder.path(), certificate, party.port()).await;
        let issuer = front.address().replace("127.0.0.1", "localhost");
        let mut entry = json_entry(entries::evil(&party, "plain"));
        entry["issuer"] = format!("{issuer}/plain").into();
        let config = format!("[outbound]\ntimeout = 3\nca_file = \"{}\"", ca.display());
        let server = Portcullis::setup()
            .config(&config)
            .providers(&file([("tls", entry)]))
            .start()
            .await;
        let reply = entries::visit(&server, "tls").await;
        if trusted {
            // The certificate is good; that the issuer speaks of itself as plain http is not.
            reply.refused(401, "DISCOVERY_INVALID");
        } else {
            reply.refused(502, "PROVIDER_UNAVAILABLE");
        }
    }
}
