use domain::ports::{LogoutHeard, LogoutMessage, LogoutRequested, Once, ProviderError, ProviderFault};
use domain::secret::Secret;
use domain::time::Timestamp;

use super::Scene;
use crate::error::malformed;
use crate::name_id::{NameId, Parties};
use crate::request::message_id;
use crate::signature::{Verified, is_ncname, signatures_of, verify, verify_query};
use crate::wire;
use crate::xml::{ASSERTION, MESSAGE, PROTOCOL, SUCCESS, Tree, parse_time};

/// Most sessions that one request names.
const MOST_INDEXES: usize = 256;

fn refused(fault: ProviderFault, detail: &'static str) -> ProviderError {
    ProviderError::refused(fault, detail)
}

/// Judges what came: by the Redirect binding if there is a query, else by a form. Unsigned is refused.
pub fn receive(message: &LogoutMessage, scene: &Scene<'_>) -> Result<LogoutHeard, ProviderError> {
    let tree;
    let (root, is_request, relay) = if let Some(query) = &message.query {
        let signed = verify_query(query, &scene.provider.keys)?;
        tree = parse(&signed.xml)?;
        if tree.root().below().any(|node| node.is_called("Signature")) {
            return Err(malformed("a message in an address must not be signed in itself"));
        }
        let root = Verified::whole(&tree, &signed.proof);
        (root, signed.is_request, signed.relay_state)
    } else {
        let (text, is_request) = posted(message)?;
        tree = parse(&wire::from_post(text)?)?;
        let signed = signatures_of(&tree, &[tree.root()])?;
        let root = verify(&tree, &signed, &scene.provider.keys)?.of(tree.root());
        let missing = || refused(ProviderFault::SamlSignatureMissing, "the message is not signed");
        (
            root.ok_or_else(missing)?,
            is_request,
            param(message, "RelayState").map(str::to_owned),
        )
    };
    let name = if is_request {
        "LogoutRequest"
    } else {
        "LogoutResponse"
    };
    if !root.is(PROTOCOL, name) || root.attribute("Version") != Some("2.0") {
        return Err(malformed("the message is none about a log-out, of SAML 2.0"));
    }
    let instant = judge_head(root, scene)?;
    if is_request {
        requested(root, instant, relay, scene).map(LogoutHeard::Requested)
    } else {
        answered(root, relay)
    }
}

fn parse(xml: &str) -> Result<Tree, ProviderError> {
    Tree::parse(xml, &MESSAGE).map_err(|fault| malformed(fault.0))
}

fn param<'m>(message: &'m LogoutMessage, name: &str) -> Option<&'m str> {
    let mut found = message.params.iter().filter(|(given, _)| given == name);
    found.next().map(|(_, value)| value.as_str())
}

fn posted(message: &LogoutMessage) -> Result<(&str, bool), ProviderError> {
    match (param(message, "SAMLRequest"), param(message, "SAMLResponse")) {
        (Some(request), None) => Ok((request, true)),
        (None, Some(response)) => Ok((response, false)),
        _ => Err(malformed("the form holds no message, or two")),
    }
}

/// What all messages have: an ID, a time, the sender, and us. Gives the time.
fn judge_head(root: Verified<'_>, scene: &Scene<'_>) -> Result<Timestamp, ProviderError> {
    if !root.attribute("ID").is_some_and(is_ncname) {
        return Err(malformed("the message has no ID"));
    }
    let issuer = root.only(ASSERTION, "Issuer")?.map(Verified::text);
    if issuer.as_deref().map(str::trim) != Some(scene.provider.entity_id.as_str()) {
        return Err(refused(
            ProviderFault::SamlIssuer,
            "the message is from another issuer",
        ));
    }
    let ours = scene.config.logout_callback_url.as_deref();
    if ours.is_none() || root.attribute("Destination") != ours {
        return Err(refused(
            ProviderFault::SamlDestination,
            "the message was sent to another address",
        ));
    }
    let skew = scene.config.accepted_clock_skew;
    let instant = root.attribute("IssueInstant").and_then(parse_time);
    let instant = instant.ok_or_else(|| malformed("there is no IssueInstant"))?;
    if instant > scene.now.plus(skew) {
        return Err(refused(ProviderFault::SamlTime, "it was made in the future"));
    }
    if scene.now >= instant.plus(scene.config.max_assertion_age).plus(skew) {
        return Err(refused(ProviderFault::SamlTime, "it was made too long ago"));
    }
    Ok(instant)
}

fn requested(
    root: Verified<'_>,
    instant: Timestamp,
    relay_state: Option<String>,
    scene: &Scene<'_>,
) -> Result<LogoutRequested, ProviderError> {
    let (config, provider) = (scene.config, scene.provider);
    let end = root.attribute("NotOnOrAfter");
    let end = end.map(|end| parse_time(end).ok_or_else(|| malformed("a time cannot be read")));
    let end = end.transpose()?.map(|end| end.plus(config.accepted_clock_skew));
    if end.is_some_and(|end| scene.now >= end) {
        return Err(refused(ProviderFault::SamlExpired, "it is over"));
    }
    let name = root.only(ASSERTION, "NameID")?;
    let name = name.ok_or_else(|| {
        refused(
            ProviderFault::SamlNameId,
            "there is no NameID, or it is encrypted",
        )
    })?;
    let name = NameId::read(name)?;
    if config.subject_attribute.is_some() {
        let detail = "names are not subjects here (subjectAttribute): whose sessions these are is unknown";
        return Err(refused(ProviderFault::SamlNameId, detail));
    }
    let indexes: Vec<String> = root
        .all(PROTOCOL, "SessionIndex")
        .map(|index| index.text().trim().to_owned())
        .collect();
    if indexes.len() > MOST_INDEXES || indexes.iter().any(String::is_empty) {
        return Err(malformed("the sessions cannot be read"));
    }
    let old = instant
        .plus(config.max_assertion_age)
        .plus(config.accepted_clock_skew);
    let id = root.attribute("ID").unwrap_or_default().to_owned();
    Ok(LogoutRequested {
        issuer: provider.entity_id.clone(),
        subject: name.subject(Parties {
            provider: &provider.entity_id,
            own: &config.issuer,
            format: config.identifier_format.as_deref(),
        }),
        indexes,
        once: Once {
            id: format!("logout {id}"),
            until: end.map_or(old, |end| end.min(old)),
        },
        request_id: id,
        relay_state,
    })
}

/// The answer to a request of ours names it, and brings back what it was made from.
fn answered(root: Verified<'_>, relay: Option<String>) -> Result<LogoutHeard, ProviderError> {
    let relay = relay.map(Secret::new);
    let asked = relay.as_ref().map(message_id);
    if asked.is_none() || root.attribute("InResponseTo") != asked.as_deref() {
        return Err(refused(
            ProviderFault::SamlInResponseTo,
            "it answers another request",
        ));
    }
    let status = root.only(PROTOCOL, "Status")?;
    let status = status.ok_or_else(|| malformed("there is no status"))?;
    let code = status.only(PROTOCOL, "StatusCode")?;
    let code = code.ok_or_else(|| malformed("there is no status"))?;
    // A partial log-out is a success with a reservation.
    let complete = code.attribute("Value") == Some(SUCCESS) && code.elements().next().is_none();
    let relay = relay.ok_or_else(|| malformed("there is no RelayState"))?;
    Ok(LogoutHeard::Answered { relay, complete })
}
