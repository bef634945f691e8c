//! What administrators do to users.
//!
//! ```text
//! ──Wanted──▶ Made
//! ──Asked──▶ Changed
//!       └──▶ Gone
//! ──Corrected──▶ Changed
//! ```

mod correct;

pub use correct::Correction;

use self::correct::correct;
use super::change_profile::Field;
use super::impersonate::administers;
use super::sign_up::{NewUser, record};
use super::{Advanced, Ctx, Effect, Refused, Step, commit, recover, step_up};
use crate::access::AccessState;
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::error::{Denial, Fault};
use crate::flow_record::FlowKind;
use crate::session::Session;
use crate::user::{Email, User};

/// What an administrator does to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Keep them out: every session ends, no login opens, nothing is sent.
    Disable,
    /// Let them in again. What was ended stays ended.
    Enable,
    /// End all their sessions, on every device.
    EndSessions,
    /// Mail them a link to set a password by, which proves the address, too.
    MailPasswordLink,
    /// Delete them with everything that is theirs.
    Delete,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum AdministerEvent {
    /// A user is to be made who has not signed up.
    Wanted {
        /// What is said about them. A password is not among it: nobody but they should know it.
        form: Box<NewUser>,
        /// Whether the administrator vouches that the address is theirs.
        verified: bool,
        /// Whether they are mailed a link to set a password by.
        invite: bool,
        /// Who wants it.
        by: Actor,
    },
    /// Something is to be done to a user.
    Asked {
        /// The user as stored.
        user: Box<User>,
        /// What.
        act: Act,
        /// Who wants it.
        by: Actor,
    },
    /// Something of a user's record is to be changed.
    Corrected {
        /// The user as stored.
        user: Box<User>,
        /// What.
        correction: Box<Correction>,
        /// The administrator, as stored.
        administrator: Box<User>,
        /// The session they ask with.
        session: Box<Session>,
        /// The roles there are.
        access: AccessState,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Administered {
    /// The new user.
    Made(Box<User>),
    /// The user as they are now.
    Changed(Box<User>),
    /// They are no more.
    Gone,
}

/// The one step of this flow.
pub fn step(event: AdministerEvent, cx: &mut Ctx<'_>) -> Step<Administered> {
    match event {
        AdministerEvent::Wanted {
            form,
            verified,
            invite,
            by,
        } => make(*form, verified, invite, &by, cx),
        AdministerEvent::Asked { user, act, by } => change(*user, act, &by, cx),
        AdministerEvent::Corrected {
            user,
            correction,
            administrator,
            session,
            access,
        } => {
            if !administers(&administrator, &access) {
                return Err(Refused::new(Denial::AuthorizationRequired, Vec::new()));
            }
            if correction.email != Field::Keep {
                step_up::insist("correct", &administrator, &session, cx)?;
            }
            let by = Actor::User(administrator.key);
            let is_peer = user.key != session.user && administers(&user, &access);
            let (next, effects) = correct(&user, *correction, is_peer, &by, cx)?;
            Ok(Advanced {
                next: Administered::Changed(Box::new(next)),
                effects,
            })
        }
    }
}

fn make(form: NewUser, verified: bool, invite: bool, by: &Actor, cx: &mut Ctx<'_>) -> Step<Administered> {
    let mut faults = Vec::new();
    let mut user = record(form, &mut faults, cx);
    if !faults.is_empty() {
        return Err(Refused::new(Denial::Invalid(faults), Vec::new()));
    }
    user.email_verified = verified && user.email.is_some();
    let mut effects = vec![
        Effect::Create(Box::new(user.clone())),
        noted(AuditKind::SignedUp, &user, by, cx),
    ];
    if let (true, Some(to)) = (invite, user.email.clone()) {
        effects.extend(password_link(&user, to, by, cx));
    }
    Ok(Advanced {
        next: Administered::Made(Box::new(user)),
        effects,
    })
}

fn change(user: User, act: Act, by: &Actor, cx: &mut Ctx<'_>) -> Step<Administered> {
    let (next, effects) = match act {
        Act::Disable => shut_out(&user, by, cx),
        Act::Enable => let_in(&user, by, cx),
        Act::EndSessions => {
            let mut next = user.changed(cx.now);
            next.end_sessions(None);
            let effects = ended(&user, &next, AuditKind::SessionsEnded, by, cx);
            (next, effects)
        }
        Act::MailPasswordLink => {
            let to = reachable(&user)?;
            let effects = password_link(&user, to, by, cx);
            (user, effects)
        }
        Act::Delete => {
            let gone = Effect::Delete {
                user: user.key.clone(),
                expected: user.revision,
            };
            return Ok(Advanced {
                next: Administered::Gone,
                effects: vec![gone, noted(AuditKind::UserDeleted, &user, by, cx)],
            });
        }
    };
    Ok(Advanced {
        next: Administered::Changed(Box::new(next)),
        effects,
    })
}

/// Disabling ends every session for good: who is let in again logs in again.
fn shut_out(user: &User, by: &Actor, cx: &Ctx<'_>) -> (User, Vec<Effect>) {
    if user.disabled.is_some() {
        return (user.clone(), Vec::new());
    }
    let mut next = user.changed(cx.now);
    next.disabled = Some(cx.now);
    next.end_sessions(None);
    let effects = ended(user, &next, AuditKind::UserDisabled, by, cx);
    (next, effects)
}

fn let_in(user: &User, by: &Actor, cx: &Ctx<'_>) -> (User, Vec<Effect>) {
    if user.disabled.is_none() {
        return (user.clone(), Vec::new());
    }
    let mut next = user.changed(cx.now);
    next.disabled = None;
    let effects = vec![
        commit(user, next.clone()),
        noted(AuditKind::UserEnabled, user, by, cx),
    ];
    (next, effects)
}

/// A change that ended every session, and what goes with them.
fn ended(before: &User, next: &User, kind: AuditKind, by: &Actor, cx: &Ctx<'_>) -> Vec<Effect> {
    let user = &before.key;
    vec![
        commit(before, next.clone()),
        Effect::DropFlows(user.clone(), FlowKind::PendingLogin),
        Effect::ClearSessions {
            user: user.clone(),
            spare: None,
        },
        noted(kind, before, by, cx),
    ]
}

fn reachable(user: &User) -> Result<Email, Refused> {
    let fault = |property, code, message| {
        let fault = Fault {
            property,
            code,
            message,
            value: None,
        };
        Refused::new(Denial::Invalid(vec![fault]), Vec::new())
    };
    if user.disabled.is_some() {
        return Err(fault(
            "disabled",
            "custom.disabled",
            "is set: enable the user first",
        ));
    }
    user.email
        .clone()
        .ok_or_else(|| fault("email", "presence", "can't be blank"))
}

/// Somebody asked for it who may: it comes whether or not the address is proven, and lives as long as a link that proves one.
fn password_link(user: &User, to: Email, by: &Actor, cx: &mut Ctx<'_>) -> Vec<Effect> {
    let mut effects = recover::reset_link(user, to, cx.pool.verify_token_ttl, cx);
    effects.push(noted(AuditKind::ResetSent, user, by, cx));
    effects
}

fn noted(kind: AuditKind, user: &User, by: &Actor, cx: &Ctx<'_>) -> Effect {
    let user = user.key.clone();
    Effect::Audit(AuditEvent::of_administrator(
        cx.now, kind, user, by, cx.origin, cx.key,
    ))
}
