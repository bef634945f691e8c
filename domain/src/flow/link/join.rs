//! "These two accounts are mine": somebody proved an account elsewhere, and now proves the user here who has the same address or
//! name. Only then they are one.
//!
//! ```text
//! Start ──PasswordGiven──▶ CheckPassword ──PasswordChecked──▶ Enter ──Ready──▶ Done
//! Start ──CodeAsked──────▶ CodeSent
//! Start ──CodeTyped──────▶ Enter ──Ready──▶ Done
//! Start ──Declined───────▶ Seal ──Sealed──▶ Done
//! ```

mod separate;

pub use separate::Separate;

use std::sync::Arc;

use super::super::login::external::{Entrance, Opening, enter};
use super::super::login::password::rehashed;
use super::super::login::pending::Sending;
use super::super::{Advanced, Ctx, Effect, Refused, Step};
use crate::audit::AuditKind;
use crate::credential::SmsCode;
use crate::error::Denial;
use crate::flow::notice;
use crate::flow_record::{FlowBody, FlowRecord, Join};
use crate::id::UserKey;
use crate::limits::Verdict;
use crate::message::MailKind;
use crate::policy::Asked;
use crate::ports::Verified;
use crate::secret::{Sealed, Secret};
use crate::session::Factor;
use crate::time::Lifetime;
use crate::user::User;

/// How long a mailed code works: mail is slower than a text message.
pub const JOIN_CODE_LIFE: Lifetime = Lifetime::from_secs(600);

/// Where a join stands.
#[derive(Clone, Debug)]
pub enum Joining {
    /// Nothing is known yet.
    Start,
    /// The password is to be compared.
    CheckPassword(Box<JoinCandidate>),
    /// A code is on its way by mail.
    CodeSent,
    /// Both sides are proven.
    Enter(Box<Entrance>),
    /// The account becomes a user of its own; its tokens are to be sealed for that one.
    Seal(Box<Separate>),
    /// It ended.
    Done(Opening),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum JoiningEvent {
    /// A password was given.
    PasswordGiven(Box<JoinFacts>),
    /// It was compared.
    PasswordChecked(Verified),
    /// A code was asked for.
    CodeAsked {
        /// The offer.
        flow: Option<FlowRecord>,
        /// Its user, as stored now.
        user: Option<Box<User>>,
        /// What the counters for mail said.
        mail: Verdict,
    },
    /// A code was typed.
    CodeTyped {
        /// What is known.
        facts: Box<JoinFacts>,
        /// What was typed.
        typed: Secret,
        /// Whether the code's own five tries are used up.
        tries_left: Verdict,
    },
    /// The person wants a user of their own.
    Declined {
        /// What is known.
        facts: Box<JoinFacts>,
        /// Whether the entry they came by lets people become users.
        newcomers: bool,
    },
    /// What sending a code needs was gathered.
    Ready(Sending),
    /// The tokens were sealed for the new user.
    Sealed {
        /// None where nothing was granted.
        sealed: Option<Sealed>,
        /// What sending a code needs.
        sending: Sending,
    },
}

/// Facts about an offer.
#[derive(Clone, Debug)]
pub struct JoinFacts {
    /// The offer.
    pub flow: Option<FlowRecord>,
    /// Its user, as stored now.
    pub user: Option<User>,
    /// What the counters said.
    pub verdict: Verdict,
    /// The counters, to give the try back to.
    pub taken: Asked,
}

/// A user whose password is to be compared.
#[derive(Clone, Debug)]
pub struct JoinCandidate {
    /// The user.
    pub user: User,
    flow: FlowRecord,
    join: Join,
    taken: Asked,
}

/// One step of a join.
pub fn step(state: Joining, event: JoiningEvent, cx: &mut Ctx<'_>) -> Step<Joining> {
    match (state, event) {
        (Joining::Start, JoiningEvent::PasswordGiven(facts)) => {
            let Offer {
                flow,
                join,
                user,
                taken,
            } = standing(*facts, cx)?;
            let candidate = JoinCandidate {
                user,
                flow,
                join,
                taken,
            };
            Ok(on(Joining::CheckPassword(Box::new(candidate))))
        }
        (Joining::CheckPassword(candidate), JoiningEvent::PasswordChecked(verified)) => {
            by_password(*candidate, &verified, cx)
        }
        (Joining::Start, JoiningEvent::CodeAsked { flow, user, mail }) => {
            send_code(flow, user.map(|user| *user), mail, cx)
        }
        (
            Joining::Start,
            JoiningEvent::CodeTyped {
                facts,
                typed,
                tries_left,
            },
        ) => by_code(*facts, &typed, tries_left, cx),
        (Joining::Start, JoiningEvent::Declined { facts, newcomers }) => {
            separate::decline(*facts, newcomers, cx)
        }
        (Joining::Enter(entrance), JoiningEvent::Ready(sending)) => done(enter(*entrance, &sending, cx)),
        (Joining::Seal(separate), JoiningEvent::Sealed { sealed, sending }) => {
            done(separate::enter_as_new(*separate, sealed, &sending, cx))
        }
        _ => Err(Refused::unexpected()),
    }
}

/// A step that changes nothing but the state.
fn on(next: Joining) -> Advanced<Joining> {
    Advanced {
        next,
        effects: Vec::new(),
    }
}

fn done(step: Step<Opening>) -> Step<Joining> {
    step.map(|Advanced { next, effects }| Advanced {
        next: Joining::Done(next),
        effects,
    })
}

/// An offer that stands.
struct Offer {
    flow: FlowRecord,
    join: Join,
    user: User,
    taken: Asked,
}

/// Whatever is wrong with an offer (no such, spent, expired, of a user whose sessions were ended since), the answer is the same.
fn standing(facts: JoinFacts, cx: &Ctx<'_>) -> Result<Offer, Refused> {
    let JoinFacts {
        flow,
        user,
        verdict,
        taken,
    } = facts;
    let account = user.as_ref().map(|user| user.key.clone());
    if let Some(refused) = Refused::limited(verdict, account.as_ref(), cx) {
        return Err(refused);
    }
    live(flow, user, cx)
        .map(|(flow, join, user)| Offer {
            flow,
            join,
            user,
            taken,
        })
        .ok_or_else(|| failed(account.as_ref(), cx))
}

fn live(flow: Option<FlowRecord>, user: Option<User>, cx: &Ctx<'_>) -> Option<(FlowRecord, Join, User)> {
    let (flow, user) = (flow?, user?);
    let FlowBody::Join(join) = flow.body.clone() else {
        return None;
    };
    let own = flow.is_of(&user.key) && flow.pool == cx.pool.name;
    let good = own && user.disabled.is_none() && !flow.is_expired(cx.now) && join.epoch == user.session_epoch;
    good.then_some((flow, *join, user))
}

fn failed(user: Option<&UserKey>, cx: &Ctx<'_>) -> Refused {
    Refused::new(Denial::LoginFailed, vec![cx.audit(AuditKind::JoinFailed, user)])
}

fn by_password(candidate: JoinCandidate, verified: &Verified, cx: &Ctx<'_>) -> Step<Joining> {
    let JoinCandidate {
        user,
        flow,
        join,
        taken,
    } = candidate;
    if *verified == Verified::Wrong || user.password.is_none() {
        return Err(failed(Some(&user.key), cx));
    }
    let next = rehashed(&user, verified, cx).unwrap_or_else(|| user.clone());
    Ok(on(joined(user, next, (flow, join), Factor::Password, taken, cx)))
}

fn send_code(flow: Option<FlowRecord>, user: Option<User>, mail: Verdict, cx: &mut Ctx<'_>) -> Step<Joining> {
    let account = user.as_ref().map(|user| user.key.clone());
    let offer = live(flow, user, cx);
    let Some((flow, mut join, user, to)) =
        offer.and_then(|(flow, join, user)| user.email.clone().map(|to| (flow, join, user, to)))
    else {
        return Err(failed(account.as_ref(), cx));
    };
    if let Some(refused) = Refused::limited(mail, account.as_ref(), cx) {
        return Err(refused);
    }
    let (code, digits) = SmsCode::draw(&flow.id, JOIN_CODE_LIFE, cx.now, cx.key, cx.entropy);
    join.code = Some(code);
    let kind = MailKind::JoinCode {
        code: digits,
        provider: join.link.identity.key.provider.to_string(),
        life: JOIN_CODE_LIFE,
    };
    let body = FlowBody::Join(Box::new(join));
    let effects = vec![
        Effect::ReplaceFlow(Box::new(FlowRecord { body, ..flow })),
        notice::mail(&user, to, kind, cx),
        cx.audit(AuditKind::JoinCodeSent, Some(&user.key)),
    ];
    Ok(Advanced {
        next: Joining::CodeSent,
        effects,
    })
}

fn by_code(facts: JoinFacts, typed: &Secret, tries_left: Verdict, cx: &Ctx<'_>) -> Step<Joining> {
    let Offer {
        flow,
        join,
        user,
        taken,
    } = standing(facts, cx)?;
    let code = join.code.as_ref();
    let right = code.is_some_and(|code| code.accepts(typed.expose(), &flow.id, cx.now, cx.key));
    if !right || tries_left != Verdict::Allowed {
        return Err(failed(Some(&user.key), cx));
    }
    let next = if user.email_verified || holds_a_factor(&user, cx) {
        user.clone()
    } else {
        reclaimed(&user, cx)
    };
    Ok(on(joined(user, next, (flow, join), Factor::Email, taken, cx)))
}

/// Whether a number that was proven has to be proven now, too. Who reads the mailbox is then not yet the owner: a mailbox alone never
/// strips an account of its second factor. Whoever finds a stranger's number there declines.
fn holds_a_factor(user: &User, cx: &Ctx<'_>) -> bool {
    user.factor_phone.is_some() && cx.pool.second_factor_is_due(user)
}

/// Nobody had ever proven the address; now its owner has. Whatever somebody else may have put on the account to get back in later
/// is gone: password, sessions, linked accounts, phone numbers (pre-hijacking, arXiv 2205.10174).
fn reclaimed(user: &User, cx: &Ctx<'_>) -> User {
    let mut next = user.changed(cx.now);
    next.email_verified = true;
    next.password = None;
    next.phone = None;
    next.factor_phone = None;
    next.identities = Arc::default();
    next.credentials = Arc::default();
    next.end_sessions(None);
    next
}

fn joined(
    user: User,
    next: User,
    (flow, join): (FlowRecord, Join),
    factor: Factor,
    taken: Asked,
    cx: &Ctx<'_>,
) -> Joining {
    let mut audits = Vec::new();
    if next.session_epoch != user.session_epoch {
        audits.push(Effect::ClearSessions {
            user: user.key.clone(),
            spare: None,
        });
        audits.push(cx.audit(AuditKind::AccountReclaimed, Some(&user.key)));
    }
    Joining::Enter(Box::new(Entrance {
        before: Some(user),
        next,
        link: Some(join.link),
        factor,
        code_challenge: join.code_challenge,
        taken,
        spend: Some(flow.id),
        audits,
    }))
}
