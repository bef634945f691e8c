//! Entries that speak SAML 2.0.

use domain::secret::Secret;
use domain::time::Lifetime;
use identity_saml::{SamlBinding, SamlConfig, SamlHash, SamlProvider};
use outbound_http::Outbound;

use super::{Arc, Opened, ProviderAdapter, Remote, set};

pub fn open(remote: &Remote, outbound: &Outbound) -> Result<Opened, String> {
    let provider = SamlProvider::new(config(remote)?, outbound.clone()).map_err(|error| error.to_string())?;
    let provider = Arc::new(provider);
    Ok(Opened {
        adapter: ProviderAdapter::Redirect {
            logout: Some(Arc::clone(&provider) as _),
            provider,
        },
        scopes: Vec::new(),
    })
}

/// Within what its ids are unique.
pub fn issuer(remote: &Remote) -> Option<String> {
    config(remote).ok()?.idp_issuer
}

fn config(remote: &Remote) -> Result<SamlConfig, String> {
    let given = &remote.settings;
    let mut config = SamlConfig::new(remote.client_id.clone(), remote.callback_url.clone());
    config.logout_callback_url.clone_from(&remote.logout_url);
    config.metadata = given.text("metadata");
    config.metadata_url = given.text("metadataUrl");
    set(
        &mut config.metadata_certificates,
        given.texts("metadataCert").as_ref(),
    );
    config.entry_point = given.text("entryPoint");
    set(&mut config.certificates, given.texts("cert").as_ref());
    config.idp_issuer = given.text("idpIssuer");
    config.logout_url = given.text("logoutUrl");
    config.private_key = given.get::<Secret>("privateCert");
    config.signing_certificate = given.text("signingCert");
    config.decryption_key = given.get::<Secret>("decryptionPvk");
    config.decryption_certificate = given.text("decryptionCert");
    config.audience = given.text("audience");
    if let Some(format) = given.texts("identifierFormat") {
        config.identifier_format = format.into_iter().next();
    }
    let hash = |key: &'static str| {
        let text = given.text(key);
        text.map(|text| SamlHash::parse(key, &text)).transpose()
    };
    let wrong = |error: identity_saml::SamlConfigError| error.to_string();
    set(
        &mut config.signature_algorithm,
        hash("signatureAlgorithm").map_err(wrong)?.as_ref(),
    );
    set(
        &mut config.digest_algorithm,
        hash("digestAlgorithm").map_err(wrong)?.as_ref(),
    );
    if let Some(binding) = given.text("authnRequestBinding") {
        config.authn_request_binding = SamlBinding::parse(&binding).map_err(wrong)?;
    }
    let time = |name| given.get::<u64>(name).map(Lifetime::from_millis);
    set(
        &mut config.accepted_clock_skew,
        time("acceptedClockSkewMs").as_ref(),
    );
    set(&mut config.max_assertion_age, time("maxAssertionAgeMs").as_ref());
    requests(&mut config, remote);
    config.allow_unsolicited = remote.unsolicited;
    config.email_trusted = remote.email_verified;
    set(
        &mut config.group_attributes,
        given.texts("groupAttributes").as_ref(),
    );
    config.subject_attribute = given.text("subjectAttribute");
    Ok(config)
}

/// What is asked for, and what must be signed.
fn requests(config: &mut SamlConfig, remote: &Remote) {
    let given = &remote.settings;
    set(&mut config.authn_context, given.texts("authnContext").as_ref());
    set(
        &mut config.authn_context_comparison,
        given.text("racComparison").as_ref(),
    );
    set(
        &mut config.disable_requested_authn_context,
        given.get::<bool>("disableRequestedAuthnContext").as_ref(),
    );
    set(&mut config.force_authn, given.get::<bool>("forceAuthn").as_ref());
    config.provider_name = given.text("providerName");
    set(
        &mut config.skip_request_compression,
        given.get::<bool>("skipRequestCompression").as_ref(),
    );
    config.validate_in_response_to = given.text("validateInResponseTo");
    set(
        &mut config.want_assertions_signed,
        given.get::<bool>("wantAssertionsSigned").as_ref(),
    );
    set(
        &mut config.want_response_signed,
        given.get::<bool>("wantAuthnResponseSigned").as_ref(),
    );
}
