//! Passkeys, which need no word in the configuration: they are there wherever the server's address can have them.

use std::sync::Arc;

use domain::ports::PasskeyVerifier;

use super::choice::{AdapterError, Kind, Known};

/// What can judge passkeys.
pub const KIND: Kind = Kind {
    key: "server.public_url",
    known: &[Known {
        words: &["https://DOMAIN", "http://localhost"],
        feature: "passkey-webauthn",
        compiled: cfg!(feature = "passkey-webauthn"),
    }],
};

/// What judges passkeys of the site at `public_url`, which devices show as `name`. None, with a warning, where there can be none: at an IP address, and in a binary
/// without the adapter.
///
/// # Errors
/// [`AdapterError::Unusable`]: that is no address of a web site.
#[cfg(feature = "passkey-webauthn")]
pub fn open(name: &str, public_url: &str) -> Result<Option<Arc<dyn PasskeyVerifier>>, AdapterError> {
    use passkey_webauthn::{Site, SiteError, WebauthnVerifier};

    match Site::at(public_url, name) {
        Ok(site) => Ok(Some(Arc::new(WebauthnVerifier::new(&site)))),
        Err(error @ SiteError::IpAddress(_)) => {
            tracing::warn!("no passkeys: {error}; set `server.public_url`");
            Ok(None)
        }
        Err(error @ SiteError::Address(_)) => Err(AdapterError::Unusable {
            key: KIND.key,
            why: error.to_string(),
        }),
    }
}

/// As above, without the adapter.
///
/// # Errors
/// None.
#[cfg(not(feature = "passkey-webauthn"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "one form for both, so that nobody else asks for the feature"
)]
pub fn open(_name: &str, _public_url: &str) -> Result<Option<Arc<dyn PasskeyVerifier>>, AdapterError> {
    tracing::warn!("no passkeys: this binary was built without passkey-webauthn");
    Ok(None)
}

#[cfg(test)]
#[cfg(feature = "passkey-webauthn")]
mod tests {
    use super::*;

    fn opened(public_url: &str) -> Result<bool, AdapterError> {
        open("", public_url).map(|verifier| verifier.is_some())
    }

    #[test]
    fn a_domain_has_passkeys_and_an_ip_address_has_none() {
        assert!(opened("https://login.example.com").unwrap());
        assert!(opened("http://localhost:3000").unwrap());
        assert!(!opened("http://127.0.0.1:3000").unwrap());
        assert!(!opened("https://[2001:db8::1]").unwrap());
        assert!(opened("login").is_err());
    }
}
