//! Logging out: of one session, or of all others.

use super::{Advanced, Ctx, Effect, Refused, Step, commit, impersonate};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::session::Session;
use crate::user::User;

/// What happened.
#[derive(Clone, Debug)]
pub enum LogOutEvent {
    /// Somebody presents a token to log out of it.
    Asked {
        /// The live session of the token, if there is one.
        session: Option<Box<Session>>,
    },
    /// A logged-in user ends all sessions but their own.
    OthersEnded {
        /// The user.
        user: Box<User>,
        /// The session that asked.
        session: Box<Session>,
    },
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedOut;

/// The one step of this flow.
pub fn step(event: LogOutEvent, cx: &mut Ctx<'_>) -> Step<LoggedOut> {
    match event {
        LogOutEvent::Asked { session: None } => Err(Refused::new(Denial::AccessTokenRequired, Vec::new())),
        LogOutEvent::Asked {
            session: Some(session),
        } => {
            let mut effects = Vec::new();
            if session.refresh.is_some() {
                effects.push(Effect::EndChain {
                    user: session.user.clone(),
                    session: session.id.clone(),
                    asked_by: session.token,
                });
            }
            effects.push(Effect::EndSession(session.token));
            effects.push(match &session.impersonator {
                Some(impersonator) => impersonate::ended(&session.user, impersonator, cx),
                None => cx.audit(AuditKind::LoggedOut, Some(&session.user)),
            });
            Ok(Advanced {
                next: LoggedOut,
                effects,
            })
        }
        LogOutEvent::OthersEnded { user, session } => Ok(end_others(&user, &session, cx)),
    }
}

fn end_others(user: &User, session: &Session, cx: &Ctx<'_>) -> Advanced<LoggedOut> {
    let mut next = user.changed(cx.now);
    next.end_sessions(Some(session.id.clone()));
    let effects = vec![
        commit(user, next),
        Effect::ClearSessions {
            user: user.key.clone(),
            spare: Some(session.id.clone()),
        },
        cx.audit(AuditKind::SessionsEnded, Some(&user.key)),
    ];
    Advanced {
        next: LoggedOut,
        effects,
    }
}
