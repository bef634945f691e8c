//! "Log in with a passkey": as the second factor of a pending login, or, where it verifies its user, as the whole login.

use super::super::second_factor::{NotProven, Proof, judge_signed};
use super::super::{Advanced, Ctx, Effect, Refused, Step};
use super::code::{self, Second};
use super::door::{self, Entrant};
use super::pending::live;
use super::{Login, Terms};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowRecord, PasskeyCall, PasskeyPurpose};
use crate::id::{PoolName, SessionId, UserId};
use crate::limits::Verdict;
use crate::policy::Asked;
use crate::ports::{PasskeyAssertion, PasskeyFault};
use crate::secret::Token;
use crate::session::Factor;
use crate::time::Lifetime;
use crate::user::User;

/// How long an authenticator's answer is waited for (WebAuthn recommends five minutes and more).
pub const PASSKEY_CALL_LIFE: Lifetime = Lifetime::from_secs(300);

/// Facts: an authenticator answered.
#[derive(Clone, Debug)]
pub struct PasskeyAnswered {
    /// What it was asked, by the ceremony's token.
    pub call: Option<FlowRecord>,
    /// The pending login it is the second factor of.
    pub pending: Option<FlowRecord>,
    /// The user it names, as stored now.
    pub user: Option<User>,
    /// What the verifier said.
    pub answer: Result<PasskeyAssertion, PasskeyFault>,
    /// What the counters said.
    pub verdict: Verdict,
    /// The counters to give the try back to, if it turns out right.
    pub taken: Asked,
    /// What the session of a whole login is to be like.
    pub terms: Terms,
    /// Whether the device is to be trusted from now on.
    pub trust_device: bool,
}

/// What is kept while an authenticator is asked, and the token that continues it.
pub(crate) fn call(
    pool: &PoolName,
    user: Option<&UserId>,
    state: String,
    purpose: PasskeyPurpose,
    cx: &mut Ctx<'_>,
) -> (Token, Effect) {
    let ceremony = Token::draw(cx.entropy);
    let record = FlowRecord {
        id: ceremony.hash(),
        pool: pool.clone(),
        user: user.cloned(),
        created: cx.now,
        expires: cx.now.plus(PASSKEY_CALL_LIFE),
        body: FlowBody::Passkey(Box::new(PasskeyCall { state, purpose })),
    };
    (ceremony, Effect::PutFlow(Box::new(record)))
}

/// The call of a record, if its answer may still be taken.
pub(crate) fn live_call<'a>(
    record: Option<&'a FlowRecord>,
    cx: &Ctx<'_>,
) -> Option<(&'a FlowRecord, &'a PasskeyCall)> {
    let record = record?;
    match &record.body {
        FlowBody::Passkey(call) if !record.is_expired(cx.now) && record.pool == cx.pool.name => {
            Some((record, call))
        }
        _ => None,
    }
}

/// Judges an answer. Whatever is wrong with it, the caller hears the same.
pub(super) fn judge(facts: PasskeyAnswered, cx: &mut Ctx<'_>) -> Step<Login> {
    if let Some(refused) = Refused::limited(facts.verdict, facts.user.as_ref().map(|user| &user.key), cx) {
        return Err(refused);
    }
    let refuse = |effect: Effect| Refused::new(Denial::LoginFailed, vec![effect]);
    let call =
        live_call(facts.call.as_ref(), cx).map(|(record, call)| (record.clone(), call.purpose.clone()));
    let Some(((record, purpose), user)) = call.zip(facts.user.clone()) else {
        let account = facts.user.as_ref().map(|user| &user.key);
        return Err(refuse(cx.audit_about(
            AuditKind::FactorFailed,
            account,
            "passkey:unknown_call",
        )));
    };
    let proof = match judge_signed(&user, &facts.answer) {
        Ok(proof) => proof,
        Err(NotProven::CounterFell) if was_just_taken(&record, &user, &facts.answer) => {
            let audit = cx.audit_about(AuditKind::FactorFailed, Some(&user.key), "passkey:repeated");
            return Err(refuse(audit));
        }
        Err(why) => {
            // The challenge is spent whatever came of it.
            let audit = why.audit(Some(&user), cx);
            return Err(Refused::new(
                Denial::LoginFailed,
                vec![Effect::DropFlow(record.id), audit],
            ));
        }
    };
    match purpose {
        PasskeyPurpose::LogIn => whole(facts, &record, &user, &proof, cx),
        PasskeyPurpose::SecondFactor { pending } => {
            let waiting = facts.pending.filter(|flow| flow.id == pending);
            let Some((flow, login, user)) = live(waiting, Some(user.clone()), cx) else {
                let audit = cx.audit_about(
                    AuditKind::FactorFailed,
                    Some(&user.key),
                    "passkey:no_pending_login",
                );
                return Err(Refused::new(
                    Denial::LoginFailed,
                    vec![Effect::DropFlow(record.id), audit],
                ));
            };
            let second = Second {
                record: flow,
                login,
                user,
                proof,
                taken: facts.taken,
                trust_device: facts.trust_device,
            };
            code::enter(second, vec![Effect::Spend(record.id)], cx)
        }
        PasskeyPurpose::Register { .. } | PasskeyPurpose::StepUp { .. } => Err(refuse(cx.audit_about(
            AuditKind::FactorFailed,
            Some(&user.key),
            "passkey:other_purpose",
        ))),
    }
}

/// Whether an answer whose counter did not rise is the one that was taken since it was asked for: sent twice, by a double click, and judged
/// while the first is on its way in. That one still has to spend the challenge, so it must not be dropped; and nobody has a copy.
pub(crate) fn was_just_taken(
    call: &FlowRecord,
    user: &User,
    answer: &Result<PasskeyAssertion, PasskeyFault>,
) -> bool {
    answer.as_ref().is_ok_and(|assertion| {
        let passkey = user.factors.passkey_of(&assertion.credential);
        passkey.is_some_and(|passkey| {
            let used_since = passkey.last_used.is_some_and(|used| used >= call.created);
            used_since && passkey.sign_count == assertion.sign_count
        })
    })
}

/// A passkey that verified its user is two factors in one (NIST SP 800-63B section 2.2).
fn whole(
    facts: PasskeyAnswered,
    call: &FlowRecord,
    user: &User,
    proof: &Proof,
    cx: &mut Ctx<'_>,
) -> Step<Login> {
    door::admit(user, cx)?;
    let assertion = facts.answer.as_ref().ok();
    let passkey = assertion.and_then(|assertion| user.factors.passkey_of(&assertion.credential));
    let may_be_whole = passkey.is_some_and(|passkey| passkey.user_verifying) && cx.pool.passkey_login;
    if proof.factor != Factor::VerifiedPasskey || !may_be_whole {
        let audit = cx.audit_about(
            AuditKind::FactorFailed,
            Some(&user.key),
            "passkey:user_verification",
        );
        return Err(Refused::new(
            Denial::LoginFailed,
            vec![Effect::DropFlow(call.id), audit],
        ));
    }
    if cx.pool.email_verification_required && !user.email_verified && user.email.is_some() {
        let effects = vec![
            Effect::DropFlow(call.id),
            Effect::GiveBack(facts.taken),
            cx.audit(AuditKind::LoginUnverified, Some(&user.key)),
        ];
        let denial = Denial::EmailNotVerified {
            user: user.key.id.clone(),
        };
        return Err(Refused::new(denial, effects));
    }
    let mut next = user.changed(cx.now);
    proof.apply(&mut next, cx.now);
    let mut effects = vec![Effect::Spend(call.id)];
    let entrant = Entrant {
        before: Some(user.clone()),
        next,
        id: SessionId::draw(cx.now, cx.entropy),
        terms: facts.terms,
        factors: vec![proof.factor],
        trust_device: facts.trust_device,
        federated: None,
    };
    let token = door::open(entrant, &mut effects, cx);
    effects.push(Effect::GiveBack(facts.taken));
    effects.push(cx.audit_about(AuditKind::LoggedIn, Some(&token.user.key), proof.factor.name()));
    Ok(Advanced {
        next: Login::Opened(Box::new(token)),
        effects,
    })
}
