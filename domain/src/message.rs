//! What is sent to a person. Adapters carry it; the words are chosen here or by the mail adapter's templates.

use crate::id::UserKey;
use crate::secret::Secret;
use crate::time::Lifetime;
use crate::user::{Email, Phone};

/// A text message with a one-time code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsMessage {
    /// Whose login it is about.
    pub user: UserKey,
    /// How the console names the receiver: the e-mail address, else username or id.
    pub name: String,
    /// Where it goes; none only for senders that need no number (the console).
    pub phone: Option<Phone>,
    /// The code.
    pub code: Secret,
    /// How long the code lives.
    pub life: Lifetime,
}

/// A mail, by what it is about. The link is complete and built from the configured public address, never from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailMessage {
    /// Whom it is about.
    pub user: UserKey,
    /// Where it goes.
    pub to: Email,
    /// What it is about.
    pub kind: MailKind,
}

/// What a mail is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailKind {
    /// Please confirm this address.
    VerifyEmail {
        /// Page that asks for the confirmation; holds a token.
        link: Secret,
    },
    /// Here you can choose a new password.
    ResetPassword {
        /// Page that takes the new password; holds a token.
        link: Secret,
        /// How long the link works.
        life: Lifetime,
    },
    /// Somebody tried to sign up with your address; you already have an account.
    AlreadyRegistered,
    /// A code to prove that an account elsewhere and the account here are one person's.
    JoinCode {
        /// The code.
        code: Secret,
        /// The provider of the account elsewhere.
        provider: String,
        /// How long the code lives.
        life: Lifetime,
    },
}
