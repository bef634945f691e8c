//! An `Assertion` (SAML Core section 2.3.3, Profiles section 4.1.4.2). Everything here is read from verified elements.

use domain::ports::{ProviderError, ProviderFault};
use domain::time::Timestamp;

use crate::attributes::Attributes;
use crate::error::malformed;
use crate::name_id::{NameId, Parties};
use crate::response::{Rules, judge_in_response_to, judge_instant, oldest_of};
use crate::signature::{Verified, is_ncname};
use crate::xml::{ASSERTION, BEARER, parse_time};

/// What an assertion says, all of it checked.
#[derive(Debug)]
pub struct Claims {
    /// Its own ID.
    pub id: String,
    /// From when on it is refused by its own words, with every tolerance.
    pub until: Timestamp,
    /// Who it is.
    pub subject: String,
    /// The name, where there is one.
    pub name: Option<NameId>,
    /// The provider's session.
    pub session_index: Option<String>,
    /// What else it says.
    pub attributes: Attributes,
}

fn refused(fault: ProviderFault, detail: &'static str) -> ProviderError {
    ProviderError::refused(fault, detail)
}

/// Judges an assertion that somebody signed, as if everything in it were wrong.
pub fn judge(assertion: Verified<'_>, rules: &Rules<'_>) -> Result<Claims, ProviderError> {
    if !assertion.is(ASSERTION, "Assertion") || assertion.attribute("Version") != Some("2.0") {
        return Err(malformed("this is no assertion of SAML 2.0"));
    }
    let id = assertion.attribute("ID").filter(|id| is_ncname(id));
    let id = id.ok_or_else(|| malformed("the assertion has no ID"))?.to_owned();
    let issuer = assertion.only(ASSERTION, "Issuer")?.map(Verified::text);
    if issuer.as_deref().map(str::trim) != Some(rules.provider.entity_id.as_str()) {
        return Err(refused(
            ProviderFault::SamlIssuer,
            "the assertion is from another issuer",
        ));
    }
    let oldest = judge_instant(assertion.attribute("IssueInstant"), rules)?;
    let subject = assertion.only(ASSERTION, "Subject")?;
    let subject =
        subject.ok_or_else(|| refused(ProviderFault::SamlNameId, "the assertion has no subject"))?;
    let confirmed = judge_confirmations(subject, rules)?;
    let conditions = judge_conditions(assertion, rules)?;
    let end = conditions.map_or(confirmed, |end| end.min(confirmed));
    let session_index = judge_statements(assertion, rules)?;
    let attributes = Attributes::read(assertion)?;
    let name = judge_name(subject, rules)?;
    let subject = subject_of(name.as_ref(), &attributes, rules)?;
    Ok(Claims {
        id,
        until: end.plus(rules.config.accepted_clock_skew).min(oldest),
        subject,
        name,
        session_index,
        attributes,
    })
}

/// The name in the subject. An encrypted one is no name to us.
fn judge_name(subject: Verified<'_>, rules: &Rules<'_>) -> Result<Option<NameId>, ProviderError> {
    let Some(node) = subject.only(ASSERTION, "NameID")? else {
        if rules.config.subject_attribute.is_some() {
            return Ok(None);
        }
        return Err(refused(
            ProviderFault::SamlNameId,
            "there is no NameID, or it is encrypted",
        ));
    };
    let name = NameId::read(node)?;
    if name.is_entity() {
        return Err(refused(ProviderFault::SamlNameId, "the name is a system's"));
    }
    if name.is_transient() && rules.config.subject_attribute.is_none() {
        let detail = "the name is transient: ask for another format, or name subjectAttribute";
        return Err(refused(ProviderFault::SamlNameId, detail));
    }
    Ok(Some(name))
}

fn subject_of(
    name: Option<&NameId>,
    attributes: &Attributes,
    rules: &Rules<'_>,
) -> Result<String, ProviderError> {
    if let Some(attribute) = &rules.config.subject_attribute {
        let missing = || {
            refused(
                ProviderFault::SubjectMissing,
                "subjectAttribute is missing, or has several values",
            )
        };
        return attributes
            .single(attribute)
            .map(str::to_owned)
            .ok_or_else(missing);
    }
    let name = name.ok_or_else(|| refused(ProviderFault::SamlNameId, "there is no NameID"))?;
    Ok(name.subject(Parties {
        provider: &rules.provider.entity_id,
        own: &rules.config.issuer,
        format: rules.config.identifier_format.as_deref(),
    }))
}

/// One bearer's confirmation has to hold in full; of those that do not, the first says why. Gives the last end of those that hold: until
/// then it might be shown again.
fn judge_confirmations(subject: Verified<'_>, rules: &Rules<'_>) -> Result<Timestamp, ProviderError> {
    let bearers = subject
        .all(ASSERTION, "SubjectConfirmation")
        .filter(|confirmation| confirmation.attribute("Method") == Some(BEARER));
    let (mut last, mut first) = (None, None);
    for confirmation in bearers {
        match judge_confirmation(confirmation, rules) {
            Ok(end) => last = last.max(Some(end)),
            Err(error) => first = first.or(Some(error)),
        }
    }
    let nobody = || refused(ProviderFault::SamlConfirmation, "no bearer is confirmed");
    last.ok_or_else(|| first.unwrap_or_else(nobody))
}

fn judge_confirmation(confirmation: Verified<'_>, rules: &Rules<'_>) -> Result<Timestamp, ProviderError> {
    let data = confirmation.only(ASSERTION, "SubjectConfirmationData")?;
    let data =
        data.ok_or_else(|| refused(ProviderFault::SamlConfirmation, "the confirmation says nothing"))?;
    if data.attribute("NotBefore").is_some() {
        let detail = "a bearer's confirmation must not have a NotBefore";
        return Err(refused(ProviderFault::SamlConfirmation, detail));
    }
    if data.attribute("Recipient") != Some(rules.address) {
        let detail = "the bearer may show it elsewhere, not here";
        return Err(refused(ProviderFault::SamlRecipient, detail));
    }
    judge_in_response_to(data.attribute("InResponseTo"), rules)?;
    let end = data.attribute("NotOnOrAfter").and_then(parse_time);
    let end = end.ok_or_else(|| refused(ProviderFault::SamlExpired, "the confirmation has no end"))?;
    judge_end(end, rules)?;
    Ok(end)
}

fn judge_end(end: Timestamp, rules: &Rules<'_>) -> Result<(), ProviderError> {
    if rules.now >= end.plus(rules.config.accepted_clock_skew) {
        return Err(refused(ProviderFault::SamlExpired, "it is over"));
    }
    Ok(())
}

/// A time that may be there, and must be one if it is.
fn optional_time(node: Verified<'_>, name: &str) -> Result<Option<Timestamp>, ProviderError> {
    let given = node.attribute(name);
    let read = given.map(|text| parse_time(text).ok_or_else(|| malformed("a time cannot be read")));
    read.transpose()
}

/// `Conditions`: in time, for us, and nothing in it that we do not know.
fn judge_conditions(assertion: Verified<'_>, rules: &Rules<'_>) -> Result<Option<Timestamp>, ProviderError> {
    let audience = |detail| refused(ProviderFault::SamlAudience, detail);
    let conditions = assertion.only(ASSERTION, "Conditions")?;
    let conditions = conditions.ok_or_else(|| audience("the assertion is for nobody in particular"))?;
    let begin = optional_time(conditions, "NotBefore")?;
    if begin.is_some_and(|begin| begin > rules.now.plus(rules.config.accepted_clock_skew)) {
        return Err(refused(ProviderFault::SamlTime, "it is not valid yet"));
    }
    let end = optional_time(conditions, "NotOnOrAfter")?;
    if let Some(end) = end {
        judge_end(end, rules)?;
    }
    let known = ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"];
    if conditions
        .elements()
        .any(|part| !known.iter().any(|name| part.is(ASSERTION, name)))
    {
        return Err(malformed("the assertion has a condition that nobody knows"));
    }
    let mut restrictions = conditions.all(ASSERTION, "AudienceRestriction").peekable();
    if restrictions.peek().is_none() {
        return Err(audience("the assertion is for nobody in particular"));
    }
    let ours = |part: Verified<'_>| part.text().trim() == rules.config.expected_audience();
    if !restrictions.all(|restriction| restriction.all(ASSERTION, "Audience").any(ours)) {
        return Err(audience("the assertion is for somebody else"));
    }
    Ok(end)
}

/// `AuthnStatement`: the person did log in there, in the way that was asked for, and that session is not over. Gives its name.
fn judge_statements(assertion: Verified<'_>, rules: &Rules<'_>) -> Result<Option<String>, ProviderError> {
    let mut statements = assertion.all(ASSERTION, "AuthnStatement").peekable();
    if statements.peek().is_none() {
        let detail = "the assertion does not say that anybody logged in";
        return Err(refused(ProviderFault::SamlConfirmation, detail));
    }
    let mut index = None;
    for statement in statements {
        if let Some(end) = optional_time(statement, "SessionNotOnOrAfter")? {
            judge_end(end, rules)?;
        }
        let instant = optional_time(statement, "AuthnInstant")?;
        let instant =
            instant.ok_or_else(|| malformed("a statement does not say when the person logged in"))?;
        if instant > rules.now.plus(rules.config.accepted_clock_skew) {
            return Err(refused(
                ProviderFault::SamlTime,
                "the person logs in only in the future",
            ));
        }
        // A request that is not signed can be changed on its way.
        if rules.config.force_authn && rules.now >= oldest_of(instant, rules) {
            return Err(refused(ProviderFault::SamlTime, "the person did not log in anew"));
        }
        judge_context(statement, rules)?;
        let given = statement
            .attribute("SessionIndex")
            .filter(|given| !given.is_empty());
        index = index.or(given);
    }
    Ok(index.map(str::to_owned))
}

/// A request that is not signed can be changed on its way: what it asked for exactly is looked for in the answer.
fn judge_context(statement: Verified<'_>, rules: &Rules<'_>) -> Result<(), ProviderError> {
    let config = rules.config;
    let exact = config.authn_context_comparison == "exact" && !config.disable_requested_authn_context;
    if config.authn_context.is_empty() || !exact {
        return Ok(());
    }
    let context = statement.only(ASSERTION, "AuthnContext")?;
    let class = context
        .map(|context| context.only(ASSERTION, "AuthnContextClassRef"))
        .transpose()?;
    let class = class.flatten().map(Verified::text).unwrap_or_default();
    if config.authn_context.iter().any(|wanted| wanted == class.trim()) {
        return Ok(());
    }
    let detail = "the person logged in there in another way than asked for";
    Err(refused(ProviderFault::SamlStatus, detail))
}
