//! A provider tells us that somebody left there: what stands on that session ends here, too.
//!
//! ```text
//! ──Requested──▶ Ended
//! ```

use super::authorize::{Failure, refuse};
use super::{Advanced, Ctx, Effect, Step};
use crate::audit::AuditKind;
use crate::identity::{IdentityKey, ProviderEntry};
use crate::limits::Verdict;
use crate::ports::{LogoutRequested, ProviderFault};
use crate::session::Session;
use crate::user::User;

/// What happened.
#[derive(Clone, Debug)]
pub enum SingleLogoutEvent {
    /// The provider wants somebody's sessions to end, and has signed it.
    Requested(Box<Wish>),
}

/// Facts: a provider's wish.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The entry it came to.
    pub entry: ProviderEntry,
    /// What it says.
    pub requested: LogoutRequested,
    /// What the counter of its [`LogoutRequested::once`] said.
    pub once: Verdict,
    /// The user whose account it is, as stored now, and their sessions; none where nobody has it.
    pub user: Option<(User, Vec<Session>)>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// So many sessions.
    pub sessions: usize,
}

/// The account that a wish is about.
pub fn key_of(entry: &ProviderEntry, requested: &LogoutRequested) -> Option<IdentityKey> {
    IdentityKey::new(
        entry.provider.clone(),
        &requested.issuer,
        &requested.subject,
        None,
    )
}

/// The one step of this flow. Only what was opened by this very account ends: whoever also logged in with a password did not leave.
pub fn step(event: SingleLogoutEvent, cx: &mut Ctx<'_>) -> Step<Ended> {
    let SingleLogoutEvent::Requested(wish) = event;
    let Wish {
        entry,
        requested,
        once,
        user,
    } = *wish;
    if once != Verdict::Allowed {
        return Err(refuse(&entry, &Failure::Refused(ProviderFault::Replayed), cx));
    }
    let Some((user, sessions)) = user else {
        return Ok(ended(Vec::new(), 0));
    };
    let identity = key_of(&entry, &requested).and_then(|key| user.identity_of(&key).cloned());
    let stands_on_it = |session: &&Session| {
        session.federated.as_ref().is_some_and(|federated| {
            let named = requested.indexes.is_empty() || requested.indexes.contains(&federated.session.index);
            named
                && identity
                    .as_ref()
                    .is_some_and(|identity| identity.id == federated.identity)
        })
    };
    let mut effects = Vec::new();
    let mut count = 0;
    for session in sessions.iter().filter(stands_on_it) {
        count += 1;
        effects.push(Effect::EndSession(session.token));
        effects.push(cx.audit_about(
            AuditKind::LoggedOut,
            Some(&user.key),
            format!("by {}", entry.name),
        ));
    }
    Ok(ended(effects, count))
}

fn ended(effects: Vec<Effect>, sessions: usize) -> Advanced<Ended> {
    Advanced {
        next: Ended { sessions },
        effects,
    }
}
