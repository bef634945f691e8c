//! Answers with a part of another authorization.

use domain::ports::AuthorizationResponse;

use super::{Begun, Protocol};

/// Puts something of another authorization into an answer.
pub(super) type Swap = fn(&mut AuthorizationResponse, &Begun);

/// What may not be swapped without being noticed.
pub(super) fn swaps(protocol: Protocol) -> Vec<(&'static str, Swap)> {
    let all: Swap = |response, other| {
        *response = other.response(response.params.clone());
    };
    let verifier: Swap = |response, other| response.code_verifier = other.request.code_verifier.clone();
    let nonce: Swap = |response, other| response.nonce = other.request.nonce.clone();
    let carry: Swap = |response, other| response.carry = other.start.carry.clone();
    let lost: Swap = |response, _| response.carry = None;
    let address: Swap = |response, _| response.redirect_uri.push_str("/elsewhere");
    let mut swaps = vec![("all", all)];
    swaps.extend(match protocol {
        Protocol::OpenIdConnect => vec![("verifier", verifier), ("nonce", nonce), ("address", address)],
        Protocol::OAuth2 => vec![("verifier", verifier), ("address", address)],
        Protocol::OAuth1 => vec![("carry", carry), ("no carry", lost)],
        Protocol::OpenId2 | Protocol::Saml => vec![("nonce", nonce), ("address", address)],
    });
    swaps
}
