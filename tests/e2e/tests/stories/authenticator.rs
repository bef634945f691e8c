//! Somebody's authenticator, in software, with the browser's half of WebAuthn in front of it.

use async_trait::async_trait;
use e2e::{Client, Person, Portcullis, Reply};
use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client as WebauthnClient, DefaultClientData};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};
use serde_json::{Value, json};
use url::Url;

/// Somebody who agrees to everything, and shows who they are when they are asked.
struct Agreeable;

#[async_trait]
impl UserValidationMethod for Agreeable {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck {
            presence,
            verification,
        })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// An authenticator that holds this key, if any.
fn holding(key: Option<Passkey>) -> Authenticator<Option<Passkey>, Agreeable, RustCryptoBackend> {
    let mut authenticator = Authenticator::new(Aaguid::new_empty(), key, Agreeable, RustCryptoBackend);
    authenticator.set_make_credentials_with_signature_counter(true);
    authenticator
}

/// A device that holds one passkey, and the site it is used at.
pub struct Device {
    key: Option<Passkey>,
    site: Url,
}

impl Device {
    /// A new one, for a server that is reached at `localhost`.
    pub fn new(server: &Portcullis) -> Self {
        let site = Url::parse(&format!("http://localhost:{}", server.port()));
        Self {
            key: None,
            site: site.unwrap(),
        }
    }

    /// Makes a passkey for whoever this session is of.
    pub async fn enrol(&mut self, session: &Client, person: &Person) -> Reply {
        let begun = session
            .post(&format!("{}/factors/passkey/options", person.path()), json!({}))
            .await
            .expect(200)
            .json();
        let options: CredentialCreationOptions =
            serde_json::from_value(json!({ "publicKey": begun["publicKey"] })).unwrap();
        let mut browser = WebauthnClient::new(holding(None)).allows_insecure_localhost(true);
        let made = browser.register(&self.site, options, DefaultClientData).await;
        let body = json!({ "ceremony": begun["ceremony"], "credential": made.unwrap() });
        self.key.clone_from(browser.authenticator().store());
        session
            .post(&format!("{}/factors/passkey", person.path()), body)
            .await
    }

    /// This one in the hands of somebody who knows everything about another one's passkey but its private key: what it signs is well made,
    /// and signed by the wrong key.
    pub fn posing_as(&self, other: &Self) -> Self {
        let mut key = other.key.clone().unwrap();
        key.key = self.key.clone().unwrap().key;
        Self {
            key: Some(key),
            site: self.site.clone(),
        }
    }

    /// Asks what is to be signed: for a whole login, or for the one that a challenge continues.
    pub async fn asked(client: &Client, person: &Person, challenge: Option<&str>) -> Value {
        let body = challenge.map_or_else(|| json!({}), |challenge| json!({ "challenge": challenge }));
        let asked = client.post(&person.of_pool("passkey/options"), body).await;
        asked.expect(200).json()
    }

    /// Signs that: the body of `loginWithPasskey`.
    pub async fn sign(&mut self, asked: &Value) -> Value {
        let options: CredentialRequestOptions =
            serde_json::from_value(json!({ "publicKey": asked["publicKey"] })).unwrap();
        let mut browser = WebauthnClient::new(holding(self.key.clone())).allows_insecure_localhost(true);
        let signed = browser.authenticate(&self.site, options, DefaultClientData).await;
        let body = json!({ "ceremony": asked["ceremony"], "credential": signed.unwrap() });
        // Its counter went up.
        self.key.clone_from(browser.authenticator().store());
        body
    }

    /// Logs in by the passkey alone.
    pub async fn log_in(&mut self, client: &Client, person: &Person) -> Reply {
        let asked = Self::asked(client, person, None).await;
        let body = self.sign(&asked).await;
        client.post(&person.of_pool("loginWithPasskey"), body).await
    }
}
