//! Renewing a session: a refresh token is used once and leads to the next one of its chain.
//!
//! ```text
//! Start ──Presented──▶ Kept ──SuccessorKept──▶ Done
//!       └────────────▶ Reused
//! ```
//! The answer to a token (the next refresh token and an access token) is derived from that very token. Whoever lost the answer asks
//! again and gets the same one, though only hashes are kept; so do fifty who ask at once. A used token that comes back when its answer
//! is known to have arrived is held by two: the whole chain ends (RFC 9700 section 4.14.2, ASVS 10.4.5).
//!
//! The order of effects makes every fault in between harmless: what the answer needs is kept first, the session before the record that
//! names it; then the token is marked as used, then the answer is given. That mark is made only if the token is still there, and a chain ends by forgetting its tokens
//! before its sessions: so nothing that is kept for an answer outlives an end that came in between *and* reaches anybody.
//!
//! The previous access token is left to its short life: an honest client may have calls under way with it, and needs it if the answer
//! is lost.

mod chain;

pub(crate) use chain::begin;
pub use chain::{access_tokens, arrived, is_over, login_behind, refresh_record, successor};

use super::{Advanced, Ctx, Effect, Refused, Step};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::{FlowRecord, RefreshRecord};
use crate::id::UserKey;
use crate::limits::Verdict;
use crate::policy::Asked;
use crate::secret::{Token, TokenHash};
use crate::session::{AccessToken, Session};
use crate::time::Timestamp;
use crate::user::User;
use chain::{Good, marked, record, session};

/// Where a renewal stands.
#[derive(Clone, Debug)]
pub enum RefreshSession {
    /// Nothing is known yet.
    Start,
    /// What the answer needs is kept; the answer may be given once the presented token is marked.
    Kept(Box<Kept>),
    /// The session is renewed.
    Done(Box<AccessToken>),
    /// Two hold the chain: it is ended, and whoever asked is refused.
    Reused,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum RefreshSessionEvent {
    /// Somebody presents a refresh token.
    Presented(Box<Presented>),
    /// What the answer needs was kept.
    SuccessorKept {
        /// The session of the new access token, read again: none if it was ended at once.
        session: Option<Box<Session>>,
    },
}

/// Facts: what is kept about a presented token.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The token.
    pub token: Token,
    /// Its record.
    pub record: Option<FlowRecord>,
    /// Whose it is, as stored now.
    pub user: Option<User>,
    /// What is kept of an answer that was given before.
    pub answered: Answered,
    /// What the counter for tokens said.
    pub verdict: Verdict,
    /// That counter, to give the try back to if it turns out right.
    pub taken: Asked,
}

/// What is kept of an answer that was given before.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// The record of the refresh token in it.
    pub record: Option<FlowRecord>,
    /// Whether there is a further token behind that one. It says as much as [`RefreshRecord::used`], which two at once may overwrite.
    pub is_followed: bool,
    /// The sessions of the access tokens in it, dead or alive, one for each of [`access_tokens`] until one may be given out: for the one
    /// that the record names (the first one without a record), and for those behind it that were opened by somebody who was stopped.
    pub accesses: Vec<Option<Session>>,
}

/// An answer that waits for its token to be marked.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The presented token's record as it will be.
    mark: FlowRecord,
    /// The next one's, where it is to name another access token.
    next: Option<FlowRecord>,
    /// The answer.
    answer: AccessToken,
    /// Whether it was given before.
    is_repeated: bool,
    taken: Asked,
}

impl Kept {
    /// The access token of the answer, by its hash.
    pub const fn access(&self) -> TokenHash {
        self.answer.session.token
    }
}

/// One step of a renewal.
pub fn step(state: RefreshSession, event: RefreshSessionEvent, cx: &mut Ctx<'_>) -> Step<RefreshSession> {
    match (state, event) {
        (RefreshSession::Start, RefreshSessionEvent::Presented(facts)) => judge(&facts, cx),
        (RefreshSession::Kept(kept), RefreshSessionEvent::SuccessorKept { session }) => {
            give(*kept, session.map(|session| *session), cx)
        }
        _ => Err(Refused::unexpected()),
    }
}

fn judge(facts: &Presented, cx: &Ctx<'_>) -> Step<RefreshSession> {
    if let Some(refused) = Refused::limited(facts.verdict, None, cx) {
        return Err(refused);
    }
    let good = check(facts, cx)?;
    let Answered {
        record: next,
        is_followed,
        accesses,
    } = &facts.answered;
    let Some((next, body)) = next.as_ref().and_then(|next| Some((next, refresh_record(next)?))) else {
        return match good.body.used {
            // Given and forgotten: somebody was stopped while they ended the chain.
            Some(given) => Ok(end_chain(&good, given, cx)),
            None => succeed(&good, facts, cx),
        };
    };
    let access = accesses.first().and_then(Option::as_ref);
    let touched = access.is_some_and(|session| session.last_used.is_some());
    let has_arrived = *is_followed || body.used.is_some() || body.arrived.is_some() || touched;
    let given = good.body.used.unwrap_or(next.created);
    if has_arrived && !is_recent(given, cx) {
        return Ok(end_chain(&good, given, cx));
    }
    let former = Former {
        next,
        body,
        has_arrived,
    };
    repeat(&good, &former, facts, cx)
}

/// Every refusal is the same to the caller; the operator's line names the rule.
fn check<'a>(facts: &'a Presented, cx: &Ctx<'_>) -> Result<Good<'a>, Refused> {
    let own = facts.record.as_ref().filter(|flow| flow.pool == cx.pool.name);
    let Some((flow, body)) = own.and_then(|flow| Some((flow, refresh_record(flow)?))) else {
        return Err(refuse(None, "refresh_unknown", cx));
    };
    let key = flow.user_key();
    let end = body.began.plus(cx.pool.refresh_token_max_ttl);
    if flow.is_expired(cx.now) || cx.now >= end {
        return Err(refuse(key.as_ref(), "refresh_expired", cx));
    }
    let Some(user) = facts.user.as_ref().filter(|user| flow.is_of(&user.key)) else {
        return Err(refuse(key.as_ref(), "refresh_user_gone", cx));
    };
    if !user.honours(body.epoch, &body.session) {
        return Err(refuse(key.as_ref(), "refresh_session_ended", cx));
    }
    Ok(Good {
        token: &facts.token,
        flow,
        body,
        user,
    })
}

fn refuse(user: Option<&UserKey>, rule: &'static str, cx: &Ctx<'_>) -> Refused {
    let audit = cx.audit_about(AuditKind::TokenRefused, user, rule);
    Refused::new(Denial::RefreshRefused, vec![audit])
}

/// Whether an answer was given so recently that two requests of one client may have crossed. A clock set back, or another node's that
/// runs ahead, is no reason to believe more than that.
fn is_recent(given: Timestamp, cx: &Ctx<'_>) -> bool {
    cx.now.since(given).max(given.since(cx.now)) < cx.pool.refresh_grace
}

/// The first answer to a token.
fn succeed(good: &Good<'_>, facts: &Presented, cx: &Ctx<'_>) -> Step<RefreshSession> {
    let access = choose(good, None, facts, cx)?;
    let refresh = successor(good.token, good.body);
    let body = RefreshRecord {
        access: access.secret.hash(),
        used: None,
        arrived: None,
        ..good.body.clone()
    };
    let next = record(&refresh, &good.user.key, body, cx);
    let mut effects = access.effects();
    let kept = Kept {
        mark: marked(good, cx.now, next.expires),
        next: None,
        answer: access.answer(good, refresh),
        is_repeated: false,
        taken: facts.taken.clone(),
    };
    // Behind its session: where there is a record, the session was there.
    effects.push(Effect::PutFlow(Box::new(next)));
    Ok(Advanced {
        next: RefreshSession::Kept(Box::new(kept)),
        effects,
    })
}

/// An answer that was given before.
struct Former<'a> {
    next: &'a FlowRecord,
    body: &'a RefreshRecord,
    has_arrived: bool,
}

/// The same answer again, with another access token only where the former one died before anybody could use it.
fn repeat(good: &Good<'_>, former: &Former<'_>, facts: &Presented, cx: &Ctx<'_>) -> Step<RefreshSession> {
    let access = choose(good, Some(former.body.access), facts, cx)?;
    let refresh = successor(good.token, good.body);
    let hash = access.secret.hash();
    let next = (hash != former.body.access).then(|| {
        let body = RefreshRecord {
            access: hash,
            ..former.body.clone()
        };
        FlowRecord {
            created: former.next.created,
            ..record(&refresh, &good.user.key, body, cx)
        }
    });
    let expires = next.as_ref().unwrap_or(former.next).expires;
    // Once the answer has arrived, asking for it again extends nothing.
    let mark = if former.has_arrived {
        good.flow.clone()
    } else {
        marked(good, cx.now, expires)
    };
    let effects = access.effects();
    let kept = Kept {
        mark,
        next,
        answer: access.answer(good, refresh),
        is_repeated: true,
        taken: facts.taken.clone(),
    };
    Ok(Advanced {
        next: RefreshSession::Kept(Box::new(kept)),
        effects,
    })
}

/// The access token of an answer.
struct Access {
    secret: Token,
    session: Session,
    is_open: bool,
}

impl Access {
    fn effects(&self) -> Vec<Effect> {
        if self.is_open {
            Vec::new()
        } else {
            vec![Effect::OpenSession(Box::new(self.session.clone()))]
        }
    }

    fn answer(self, good: &Good<'_>, refresh: Token) -> AccessToken {
        AccessToken {
            secret: self.secret,
            session: self.session,
            user: good.user.clone(),
            refresh: Some(refresh),
            device: None,
        }
    }
}

/// The first access token that is alive, or was never opened. The one that a record names was opened before: if it is not there, it is
/// over.
fn choose(
    good: &Good<'_>,
    named: Option<TokenHash>,
    facts: &Presented,
    cx: &Ctx<'_>,
) -> Result<Access, Refused> {
    let seen = facts.answered.accesses.iter().map(Option::as_ref);
    let seen = seen.chain(std::iter::repeat(None));
    for (at, (secret, seen)) in access_tokens(good.token, good.body, named).zip(seen).enumerate() {
        match seen {
            Some(session) if is_over(session, cx.now) => {}
            Some(session) => {
                return Ok(Access {
                    secret,
                    session: session.clone(),
                    is_open: true,
                });
            }
            None if at == 0 && named.is_some() => {}
            None => {
                return Ok(Access {
                    session: session(good, &secret, cx),
                    secret,
                    is_open: false,
                });
            }
        }
    }
    Err(refuse(Some(&good.user.key), "refresh_answer_gone", cx))
}

/// Gives the answer, if the token it answers is still there to be marked.
fn give(kept: Kept, session: Option<Session>, cx: &Ctx<'_>) -> Step<RefreshSession> {
    let user = kept.answer.user.key.clone();
    let Some(session) = session else {
        return Err(refuse(Some(&user), "refresh_session_ended", cx));
    };
    let audit = if kept.is_repeated {
        cx.audit_about(AuditKind::SessionRefreshed, Some(&user), "repeated")
    } else {
        cx.audit(AuditKind::SessionRefreshed, Some(&user))
    };
    let mut effects = Vec::new();
    effects.extend(kept.next.map(|next| Effect::ReplaceFlow(Box::new(next))));
    effects.push(Effect::ReplaceFlow(Box::new(kept.mark)));
    effects.push(audit);
    effects.push(Effect::GiveBack(kept.taken));
    let answer = AccessToken {
        session,
        ..kept.answer
    };
    Ok(Advanced {
        next: RefreshSession::Done(Box::new(answer)),
        effects,
    })
}

/// Two hold the chain, and nobody can tell which is the owner. The token is marked first: without its answer it must not look new.
fn end_chain(good: &Good<'_>, given: Timestamp, cx: &Ctx<'_>) -> Advanced<RefreshSession> {
    let user = good.user.key.clone();
    let mark = marked(good, given, good.flow.expires);
    let effects = vec![
        Effect::ReplaceFlow(Box::new(mark)),
        Effect::EndChain {
            user: user.clone(),
            session: good.body.session.clone(),
            asked_by: good.flow.id,
        },
        cx.audit(AuditKind::RefreshReused, Some(&user)),
    ];
    Advanced {
        next: RefreshSession::Reused,
        effects,
    }
}
