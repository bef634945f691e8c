//! The configuration, read once.

use http::HeaderValue;
use outbound_http::check_address;
use url::Url;

use crate::address::{Reach, identifier, without_fragment};
use crate::extension::is_taken;
use crate::realm::Realm;
use crate::{Dialect, OpenId2Config, OpenId2ConfigError};

/// Steam's own identifier, and its endpoint.
const STEAM: &str = "https://steamcommunity.com/openid";
const STEAM_ENDPOINT: &str = "https://steamcommunity.com/openid/login";

/// What [`OpenId2Config`] comes to.
pub struct Ready {
    pub identifier: Url,
    pub reach: Reach,
    pub realm: Option<Realm>,
    pub issuer: String,
    pub api_base: Url,
    pub api_key: Option<HeaderValue>,
}

impl Ready {
    pub fn new(config: &OpenId2Config) -> Result<Self, OpenId2ConfigError> {
        let admitted = |url: &Url| check_address(url.as_str()).is_ok();
        let given = match (config.dialect, config.identifier.trim()) {
            // As `passport-steam` is told, which looks the endpoint up there.
            (Dialect::Steam, STEAM) => STEAM_ENDPOINT,
            (_, given) => given,
        };
        let found = identifier(given).map(|url| without_fragment(&url));
        let identifier = found.filter(admitted).ok_or(OpenId2ConfigError::Identifier)?;
        let api_base = Url::parse(&config.api_base).ok().filter(admitted);
        judge_attributes(config)?;
        Ok(Self {
            reach: Reach::of(&identifier),
            realm: realm(config)?,
            issuer: config.issuer.clone().unwrap_or_else(|| identifier.to_string()),
            identifier,
            api_base: api_base.ok_or(OpenId2ConfigError::ApiBase)?,
            api_key: api_key(config)?,
        })
    }
}

fn realm(config: &OpenId2Config) -> Result<Option<Realm>, OpenId2ConfigError> {
    let Some(text) = &config.realm else {
        return Ok(None);
    };
    Realm::parse(text).map(Some).ok_or(OpenId2ConfigError::Realm)
}

fn api_key(config: &OpenId2Config) -> Result<Option<HeaderValue>, OpenId2ConfigError> {
    let Some(key) = &config.api_key else {
        return Ok(None);
    };
    let mut value = HeaderValue::from_str(key.expose()).map_err(|_| OpenId2ConfigError::ApiKey)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn judge_attributes(config: &OpenId2Config) -> Result<(), OpenId2ConfigError> {
    let mut seen: Vec<&str> = Vec::new();
    for (name, kind) in &config.attributes {
        let letters = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let own = !name.is_empty() && letters && !is_taken(name) && !seen.contains(&name.as_str());
        if !own || Url::parse(kind).is_err() {
            return Err(OpenId2ConfigError::Attribute { name: name.clone() });
        }
        seen.push(name);
    }
    match &config.groups_attribute {
        Some(name) if !seen.contains(&name.as_str()) => {
            Err(OpenId2ConfigError::Groups { name: name.clone() })
        }
        _ => Ok(()),
    }
}
