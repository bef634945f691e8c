//! What a step wants done: the complete list of side effects of the core.

use crate::audit::{AuditEvent, AuditKind};
use crate::flow_record::{FlowKind, FlowRecord};
use crate::id::{SessionId, UserKey};
use crate::message::{MailMessage, SmsMessage};
use crate::policy::Asked;
use crate::secret::TokenHash;
use crate::session::Session;
use crate::user::{Revision, User};

/// One side effect. They are carried out in order; a guarded one that does not hold stops those behind it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Guarded: make this user. Its keys being taken comes back to the flow as an event.
    Create(Box<User>),
    /// Guarded: replace the user of that revision by this state.
    Commit {
        /// The next state.
        next: Box<User>,
        /// The revision it was decided on.
        expected: Revision,
    },
    /// Guarded: remove the user of that revision.
    Delete {
        /// Who.
        user: UserKey,
        /// The revision it was decided on.
        expected: Revision,
    },
    /// Guarded: take this flow. When somebody else took it first, the step is refused as if the code or token were wrong.
    Spend(TokenHash),
    /// Guarded: put a flow in the place of its former self, unless it was taken meanwhile.
    ReplaceFlow(Box<FlowRecord>),
    /// Keep a flow.
    PutFlow(Box<FlowRecord>),
    /// Forget a flow.
    DropFlow(TokenHash),
    /// Forget all flows of one user and kind.
    DropFlows(UserKey, FlowKind),
    /// Open a session.
    OpenSession(Box<Session>),
    /// End the session of this token.
    EndSession(TokenHash),
    /// End a login, by whichever tokens it lives: forget the refresh tokens that renew it, then end every session of that id.
    EndChain {
        /// Whose.
        user: UserKey,
        /// The id they all have.
        session: SessionId,
        /// The token that asked for it, if it is one of them: ended last, so that whoever is stopped by a fault can ask again.
        asked_by: TokenHash,
    },
    /// Clear away the sessions a new epoch has ended already.
    ClearSessions {
        /// Whose.
        user: UserKey,
        /// The one that lives on.
        spare: Option<SessionId>,
    },
    /// Give back tries that turned out right.
    GiveBack(Asked),
    /// Send a code.
    SendSms(Box<SmsMessage>),
    /// Send a mail.
    SendMail(Box<MailMessage>),
    /// Write down what was decided.
    Audit(AuditEvent),
}

impl Effect {
    /// Whether later effects depend on this one holding.
    pub const fn is_guarded(&self) -> bool {
        matches!(
            self,
            Self::Create(_)
                | Self::Commit { .. }
                | Self::Delete { .. }
                | Self::Spend(_)
                | Self::ReplaceFlow(_)
        )
    }

    /// Whether it changes the user aggregate.
    pub const fn is_commit(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Commit { .. } | Self::Delete { .. })
    }

    /// The audit kind, for tests that read a step's story.
    pub const fn audit_kind(&self) -> Option<AuditKind> {
        if let Self::Audit(event) = self {
            Some(event.kind)
        } else {
            None
        }
    }
}
