//! The positive assertion (section 10.1), and all that can be said of it without asking anybody.

use domain::ports::{AuthorizationResponse, ProviderError, ProviderFault as Fault};
use domain::time::{Lifetime, Timestamp};
use url::{Url, form_urlencoded};

use crate::error::refused;
use crate::{address, nonce};

/// The protocol's name in messages (section 4.1.2).
pub const NS: &str = "http://specs.openid.net/auth/2.0";

/// In place of an identifier: the provider asks the person for it (section 9.1).
pub const IDENTIFIER_SELECT: &str = "http://specs.openid.net/auth/2.0/identifier_select";

/// What must be signed in every assertion that speaks of somebody (section 10.1).
const MUST_BE_SIGNED: [&str; 6] = [
    "op_endpoint",
    "return_to",
    "response_nonce",
    "assoc_handle",
    "claimed_id",
    "identity",
];

/// Most parameters taken.
const MOST: usize = 200;

/// The parameters of our own in the callback's address: they find the authorization, and bind the answer to it.
const STATE: &str = "state";
const NONCE: &str = "nonce";

/// Where the provider sends the person back to: the callback, with what binds the answer to this authorization. It is part of what
/// the provider signs.
pub fn return_to(callback: &str, state: &str, nonce: &str) -> String {
    let mut own = form_urlencoded::Serializer::new(String::new());
    let own = own.append_pair(STATE, state).append_pair(NONCE, nonce).finish();
    let joint = if callback.contains('?') { '&' } else { '?' };
    format!("{callback}{joint}{own}")
}

/// An assertion that is whole, fresh and meant for us. Whether the provider made it, and whether it may say so, is not known yet.
#[derive(Debug)]
pub struct Assertion<'a> {
    params: &'a [(String, String)],
    signed: Vec<&'a str>,
    /// Who it speaks of, with the fragment.
    pub claimed: Url,
    /// The name the provider has for them.
    pub identity: &'a str,
    /// Who says to have made it.
    pub endpoint: Url,
    /// What makes it the only one of its kind.
    pub nonce: &'a str,
    /// When it was made.
    pub made: Timestamp,
}

impl<'a> Assertion<'a> {
    /// Judges what came back. `max_age` is how far its time may be from now, either way.
    pub fn judge(response: &'a AuthorizationResponse, max_age: Lifetime) -> Result<Self, ProviderError> {
        if response.params.len() > MOST {
            return Err(refused(
                Fault::CallbackInvalid,
                "more parameters than any provider sends",
            ));
        }
        judge_mode(response)?;
        judge_return_to(response)?;
        let (nonce, made) = judge_nonce(response, max_age)?;
        let signed = judge_signed(response)?;
        let (claimed, identity) = judge_claim(response)?;
        let endpoint = response
            .param("openid.op_endpoint")
            .and_then(|text| Url::parse(text).ok());
        let endpoint = endpoint.ok_or_else(|| refused(Fault::OpenIdClaim, "op_endpoint is no address"))?;
        Ok(Self {
            params: &response.params,
            signed,
            claimed,
            identity,
            endpoint,
            nonce,
            made,
        })
    }

    /// The value of a field, named without `openid.`, if the provider signed it.
    pub fn signed(&self, name: &str) -> Option<&'a str> {
        let given = |(given, _): &&(String, String)| given.strip_prefix("openid.") == Some(name);
        let listed = self.signed.contains(&name);
        let found = self.params.iter().find(given);
        found.filter(|_| listed).map(|(_, value)| value.as_str())
    }

    /// The alias under which the provider answers to an extension: declared once, and signed. An alias that is not signed could be
    /// given to other values than those it was signed for.
    pub fn alias(&self, extension: &str) -> Option<&'a str> {
        let aliases = self.params.iter().filter(|(_, value)| value == extension);
        let mut aliases = aliases.filter_map(|(name, _)| name.strip_prefix("openid.ns."));
        let (only, more) = (aliases.next()?, aliases.next());
        let plain = !only.is_empty() && !only.contains('.') && more.is_none();
        (plain && self.signed.contains(&format!("ns.{only}").as_str())).then_some(only)
    }

    /// The names of all signed fields.
    pub fn signed_names(&self) -> &[&'a str] {
        &self.signed
    }

    /// The question whether the provider made it (section 11.4.2.1): everything as it came, with another mode.
    pub fn to_check(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.params.iter().filter(|(name, _)| name.starts_with("openid.")) {
            let asks = name == "openid.mode";
            form.append_pair(name, if asks { "check_authentication" } else { value });
        }
        form.finish()
    }
}

fn judge_mode(response: &AuthorizationResponse) -> Result<(), ProviderError> {
    match response.param("openid.mode") {
        Some("id_res") => {}
        Some("cancel") => return Err(refused(Fault::AccessDenied, "cancel")),
        Some("setup_needed" | "error") => {
            return Err(refused(
                Fault::AuthorizationError,
                "the provider says setup_needed or error",
            ));
        }
        _ => {
            return Err(refused(
                Fault::CallbackInvalid,
                "there is no mode that we asked for",
            ));
        }
    }
    if response.param("openid.ns") != Some(NS) {
        return Err(refused(Fault::CallbackInvalid, "it is not of OpenID 2.0"));
    }
    let filled = |name: &str| response.param(name).is_some_and(|value| !value.is_empty());
    if !filled("openid.assoc_handle") || !filled("openid.sig") {
        return Err(refused(Fault::OpenIdSignature, "there is no signature"));
    }
    Ok(())
}

/// Section 11.1: the address is ours to the letter, and the person came to that very address.
fn judge_return_to(response: &AuthorizationResponse) -> Result<(), ProviderError> {
    let state = response.param(STATE).filter(|state| !state.is_empty());
    let state = state.ok_or_else(|| refused(Fault::CallbackInvalid, "there is no state"))?;
    let ours = return_to(&response.redirect_uri, state, response.nonce.expose());
    let wrong = |detail| refused(Fault::OpenIdReturnTo, detail);
    if response.param("openid.return_to") != Some(ours.as_str()) {
        return Err(wrong("it was made for another address or another authorization"));
    }
    let (_, query) = ours.split_once('?').unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if response.param(&name) != Some(&value) {
            return Err(wrong("the person came with other parameters"));
        }
    }
    Ok(())
}

fn judge_nonce(
    response: &AuthorizationResponse,
    max_age: Lifetime,
) -> Result<(&str, Timestamp), ProviderError> {
    let wrong = |detail| refused(Fault::OpenIdNonce, detail);
    let text = response.param("openid.response_nonce").unwrap_or_default();
    let made = nonce::made_at(text).ok_or_else(|| wrong("the nonce has no time"))?;
    if made.plus(max_age) <= response.now {
        return Err(wrong("the answer is too old"));
    }
    if made > response.now.plus(max_age) {
        return Err(wrong("the answer is from the future"));
    }
    Ok((text, made))
}

/// Section 11.4: what the signature is over. What it covers is written line by line, so that nothing that looks like a line of its own
/// may be in a name or a value.
fn judge_signed(response: &AuthorizationResponse) -> Result<Vec<&str>, ProviderError> {
    let wrong = |detail| refused(Fault::OpenIdSignature, detail);
    let listed = response.param("openid.signed").unwrap_or_default();
    let signed: Vec<&str> = listed.split(',').collect();
    if signed.len() > MOST {
        return Err(wrong("more is signed than there can be"));
    }
    let mut names = signed.clone();
    names.sort_unstable();
    names.dedup();
    if names.len() != signed.len() {
        return Err(wrong("something is signed twice"));
    }
    for name in &signed {
        let value = response.param(&format!("openid.{name}"));
        let one_line = !name.contains(':') && !name.contains('\n');
        if name.is_empty() || !one_line || value.is_none_or(|value| value.contains('\n')) {
            return Err(wrong("something is signed that is not there, or is no line"));
        }
    }
    if MUST_BE_SIGNED.iter().all(|name| signed.contains(name)) {
        return Ok(signed);
    }
    // An answer about nobody has nothing of the two to sign.
    let anonymous = ["openid.claimed_id", "openid.identity"]
        .iter()
        .all(|name| response.param(name).is_none());
    if anonymous && MUST_BE_SIGNED.iter().take(4).all(|name| signed.contains(name)) {
        return Ok(signed);
    }
    Err(wrong("something is not signed that must be"))
}

/// Who it speaks of, and by what name the provider knows them.
fn judge_claim(response: &AuthorizationResponse) -> Result<(Url, &str), ProviderError> {
    let field = |name| response.param(name).filter(|value| !value.is_empty());
    match (field("openid.claimed_id"), field("openid.identity")) {
        (None, None) => Err(refused(Fault::SubjectMissing, "the answer speaks of nobody")),
        (Some(IDENTIFIER_SELECT), _) | (_, Some(IDENTIFIER_SELECT)) => {
            Err(refused(Fault::SubjectMissing, "the provider chose nobody"))
        }
        (Some(claimed), Some(identity)) => {
            let claimed = address::identifier(claimed);
            let claimed =
                claimed.ok_or_else(|| refused(Fault::OpenIdClaim, "the claimed identifier is no address"))?;
            Ok((claimed, identity))
        }
        _ => Err(refused(
            Fault::OpenIdClaim,
            "claimed_id and identity come together",
        )),
    }
}

#[cfg(test)]
mod tests;
