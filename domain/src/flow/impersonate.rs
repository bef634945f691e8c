//! An administrator acts as a user for a while, to see what they see.
//!
//! ```text
//! ──Asked──▶ Begun
//! ```
//! It is a session of the user's in which nothing of theirs can be changed: the administrator looks, and leaves
//! ([`log_out`](super::log_out)). What such a session may do stands in [`admit`], and every token check asks it: what is not named there
//! is refused, whatever is added later. The reason, and who it was, stand in the audit log.

use super::{Advanced, Ctx, Effect, Refused, Step, step_up};
use crate::access::{ADMIN, AccessState};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::error::{Denial, Fault};
use crate::id::{SessionId, UserKey};
use crate::secret::Token;
use crate::session::{AccessToken, Impersonator, Session, TokenLife};
use crate::time::{Lifetime, Timestamp};
use crate::user::User;

/// How long it lives at most, and where no shorter life is asked for or usual.
pub const LONGEST: Lifetime = Lifetime::from_secs(3_600);

/// Longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// The methods of a pool, by LoopBack's names, that are open to an administrator in a user's place: what shows the record without its
/// secrets, a signed token that says who acts, and the way out. A provider's tokens are among the secrets.
pub const OPEN: [&str; 8] = [
    "findById",
    "__get__identities",
    "__count__identities",
    "__findById__identities",
    "getFactors",
    "getSessions",
    "signToken",
    "logout",
];

/// What a token is presented for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing<'a> {
    /// A method of a pool, by LoopBack's name.
    Call(&'a str),
    /// Somebody else asks whose it is, or a page is shown: nothing is changed, and no secret told.
    Look,
    /// The session ends.
    Leave,
    /// Anything.
    Act,
}

/// Whether a session may be used for that. One of its user's own may be used for everything.
///
/// # Errors
/// [`Denial::Impersonation`] for what an administrator may not do in the place of a user.
pub fn admit(session: &Session, doing: Doing<'_>) -> Result<(), Denial> {
    let open = match doing {
        Doing::Call(method) => OPEN.contains(&method),
        Doing::Look | Doing::Leave => true,
        Doing::Act => false,
    };
    if open || session.impersonator.is_none() {
        Ok(())
    } else {
        Err(Denial::Impersonation)
    }
}

/// Whether it may go on: the administrator is one still, is let in, and did not end all their sessions; and the user is none.
pub fn stands(
    impersonator: &Impersonator,
    administrator: Option<&User>,
    user: &User,
    access: &AccessState,
) -> bool {
    let honoured = administrator.is_some_and(|administrator| {
        administrator.key == impersonator.user
            && administrator.honours(impersonator.epoch, &impersonator.session)
            && administers(administrator, access)
    });
    honoured && !administers(user, access)
}

/// Whether a user has the role `admin`, given or by another role.
pub fn administers(user: &User, access: &AccessState) -> bool {
    access.roles_of(user).iter().any(|role| role.as_str() == ADMIN)
}

/// What happened.
#[derive(Clone, Debug)]
pub enum ImpersonateEvent {
    /// An administrator wants to act as a user.
    Asked {
        /// Who asks, as stored.
        administrator: Box<User>,
        /// The session they ask with.
        session: Box<Session>,
        /// As whom, as stored.
        user: Box<User>,
        /// The roles there are.
        access: AccessState,
        /// Why, in their words.
        reason: String,
        /// For how many seconds; none for as long as it may be.
        ttl: Option<f64>,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Impersonated {
    /// The session is open.
    Begun(Box<AccessToken>),
}

/// The one step of this flow.
pub fn step(event: ImpersonateEvent, cx: &mut Ctx<'_>) -> Step<Impersonated> {
    match event {
        ImpersonateEvent::Asked {
            administrator,
            session,
            user,
            access,
            reason,
            ttl,
        } => {
            let deny = |denial| Refused::new(denial, Vec::new());
            admit(&session, Doing::Act).map_err(deny)?;
            if !administers(&administrator, &access) {
                return Err(deny(Denial::AuthorizationRequired));
            }
            let reason = sound_reason(&reason).map_err(deny)?;
            let life = life_of(ttl, cx).map_err(deny)?;
            let same_pool = administrator.key.pool == user.key.pool;
            let is_open = same_pool && administrator.key != user.key && user.disabled.is_none();
            if !is_open || administers(&user, &access) {
                return Err(deny(Denial::ImpersonationRefused));
            }
            step_up::insist("impersonate", &administrator, &session, cx)?;
            let impersonator = Impersonator {
                user: administrator.key.clone(),
                session: session.id.clone(),
                epoch: administrator.session_epoch,
            };
            Ok(open(*user, impersonator, life, reason, cx))
        }
    }
}

/// A session of the user's by which nobody proved to be them: it has no factor, and was last proven as long ago as can be. It has no
/// refresh token, and the administrator's device is none of the user's.
fn open(
    user: User,
    impersonator: Impersonator,
    life: Lifetime,
    reason: String,
    cx: &mut Ctx<'_>,
) -> Advanced<Impersonated> {
    let secret = Token::draw(cx.entropy);
    let begun = noted(AuditKind::ImpersonationBegun, &user.key, &impersonator, cx).about(reason);
    let session = Session {
        id: SessionId::draw(cx.now, cx.entropy),
        token: secret.hash(),
        user: user.key.clone(),
        epoch: user.session_epoch,
        created: cx.now,
        life: TokenLife::Finite(life),
        factors: Vec::new(),
        proven: Timestamp::from_millis(0),
        last_used: None,
        idle: cx.pool.idle_timeout,
        agent: cx.origin.agent.clone(),
        address: Some(cx.origin.address.clone()),
        refresh: None,
        federated: None,
        impersonator: Some(Box::new(impersonator)),
    };
    let effects = vec![
        Effect::OpenSession(Box::new(session.clone())),
        Effect::Audit(begun),
    ];
    Advanced {
        next: Impersonated::Begun(Box::new(AccessToken {
            secret,
            session,
            user,
            refresh: None,
            device: None,
        })),
        effects,
    }
}

/// The audit line of an end.
pub(super) fn ended(user: &UserKey, impersonator: &Impersonator, cx: &Ctx<'_>) -> Effect {
    Effect::Audit(noted(AuditKind::ImpersonationEnded, user, impersonator, cx))
}

fn noted(kind: AuditKind, user: &UserKey, impersonator: &Impersonator, cx: &Ctx<'_>) -> AuditEvent {
    let actor = Actor::User(impersonator.user.clone());
    AuditEvent::of_administrator(cx.now, kind, user.clone(), &actor, cx.origin, cx.key)
}

/// The reason without the blanks around it. It goes to the audit log, so it is one short line.
fn sound_reason(reason: &str) -> Result<String, Denial> {
    let reason = reason.trim();
    let fault = |code, message| {
        Denial::Invalid(vec![Fault {
            property: "reason",
            code,
            message,
            value: None,
        }])
    };
    if reason.is_empty() {
        return Err(fault("presence", "can't be blank"));
    }
    if reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) {
        return Err(fault("length.max", "is one line of at most 200 characters"));
    }
    Ok(reason.to_owned())
}

/// What was asked for, cut to [`LONGEST`]: for ever is too long, like any other life.
fn life_of(ttl: Option<f64>, cx: &Ctx<'_>) -> Result<Lifetime, Denial> {
    Ok(match cx.pool.session_life(ttl)? {
        TokenLife::Finite(life) => life.min(LONGEST),
        TokenLife::Eternal => LONGEST,
    })
}
