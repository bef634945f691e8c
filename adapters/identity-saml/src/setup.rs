//! From a configuration to keys and a provider, or to a sentence for the operator.

use std::sync::Arc;

use outbound_http::{Outbound, check_address};

use crate::keys::{OwnKey, TrustedKeys, read_certificates};
use crate::metadata::{Endpoint, IdpDescription, OwnCertificates, Source, read_metadata};
use crate::{SamlConfig, SamlConfigError};

/// Our own keys.
#[derive(Debug)]
pub struct Keys {
    /// What we sign with.
    pub signing: Option<OwnKey>,
    /// What is encrypted for us.
    pub decryption: Option<OwnKey>,
    /// The certificates of both.
    pub certificates: OwnCertificates,
}

/// All addresses are https, or on this machine.
pub fn judge_addresses(config: &SamlConfig) -> Result<(), SamlConfigError> {
    let all = [
        ("callbackURL", Some(&config.callback_url)),
        ("logoutCallbackUrl", config.logout_callback_url.as_ref()),
        ("metadataUrl", config.metadata_url.as_ref()),
        ("entryPoint", config.entry_point.as_ref()),
        ("logoutUrl", config.logout_url.as_ref()),
    ];
    for (key, address) in all {
        if address.is_some_and(|address| check_address(address).is_err()) {
            return Err(SamlConfigError::Address { key });
        }
    }
    Ok(())
}

/// Reads our own keys, and whether their certificates are theirs.
pub fn keys(config: &SamlConfig) -> Result<Keys, SamlConfigError> {
    let read = |key: &'static str, text: Option<&_>| {
        let own = text.map(OwnKey::read).transpose();
        own.map_err(|why| SamlConfigError::Key { key, why })
    };
    let signing = read("privateCert", config.private_key.as_ref())?;
    let decryption = read("decryptionPvk", config.decryption_key.as_ref())?;
    if decryption.as_ref().is_some_and(|key| !key.is_rsa()) {
        return Err(fault("decryptionPvk", "only for an RSA key can be encrypted"));
    }
    let certificates = OwnCertificates {
        signing: own_certificate(
            "signingCert",
            config.signing_certificate.as_deref(),
            signing.as_ref(),
        )?,
        encryption: own_certificate(
            "decryptionCert",
            config.decryption_certificate.as_deref(),
            decryption.as_ref(),
        )?,
    };
    Ok(Keys {
        signing,
        decryption,
        certificates,
    })
}

fn fault(key: &'static str, why: &str) -> SamlConfigError {
    SamlConfigError::Key {
        key,
        why: why.to_owned(),
    }
}

fn own_certificate(
    key: &'static str,
    text: Option<&str>,
    own: Option<&OwnKey>,
) -> Result<Option<Vec<u8>>, SamlConfigError> {
    let Some(text) = text else { return Ok(None) };
    let own = own.ok_or_else(|| fault(key, "there is no private key to it"))?;
    let read = read_certificates(text).map_err(|why| SamlConfigError::Key { key, why })?;
    let first = read.into_iter().next();
    let first = first.filter(|certificate| own.fits(certificate));
    first
        .map(Some)
        .ok_or_else(|| fault(key, "it is not the private key's"))
}

/// Where the provider's description comes from: `metadata`, `metadataUrl`, or the keys of Passport's strategy.
pub fn source(config: &SamlConfig, outbound: Outbound) -> Result<Source, SamlConfigError> {
    let signers = certificates("metadataCert", &config.metadata_certificates)?;
    match (&config.metadata, &config.metadata_url, &config.entry_point) {
        (Some(text), None, None) => {
            let read = read_metadata(text, config.idp_issuer.as_deref(), &signers);
            let mut description = read.map_err(|error| SamlConfigError::Metadata(error.to_string()))?;
            description.keys = description
                .keys
                .with(&certificates("cert", &config.certificates)?);
            Ok(Source::Fixed(Arc::new(description)))
        }
        (None, Some(url), None) => {
            if !config.certificates.is_empty() {
                return Err(fault("cert", "with metadataUrl, certificates come from there"));
            }
            let entity = config.idp_issuer.clone();
            Ok(Source::fetched(url.clone(), entity, signers, outbound))
        }
        (None, None, Some(entry_point)) => {
            entered(config, entry_point).map(|entered| Source::Fixed(Arc::new(entered)))
        }
        (None, None, None) => Err(SamlConfigError::Missing {
            key: "entryPoint",
            why: "it says where people are sent; metadata or metadataUrl will do as well",
        }),
        _ => Err(SamlConfigError::Value {
            key: "metadata",
            why: "one of metadata, metadataUrl and entryPoint is to be said, not several".to_owned(),
        }),
    }
}

fn certificates(key: &'static str, texts: &[String]) -> Result<TrustedKeys, SamlConfigError> {
    let read = |texts: &[String]| {
        let mut all = Vec::new();
        for text in texts {
            all.extend(read_certificates(text)?);
        }
        TrustedKeys::of(&all)
    };
    read(texts).map_err(|why| SamlConfigError::Key { key, why })
}

/// A provider by the keys of Passport's strategy. Its log-out answers go where its log-out requests go.
fn entered(config: &SamlConfig, entry_point: &str) -> Result<IdpDescription, SamlConfigError> {
    let keys = certificates("cert", &config.certificates)?;
    if keys.is_empty() {
        return Err(SamlConfigError::Missing {
            key: "cert",
            why: "without the provider's certificate nobody could tell its answers from others'",
        });
    }
    let issuer = config.idp_issuer.clone().filter(|issuer| !issuer.is_empty());
    let issuer = issuer.ok_or(SamlConfigError::Missing {
        key: "idpIssuer",
        why: "it is the provider's name, within which its people's names are unique",
    })?;
    let both = |url: Option<&str>| Endpoint {
        redirect: url.map(str::to_owned),
        post: url.map(str::to_owned),
    };
    let logout = both(config.logout_url.as_deref());
    Ok(IdpDescription {
        entity_id: issuer,
        keys,
        sign_on: both(Some(entry_point)),
        logout_answers: logout.clone(),
        logout,
        wants_signed_requests: false,
        valid_until: None,
        cache_duration: None,
    })
}
