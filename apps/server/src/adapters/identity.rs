//! Providers: each entry of `providers.json` by the adapter that speaks its protocol.

use std::sync::Arc;

use domain::ports::ProviderAdapter;
use outbound_http::Outbound;

use super::choice::{Kind, Known};
use crate::providers::remote::{Dialect, Remote};

/// The protocols there are. Entries choose, by their module.
pub const KIND: Kind = Kind {
    key: "module",
    known: &[
        Known {
            words: &["oauth2"],
            feature: "identity-oauth2",
            compiled: cfg!(feature = "identity-oauth2"),
        },
        Known {
            words: &["oidc"],
            feature: "identity-oidc",
            compiled: cfg!(feature = "identity-oidc"),
        },
        Known {
            words: &["oauth1"],
            feature: "identity-oauth1",
            compiled: cfg!(feature = "identity-oauth1"),
        },
    ],
};

/// An adapter for one entry.
pub struct Opened {
    /// The adapter.
    pub adapter: ProviderAdapter,
    /// What it asks for: what the entry says, or what the dialect usually asks.
    pub scopes: Vec<String>,
}

/// The feature that speaks a dialect.
fn feature(dialect: Dialect) -> &'static str {
    if dialect.is_oauth1() {
        "identity-oauth1"
    } else if dialect.is_oidc() {
        "identity-oidc"
    } else {
        "identity-oauth2"
    }
}

/// Makes the adapter of an entry. Asks nobody yet.
///
/// # Errors
/// A sentence about the entry: its protocol is not in this binary, or the adapter will not have it so.
pub fn open(remote: &Remote, outbound: &Outbound) -> Result<Opened, String> {
    match feature(remote.dialect) {
        #[cfg(feature = "identity-oauth2")]
        "identity-oauth2" => oauth2::open(remote, outbound),
        #[cfg(feature = "identity-oidc")]
        "identity-oidc" => oidc::open(remote, outbound),
        #[cfg(feature = "identity-oauth1")]
        "identity-oauth1" => oauth1::open(remote, outbound),
        other => {
            let _ = outbound;
            let title = remote.dialect.title();
            Err(format!(
                "it speaks {title}, but this binary was built without it: build it with `--features {other}`"
            ))
        }
    }
}

/// Replaces what the entry gives.
#[cfg(any(
    feature = "identity-oauth2",
    feature = "identity-oidc",
    feature = "identity-oauth1"
))]
fn set<T: Clone>(place: &mut T, given: Option<&T>) {
    if let Some(given) = given {
        place.clone_from(given);
    }
}

#[cfg(feature = "identity-oauth2")]
mod oauth2 {
    use domain::identity::ProviderClient;
    use identity_oauth2::{Endpoints, OAuth2Config, OAuth2Provider};

    use super::{Arc, Dialect, Opened, Outbound, ProviderAdapter, Remote, set};

    pub fn open(remote: &Remote, outbound: &Outbound) -> Result<Opened, String> {
        let config = config(remote);
        let scopes = config.scopes.clone();
        let provider = OAuth2Provider::new(config, outbound.clone()).map_err(|error| error.to_string())?;
        Ok(Opened {
            adapter: ProviderAdapter::redirect(Arc::new(provider)),
            scopes,
        })
    }

    fn config(remote: &Remote) -> OAuth2Config {
        let mut config = profile(remote);
        let endpoints = &remote.endpoints;
        set(&mut config.authorization_url, endpoints.authorization.as_ref());
        set(&mut config.token_url, endpoints.token.as_ref());
        set(&mut config.user_info_url, endpoints.profile.as_ref());
        if let Some(emails) = &endpoints.emails {
            config.emails_url = Some(emails.clone());
        } else if let (Some(_), Some(user)) = (&config.emails_url, &endpoints.profile) {
            // GitHub's own servers in a company: the addresses are below the user, wherever that is.
            config.emails_url = Some(format!("{}/emails", user.trim_end_matches('/')));
        }
        set(&mut config.scope_separator, remote.scope_separator.as_ref());
        config.authorization_params.clone_from(&remote.params);
        config.custom_headers.clone_from(&remote.headers);
        config.profile_fields.clone_from(&remote.profile_fields);
        config.issuer.clone_from(&remote.issuer);
        config.email_trusted = remote.email_verified;
        config
    }

    fn profile(remote: &Remote) -> OAuth2Config {
        let client = ProviderClient {
            client_id: remote.client_id.clone(),
            client_secret: remote.client_secret.clone(),
        };
        let scopes = remote.scopes.clone();
        match remote.dialect {
            Dialect::Facebook => {
                let version = remote.graph_version.as_deref();
                let version = version.unwrap_or(OAuth2Config::FACEBOOK_VERSION);
                OAuth2Config::facebook(version, client, scopes)
            }
            Dialect::GitHub => OAuth2Config::github(client, scopes),
            Dialect::X => OAuth2Config::x(client, scopes),
            Dialect::GoogleLegacy => OAuth2Config::google_legacy(client, scopes),
            Dialect::LinkedInLegacy => OAuth2Config::linkedin(client, scopes),
            _ => {
                let given = |url: &Option<String>| url.clone().unwrap_or_default();
                let endpoints = Endpoints {
                    authorization_url: given(&remote.endpoints.authorization),
                    token_url: given(&remote.endpoints.token),
                    user_info_url: given(&remote.endpoints.profile),
                };
                OAuth2Config::generic(endpoints, client, scopes)
            }
        }
    }
}

#[cfg(feature = "identity-oidc")]
mod oidc {
    use identity_oidc::{ClientSecret, EmailRule, OidcConfig, OidcProvider, UserInfo};

    use super::{Arc, Dialect, Opened, Outbound, ProviderAdapter, Remote, set};

    /// Whose accounts Microsoft lets in when the entry does not say.
    const EVERY_TENANT: &str = "common";

    pub fn open(remote: &Remote, outbound: &Outbound) -> Result<Opened, String> {
        let config = config(remote);
        let openid = std::iter::once("openid".to_owned());
        let others = config.scopes.iter().filter(|scope| *scope != "openid").cloned();
        let scopes = openid.chain(others).collect();
        let provider = OidcProvider::new(config, outbound.clone()).map_err(|error| error.to_string())?;
        Ok(Opened {
            adapter: ProviderAdapter::redirect(Arc::new(provider)),
            scopes,
        })
    }

    fn config(remote: &Remote) -> OidcConfig {
        let mut config = profile(remote);
        set(&mut config.issuer, remote.issuer.as_ref());
        let endpoints = &remote.endpoints;
        config.authorization_endpoint.clone_from(&endpoints.authorization);
        config.token_endpoint.clone_from(&endpoints.token);
        config.userinfo_endpoint.clone_from(&endpoints.profile);
        config.jwks_uri.clone_from(&endpoints.keys);
        config.client_secret = secret(remote);
        if !remote.scopes.is_empty() {
            config.scopes.clone_from(&remote.scopes);
        }
        config.authorization_params.clone_from(&remote.params);
        if remote.skip_profile {
            config.userinfo = UserInfo::Never;
        }
        match remote.email_verified {
            Some(true) => config.email_rule = EmailRule::Always,
            Some(false) => config.email_rule = EmailRule::Never,
            None => {}
        }
        config
    }

    fn profile(remote: &Remote) -> OidcConfig {
        let client = remote.client_id.as_str();
        match remote.dialect {
            Dialect::Google => OidcConfig::google(client),
            Dialect::LinkedIn => OidcConfig::linkedin(client),
            Dialect::Microsoft => {
                OidcConfig::microsoft(remote.tenant.as_deref().unwrap_or(EVERY_TENANT), client)
            }
            Dialect::Apple => OidcConfig::apple(client),
            _ => OidcConfig::generic(remote.issuer.as_deref().unwrap_or_default(), client),
        }
    }

    fn secret(remote: &Remote) -> ClientSecret {
        if let Some(apple) = &remote.apple {
            return ClientSecret::Apple {
                team_id: apple.team_id.clone(),
                key_id: apple.key_id.clone(),
                private_key_pem: apple.private_key.clone(),
            };
        }
        let fixed = remote.client_secret.clone();
        fixed.map_or(ClientSecret::None, ClientSecret::Fixed)
    }
}

#[cfg(feature = "identity-oauth1")]
mod oauth1 {
    use domain::identity::ProviderClient;
    use identity_oauth1::{Endpoints, OAuth1Config, OAuth1Provider, SignatureMethod};

    use super::{Arc, Dialect, Opened, Outbound, ProviderAdapter, Remote, set};

    pub fn open(remote: &Remote, outbound: &Outbound) -> Result<Opened, String> {
        let provider =
            OAuth1Provider::new(config(remote), outbound.clone()).map_err(|error| error.to_string())?;
        Ok(Opened {
            adapter: ProviderAdapter::redirect(Arc::new(provider)),
            scopes: Vec::new(),
        })
    }

    fn config(remote: &Remote) -> OAuth1Config {
        let client = ProviderClient {
            client_id: remote.client_id.clone(),
            client_secret: remote.client_secret.clone(),
        };
        let given = &remote.endpoints;
        let text = |url: &Option<String>| url.clone().unwrap_or_default();
        let mut config = if remote.dialect == Dialect::Twitter {
            OAuth1Config::twitter(client)
        } else {
            let endpoints = Endpoints {
                request_token_url: text(&given.request_token),
                access_token_url: text(&given.token),
                user_authorization_url: text(&given.authorization),
                user_profile_url: text(&given.profile),
            };
            OAuth1Config::generic(endpoints, client)
        };
        set(&mut config.request_token_url, given.request_token.as_ref());
        set(&mut config.access_token_url, given.token.as_ref());
        set(&mut config.user_authorization_url, given.authorization.as_ref());
        set(&mut config.user_profile_url, given.profile.as_ref());
        set(&mut config.include_email, remote.include_email.as_ref());
        config.email_distrusted = remote.email_verified == Some(false);
        set(&mut config.email_trusted, remote.email_verified.as_ref());
        if remote.sha256 {
            config.signature_method = SignatureMethod::HmacSha256;
        }
        config.authorization_params.clone_from(&remote.params);
        config.custom_headers.clone_from(&remote.headers);
        config.issuer.clone_from(&remote.issuer);
        config
    }
}
