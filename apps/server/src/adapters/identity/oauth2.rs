//! Entries that speak OAuth 2.0.

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

/// Within what its ids are unique.
pub fn issuer(remote: &Remote) -> Option<String> {
    config(remote).effective_issuer()
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
