//! What an ID token says, and whether it says it to us (OpenID Connect Core section 3.1.3.7).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::ports::{ProviderError, ProviderFault as Fault};
use serde_json::{Map, Value};

use crate::SubjectRule;
use crate::ask::refuse;
use crate::issuer::Issuers;

/// How far the provider's clock may be from ours, in seconds.
const SKEW: i64 = 60;

/// Longest way of an ID token from the provider to us, in seconds: it comes with the answer to our own request.
const LONGEST_WAY: i64 = 600;

/// The claims of a verified token, or of a userinfo response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(pub Map<String, Value>);

impl Claims {
    /// The value of a claim; `null` is as good as absent.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A claim that must be text where it is there.
    pub fn text(&self, name: &str) -> Result<Option<&str>, ProviderError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => refuse(Fault::IdTokenMalformed, &format!("{name} is no text")),
        }
    }

    /// A claim as text that is not worth a refusal: anything else counts as absent.
    pub fn shown(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// Whether a claim is true, also for those who write their booleans as text.
    pub fn is_true(&self, name: &str) -> bool {
        match self.value(name) {
            Some(Value::Bool(truth)) => *truth,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// A moment in seconds since 1970 (RFC 7519 section 2, `NumericDate`).
    fn moment(&self, name: &str) -> Result<Option<i64>, ProviderError> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match value.as_i64().or_else(|| whole(value.as_f64()?)) {
            None => refuse(Fault::IdTokenMalformed, &format!("{name} is no moment")),
            moment => Ok(moment),
        }
    }
}

/// The whole seconds of a fraction, within the years that matter.
#[expect(
    clippy::cast_possible_truncation,
    reason = "fractions of a second are meant to go, and the range is checked"
)]
fn whole(seconds: f64) -> Option<i64> {
    (0.0..1e12).contains(&seconds).then_some(seconds as i64)
}

/// What an ID token must say to be the answer to our authorization.
pub struct Expected<'a> {
    /// Who may have issued it.
    pub issuers: &'a Issuers,
    /// The tenant that discovery named.
    pub tenant: Option<&'a str>,
    /// Whom it must be for.
    pub client_id: &'a str,
    /// What it was asked with.
    pub nonce: &'a str,
    /// Whether the nonce must be there.
    pub nonce_required: bool,
    /// The `hd` that was asked for; `*` is any.
    pub hosted_domain: Option<&'a str>,
    /// The `max_age` that was asked for, in seconds.
    pub max_age: Option<i64>,
    /// Now, in seconds since 1970.
    pub now: i64,
}

/// Judges the claims; gives the issuer as identities keep it.
pub fn judge(claims: &Claims, expected: &Expected<'_>) -> Result<String, ProviderError> {
    let issuer = expected.issuers.judge(claims, expected.tenant)?;
    judge_audience(claims, expected.client_id)?;
    judge_time(claims, expected)?;
    judge_nonce(claims, expected)?;
    let hosted = claims.shown("hd");
    match expected.hosted_domain {
        Some("*") if hosted.is_none() => refuse(Fault::TenantRefused, "no hosted domain"),
        Some(wanted) if wanted != "*" && hosted != Some(wanted) => {
            refuse(Fault::TenantRefused, "not of the hosted domain asked for")
        }
        _ => Ok(issuer),
    }
}

/// `aud` must name us. Where it names others too, or `azp` is there, `azp` must be us.
pub fn judge_audience(claims: &Claims, client_id: &str) -> Result<(), ProviderError> {
    let audience: Vec<&str> = match claims.value("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return refuse(Fault::IdTokenAudience, "no aud"),
    };
    if !audience.contains(&client_id) {
        return refuse(Fault::IdTokenAudience, "aud is not our client");
    }
    let others = audience.iter().any(|one| *one != client_id);
    match claims.text("azp")? {
        Some(party) if party != client_id => refuse(Fault::IdTokenAuthorizedParty, "azp is not our client"),
        None if others => refuse(Fault::IdTokenAuthorizedParty, "for several, without azp"),
        _ => Ok(()),
    }
}

fn judge_time(claims: &Claims, expected: &Expected<'_>) -> Result<(), ProviderError> {
    let now = expected.now;
    let Some(end) = claims.moment("exp")? else {
        return refuse(Fault::IdTokenExpired, "no exp");
    };
    if now >= end.saturating_add(SKEW) {
        return refuse(Fault::IdTokenExpired, "exp is over");
    }
    if claims.moment("nbf")?.is_some_and(|start| start > now + SKEW) {
        return refuse(Fault::IdTokenTime, "nbf is to come");
    }
    let Some(issued) = claims.moment("iat")? else {
        return refuse(Fault::IdTokenTime, "no iat");
    };
    if issued > now + SKEW {
        return refuse(Fault::IdTokenTime, "iat is to come");
    }
    if issued < now - LONGEST_WAY - SKEW {
        return refuse(Fault::IdTokenTime, "iat is long ago");
    }
    let Some(max_age) = expected.max_age else {
        return Ok(());
    };
    match claims.moment("auth_time")? {
        Some(when) if when.saturating_add(max_age) >= now - SKEW => Ok(()),
        _ => refuse(Fault::IdTokenTime, "auth_time is older than max_age"),
    }
}

fn judge_nonce(claims: &Claims, expected: &Expected<'_>) -> Result<(), ProviderError> {
    match claims.text("nonce")? {
        None if expected.nonce_required => refuse(Fault::IdTokenNonce, "no nonce"),
        None => Ok(()),
        Some(nonce) if is_same(nonce, expected.nonce) => Ok(()),
        Some(_) => refuse(Fault::IdTokenNonce, "another nonce"),
    }
}

/// Compares two secrets without telling by the time it takes how much of them is the same.
pub fn is_same(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// The account's own id by the rule, `sub` being there in any case.
pub fn subject_of(claims: &Claims, rule: SubjectRule) -> Result<&str, ProviderError> {
    let find = |name: &str| -> Result<&str, ProviderError> {
        let text = claims.text(name)?.filter(|text| !text.trim().is_empty());
        text.map_or_else(|| refuse(Fault::SubjectMissing, &format!("no {name}")), Ok)
    };
    let subject = find("sub")?;
    match rule {
        SubjectRule::Sub => Ok(subject),
        SubjectRule::TidOid => find("oid"),
    }
}

#[cfg(test)]
#[path = "../tests/unit/claims.rs"]
mod tests;
