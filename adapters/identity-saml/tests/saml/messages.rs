//! What a provider says about the end of sessions.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ports::LogoutMessage;
use flate2::Compression;
use flate2::read::DeflateEncoder;
use url::form_urlencoded::byte_serialize;

use crate::support::{ECDSA_SHA256, EMAIL_FORMAT, IDP, NOW, Pair, SLO};

pub fn logout_request() -> String {
    format!(
        r#"<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_logout1" Version="2.0" IssueInstant="2026-11-22T11:59:58Z" Destination="{SLO}" NotOnOrAfter="2026-11-22T12:05:00Z"><saml:Issuer>{IDP}</saml:Issuer><saml:NameID Format="{EMAIL_FORMAT}">ann@example.com</saml:NameID><samlp:SessionIndex>_session1</samlp:SessionIndex></samlp:LogoutRequest>"#
    )
}

pub fn logout_response(request: &str) -> String {
    format!(
        r#"<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_answer1" Version="2.0" IssueInstant="2026-11-22T11:59:58Z" Destination="{SLO}" InResponseTo="{request}"><saml:Issuer>{IDP}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:LogoutResponse>"#
    )
}

pub fn escape(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

pub fn packed(xml: &str) -> String {
    let mut bytes = Vec::new();
    DeflateEncoder::new(xml.as_bytes(), Compression::default())
        .read_to_end(&mut bytes)
        .unwrap();
    escape(&STANDARD.encode(bytes))
}

/// A query, signed by that key.
pub fn query_by(pair: &Pair, parameter: &str, xml: &str, relay: Option<&str>) -> String {
    let relay = relay
        .map(|relay| format!("&RelayState={}", escape(relay)))
        .unwrap_or_default();
    let covered = format!(
        "{parameter}={}{relay}&SigAlg={}",
        packed(xml),
        escape(ECDSA_SHA256)
    );
    let key = pair.key.to_signing_key().unwrap().unwrap();
    let signature = bergshamra::crypto::sign::from_uri(ECDSA_SHA256).unwrap();
    let signature = STANDARD.encode(signature.sign(&key, covered.as_bytes()).unwrap());
    format!("{covered}&Signature={}", escape(&signature))
}

pub fn by_query(query: &str) -> LogoutMessage {
    LogoutMessage {
        params: Vec::new(),
        query: Some(query.to_owned()),
        now: NOW,
    }
}

pub fn by_form(parameter: &str, xml: &str) -> LogoutMessage {
    LogoutMessage {
        params: vec![
            (parameter.to_owned(), STANDARD.encode(xml)),
            ("RelayState".to_owned(), "relay".to_owned()),
        ],
        query: None,
        now: NOW,
    }
}
