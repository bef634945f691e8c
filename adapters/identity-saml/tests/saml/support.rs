//! An identity provider in strings: what it says is put together here, changed by a test, and signed.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::keys::loader::load_pem_auto;
use bergshamra::{DsigContext, Key, KeysManager};
use domain::ports::{Arrival, AuthorizationResponse, IdentityProvider as _, ProviderError, ProviderFault};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_saml::{SamlConfig, SamlConfigError, SamlProvider};
use outbound_http::{Outbound, OutboundConfig};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};

pub const IDP: &str = "https://idp.example/saml";
pub const SP: &str = "https://sp.example";
pub const ACS: &str = "https://sp.example/auth/saml/callback";
pub const SLO: &str = "https://sp.example/auth/saml/logout";
pub const NONCE: &str = "N0nce0fThisAuthorization";
pub const REQUEST: &str = "_N0nce0fThisAuthorization";
pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
pub const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
pub const EMAIL_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
pub const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// 2026-11-22T12:00:00Z.
pub const NOW: Timestamp = Timestamp::from_millis(1_795_348_800_000);

/// A key with its certificate.
pub struct Pair {
    pub key: Key,
    pub private: String,
    pub certificate: String,
}

pub fn rsa() -> Pair {
    pair(&KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap())
}

pub fn ec() -> Pair {
    pair(&KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
}

fn pair(pair: &KeyPair) -> Pair {
    let params = CertificateParams::new(vec!["idp.example".to_owned()]).unwrap();
    let certificate = params.self_signed(pair).unwrap().pem();
    let private = pair.serialize_pem();
    Pair {
        key: load_pem_auto(private.as_bytes(), None).unwrap(),
        private,
        certificate,
    }
}

/// The provider's own: of a kind that is quickly made.
pub static IDP_KEY: LazyLock<Pair> = LazyLock::new(ec);
/// Anybody's.
pub static OTHER_KEY: LazyLock<Pair> = LazyLock::new(ec);
/// Ours.
pub static OWN_KEY: LazyLock<Pair> = LazyLock::new(rsa);

pub fn config() -> SamlConfig {
    SamlConfig {
        entry_point: Some("https://idp.example/sso".to_owned()),
        certificates: vec![IDP_KEY.certificate.clone()],
        idp_issuer: Some(IDP.to_owned()),
        logout_url: Some("https://idp.example/slo".to_owned()),
        logout_callback_url: Some(SLO.to_owned()),
        ..SamlConfig::new(SP, ACS)
    }
}

/// Reading the system's certificates takes its time.
static OUTBOUND: LazyLock<Outbound> = LazyLock::new(|| Outbound::new(OutboundConfig::default()).unwrap());

pub fn try_provider(config: SamlConfig) -> Result<SamlProvider, SamlConfigError> {
    SamlProvider::new(config, OUTBOUND.clone())
}

pub fn provider(config: SamlConfig) -> SamlProvider {
    try_provider(config).unwrap()
}

/// An assertion that is right in every respect, unsigned.
pub fn assertion() -> String {
    format!(
        r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_assertion1" Version="2.0" IssueInstant="2026-11-22T11:59:58Z"><saml:Issuer>{IDP}</saml:Issuer><saml:Subject><saml:NameID Format="{EMAIL_FORMAT}">ann@example.com</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="2026-11-22T12:05:00Z" Recipient="{ACS}" InResponseTo="{REQUEST}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="2026-11-22T11:59:50Z" NotOnOrAfter="2026-11-22T12:06:00Z"><saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="2026-11-22T11:59:58Z" SessionIndex="_session1" SessionNotOnOrAfter="2026-11-22T20:00:00Z"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="urn:oid:2.5.4.42" FriendlyName="givenName"><saml:AttributeValue>Ann</saml:AttributeValue></saml:Attribute><saml:Attribute Name="groups"><saml:AttributeValue>staff</saml:AttributeValue><saml:AttributeValue>admins</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"#
    )
}

/// A response around it that is right in every respect, unsigned.
pub fn response(inner: &str) -> String {
    format!(
        r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_response1" Version="2.0" IssueInstant="2026-11-22T11:59:59Z" Destination="{ACS}" InResponseTo="{REQUEST}"><saml:Issuer>{IDP}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>{inner}</samlp:Response>"#
    )
}

/// What a signature says of itself.
#[derive(Clone)]
pub struct Signing<'k> {
    pub key: &'k Pair,
    pub method: &'k str,
    pub digest: &'k str,
    pub transforms: String,
    pub key_info: String,
}

impl Default for Signing<'_> {
    fn default() -> Self {
        Self {
            key: &IDP_KEY,
            method: ECDSA_SHA256,
            digest: SHA256,
            transforms: format!(
                r#"<ds:Transform Algorithm="{DSIG}enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>"#
            ),
            key_info: String::new(),
        }
    }
}

impl Signing<'_> {
    pub fn template(&self, uri: &str) -> String {
        format!(
            r#"<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="{}"/><ds:Reference URI="{uri}"><ds:Transforms>{}</ds:Transforms><ds:DigestMethod Algorithm="{}"/><ds:DigestValue></ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue></ds:SignatureValue>{}</ds:Signature>"#,
            self.method, self.transforms, self.digest, self.key_info
        )
    }

    /// Signs a document whose template stands in it.
    pub fn fill(&self, xml: &str) -> String {
        let mut keys = KeysManager::new();
        keys.add_key(self.key.key.clone());
        bergshamra::sign(&DsigContext::new_permissive(keys), xml).unwrap()
    }

    /// Puts a signature behind the first issuer, over the element of that ID.
    pub fn sign(&self, xml: &str, id: &str) -> String {
        let template = self.template(&format!("#{id}"));
        self.fill(&xml.replacen("</saml:Issuer>", &format!("</saml:Issuer>{template}"), 1))
    }
}

/// Signs by the provider's key: a response or an assertion, whichever it is.
pub fn sign(xml: &str) -> String {
    let id = if xml.starts_with("<samlp:Response") {
        "_response1"
    } else {
        "_assertion1"
    };
    Signing::default().sign(xml, id)
}

/// A signed assertion in a response that is not.
pub fn signed() -> String {
    response(&sign(&assertion()))
}

pub fn answer(xml: &str) -> AuthorizationResponse {
    AuthorizationResponse {
        params: vec![
            ("SAMLResponse".to_owned(), STANDARD.encode(xml)),
            ("RelayState".to_owned(), "state".to_owned()),
        ],
        redirect_uri: ACS.to_owned(),
        nonce: Secret::new(NONCE),
        code_verifier: Secret::new("verifier"),
        carry: None,
        client: None,
        now: NOW,
    }
}

pub async fn complete_by(config: SamlConfig, xml: &str) -> Result<Arrival, ProviderError> {
    provider(config).complete(&answer(xml)).await
}

pub async fn complete(xml: &str) -> Result<Arrival, ProviderError> {
    complete_by(config(), xml).await
}

pub fn fault_of<T: std::fmt::Debug>(outcome: Result<T, ProviderError>) -> ProviderFault {
    match outcome {
        Err(ProviderError::Refused { fault, .. }) => fault,
        other => panic!("not refused: {other:?}"),
    }
}

pub async fn fault(xml: &str) -> ProviderFault {
    fault_of(complete(xml).await)
}

/// The same with something else in it, which must be there.
pub fn with(xml: &str, from: &str, to: &str) -> String {
    assert!(xml.contains(from), "{from} is not in it");
    xml.replacen(from, to, 1)
}

/// The assertion with something else in it, signed so.
pub fn signed_with(from: &str, to: &str) -> String {
    response(&sign(&with(&assertion(), from, to)))
}

/// The response with something else in it, signed so.
pub fn response_with(from: &str, to: &str) -> String {
    sign(&with(&response(&assertion()), from, to))
}

/// The part of a document from one text to another, both with it.
pub fn part<'x>(xml: &'x str, from: &str, to: &str) -> &'x str {
    let begin = xml.find(from).unwrap();
    let end = begin + xml[begin..].find(to).unwrap() + to.len();
    &xml[begin..end]
}

/// The first signature in a document.
pub fn signature_in(xml: &str) -> &str {
    part(xml, "<ds:Signature ", "</ds:Signature>")
}
