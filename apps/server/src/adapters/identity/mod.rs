//! Providers: each entry of `providers.json` by the adapter that speaks its protocol.

#[cfg(feature = "identity-kerberos")]
mod kerberos;
#[cfg(feature = "identity-ldap")]
mod ldap;
#[cfg(feature = "identity-oauth1")]
mod oauth1;
#[cfg(feature = "identity-oauth2")]
mod oauth2;
#[cfg(feature = "identity-oidc")]
mod oidc;
#[cfg(feature = "identity-openid2")]
mod openid2;
#[cfg(feature = "identity-saml")]
mod saml;

use std::ffi::OsStr;
use std::process::ExitCode;
use std::sync::Arc;

use domain::ports::ProviderAdapter;
use outbound_http::Outbound;

use super::choice::{Kind, Known};
use crate::providers::modules::Scheme;
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
        Known {
            words: &["ldap"],
            feature: "identity-ldap",
            compiled: cfg!(feature = "identity-ldap"),
        },
        Known {
            words: &["saml"],
            feature: "identity-saml",
            compiled: cfg!(feature = "identity-saml"),
        },
        Known {
            words: &["kerberos"],
            feature: "identity-kerberos",
            compiled: cfg!(feature = "identity-kerberos"),
        },
        Known {
            words: &["openid2"],
            feature: "identity-openid2",
            compiled: cfg!(feature = "identity-openid2"),
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
    match dialect.scheme() {
        Scheme::OAuth1 => "identity-oauth1",
        Scheme::Ldap => "identity-ldap",
        Scheme::Saml => "identity-saml",
        Scheme::Kerberos => "identity-kerberos",
        Scheme::OpenId2 => "identity-openid2",
        Scheme::OAuth2 if dialect.is_oidc() => "identity-oidc",
        Scheme::Local | Scheme::OAuth2 => "identity-oauth2",
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
        #[cfg(feature = "identity-ldap")]
        "identity-ldap" => ldap::open(remote),
        #[cfg(feature = "identity-saml")]
        "identity-saml" => saml::open(remote, outbound),
        #[cfg(feature = "identity-kerberos")]
        "identity-kerberos" => kerberos::open(remote),
        #[cfg(feature = "identity-openid2")]
        "identity-openid2" => openid2::open(remote, outbound),
        other => {
            let _ = outbound;
            let title = remote.dialect.title();
            Err(format!(
                "it speaks {title}, but this binary was built without it: build it with `--features {other}`"
            ))
        }
    }
}

/// Within what the ids of an entry's accounts are unique; none where that is known only once the provider was asked.
pub fn issuer(remote: &Remote) -> Option<String> {
    match feature(remote.dialect) {
        #[cfg(feature = "identity-oauth2")]
        "identity-oauth2" => oauth2::issuer(remote),
        #[cfg(feature = "identity-oidc")]
        "identity-oidc" => Some(oidc::issuer(remote)),
        #[cfg(feature = "identity-oauth1")]
        "identity-oauth1" => oauth1::issuer(remote),
        #[cfg(feature = "identity-ldap")]
        "identity-ldap" => ldap::issuer(remote),
        #[cfg(feature = "identity-saml")]
        "identity-saml" => saml::issuer(remote),
        _ => None,
    }
}

/// Replaces what the entry gives.
#[cfg(any(
    feature = "identity-kerberos",
    feature = "identity-ldap",
    feature = "identity-oauth1",
    feature = "identity-oauth2",
    feature = "identity-oidc",
    feature = "identity-openid2",
    feature = "identity-saml"
))]
fn set<T: Clone>(place: &mut T, given: Option<&T>) {
    if let Some(given) = given {
        place.clone_from(given);
    }
}

/// The library that speaks Kerberos is C: it works in processes of its own, which are this program called by one word. What came of it, if
/// this is that word.
pub fn as_worker(word: Option<&OsStr>) -> Option<ExitCode> {
    #[cfg(feature = "identity-kerberos")]
    if word.is_some_and(|word| word == identity_kerberos::ARGUMENT) {
        return Some(identity_kerberos::worker());
    }
    let _ = word;
    None
}
