//! Who comes in, as whom.

use std::time::Duration;

use domain::ports::ProviderFault as Fault;
use domain::secret::Secret;
use e2e::Counterparty;
use identity_ldap::{LdapConfig, LdapLogin};
use serde_json::json;

use crate::support::{BASE, PEOPLE, READER, UID, ask, check, directory, fault, plain, searched};

/// In `slapd.ldif`.
const ALICE: &str = "6b1f6f6e-3b0c-4a52-9f0e-7f3c1f0a1001";

fn direct(url: &str) -> LdapConfig {
    LdapConfig::direct(url, BASE, format!("uid={{{{username}}}},{PEOPLE}"))
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(field, name)| ((*field).to_owned(), (*name).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_person_arrives_with_an_id_that_stays_and_all_that_is_known() {
    let slapd = Counterparty::slapd(&[]).await;
    for config in [searched(&plain(&slapd)), direct(&plain(&slapd))] {
        let arrival = check(&config, "alice", "alice-pass").await.unwrap();
        assert_eq!(arrival.subject, ALICE);
        let issuer = format!("{}/dc=example,dc=test", plain(&slapd));
        assert_eq!(arrival.issuer, issuer);
        let profile = &arrival.profile;
        assert_eq!(profile.username.as_deref(), Some("Alice Example"));
        assert_eq!(profile.name.family_name.as_deref(), Some("Example"));
        let emails: Vec<_> = profile
            .emails
            .iter()
            .map(|email| (&*email.value, email.verified))
            .collect();
        assert_eq!(
            emails,
            [("alice@example.test", false), ("alice.alias@example.test", false)]
        );
        let raw = &arrival.raw;
        assert_eq!(raw["telephoneNumber"], json!("+49 30 1234567"));
        assert_eq!(raw["mobile"], json!("+49 170 7654321"));
        assert_eq!(raw["objectGUID"], json!("00112233-4455-6677-8899-aabbccddeeff"));
        assert_eq!(raw["objectSid"], json!("S-1-5-21-123456789-2555930801-1-501"));
        assert_eq!(raw["dn"], json!(format!("uid=alice,{PEOPLE}")));
        assert_eq!(raw.get("userPassword"), None);
    }
}

#[tokio::test]
async fn a_mapping_names_the_profile_and_the_id() {
    let slapd = Counterparty::slapd(&[]).await;
    let config = LdapConfig {
        profile_attributes: pairs(&[("id", "employeeNumber"), ("username", "uid"), ("phone", "mobile")]),
        search_attributes: vec!["uid".to_owned()],
        email_trusted: Some(true),
        ..searched(&plain(&slapd))
    };
    let arrival = check(&config, "alice", "alice-pass").await.unwrap();
    assert_eq!(arrival.subject, "1001");
    assert_eq!(arrival.profile.username.as_deref(), Some("alice"));
    assert_eq!(arrival.raw["phone"], json!("+49 170 7654321"));
    assert_eq!(
        arrival.raw.get("telephoneNumber"),
        None,
        "only what is asked for is read"
    );
    assert!(arrival.profile.emails[0].verified);
}

#[tokio::test]
async fn an_id_may_be_any_attribute_that_has_one_value() {
    let slapd = Counterparty::slapd(&[]).await;
    for (attribute, subject) in [
        ("objectGUID", Some("00112233-4455-6677-8899-aabbccddeeff")),
        ("objectSid", Some("S-1-5-21-123456789-2555930801-1-501")),
        ("uid", Some("alice")),
        ("mail", None),
        ("title", None),
    ] {
        let config = LdapConfig {
            subject_attribute: Some(attribute.to_owned()),
            ..searched(&plain(&slapd))
        };
        let answer = check(&config, "alice", "alice-pass").await;
        match subject {
            Some(subject) => assert_eq!(answer.unwrap().subject, subject, "{attribute}"),
            None => assert_eq!(fault(answer), Fault::SubjectMissing, "{attribute}"),
        }
    }
}

#[tokio::test]
async fn a_password_is_tried_on_an_entry_whose_name_needs_escaping() {
    let slapd = Counterparty::slapd(&[]).await;
    let arrival = check(&searched(&plain(&slapd)), "carol", "carol-pass").await;
    assert!(arrival.unwrap().groups.contains(&"staff".to_owned()));
}

#[tokio::test]
async fn nobody_in_particular_may_search_where_the_directory_lets_them() {
    let slapd = Counterparty::slapd(&[("ANONYMOUS", "1")]).await;
    let anonymous = LdapConfig {
        login: LdapLogin::Search { account: None },
        ..searched(&plain(&slapd))
    };
    let arrival = check(&anonymous, "alice", "alice-pass").await.unwrap();
    assert_eq!(arrival.subject, ALICE);
    assert_eq!(
        fault(check(&anonymous, "alice", "bob-pass").await),
        Fault::DirectoryPassword
    );
}

#[tokio::test]
async fn a_principal_that_is_no_name_finds_its_entry_and_proves_it() {
    let slapd = Counterparty::slapd(&[]).await;
    // OpenLDAP binds by names alone, so a bare principal has to be one here; commas are refused, and so nobody gets in.
    let bare = LdapConfig::direct(plain(&slapd), BASE, "{{username}}");
    let answer = check(&bare, &format!("uid=alice,{PEOPLE}"), "alice-pass").await;
    assert_eq!(fault(answer), Fault::DirectoryPassword);
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_told_apart() {
    let slapd = Counterparty::slapd(&[]).await;
    for config in [searched(&plain(&slapd)), direct(&plain(&slapd))] {
        for (name, password, expected) in [
            ("locked", "locked-pass", Fault::DirectoryLocked),
            ("expired", "expired-pass", Fault::DirectoryPasswordExpired),
            ("mustchange", "needs-change", Fault::DirectoryMustChange),
            ("expired", "wrong-pass", Fault::DirectoryPassword),
            ("mustchange", "wrong-pass", Fault::DirectoryPassword),
            ("bare", "any-pass", Fault::DirectoryPassword),
            ("nobody", "any-pass", Fault::DirectoryPassword),
        ] {
            let answer = check(&config, name, password).await;
            assert_eq!(fault(answer), expected, "{name} {password}");
        }
    }
}

#[tokio::test]
async fn what_makes_it_another_password_is_refused_before_anybody_is_asked() {
    let slapd = Counterparty::slapd(&[]).await;
    let directory = directory(&searched(&plain(&slapd)));
    for password in ["", " ", "\u{3000}", "\0", "\0alice-pass", "alice-pass\0"] {
        assert_eq!(
            fault(ask(&directory, "alice", password).await),
            Fault::DirectoryPassword
        );
    }
    // The log shows who bound: our own account, and whoever came with a password.
    ask(&directory, "bob", "bob-pass").await.unwrap();
    let bob = format!("BIND dn=\"uid=bob,{PEOPLE}\" method");
    for _ in 0..500 {
        let said = slapd.said();
        if said.contains(&bob) {
            let binds = said
                .lines()
                .filter(|line| line.contains("BIND dn=") && line.contains("method"));
            assert_eq!(binds.count(), 2, "{said}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no bind in {}", slapd.said());
}

#[tokio::test]
async fn our_own_account_with_a_wrong_password_is_the_operators_affair() {
    let slapd = Counterparty::slapd(&[]).await;
    for (name, password) in [
        (READER, "wrong"),
        ("cn=nobody,dc=example,dc=test", "reader-secret"),
    ] {
        let config = LdapConfig::search(plain(&slapd), BASE, UID).with_account(name, Secret::new(password));
        let answer = check(&config, "alice", "alice-pass").await;
        assert!(format!("{answer:?}").contains("bindDn"));
        assert_eq!(fault(answer), Fault::DirectoryRefused);
    }
}

#[tokio::test]
async fn a_base_that_is_not_there_is_the_operators_affair() {
    let slapd = Counterparty::slapd(&[]).await;
    let config = LdapConfig {
        search_base: "ou=nowhere,dc=example,dc=test".to_owned(),
        ..searched(&plain(&slapd))
    };
    assert_eq!(
        fault(check(&config, "alice", "alice-pass").await),
        Fault::DirectoryRefused
    );
}

#[tokio::test]
async fn a_referral_is_not_followed() {
    let slapd = Counterparty::slapd(&[]).await;
    // The whole tree has a reference to nowhere in it, and people are found in spite of it.
    assert!(
        check(&searched(&plain(&slapd)), "alice", "alice-pass")
            .await
            .is_ok()
    );
    let config = LdapConfig {
        search_base: "ou=elsewhere,dc=example,dc=test".to_owned(),
        ..searched(&plain(&slapd))
    };
    assert_eq!(
        fault(check(&config, "alice", "alice-pass").await),
        Fault::DirectoryRefused
    );
}

#[tokio::test]
async fn another_directory_with_the_same_people_is_another_issuer() {
    let (here, there) = (
        Counterparty::slapd(&[]).await,
        Counterparty::slapd(&[("FOREIGN", "dc=example,dc=elsewhere")]).await,
    );
    let foreign = LdapConfig {
        search_base: "dc=example,dc=elsewhere".to_owned(),
        ..LdapConfig::search(plain(&there), "", UID)
            .with_account("cn=reader,dc=example,dc=elsewhere", Secret::new("reader-secret"))
    };
    let here = check(&searched(&plain(&here)), "alice", "alice-pass")
        .await
        .unwrap();
    let there = check(&foreign, "alice", "alice-pass").await.unwrap();
    assert_eq!(here.subject, there.subject);
    assert_ne!(here.issuer, there.issuer);
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_not_there() {
    let slapd = Counterparty::slapd(&[]).await;
    let config = LdapConfig {
        urls: vec!["ldap://127.0.0.1:1".to_owned(), plain(&slapd)],
        ..searched("")
    };
    let directory = directory(&config);
    for _ in 0..2 {
        let arrival = ask(&directory, "alice", "alice-pass").await.unwrap();
        // Whichever answered, it is one directory.
        assert_eq!(arrival.issuer, "ldap://127.0.0.1:1/dc=example,dc=test");
    }
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_says_nothing() {
    let slapd = Counterparty::slapd(&[]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("ldap://{}", listener.local_addr().unwrap());
    for config in [searched(&silent), direct(&silent)] {
        let config = LdapConfig {
            urls: vec![silent.clone(), plain(&slapd)],
            connect_timeout: Duration::from_millis(500),
            ..config
        };
        assert!(check(&config, "alice", "alice-pass").await.is_ok());
    }
}

#[tokio::test]
async fn one_turn_is_enough_for_many_who_come_at_once() {
    let slapd = Counterparty::slapd(&[]).await;
    let config = LdapConfig {
        pool_size: 1,
        ..searched(&plain(&slapd))
    };
    let directory = std::sync::Arc::new(directory(&config));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let directory = directory.clone();
            tokio::spawn(async move { ask(&directory, "alice", "alice-pass").await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().subject, ALICE);
    }
    let said = slapd.said();
    let own = said
        .lines()
        .filter(|line| line.contains(&format!("BIND dn=\"{READER}\" method")));
    assert_eq!(own.count(), 1, "our own account binds once: {said}");
}
