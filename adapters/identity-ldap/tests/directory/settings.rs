//! What a configuration may say.

use std::time::Duration;

use domain::secret::Secret;
use identity_ldap::{GroupSearch, LdapConfig, LdapConfigError as Error, LdapDirectory, LdapLogin};

use crate::support::{BASE, UID, searched};

fn error(config: &LdapConfig) -> Error {
    let Err(error) = LdapDirectory::new(config) else {
        panic!("that is taken: {config:?}");
    };
    error
}

fn at(url: &str) -> LdapConfig {
    searched(url)
}

#[test]
fn passwords_do_not_cross_a_network_in_the_clear_unless_the_operator_insists() {
    let far = at("ldap://ldap.example.com");
    assert_eq!(
        error(&far),
        Error::Plaintext("ldap://ldap.example.com".to_owned())
    );
    let second = LdapConfig {
        urls: vec!["ldap://localhost".to_owned(), "ldap://10.0.0.1".to_owned()],
        ..at("")
    };
    assert!(matches!(error(&second), Error::Plaintext(_)));
    for config in [
        LdapConfig {
            start_tls: true,
            ..far.clone()
        },
        LdapConfig {
            allow_plaintext: true,
            ..far
        },
        at("ldaps://ldap.example.com"),
        at("ldap://localhost"),
        at("ldap://127.0.0.2:1389"),
        at("ldap://[::1]:1389/"),
    ] {
        assert!(LdapDirectory::new(&config).is_ok(), "{:?}", config.urls);
    }
}

#[test]
fn an_address_is_a_server_and_nothing_else() {
    for url in [
        "",
        "ldap.example.com",
        "https://ldap.example.com",
        "ldapi:///tmp/x",
        "ldaps://",
        "ldaps://ldap.example.com/dc=example",
        "ldaps://cn=admin:pw@ldap.example.com",
        "ldaps://ldap.example.com?x",
        "ldaps://a b",
    ] {
        assert_eq!(error(&at(url)), Error::Address(url.to_owned()), "{url}");
    }
    let none = LdapConfig {
        urls: Vec::new(),
        ..at("")
    };
    assert_eq!(error(&none), Error::NoAddress);
}

#[test]
fn a_filter_that_asks_for_no_name_is_refused() {
    for filter in [
        "(objectClass=person)",
        "(uid={{user}})",
        "(uid={{username}}",
        "uid={{username}})(x=y",
        "(uid={{username",
    ] {
        let config = LdapConfig {
            search_filter: Some(filter.to_owned()),
            ..at("ldap://localhost")
        };
        assert!(
            matches!(error(&config), Error::Filter { field, .. } if field == "searchFilter"),
            "{filter}"
        );
    }
    let config = LdapConfig {
        search_filter: None,
        ..at("ldap://localhost")
    };
    assert_eq!(error(&config), Error::Missing("searchFilter"));
    let groups = GroupSearch {
        filter: Some("(member={{uid}})".to_owned()),
        ..GroupSearch::default()
    };
    let config = LdapConfig {
        groups,
        ..at("ldap://localhost")
    };
    assert!(matches!(error(&config), Error::Filter { field, .. } if field == "groupSearchFilter"));
}

#[test]
fn half_an_account_is_none() {
    for (name, password) in [("", "secret"), ("cn=reader", ""), ("cn=reader", " ")] {
        let config =
            LdapConfig::search("ldap://localhost", BASE, UID).with_account(name, Secret::new(password));
        assert_eq!(error(&config), Error::ServiceAccount);
    }
}

#[test]
fn a_distinguished_name_is_no_subject() {
    for name in ["dn", "DN", "entryDN"] {
        let config = LdapConfig {
            subject_attribute: Some(name.to_owned()),
            ..at("ldap://localhost")
        };
        assert_eq!(error(&config), Error::Subject);
        let mapped = LdapConfig {
            profile_attributes: vec![("id".to_owned(), name.to_owned())],
            ..at("ldap://localhost")
        };
        assert_eq!(error(&mapped), Error::Subject);
    }
}

#[test]
fn what_else_is_missing_or_senseless_is_said() {
    let local = || at("ldap://localhost");
    let baseless = LdapConfig {
        search_base: " ".to_owned(),
        ..local()
    };
    assert_eq!(error(&baseless), Error::Missing("searchBase"));
    let principal = LdapConfig {
        login: LdapLogin::Direct {
            principal: "ann@corp.example".to_owned(),
        },
        ..local()
    };
    assert_eq!(error(&principal), Error::Principal("ann@corp.example".to_owned()));
    let hurried = LdapConfig {
        timeout: Duration::ZERO,
        ..local()
    };
    assert_eq!(error(&hurried), Error::Limit("timeout"));
    let crowded = LdapConfig {
        pool_size: 0,
        ..local()
    };
    assert_eq!(error(&crowded), Error::Limit("poolSize"));
    for ca in [
        "",
        "no PEM",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let config = LdapConfig {
            ca: Some(ca.to_owned()),
            ..at("ldaps://localhost")
        };
        assert!(matches!(error(&config), Error::Authorities(_)), "{ca}");
    }
}

#[test]
fn an_issuer_is_the_server_and_the_base_unless_it_is_said() {
    let issuer = |config: LdapConfig| config.effective_issuer().unwrap();
    let based = |url: &str| LdapConfig {
        search_base: "DC=Corp, DC=Example".to_owned(),
        ..at(url)
    };
    let expected = "ldap://ldap.example.com/dc=corp,dc=example";
    // One server, with and without TLS, is one directory.
    for url in [
        "ldaps://LDAP.example.com",
        "ldap://ldap.example.com:389",
        "ldaps://ldap.example.com:636/",
    ] {
        assert_eq!(issuer(based(url)), expected);
    }
    let port = issuer(based("ldaps://ldap.example.com:1636"));
    assert_eq!(port, "ldap://ldap.example.com:1636/dc=corp,dc=example");
    assert_eq!(
        issuer(based("ldap://[::1]:1389")),
        "ldap://[::1]:1389/dc=corp,dc=example"
    );
    let direct = LdapConfig::direct(
        "ldaps://ldap.example.com",
        "",
        "uid={{username}},DC=corp,DC=example",
    );
    assert_eq!(issuer(direct), expected);
    let said = LdapConfig {
        issuer: Some("corp".to_owned()),
        ..based("ldaps://ldap.example.com")
    };
    assert_eq!(issuer(said), "corp");
}

#[test]
fn a_configuration_shows_no_password() {
    let shown = format!("{:?}", at("ldap://localhost"));
    assert!(!shown.contains("reader-secret"), "{shown}");
}
