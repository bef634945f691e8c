//! A real mail server on loopback that keeps what it gets, with the faults that mail servers have.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::counterparty::{Counterparty, authority};

/// How long a mail may take to arrive, in seconds: longer than a claim holds that a killed server leaves behind.
const PATIENCE: u32 = 100;

/// A running mail server, and the authority that vouches for it.
pub struct MailServer {
    party: Counterparty,
    authority: TempDir,
    port: u16,
    tls_port: u16,
}

impl MailServer {
    /// One that works, with a good certificate for `localhost` and 127.0.0.1.
    pub async fn start() -> Self {
        Self::showing("localhost").await
    }

    /// One that shows this certificate: `localhost`, `wrong-host`, `untrusted`, `expired`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn showing(certificate: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        authority(folder.path());
        let party = Counterparty::smtp(folder.path(), certificate).await;
        let ports = party.tell("ports", &json!({})).await;
        let port = |name: &str| {
            let port = ports.get(name).and_then(Value::as_u64);
            port.and_then(|port| u16::try_from(port).ok()).expect("a port")
        };
        Self {
            port: port("smtp"),
            tls_port: port("smtps"),
            party,
            authority: folder,
        }
    }

    /// Where it offers STARTTLS.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where it speaks TLS from the first byte on.
    pub const fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The authority's certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder().join("ca.pem")
    }

    /// Where the certificates are.
    pub fn folder(&self) -> &Path {
        self.authority.path()
    }

    /// `[mail]` for a server that sends by it: STARTTLS, login and all.
    pub fn config(&self) -> String {
        format!(
            "[mail]\nurl = \"smtp://mailer:mailer-secret@localhost:{}\"\nca_file = \"{}\"\nfrom = \"Example <noreply@example.com>\"\n",
            self.port,
            self.ca_file().display()
        )
    }

    /// What goes wrong the next `times` times; for ever if negative.
    pub async fn fault(&self, name: &str, times: i32) {
        self.party
            .tell(&format!("fault?name={name}&times={times}"), &json!({}))
            .await;
    }

    /// All it got, in order.
    pub async fn mails(&self) -> Vec<Value> {
        listed(self.party.tell("messages", &json!({})).await)
    }

    /// All mails to an address, once there are that many.
    ///
    /// # Panics
    /// When they do not come in time.
    pub async fn mails_to(&self, address: &str, count: usize) -> Vec<Value> {
        let address = address.replace('+', "%2B");
        let what = format!("wait?to={address}&n={count}&timeout={PATIENCE}");
        let mails = listed(self.party.tell(&what, &json!({})).await);
        assert!(
            mails.len() >= count,
            "{} of {count} mails to {address}",
            mails.len()
        );
        mails
    }
}

fn listed(answer: Value) -> Vec<Value> {
    serde_json::from_value(answer).expect("a list of mails")
}
