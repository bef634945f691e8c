//! A provider of OpenID 2.0, as python3-openid is one.

use e2e::{Counterparty, Portcullis};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{AUDITORS, audits, person, roles, told_the_operator, unlink};
use crate::factors::add_app;
use crate::providers::entries::{
    self, Arrived, altered, arrive, callback, file, json_entry, linking, parameter, visit, with,
};

fn openid(party: &Counterparty) -> Value {
    json!({
        "provider": "openid", "authScheme": "openid", "module": "passport-openid", "providerURL": party.at("/"),
        "attributes": { "groups": "http://example.com/schema/groups" }, "groupsAttribute": "groups",
        "emailVerified": true, "roleMapping": [{ "group": "admins", "role": "auditor" }],
    })
}

async fn provider_and_server() -> (Counterparty, Portcullis) {
    let party = Counterparty::openid2().await;
    let entry = openid(&party);
    let entries = file([
        ("openid", json_entry(entry.clone())),
        ("page", entry.clone()),
        ("link", linking(entry.clone())),
        (
            "short",
            json_entry(with(
                entry.clone(),
                &json!({ "profile": false, "attributes": null, "groupsAttribute": null }),
            )),
        ),
        (
            "known",
            json_entry(with(entry, &json!({ "onlyKnownUsers": true }))),
        ),
    ]);
    let setup = Portcullis::setup().config(AUDITORS).providers(&entries);
    (party, setup.start().await)
}

#[tokio::test]
async fn somebody_of_an_openid_provider_becomes_a_user_and_stays_the_same_one() {
    let (party, server) = provider_and_server().await;
    let alice = arrive(&server, "openid").await;
    assert_eq!(arrive(&server, "openid").await.user, alice.user);
    assert_eq!(
        entries::record(&server, &alice).await["email"],
        "alice@example.test"
    );
    let identity = &entries::identities(&server, &alice).await[0];
    assert_eq!(identity["externalId"], party.at("/id/alice"));
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/page")).await.expect(200);
    page.came_by("/auth/account");
    let who = browser.peek(&server.at("/auth/check")).await.expect(200);
    assert_eq!(who.header("x-user-id"), alice.user);
    party.next("bob").await;
    assert_ne!(arrive(&server, "openid").await.user, alice.user);
}

#[tokio::test]
async fn an_openid_is_linked_to_whoever_is_logged_in_and_unlinked() {
    let (party, server) = provider_and_server().await;
    server
        .client()
        .get("/link/link")
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    party.next("bob").await;
    visit(&server, "known").await.refused(403, "USER_UNKNOWN");
    told_the_operator(&server, "known", "USER_UNKNOWN").await;
    let ann = server.client().sign_up("ann").await;
    let mut browser = entries::log_in_by_page(&server, &ann).await;
    let page = entries::link(&server, &mut browser, "link").await.expect(200);
    page.came_by("/link/account");
    for entry in ["openid", "known"] {
        assert_eq!(arrive(&server, entry).await.user, ann.id);
    }
    let me = Arrived {
        token: server.client().log_in(&ann).await,
        user: ann.id.clone(),
    };
    unlink(&server, &me).await;
    visit(&server, "known").await.refused(403, "USER_UNKNOWN");
    assert_ne!(arrive(&server, "openid").await.user, ann.id);
}

#[tokio::test]
async fn a_signed_group_gives_a_role_for_as_long_as_somebody_is_in_it() {
    let (party, server) = provider_and_server().await;
    let other = server.client().sign_up("other").await;
    let alice = arrive(&server, "openid").await;
    assert_eq!(roles(&server, &alice).await, "auditor");
    assert!(audits(&server, &alice, &other).await);
    party.next("bob").await;
    let bob = arrive(&server, "openid").await;
    assert_eq!(roles(&server, &bob).await, "");
    assert!(!audits(&server, &bob, &other).await);
    party.next("alice").await;
    party.person("alice", json!({ "groups": ["staff"] })).await;
    let later = arrive(&server, "openid").await;
    assert_eq!((&later.user, &*roles(&server, &later).await), (&alice.user, ""));
    assert!(!audits(&server, &alice, &other).await);
}

#[tokio::test]
async fn who_has_a_second_factor_is_asked_for_it_after_an_openid_too() {
    let (_party, server) = provider_and_server().await;
    let alice = arrive(&server, "openid").await;
    let session = server.client().with(&alice.token);
    add_app(&session, &person(&alice, ""), "Pocket").await;
    let waits = visit(&server, "openid").await;
    waits.refused(401, "SECOND_FACTOR_REQUIRED");
    assert!(waits.at("access_token").is_empty());
}

#[tokio::test]
async fn every_lie_of_an_openid_provider_is_refused_by_its_name() {
    let (party, server) = provider_and_server().await;
    for (fault, code) in [
        ("cancel", "ACCESS_DENIED"),
        ("error", "PROVIDER_ERROR"),
        ("bad-sig", "OPENID_SIGNATURE"),
        ("no-sig", "OPENID_SIGNATURE"),
        ("unsigned-claimed_id", "OPENID_SIGNATURE"),
        ("wrong-return-to", "OPENID_RETURN_TO"),
        ("wrong-op-endpoint", "OPENID_CLAIM"),
        ("wrong-identity", "OPENID_CLAIM"),
        ("nobody", "SUBJECT_MISSING"),
        ("old-nonce", "OPENID_NONCE"),
        ("future-nonce", "OPENID_NONCE"),
        ("check-no", "OPENID_SIGNATURE"),
    ] {
        party.fault(fault).await;
        let reply = visit(&server, "openid").await;
        // A whole answer made for another place may never come back to us.
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, code),
            "{fault}: {}",
            reply.text
        );
        told_the_operator(&server, "openid", code).await;
    }
    party.fault("check-503").await;
    visit(&server, "openid")
        .await
        .refused(502, "PROVIDER_UNAVAILABLE");
    // What is not signed is nobody's address.
    party.fault("unsigned-email").await;
    let alice = arrive(&server, "openid").await;
    assert_eq!(entries::record(&server, &alice).await["email"], Value::Null);
}

#[tokio::test]
async fn one_answer_of_an_openid_provider_opens_one_session() {
    let (_party, server) = provider_and_server().await;
    // Short enough for an address.
    let mut browser = server.browser().as_program();
    let back = callback(&server, &mut browser, "short").await;
    let mut stranger = server.browser().as_program();
    let own = callback(&server, &mut stranger, "short").await;
    stranger.peek(&back).await.refused(401, "AUTHORIZATION_UNKNOWN");
    // Somebody else's answer in a way of one's own.
    let swapped = altered(&back, |pairs| {
        for pair in pairs.iter_mut().filter(|(name, _)| name == "state") {
            pair.1 = parameter(&own, "state");
        }
    });
    stranger.peek(&swapped).await.refused(401, "OPENID_RETURN_TO");
    let replies = join_all((0..8).map(|_| browser.peek(&back))).await;
    let opened = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(opened, 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.refused(401, "AUTHORIZATION_UNKNOWN");
    }
    // Too long for one: by a form.
    let mut browser = server.browser().as_program();
    let home = server.at("/");
    let (back, fields) = browser
        .form_until(&server.at("/auth/openid"), |url| url.starts_with(&home))
        .await;
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let stolen = stranger.post(&back, &fields).await.reply;
    stolen.refused(401, "AUTHORIZATION_UNKNOWN");
    let first = browser.post(&back, &fields).await;
    assert_eq!(first.reply.status, 200, "{}", first.reply.text);
    let again = browser.post(&back, &fields).await.reply;
    again.refused(401, "AUTHORIZATION_UNKNOWN");
}
