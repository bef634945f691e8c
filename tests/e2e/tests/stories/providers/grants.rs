//! What a linked account is good for: tokens of the provider that still work, however many ask, however the keys change.

use e2e::{Counterparty, Portcullis};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::entries::{self, arrive, evil, file, json_entry, panva, with};

/// An entry whose access tokens live for a second, and which may refresh them.
fn short(party: &Counterparty) -> Value {
    let offline =
        json!({ "scope": ["openid", "email", "offline_access"], "authOptions": { "prompt": "consent" } });
    with(json_entry(panva(party, "short")), &offline)
}

#[tokio::test]
async fn fifty_who_ask_at_once_get_one_fresh_token() {
    let party = Counterparty::panva().await;
    let server = entries::server(file([("panva", short(&party))])).await;
    let me = arrive(&server, "panva").await;
    let bought = party.asked("POST /token").await;
    let replies = join_all((0..50).map(|_| entries::fresh(&server, &me, "panva"))).await;
    let first = replies[0].at("access_token");
    assert!(!first.is_empty(), "{}", replies[0].text);
    for reply in replies {
        let reply = reply.expect(200);
        assert_eq!(reply.at("status"), "active");
        assert!(!reply.text.contains("refresh_token"));
    }
    // The token lives for one second: some of fifty may have met its end, but nobody bought on their own.
    let refreshed = party.asked("POST /token").await - bought;
    assert!((1..=3).contains(&refreshed), "{refreshed} refreshes");
    assert_eq!(party.asked("grant.error").await, 0);
    // It works at the provider.
    let token = entries::fresh(&server, &me, "panva")
        .await
        .expect(200)
        .at("access_token");
    let asked = reqwest::Client::new()
        .get(party.at("/me"))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(asked.status().as_u16(), 200);
}

#[tokio::test]
async fn a_revoked_grant_is_told_and_forgotten_on_demand() {
    let party = Counterparty::panva().await;
    let server = entries::server(file([("panva", short(&party))])).await;
    let me = arrive(&server, "panva").await;
    party.tell("revoke?account=alice", &json!({})).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    entries::fresh(&server, &me, "panva")
        .await
        .refused(409, "CREDENTIAL_REVOKED");
    let grants = entries::credentials(&server, &me).await;
    assert_eq!(grants[0]["status"], "revoked");
    // It stays so without another question to the provider, until the person comes again.
    let asked = party.asked("POST /token").await;
    entries::fresh(&server, &me, "panva")
        .await
        .refused(409, "CREDENTIAL_REVOKED");
    assert_eq!(party.asked("POST /token").await, asked);
    let me = arrive(&server, "panva").await;
    assert_eq!(entries::credentials(&server, &me).await[0]["status"], "active");
    // Forgetting the grant leaves the account linked.
    let id = entries::credentials(&server, &me).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let client = server.client().with(&me.token);
    let path = format!("/api/Users/{}/credentials/{id}", me.user);
    client.delete(&path).await.expect(204).done();
    client.delete(&path).await.refused(404, "LINK_UNKNOWN");
    entries::fresh(&server, &me, "panva")
        .await
        .refused(404, "LINK_UNKNOWN");
    assert_eq!(entries::identities(&server, &me).await.len(), 1);
    assert_eq!(arrive(&server, "panva").await.user, me.user);
}

#[tokio::test]
async fn odd_answers_to_a_refresh_lose_nothing() {
    let party = Counterparty::evil_oidc().await;
    let tenants = [
        "refresh-omits",
        "refresh-narrows",
        "refresh-revoked",
        "refresh-500",
    ];
    let entry = |tenant: &&str| {
        let own = json!({ "provider": tenant });
        ((*tenant).to_owned(), with(json_entry(evil(&party, tenant)), &own))
    };
    let server = entries::server(Value::Object(tenants.iter().map(entry).collect())).await;
    for tenant in tenants {
        let claims = json!({ "sub": tenant });
        party.claims(tenant, claims).await;
    }
    // Where the provider sends no new refresh token, the old one is kept: it refreshes again and again.
    let me = arrive(&server, "refresh-omits").await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        seen.insert(
            entries::fresh(&server, &me, "refresh-omits")
                .await
                .expect(200)
                .at("access_token"),
        );
    }
    assert_eq!(seen.len(), 3);
    // Where it grants less than before, whoever asks is told.
    let me = arrive(&server, "refresh-narrows").await;
    let token = entries::fresh(&server, &me, "refresh-narrows").await.expect(200);
    assert_eq!(
        (token.at("status"), token.at("scope")),
        ("scope_lost".to_owned(), "openid".to_owned())
    );
    assert_eq!(
        entries::credentials(&server, &me).await[0]["status"],
        "scope_lost"
    );
    // Where it says no, the grant is revoked; where it falls over, it is not.
    let me = arrive(&server, "refresh-revoked").await;
    entries::fresh(&server, &me, "refresh-revoked")
        .await
        .refused(409, "CREDENTIAL_REVOKED");
    let me = arrive(&server, "refresh-500").await;
    entries::fresh(&server, &me, "refresh-500")
        .await
        .refused(502, "PROVIDER_UNAVAILABLE");
    assert_eq!(entries::credentials(&server, &me).await[0]["status"], "active");
}

#[tokio::test]
async fn grants_survive_a_change_of_keys_while_serving_and_a_restart() {
    let party = Counterparty::social().await;
    let setup = Portcullis::setup().providers(&file([
        ("x", json_entry(entries::x(&party))),
        ("facebook", json_entry(entries::facebook(&party))),
    ]));
    let server = setup.start().await;
    let me = arrive(&server, "facebook").await;
    let before = entries::fresh(&server, &me, "facebook")
        .await
        .expect(200)
        .at("access_token");
    let busy = async {
        for _ in 0..30 {
            entries::fresh(&server, &me, "facebook").await.expect(200).done();
        }
    };
    let ((status, said), ()) = tokio::join!(setup.run(&["keys", "rotate"]), busy);
    assert!(status.success(), "{said}");
    assert!(!said.contains(&before));
    let during = entries::fresh(&server, &me, "facebook")
        .await
        .expect(200)
        .at("access_token");
    assert_eq!(during, before);
    let server = server.kill_and_restart().await;
    let after = entries::fresh(&server, &me, "facebook")
        .await
        .expect(200)
        .at("access_token");
    assert_eq!(after, before);
}
