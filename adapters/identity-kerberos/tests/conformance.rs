//! The conformance cases, run against a real KDC.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "realm/support.rs"]
mod support;

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use conformance::Link;
use conformance::negotiator::{Bearer, Browsers, NegotiatorFixture};
use conformance::password_directory::{Account, DirectoryFixture};
use domain::ports::PasswordDirectory;
use domain::time::Lifetime;
use identity_kerberos::{KerberosConfig, KerberosRealm};
use support::{Kdc, SERVICE, now};

/// People with tickets, each with a cache of their own.
struct People(Mutex<Kdc>);

impl People {
    fn kdc(&self) -> MutexGuard<'_, Kdc> {
        self.0.lock().unwrap()
    }

    fn token_for(&self, person: &str, password: &str, service: &str) -> Vec<u8> {
        let kdc = self.kdc();
        if !kdc.cache(person).exists() {
            kdc.log_in(person, password, &[]);
        }
        kdc.browser(person, service).shown()
    }
}

#[async_trait]
impl Browsers for People {
    async fn token(&self, bearer: Bearer) -> Vec<u8> {
        let (person, password) = match bearer {
            Bearer::Ann => ("alice", "alice-krb"),
            Bearer::Bob => ("bob", "bob-krb"),
            Bearer::Stranger => ("alice@OTHER.LOCALHOST", "alice-other"),
        };
        self.token_for(person, password, SERVICE)
    }

    async fn token_for_another_service(&self) -> Vec<u8> {
        self.token_for("alice", "alice-krb", "HTTP/idp.test@TEST.LOCALHOST")
    }

    fn rewrapped(&self, token: &[u8]) -> Vec<Vec<u8>> {
        support::rewrapped(token)
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime::from_secs(24 * 3_600)
    }
}

async fn tickets() -> NegotiatorFixture {
    let kdc = Kdc::start();
    NegotiatorFixture {
        port: Arc::new(kdc.realm()),
        browsers: Arc::new(People(Mutex::new(kdc))),
        now,
    }
}

/// A directory whose KDC ends with it.
struct Directory {
    realm: KerberosRealm,
    _kdc: Kdc,
}

#[async_trait]
impl PasswordDirectory for Directory {
    async fn check(
        &self,
        attempt: &domain::ports::DirectoryAttempt,
    ) -> Result<domain::ports::Arrival, domain::ports::ProviderError> {
        self.realm.check(attempt).await
    }
}

async fn passwords() -> DirectoryFixture {
    let kdc = Kdc::start();
    let link = Link::to(kdc.address()).await;
    let by = |name: &str, address: &str| {
        let path = kdc.settings_for(name, address);
        KerberosRealm::new(&KerberosConfig {
            krb5_conf: Some(path),
            timeout: Lifetime::from_secs(2),
            max_concurrent: 12,
            ..kdc.config()
        })
    };
    let realm = by("link.conf", &link.address()).unwrap();
    let nowhere = by("nowhere.conf", "127.0.0.1:1").unwrap();
    DirectoryFixture {
        port: Arc::new(Directory { realm, _kdc: kdc }),
        nowhere: Arc::new(nowhere),
        ann: Account::new("alice", "alice-krb"),
        bob: Account::new("bob", "bob-krb"),
        odd: vec![
            Account::new("odd)(*=&|,+#<>;'", "odd-krb"),
            Account::new("bjørn", "bjorn-krb"),
        ],
        spellings: vec![
            "alice@TEST.LOCALHOST".to_owned(),
            "alice@test.localhost".to_owned(),
        ],
        several: None,
        link: Some(link),
    }
}

conformance::negotiator!(tickets);
conformance::password_directory!(passwords);
