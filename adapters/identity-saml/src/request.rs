//! Our `AuthnRequest` (SAML Core section 3.4.1).

use domain::ports::{AuthorizationRequest, AuthorizationStart, ProviderError, ProviderFault};
use domain::secret::Secret;
use domain::time::Timestamp;

use crate::config::{SamlBinding, SamlConfig};
use crate::metadata::IdpDescription;
use crate::signature::is_ncname;
use crate::wire::{Outgoing, Signer};
use crate::xml::{ASSERTION, POST, PROTOCOL, escape};

/// The ID of a message of ours, from what was drawn for it alone and comes back to us by another way: the answer must name it.
pub fn message_id(drawn: &Secret) -> String {
    let id = format!("_{}", drawn.expose());
    if is_ncname(&id) {
        return id;
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, drawn.expose().as_bytes());
    let hex: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("_{}", hex.concat())
}

/// Sends somebody to the provider.
pub fn begin(
    request: &AuthorizationRequest,
    config: &SamlConfig,
    provider: &IdpDescription,
    signer: Option<Signer<'_>>,
    now: Timestamp,
) -> Result<AuthorizationStart, ProviderError> {
    let refused = |detail| ProviderError::refused(ProviderFault::MetadataInvalid, detail);
    if provider.wants_signed_requests && signer.is_none() {
        return Err(refused(
            "the provider takes signed requests only: privateCert is missing",
        ));
    }
    let place = provider.sign_on.by(config.authn_request_binding);
    let (binding, url) = place.ok_or_else(|| refused("there is nowhere to send people to"))?;
    let outgoing = Outgoing {
        url,
        parameter: "SAMLRequest",
        xml: authn_request(request, config, url, now),
        relay_state: Some(request.state.expose()),
    };
    let compressed = !config.skip_request_compression || binding == SamlBinding::Post;
    outgoing.by(binding, signer, compressed)
}

fn authn_request(request: &AuthorizationRequest, config: &SamlConfig, url: &str, now: Timestamp) -> String {
    let mut attributes = Vec::new();
    if config.force_authn {
        attributes.push(" ForceAuthn=\"true\"".to_owned());
    }
    if let Some(name) = &config.provider_name {
        attributes.push(format!(" ProviderName=\"{}\"", escape(name)));
    }
    let attributes = attributes.concat();
    let policy = config
        .identifier_format
        .as_deref()
        .map_or_else(String::new, |format| {
            format!(
                "<samlp:NameIDPolicy Format=\"{}\" AllowCreate=\"true\"/>",
                escape(format)
            )
        });
    format!(
        "<samlp:AuthnRequest xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\" ID=\"{}\" Version=\"2.0\" IssueInstant=\"{}\" \
         Destination=\"{}\" ProtocolBinding=\"{POST}\" AssertionConsumerServiceURL=\"{}\"{attributes}>\
         <saml:Issuer>{}</saml:Issuer>{policy}{}</samlp:AuthnRequest>",
        message_id(&request.nonce),
        now.to_iso8601(),
        escape(url),
        escape(&request.redirect_uri),
        escape(&config.issuer),
        requested_context(config),
    )
}

fn requested_context(config: &SamlConfig) -> String {
    if config.disable_requested_authn_context || config.authn_context.is_empty() {
        return String::new();
    }
    let class = |class: &String| {
        format!(
            "<saml:AuthnContextClassRef>{}</saml:AuthnContextClassRef>",
            escape(class)
        )
    };
    let classes: String = config.authn_context.iter().map(class).collect();
    format!(
        "<samlp:RequestedAuthnContext Comparison=\"{}\">{classes}</samlp:RequestedAuthnContext>",
        config.authn_context_comparison
    )
}
