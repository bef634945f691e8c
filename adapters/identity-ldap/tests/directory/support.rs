//! A real directory, and somebody to ask it.

use std::path::Path;
use std::time::Duration;

use domain::ports::{Arrival, DirectoryAttempt, PasswordDirectory as _, ProviderError, ProviderFault};
use domain::secret::Secret;
use domain::time::Timestamp;
use e2e::Counterparty;
use identity_ldap::{LdapConfig, LdapDirectory};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

pub const BASE: &str = "dc=example,dc=test";
pub const PEOPLE: &str = "ou=people,dc=example,dc=test";
pub const READER: &str = "cn=reader,dc=example,dc=test";
pub const UID: &str = "(uid={{username}})";

/// One that is searched as the service account, without much patience.
pub fn searched(url: &str) -> LdapConfig {
    LdapConfig {
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(5),
        ..LdapConfig::search(url, BASE, UID).with_account(READER, Secret::new("reader-secret"))
    }
}

pub fn directory(config: &LdapConfig) -> LdapDirectory {
    LdapDirectory::new(config).unwrap()
}

/// The address without TLS.
pub fn plain(slapd: &Counterparty) -> String {
    let addresses = slapd.addresses();
    let plain = addresses
        .into_iter()
        .find(|address| address.starts_with("ldap://"));
    plain.unwrap().to_owned()
}

pub async fn check(config: &LdapConfig, name: &str, password: &str) -> Result<Arrival, ProviderError> {
    ask(&directory(config), name, password).await
}

pub async fn ask(directory: &LdapDirectory, name: &str, password: &str) -> Result<Arrival, ProviderError> {
    let attempt = DirectoryAttempt {
        name: name.to_owned(),
        password: Secret::new(password),
        now: Timestamp::from_millis(1_800_000_000_000),
    };
    directory.check(&attempt).await
}

pub fn fault(answer: Result<Arrival, ProviderError>) -> ProviderFault {
    match answer {
        Err(ProviderError::Refused { fault, .. }) => fault,
        other => panic!("no refusal: {other:?}"),
    }
}

pub fn unavailable(answer: Result<Arrival, ProviderError>) -> String {
    match answer {
        Err(ProviderError::Unavailable(why)) => why,
        other => panic!("not unavailable: {other:?}"),
    }
}

/// An authority, and certificates of its own and of another one: `good`, `wrong-host`, `expired`, `untrusted`.
pub struct Authority {
    folder: TempDir,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (issuer("own"), issuer("other"));
        leaf(folder.path(), "good", &own, &["localhost", "127.0.0.1"], 4_000);
        leaf(folder.path(), "wrong-host", &own, &["elsewhere.example"], 4_000);
        leaf(folder.path(), "expired", &own, &["localhost", "127.0.0.1"], 2_020);
        leaf(
            folder.path(),
            "untrusted",
            &other,
            &["localhost", "127.0.0.1"],
            4_000,
        );
        Self {
            folder,
            pem: own.pem(),
        }
    }

    /// OpenLDAP that shows one of them.
    pub async fn slapd(&self, certificate: &str, further: &[(&str, &str)]) -> Counterparty {
        let folder = self.folder.path().display().to_string();
        let mut settings = vec![("CA", folder.as_str()), ("CERT", certificate)];
        settings.extend(further);
        Counterparty::slapd(&settings).await
    }
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(folder: &Path, name: &str, issuer: &CertifiedIssuer<'static, KeyPair>, hosts: &[&str], until: i32) {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.not_before = date_time_ymd(2_019, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}
