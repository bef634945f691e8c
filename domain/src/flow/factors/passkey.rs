//! Adding a passkey.

use std::sync::Arc;

use super::super::login::passkey::{call, live_call};
use super::super::{Advanced, Ctx, Effect, Refused, Step};
use super::{ChangeFactors, added, admit, name_or, refuse_token};
use crate::audit::AuditKind;
use crate::credential::Passkey;
use crate::error::Denial;
use crate::flow_record::{FlowRecord, PasskeyPurpose};
use crate::id::FactorId;
use crate::ports::{PasskeyFault, RegisteredPasskey};
use crate::session::Session;
use crate::user::{FactorKind, PASSKEYS, User};

pub(super) fn ask(
    user: &User,
    session: &Session,
    name: Option<String>,
    state: String,
    cx: &mut Ctx<'_>,
) -> Step<ChangeFactors> {
    let full = user.factors.passkeys.len() >= PASSKEYS;
    admit(FactorKind::Passkey, full, user, session, cx)?;
    let name = name_or(name, "Passkey")?;
    let purpose = PasskeyPurpose::Register {
        name,
        epoch: user.session_epoch,
    };
    let (token, effect) = call(&user.key.pool, Some(&user.key.id), state, purpose, cx);
    Ok(Advanced {
        next: ChangeFactors::PasskeyAwaited(token),
        effects: vec![effect],
    })
}

pub(super) fn add(
    user: &User,
    session: &Session,
    flow: Option<&FlowRecord>,
    answer: Result<RegisteredPasskey, PasskeyFault>,
    cx: &mut Ctx<'_>,
) -> Step<ChangeFactors> {
    let full = user.factors.passkeys.len() >= PASSKEYS;
    admit(FactorKind::Passkey, full, user, session, cx)?;
    let reached = live_call(flow, cx).filter(|(flow, _)| flow.is_of(&user.key));
    let Some((flow, purpose)) = reached.map(|(flow, call)| (flow, call.purpose.clone())) else {
        return Err(refuse_token(user, cx));
    };
    let PasskeyPurpose::Register { name, epoch } = purpose else {
        return Err(refuse_token(user, cx));
    };
    if !user.honours(epoch, &session.id) {
        return Err(refuse_token(user, cx));
    }
    let refuse = |why: &str| {
        let audit = cx.audit_about(AuditKind::FactorFailed, Some(&user.key), format!("passkey:{why}"));
        Refused::new(Denial::PasskeyRefused, vec![Effect::DropFlow(flow.id), audit])
    };
    let made = answer.map_err(|fault| refuse(&fault.to_string()))?;
    if user.factors.passkey_of(&made.credential).is_some() {
        return Err(refuse("known_already"));
    }
    let mut next = user.changed(cx.now);
    Arc::make_mut(&mut next.factors).passkeys.push(Passkey {
        id: FactorId::draw(cx.now, cx.entropy),
        name: name.clone(),
        credential: made.credential,
        material: made.material,
        sign_count: made.sign_count,
        user_verifying: made.user_verifying,
        backup_eligible: made.backup_eligible,
        backed_up: made.backed_up,
        created: cx.now,
        last_used: None,
    });
    let mut step = added(user, next, FactorKind::Passkey, &name, cx);
    step.effects.insert(1, Effect::Spend(flow.id));
    Ok(step)
}
