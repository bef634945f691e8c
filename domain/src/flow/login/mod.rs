//! Logging in: a password, then a second factor where one is due.
//!
//! ```text
//! Start ──Identified──▶ CheckPassword ──PasswordChecked──▶ Opened
//!                                     └─────────────────▶ AwaitingCode
//! Start ──CodeTyped──▶ Opened
//! Start ──CodeAskedAgain──▶ AwaitingCode
//! Start ──AppAsked──▶ SealApp ──AppSealed──▶ AwaitingCode
//! Start ──PasskeyAnswered──▶ Opened
//! Start ──LinkPresented──▶ Opened
//!                     └──▶ AwaitingCode
//! ```
//!
//! By an account elsewhere: [`external`].

pub mod code;
pub mod directory;
pub(crate) mod door;
pub mod enrol;
pub mod external;
pub mod magic_link;
pub mod passkey;
pub mod password;
pub mod pending;

pub use code::CodeTyped;
pub use enrol::{AppAsked, AppDraft};
pub use external::{Exchanged, External, ExternalEvent, Opening};
pub use magic_link::LinkPresented;
pub use passkey::PasskeyAnswered;
pub use password::{Candidate, Identified, PasswordChecked, Wanted};
pub use pending::{CodeAskedAgain, CodeRequested, Sending};

use super::{Ctx, Refused, Step};
use crate::secret::Sealed;
use crate::session::{AccessToken, TokenLife};

/// What a session is to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long it lives.
    pub life: TokenLife,
    /// Whether it is short and renewed by refresh tokens instead.
    pub refresh: bool,
}

impl Terms {
    /// A session of that life.
    pub const fn of(life: TokenLife) -> Self {
        Self { life, refresh: false }
    }
}

/// Where a login stands.
#[derive(Clone, Debug)]
pub enum Login {
    /// Nothing is known yet.
    Start,
    /// Somebody is named; their password is to be compared.
    CheckPassword(Box<Candidate>),
    /// The password was right; a code is on its way.
    AwaitingCode(CodeRequested),
    /// An authenticator app is being added on the way; its secret is to be sealed.
    SealApp(Box<AppDraft>),
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
    /// An authenticator app is to be added on the way.
    AppAsked(Box<AppAsked>),
    /// Its secret was sealed.
    AppSealed(Sealed),
    /// An authenticator answered.
    PasskeyAnswered(Box<PasskeyAnswered>),
    /// The token of a mailed link was presented.
    LinkPresented(Box<LinkPresented>),
}

/// One step of a login.
pub fn step(state: Login, event: LoginEvent, cx: &mut Ctx<'_>) -> Step<Login> {
    match (state, event) {
        (Login::Start, LoginEvent::Identified(facts)) => password::admit(*facts, cx),
        (Login::CheckPassword(candidate), LoginEvent::PasswordChecked(facts)) => {
            password::judge(*candidate, &facts, cx)
        }
        (Login::Start, LoginEvent::CodeTyped(facts)) => code::judge(*facts, cx),
        (Login::Start, LoginEvent::CodeAskedAgain(facts)) => pending::send_again(*facts, cx),
        (Login::Start, LoginEvent::AppAsked(facts)) => enrol::ask(*facts, cx),
        (Login::SealApp(draft), LoginEvent::AppSealed(sealed)) => Ok(enrol::keep(*draft, sealed, cx)),
        (Login::Start, LoginEvent::PasskeyAnswered(facts)) => passkey::judge(*facts, cx),
        (Login::Start, LoginEvent::LinkPresented(facts)) => magic_link::judge(&facts, cx),
        _ => Err(Refused::unexpected()),
    }
}
