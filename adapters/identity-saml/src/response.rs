//! A `Response` (SAML Core section 3.3.3, Profiles section 4.1.4), from its text to what may be believed of it.

use domain::ports::{ProviderError, ProviderFault};
use domain::time::Timestamp;

use crate::assertion::{self, Claims};
use crate::config::SamlConfig;
use crate::decrypt;
use crate::error::malformed;
use crate::keys::OwnKey;
use crate::metadata::IdpDescription;
use crate::signature::{Verified, is_ncname, signatures_of, verify};
use crate::xml::{ASSERTION, MESSAGE, Node, PROTOCOL, SUCCESS, Tree, parse_time};

/// What an answer is held against.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// The entry.
    pub config: &'r SamlConfig,
    /// Who may answer.
    pub provider: &'r IdpDescription,
    /// What it may encrypt for.
    pub decryption: Option<&'r OwnKey>,
    /// Where the answer came to.
    pub address: &'r str,
    /// The request it must answer; none for an answer that nobody asked for.
    pub request: Option<&'r str>,
    /// The moment it is.
    pub now: Timestamp,
}

/// Judges an answer. What is read of who somebody is, is read from verified elements alone; the rest can only refuse.
pub fn judge(xml: &str, rules: &Rules<'_>) -> Result<Claims, ProviderError> {
    let tree = Tree::parse(xml, &MESSAGE).map_err(|fault| malformed(fault.0))?;
    let response = tree.root();
    if !response.is(PROTOCOL, "Response") || response.attribute("Version") != Some("2.0") {
        return Err(malformed("the message is no Response of SAML 2.0"));
    }
    judge_status(response)?;
    let part = only_assertion(response)?;
    let encrypted = part.is_called("EncryptedAssertion");
    let targets: &[Node<'_>] = if encrypted { &[response] } else { &[response, part] };
    let signed = signatures_of(&tree, targets)?;
    let proofs = verify(&tree, &signed, &rules.provider.keys)?;
    let whole = proofs.of(response);
    if rules.config.want_response_signed && whole.is_none() {
        return Err(unsigned("the response is not signed, and the entry wants that"));
    }
    judge_response(response, whole.is_some(), rules)?;
    if encrypted {
        let plain = decrypt::open(part, whole.is_some(), rules.decryption)?;
        return judge_decrypted(&plain, whole, rules);
    }
    let own = proofs.of(part);
    if rules.config.want_assertions_signed && own.is_none() {
        return Err(unsigned("the assertion is not signed, and the entry wants that"));
    }
    let inside = whole
        .map(|whole| whole.only(ASSERTION, "Assertion"))
        .transpose()?
        .flatten();
    let believed = own.or(inside);
    let believed = believed.ok_or_else(|| unsigned("neither the response nor the assertion is signed"))?;
    assertion::judge(believed, rules)
}

fn unsigned(detail: &'static str) -> ProviderError {
    ProviderError::refused(ProviderFault::SamlSignatureMissing, detail)
}

/// What was encrypted must be one assertion, with its own signature or below the response's.
fn judge_decrypted(
    plain: &Tree,
    whole: Option<Verified<'_>>,
    rules: &Rules<'_>,
) -> Result<Claims, ProviderError> {
    let root = plain.root();
    if !root.is(ASSERTION, "Assertion") || root.below().any(is_assertion) {
        return Err(malformed("what was encrypted is not one assertion"));
    }
    let signed = signatures_of(plain, &[root])?;
    let own = verify(plain, &signed, &rules.provider.keys)?.of(root);
    if rules.config.want_assertions_signed && own.is_none() {
        return Err(unsigned("the assertion is not signed, and the entry wants that"));
    }
    let inside = whole.map(|whole| Verified::decrypted_from(whole, plain));
    let believed = own.or(inside);
    let believed = believed.ok_or_else(|| unsigned("neither the response nor the assertion is signed"))?;
    assertion::judge(believed, rules)
}

/// Whatever calls itself an assertion, in whatever namespace.
fn is_assertion(node: Node<'_>) -> bool {
    node.is_called("Assertion") || node.is_called("EncryptedAssertion")
}

/// There is one assertion in all of the document, directly in the response: no second one to be mistaken for it.
fn only_assertion(response: Node<'_>) -> Result<Node<'_>, ProviderError> {
    let mut all = response.below().filter(|node| is_assertion(*node));
    let first = all.next();
    if all.next().is_some() {
        return Err(malformed("there is more than one assertion"));
    }
    let proper = |node: &Node<'_>| {
        let named = node.is(ASSERTION, "Assertion") || node.is(ASSERTION, "EncryptedAssertion");
        named && node.is_child_of(response)
    };
    let first = first.filter(proper);
    first.ok_or_else(|| malformed("there is no assertion directly in the response"))
}

/// An answer that says no may be unsigned: nothing is believed of it but that.
fn judge_status(message: Node<'_>) -> Result<(), ProviderError> {
    let codes = status_codes(message)?;
    match codes.first() {
        Some(first) if first == SUCCESS => Ok(()),
        Some(_) => {
            let short: Vec<String> = codes.iter().map(|code| short_code(code)).collect();
            let detail = format!("the provider answered {}", short.join(" / "));
            Err(ProviderError::refused(ProviderFault::SamlStatus, detail))
        }
        None => Err(malformed("there is no status")),
    }
}

/// The status of a message, the outer code first.
pub fn status_codes(message: Node<'_>) -> Result<Vec<String>, ProviderError> {
    let mut codes = Vec::new();
    let mut place = message.only(PROTOCOL, "Status")?;
    while let Some(within) = place {
        place = within.only(PROTOCOL, "StatusCode")?;
        let value = place.and_then(|code| code.attribute("Value"));
        codes.extend(value.map(str::to_owned));
    }
    Ok(codes)
}

/// The end of a code, if it looks like one: anybody may have written it.
fn short_code(code: &str) -> String {
    let end = code.rsplit(':').next().unwrap_or_default();
    let sound = !end.is_empty() && end.len() <= 40 && end.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if sound { end.to_owned() } else { "?".to_owned() }
}

/// What the outer element says. It can only refuse, so that it need not be signed to be looked at.
fn judge_response(response: Node<'_>, signed: bool, rules: &Rules<'_>) -> Result<(), ProviderError> {
    let refused = ProviderError::refused;
    if !response.attribute("ID").is_some_and(is_ncname) {
        return Err(malformed("the response has no ID"));
    }
    let issuer = response.only(ASSERTION, "Issuer")?.map(Node::text);
    match issuer {
        Some(issuer) if issuer.trim() != rules.provider.entity_id => {
            return Err(refused(
                ProviderFault::SamlIssuer,
                "the response is from another issuer",
            ));
        }
        None if signed => {
            return Err(refused(
                ProviderFault::SamlIssuer,
                "the signed response names no issuer",
            ));
        }
        _ => {}
    }
    match response
        .attribute("Destination")
        .filter(|address| !address.is_empty())
    {
        Some(address) if address != rules.address => {
            let detail = "the response was sent to another address";
            return Err(refused(ProviderFault::SamlDestination, detail));
        }
        None if signed => {
            let detail = "the signed response has no Destination";
            return Err(refused(ProviderFault::SamlDestination, detail));
        }
        _ => {}
    }
    judge_in_response_to(response.attribute("InResponseTo"), rules)?;
    judge_instant(response.attribute("IssueInstant"), rules).map(|_| ())
}

/// An answer answers our request, and what nobody asked for answers none.
pub fn judge_in_response_to(given: Option<&str>, rules: &Rules<'_>) -> Result<(), ProviderError> {
    if given == rules.request {
        return Ok(());
    }
    let detail = match (given, rules.request) {
        (None, _) => "it does not say which request it answers",
        (Some(_), None) => "it answers a request, but came as if nobody had asked",
        (Some(_), Some(_)) => "it answers another request",
    };
    Err(ProviderError::refused(ProviderFault::SamlInResponseTo, detail))
}

/// `IssueInstant`: not in the future, and not long ago. Gives the moment from when on it is that.
pub fn judge_instant(given: Option<&str>, rules: &Rules<'_>) -> Result<Timestamp, ProviderError> {
    let instant = given.and_then(parse_time);
    let instant = instant.ok_or_else(|| malformed("there is no IssueInstant"))?;
    if instant > rules.now.plus(rules.config.accepted_clock_skew) {
        return Err(ProviderError::refused(
            ProviderFault::SamlTime,
            "it was made in the future",
        ));
    }
    let oldest = oldest_of(instant, rules);
    if rules.now >= oldest {
        return Err(ProviderError::refused(
            ProviderFault::SamlTime,
            "it was made too long ago",
        ));
    }
    Ok(oldest)
}

/// From when on something of that moment is too old.
pub fn oldest_of(instant: Timestamp, rules: &Rules<'_>) -> Timestamp {
    let config = rules.config;
    instant
        .plus(config.max_assertion_age)
        .plus(config.accepted_clock_skew)
}
