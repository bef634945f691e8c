//! The parsers of what strangers send, for those who throw everything at them.

use domain::ports::AuthorizationResponse;
use domain::secret::Secret;
use domain::time::{Lifetime, Timestamp};
use url::form_urlencoded;

use crate::OpenId2Config;
use crate::extension::Told;
use crate::message::Assertion;

/// An XRDS document; how many services it names.
pub fn xrds(bytes: &[u8]) -> usize {
    crate::xrds::parse(bytes).map_or(0, |services| services.len())
}

/// The head of a page; whether it names a provider.
pub fn html(bytes: &[u8]) -> bool {
    crate::html::head(bytes).provider.is_some()
}

/// A direct answer; how many pairs it has.
pub fn key_value(bytes: &[u8]) -> usize {
    crate::key_value::parse(bytes).map_or(0, |pairs| pairs.len())
}

/// A nonce; whether it has a time.
pub fn nonce(text: &str) -> bool {
    crate::nonce::made_at(text).is_some()
}

/// The query somebody comes back with at 2027-01-15T08:00:00Z; whether it is an assertion to ask the provider about.
pub fn assertion(query: &[u8]) -> bool {
    let response = AuthorizationResponse {
        params: form_urlencoded::parse(query).into_owned().collect(),
        redirect_uri: "https://www.example.com/callback".to_owned(),
        nonce: Secret::new("n"),
        code_verifier: Secret::new("v"),
        carry: None,
        client: None,
        now: Timestamp::from_millis(1_800_000_000_000),
    };
    let config = OpenId2Config::discovered("https://op.example/");
    let Ok(assertion) = Assertion::judge(&response, Lifetime::from_secs(300)) else {
        return false;
    };
    let told = Told::read(&config, &assertion);
    let _ = (
        told.profile(true).bounded(),
        told.raw(&assertion),
        assertion.to_check(),
    );
    true
}
