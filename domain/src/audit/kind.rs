//! What happened, by stable names.

use serde::{Deserialize, Serialize};

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
    /// An administrator keeps a user out.
    UserDisabled = "user.disabled",
    /// A user is let in again.
    UserEnabled = "user.enabled",
    /// An administrator forgave failed tries on an account.
    UserUnlocked = "user.unlocked",
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
    /// An application was changed: what is said about it, or whether its keys open anything.
    ApplicationChanged = "application.changed",
    /// An application got new keys; the former ones are void.
    ApplicationKeysReset = "application.keys_reset",
    /// An application was deleted.
    ApplicationDeleted = "application.deleted",
    /// An application's key was wrong.
    ApplicationRefused = "application.refused",
    /// An application's client at a provider was set or removed.
    ApplicationCredentialChanged = "application.credential_changed",
    /// A role was made.
    RoleCreated = "role.created",
    /// A role was renamed or described anew.
    RoleChanged = "role.changed",
    /// A role was deleted.
    RoleDeleted = "role.deleted",
    /// Somebody was given a role.
    RoleGiven = "role.given",
    /// A role was taken from somebody.
    RoleTaken = "role.taken",
    /// A stored access rule was made, changed or deleted.
    AclChanged = "acl.changed",
    /// A second factor was added.
    FactorAdded = "factor.added",
    /// A second factor was removed.
    FactorRemoved = "factor.removed",
    /// A second factor was given another name.
    FactorRenamed = "factor.renamed",
    /// A second factor was not right.
    FactorFailed = "factor.failed",
    /// Recovery codes were made anew; the former ones are void.
    RecoveryCodesMade = "factor.recovery_codes_made",
    /// A recovery code was used up.
    RecoveryCodeUsed = "factor.recovery_code_used",
    /// A passkey's signature counter went backwards: it may have been copied.
    PasskeyCounterFell = "factor.passkey_counter_fell",
    /// A device is trusted from now on: it is asked for no second factor.
    DeviceTrusted = "device.trusted",
    /// A login from a device that was not seen before.
    DeviceNew = "device.new",
    /// Devices were forgotten.
    DevicesForgotten = "device.forgotten",
    /// A session's holder proved themselves again.
    SteppedUp = "session.stepped_up",
    /// An act was refused for want of a fresh proof.
    StepUpAsked = "session.step_up_asked",
    /// An administrator acts as a user from now on.
    ImpersonationBegun = "impersonation.begun",
    /// An administrator stopped acting as a user.
    ImpersonationEnded = "impersonation.ended",
    /// A session was renewed by its refresh token.
    SessionRefreshed = "session.refreshed",
    /// A refresh token was presented that had been used up: the session is ended.
    RefreshReused = "session.refresh_reused",
    /// A link to log in with was sent.
    MagicLinkSent = "login.link_sent",
    /// An address was set back by its former owner.
    EmailReverted = "email.reverted",
    /// A password was refused because it is known from a breach.
    PasswordBreached = "password.breached",
    /// The list of breached passwords could not be asked.
    BreachCheckFailed = "password.breach_check_failed",
    /// A message was handed over to its carrier.
    MessageSent = "message.sent",
    /// A message will be tried again.
    MessageDelayed = "message.delayed",
    /// A message was given up.
    MessageFailed = "message.failed",
    /// A carrier does not accept us: credentials, credit, sender. Somebody has to look.
    CarrierRefused = "message.carrier_refused",
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
