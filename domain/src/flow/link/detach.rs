//! "Unlink an account", and "forget a grant". The last way in stays.
//!
//! ```text
//! Start ──UnlinkAsked──▶ Done
//! Start ──ForgetAsked──▶ Done
//! ```

use std::sync::Arc;

use super::super::step_up::demand;
use super::super::{Advanced, Ctx, Effect, Refused, Step, commit};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::FlowKind;
use crate::id::{CredentialId, IdentityId, ProviderName};
use crate::policy::SensitiveAct;
use crate::session::Session;
use crate::user::User;

/// Where it stands.
#[derive(Clone, Debug)]
pub enum Detach {
    /// Nothing is known yet.
    Start,
    /// It is gone.
    Done(Box<User>),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum DetachEvent {
    /// The owner wants an account unlinked.
    UnlinkAsked {
        /// The owner, as stored now.
        user: Box<User>,
        /// The session that asks: the one that lives on.
        session: Box<Session>,
        /// The account.
        identity: IdentityId,
        /// The providers people can log in by: one that is only for linking is no way in.
        doors: Vec<ProviderName>,
    },
    /// The owner wants a grant forgotten.
    ForgetAsked {
        /// The owner, as stored now.
        user: Box<User>,
        /// The grant.
        credential: CredentialId,
    },
}

/// One step.
pub fn step(state: Detach, event: DetachEvent, cx: &mut Ctx<'_>) -> Step<Detach> {
    match (state, event) {
        (
            Detach::Start,
            DetachEvent::UnlinkAsked {
                user,
                session,
                identity,
                doors,
            },
        ) => unlink(&user, &session, &identity, &doors, cx),
        (Detach::Start, DetachEvent::ForgetAsked { user, credential }) => forget(&user, &credential, cx),
        _ => Err(Refused::unexpected()),
    }
}

/// Whoever got in by the account that goes must go too: every session but the owner's present one ends.
fn unlink(
    user: &User,
    session: &Session,
    identity: &IdentityId,
    doors: &[ProviderName],
    cx: &Ctx<'_>,
) -> Step<Detach> {
    demand(SensitiveAct::Unlink, user, session, cx)?;
    let session = session.id.clone();
    let Some(gone) = user.identity(identity) else {
        return Err(Refused::new(Denial::LinkUnknown, Vec::new()));
    };
    if !has_another_way_in(user, identity, doors) {
        return Err(Refused::new(Denial::LastWayIn, Vec::new()));
    }
    let mut next = user.changed(cx.now);
    Arc::make_mut(&mut next.identities).retain(|kept| kept.id != *identity);
    Arc::make_mut(&mut next.credentials).retain(|kept| kept.identity != *identity);
    next.end_sessions(Some(session.clone()));
    let effects = vec![
        commit(user, next.clone()),
        Effect::DropFlows(user.key.clone(), FlowKind::PendingLogin),
        Effect::DropFlows(user.key.clone(), FlowKind::Exchange),
        Effect::DropFlows(user.key.clone(), FlowKind::Join),
        Effect::ClearSessions {
            user: user.key.clone(),
            spare: Some(session),
        },
        cx.audit_about(
            AuditKind::IdentityUnlinked,
            Some(&user.key),
            gone.key.provider.to_string(),
        ),
    ];
    Ok(Advanced {
        next: Detach::Done(Box::new(next)),
        effects,
    })
}

/// A password, or another linked account by whose provider people can log in. An address to which a reset could be mailed is no
/// way in: it may be lost, and nobody may have proven it.
pub fn has_another_way_in(user: &User, identity: &IdentityId, doors: &[ProviderName]) -> bool {
    let mut others = user.identities.iter().filter(|other| other.id != *identity);
    user.password.is_some() || others.any(|other| doors.contains(&other.key.provider))
}

fn forget(user: &User, credential: &CredentialId, cx: &Ctx<'_>) -> Step<Detach> {
    let Some(gone) = user.credentials.iter().find(|kept| kept.id == *credential) else {
        return Err(Refused::new(Denial::LinkUnknown, Vec::new()));
    };
    let mut next = user.changed(cx.now);
    Arc::make_mut(&mut next.credentials).retain(|kept| kept.id != *credential);
    let effects = vec![
        commit(user, next.clone()),
        cx.audit_about(
            AuditKind::CredentialForgotten,
            Some(&user.key),
            gone.entry.to_string(),
        ),
    ];
    Ok(Advanced {
        next: Detach::Done(Box::new(next)),
        effects,
    })
}
