//! Entries that speak OAuth 1.0a.

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

/// Within what its ids are unique.
pub fn issuer(remote: &Remote) -> Option<String> {
    config(remote).effective_issuer()
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
