//! Entries that speak OpenID 2.0.

use domain::secret::Secret;
use identity_openid2::{OpenId2Config, OpenId2Provider};
use outbound_http::Outbound;

use super::{Arc, Dialect, Opened, ProviderAdapter, Remote, set};

pub fn open(remote: &Remote, outbound: &Outbound) -> Result<Opened, String> {
    let provider =
        OpenId2Provider::new(config(remote)?, outbound.clone()).map_err(|error| error.to_string())?;
    Ok(Opened {
        adapter: ProviderAdapter::redirect(Arc::new(provider)),
        scopes: Vec::new(),
    })
}

fn config(remote: &Remote) -> Result<OpenId2Config, String> {
    let given = &remote.settings;
    let mut config = if remote.dialect == Dialect::Steam {
        OpenId2Config::steam(remote.client_id.clone())
    } else {
        let identifier = given.text("providerURL");
        OpenId2Config::discovered(identifier.clone().ok_or(
            "`providerURL` is missing: it is the address at which the provider tells how it is to be asked",
        )?)
    };
    set(&mut config.identifier, given.text("providerURL").as_ref());
    config.realm = given.text("realm");
    if remote.dialect != Dialect::Steam {
        set(&mut config.profile, given.get::<bool>("profile").as_ref());
    }
    set(
        &mut config.attributes,
        given.get::<Vec<(String, String)>>("attributes").as_ref(),
    );
    config.groups_attribute = given.text("groupsAttribute");
    set(
        &mut config.identifier_hosts,
        given.texts("identifierHosts").as_ref(),
    );
    if let Some(issuer) = given.text("issuer") {
        config.issuer = Some(issuer);
    }
    config.email_trusted = remote.email_verified;
    config.api_key = given.get::<Secret>("apiKey");
    set(&mut config.api_base, given.text("apiBase").as_ref());
    Ok(config)
}
