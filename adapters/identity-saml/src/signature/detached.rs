//! The Redirect binding's signature: over the query as it came, byte by byte (SAML Bindings section 3.4.4.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ports::{ProviderError, ProviderFault};

use super::is_allowed_signature;
use crate::error::malformed;
use crate::keys::TrustedKeys;
use crate::wire;
use crate::xml::DEFLATE;

/// Whoever holds one has verified the query that a message came in. Made here alone.
#[derive(Debug)]
pub struct DetachedProof(());

/// What came by a query that was signed.
#[derive(Debug)]
pub struct SignedQuery {
    /// The message.
    pub xml: String,
    /// Whether it is a `SAMLRequest`, not a `SAMLResponse`.
    pub is_request: bool,
    /// What came beside it, and is signed too.
    pub relay_state: Option<String>,
    /// That it holds.
    pub proof: DetachedProof,
}

/// The parameters of a query as they stand there.
#[derive(Debug, Default)]
struct Raw<'q> {
    request: Option<&'q str>,
    response: Option<&'q str>,
    relay_state: Option<&'q str>,
    algorithm: Option<&'q str>,
    signature: Option<&'q str>,
    encoding: Option<&'q str>,
}

/// Verifies a query, and reads the message from the very bytes that were verified.
pub fn verify_query(query: &str, keys: &TrustedKeys) -> Result<SignedQuery, ProviderError> {
    let raw = Raw::read(query)?;
    let (name, message) = match (raw.request, raw.response) {
        (Some(request), None) => ("SAMLRequest", request),
        (None, Some(response)) => ("SAMLResponse", response),
        _ => return Err(malformed("the query holds no message, or two")),
    };
    let missing = |detail: &str| ProviderError::refused(ProviderFault::SamlSignatureMissing, detail);
    let (Some(algorithm), Some(signature)) = (raw.algorithm, raw.signature) else {
        return Err(missing("the query is not signed"));
    };
    if raw
        .encoding
        .is_some_and(|encoding| decode(encoding).as_deref() != Some(DEFLATE))
    {
        return Err(malformed("the message is encoded in an unknown way"));
    }
    let relay = raw.relay_state.map(|relay| format!("&RelayState={relay}"));
    let covered = format!("{name}={message}{}&SigAlg={algorithm}", relay.unwrap_or_default());
    let algorithm = decode(algorithm).filter(|algorithm| is_allowed_signature(algorithm));
    let forbidden = || ProviderError::refused(ProviderFault::SamlAlgorithm, "SigAlg is not allowed");
    let algorithm = algorithm.ok_or_else(forbidden)?;
    let wrong = || {
        ProviderError::refused(
            ProviderFault::SamlSignature,
            "the query's signature does not hold",
        )
    };
    let signature = decode(signature).and_then(|signature| STANDARD.decode(signature).ok());
    let signature = signature.ok_or_else(wrong)?;
    if !keys.verify(&algorithm, covered.as_bytes(), &signature) {
        return Err(wrong());
    }
    let message = decode(message).ok_or_else(|| malformed("the message cannot be read"))?;
    let relay_state = raw
        .relay_state
        .map(|relay| decode(relay).ok_or_else(|| malformed("RelayState is no text")));
    Ok(SignedQuery {
        xml: wire::from_redirect(&message)?,
        is_request: name == "SAMLRequest",
        relay_state: relay_state.transpose()?,
        proof: DetachedProof(()),
    })
}

impl<'q> Raw<'q> {
    /// None of the names may be there twice, or in disguise.
    fn read(query: &'q str) -> Result<Self, ProviderError> {
        let mut raw = Self::default();
        if query.len() > wire::LONGEST_TEXT {
            return Err(malformed("the query is too large"));
        }
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = decode(name).ok_or_else(|| malformed("the query cannot be read"))?;
            let slot = match plain.as_str() {
                "SAMLRequest" => &mut raw.request,
                "SAMLResponse" => &mut raw.response,
                "RelayState" => &mut raw.relay_state,
                "SigAlg" => &mut raw.algorithm,
                "Signature" => &mut raw.signature,
                "SAMLEncoding" => &mut raw.encoding,
                _ => continue,
            };
            if plain != name || slot.replace(value).is_some() {
                return Err(malformed("a parameter is there twice or in disguise"));
            }
        }
        Ok(raw)
    }
}

/// The text behind a piece of a query; none where it is no UTF-8.
fn decode(raw: &str) -> Option<String> {
    let spaced = raw.replace('+', " ");
    let mut bytes = Vec::with_capacity(spaced.len());
    let mut rest = spaced.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
            bytes.push(high * 16 + low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_there_once_and_under_its_own_name() {
        for query in [
            "SAMLRequest=a&SAMLRequest=b",
            "SAMLRequest=a&SAML%52equest=b",
            "Signature=a&%53ignature=b",
            "RelayState=%ff%",
        ] {
            let refused = Raw::read(query).map(|_| ());
            assert!(refused.is_err() || decode("%ff%").is_none(), "{query}");
        }
        assert!(Raw::read("SAMLRequest=a&SAML%52equest=b").is_err());
        let raw = Raw::read("a=b&RelayState=x%20y&SAMLResponse=c").unwrap();
        assert_eq!(raw.relay_state, Some("x%20y"));
    }

    #[test]
    fn escapes_are_read_strictly() {
        assert_eq!(decode("a%20b+c%2B").as_deref(), Some("a b c+"));
        for bad in ["%", "%1", "%zz", "%+1", "%ff"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
