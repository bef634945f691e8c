//! The conformance cases, run against OpenLDAP: by search and bind, and by direct bind.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "directory/support.rs"]
mod support;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use conformance::Link;
use conformance::password_directory::{Account, DirectoryFixture};
use e2e::Counterparty;
use identity_ldap::{LdapConfig, LdapDirectory};
use support::{PEOPLE, directory, plain, searched};

/// One directory for each process: it ends with it.
static SLAPD: OnceLock<Counterparty> = OnceLock::new();

fn port(config: LdapConfig) -> Arc<LdapDirectory> {
    Arc::new(directory(&LdapConfig {
        timeout: Duration::from_secs(2),
        connect_timeout: Duration::from_secs(1),
        // Through a link it has another port each time.
        issuer: Some("ldap://conformance".to_owned()),
        ..config
    }))
}

async fn fixture(configure: fn(&str) -> LdapConfig) -> DirectoryFixture {
    let slapd = Counterparty::slapd(&[]).await;
    let server = plain(&slapd).replace("ldap://", "");
    let _ = SLAPD.set(slapd);
    let link = Link::to(server).await;
    DirectoryFixture {
        port: port(configure(&format!("ldap://{}", link.address()))),
        nowhere: port(configure("ldap://127.0.0.1:1")),
        ann: Account::new("alice", "alice-pass"),
        bob: Account::new("bob", "bob-pass"),
        odd: vec![
            Account::new("star*", "star-pass"),
            Account::new("(d)a,ve\\+", "dave-pass"),
            Account::new("åsa", "pässword-ü"),
        ],
        spellings: ["ALICE", "Alice", " alice ", "ａｌｉｃｅ"]
            .map(str::to_owned)
            .to_vec(),
        several: None,
        link: Some(link),
    }
}

mod by_search {
    use super::*;

    async fn fresh() -> DirectoryFixture {
        DirectoryFixture {
            several: Some(Account::new("twin", "twin-pass")),
            ..fixture(searched).await
        }
    }

    conformance::password_directory!(fresh);
}

mod directly {
    use super::*;

    fn configured(url: &str) -> LdapConfig {
        LdapConfig::direct(url, "", format!("uid={{{{username}}}},{PEOPLE}"))
    }

    async fn fresh() -> DirectoryFixture {
        fixture(configured).await
    }

    conformance::password_directory!(fresh);
}
