//! What is written down about security: one line per decision, kinds with stable names, never a secret in it.

use serde::{Deserialize, Serialize};

use crate::id::UserKey;
use crate::limits::ClientAddress;
use crate::time::Timestamp;

/// One entry of the audit log (ASVS 16.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub kind: AuditKind,
    /// About whom; none when nobody of that name exists.
    pub user: Option<UserKey>,
    /// From where; none for what the server does by itself.
    pub address: Option<ClientAddress>,
    /// What it was about, in stable words: an entry, a fault's code. Never a secret, never what a stranger sent.
    pub detail: Option<String>,
}

macro_rules! audit_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What happened. The names are a promise to whoever reads the log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum AuditKind { $($(#[$doc])* $variant),+ }

        impl AuditKind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The kind of that stable name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

audit_kinds! {
    /// A user was made.
    SignedUp = "user.signed_up",
    /// Somebody tried to sign up with a name or address that is taken.
    SignUpCollided = "user.sign_up_collided",
    /// A user record was changed.
    ProfileChanged = "user.changed",
    /// A user was deleted.
    UserDeleted = "user.deleted",
    /// A session was opened.
    LoggedIn = "login.succeeded",
    /// A password or name was wrong.
    LoginFailed = "login.failed",
    /// A right password was refused because the e-mail address is not verified.
    LoginUnverified = "login.refused_unverified",
    /// A right password was refused because a second factor is due.
    SecondFactorDue = "login.second_factor_due",
    /// A limit refused a try before it was judged.
    Limited = "limit.reached",
    /// A code was sent.
    CodeSent = "code.sent",
    /// A wrong code was typed.
    CodeFailed = "code.failed",
    /// A session was ended by its owner.
    LoggedOut = "session.ended",
    /// All sessions, or all but one, were ended.
    SessionsEnded = "session.all_ended",
    /// A verification mail was sent.
    VerificationSent = "email.verification_sent",
    /// An address was verified.
    EmailVerified = "email.verified",
    /// A phone number was confirmed.
    PhoneConfirmed = "phone.confirmed",
    /// A verification, reset or confirmation token was wrong or spent.
    TokenRefused = "token.refused",
    /// A reset mail was sent.
    ResetSent = "password.reset_sent",
    /// A password was set by a reset token.
    PasswordReset = "password.reset",
    /// A password was changed by its owner.
    PasswordChanged = "password.changed",
    /// A current password given as proof was wrong.
    ProofFailed = "password.proof_failed",
    /// A stored hash was replaced by a stronger one.
    PasswordRehashed = "password.rehashed",
    /// Somebody was sent to a provider.
    AuthorizationBegun = "provider.begun",
    /// Somebody came to a callback that belongs to no visit of their browser.
    CallbackUnknown = "provider.callback_unknown",
    /// What came from a provider was refused.
    ProviderRefused = "provider.refused",
    /// A provider did not answer.
    ProviderUnavailable = "provider.unavailable",
    /// An account elsewhere was linked.
    IdentityLinked = "identity.linked",
    /// An account elsewhere was not linked: it is somebody else's, or too many are.
    LinkRefused = "identity.link_refused",
    /// An account elsewhere was unlinked.
    IdentityUnlinked = "identity.unlinked",
    /// Somebody from elsewhere may be a user of ours, and was asked to prove it.
    JoinOffered = "identity.join_offered",
    /// A code to prove a user was mailed.
    JoinCodeSent = "identity.join_code_sent",
    /// That proof failed.
    JoinFailed = "identity.join_failed",
    /// An unproven account was taken over by the owner of its address: what others had set on it is gone.
    AccountReclaimed = "identity.account_reclaimed",
    /// A grant was bought anew.
    CredentialRefreshed = "credential.refreshed",
    /// A provider takes a grant no more.
    CredentialRevoked = "credential.revoked",
    /// A provider grants less than it was asked for.
    CredentialScopeLost = "credential.scope_lost",
    /// An access token of a provider was handed out.
    CredentialRevealed = "credential.revealed",
    /// A grant was forgotten.
    CredentialForgotten = "credential.forgotten",
    /// A client application was made.
    ApplicationCreated = "application.created",
    /// An application's key was wrong.
    ApplicationRefused = "application.refused",
    /// An application's client at a provider was set or removed.
    ApplicationCredentialChanged = "application.credential_changed",
}

impl Serialize for AuditKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for AuditKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| serde::de::Error::custom("not a kind of audit event"))
    }
}

impl AuditKind {
    /// Whether the event is kept in the store. What strangers can cause at will is not: they could fill the disk with it, and the
    /// log line says as much.
    pub const fn is_kept(self) -> bool {
        !matches!(
            self,
            Self::Limited | Self::AuthorizationBegun | Self::CallbackUnknown
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_names_are_distinct() {
        let mut names: Vec<_> = AuditKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), AuditKind::ALL.len());
    }
}
