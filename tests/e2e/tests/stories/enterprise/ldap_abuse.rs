//! What must not get in by a directory, and what is said when it is not there.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use e2e::{Counterparty, Portcullis, authority};
use serde_json::json;

use super::ldap::{directory, plain, show};
use super::told_the_operator;
use crate::providers::entries::{arrived, file, json_entry, with};

const PATH: &str = "/auth/ldap";

/// A directory, and a server with these settings.
async fn directory_and_server(config: &str) -> (Counterparty, Portcullis) {
    let slapd = Counterparty::slapd(&[]).await;
    let server = limited(&plain(&slapd), config).await;
    (slapd, server)
}

/// A server with limits that asks the directory at this address.
async fn limited(url: &str, config: &str) -> Portcullis {
    let entries = file([("ldap", json_entry(directory(url, &json!({}))))]);
    let setup = Portcullis::setup().limited().config(config);
    setup.providers(&entries).start().await
}

#[tokio::test]
async fn an_empty_password_is_refused_before_anybody_is_asked() {
    let (slapd, server) = directory_and_server("limits.login_per_account_and_address.free = 60").await;
    for password in ["", " ", "\t", "\u{a0}", "\0", "\0alice-pass"] {
        show(&server.client(), PATH, "alice", password)
            .await
            .refused(401, "LOGIN_FAILED");
    }
    for body in [
        json!({ "username": "alice" }),
        json!({ "username": "alice", "password": null }),
    ] {
        let reply = server.client().post(PATH, body).await;
        assert!((400..=422).contains(&reply.status), "{}", reply.text);
    }
    for password in [json!([]), json!({ "$ne": "" }), json!(true), json!(0)] {
        let body = json!({ "username": "alice", "password": password });
        server.client().post(PATH, body).await.expect(400).done();
    }
    told_the_operator(&server, "ldap", "DIRECTORY_PASSWORD").await;
    assert!(!slapd.said().contains("BIND dn="), "{}", slapd.said());
    show(&server.client(), PATH, "alice", "alice-pass")
        .await
        .expect(200)
        .done();
    assert!(slapd.said().contains("BIND dn=\"uid=alice,"));
}

#[tokio::test]
async fn no_name_reaches_beyond_its_place_in_a_filter() {
    let (slapd, server) = directory_and_server("limits.login_per_address.burst = 1000").await;
    let long = "x".repeat(10_000);
    for name in [
        "*",
        "al*",
        "alice)(uid=*",
        "*)(|(uid=*",
        "alice\0",
        "alice\\00",
        "alice\\2a",
        "alice,ou=people,dc=example,dc=test",
        "uid=alice,ou=people,dc=example,dc=test",
        "alice+cn=x",
        "cn=reader,dc=example,dc=test",
        "${jndi:ldap://127.0.0.1:1/x}",
        "../../etc/passwd",
        "{{dn}}",
        &long,
    ] {
        for password in ["alice-pass", "reader-secret"] {
            let reply = show(&server.client(), PATH, name, password).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (401, "LOGIN_FAILED"),
                "{name:.40}"
            );
        }
    }
    let said = slapd.said();
    assert!(
        !said.contains("BIND dn=\"uid=") && !said.contains("xxxxxxxx"),
        "{said}"
    );
    // Names that are nothing but odd are people like others.
    let mut users = BTreeSet::new();
    for (name, password) in [
        ("star*", "star-pass"),
        ("(d)a,ve\\+", "dave-pass"),
        ("åsa", "pässword-ü"),
        ("carol", "carol-pass"),
    ] {
        let reply = show(&server.client(), PATH, name, password).await.expect(200);
        assert!(users.insert(arrived(&reply).user), "{name}");
    }
    // A name that fits two opens neither.
    show(&server.client(), PATH, "twin", "twin-pass")
        .await
        .refused(401, "LOGIN_FAILED");
    told_the_operator(&server, "ldap", "DIRECTORY_AMBIGUOUS").await;
}

const SPELLINGS: [&str; 6] = ["alice", "ALICE", " alice", "Alice ", "aLiCe", "\u{ff41}lice"];

#[tokio::test]
async fn however_a_name_is_spelt_it_is_one_user_and_one_counter() {
    // Fewer than the directory takes itself.
    let config = "limits.login_per_account_and_address.free = 4\nlimits.login_per_address.burst = 1000";
    let (_slapd, server) = directory_and_server(config).await;
    let mut users = BTreeSet::new();
    for name in SPELLINGS {
        let reply = show(&server.client(), PATH, name, "alice-pass").await;
        // Directories do not agree about wide letters: who gets in is alice, or nobody does.
        if reply.status == 200 || name.is_ascii() {
            users.insert(arrived(&reply.expect(200)).user);
        }
    }
    assert_eq!(users.len(), 1);
    let guesser = server.client_from("127.0.0.9");
    for name in &SPELLINGS[..4] {
        show(&guesser, PATH, name, "guess")
            .await
            .refused(401, "LOGIN_FAILED");
    }
    for name in SPELLINGS {
        let reply = show(&guesser, PATH, name, "alice-pass").await.expect(429);
        assert!(!reply.header("retry-after").is_empty());
    }
    // Others are not locked out by it, nor is she elsewhere.
    show(&guesser, PATH, "bob", "bob-pass").await.expect(200).done();
    show(&server.client(), PATH, "alice", "alice-pass")
        .await
        .expect(200)
        .done();
}

#[tokio::test]
async fn wrong_passwords_are_counted_and_right_ones_given_back() {
    let config = "limits.login_per_account_and_address.free = 3\nlimits.login_per_account_and_address.wait_seconds = 2";
    let (_slapd, server) = directory_and_server(config).await;
    let client = server.client();
    for _ in 0..30 {
        show(&client, PATH, "bob", "bob-pass").await.expect(200).done();
    }
    for _ in 0..3 {
        show(&client, PATH, "bob", "guess")
            .await
            .refused(401, "LOGIN_FAILED");
    }
    let held = show(&client, PATH, "bob", "bob-pass").await.expect(429);
    let wait: u64 = held.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    tokio::time::sleep(std::time::Duration::from_secs(wait + 1)).await;
    show(&client, PATH, "bob", "bob-pass").await.expect(200).done();
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_told_to_whoever_knows_its_password() {
    let (_slapd, server) = directory_and_server("").await;
    for (name, password, code) in [
        ("expired", "expired-pass", "DIRECTORY_PASSWORD_EXPIRED"),
        ("mustchange", "needs-change", "DIRECTORY_PASSWORD_MUST_CHANGE"),
    ] {
        show(&server.client(), PATH, name, password)
            .await
            .refused(401, code);
        told_the_operator(&server, "ldap", code).await;
        show(&server.client(), PATH, name, "guess")
            .await
            .refused(401, "LOGIN_FAILED");
    }
    for (name, password) in [
        ("locked", "locked-pass"),
        ("bare", "x"),
        ("nobody", "x"),
        ("alice", "x"),
    ] {
        show(&server.client(), PATH, name, password)
            .await
            .refused(401, "LOGIN_FAILED");
    }
    told_the_operator(&server, "ldap", "DIRECTORY_PASSWORD").await;
}

#[tokio::test]
async fn a_directory_with_a_bad_certificate_hears_no_password() {
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path());
    let (ca, at) = (folder.path().join("ca.pem"), folder.path().display().to_string());
    let trusting = json!({ "tlsOptions": { "ca_file": ca }, "connectTimeout": 2000 });
    let start_tls = json!({ "tlsOptions": { "ca_file": ca }, "starttls": true });
    for (certificate, status) in [
        ("wrong-host", 502),
        ("untrusted", 502),
        ("expired", 502),
        ("localhost", 200),
    ] {
        let slapd = Counterparty::slapd(&[("CA", at.as_str()), ("CERT", certificate)]).await;
        let name = |address: &str| address.replace("127.0.0.1", "localhost");
        let tls = name(slapd.addresses()[0]);
        // One directory, by whichever of its addresses.
        let entry = |url: &str, more| with(json_entry(directory(url, more)), &json!({ "issuer": "corp" }));
        let server = Portcullis::setup()
            .providers(&file([
                ("tls", entry(&tls, &trusting)),
                ("start-tls", entry(&name(&plain(&slapd)), &start_tls)),
                ("own-authorities", entry(&tls, &json!({}))),
            ]))
            .start()
            .await;
        for (entry, status) in [("tls", status), ("start-tls", status), ("own-authorities", 502)] {
            let reply = show(&server.client(), &format!("/auth/{entry}"), "alice", "alice-pass").await;
            assert_eq!(reply.status, status, "{certificate} at {entry}: {}", reply.text);
            if status == 502 {
                reply.refused(502, "PROVIDER_UNAVAILABLE");
                assert!(!reply.text.contains("ertificate"), "that is the operator's");
            }
        }
        assert_eq!(slapd.said().contains("BIND dn="), status == 200, "{certificate}");
    }
    // Who stands in between says that there is no TLS.
    let stripped = Counterparty::slapd(&[]).await;
    let entry = json_entry(directory(&plain(&stripped), &start_tls));
    let server = Portcullis::setup()
        .providers(&file([("ldap", entry)]))
        .start()
        .await;
    show(&server.client(), PATH, "alice", "alice-pass")
        .await
        .refused(502, "PROVIDER_UNAVAILABLE");
    assert!(!stripped.said().contains("BIND dn="));
}

#[tokio::test]
async fn a_directory_that_is_gone_has_judged_nothing() {
    let config = "limits.login_per_address.burst = 3\nlimits.login_per_account_and_address.free = 3";
    let (slapd, server) = directory_and_server(config).await;
    let client = server.client();
    show(&client, PATH, "alice", "alice-pass")
        .await
        .expect(200)
        .done();
    drop(slapd);
    for password in ["alice-pass", "guess"].repeat(4) {
        show(&client, PATH, "alice", password)
            .await
            .refused(502, "PROVIDER_UNAVAILABLE");
    }
    server
        .log()
        .wait("the audit event", 0, |line| {
            line.contains("provider.unavailable").then_some(())
        })
        .await;
    // An empty password is none, whoever is there.
    show(&client, PATH, "alice", "")
        .await
        .refused(401, "LOGIN_FAILED");
    client.get("/healthz").await.expect(200).done();
}

#[tokio::test]
async fn a_directory_that_refuses_us_is_for_the_operator() {
    let slapd = Counterparty::slapd(&[]).await;
    let refused = json!({ "bindCredentials": "another-secret" });
    let entries = file([("ldap", json_entry(directory(&plain(&slapd), &refused)))]);
    let config = "limits.login_per_address.burst = 3";
    let server = Portcullis::setup()
        .limited()
        .config(config)
        .providers(&entries)
        .start()
        .await;
    for _ in 0..6 {
        show(&server.client(), PATH, "alice", "alice-pass")
            .await
            .refused(502, "PROVIDER_UNAVAILABLE");
    }
    told_the_operator(&server, "ldap", "DIRECTORY_REFUSED").await;
    let mut written = server.log().text();
    let _ = write!(written, "{}", server.console().text());
    assert!(!written.contains("another-secret") && !written.contains("alice-pass"));
}
