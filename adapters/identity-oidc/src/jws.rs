//! A signed token in its parts, nothing in it believed yet (RFC 7515, RFC 8725).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ports::{ProviderError, ProviderFault as Fault};
use openidconnect::core::CoreJwsSigningAlgorithm as Algorithm;
use serde_json::{Map, Value};

use crate::ask::refuse;
use crate::claims::Claims;

/// Longest token read, in bytes.
const LONGEST: usize = 65_536;

/// A token. Keys and addresses of keys in its header (`jwk`, `jku`, `x5c`, `x5u`) are never looked at.
#[derive(Debug)]
pub struct Jws<'a> {
    /// By what it says to be signed; one of those we allow.
    pub algorithm: Algorithm,
    /// The key it names.
    pub kid: Option<String>,
    /// What is signed.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: Vec<u8>,
    /// What it claims, for after the signature was checked.
    claims: Claims,
}

impl<'a> Jws<'a> {
    /// Takes a compact token apart.
    pub fn parse(token: &'a str) -> Result<Self, ProviderError> {
        let malformed = |detail: &str| refuse(Fault::IdTokenMalformed, detail);
        if token.len() > LONGEST {
            return malformed("longer than any token");
        }
        let Some((signed, signature)) = token.rsplit_once('.') else {
            return malformed("not in three parts");
        };
        let Some((header, payload)) = signed.split_once('.') else {
            return malformed("not in three parts");
        };
        let (Some(header), Some(payload)) = (object(header), object(payload)) else {
            return malformed("header or payload is no JSON object");
        };
        let algorithm = algorithm_of(&header)?;
        judge_header(&header)?;
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            return malformed("the signature is no base64url");
        };
        Ok(Self {
            algorithm,
            kid: header.get("kid").and_then(Value::as_str).map(str::to_owned),
            signed: signed.as_bytes(),
            signature,
            claims: Claims(payload),
        })
    }

    /// The claims, to be believed once the signature is known to be good.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The algorithm, of the allowed ones: never `none`, never one whose key would be a secret we share.
fn algorithm_of(header: &Map<String, Value>) -> Result<Algorithm, ProviderError> {
    Ok(match header.get("alg").and_then(Value::as_str) {
        Some("RS256") => Algorithm::RsaSsaPkcs1V15Sha256,
        Some("RS384") => Algorithm::RsaSsaPkcs1V15Sha384,
        Some("RS512") => Algorithm::RsaSsaPkcs1V15Sha512,
        Some("PS256") => Algorithm::RsaSsaPssSha256,
        Some("PS384") => Algorithm::RsaSsaPssSha384,
        Some("PS512") => Algorithm::RsaSsaPssSha512,
        Some("ES256") => Algorithm::EcdsaP256Sha256,
        Some("ES384") => Algorithm::EcdsaP384Sha384,
        Some("EdDSA") => Algorithm::EdDsa,
        _ => return refuse(Fault::IdTokenAlgorithm, "alg is not allowed"),
    })
}

/// Extensions that must be understood are not (RFC 7515 section 4.1.11), and tokens of another type are for something else:
/// logout tokens and access tokens may be signed by the same key (RFC 8725 section 3.11).
fn judge_header(header: &Map<String, Value>) -> Result<(), ProviderError> {
    if header.contains_key("crit") {
        return refuse(Fault::IdTokenMalformed, "crit demands what we do not know");
    }
    match header.get("typ") {
        None => Ok(()),
        Some(Value::String(kind)) if kind.eq_ignore_ascii_case("JWT") => Ok(()),
        Some(_) => refuse(Fault::IdTokenMalformed, "a token of another type"),
    }
}

#[cfg(test)]
#[path = "../tests/unit/jws.rs"]
mod tests;
