//! Nothing is said to whom the certificates do not vouch for.

use domain::ports::ProviderFault as Fault;
use e2e::Counterparty;
use identity_ldap::LdapConfig;

use crate::support::{Authority, check, fault, searched, unavailable};

/// Over TLS from the start, and after `StartTLS`.
fn ways(slapd: &Counterparty, authority: &Authority) -> [LdapConfig; 2] {
    let ways = slapd.addresses().into_iter().map(|address| LdapConfig {
        ca: Some(authority.pem.clone()),
        start_tls: true,
        ..searched(&address.replace("127.0.0.1", "localhost"))
    });
    ways.collect::<Vec<_>>().try_into().unwrap()
}

#[tokio::test]
async fn a_directory_that_is_vouched_for_is_believed() {
    let authority = Authority::new();
    let slapd = authority.slapd("good", &[("REQUIRE_TLS", "1")]).await;
    for config in ways(&slapd, &authority) {
        assert!(
            check(&config, "alice", "alice-pass").await.is_ok(),
            "{:?}",
            config.urls
        );
        assert_eq!(
            fault(check(&config, "alice", "wrong").await),
            Fault::DirectoryPassword
        );
        let by_number = LdapConfig {
            urls: vec![config.urls[0].replace("localhost", "127.0.0.1")],
            ..config
        };
        assert!(check(&by_number, "alice", "alice-pass").await.is_ok());
    }
    let plain = crate::support::plain(&slapd);
    assert_eq!(
        fault(check(&searched(&plain), "alice", "alice-pass").await),
        Fault::DirectoryRefused,
        "this one wants TLS"
    );
}

#[tokio::test]
async fn a_directory_that_is_not_vouched_for_is_told_nothing() {
    let authority = Authority::new();
    for (certificate, reason) in [
        ("wrong-host", "not valid for name"),
        ("expired", "expired"),
        ("untrusted", "UnknownIssuer"),
    ] {
        let slapd = authority.slapd(certificate, &[]).await;
        for config in ways(&slapd, &authority) {
            let why = unavailable(check(&config, "alice", "alice-pass").await);
            assert!(why.contains(reason), "{certificate}: {why}");
        }
        assert!(!slapd.said().contains("BIND"), "{}", slapd.said());
    }
}

#[tokio::test]
async fn the_systems_authorities_do_not_vouch_for_just_anybody() {
    let authority = Authority::new();
    let slapd = authority.slapd("good", &[]).await;
    for config in ways(&slapd, &authority) {
        let config = LdapConfig { ca: None, ..config };
        let why = unavailable(check(&config, "alice", "alice-pass").await);
        assert!(why.contains("certificate"), "{why}");
    }
}

#[tokio::test]
async fn a_directory_that_will_not_go_on_in_tls_is_told_nothing() {
    let authority = Authority::new();
    // Without a certificate it has no TLS to go on in.
    let slapd = Counterparty::slapd(&[]).await;
    let config = LdapConfig {
        start_tls: true,
        ca: Some(authority.pem.clone()),
        ..searched(&crate::support::plain(&slapd))
    };
    assert_eq!(
        fault(check(&config, "alice", "alice-pass").await),
        Fault::DirectoryRefused
    );
    assert!(!slapd.said().contains("BIND"), "{}", slapd.said());
}
