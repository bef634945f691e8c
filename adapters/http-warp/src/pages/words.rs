//! Refusals in words for people, beside the field they are about.

use domain::credential::{PasswordFault, PasswordRules};
use domain::error::{Denial, DomainError, Fault};
use domain::policy::PoolPolicy;
use http::StatusCode;

use super::view::FieldErrors;
use crate::problem::Problem;

mod provider;

pub use provider::{at_provider, told_code, told_in};

/// A refusal that a form can show.
pub struct Refusal {
    /// The answer's status.
    pub status: StatusCode,
    /// The messages, by field.
    pub errors: FieldErrors,
}

/// What a refused form shows. `new_password` is what the page calls the field for one.
///
/// # Errors
/// What no form can do anything about: limits, outages, faults. It has a page of its own.
pub fn refusal(
    error: DomainError,
    pool: &PoolPolicy,
    new_password: &'static str,
) -> Result<Refusal, Problem> {
    let errors = match &error {
        DomainError::Denied(denial) => messages(denial, new_password),
        DomainError::Port(_) => None,
    };
    let problem = Problem::of(error, pool);
    match errors {
        Some(errors) => Ok(Refusal {
            status: problem.status,
            errors,
        }),
        None => Err(problem),
    }
}

fn messages(denial: &Denial, new_password: &'static str) -> Option<FieldErrors> {
    let one = |field, message: &str| Some(FieldErrors::none().with(field, message));
    match denial {
        Denial::LoginFailed => Some(FieldErrors::form("That name and password do not fit together.")),
        Denial::UsernameOrEmailRequired => one("identifier", "Enter your e-mail address or username."),
        Denial::RealmRequired => one("realm", "Enter your realm."),
        Denial::CurrentPasswordWrong => one("current_password", "That is not your current password."),
        Denial::ProofRequired | Denial::CurrentPasswordRequired | Denial::PasswordChangeNotAllowed => {
            one("current_password", "Enter your current password.")
        }
        Denial::PasswordRefused { fault, rules } => one(new_password, &password(*fault, *rules)),
        Denial::Invalid(faults) => Some(faults.iter().fold(FieldErrors::none(), |errors, fault| {
            let field = if fault.property == "password" {
                new_password
            } else {
                fault.property
            };
            errors.with(field, property(fault))
        })),
        Denial::LastWayIn => Some(FieldErrors::form(
            "This is the last way to log in to your account. Choose a password or link another account first.",
        )),
        Denial::LinkUnknown => Some(FieldErrors::form("That is not linked to your account any more.")),
        Denial::FactorUnknown
        | Denial::FactorNotOffered
        | Denial::TooManyFactors
        | Denial::LastFactor
        | Denial::PasskeyRefused
        | Denial::PhoneUnreachable
        | Denial::SessionUnknown => factor(denial).map(FieldErrors::form),
        Denial::CodeRefused => one(
            "code",
            "That code is not the one that is shown now. Type the present one.",
        ),
        Denial::EmailNotVerified { .. }
        | Denial::SecondFactorRequired { .. }
        | Denial::InvalidTtl
        | Denial::PhoneRequired
        | Denial::TokenRefused
        | Denial::StepUpRequired { .. }
        | Denial::Impersonation
        | Denial::ImpersonationRefused
        | Denial::RefreshRefused
        | Denial::AuthorizationRequired
        | Denial::AccessTokenRequired
        | Denial::Limited { .. }
        | Denial::ProviderRefused { .. }
        | Denial::ProviderUnavailable
        | Denial::AuthorizationUnknown
        | Denial::ProviderUnknown
        | Denial::IdentityTaken
        | Denial::TooManyLinks
        | Denial::AccountExists { .. }
        | Denial::ProviderEmailRequired
        | Denial::UserUnknown
        | Denial::ReturnNotAllowed
        | Denial::CodeChallengeRequired
        | Denial::ExchangeRefused
        | Denial::CredentialRevoked
        | Denial::ApplicationRefused
        | Denial::Unexpected => None,
    }
}

/// What people are told about second factors and sessions, by the denial; none for denials about anything else.
fn factor(denial: &Denial) -> Option<&'static str> {
    Some(match denial {
        Denial::FactorUnknown => "That is not part of your account any more.",
        Denial::FactorNotOffered => "This site does not offer that way to prove it is you.",
        Denial::TooManyFactors => "You have as many of these as you can have. Remove one first.",
        Denial::LastFactor => {
            "A second step is required here and this is your only one. Add another before you remove it."
        }
        Denial::PasskeyRefused => "That did not work with this passkey. Please try again.",
        Denial::PhoneUnreachable => {
            "No message reaches this phone number. Check it, or choose another way to prove it is you."
        }
        Denial::SessionUnknown => "That session is over already.",
        _ => return None,
    })
}

fn property(fault: &Fault) -> &'static str {
    match (fault.property, fault.code) {
        ("email", "presence") => "Enter your e-mail address.",
        ("email", "uniqueness") => "There is an account with this e-mail address already.",
        ("email", _) => "That is not an e-mail address.",
        ("username", "uniqueness") => "That username is taken.",
        ("username", _) => "A username may not be longer than 128 characters or hold invisible ones.",
        ("phone", _) => "Enter the number with its country code, such as +44 7700 900123.",
        ("password", _) => "Enter a password.",
        ("realm", "presence") => "Enter your realm.",
        ("realm", _) => "That is not a realm.",
        _ => fault.message,
    }
}

fn password(fault: PasswordFault, rules: PasswordRules) -> String {
    match fault {
        PasswordFault::Blank => "Enter a password.".to_owned(),
        PasswordFault::TooShort => format!("Use at least {} characters.", rules.min),
        PasswordFault::TooLong => format!("Use at most {} characters.", rules.max),
        PasswordFault::Common => {
            "This is one of the first passwords that are guessed. Choose another.".to_owned()
        }
        PasswordFault::Breached => {
            "This password became public in a data breach. Choose one that you use nowhere else.".to_owned()
        }
        PasswordFault::Context => {
            "This password is made of your name, your address or the name of this service. Choose other words."
                .to_owned()
        }
    }
}
