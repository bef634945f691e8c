//! What LoopBack's users complained of most about accounts elsewhere, told as it goes here. `docs/THREATS.md` names every complaint
//! and every test; these are those that no other story tells.

use e2e::{Counterparty, PASSWORD, Portcullis};
use serde_json::{Value, json};

use super::entries::{self, Arrived, arrive, file, json_entry, linking, panva, visit, with};

/// Somebody who deletes their account and comes back is somebody new: no identity is left behind that leads to nobody.
#[tokio::test]
async fn whoever_deleted_their_account_is_not_locked_out_for_ever() {
    let party = Counterparty::panva().await;
    let server = entries::server(file([("panva", json_entry(panva(&party, "web")))])).await;
    let before = arrive(&server, "panva").await;
    let path = format!("/api/Users/{}", before.user);
    let client = server.client().with(&before.token);
    client.delete(&path).await.expect(200).done();
    let after = arrive(&server, "panva").await;
    assert_ne!(after.user, before.user);
    assert_eq!(entries::identities(&server, &after).await.len(), 1);
    let record = entries::record(&server, &after).await;
    assert_eq!(
        (&record["email"], &record["username"]),
        (&json!("alice@example.test"), &json!("panva.alice")),
        "address and name are free again"
    );
    assert_eq!(arrive(&server, "panva").await.user, after.user);
}

/// Two providers that number their accounts alike: each account is stored, and each leads to its own user.
#[tokio::test]
async fn equal_ids_at_two_providers_are_two_accounts() {
    let party = Counterparty::social().await;
    // An address the provider does not vouch for joins nothing: the numbers alone are equal.
    party
        .person(
            "alice",
            json!({ "emails": [["alice@example.test", true, false]] }),
        )
        .await;
    let at = |name: &str| json_entry(with(entries::github(&party), &json!({ "provider": name })));
    let server = entries::server(file([("github", at("github")), ("forge", at("forge"))])).await;
    let (first, second) = (arrive(&server, "github").await, arrive(&server, "forge").await);
    assert_ne!(first.user, second.user);
    for (who, entry) in [(&first, "github"), (&second, "forge")] {
        let identity = &entries::identities(&server, who).await[0];
        assert_eq!(
            (&identity["provider"], &identity["externalId"]),
            (&json!(entry), &json!("1001"))
        );
        assert_eq!(arrive(&server, entry).await.user, who.user);
    }
}

/// A profile without an id once matched the first account of its provider.
#[tokio::test]
async fn a_profile_without_an_id_opens_nobodys_account() {
    let party = Counterparty::evil_oidc().await;
    let entry = |tenant: &str| json_entry(entries::evil(&party, tenant));
    let server = entries::server(file([
        ("normal", entry("normal")),
        ("no-sub", entry("no-sub")),
        ("sub-empty", entry("sub-empty")),
    ]))
    .await;
    let victim = arrive(&server, "normal").await;
    for entry in ["no-sub", "sub-empty"] {
        visit(&server, entry).await.refused(401, "SUBJECT_MISSING");
    }
    assert_eq!(entries::identities(&server, &victim).await.len(), 1);
}

/// The names and addresses that LoopBack made up for newcomers could be registered before them. Here the address is never made up,
/// and who has the name is asked for a proof.
#[tokio::test]
async fn a_name_registered_beforehand_catches_nobody() {
    let party = Counterparty::social().await;
    let server = entries::server(file([("github", json_entry(entries::github(&party)))])).await;
    let client = server.client();
    let trap = json!({
        "email": "alice@loopback.github.com", "username": "github.alice", "password": PASSWORD,
    });
    let trap = client.post("/api/Users", trap).await.expect(200).at("id");
    let offer = visit(&server, "github").await;
    offer.refused(409, "ACCOUNT_EXISTS");
    assert!(offer.at("access_token").is_empty());
    let declined = client
        .post(
            "/api/Users/join/decline",
            json!({ "join": offer.at("error/details/join") }),
        )
        .await
        .expect(200);
    let alice = Arrived {
        token: declined.at("id"),
        user: declined.at("userId"),
    };
    assert_ne!(alice.user, trap);
    let record = entries::record(&server, &alice).await;
    assert_eq!(
        (&record["email"], &record["username"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(arrive(&server, "github").await.user, alice.user);
}

/// Pools of any name have identities, grants and links, and nothing of one is seen in another.
#[tokio::test]
async fn a_pool_of_ones_own_has_its_identities_and_its_links() {
    let party = Counterparty::panva().await;
    let social = Counterparty::social().await;
    let staff = |entry: Value| with(entry, &json!({ "pool": "Employees" }));
    let entries = file([
        (
            "people",
            with(json_entry(panva(&party, "web")), &json!({ "pool": "Users" })),
        ),
        ("staff", staff(json_entry(panva(&party, "web")))),
        ("staff-link", staff(json_entry(linking(entries::github(&social))))),
        ("staff-github", staff(json_entry(entries::github(&social)))),
    ]);
    let setup = Portcullis::setup().config("[users.Users]\n[users.Employees]");
    let server = setup.providers(&entries).start().await;
    let (person, employee) = (arrive(&server, "people").await, arrive(&server, "staff").await);
    assert_ne!(person.user, employee.user);

    let mut browser = server.browser();
    let begun = entries::begin_link(&server, &browser, "staff-link", &employee.token)
        .await
        .expect(200);
    browser.open(&begun.at("url")).await.reply.expect(200).done();
    let again = arrive(&server, "staff-github").await;
    assert_eq!(again.user, employee.user);

    let own = format!("/api/Employees/{}", employee.user);
    let client = server.client().with(&employee.token);
    for what in ["identities", "credentials"] {
        let listed = client.get(&format!("{own}/{what}")).await.expect(200).json();
        assert!(
            listed.as_array().is_some_and(|all| all.len() >= 2),
            "{what}: {listed}"
        );
        let stranger = server.client().with(&person.token);
        stranger.get(&format!("{own}/{what}")).await.expect(401).done();
        let elsewhere = format!("/api/Users/{}/{what}", employee.user);
        client.get(&elsewhere).await.expect(401).done();
    }
    // Nor does a token of one pool link anything by an entry of another.
    let begun = entries::begin_link(&server, &server.browser(), "staff-link", &person.token).await;
    begun.refused(401, "AUTHORIZATION_REQUIRED");
}

/// Where addresses must be proven, LoopBack asked only those who came by a password.
#[tokio::test]
async fn an_account_elsewhere_is_no_way_around_an_unproven_address() {
    let party = Counterparty::panva().await;
    let file = file([("panva", json_entry(panva(&party, "web")))]);
    let setup = Portcullis::setup().config("[users.Users]\nemail_verification_required = true");
    let server = setup.providers(&file).start().await;
    // Somebody else's address, and the name that alice will have.
    let trap = json!({ "email": "victim@example.test", "username": "panva.alice", "password": PASSWORD });
    server.client().post("/api/Users", trap).await.expect(200).done();
    let offer = visit(&server, "panva").await;
    offer.refused(409, "ACCOUNT_EXISTS");
    let join = json!({ "join": offer.at("error/details/join"), "password": PASSWORD });
    let reply = server.client().post("/api/Users/join", join).await;
    reply.refused(401, "LOGIN_FAILED_EMAIL_NOT_VERIFIED");
    // Whom the provider vouches for has nothing to prove.
    party.next("carol").await;
    let carol = arrive(&server, "panva").await;
    assert_eq!(entries::record(&server, &carol).await["emailVerified"], true);
}
