//! "Log in with a code": by text message, of an authenticator app, or for recovery. The step between the first factor and the open
//! door.

use super::super::second_factor::{Proof, Typed, judge_typed};
use super::super::{Advanced, Ctx, Effect, Refused, Step};
use super::door::{self, Entrant};
use super::enrol::{self, with_new_app};
use super::pending::live;
use super::{Login, Terms};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow::link::attach;
use crate::flow_record::{FlowRecord, PendingLogin};
use crate::limits::Verdict;
use crate::policy::Asked;
use crate::session::Factor;
use crate::user::User;

/// Facts: a code was typed for a pending login.
#[derive(Clone, Debug)]
pub struct CodeTyped {
    /// The pending login: by its challenge, or the caller's own address.
    pub pending: Option<FlowRecord>,
    /// Its user, as stored now.
    pub user: Option<User>,
    /// What was typed.
    pub typed: Typed,
    /// What the account's and address's counters said.
    pub verdict: Verdict,
    /// Whether the pending login's own five tries are used up.
    pub tries_left: Verdict,
    /// The counters to give the try back to, if it turns out right.
    pub taken: Asked,
    /// Whether the device is to be trusted from now on.
    pub trust_device: bool,
}

/// Judges a typed code. Whatever is wrong with it (no pending login, expired, five tries gone, void since, used up, wrong digits), the
/// answer is the same.
pub(super) fn judge(facts: CodeTyped, cx: &mut Ctx<'_>) -> Step<Login> {
    let CodeTyped {
        pending,
        user,
        typed,
        verdict,
        tries_left,
        taken,
        trust_device,
    } = facts;
    if let Some(refused) = Refused::limited(verdict, user.as_ref().map(|user| &user.key), cx) {
        return Err(refused);
    }
    let account = user.as_ref().map(|user| user.key.clone());
    let right = live(pending, user, cx).and_then(|(record, login, user)| {
        let sent = login.code.as_ref().map(|code| (code, &record.id));
        let judged = with_new_app(&user, &login, cx);
        let proof = judge_typed(&judged, &typed, sent, cx).filter(|_| tries_left == Verdict::Allowed)?;
        Some((record, login, user, proof))
    });
    let Some((record, login, user, proof)) = right else {
        return Err(Refused::new(
            Denial::LoginFailed,
            vec![cx.audit_about(AuditKind::CodeFailed, account.as_ref(), typed.kind.name())],
        ));
    };
    enter(
        Second {
            record,
            login,
            user,
            proof,
            taken,
            trust_device,
        },
        Vec::new(),
        cx,
    )
}

/// A pending login whose second factor was right.
pub(super) struct Second {
    pub record: FlowRecord,
    pub login: PendingLogin,
    pub user: User,
    pub proof: Proof,
    pub taken: Asked,
    pub trust_device: bool,
}

/// Completes a pending login. `spent` are flows that are used up besides.
pub(super) fn enter(second: Second, spent: Vec<Effect>, cx: &mut Ctx<'_>) -> Step<Login> {
    let Second {
        record,
        login,
        user,
        proof,
        taken,
        trust_device,
    } = second;
    door::admit(&user, cx)?;
    let mut effects = vec![Effect::Spend(record.id)];
    effects.extend(spent);
    let next = match complete(&user, &login, &proof, &mut effects, cx) {
        Ok(next) => next,
        Err(denial) => {
            return Err(Refused::new(
                denial,
                vec![
                    Effect::Spend(record.id),
                    cx.audit(AuditKind::LinkRefused, Some(&user.key)),
                ],
            ));
        }
    };
    effects.extend(proof.effects(&user, cx));
    let entrant = Entrant {
        before: Some(user),
        next,
        id: login.session,
        terms: Terms {
            life: login.life,
            refresh: login.refresh,
        },
        factors: vec![login.first, proof.factor],
        trust_device,
        federated: login.link.as_ref().and_then(|link| link.session.clone()),
    };
    let token = door::open(entrant, &mut effects, cx);
    effects.push(Effect::GiveBack(taken));
    effects.push(cx.audit_about(
        AuditKind::LoggedIn,
        Some(&token.user.key),
        format!("{}+{}", login.first.name(), proof.factor.name()),
    ));
    Ok(Advanced {
        next: Login::Opened(Box::new(token)),
        effects,
    })
}

/// What a right second factor completes: it is used up; the number a code went to is confirmed, the first time; so is an app that
/// was added on the way; an account elsewhere that waited for it is attached.
fn complete(
    user: &User,
    login: &PendingLogin,
    proof: &Proof,
    effects: &mut Vec<Effect>,
    cx: &Ctx<'_>,
) -> Result<User, Denial> {
    let sent_to = login.phone.as_ref();
    let proves = proof.factor == Factor::Sms
        && sent_to.is_some()
        && user.factor_phone.is_none()
        && user.phone.as_ref() == sent_to;
    if !proves && !proof.changes() && login.link.is_none() {
        return Ok(user.clone());
    }
    let mut next = user.changed(cx.now);
    if proof.factor == Factor::Totp && !user.has_second_factor() {
        next.factors = with_new_app(user, login, cx).factors;
        effects.extend(enrol::told(&next, login, cx));
    }
    proof.apply(&mut next, cx.now);
    if proves {
        next.factor_phone = sent_to.cloned();
        effects.push(cx.audit(AuditKind::PhoneConfirmed, Some(&user.key)));
    }
    if let Some(link) = &login.link {
        attach(&mut next, link, cx.now)?;
        if user.identity_of(&link.identity.key).is_none() {
            effects.push(cx.audit_about(
                AuditKind::IdentityLinked,
                Some(&user.key),
                link.identity.key.provider.as_str(),
            ));
        }
    }
    Ok(next)
}
