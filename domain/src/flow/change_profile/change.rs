//! A change of one's record, as it came.

use serde_json::{Map, Value};

use super::super::Ctx;
use crate::credential::Password;
use crate::limits::Verdict;
use crate::user::{Email, User};

/// What becomes of one property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// Nothing.
    #[default]
    Keep,
    /// It vanishes.
    Clear,
    /// It gets this value.
    Set(String),
}

/// A change as it came. In a replacement absent properties are [`Field::Clear`], but for the phone: see there.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// Whether unknown properties that are absent vanish (`PUT`) or stay (`PATCH`).
    pub replace: bool,
    /// The name to log in with.
    pub username: Field,
    /// The address.
    pub email: Field,
    /// The number for codes. [`Field::Keep`] in a replacement drops a number that was never confirmed and keeps one that was.
    pub phone: Field,
    /// A new password; in a replacement possibly the current one again.
    pub password: Option<Password>,
    /// The current password, as proof.
    pub current_password: Option<Password>,
    /// Everything else.
    pub attributes: Map<String, Value>,
}

impl ProfileChange {
    /// Whether this change, if it holds, tells the old address of `before` that there is a new one: a mail with a budget of its own, so
    /// that nobody can use it up by other mails first.
    pub fn would_tell(&self, before: &User, cx: &Ctx<'_>) -> bool {
        let Field::Set(text) = &self.email else {
            return false;
        };
        let new = Email::parse(text, cx.pool.case_sensitive_email);
        cx.pool.notices
            && before.email.is_some()
            && new.is_some_and(|new| before.email.as_ref() != Some(&new))
    }

    /// Whether this change, if it holds, sends a mail to a new address of `before`: then the counters for mail must be asked first.
    pub fn would_send_mail(&self, before: &User, cx: &Ctx<'_>) -> bool {
        let Field::Set(text) = &self.email else {
            return false;
        };
        cx.pool.email_verification_required
            && Email::parse(text, cx.pool.case_sensitive_email)
                .is_some_and(|email| before.email.as_ref() != Some(&email))
    }
}

/// What the counters for mails said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mails {
    /// To the verification mail for a new address.
    pub verify: Verdict,
    /// To telling the old address.
    pub tell: Verdict,
}
