use domain::secret::Secret;
use domain::time::Lifetime;

/// How long a positive assertion counts, either way of our clock, unless configured otherwise.
const MAX_AGE: Lifetime = Lifetime::from_secs(300);

/// Whose habits the provider has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenID Authentication 2.0 as it is written: everything is discovered.
    Standard,
    /// Steam: one endpoint, identifiers that hold the account's number, no extensions. Nothing is discovered.
    Steam,
}

/// One OpenID 2.0 provider. Made by a constructor; every field may be changed afterwards.
#[derive(Clone, Debug)]
pub struct OpenId2Config {
    /// Whose habits the provider has.
    pub dialect: Dialect,
    /// Where discovery begins (`providerURL`, `identifier`): the provider's own identifier, or the claimed identifier of the only
    /// person who logs in by this entry. Of Steam its endpoint.
    pub identifier: String,
    /// What the person is asked to trust (`realm`, section 9.2); may begin its host with `*.`. None means the origin of the callback.
    pub realm: Option<String>,
    /// Whether name and e-mail address are asked for, by Simple Registration and by Attribute Exchange (`profile`).
    pub profile: bool,
    /// Further attributes to ask for by Attribute Exchange: the name they have in what `profileMapping` and `roleMapping` read, and
    /// the type's address.
    pub attributes: Vec<(String, String)>,
    /// Which of [`OpenId2Config::attributes`] lists the account's groups.
    pub groups_attribute: Option<String>,
    /// The hosts that claimed identifiers may be at, `*.example.com` for everything below one. Empty: wherever discovery says that the
    /// provider may speak for them.
    pub identifier_hosts: Vec<String>,
    /// Within what a subject is unique. None means [`OpenId2Config::identifier`] in its normal form.
    pub issuer: Option<String>,
    /// Whether the operator takes the provider's word on e-mail addresses. OpenID 2.0 has no way to say that one is confirmed, so only
    /// `Some(true)` makes them count as vouched for.
    pub email_trusted: Option<bool>,
    /// Steam's Web API key (`apiKey`): with it name and picture are fetched.
    pub api_key: Option<Secret>,
    /// Where Steam's Web API is.
    pub api_base: String,
    /// How old, and how far in the future, the time in a response's nonce may be.
    pub max_age: Lifetime,
}

impl OpenId2Config {
    /// A provider found by discovery, asked for name and address.
    pub fn discovered(identifier: impl Into<String>) -> Self {
        Self {
            dialect: Dialect::Standard,
            identifier: identifier.into(),
            realm: None,
            profile: true,
            attributes: Vec::new(),
            groups_attribute: None,
            identifier_hosts: Vec::new(),
            issuer: None,
            email_trusted: None,
            api_key: None,
            api_base: "https://api.steampowered.com".to_owned(),
            max_age: MAX_AGE,
        }
    }

    /// Steam, for this realm.
    pub fn steam(realm: impl Into<String>) -> Self {
        Self {
            dialect: Dialect::Steam,
            realm: Some(realm.into()),
            profile: false,
            issuer: Some("https://steamcommunity.com/openid".to_owned()),
            ..Self::discovered("https://steamcommunity.com/openid/login")
        }
    }
}
