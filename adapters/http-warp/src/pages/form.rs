//! Reading a form that a page of ours sent, and nobody else.

use std::collections::BTreeMap;

use domain::credential::Password;
use domain::secret::Secret;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use zeroize::Zeroizing;

use super::csrf;
use crate::extract::{Request, form, origin};
use crate::problem::Problem;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// The code of a form that is too old or came from elsewhere.
pub const STALE_FORM: &str = "STALE_FORM";

/// A sent form: every field once, none that the page does not have.
pub struct Form(BTreeMap<&'static str, Zeroizing<String>>);

impl Form {
    /// Reads the form of a request. The sender is judged first, by its origin and by the anti-forgery value, so nothing else is
    /// looked at that another site sent.
    ///
    /// # Errors
    /// 403 [`STALE_FORM`], 415, 413, 408, or 400 for fields that are doubled, unknown or no UTF-8.
    pub async fn read(request: &mut Request, names: &[&'static str]) -> Result<Self, Problem> {
        if !origin::is_own(request) {
            return Err(stale());
        }
        if !is_form(request) {
            return Err(Problem::unsupported_media_type());
        }
        let bytes = request.read_body().await?;
        let pairs =
            form::pairs(&bytes).ok_or_else(|| Problem::bad_request("The form is not valid UTF-8."))?;
        let mut fields = BTreeMap::new();
        let (sent, pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == csrf::FIELD);
        match sent.as_slice() {
            [(_, sent)] if csrf::is_ours(request, sent) => {}
            _ => return Err(stale()),
        }
        for (name, value) in pairs {
            let known = names.iter().find(|known| **known == name);
            let known = known
                .ok_or_else(|| Problem::bad_request("The form has a field that the page does not have."))?;
            if fields.insert(*known, value).is_some() {
                return Err(Problem::bad_request("The form has a field twice."));
            }
        }
        Ok(Self(fields))
    }

    /// A field exactly as sent; empty when it was not.
    pub fn raw(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.as_str())
    }

    /// A field without the blanks that keyboards leave around it.
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The same; none when nothing is left.
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// A password: never trimmed.
    pub fn password(&self, name: &str) -> Password {
        Password::typed(self.raw(name))
    }

    /// A code people copied, blanks around it dropped.
    pub fn code(&self) -> Secret {
        Secret::new(self.text("code"))
    }
}

/// 403 for a form that another site may have sent.
pub fn stale() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "This form is too old or came from elsewhere.",
    )
    .coded(STALE_FORM)
}

/// Whether the body is a form. A type other sites could send without a preflight is no help to them: [`csrf`] and the origin
/// stand before it.
fn is_form(request: &Request) -> bool {
    let Some(value) = request.header(&CONTENT_TYPE) else {
        return false;
    };
    let (media, parameters) = value.split_once(';').unwrap_or((value, ""));
    let parameters = parameters.trim();
    let is_utf8 = parameters.is_empty() || parameters.eq_ignore_ascii_case("charset=utf-8");
    is_utf8 && media.trim().eq_ignore_ascii_case(MEDIA_TYPE)
}
