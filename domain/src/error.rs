//! Why something was refused: typed, each with a stable code where LoopBack has one, and a sentence for the client.
//!
//! HTTP statuses are not known here; the driving adapter has the table.

use crate::credential::{PasswordFault, PasswordRules};
use crate::id::UserId;
use crate::ports::{PortError, ProviderFault};
use crate::secret::Token;
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
        /// Those that can be added on the way, by who has none.
        enrols: Vec<&'static str>,
        /// Continues the login with the code that was sent; none where nothing was sent.
        challenge: Option<Token>,
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
    /// An answer of a provider that will not do.
    #[error("{}", provider_sentence(*fault))]
    ProviderRefused {
        /// What is wrong with it.
        fault: ProviderFault,
    },
    /// The provider does not answer.
    #[error("the provider does not answer, please try again later")]
    ProviderUnavailable,
    /// A callback that belongs to no authorization begun in this browser: wrong, spent and expired are all the same.
    #[error("this log-in was not begun in this browser, or took too long: please start again")]
    AuthorizationUnknown,
    /// No such entry, or none of that kind.
    #[error("there is no such provider")]
    ProviderUnknown,
    /// The account elsewhere is linked to somebody else.
    #[error("that account is already linked to another user")]
    IdentityTaken,
    /// So many accounts are linked that no further one may be.
    #[error("too many accounts are linked; unlink one first")]
    TooManyLinks,
    /// Nothing else would be left to log in with.
    #[error("this is the last way to log in: set a password or link another account first")]
    LastWayIn,
    /// A user of the same address or name exists and must be proven first.
    #[error("an account with this address or name exists: prove that it is yours, then they are one")]
    AccountExists {
        /// Continues with the proof.
        join: Token,
        /// The ways to prove it.
        methods: Vec<&'static str>,
    },
    /// The entry wants an address the provider vouches for, and there is none.
    #[error("the provider gave no e-mail address that it vouches for, and one is required here")]
    ProviderEmailRequired,
    /// The entry lets in whoever is a user already, and nobody else.
    #[error(
        "no user here belongs to this account: log in another way and link it, or ask whoever runs this service"
    )]
    UserUnknown,
    /// A place that people may not be sent to.
    #[error("returnTo leads to a place that is not allowed here")]
    ReturnNotAllowed,
    /// Only a client that can prove itself afterwards may fetch a session.
    #[error("send code_challenge (S256, RFC 7636) along: the session is fetched with its verifier")]
    CodeChallengeRequired,
    /// An exchange code or its verifier that is wrong, spent or expired.
    #[error("the code or its verifier is wrong, spent or expired")]
    ExchangeRefused,
    /// No linked account or grant of that name.
    #[error("there is no such linked account")]
    LinkUnknown,
    /// The grant is revoked.
    #[error("the provider takes this grant no more: the account has to be linked again")]
    CredentialRevoked,
    /// An application's id or key is wrong.
    #[error("unknown application or key")]
    ApplicationRefused,
    /// The act wants a fresh proof of who is there.
    #[error("this needs a fresh proof that it is you: prove it again, then repeat the call")]
    StepUpRequired {
        /// What may prove it: the first factors or `password`, and second factors where the user has any.
        methods: Vec<&'static str>,
    },
    /// An act that an administrator may not do in the place of a user.
    #[error("you act as somebody else: look around, but this is theirs alone to do")]
    Impersonation,
    /// Nobody acts as this user: oneself, who is kept out, another administrator.
    #[error("nobody can act as this user: not as oneself, the disabled or an administrator")]
    ImpersonationRefused,
    /// No second factor of that id.
    #[error("there is no such second factor")]
    FactorUnknown,
    /// A kind of second factor that may not be added here.
    #[error("this kind of second factor is not offered here")]
    FactorNotOffered,
    /// So many of a kind are there that no further one may be.
    #[error("there are too many second factors of this kind; remove one first")]
    TooManyFactors,
    /// A second factor is required, and it is the last.
    #[error("a second factor is required here and this is the last one: add another first")]
    LastFactor,
    /// A code typed to add a factor is wrong.
    #[error("the code is wrong or too old: type the one that is shown now")]
    CodeRefused,
    /// What an authenticator answered at registration will not do.
    #[error("the passkey was refused: please try again")]
    PasskeyRefused,
    /// A refresh token that is wrong, spent or over.
    #[error("the refresh token is wrong, used up or expired: please log in again")]
    RefreshRefused,
    /// No live session of that id.
    #[error("there is no such session")]
    SessionUnknown,
    /// The carrier says that no message reaches the number.
    #[error("no message reaches this phone number: please check it, or choose another way")]
    PhoneUnreachable,
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
            Self::ProviderRefused { fault } => fault.code(),
            Self::ProviderUnavailable => "PROVIDER_UNAVAILABLE",
            Self::AuthorizationUnknown => "AUTHORIZATION_UNKNOWN",
            Self::ProviderUnknown => "PROVIDER_UNKNOWN",
            Self::IdentityTaken => "IDENTITY_TAKEN",
            Self::TooManyLinks => "TOO_MANY_LINKS",
            Self::LastWayIn => "LAST_WAY_IN",
            Self::AccountExists { .. } => "ACCOUNT_EXISTS",
            Self::ProviderEmailRequired => "PROVIDER_EMAIL_REQUIRED",
            Self::UserUnknown => "USER_UNKNOWN",
            Self::ReturnNotAllowed => "RETURN_NOT_ALLOWED",
            Self::CodeChallengeRequired => "CODE_CHALLENGE_REQUIRED",
            Self::ExchangeRefused => "EXCHANGE_REFUSED",
            Self::LinkUnknown => "LINK_UNKNOWN",
            Self::CredentialRevoked => "CREDENTIAL_REVOKED",
            Self::ApplicationRefused => "APPLICATION_REFUSED",
            Self::StepUpRequired { .. } => "STEP_UP_REQUIRED",
            Self::Impersonation => "IMPERSONATION",
            Self::ImpersonationRefused => "IMPERSONATION_REFUSED",
            Self::FactorUnknown => "FACTOR_UNKNOWN",
            Self::FactorNotOffered => "FACTOR_NOT_OFFERED",
            Self::TooManyFactors => "TOO_MANY_FACTORS",
            Self::LastFactor => "LAST_FACTOR",
            Self::CodeRefused => "INVALID_CODE",
            Self::PasskeyRefused => "PASSKEY_REFUSED",
            Self::RefreshRefused => "INVALID_REFRESH_TOKEN",
            Self::SessionUnknown => "SESSION_UNKNOWN",
            Self::PhoneUnreachable => "PHONE_UNREACHABLE",
            Self::AccessTokenRequired | Self::Invalid(_) | Self::Unexpected => return None,
        })
    }
}

/// Constant words per kind of fault: the code tells the developer more, the page tells the person enough.
fn provider_sentence(fault: ProviderFault) -> &'static str {
    match fault {
        ProviderFault::AccessDenied => "the log-in was cancelled at the provider",
        ProviderFault::GrantRevoked | ProviderFault::NotRefreshable => {
            "the provider's grant cannot be renewed"
        }
        ProviderFault::TenantRefused => "accounts of that organisation may not log in here",
        ProviderFault::DirectoryPasswordExpired => {
            "the password is right, but over: change it in the directory first"
        }
        ProviderFault::DirectoryMustChange => {
            "the password is right, but must be changed in the directory first"
        }
        ProviderFault::DirectoryDisabled => "this account is disabled in the directory",
        ProviderFault::DirectoryAccountExpired => "this account is over in the directory",
        ProviderFault::DirectoryRestricted => {
            "the directory lets this account in at other hours or places only"
        }
        ProviderFault::RealmRefused => "accounts of that realm may not log in here",
        ProviderFault::NtlmRefused | ProviderFault::TicketMalformed => {
            "the browser sent no Kerberos ticket: log in another way"
        }
        _ => "the provider's answer was refused",
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
        PasswordFault::Breached => {
            "Invalid password. It became public in a data breach; choose one that you use nowhere else.".to_owned()
        }
        PasswordFault::Context => {
            "Invalid password. It is made of your name, your address or the name of this service; choose other words."
                .to_owned()
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
