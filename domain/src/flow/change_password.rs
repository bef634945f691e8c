//! Changing the password with the current one in hand.
//!
//! ```text
//! Start ──Asked──▶ CheckCurrent ──CurrentChecked──▶ HashNew ──NewHashed──▶ Done
//! ```

use super::notice::notify;
use super::{Advanced, Ctx, Effect, Refused, Step, commit};
use crate::audit::AuditKind;
use crate::credential::{Password, PasswordHash};
use crate::error::Denial;
use crate::flow_record::FlowKind;
use crate::id::SessionId;
use crate::limits::Verdict;
use crate::message::Notice;
use crate::policy::{Asked, unjudged};
use crate::ports::Verified;
use crate::user::User;

/// Where a change stands.
#[derive(Clone, Debug)]
pub enum ChangePassword {
    /// Nothing happened yet.
    Start,
    /// The current password is to be compared.
    CheckCurrent(Asked),
    /// The new one is to be hashed.
    HashNew,
    /// The new one holds.
    Done(Box<User>),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum ChangePasswordEvent {
    /// A logged-in user gave the current and a new password.
    Asked {
        /// The user.
        user: Box<User>,
        /// The new password.
        new: Password,
        /// What the counters said to this try of the current one.
        verdict: Verdict,
        /// The counters, to give the try back to.
        taken: Asked,
    },
    /// The current password was compared.
    CurrentChecked {
        /// Whose.
        user: Box<User>,
        /// What the hasher said.
        verified: Verified,
    },
    /// The new password was hashed.
    NewHashed {
        /// The user, on whose revision the current password was compared.
        user: Box<User>,
        /// The session that asked: it lives on.
        session: SessionId,
        /// The hash.
        hash: PasswordHash,
    },
}

/// One step of a change.
pub fn step(state: ChangePassword, event: ChangePasswordEvent, cx: &mut Ctx<'_>) -> Step<ChangePassword> {
    match (state, event) {
        (
            ChangePassword::Start,
            ChangePasswordEvent::Asked {
                user,
                new,
                verdict,
                taken,
            },
        ) => admit(&user, &new, verdict, taken, cx),
        (ChangePassword::CheckCurrent(taken), ChangePasswordEvent::CurrentChecked { user, verified }) => {
            judge(&user, &verified, taken, cx)
        }
        (ChangePassword::HashNew, ChangePasswordEvent::NewHashed { user, session, hash }) => {
            Ok(set(&user, session, hash, cx))
        }
        _ => Err(Refused::unexpected()),
    }
}

fn admit(user: &User, new: &Password, verdict: Verdict, taken: Asked, cx: &Ctx<'_>) -> Step<ChangePassword> {
    if let Some(refused) = Refused::limited(verdict, Some(&user.key), cx) {
        return Err(refused);
    }
    let rules = cx.pool.password;
    if let Err(fault) = rules.judge(new) {
        return Err(Refused::new(
            Denial::PasswordRefused { fault, rules },
            vec![Effect::GiveBack(unjudged(&taken))],
        ));
    }
    Ok(Advanced {
        next: ChangePassword::CheckCurrent(taken),
        effects: Vec::new(),
    })
}

fn judge(user: &User, verified: &Verified, taken: Asked, cx: &Ctx<'_>) -> Step<ChangePassword> {
    if *verified == Verified::Wrong {
        return Err(wrong_proof(user, cx));
    }
    Ok(Advanced {
        next: ChangePassword::HashNew,
        effects: vec![Effect::GiveBack(taken)],
    })
}

/// The current password given as proof is wrong.
pub(super) fn wrong_proof(user: &User, cx: &Ctx<'_>) -> Refused {
    Refused::new(
        Denial::CurrentPasswordWrong,
        vec![cx.audit(AuditKind::ProofFailed, Some(&user.key))],
    )
}

/// Ends every other session, pending login, reset link and number on its way to be confirmed: whoever knew the old password is
/// out, and nothing they began can be finished.
fn set(user: &User, session: SessionId, hash: PasswordHash, cx: &Ctx<'_>) -> Advanced<ChangePassword> {
    let mut next = user.changed(cx.now);
    next.password = Some(hash);
    next.end_sessions(Some(session.clone()));
    let mut effects = vec![
        commit(user, next.clone()),
        Effect::DropFlows(user.key.clone(), FlowKind::PendingLogin),
        Effect::DropFlows(user.key.clone(), FlowKind::ResetPassword),
        Effect::DropFlows(user.key.clone(), FlowKind::ConfirmPhone),
        Effect::ClearSessions {
            user: user.key.clone(),
            spare: Some(session),
        },
        cx.audit(AuditKind::PasswordChanged, Some(&user.key)),
    ];
    effects.extend(notify(&next, Notice::PasswordChanged, cx));
    Advanced {
        next: ChangePassword::Done(Box::new(next)),
        effects,
    }
}
