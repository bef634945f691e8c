//! Why something was refused: typed, each with a stable code where LoopBack has one, and a sentence for the client.
//!
//! HTTP statuses are not known here; the driving adapter has the table.

use crate::credential::{PasswordFault, PasswordRules};
use crate::id::UserId;
use crate::ports::PortError;
use crate::time::Lifetime;

/// One property of a submitted user that will not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The property.
    pub property: &'static str,
    /// LoopBack's validation code: `presence`, `uniqueness`, `custom.email` …
    pub code: &'static str,
    /// What is wrong.
    pub message: &'static str,
    /// What was sent, to be quoted back; none for absent values and for secrets.
    pub value: Option<String>,
}

/// A refusal decided by the domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// Unknown user, wrong password, wrong or spent code: all the same to the caller.
    #[error("login failed")]
    LoginFailed,
    /// The password was right; the e-mail address is not verified yet.
    #[error("login failed as the email has not been verified")]
    EmailNotVerified {
        /// Whose address it is.
        user: UserId,
    },
    /// The password was right; a second factor is due.
    #[error("a second factor is required: request a code, then log in with it")]
    SecondFactorRequired {
        /// The ways to prove it.
        methods: Vec<&'static str>,
    },
    /// A login without a name.
    #[error("username or email is required")]
    UsernameOrEmailRequired,
    /// A login without its realm, where realms are required.
    #[error("realm is required")]
    RealmRequired,
    /// A life a session cannot have.
    #[error("ttl must be a number of seconds above zero")]
    InvalidTtl,
    /// A code cannot be sent: the user has no phone number.
    #[error("a phone number is required to receive a code")]
    PhoneRequired,
    /// A password nobody may choose.
    #[error("{}", password_sentence(*fault, *rules))]
    PasswordRefused {
        /// What is wrong with it.
        fault: PasswordFault,
        /// The rule it breaks.
        rules: PasswordRules,
    },
    /// The current password given as proof is wrong.
    #[error("Invalid current password")]
    CurrentPasswordWrong,
    /// The change needs the current password.
    #[error(
        "changing the password needs the current one: send it as currentPassword, or use change-password"
    )]
    PasswordChangeNotAllowed,
    /// The change needs the current password or a fresh login.
    #[error("this change needs your current password (currentPassword) or a fresh login")]
    ProofRequired,
    /// The change needs the current password: a session alone, however fresh, is not enough where there is a second factor.
    #[error("this change needs your current password: send it as currentPassword")]
    CurrentPasswordRequired,
    /// A verification or reset token that is wrong, spent, void or somebody else's: all the same to the caller.
    #[error("Invalid token")]
    TokenRefused,
    /// Not allowed to the caller, whoever they are.
    #[error("Authorization Required")]
    AuthorizationRequired,
    /// Nothing to log out of.
    #[error("accessToken is required to logout")]
    AccessTokenRequired,
    /// A user record with faults.
    #[error("the instance is not valid")]
    Invalid(Vec<Fault>),
    /// Too many tries.
    #[error("too many tries, please wait")]
    Limited {
        /// How long.
        retry_after: Lifetime,
    },
    /// The call does not fit the state it meets (a bug in the caller, never in the input).
    #[error("unexpected event")]
    Unexpected,
}

impl Denial {
    /// The stable code; none where LoopBack has none.
    pub const fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::LoginFailed => "LOGIN_FAILED",
            Self::EmailNotVerified { .. } => "LOGIN_FAILED_EMAIL_NOT_VERIFIED",
            Self::SecondFactorRequired { .. } => "SECOND_FACTOR_REQUIRED",
            Self::UsernameOrEmailRequired => "USERNAME_EMAIL_REQUIRED",
            Self::RealmRequired => "REALM_REQUIRED",
            Self::InvalidTtl => "INVALID_TTL",
            Self::PhoneRequired => "PHONE_REQUIRED",
            Self::PasswordRefused {
                fault: PasswordFault::TooLong,
                ..
            } => "PASSWORD_TOO_LONG",
            Self::PasswordRefused { .. } | Self::CurrentPasswordWrong => "INVALID_PASSWORD",
            Self::PasswordChangeNotAllowed => "PASSWORD_CHANGE_NOT_ALLOWED",
            Self::ProofRequired => "FRESH_LOGIN_REQUIRED",
            Self::CurrentPasswordRequired => "CURRENT_PASSWORD_REQUIRED",
            Self::TokenRefused => "INVALID_TOKEN",
            Self::AuthorizationRequired => "AUTHORIZATION_REQUIRED",
            Self::Limited { .. } => "TOO_MANY_REQUESTS",
            Self::AccessTokenRequired | Self::Invalid(_) | Self::Unexpected => return None,
        })
    }
}

fn password_sentence(fault: PasswordFault, rules: PasswordRules) -> String {
    match fault {
        PasswordFault::Blank => "Invalid password.".to_owned(),
        PasswordFault::TooShort => {
            format!("Invalid password. It needs at least {} characters.", rules.min)
        }
        PasswordFault::TooLong => format!("The password entered was too long. Max length is {}", rules.max),
        PasswordFault::Common => {
            "Invalid password. It is among the first that are guessed; choose another.".to_owned()
        }
    }
}

/// Why a service could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    /// It was decided against.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// Something outside did not work.
    #[error(transparent)]
    Port(#[from] PortError),
}
