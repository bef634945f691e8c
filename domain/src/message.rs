//! What is sent to a person. Adapters carry it; the words are chosen by their templates.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::UserKey;
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};
use crate::user::{Email, FactorKind, Phone};

/// How long a mail is tried that holds nothing that dies earlier.
const MAIL_LIFE: Lifetime = Lifetime::from_secs(86_400);

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
    /// The receiver's language, as a primary subtag (`de`); adapters fall back to English.
    pub language: String,
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
    /// The receiver's language, as a primary subtag (`de`); adapters fall back to English.
    pub language: String,
}

/// What a mail is about. Serialised only to be sealed: it holds secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum MailKind {
    /// Please confirm this address.
    VerifyEmail {
        /// Page that asks for the confirmation; holds a token.
        #[serde(with = "in_clear")]
        link: Secret,
    },
    /// Here you can choose a new password.
    ResetPassword {
        /// Page that takes the new password; holds a token.
        #[serde(with = "in_clear")]
        link: Secret,
        /// How long the link works.
        life: Lifetime,
    },
    /// Somebody tried to sign up with your address; you already have an account.
    AlreadyRegistered,
    /// A code to prove that an account elsewhere and the account here are one person's.
    JoinCode {
        /// The code.
        #[serde(with = "in_clear")]
        code: Secret,
        /// The provider of the account elsewhere.
        provider: String,
        /// How long the code lives.
        life: Lifetime,
    },
    /// A link to log in with.
    MagicLink {
        /// Page that logs in; holds a token.
        #[serde(with = "in_clear")]
        link: Secret,
        /// How long the link works.
        life: Lifetime,
    },
    /// Something about the account changed, or happened to it: its owner should know (ASVS 6.3.7).
    Notice(Notice),
}

/// What an owner is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// Somebody logged in from a device that was not seen before.
    NewDevice {
        /// What people call it, where the client told.
        device: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// The address was changed; goes to the old one.
    EmailChanged {
        /// The new address, masked.
        to: String,
        /// Page that sets the old address back and ends every session; holds a token.
        #[serde(with = "in_clear")]
        undo: Secret,
        /// How long that works.
        life: Lifetime,
    },
    /// The address was changed; goes to the new one.
    EmailIsNow,
    /// The phone number was changed or removed.
    PhoneChanged,
    /// The password was changed.
    PasswordChanged,
    /// A second factor was added.
    FactorAdded {
        /// Which kind.
        factor: FactorKind,
        /// What its owner calls it.
        name: Option<String>,
    },
    /// A second factor was removed.
    FactorRemoved {
        /// Which kind.
        factor: FactorKind,
        /// What its owner called it.
        name: Option<String>,
    },
    /// A recovery code was used.
    RecoveryCodeUsed {
        /// How many are left.
        left: usize,
    },
    /// Many codes were asked for or guessed: no more are sent for a while.
    CodesHeldBack,
}

impl MailKind {
    /// How long it is of use.
    pub const fn life(&self) -> Lifetime {
        match self {
            Self::ResetPassword { life, .. } | Self::JoinCode { life, .. } | Self::MagicLink { life, .. } => {
                *life
            }
            Self::VerifyEmail { .. } | Self::AlreadyRegistered | Self::Notice(_) => MAIL_LIFE,
        }
    }
}

/// A secret as its text, for forms that are sealed as a whole.
mod in_clear {
    use super::{Deserialize as _, Deserializer, Secret, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}
