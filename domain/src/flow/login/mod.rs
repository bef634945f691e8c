//! Logging in: a password, then a code where a second factor is due.
//!
//! ```text
//! Start ──Identified──▶ CheckPassword ──PasswordChecked──▶ Opened
//!                                     └─────────────────▶ AwaitingCode
//! Start ──CodeTyped──▶ Opened
//! Start ──CodeAskedAgain──▶ AwaitingCode
//! ```
//!
//! By an account elsewhere: [`external`].

pub mod external;
pub mod password;
pub mod sms_code;

pub use external::{Exchanged, External, ExternalEvent, Opening};
pub use password::{Candidate, Identified, PasswordChecked, Wanted};
pub use sms_code::{CodeAskedAgain, CodeRequested, CodeTyped, Sending};

use super::{Ctx, Refused, Step};
use crate::session::AccessToken;

/// Where a login stands.
#[derive(Clone, Debug)]
pub enum Login {
    /// Nothing is known yet.
    Start,
    /// Somebody is named; their password is to be compared.
    CheckPassword(Box<Candidate>),
    /// The password was right; a code is on its way.
    AwaitingCode(CodeRequested),
    /// All that is required was proven.
    Opened(Box<AccessToken>),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum LoginEvent {
    /// The name was looked up and a try was taken from the counters.
    Identified(Box<Identified>),
    /// The password was compared.
    PasswordChecked(Box<PasswordChecked>),
    /// A code was typed.
    CodeTyped(Box<CodeTyped>),
    /// A new code was asked for.
    CodeAskedAgain(Box<CodeAskedAgain>),
}

/// One step of a login.
pub fn step(state: Login, event: LoginEvent, cx: &mut Ctx<'_>) -> Step<Login> {
    match (state, event) {
        (Login::Start, LoginEvent::Identified(facts)) => password::admit(*facts, cx),
        (Login::CheckPassword(candidate), LoginEvent::PasswordChecked(facts)) => {
            password::judge(*candidate, &facts, cx)
        }
        (Login::Start, LoginEvent::CodeTyped(facts)) => sms_code::judge(*facts, cx),
        (Login::Start, LoginEvent::CodeAskedAgain(facts)) => sms_code::send_again(*facts, cx),
        _ => Err(Refused::unexpected()),
    }
}
