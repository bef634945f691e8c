//! One configured way to log in or link: what the core must know of an entry in `providers.json`.

use crate::id::{EntryName, PoolName, ProviderName, RoleName};
use crate::secret::Secret;

/// Whether a provider's ids mean the same to all its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectScope {
    /// One id per account, whoever asks.
    Issuer,
    /// Every client hears another id for the same account (Facebook): the client belongs to the key.
    Client,
}

/// One line of `profileMapping`: where a property of a new user comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedField {
    /// The property of the user.
    pub user_field: String,
    /// The place in the profile, as in `emails[0].value`.
    pub provider_field: String,
}

/// What a line of `roleMapping` looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleSource {
    /// A group of the account, compared without case.
    Group(String),
    /// A value in what the provider said, or one of a list there, compared letter by letter.
    Value {
        /// The place, as in `_json.department`.
        path: String,
        /// The value.
        value: String,
    },
}

/// One line of `roleMapping`: who gets a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRule {
    /// What must be so.
    pub source: RoleSource,
    /// The role it gives.
    pub role: RoleName,
}

/// A client at a provider: its id and secret, for OAuth 1.0a consumer key and secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderClient {
    /// `clientID` or `consumerKey`.
    pub client_id: String,
    /// `clientSecret` or `consumerSecret`; none for public clients.
    pub client_secret: Option<Secret>,
}

/// One configured entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one field per key of the file")]
pub struct ProviderEntry {
    /// The entry's key in the file.
    pub name: EntryName,
    /// The provider's name: entries of one provider share identities.
    pub provider: ProviderName,
    /// `authScheme`, as written or guessed.
    pub auth_scheme: String,
    /// The pool whose users log in by it.
    pub pool: PoolName,
    /// Whether it links to the user who is logged in, instead of logging in.
    pub link: bool,
    /// The entry's own client.
    pub client_id: String,
    /// Whether the provider's ids are the client's own.
    pub subjects: SubjectScope,
    /// The absolute address the provider sends people back to.
    pub callback_url: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Where a new user's properties come from; empty for the built-in way.
    pub mapping: Vec<MappedField>,
    /// Whether a new user may be without an e-mail address the provider vouches for.
    pub email_optional: bool,
    /// Who gets which role. Roles follow the provider: they are judged anew at each log-in, and go with the account's link.
    pub roles: Vec<RoleRule>,
    /// Whether nobody becomes a user by coming here: only those who are linked, or can prove that they are users already.
    pub only_known_users: bool,
    /// Whether the provider may send people who were not sent to it (SAML's IdP-initiated log-in, SAML Profiles section 4.1.5). Nothing
    /// binds such an answer to the browser that brings it: whoever has one can log somebody else in.
    pub unsolicited: bool,
}
