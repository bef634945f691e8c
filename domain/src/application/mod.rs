//! Client applications: programs that call us for people, with keys and provider credentials of their own.

mod details;

pub use details::ApplicationDetails;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::access::RoleMapping;
use crate::entropy::Entropy;
use crate::id::{ApplicationId, ProviderName};
use crate::secret::{Sealed, Secret, Token, TokenHash};
use crate::time::Timestamp;
use crate::user::Revision;

/// The keys of an application, in the order LoopBack compares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyType {
    /// `clientKey`
    ClientKey,
    /// `javaScriptKey`
    JavaScriptKey,
    /// `restApiKey`
    RestApiKey,
    /// `windowsKey`
    WindowsKey,
    /// `masterKey`
    MasterKey,
}

impl KeyType {
    /// All of them, in LoopBack's order.
    pub const ALL: [Self; 5] = [
        Self::ClientKey,
        Self::JavaScriptKey,
        Self::RestApiKey,
        Self::WindowsKey,
        Self::MasterKey,
    ];

    /// LoopBack's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientKey => "clientKey",
            Self::JavaScriptKey => "javaScriptKey",
            Self::RestApiKey => "restApiKey",
            Self::WindowsKey => "windowsKey",
            Self::MasterKey => "masterKey",
        }
    }

    /// Whether it may stand in an address: those that ship inside programs anybody can read are no secrets.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::ClientKey | Self::JavaScriptKey | Self::WindowsKey)
    }
}

/// One key, hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationKey {
    /// Which.
    pub kind: KeyType,
    /// Its hash.
    pub hash: TokenHash,
}

/// An application's own client at a provider: LoopBack's `ApplicationCredential`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationCredential {
    /// The provider.
    pub provider: ProviderName,
    /// LoopBack's `authScheme`.
    pub auth_scheme: String,
    /// `clientID` or `consumerKey`.
    pub client_id: String,
    /// `clientSecret` or `consumerSecret`, sealed; none for public clients.
    pub client_secret: Option<Sealed>,
    /// Where the provider sends people back to, if not to the entry's own callback.
    pub callback_url: Option<String>,
    /// When it was set.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// A client application.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// Names it.
    pub id: ApplicationId,
    /// Which change of this record it is.
    pub revision: Revision,
    /// What people call it.
    pub name: String,
    /// Its keys, hashed.
    pub keys: Vec<ApplicationKey>,
    /// Its own clients at providers, one per provider.
    pub credentials: Vec<ApplicationCredential>,
    /// The roles it was given.
    pub mappings: Vec<RoleMapping>,
    /// Since when its keys open nothing; none while they do. LoopBack's `authenticationEnabled`, turned round.
    pub disabled: Option<Timestamp>,
    /// What is said about it.
    pub details: ApplicationDetails,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// The keys of a new application, shown once.
#[derive(Clone, Debug)]
pub struct ApplicationKeys(Vec<(KeyType, Secret)>);

impl ApplicationKeys {
    /// Draws five keys of 40 hexadecimal digits, as LoopBack's are.
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        let draw = |kind| {
            let mut bytes = [0_u8; 20];
            entropy.fill(&mut bytes);
            let digits = bytes.iter().fold(String::with_capacity(40), |mut digits, byte| {
                let _ = write!(digits, "{byte:02x}");
                digits
            });
            (kind, Secret::new(digits))
        };
        Self(KeyType::ALL.into_iter().map(draw).collect())
    }

    /// Each key and its text.
    pub fn each(&self) -> impl Iterator<Item = (KeyType, &Secret)> {
        self.0.iter().map(|(kind, key)| (*kind, key))
    }

    /// What may be stored.
    pub fn hashed(&self) -> Vec<ApplicationKey> {
        let hash = |(kind, key): (KeyType, &Secret)| ApplicationKey {
            kind,
            hash: Token::presented(key.expose()).hash(),
        };
        self.each().map(hash).collect()
    }
}

impl Application {
    /// Which of the application's keys this is, if any; none while it is disabled. Every key is compared, so that time tells nothing.
    pub fn recognise(&self, key: &Token) -> Option<KeyType> {
        let hash = key.hash();
        let mut found = None;
        for stored in &self.keys {
            let same: bool = stored.hash.as_bytes().ct_eq(hash.as_bytes()).into();
            if same && found.is_none() {
                found = Some(stored.kind);
            }
        }
        found.filter(|_| self.disabled.is_none())
    }

    /// Its own client at a provider.
    pub fn credential(&self, provider: &ProviderName) -> Option<&ApplicationCredential> {
        self.credentials
            .iter()
            .find(|credential| credential.provider == *provider)
    }

    /// A copy to change: one revision further.
    #[must_use]
    pub fn changed(&self, now: Timestamp) -> Self {
        Self {
            revision: self.revision.next(),
            modified: now,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::CountingEntropy;

    #[test]
    fn a_key_is_recognised_by_its_kind_and_no_other_text_is() {
        let mut entropy = CountingEntropy::default();
        let keys = ApplicationKeys::draw(&mut entropy);
        let application = Application {
            id: ApplicationId::draw(&mut entropy),
            revision: Revision::default(),
            name: "shop".to_owned(),
            keys: keys.hashed(),
            credentials: Vec::new(),
            mappings: Vec::new(),
            disabled: None,
            details: ApplicationDetails::default(),
            created: Timestamp::from_millis(0),
            modified: Timestamp::from_millis(0),
        };
        for (kind, key) in keys.each() {
            assert_eq!(key.expose().len(), 40);
            assert_eq!(application.recognise(&Token::presented(key.expose())), Some(kind));
        }
        assert_eq!(application.recognise(&Token::presented("")), None);

        let disabled = Application {
            disabled: Some(Timestamp::from_millis(1)),
            ..application
        };
        let opens = |key: &Secret| disabled.recognise(&Token::presented(key.expose()));
        assert!(keys.each().all(|(_, key)| opens(key).is_none()));
    }
}
