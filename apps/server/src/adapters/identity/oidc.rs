//! Entries that speak OpenID Connect.

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

/// Within what its ids are unique.
pub fn issuer(remote: &Remote) -> String {
    config(remote).issuer
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
        Dialect::Microsoft => OidcConfig::microsoft(remote.tenant.as_deref().unwrap_or(EVERY_TENANT), client),
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
