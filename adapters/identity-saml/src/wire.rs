//! Messages as they travel: base64, deflated or not, in an address or in a form.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ports::{AuthorizationStart, ProviderError, ProviderFault};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::config::{SamlBinding, SamlHash};
use crate::error::malformed;
use crate::keys::OwnKey;
use crate::xml::MESSAGE;

/// Longest text that is looked at: a message of the largest size in base64, with line ends and escapes.
pub const LONGEST_TEXT: usize = MESSAGE.bytes * 2;

/// A message from a form.
pub fn from_post(text: &str) -> Result<String, ProviderError> {
    into_text(decode(text)?)
}

/// A message from an address.
pub fn from_redirect(text: &str) -> Result<String, ProviderError> {
    let packed = decode(text)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(MESSAGE.bytes).unwrap_or(u64::MAX) + 1;
    let read = DeflateDecoder::new(packed.as_slice())
        .take(most)
        .read_to_end(&mut bytes);
    read.map_err(|_| malformed("the message is not deflated"))?;
    into_text(bytes)
}

fn decode(text: &str) -> Result<Vec<u8>, ProviderError> {
    if text.len() > LONGEST_TEXT {
        return Err(malformed("the message is too large"));
    }
    let folded: String = text.split_ascii_whitespace().collect();
    STANDARD
        .decode(folded)
        .map_err(|_| malformed("the message is no base64"))
}

fn into_text(bytes: Vec<u8>) -> Result<String, ProviderError> {
    if bytes.len() > MESSAGE.bytes {
        return Err(malformed("the message is too large"));
    }
    let text = String::from_utf8(bytes).map_err(|_| malformed("the message is no UTF-8"))?;
    Ok(text)
}

/// A message of ours, on its way.
#[derive(Debug)]
pub struct Outgoing<'m> {
    /// Where to.
    pub url: &'m str,
    /// `SAMLRequest` or `SAMLResponse`.
    pub parameter: &'static str,
    /// The message; for the POST binding it is signed already.
    pub xml: String,
    /// What shall come back.
    pub relay_state: Option<&'m str>,
}

/// Who signs, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'k> {
    /// Our key.
    pub key: &'k OwnKey,
    /// What the signature digests by.
    pub signature: SamlHash,
    /// What an enveloped one digests the message by.
    pub digest: SamlHash,
}

impl Outgoing<'_> {
    /// By the browser's address, signed beside the message if there is a key (SAML Bindings section 3.4.4).
    pub fn by_redirect(
        &self,
        signer: Option<Signer<'_>>,
        compressed: bool,
    ) -> Result<AuthorizationStart, ProviderError> {
        let packed = if compressed {
            deflate(self.xml.as_bytes())?
        } else {
            self.xml.as_bytes().to_vec()
        };
        let mut query = format!("{}={}", self.parameter, escape(&STANDARD.encode(packed)));
        if let Some(relay) = self.relay_state {
            query.push_str("&RelayState=");
            query.push_str(&escape(relay));
        }
        if let Some(signer) = signer {
            query.push_str("&SigAlg=");
            query.push_str(&escape(signer.key.algorithm(signer.signature)));
            let signature = signer.key.sign(signer.signature, query.as_bytes());
            let signature = signature.ok_or_else(cannot_sign)?;
            query.push_str("&Signature=");
            query.push_str(&escape(&STANDARD.encode(signature)));
        }
        let join = if self.url.contains('?') { '&' } else { '?' };
        Ok(AuthorizationStart {
            url: format!("{}{join}{query}", self.url),
            form: None,
            handle: None,
            carry: None,
        })
    }

    /// By a form.
    pub fn by_post(&self) -> AuthorizationStart {
        let mut form = vec![(self.parameter.to_owned(), STANDARD.encode(&self.xml))];
        form.extend(
            self.relay_state
                .map(|relay| ("RelayState".to_owned(), relay.to_owned())),
        );
        AuthorizationStart {
            url: self.url.to_owned(),
            form: Some(form),
            handle: None,
            carry: None,
        }
    }

    /// By whichever binding it is.
    pub fn by(
        mut self,
        binding: SamlBinding,
        signer: Option<Signer<'_>>,
        compressed: bool,
    ) -> Result<AuthorizationStart, ProviderError> {
        match (binding, signer) {
            (SamlBinding::Redirect, signer) => self.by_redirect(signer, compressed),
            (SamlBinding::Post, None) => Ok(self.by_post()),
            (SamlBinding::Post, Some(signer)) => {
                self.xml = crate::sign::enveloped(&self.xml, signer)?;
                Ok(self.by_post())
            }
        }
    }
}

/// Our own key is at fault, which was looked at when we started.
pub fn cannot_sign() -> ProviderError {
    ProviderError::refused(ProviderFault::SamlAlgorithm, "our own key cannot sign")
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>, ProviderError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|_| malformed("our own message cannot be deflated"))
}

/// As it stands in a query: spaces by `%20`, since not everybody who signs reads `+`.
fn escape(text: &str) -> String {
    let escaped: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    escaped.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_same_after_its_travels() {
        let packed = STANDARD.encode(deflate("<a/>".as_bytes()).unwrap());
        assert_eq!(from_redirect(&packed).unwrap(), "<a/>");
        assert_eq!(from_post(" PGEv\r\nPg==\n").unwrap(), "<a/>");
    }

    #[test]
    fn a_bomb_is_not_inflated_beyond_the_limit() {
        let packed = STANDARD.encode(deflate(&vec![b' '; 4 * 1024 * 1024]).unwrap());
        let refused = from_redirect(&packed).unwrap_err();
        assert!(refused.to_string().contains("too large"), "{refused}");
    }

    #[test]
    fn fifty_megabytes_of_base64_are_not_decoded() {
        let refused = from_post(&"QUFB".repeat(13_000_000)).unwrap_err();
        assert!(refused.to_string().contains("too large"), "{refused}");
    }

    #[test]
    fn what_is_no_base64_no_deflate_or_no_text_is_refused() {
        for text in ["PGEvPg", "PGEvPg=", "P", "****", "PGEv_g==", "PGEvPg===="] {
            assert!(from_post(text).is_err(), "{text}");
        }
        assert!(from_redirect("PGEvPg==").is_err());
        assert!(from_post(&STANDARD.encode([0xff, 0xfe])).is_err());
    }

    #[test]
    fn an_address_with_a_query_keeps_it() {
        let outgoing = Outgoing {
            url: "https://idp.example/sso?tenant=1",
            parameter: "SAMLRequest",
            xml: "<a/>".to_owned(),
            relay_state: Some("a b+c"),
        };
        let start = outgoing.by_redirect(None, false).unwrap();
        assert_eq!(
            start.url,
            "https://idp.example/sso?tenant=1&SAMLRequest=PGEvPg%3D%3D&RelayState=a%20b%2Bc"
        );
    }
}
