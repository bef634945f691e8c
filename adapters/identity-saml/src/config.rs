use std::fmt;

use domain::secret::Secret;
use domain::time::Lifetime;

use crate::SamlConfigError;

/// SAML 1.1's name for "by e-mail address": what Passport's strategy asks for by default.
const EMAIL_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

/// Where groups stand, if the entry does not say it.
const GROUP_ATTRIBUTES: [&str; 9] = [
    "groups",
    "memberOf",
    "isMemberOf",
    "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
    "http://schemas.xmlsoap.org/claims/Group",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/role",
    "Role",
];

/// How a message is sent by way of the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamlBinding {
    /// In the address (`HTTP-Redirect`).
    Redirect,
    /// In a form that posts itself (`HTTP-POST`).
    Post,
}

impl SamlBinding {
    /// From `authnRequestBinding`, in Passport's spelling.
    pub fn parse(text: &str) -> Result<Self, SamlConfigError> {
        match text {
            "HTTP-Redirect" => Ok(Self::Redirect),
            "HTTP-POST" => Ok(Self::Post),
            other => Err(SamlConfigError::Value {
                key: "authnRequestBinding",
                why: format!("{other:?} is neither HTTP-Redirect nor HTTP-POST"),
            }),
        }
    }
}

/// What our own signatures digest by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamlHash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl SamlHash {
    /// From `signatureAlgorithm` or `digestAlgorithm`, as `key` says. SHA-1 is refused, with the reason.
    pub fn parse(key: &'static str, text: &str) -> Result<Self, SamlConfigError> {
        let why = match text {
            "sha256" => return Ok(Self::Sha256),
            "sha384" => return Ok(Self::Sha384),
            "sha512" => return Ok(Self::Sha512),
            "sha1" => "SHA-1 is broken: collisions have been bought since 2017. Use sha256".to_owned(),
            other => format!("{other:?} is none of sha256, sha384 and sha512"),
        };
        Err(SamlConfigError::Value { key, why })
    }
}

/// One SAML 2.0 identity provider. Made by [`SamlConfig::new`]; every field may be changed afterwards. Certificates and keys are PEM,
/// or the base64 that stands in one.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of its own in providers.json, and they go together in all ways"
)]
pub struct SamlConfig {
    /// `issuer`: our own entity ID.
    pub issuer: String,
    /// `callbackURL`, absolute: our assertion consumer service.
    pub callback_url: String,
    /// `logoutCallbackUrl`, absolute: where the provider sends what it has to say about log-outs (`logoutPath` behind our origin).
    pub logout_callback_url: Option<String>,

    /// `metadata`: the provider's metadata, as text.
    pub metadata: Option<String>,
    /// `metadataUrl`: where that is fetched, and fetched again.
    pub metadata_url: Option<String>,
    /// `metadataCert`: by whom metadata must be signed. None takes what comes over TLS from where the operator said.
    pub metadata_certificates: Vec<String>,
    /// `entryPoint`: where people are sent, without metadata.
    pub entry_point: Option<String>,
    /// `cert`/`certPath`/`idpCert`: the provider's signing certificates, without metadata or beside it.
    pub certificates: Vec<String>,
    /// `idpIssuer`: the provider's entity ID. Needed without metadata, and with metadata of several.
    pub idp_issuer: Option<String>,
    /// `logoutUrl`: the provider's single logout service, without metadata.
    pub logout_url: Option<String>,

    /// `privateCert`/`privateCertPath`/`privateKey`: the private key we sign with.
    pub private_key: Option<Secret>,
    /// `signingCert`: its certificate, for our metadata.
    pub signing_certificate: Option<String>,
    /// `decryptionPvk`/`decryptionPvkPath`: the private key (RSA) that assertions may be encrypted for.
    pub decryption_key: Option<Secret>,
    /// `decryptionCert`: its certificate, for our metadata.
    pub decryption_certificate: Option<String>,

    /// `audience`: whom assertions must be for, if not [`SamlConfig::issuer`].
    pub audience: Option<String>,
    /// `identifierFormat`: the form of names we ask for; none for the provider's choice.
    pub identifier_format: Option<String>,
    /// `signatureAlgorithm`: what we sign by.
    pub signature_algorithm: SamlHash,
    /// `digestAlgorithm`: what we digest by.
    pub digest_algorithm: SamlHash,
    /// `acceptedClockSkewMs`: how far the provider's clock may be off; five minutes at most.
    pub accepted_clock_skew: Lifetime,
    /// `maxAssertionAgeMs`: how old an answer may be that says it is valid still.
    pub max_assertion_age: Lifetime,
    /// `authnContext`: how the person must have logged in there; empty to leave that to the provider.
    pub authn_context: Vec<String>,
    /// `racComparison`: `exact`, `minimum`, `maximum` or `better`.
    pub authn_context_comparison: String,
    /// `disableRequestedAuthnContext`: whether [`SamlConfig::authn_context`] is kept to ourselves.
    pub disable_requested_authn_context: bool,
    /// `forceAuthn`: whether the person must log in there anew.
    pub force_authn: bool,
    /// `providerName`: what the provider may call us before the person.
    pub provider_name: Option<String>,
    /// `skipRequestCompression`: whether requests by the Redirect binding are not deflated.
    pub skip_request_compression: bool,
    /// `authnRequestBinding`: how requests are sent, if the provider takes them that way.
    pub authn_request_binding: SamlBinding,
    /// `validateInResponseTo`, as written. It cannot be off: see [`SamlConfig::allow_unsolicited`].
    pub validate_in_response_to: Option<String>,
    /// `wantAssertionsSigned`: whether a signature over the response alone will not do.
    pub want_assertions_signed: bool,
    /// `wantAuthnResponseSigned`: whether a signature over the assertion alone will not do.
    pub want_response_signed: bool,
    /// `allowUnsolicited`: whether the provider may send people who did not ask (IdP-initiated).
    pub allow_unsolicited: bool,

    /// `emailTrusted`: whether addresses count as vouched for. SAML has no word for that; unsaid means no.
    pub email_trusted: Option<bool>,
    /// `groupAttributes`: the attributes that hold groups.
    pub group_attributes: Vec<String>,
    /// `subjectAttribute`: the attribute that names the account, where the `NameID` does not (it is transient).
    pub subject_attribute: Option<String>,
}

impl SamlConfig {
    /// An entry of ours, with nothing said yet about the provider.
    pub fn new(issuer: impl Into<String>, callback_url: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            callback_url: callback_url.into(),
            logout_callback_url: None,
            metadata: None,
            metadata_url: None,
            metadata_certificates: Vec::new(),
            entry_point: None,
            certificates: Vec::new(),
            idp_issuer: None,
            logout_url: None,
            private_key: None,
            signing_certificate: None,
            decryption_key: None,
            decryption_certificate: None,
            audience: None,
            identifier_format: Some(EMAIL_FORMAT.to_owned()),
            signature_algorithm: SamlHash::Sha256,
            digest_algorithm: SamlHash::Sha256,
            accepted_clock_skew: Lifetime::from_secs(60),
            max_assertion_age: Lifetime::from_secs(600),
            authn_context: Vec::new(),
            authn_context_comparison: "exact".to_owned(),
            disable_requested_authn_context: false,
            force_authn: false,
            provider_name: None,
            skip_request_compression: false,
            authn_request_binding: SamlBinding::Redirect,
            validate_in_response_to: None,
            want_assertions_signed: false,
            want_response_signed: false,
            allow_unsolicited: false,
            email_trusted: None,
            group_attributes: GROUP_ATTRIBUTES.map(str::to_owned).to_vec(),
            subject_attribute: None,
        }
    }

    /// Whom assertions must be for.
    pub(crate) fn expected_audience(&self) -> &str {
        self.audience.as_deref().unwrap_or(&self.issuer)
    }

    /// What can be wrong without looking at keys or metadata.
    pub(crate) fn judge(&self) -> Result<(), SamlConfigError> {
        if self.issuer.is_empty() || self.issuer.len() > 1024 {
            return Err(SamlConfigError::Missing {
                key: "issuer",
                why: "it is our name at the provider",
            });
        }
        let longest = Lifetime::from_secs(300);
        if self.accepted_clock_skew > longest {
            return Err(value("acceptedClockSkewMs", "five minutes (300000) at most"));
        }
        if self.max_assertion_age > Lifetime::from_secs(3600) {
            return Err(value("maxAssertionAgeMs", "an hour (3600000) at most"));
        }
        let comparisons = ["exact", "minimum", "maximum", "better"];
        if !comparisons.contains(&self.authn_context_comparison.as_str()) {
            return Err(value(
                "racComparison",
                "one of exact, minimum, maximum and better",
            ));
        }
        match self.validate_in_response_to.as_deref() {
            None | Some("always" | "true") => Ok(()),
            Some(_) => Err(value(
                "validateInResponseTo",
                "an answer to nobody's question lets an attacker log others in as himself: it cannot be off. \
                 For people who start at the provider there is allowUnsolicited",
            )),
        }
    }
}

fn value(key: &'static str, why: &str) -> SamlConfigError {
    SamlConfigError::Value {
        key,
        why: why.to_owned(),
    }
}

impl fmt::Debug for SamlConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SamlConfig")
            .field("issuer", &self.issuer)
            .field("callback_url", &self.callback_url)
            .field("metadata_url", &self.metadata_url)
            .field("entry_point", &self.entry_point)
            .field("idp_issuer", &self.idp_issuer)
            .field("signs", &self.private_key.is_some())
            .field("decrypts", &self.decryption_key.is_some())
            .finish_non_exhaustive()
    }
}
