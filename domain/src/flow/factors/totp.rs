//! Adding an authenticator app: its secret is shown once, its first code confirms that it was taken over.

use std::sync::Arc;

use super::super::{Advanced, Ctx, Effect, Refused, Step};
use super::{ChangeFactors, added, admit, name_or, refuse_token};
use crate::audit::AuditKind;
use crate::credential::{TotpApp, TotpSecret};
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowRecord};
use crate::id::FactorId;
use crate::secret::{Sealed, Secret, Token};
use crate::session::Session;
use crate::time::Lifetime;
use crate::user::{Email, FactorKind, TOTP_APPS, User, Username};

/// How long a shown secret may be confirmed.
const ENROLMENT_LIFE: Lifetime = Lifetime::from_secs(900);

/// An authenticator app whose secret is to be sealed.
#[derive(Clone, Debug)]
pub struct TotpDraft {
    /// Its id.
    pub id: FactorId,
    /// The secret, to be shown once and sealed.
    pub secret: TotpSecret,
    /// What the QR picture says.
    pub uri: Option<Secret>,
    /// Its owner.
    pub(crate) user: User,
    /// What they call it.
    pub(crate) name: String,
}

/// The app of an enrolment: its id and sealed secret.
pub fn enrolled(flow: &FlowRecord) -> Option<(&FactorId, &Sealed)> {
    match &flow.body {
        FlowBody::EnrolTotp { factor, secret, .. } => Some((factor, secret)),
        _ => None,
    }
}

pub(super) fn ask(
    user: &User,
    session: &Session,
    name: Option<String>,
    cx: &mut Ctx<'_>,
) -> Step<ChangeFactors> {
    let full = user.factors.totp.len() >= TOTP_APPS;
    admit(FactorKind::Totp, full, user, session, cx)?;
    Ok(Advanced {
        next: ChangeFactors::SealTotp(Box::new(draft_totp(user, name, cx)?)),
        effects: Vec::new(),
    })
}

/// Draws an app for a user who may have one.
pub(crate) fn draft_totp(user: &User, name: Option<String>, cx: &mut Ctx<'_>) -> Result<TotpDraft, Refused> {
    let name = name_or(name, "Authenticator app")?;
    let secret = TotpSecret::draw(cx.entropy);
    let account = user.email.as_ref().map(Email::as_str);
    let account = account.or_else(|| user.username.as_ref().map(Username::as_str));
    let uri = secret.enrolment_uri(&cx.policy.service_name, account.unwrap_or(user.key.id.as_str()));
    Ok(TotpDraft {
        id: FactorId::draw(cx.now, cx.entropy),
        secret,
        uri,
        user: user.clone(),
        name,
    })
}

pub(super) fn await_code(draft: TotpDraft, sealed: Sealed, cx: &mut Ctx<'_>) -> Advanced<ChangeFactors> {
    let token = Token::draw(cx.entropy);
    let TotpDraft { id, user, name, .. } = draft;
    let body = FlowBody::EnrolTotp {
        factor: id,
        name,
        secret: sealed,
        epoch: user.session_epoch,
    };
    let kept = cx.keep(&user, &token, ENROLMENT_LIFE, body);
    Advanced {
        next: ChangeFactors::TotpAwaited(token),
        effects: vec![kept],
    }
}

pub(super) fn confirm(
    user: &User,
    session: &Session,
    flow: Option<&FlowRecord>,
    secret: Option<&TotpSecret>,
    typed: &Secret,
    cx: &Ctx<'_>,
) -> Step<ChangeFactors> {
    let full = user.factors.totp.len() >= TOTP_APPS;
    admit(FactorKind::Totp, full, user, session, cx)?;
    let flow = flow.filter(|flow| flow.is_of(&user.key) && !flow.is_expired(cx.now));
    let Some((flow, secret)) = flow.zip(secret) else {
        return Err(refuse_token(user, cx));
    };
    let FlowBody::EnrolTotp {
        factor,
        name,
        secret: sealed,
        epoch,
    } = &flow.body
    else {
        return Err(refuse_token(user, cx));
    };
    if !user.honours(*epoch, &session.id) {
        return Err(refuse_token(user, cx));
    }
    let Some(step) = secret.step_of(typed.expose(), 0, cx.now) else {
        let audit = cx.audit_about(AuditKind::FactorFailed, Some(&user.key), "totp:enrolment");
        return Err(Refused::new(Denial::CodeRefused, vec![audit]));
    };
    let mut next = user.changed(cx.now);
    Arc::make_mut(&mut next.factors).totp.push(TotpApp {
        id: factor.clone(),
        name: name.clone(),
        secret: sealed.clone(),
        last_step: step,
        created: cx.now,
        last_used: None,
    });
    let mut step = added(user, next, FactorKind::Totp, name, cx);
    step.effects.insert(1, Effect::Spend(flow.id));
    Ok(step)
}
