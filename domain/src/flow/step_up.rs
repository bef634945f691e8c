//! A fresh proof for a sensitive act: whoever left a session open, or stole one, may not change who can get at the account (ASVS 7.5.1).
//!
//! ```text
//! CodeAsked ──▶ CodeSent      PasskeyAsked ──▶ PasskeyAwaited
//! PasswordChecked ──▶ Proven  CodeTyped ──▶ Proven  PasskeyAnswered ──▶ Proven
//! ```
//! Where the user has a second factor, that is what must be proven anew; a password alone is enough only for who has none. The session
//! gets a new token: whoever holds the old one gains nothing (ASVS 7.2.4).

use super::login::passkey::{call, live_call, was_just_taken};
use super::second_factor::{NotProven, Proof, Typed, judge_signed, judge_typed};
use super::verify_contact::code_to;
use super::{Advanced, Ctx, Effect, Refused, Step, commit};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowRecord, PasskeyPurpose};
use crate::limits::Verdict;
use crate::policy::{Asked, SensitiveAct};
use crate::ports::{PasskeyAssertion, PasskeyFault, Verified};
use crate::secret::Token;
use crate::session::{AccessToken, Factor, Session};
use crate::user::User;

/// Lets a sensitive act pass, or asks for a fresh proof.
pub(crate) fn demand(act: SensitiveAct, user: &User, session: &Session, cx: &Ctx<'_>) -> Result<(), Refused> {
    if cx.pool.step_up.contains(&act) {
        insist(act.name(), user, session, cx)
    } else {
        Ok(())
    }
}

/// The same where no pool may do without: `act` is what the audit log calls it.
pub(crate) fn insist(act: &str, user: &User, session: &Session, cx: &Ctx<'_>) -> Result<(), Refused> {
    if is_proven(user, session, cx) {
        return Ok(());
    }
    Err(Refused::new(
        Denial::StepUpRequired {
            methods: methods(user),
        },
        vec![cx.audit_about(AuditKind::StepUpAsked, Some(&user.key), act)],
    ))
}

/// Whether a session was proven a short while ago, by a second factor where its user has one.
pub(crate) fn is_proven(user: &User, session: &Session, cx: &Ctx<'_>) -> bool {
    let second = session.factors.iter().any(|factor| factor.is_second());
    session.is_fresh(cx.pool.fresh_login, cx.now) && (second || !user.has_second_factor())
}

/// What may prove a user anew: their second factors, else their password, else another login.
pub fn methods(user: &User) -> Vec<&'static str> {
    let second: Vec<_> = user.second_factors().iter().map(|kind| kind.name()).collect();
    match (user.has_second_factor(), user.password.is_some()) {
        (true, _) => second,
        (false, true) => vec!["password"],
        (false, false) => vec!["login"],
    }
}

/// What happened. Every event brings the user and session as stored now.
#[derive(Clone, Debug)]
pub enum StepUpEvent {
    /// A code is to be sent to the confirmed number.
    CodeAsked {
        /// What the counters said.
        send: Verdict,
    },
    /// An authenticator is to be asked; the verifier began.
    PasskeyAsked {
        /// What the verifier wants to see again.
        state: String,
    },
    /// The password was compared.
    PasswordChecked {
        /// What the counters said to the try.
        verdict: Verdict,
        /// What the hasher said.
        verified: Verified,
        /// The counters to give the try back to.
        taken: Asked,
    },
    /// A code was typed.
    CodeTyped {
        /// The flow of the code that was sent, where one was.
        flow: Option<Box<FlowRecord>>,
        /// What was typed.
        typed: Box<Typed>,
        /// What the counters said.
        verdict: Verdict,
        /// The counters to give the try back to.
        taken: Asked,
    },
    /// An authenticator answered.
    PasskeyAnswered {
        /// What it was asked.
        flow: Option<Box<FlowRecord>>,
        /// What the verifier said.
        answer: Result<PasskeyAssertion, PasskeyFault>,
        /// What the counters said.
        verdict: Verdict,
        /// The counters to give the try back to.
        taken: Asked,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum StepUp {
    /// A code is on its way, to the masked number.
    CodeSent(String),
    /// An authenticator is asked; continues with this token.
    PasskeyAwaited(Token),
    /// Proven: the session's new token.
    Proven(Box<AccessToken>),
}

/// The one step of this flow.
pub fn step(user: &User, session: &Session, event: StepUpEvent, cx: &mut Ctx<'_>) -> Step<StepUp> {
    match event {
        StepUpEvent::CodeAsked { send } => send_code(user, send, cx),
        StepUpEvent::PasskeyAsked { state } => {
            let purpose = PasskeyPurpose::StepUp {
                session: session.token,
            };
            let (token, effect) = call(&user.key.pool, Some(&user.key.id), state, purpose, cx);
            Ok(Advanced {
                next: StepUp::PasskeyAwaited(token),
                effects: vec![effect],
            })
        }
        StepUpEvent::PasswordChecked {
            verdict,
            verified,
            taken,
        } => {
            limited(verdict, user, cx)?;
            let enough = verified != Verified::Wrong && user.password.is_some() && !user.has_second_factor();
            if !enough {
                let audit = cx.audit(AuditKind::ProofFailed, Some(&user.key));
                return Err(Refused::new(Denial::LoginFailed, vec![audit]));
            }
            Ok(renew(user, session, Factor::Password, None, taken, cx))
        }
        StepUpEvent::CodeTyped {
            flow,
            typed,
            verdict,
            taken,
        } => {
            limited(verdict, user, cx)?;
            by_code(user, session, flow.as_deref(), &typed, taken, cx)
        }
        StepUpEvent::PasskeyAnswered {
            flow,
            answer,
            verdict,
            taken,
        } => {
            limited(verdict, user, cx)?;
            by_passkey(user, session, flow.as_deref(), &answer, taken, cx)
        }
    }
}

fn limited(verdict: Verdict, user: &User, cx: &Ctx<'_>) -> Result<(), Refused> {
    Refused::limited(verdict, Some(&user.key), cx).map_or(Ok(()), Err)
}

fn send_code(user: &User, send: Verdict, cx: &mut Ctx<'_>) -> Step<StepUp> {
    let Some(phone) = user.factor_phone.clone() else {
        return Err(Refused::new(Denial::PhoneRequired, Vec::new()));
    };
    limited(send, user, cx)?;
    let next = StepUp::CodeSent(phone.masked());
    // Who steps up shows their session, and needs no token besides.
    let (_, effects) = code_to(user, phone, cx);
    Ok(Advanced { next, effects })
}

fn by_code(
    user: &User,
    session: &Session,
    flow: Option<&FlowRecord>,
    typed: &Typed,
    taken: Asked,
    cx: &mut Ctx<'_>,
) -> Step<StepUp> {
    let flow = flow.filter(|flow| flow.is_of(&user.key) && !flow.is_expired(cx.now));
    let sent = flow.and_then(|flow| match &flow.body {
        FlowBody::ConfirmPhone { phone, code } if user.factor_phone.as_ref() == Some(phone) => {
            Some((code, &flow.id))
        }
        _ => None,
    });
    let Some(proof) = judge_typed(user, typed, sent, cx) else {
        let audit = cx.audit_about(AuditKind::CodeFailed, Some(&user.key), typed.kind.name());
        return Err(Refused::new(Denial::LoginFailed, vec![audit]));
    };
    let used_up = flow.filter(|_| proof.factor == Factor::Sms).map(|flow| flow.id);
    let mut step = renew(user, session, proof.factor, Some(&proof), taken, cx);
    if let Some(id) = used_up {
        let behind = step
            .effects
            .iter()
            .take_while(|effect| effect.is_commit())
            .count();
        step.effects.insert(behind, Effect::Spend(id));
    }
    Ok(step)
}

fn by_passkey(
    user: &User,
    session: &Session,
    flow: Option<&FlowRecord>,
    answer: &Result<PasskeyAssertion, PasskeyFault>,
    taken: Asked,
    cx: &mut Ctx<'_>,
) -> Step<StepUp> {
    let meant = PasskeyPurpose::StepUp {
        session: session.token,
    };
    let reached = live_call(flow, cx).filter(|(flow, call)| flow.is_of(&user.key) && call.purpose == meant);
    let Some((flow, _)) = reached else {
        let audit = cx.audit_about(AuditKind::FactorFailed, Some(&user.key), "passkey:unknown_call");
        return Err(Refused::new(Denial::LoginFailed, vec![audit]));
    };
    let proof = match judge_signed(user, answer) {
        Ok(proof) => proof,
        Err(NotProven::CounterFell) if was_just_taken(flow, user, answer) => {
            let audit = cx.audit_about(AuditKind::FactorFailed, Some(&user.key), "passkey:repeated");
            return Err(Refused::new(Denial::LoginFailed, vec![audit]));
        }
        Err(why) => {
            let audit = why.audit(Some(user), cx);
            return Err(Refused::new(
                Denial::LoginFailed,
                vec![Effect::DropFlow(flow.id), audit],
            ));
        }
    };
    let mut step = renew(user, session, proof.factor, Some(&proof), taken, cx);
    let behind = step
        .effects
        .iter()
        .take_while(|effect| effect.is_commit())
        .count();
    step.effects.insert(behind, Effect::Spend(flow.id));
    Ok(step)
}

/// The same session under a new token, freshly proven. Its life goes on as it was.
fn renew(
    user: &User,
    session: &Session,
    factor: Factor,
    proof: Option<&Proof>,
    taken: Asked,
    cx: &mut Ctx<'_>,
) -> Advanced<StepUp> {
    let mut effects = Vec::new();
    let mut next = user.clone();
    if let Some(proof) = proof.filter(|proof| proof.changes()) {
        next = user.changed(cx.now);
        proof.apply(&mut next, cx.now);
        effects.push(commit(user, next.clone()));
    }
    let secret = Token::draw(cx.entropy);
    let mut factors = session.factors.clone();
    if !factors.contains(&factor) {
        factors.push(factor);
    }
    let renewed = Session {
        token: secret.hash(),
        factors,
        proven: cx.now,
        last_used: Some(cx.now),
        ..session.clone()
    };
    effects.push(Effect::OpenSession(Box::new(renewed.clone())));
    effects.push(Effect::EndSession(session.token));
    effects.push(Effect::GiveBack(taken));
    effects.extend(proof.into_iter().flat_map(|proof| proof.effects(user, cx)));
    effects.push(cx.audit_about(AuditKind::SteppedUp, Some(&user.key), factor.name()));
    Advanced {
        next: StepUp::Proven(Box::new(AccessToken {
            secret,
            session: renewed,
            user: next,
            refresh: None,
            device: None,
        })),
        effects,
    }
}
