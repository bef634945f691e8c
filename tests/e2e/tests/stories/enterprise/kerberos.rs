//! Tickets of a Kerberos realm, shown by SPNEGO, and the realm's passwords.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::{Portcullis, Setup};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::tickets::{Realm, show};
use super::{AUDITORS, audits, ldap, person, roles, told_the_operator, unlink};
use crate::factors::{add_app, app_code};
use crate::providers::entries::{self, Arrived, arrived, file, json_entry, linking, with};
use crate::two_factor;

const PATH: &str = "/auth/kerberos";

fn setup(entries: &Value) -> Setup {
    Portcullis::setup()
        .at_localhost()
        .config(AUDITORS)
        .providers(entries)
}

/// A realm, and a server with an entry for it of each kind.
async fn realm_and_server() -> Option<(Realm, Portcullis)> {
    let realm = Realm::start().await?;
    let entry = realm.entry();
    let with_passwords = with(entry.clone(), &json!({ "passwords": true }));
    let server = setup(&file([
        ("kerberos", json_entry(entry.clone())),
        ("page", entry.clone()),
        ("passwords", json_entry(with_passwords.clone())),
        ("passwords-page", with_passwords.clone()),
        ("link", json_entry(linking(with_passwords))),
        (
            "known",
            json_entry(with(entry, &json!({ "onlyKnownUsers": true }))),
        ),
    ]));
    let server = server.start().await;
    Some((realm, server))
}

/// Shows somebody's ticket.
async fn log_in(realm: &Realm, server: &Portcullis, who: &str) -> Arrived {
    let ticket = realm.ticket(who, "localhost");
    arrived(&show(&server.client(), PATH, &ticket).await.expect(200))
}

#[tokio::test]
async fn a_ticket_opens_the_account_of_its_principal() {
    let Some((realm, server)) = realm_and_server().await else {
        return;
    };
    realm.log_in("alice", "alice-krb");
    realm.log_in("bob", "bob-krb");
    let alice = log_in(&realm, &server, "alice").await;
    assert_eq!(log_in(&realm, &server, "alice").await.user, alice.user);
    let bob = log_in(&realm, &server, "bob").await;
    assert_ne!(bob.user, alice.user);
    let identity = &entries::identities(&server, &alice).await[0];
    assert_eq!(
        (&identity["provider"], &identity["externalId"]),
        (&json!("kerberos"), &json!("alice@TEST.LOCALHOST"))
    );
    // Her name gives her a role, and his gives him none.
    let other = server.client().sign_up("other").await;
    assert_eq!(
        (roles(&server, &alice).await, roles(&server, &bob).await),
        ("auditor".to_owned(), String::new())
    );
    assert!(audits(&server, &alice, &other).await && !audits(&server, &bob, &other).await);
}

#[tokio::test]
async fn a_client_of_the_realm_is_asked_for_its_ticket_and_told_who_took_it() {
    let Some((realm, server)) = realm_and_server().await else {
        return;
    };
    let asked = server.client().get(PATH).await;
    asked.refused(401, "AUTHORIZATION_REQUIRED");
    assert_eq!(asked.header("www-authenticate"), "Negotiate");
    // People without a ticket see where else to go, and a form where one is offered.
    for (entry, has_form) in [("page", false), ("passwords-page", true)] {
        let mut browser = server.browser();
        let page = browser
            .open(&server.at(&format!("/auth/{entry}")))
            .await
            .expect(401);
        assert_eq!(page.reply.header("www-authenticate"), "Negotiate");
        assert_eq!(page.reply.text.contains("name=\"password\""), has_form);
        assert!(page.reply.text.contains("/login"), "{}", page.reply.text);
    }
    realm.log_in("alice", "alice-krb");
    let seen = realm.visit("alice", server.port(), PATH, &[]);
    let lower = seen.to_ascii_lowercase();
    assert!(
        seen.contains(" 200 OK") && lower.contains("www-authenticate: negotiate oy")
            || seen.contains("Negotiate Y"),
        "{seen}"
    );
    assert!(seen.contains("\"access_token\""), "{seen}");
    let seen = realm.visit(
        "alice",
        server.port(),
        "/auth/page",
        &["--header", "Accept: text/html"],
    );
    assert!(
        seen.contains("/auth/account") && seen.contains("portcullis="),
        "{seen}"
    );
}

#[tokio::test]
async fn a_ticket_is_linked_to_whoever_is_logged_in_and_unlinked() {
    let Some((realm, server)) = realm_and_server().await else {
        return;
    };
    let ticket = realm.alices();
    show(&server.client(), "/link/link", &ticket)
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    let ann = server.client().sign_up("ann").await;
    let me = Arrived {
        token: server.client().log_in(&ann).await,
        user: ann.id.clone(),
    };
    let client = server.client();
    let request = client
        .request("GET", "/link/link")
        .header("X-Access-Token", &me.token)
        .header("Authorization", format!("Negotiate {ticket}"));
    let linked = client.send(request).await.expect(200);
    assert_eq!(linked.at("userId"), ann.id);
    let by_ticket = log_in(&realm, &server, "alice").await;
    assert_eq!(by_ticket.user, ann.id);
    assert_eq!(roles(&server, &by_ticket).await, "auditor");
    unlink(&server, &me).await;
    let anew = Arrived {
        token: client.log_in(&ann).await,
        user: ann.id.clone(),
    };
    assert_eq!(roles(&server, &anew).await, "", "its role went along");
    assert_ne!(log_in(&realm, &server, "alice").await.user, ann.id);
    // By the realm's password, too.
    let linked = ldap::show(&client.with(&anew.token), "/link/link", "bob", "bob-krb").await;
    assert_eq!(linked.expect(200).at("userId"), ann.id);
    realm.log_in("bob", "bob-krb");
    assert_eq!(log_in(&realm, &server, "bob").await.user, ann.id);
}

#[tokio::test]
async fn where_only_known_users_come_in_a_ticket_of_a_stranger_is_refused() {
    let Some((realm, server)) = realm_and_server().await else {
        return;
    };
    let refused = show(&server.client(), "/auth/known", &realm.alices()).await;
    refused.refused(403, "USER_UNKNOWN");
    told_the_operator(&server, "known", "USER_UNKNOWN").await;
    let alice = log_in(&realm, &server, "alice").await;
    let ticket = realm.ticket("alice", "localhost");
    let known = show(&server.client(), "/auth/known", &ticket).await.expect(200);
    assert_eq!(arrived(&known).user, alice.user);
}

#[tokio::test]
async fn a_ticket_is_a_first_proof_and_no_more() {
    let Some((realm, server)) = realm_and_server().await else {
        return;
    };
    realm.log_in("alice", "alice-krb");
    let alice = log_in(&realm, &server, "alice").await;
    let name = entries::record(&server, &alice).await["username"].clone();
    let (client, person) = (server.client(), person(&alice, ""));
    let secret = add_app(&client.with(&alice.token), &person, "Pocket").await;
    let waits = show(&client, PATH, &realm.ticket("alice", "localhost")).await;
    waits.refused(401, "SECOND_FACTOR_REQUIRED");
    assert!(waits.at("access_token").is_empty());
    let challenge = waits.at("error/details/challenge");
    let typed = |code: String| json!({ "username": name, "twofactor": code, "challenge": challenge });
    let wrong = typed(two_factor::other_than(&app_code(&secret, 1)));
    client
        .post("/api/Users/loginWithCode", wrong)
        .await
        .refused(401, "LOGIN_FAILED");
    let right = typed(app_code(&secret, 1));
    let opened = client.post("/api/Users/loginWithCode", right).await;
    assert_eq!(opened.expect(200).at("userId"), alice.user);
}

#[tokio::test]
async fn the_realms_passwords_open_the_same_accounts() {
    let Some((realm, server)) = realm_and_server().await else {
        return;
    };
    let client = server.client();
    realm.log_in("alice", "alice-krb");
    let alice = log_in(&realm, &server, "alice").await;
    for name in ["alice", "alice@TEST.LOCALHOST", " alice "] {
        let reply = ldap::show(&client, "/auth/passwords", name, "alice-krb").await;
        assert_eq!(arrived(&reply.expect(200)).user, alice.user, "{name}");
    }
    for (name, password) in [
        ("alice", "bob-krb"),
        ("alice", ""),
        ("alice", "\0"),
        ("nobody", "alice-krb"),
        ("alice\0", "alice-krb"),
        ("alice@OTHER.LOCALHOST", "alice-krb"),
        ("barred", "barred-wrong"),
    ] {
        ldap::show(&client, "/auth/passwords", name, password)
            .await
            .refused(401, "LOGIN_FAILED");
    }
    // Where no passwords are offered, none is taken.
    ldap::show(&client, PATH, "alice", "alice-krb")
        .await
        .refused(401, "AUTHORIZATION_REQUIRED");
    told_the_operator(&server, "passwords", "DIRECTORY_PASSWORD").await;
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/passwords-page")).await.expect(401);
    let right = [("username", "alice"), ("password", "alice-krb")];
    let page = browser.submit(&page, "/auth/passwords-page", &right).await;
    assert!(browser.is_logged_in(), "{}: {}", page.url, page.reply.text);
    let written = format!("{}{}", server.log().text(), server.console().text());
    assert!(!written.contains("alice-krb"));
}

#[tokio::test]
async fn one_ticket_opens_one_session_however_often_it_is_shown() {
    let Some((realm, server)) = realm_and_server().await else {
        return;
    };
    let ticket = realm.alices();
    let client = server.client();
    show(&client, PATH, &ticket).await.expect(200).done();
    for path in [PATH, "/auth/passwords"] {
        show(&client, path, &ticket).await.refused(401, "ANSWER_REPLAYED");
    }
    told_the_operator(&server, "kerberos", "ANSWER_REPLAYED").await;
    // All at once it is no different.
    let ticket = realm.ticket("alice", "localhost");
    let replies = join_all((0..10).map(|_| show(&client, PATH, &ticket))).await;
    let (opened, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(opened.len(), 1);
    for reply in refused {
        reply.refused(401, "ANSWER_REPLAYED");
        assert!(reply.at("access_token").is_empty());
    }
    // Nor does a restart forget it.
    let ticket = realm.ticket("alice", "localhost");
    show(&client, PATH, &ticket).await.expect(200).done();
    let server = server.kill_and_restart().await;
    show(&server.client(), PATH, &ticket)
        .await
        .refused(401, "ANSWER_REPLAYED");
    assert!(
        !server.log().text().contains(&ticket),
        "a ticket stands in no log"
    );
}

#[tokio::test]
async fn a_ticket_for_another_service_or_another_hour_is_refused() {
    let Some(realm) = Realm::start().await else { return };
    let strict = json!({ "krb5Conf": realm.settings("clockskew = 1") });
    let server = setup(&file([
        ("kerberos", json_entry(realm.entry())),
        ("strict", json_entry(with(realm.entry(), &strict))),
    ]));
    let server = server.start().await;
    let client = server.client();
    let late = realm.alices();
    // The first is in our keytab too, and not our name.
    for host in ["idp.test", "other.test"] {
        let ticket = realm.ticket("alice", host);
        show(&client, PATH, &ticket).await.refused(401, "TICKET_REFUSED");
    }
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    show(&client, "/auth/strict", &late)
        .await
        .refused(401, "TICKET_REFUSED");
    show(&client, PATH, &late).await.expect(200).done();
    // The library keeps with the tickets how far the KDC's clock was from its own: seconds, in the head of the file.
    let mut cache = OpenOptions::new().write(true).open(realm.cache("alice")).unwrap();
    cache.seek(SeekFrom::Start(8)).unwrap();
    cache.write_all(&600_i32.to_be_bytes()).unwrap();
    let ahead = realm.ticket("alice", "localhost");
    show(&client, PATH, &ahead).await.refused(401, "TICKET_REFUSED");
    told_the_operator(&server, "kerberos", "TICKET_REFUSED").await;
    // A realm of the same name is another one.
    let theirs = Realm::start().await.unwrap();
    show(&client, PATH, &theirs.alices())
        .await
        .refused(401, "TICKET_REFUSED");
}

#[tokio::test]
async fn what_is_no_ticket_is_refused_and_harms_nothing() {
    let Some((realm, server)) = realm_and_server().await else {
        return;
    };
    let client = server.client();
    let ntlm = STANDARD.encode(b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    show(&client, PATH, &ntlm).await.refused(401, "NTLM_REFUSED");
    let deep = STANDARD.encode([0x60, 0x80].repeat(1_500));
    let garbage = STANDARD.encode([0xff; 700]);
    let spnego = STANDARD.encode(b"\x60\x06\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\x84\xff\xff\xff\xff");
    for ticket in ["!", "AAAA", "YII=", "oQcwBaADCgEC", &deep, &garbage, &spnego] {
        let reply = show(&client, PATH, ticket).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "TICKET_MALFORMED"),
            "{ticket:.20}"
        );
    }
    let long = show(&client, PATH, &"YIIB".repeat(15_000)).await;
    assert!(matches!(long.status, 400 | 401 | 431), "{}", long.status);
    for scheme in ["NTLM", "Basic", "Kerberos"] {
        let request = client
            .request("GET", PATH)
            .header("Authorization", format!("{scheme} {ntlm}"));
        client.send(request).await.expect(401).done();
    }
    told_the_operator(&server, "kerberos", "NTLM_REFUSED").await;
    told_the_operator(&server, "kerberos", "TICKET_MALFORMED").await;
    let ticket = realm.alices();
    show(&client, PATH, &ticket).await.expect(200).done();
}

#[tokio::test]
async fn a_namesake_of_another_realm_is_refused_or_somebody_else() {
    let Some(realm) = Realm::start().await else { return };
    let trusting = json!({ "realms": ["OTHER.LOCALHOST"] });
    let server = setup(&file([
        ("kerberos", json_entry(realm.entry())),
        ("trusting", json_entry(with(realm.entry(), &trusting))),
    ]));
    let server = server.start().await;
    realm.log_in("alice", "alice-krb");
    let alice = log_in(&realm, &server, "alice").await;
    realm.log_in("alice@OTHER.LOCALHOST", "alice-other");
    realm.log_in("root/admin", "admin-krb");
    let theirs = realm.ticket("alice@OTHER.LOCALHOST", "localhost");
    show(&server.client(), PATH, &theirs)
        .await
        .refused(401, "REALM_REFUSED");
    told_the_operator(&server, "kerberos", "REALM_REFUSED").await;
    let instance = realm.ticket("root/admin", "localhost");
    show(&server.client(), PATH, &instance)
        .await
        .refused(401, "TICKET_REFUSED");
    let theirs = realm.ticket("alice@OTHER.LOCALHOST", "localhost");
    let other = show(&server.client(), "/auth/trusting", &theirs).await;
    let other = arrived(&other.expect(200));
    assert_ne!(other.user, alice.user);
    assert_eq!(roles(&server, &other).await, "", "nor has she the role");
}
