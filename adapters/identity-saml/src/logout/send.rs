use domain::identity::ProviderSession;
use domain::ports::{AuthorizationStart, LogoutRequested, ProviderError};
use domain::secret::Secret;
use domain::time::Lifetime;
use domain::time::Timestamp;

use super::Scene;
use crate::config::SamlBinding;
use crate::name_id::NameId;
use crate::request::message_id;
use crate::wire::{Outgoing, Signer};
use crate::xml::{ASSERTION, PARTIAL_LOGOUT, PROTOCOL, RESPONDER, SUCCESS, escape};

/// How long the provider has to act.
const SPAN: Lifetime = Lifetime::from_secs(300);

/// Asks the provider to end a session; none where it has no place for that, or we remember no name to say.
pub fn begin(
    session: &ProviderSession,
    relay: &Secret,
    scene: &Scene<'_>,
    signer: Signer<'_>,
) -> Result<Option<AuthorizationStart>, ProviderError> {
    let place = scene.provider.logout.by(SamlBinding::Redirect);
    let (Some((binding, url)), Some(name)) = (place, NameId::from_session(&session.subject)) else {
        return Ok(None);
    };
    let index = if session.index.is_empty() {
        String::new()
    } else {
        format!(
            "<samlp:SessionIndex>{}</samlp:SessionIndex>",
            escape(&session.index)
        )
    };
    let until = scene.now.plus(SPAN).to_iso8601();
    let head = head(
        "LogoutRequest",
        &message_id(relay),
        url,
        scene,
        &format!("NotOnOrAfter=\"{until}\""),
    );
    let outgoing = Outgoing {
        url,
        parameter: "SAMLRequest",
        xml: format!("{head}{}{index}</samlp:LogoutRequest>", name.to_xml()),
        relay_state: Some(relay.expose()),
    };
    outgoing.by(binding, Some(signer), true).map(Some)
}

/// Answers a wish; none where the provider has no place for answers.
pub fn answer(
    request: &LogoutRequested,
    done: bool,
    scene: &Scene<'_>,
    signer: Signer<'_>,
) -> Result<Option<AuthorizationStart>, ProviderError> {
    let Some((binding, url)) = scene.provider.logout_answers.by(SamlBinding::Redirect) else {
        return Ok(None);
    };
    let status = if done {
        format!("<samlp:StatusCode Value=\"{SUCCESS}\"/>")
    } else {
        format!(
            "<samlp:StatusCode Value=\"{RESPONDER}\"><samlp:StatusCode Value=\"{PARTIAL_LOGOUT}\"/></samlp:StatusCode>"
        )
    };
    // One answer to a request: its ID may be made from the request's.
    let id = message_id(&Secret::new(format!("answer to {}", request.request_id)));
    let refers = format!("InResponseTo=\"{}\"", escape(&request.request_id));
    let head = head("LogoutResponse", &id, url, scene, &refers);
    let outgoing = Outgoing {
        url,
        parameter: "SAMLResponse",
        xml: format!("{head}<samlp:Status>{status}</samlp:Status></samlp:LogoutResponse>"),
        relay_state: request.relay_state.as_deref(),
    };
    outgoing.by(binding, Some(signer), true).map(Some)
}

fn head(kind: &str, id: &str, url: &str, scene: &Scene<'_>, attributes: &str) -> String {
    let now: Timestamp = scene.now;
    format!(
        "<samlp:{kind} xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\" ID=\"{id}\" Version=\"2.0\" IssueInstant=\"{}\" \
         Destination=\"{}\" {attributes}><saml:Issuer>{}</saml:Issuer>",
        now.to_iso8601(),
        escape(url),
        escape(&scene.config.issuer),
    )
}
