//! What an operator may write, and what is said of what cannot be.

use domain::identity::ProviderTokens;
use domain::ports::{IdentityProvider as _, ProviderFault};
use domain::secret::Secret;
use domain::time::{Lifetime, Timestamp};
use identity_saml::{SamlBinding, SamlConfig, SamlConfigError, SamlHash};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};

use crate::support::{
    IDP_KEY, OTHER_KEY, OWN_KEY, complete_by, config, fault_of, provider, signed, try_provider,
};

/// A mistake.
type Change = fn(&mut SamlConfig);

fn refusal(config: SamlConfig) -> String {
    try_provider(config).unwrap_err().to_string()
}

#[test]
fn every_mistake_has_its_sentence() {
    let with = |change: Change| {
        let mut changed = config();
        change(&mut changed);
        refusal(changed)
    };
    let cases: [(Change, &str); 16] = [
        (|c| c.issuer.clear(), "issuer is missing"),
        (
            |c| c.callback_url = "http://sp.example/acs".to_owned(),
            "callbackURL: https is needed",
        ),
        (
            |c| c.entry_point = Some("ftp://idp.example".to_owned()),
            "entryPoint: https is needed",
        ),
        (
            |c| c.logout_url = Some("/slo".to_owned()),
            "logoutUrl: https is needed",
        ),
        (|c| c.entry_point = None, "entryPoint is missing"),
        (
            |c| c.metadata_url = Some("https://idp.example/md".to_owned()),
            "not several",
        ),
        (|c| c.certificates.clear(), "cert is missing"),
        (
            |c| c.certificates = vec![String::new()],
            "cert: the certificate is empty",
        ),
        (
            |c| c.certificates = vec!["-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----".to_owned()],
            "cert: the certificate is empty",
        ),
        (
            |c| c.certificates = vec!["AAAA".to_owned()],
            "cert: the certificate cannot be read",
        ),
        (|c| c.idp_issuer = None, "idpIssuer is missing"),
        (
            |c| c.accepted_clock_skew = Lifetime::from_secs(301),
            "acceptedClockSkewMs",
        ),
        (
            |c| c.validate_in_response_to = Some("never".to_owned()),
            "validateInResponseTo",
        ),
        (|c| c.private_key = Some(Secret::new("x")), "privateCert"),
        (
            |c| c.signing_certificate = Some(String::new()),
            "signingCert: there is no private key",
        ),
        (|c| c.authn_context_comparison = "any".to_owned(), "racComparison"),
    ];
    for (change, sentence) in cases {
        let said = with(change);
        assert!(said.contains(sentence), "{said}");
    }
}

#[test]
fn sha_1_is_refused_with_the_reason() {
    let said = SamlHash::parse("signatureAlgorithm", "sha1")
        .unwrap_err()
        .to_string();
    assert!(said.contains("signatureAlgorithm: SHA-1 is broken"), "{said}");
    assert_eq!(SamlHash::parse("digestAlgorithm", "sha512"), Ok(SamlHash::Sha512));
    assert!(SamlHash::parse("digestAlgorithm", "md5").is_err());
    assert_eq!(SamlBinding::parse("HTTP-POST"), Ok(SamlBinding::Post));
    assert!(SamlBinding::parse("SOAP").is_err());
}

/// 1024 bits, made with openssl: no library here makes one.
const WEAK: &str = include_str!("weak.pem");

#[test]
fn weak_and_strange_keys_are_refused() {
    let mut weak = config();
    weak.certificates = vec![WEAK.to_owned()];
    assert_eq!(refusal(weak), "cert: an RSA key must have 2048 to 8192 bits");
    let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let strange = CertificateParams::new(vec!["x".to_owned()])
        .unwrap()
        .self_signed(&pair)
        .unwrap();
    let mut edwards = config();
    edwards.certificates = vec![strange.pem()];
    assert!(refusal(edwards).contains("use RSA or an elliptic curve"));
    let mut other = config();
    other.private_key = Some(Secret::new(&*OTHER_KEY.private));
    other.signing_certificate = Some(IDP_KEY.certificate.clone());
    assert_eq!(refusal(other), "signingCert: it is not the private key's");
    let mut curve = config();
    curve.decryption_key = Some(Secret::new(&*OTHER_KEY.private));
    assert!(matches!(
        try_provider(curve),
        Err(SamlConfigError::Key {
            key: "decryptionPvk",
            ..
        })
    ));
}

#[tokio::test]
async fn certificates_and_keys_may_be_bare_base64() {
    let bare = |pem: &str| {
        pem.lines()
            .filter(|line| !line.starts_with('-'))
            .collect::<String>()
    };
    let mut plain = config();
    plain.certificates = vec![bare(&IDP_KEY.certificate)];
    plain.private_key = Some(Secret::new(bare(&OWN_KEY.private)));
    plain.signing_certificate = Some(bare(&OWN_KEY.certificate));
    assert!(complete_by(plain, &signed()).await.is_ok());
    let mut bundle = config();
    bundle.certificates = vec![format!("{}\n{}", OTHER_KEY.certificate, IDP_KEY.certificate)];
    assert!(complete_by(bundle, &signed()).await.is_ok());
}

#[test]
fn no_key_is_shown() {
    let mut secret = config();
    secret.private_key = Some(Secret::new(&*OTHER_KEY.private));
    let shown = format!("{:?}", provider(secret));
    let line = OTHER_KEY.private.lines().nth(1).unwrap();
    assert!(!shown.contains(line) && shown.contains("signs: true"), "{shown}");
}

#[tokio::test]
async fn there_is_nothing_to_refresh() {
    let tokens = ProviderTokens {
        access_token: Secret::new("x"),
        token_secret: None,
        refresh_token: None,
        token_type: String::new(),
        expires: None,
        scopes: None,
    };
    let refused = provider(config())
        .refresh(&tokens, None, Timestamp::from_millis(0))
        .await;
    assert_eq!(fault_of(refused), ProviderFault::NotRefreshable);
}
