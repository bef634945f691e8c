//! A directory, as OpenLDAP is one: names and passwords, groups, people who come and go.

use std::io::Write as _;
use std::process::{Command, Stdio};

use e2e::{Client, Counterparty, Portcullis, Reply};
use serde_json::{Value, json};

use super::{AUDITORS, audits, person, roles, told_the_operator, unlink};
use crate::factors::{add_app, app_code};
use crate::providers::entries::{self, Arrived, arrived, file, json_entry, linking, with};
use crate::two_factor;

const ALICE: &str = "6b1f6f6e-3b0c-4a52-9f0e-7f3c1f0a1001";

/// The address without TLS.
pub fn plain(slapd: &Counterparty) -> String {
    let addresses = slapd.addresses();
    let plain = addresses.iter().find(|address| address.starts_with("ldap://"));
    (*plain.unwrap()).to_owned()
}

/// An entry for the directory at an address, with further keys of its `server`.
pub fn directory(url: &str, more: &Value) -> Value {
    let server = json!({
        "url": url, "bindDn": "cn=reader,dc=example,dc=test", "bindCredentials": "reader-secret",
        "searchBase": "ou=people,dc=example,dc=test", "searchFilter": "(uid={{username}})",
    });
    json!({
        "provider": "ldap", "module": "passport-ldapauth", "label": "Example", "server": with(server, more),
        "emailVerified": true,
        "roleMapping": [{ "group": "ADMINS", "role": "auditor" }],
    })
}

/// The usual directory: one entry for programs, one for people, two that link.
async fn directory_and_server() -> (Counterparty, Portcullis) {
    let slapd = Counterparty::slapd(&[]).await;
    let entry = directory(&plain(&slapd), &json!({}));
    let entries = file([
        ("ldap", json_entry(entry.clone())),
        ("page", entry.clone()),
        ("link", linking(entry.clone())),
        ("link-json", json_entry(linking(entry.clone()))),
        (
            "known",
            json_entry(with(entry, &json!({ "onlyKnownUsers": true }))),
        ),
    ]);
    let server = Portcullis::setup()
        .config(AUDITORS)
        .providers(&entries)
        .start()
        .await;
    (slapd, server)
}

/// Shows a name and a password to an entry.
pub async fn show(client: &Client, path: &str, name: &str, password: &str) -> Reply {
    client
        .post(path, json!({ "username": name, "password": password }))
        .await
}

async fn log_in(server: &Portcullis, name: &str, password: &str) -> Arrived {
    arrived(
        &show(&server.client(), "/auth/ldap", name, password)
            .await
            .expect(200),
    )
}

/// Changes the directory, in the words of LDIF.
fn change(slapd: &Counterparty, ldif: &str) {
    let mut child = Command::new("ldapmodify")
        .args(["-x", "-H", &plain(slapd), "-D", "cn=manager,dc=example,dc=test"])
        .args(["-w", "manager-secret"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("ldapmodify is installed: bash tests/setup");
    child.stdin.take().unwrap().write_all(ldif.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{ldif}");
}

#[tokio::test]
async fn somebody_of_the_directory_becomes_a_user_and_stays_the_same_one() {
    let (slapd, server) = directory_and_server().await;
    let alice = log_in(&server, "alice", "alice-pass").await;
    let record = entries::record(&server, &alice).await;
    assert_eq!(record["email"], "alice@example.test");
    assert_eq!(log_in(&server, "alice", "alice-pass").await.user, alice.user);
    let identity = &entries::identities(&server, &alice).await[0];
    assert_eq!(
        (&identity["provider"], &identity["externalId"]),
        (&json!("ldap"), &json!(ALICE))
    );
    assert_ne!(log_in(&server, "bob", "bob-pass").await.user, alice.user);
    // Married, and moved: the same person.
    change(
        &slapd,
        "dn: uid=alice,ou=people,dc=example,dc=test\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n",
    );
    let refused = show(&server.client(), "/auth/ldap", "alice", "alice-pass").await;
    refused.refused(401, "LOGIN_FAILED");
    assert_eq!(log_in(&server, "alicia", "alice-pass").await.user, alice.user);
    // Whoever gets the name afterwards is somebody else.
    change(
        &slapd,
        "dn: uid=alice,ou=people,dc=example,dc=test\nchangetype: add\nobjectClass: inetOrgPerson\nuid: alice\n\
         cn: Another Alice\nsn: Alice\nuserPassword: another-pass\n",
    );
    assert_ne!(log_in(&server, "alice", "another-pass").await.user, alice.user);
    let written = format!("{}{}", server.log().text(), server.console().text());
    for secret in ["alice-pass", "another-pass", "bob-pass", "reader-secret"] {
        assert!(!written.contains(secret), "{secret} in the log");
    }
}

#[tokio::test]
async fn people_type_their_name_and_password_on_a_page() {
    let (_slapd, server) = directory_and_server().await;
    let mut browser = server.browser();
    let page = browser.open(&server.at("/login")).await.expect(200);
    assert!(page.reply.text.contains("/auth/page"), "{}", page.reply.text);
    let page = browser.open(&server.at("/auth/page")).await.expect(200);
    let wrong = [("username", "alice"), ("password", "bob-pass")];
    let page = browser.submit(&page, "/auth/page", &wrong).await.expect(401);
    assert!(!browser.is_logged_in() && page.reply.text.contains("value=\"alice\""));
    assert!(
        !page.reply.text.contains("bob-pass"),
        "a password is shown to nobody"
    );
    let right = [("username", "alice"), ("password", "alice-pass")];
    let page = browser.submit(&page, "/auth/page", &right).await.expect(200);
    page.came_by("/auth/account");
    let who = browser.peek(&server.at("/auth/check")).await.expect(200);
    assert_eq!(who.header("x-user-roles"), "auditor");
    assert_eq!(
        who.header("x-user-id"),
        log_in(&server, "alice", "alice-pass").await.user
    );
    // A form on another site logs nobody in.
    let stranger = server.browser();
    let reply = stranger
        .post_from("https://evil.example/", "/auth/page", &right)
        .await;
    assert!(
        (400..500).contains(&reply.status) && !stranger.is_logged_in(),
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn an_account_of_the_directory_is_linked_to_whoever_is_logged_in_and_unlinked() {
    let (_slapd, server) = directory_and_server().await;
    for path in ["/link/link", "/link/link-json"] {
        show(&server.client(), path, "alice", "alice-pass")
            .await
            .refused(401, "AUTHORIZATION_REQUIRED");
    }
    let ann = server.client().sign_up("ann").await;
    let client = server.client().with(&server.client().log_in(&ann).await);
    show(&client, "/link/link-json", "alice", "bob-pass")
        .await
        .refused(401, "LOGIN_FAILED");
    let linked = show(&client, "/link/link-json", "alice", "alice-pass")
        .await
        .expect(200);
    assert_eq!(linked.at("userId"), ann.id);
    let as_alice = log_in(&server, "alice", "alice-pass").await;
    assert_eq!(as_alice.user, ann.id);
    assert_eq!(roles(&server, &as_alice).await, "auditor");

    // Somebody else does so by the page, and cannot have the same account.
    let bob = server.client().sign_up("bob").await;
    let mut browser = entries::log_in_by_page(&server, &bob).await;
    let page = browser.open(&server.at("/link/link")).await.expect(200);
    let taken = [("username", "alice"), ("password", "alice-pass")];
    let refused = browser.submit(&page, "/link/link", &taken).await;
    assert_eq!(refused.reply.status, 409, "{}", refused.reply.text);
    let page = browser.open(&server.at("/link/link")).await.expect(200);
    let own = [("username", "bob"), ("password", "bob-pass")];
    let page = browser.submit(&page, "/link/link", &own).await.expect(200);
    page.came_by("/link/account");
    assert_eq!(log_in(&server, "bob", "bob-pass").await.user, bob.id);

    // Unlinked, the account leads here no more, and takes its role along.
    let me = Arrived {
        token: server.client().log_in(&ann).await,
        user: ann.id.clone(),
    };
    unlink(&server, &me).await;
    let anew = Arrived {
        token: server.client().log_in(&ann).await,
        user: ann.id.clone(),
    };
    assert_eq!(roles(&server, &anew).await, "");
    assert_ne!(log_in(&server, "alice", "alice-pass").await.user, ann.id);
}

#[tokio::test]
async fn a_group_gives_a_role_for_as_long_as_somebody_is_in_it() {
    let (slapd, server) = directory_and_server().await;
    let other = server.client().sign_up("other").await;
    let (alice, bob) = (
        log_in(&server, "alice", "alice-pass").await,
        log_in(&server, "bob", "bob-pass").await,
    );
    assert_eq!(
        (roles(&server, &alice).await, roles(&server, &bob).await),
        ("auditor".to_owned(), String::new())
    );
    assert!(audits(&server, &alice, &other).await);
    assert!(!audits(&server, &bob, &other).await);
    // Bob takes over.
    change(
        &slapd,
        "dn: cn=admins,ou=groups,dc=example,dc=test\nchangetype: modify\nreplace: member\n\
         member: uid=bob,ou=people,dc=example,dc=test\n",
    );
    let later = log_in(&server, "alice", "alice-pass").await;
    assert_eq!((&later.user, &*roles(&server, &later).await), (&alice.user, ""));
    for token in [&alice, &later] {
        assert!(!audits(&server, token, &other).await, "no session of hers does");
    }
    let bob = log_in(&server, "bob", "bob-pass").await;
    assert_eq!(roles(&server, &bob).await, "auditor");
    assert!(audits(&server, &bob, &other).await);
}

#[tokio::test]
async fn where_only_known_users_come_in_a_stranger_is_refused() {
    let (_slapd, server) = directory_and_server().await;
    show(&server.client(), "/auth/known", "bob", "bob-pass")
        .await
        .refused(403, "USER_UNKNOWN");
    told_the_operator(&server, "known", "USER_UNKNOWN").await;
    // A wrong password hears nothing of who is known.
    show(&server.client(), "/auth/known", "bob", "alice-pass")
        .await
        .refused(401, "LOGIN_FAILED");
    let ann = server.client().sign_up("ann").await;
    let client = server.client().with(&server.client().log_in(&ann).await);
    show(&client, "/link/link-json", "bob", "bob-pass")
        .await
        .expect(200)
        .done();
    let known = show(&server.client(), "/auth/known", "bob", "bob-pass").await;
    assert_eq!(arrived(&known.expect(200)).user, ann.id);
}

#[tokio::test]
async fn who_has_a_second_factor_is_asked_for_it_by_the_directory_too() {
    let (_slapd, server) = directory_and_server().await;
    let alice = log_in(&server, "alice", "alice-pass").await;
    let (client, person) = (server.client(), person(&alice, "alice@example.test"));
    let secret = add_app(&client.with(&alice.token), &person, "Pocket").await;
    let waits = show(&client, "/auth/ldap", "alice", "alice-pass").await;
    waits.refused(401, "SECOND_FACTOR_REQUIRED");
    assert!(waits.at("access_token").is_empty());
    assert_eq!(waits.json()["error"]["details"]["methods"], json!(["totp"]));
    let challenge = waits.at("error/details/challenge");
    let wrong = two_factor::other_than(&app_code(&secret, 1));
    two_factor::type_code_with(&client, &person, &wrong, &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
    let code = app_code(&secret, 1);
    let opened = two_factor::type_code_with(&client, &person, &code, &challenge).await;
    assert_eq!(opened.expect(200).at("userId"), alice.user);
    // On the page, too.
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/page")).await.expect(200);
    let right = [("username", "alice"), ("password", "alice-pass")];
    let page = browser.submit(&page, "/auth/page", &right).await;
    assert!(!browser.is_logged_in(), "{}: {}", page.url, page.reply.text);
}
