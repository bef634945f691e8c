//! Ending one of one's own sessions, chosen from their list.

use super::{Advanced, Ctx, Effect, Refused, Step};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::id::{SessionId, UserKey};
use crate::secret::TokenHash;

/// What happened.
#[derive(Clone, Debug)]
pub enum EndSessionEvent {
    /// A logged-in user ends a session.
    Asked {
        /// Who.
        user: UserKey,
        /// The session.
        session: SessionId,
        /// Whether they have one of that id.
        is_theirs: bool,
        /// The token they ask with.
        asked_by: TokenHash,
    },
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnded;

/// The one step of this flow.
pub fn step(event: EndSessionEvent, cx: &mut Ctx<'_>) -> Step<SessionEnded> {
    let EndSessionEvent::Asked {
        user,
        session,
        is_theirs,
        asked_by,
    } = event;
    if !is_theirs {
        return Err(Refused::new(Denial::SessionUnknown, Vec::new()));
    }
    let audit = cx.audit_about(AuditKind::LoggedOut, Some(&user), "chosen");
    let end = Effect::EndChain {
        user,
        session,
        asked_by,
    };
    Ok(Advanced {
        next: SessionEnded,
        effects: vec![end, audit],
    })
}
