//! A configuration that was found good.

use crate::client_secret::Signer;
use crate::config::{ClientSecret, ConfigError, OidcConfig, wrong};
use crate::discovery::{configured, is_endpoint};
use crate::issuer::Issuers;

/// What the authorization request says anyway; from the configuration it would weaken it.
const OURS: &[&str] = &[
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// The configuration, and what was read out of it once.
#[derive(Debug)]
pub struct Settled {
    /// As given.
    pub config: OidcConfig,
    /// Who may issue ID tokens.
    pub issuers: Issuers,
    /// Apple's way to a secret.
    pub signer: Option<Signer>,
    /// The `hd` every answer must have.
    pub hosted_domain: Option<String>,
    /// The `max_age` every answer must keep, in seconds.
    pub max_age: Option<i64>,
}

impl Settled {
    /// Judges a configuration.
    pub fn new(config: OidcConfig) -> Result<Self, ConfigError> {
        if config.client_id.trim().is_empty() {
            return wrong("client id: it is empty");
        }
        let issuers = Issuers::new(&config.issuer, &config.issuer_rule)?;
        judge_addresses(&config)?;
        if issuers.needs_discovery() && configured(&config).is_some() {
            return wrong("issuer: a tenant named by its domain needs discovery; give the tenant's id");
        }
        judge_params(&config)?;
        let signer = match &config.client_secret {
            ClientSecret::Fixed(secret) if secret.expose().is_empty() => {
                return wrong("client secret: it is empty");
            }
            ClientSecret::None | ClientSecret::Fixed(_) => None,
            ClientSecret::Apple {
                team_id,
                key_id,
                private_key_pem,
            } => Some(Signer::new(team_id, key_id, private_key_pem)?),
        };
        Ok(Self {
            issuers,
            signer,
            hosted_domain: param(&config, "hd").map(str::to_owned),
            max_age: param(&config, "max_age").and_then(|age| age.parse().ok()),
            config,
        })
    }
}

fn param<'a>(config: &'a OidcConfig, name: &str) -> Option<&'a str> {
    let mut found = config
        .authorization_params
        .iter()
        .filter(|(given, _)| given == name);
    found.next().map(|(_, value)| value.as_str())
}

fn judge_addresses(config: &OidcConfig) -> Result<(), ConfigError> {
    let given = [
        ("issuer", Some(&config.issuer)),
        ("authorization endpoint", config.authorization_endpoint.as_ref()),
        ("token endpoint", config.token_endpoint.as_ref()),
        ("userinfo endpoint", config.userinfo_endpoint.as_ref()),
        ("jwks address", config.jwks_uri.as_ref()),
    ];
    for (name, address) in given {
        if address.is_some_and(|address| !is_endpoint(address, true)) {
            return wrong(format!(
                "{name}: it must be an https address (http only on this machine)"
            ));
        }
    }
    if config.issuer.contains('?') {
        return wrong("issuer: it has no query");
    }
    Ok(())
}

fn judge_params(config: &OidcConfig) -> Result<(), ConfigError> {
    for (name, _) in &config.authorization_params {
        if OURS.contains(&name.as_str()) {
            return wrong(format!(
                "authorization parameter {name}: it is set for every request"
            ));
        }
    }
    match param(config, "max_age").map(str::parse::<u32>) {
        Some(Err(_)) => wrong("authorization parameter max_age: it must be seconds"),
        _ => Ok(()),
    }
}
