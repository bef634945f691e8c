//! Where a directory's servers are, and how they are reached.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::{Host, Url};

use crate::config::LdapConfig;
use crate::connection::{Connection, Trouble};
use crate::error::LdapConfigError;

const LDAP: u16 = 389;
const LDAPS: u16 = 636;

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Never.
    Plain,
    /// After a word (`starttls`).
    Upgraded,
    /// At once (`ldaps`).
    Tls,
}

/// Where one server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its name, or its number without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When TLS begins.
    pub security: Security,
}

impl Address {
    /// Reads an address. Whatever may stand behind it in an LDAP URL (RFC 4516) is configured elsewhere.
    pub fn parse(text: &str, start_tls: bool) -> Result<Self, LdapConfigError> {
        let wrong = || LdapConfigError::Address(text.to_owned());
        let url = Url::parse(text.trim()).map_err(|_| wrong())?;
        let (usual, security) = match url.scheme() {
            "ldaps" => (LDAPS, Security::Tls),
            "ldap" if start_tls => (LDAP, Security::Upgraded),
            "ldap" => (LDAP, Security::Plain),
            _ => return Err(wrong()),
        };
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_ascii_lowercase(),
            Some(Host::Ipv4(number)) => number.to_string(),
            Some(Host::Ipv6(number)) => number.to_string(),
            _ => return Err(wrong()),
        };
        if !bare || !nobody || ServerName::try_from(host.clone()).is_err() {
            return Err(wrong());
        }
        let port = url.port().unwrap_or(usual);
        Ok(Self { host, port, security })
    }

    /// The host, and the port if it is none of the usual two: a server is one directory with and without TLS.
    pub fn identity(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match self.port {
            LDAP | LDAPS => host,
            port => format!("{host}:{port}"),
        }
    }

    fn is_on_this_machine(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|number: IpAddr| number.is_loopback())
    }
}

/// All servers of one directory.
#[derive(Debug)]
pub struct Servers {
    addresses: Vec<Address>,
    tls: Option<Arc<ClientConfig>>,
    patience: Duration,
    /// Which one answered last: it is asked first.
    good: AtomicUsize,
}

impl Servers {
    /// Reads the configuration.
    pub fn new(config: &LdapConfig) -> Result<Self, LdapConfigError> {
        let mut addresses = Vec::new();
        for url in &config.urls {
            let address = Address::parse(url, config.start_tls)?;
            let plain = address.security == Security::Plain;
            if plain && !config.allow_plaintext && !address.is_on_this_machine() {
                return Err(LdapConfigError::Plaintext(url.clone()));
            }
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(LdapConfigError::NoAddress);
        }
        let encrypted = addresses
            .iter()
            .any(|address| address.security != Security::Plain);
        let tls = encrypted.then(|| client(config.ca.as_deref())).transpose()?;
        Ok(Self {
            addresses,
            tls: tls.map(Arc::new),
            patience: config.connect_timeout,
            good: AtomicUsize::new(0),
        })
    }

    /// In which order they are tried: all of them, the last that answered first.
    pub fn order(&self) -> impl Iterator<Item = usize> {
        let (good, count) = (self.good.load(Ordering::Relaxed), self.addresses.len());
        (0..count).map(move |step| (good + step) % count)
    }

    /// A connection to one of them, on which nothing was said yet.
    pub async fn connect(&self, which: usize) -> Result<Connection, Trouble> {
        let Some(address) = self.addresses.get(which) else {
            return Err(Trouble::Broken("there is no such server".to_owned()));
        };
        let opened = Connection::open(address, self.tls.clone());
        let opened = tokio::time::timeout(self.patience, opened).await;
        let late = || Trouble::Broken(format!("no connection within {:?}", self.patience));
        let opened = opened.unwrap_or_else(|_| Err(late()));
        let place = format!("{}:{}", address.host, address.port);
        let connection = opened.map_err(|trouble| trouble.at(&place))?;
        self.good.store(which, Ordering::Relaxed);
        Ok(connection.leading_to(which))
    }
}

/// TLS with verified certificates, 1.2 or newer.
fn client(ca: Option<&str>) -> Result<ClientConfig, LdapConfigError> {
    let system = |error: rustls::Error| LdapConfigError::System(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(system)?;
    let Some(ca) = ca else {
        let builder = builder.with_platform_verifier().map_err(system)?;
        return Ok(builder.with_no_client_auth());
    };
    let wrong = |why: &str| LdapConfigError::Authorities(why.to_owned());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        let certificate = certificate.map_err(|_| wrong("that is no PEM"))?;
        let added = roots.add(certificate);
        added.map_err(|_| wrong("one of the certificates cannot be read"))?;
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it"));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
