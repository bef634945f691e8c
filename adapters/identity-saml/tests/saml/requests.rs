//! What we send to the provider, and what we tell its operator.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::{DsigContext, KeysManager, VerifyResult};
use domain::ports::{AuthorizationRequest, AuthorizationStart, IdentityProvider as _};
use domain::secret::Secret;
use flate2::read::DeflateDecoder;
use identity_saml::{SamlBinding, SamlConfig};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::Command;
use url::Url;

use crate::support::{ACS, NONCE, OWN_KEY, REQUEST, RSA_SHA256, SLO, SP, config, provider};

pub fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        redirect_uri: ACS.to_owned(),
        state: Secret::new("state-1 &"),
        nonce: Secret::new(NONCE),
        code_verifier: Secret::new("verifier"),
        client: None,
    }
}

fn signing() -> SamlConfig {
    SamlConfig {
        private_key: Some(Secret::new(&*OWN_KEY.private)),
        signing_certificate: Some(OWN_KEY.certificate.clone()),
        ..config()
    }
}

fn query(start: &AuthorizationStart) -> BTreeMap<String, String> {
    let url = Url::parse(&start.url).unwrap();
    url.query_pairs().into_owned().collect()
}

fn inflated(text: &str) -> String {
    let mut xml = String::new();
    let packed = STANDARD.decode(text).unwrap();
    DeflateDecoder::new(packed.as_slice())
        .read_to_string(&mut xml)
        .unwrap();
    xml
}

fn posted(start: &AuthorizationStart) -> String {
    let form = start.form.as_ref().unwrap();
    assert_eq!(
        (form[0].0.as_str(), form[1].0.as_str(), form[1].1.as_str()),
        ("SAMLRequest", "RelayState", "state-1 &")
    );
    String::from_utf8(STANDARD.decode(&form[0].1).unwrap()).unwrap()
}

#[tokio::test]
async fn a_request_names_us_and_what_it_wants() {
    let wishful = SamlConfig {
        force_authn: true,
        provider_name: Some("A & B".to_owned()),
        authn_context: vec!["urn:mfa".to_owned()],
        ..config()
    };
    let start = provider(wishful).begin(&request()).await.unwrap();
    assert!(start.url.starts_with("https://idp.example/sso?SAMLRequest="));
    let query = query(&start);
    assert_eq!(query["RelayState"], "state-1 &");
    assert!(!query.contains_key("Signature"));
    let xml = inflated(&query["SAMLRequest"]);
    for part in [
        &format!("ID=\"{REQUEST}\""),
        &format!("AssertionConsumerServiceURL=\"{ACS}\""),
        &format!("<saml:Issuer>{SP}</saml:Issuer>"),
        "Destination=\"https://idp.example/sso\"",
        "ForceAuthn=\"true\"",
        "ProviderName=\"A &amp; B\"",
        "nameid-format:emailAddress\" AllowCreate=\"true\"",
        "Comparison=\"exact\"><saml:AuthnContextClassRef>urn:mfa<",
    ] {
        assert!(xml.contains(part), "{part} is not in {xml}");
    }
}

#[tokio::test]
async fn an_id_is_a_name_whatever_the_nonce_is() {
    let mut odd = request();
    odd.nonce = Secret::new("a/b+c==");
    let start = provider(config()).begin(&odd).await.unwrap();
    let xml = inflated(&query(&start)["SAMLRequest"]);
    let id = xml.split("ID=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(id.len(), 65);
    assert!(id[1..].bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[tokio::test]
async fn an_address_is_signed_as_it_stands() {
    let start = provider(signing()).begin(&request()).await.unwrap();
    let (_, raw) = start.url.split_once('?').unwrap();
    let (covered, _) = raw.split_once("&Signature=").unwrap();
    assert_eq!(query(&start)["SigAlg"], RSA_SHA256);
    let signature = STANDARD.decode(&query(&start)["Signature"]).unwrap();
    let key = OWN_KEY.key.to_signing_key().unwrap().unwrap();
    let algorithm = bergshamra::crypto::sign::from_uri(RSA_SHA256).unwrap();
    assert!(algorithm.verify(&key, covered.as_bytes(), &signature).unwrap());
}

#[tokio::test]
async fn a_form_holds_a_signed_message_that_others_verify_too() {
    let by_post = SamlConfig {
        authn_request_binding: SamlBinding::Post,
        ..signing()
    };
    let start = provider(by_post).begin(&request()).await.unwrap();
    assert_eq!(start.url, "https://idp.example/sso");
    let xml = posted(&start);
    let mut keys = KeysManager::new();
    keys.add_key(OWN_KEY.key.clone());
    let verified = bergshamra::verify(&DsigContext::new(keys), &xml).unwrap();
    assert!(matches!(verified, VerifyResult::Valid { .. }));
    xmlsec1(&xml);
}

/// A second opinion, by the C library.
fn xmlsec1(xml: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (message, certificate) = (folder.path().join("message.xml"), folder.path().join("cert.pem"));
    std::fs::write(&message, xml).unwrap();
    std::fs::write(&certificate, &OWN_KEY.certificate).unwrap();
    let judged = Command::new("xmlsec1")
        .args([
            "--verify",
            "--id-attr:ID",
            "AuthnRequest",
            "--enabled-key-data",
            "rsa",
            "--pubkey-cert-pem",
        ])
        .arg(&certificate)
        .arg(&message)
        .output()
        .expect("xmlsec1: run bash tests/setup");
    assert!(
        judged.status.success(),
        "{}",
        String::from_utf8_lossy(&judged.stderr)
    );
}

#[tokio::test]
async fn a_request_need_not_be_deflated() {
    let plain = SamlConfig {
        skip_request_compression: true,
        ..config()
    };
    let start = provider(plain).begin(&request()).await.unwrap();
    let xml = STANDARD.decode(&query(&start)["SAMLRequest"]).unwrap();
    assert!(xml.starts_with(b"<samlp:AuthnRequest "));
}

#[test]
fn our_metadata_says_who_we_are() {
    let full = SamlConfig {
        decryption_key: Some(Secret::new(&*OWN_KEY.private)),
        decryption_certificate: Some(OWN_KEY.certificate.clone()),
        ..signing()
    };
    let descriptor = provider(full).descriptor().unwrap();
    assert_eq!(descriptor.content_type, "application/samlmetadata+xml");
    let certificate: String = OWN_KEY
        .certificate
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    for part in [
        &format!("entityID=\"{SP}\""),
        &format!("HTTP-POST\" Location=\"{ACS}\""),
        &format!("HTTP-Redirect\" Location=\"{SLO}\""),
        "AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"true\"",
        "use=\"signing\"",
        "use=\"encryption\"",
        "xmlenc11#aes256-gcm",
        "nameid-format:emailAddress</md:NameIDFormat>",
        &certificate,
    ] {
        assert!(
            descriptor.body.contains(part),
            "{part} is not in {}",
            descriptor.body
        );
    }
    let bare = provider(config()).descriptor().unwrap().body;
    assert!(
        !bare.contains("KeyDescriptor") && !bare.contains("SingleLogout"),
        "{bare}"
    );
    assert!(bare.contains("AuthnRequestsSigned=\"false\""));
}
