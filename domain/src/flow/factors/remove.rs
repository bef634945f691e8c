//! Removing a second factor.

use std::sync::Arc;

use super::super::notice::notify;
use super::super::step_up::demand;
use super::super::{Advanced, Ctx, Effect, Refused, Step, commit};
use super::ChangeFactors;
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::FlowKind;
use crate::id::{FactorId, ProviderName};
use crate::message::Notice;
use crate::policy::{SecondFactor, SensitiveAct};
use crate::session::Session;
use crate::user::{FactorKind, User};

/// Removes an authenticator app or a passkey. Not the last one where one is required, and not the last way in. Whoever held it is out:
/// every session but the owner's present one ends.
pub(super) fn remove(
    user: &User,
    session: &Session,
    factor: &FactorId,
    doors: &[ProviderName],
    cx: &Ctx<'_>,
) -> Step<ChangeFactors> {
    demand(SensitiveAct::Factors, user, session, cx)?;
    let deny = |denial| Refused::new(denial, Vec::new());
    let Some((kind, name)) = named(user, factor) else {
        return Err(deny(Denial::FactorUnknown));
    };
    let mut next = user.changed(cx.now);
    let factors = Arc::make_mut(&mut next.factors);
    factors.totp.retain(|app| app.id != *factor);
    factors.passkeys.retain(|passkey| passkey.id != *factor);
    if cx.pool.second_factor == SecondFactor::Required && !next.has_second_factor() {
        return Err(deny(Denial::LastFactor));
    }
    if !can_log_in(&next, doors, cx) {
        return Err(deny(Denial::LastWayIn));
    }
    without_orphaned_codes(&mut next);
    next.end_sessions(Some(session.id.clone()));
    let mut effects = vec![
        commit(user, next.clone()),
        Effect::DropFlows(user.key.clone(), FlowKind::PendingLogin),
        Effect::DropFlows(user.key.clone(), FlowKind::Exchange),
        Effect::ClearSessions {
            user: user.key.clone(),
            spare: Some(session.id.clone()),
        },
        cx.audit_about(AuditKind::FactorRemoved, Some(&user.key), kind.name()),
    ];
    let notice = Notice::FactorRemoved {
        factor: kind,
        name: Some(name),
    };
    effects.extend(notify(&next, notice, cx));
    Ok(Advanced {
        next: ChangeFactors::Done(Box::new(next)),
        effects,
    })
}

/// Recovery codes stand in for a factor: they go with the last one. Kept, they would turn up again beside a later one whose owner has
/// forgotten them.
pub(crate) fn without_orphaned_codes(next: &mut User) {
    if !next.has_second_factor() && next.factors.recovery.is_some() {
        Arc::make_mut(&mut next.factors).recovery = None;
    }
}

fn named(user: &User, factor: &FactorId) -> Option<(FactorKind, String)> {
    let app = user
        .factors
        .totp_of(factor)
        .map(|app| (FactorKind::Totp, app.name.clone()));
    let mut passkeys = user.factors.passkeys.iter();
    let passkey = passkeys.find(|passkey| passkey.id == *factor);
    app.or_else(|| passkey.map(|passkey| (FactorKind::Passkey, passkey.name.clone())))
}

/// A password, a linked account people can log in by, a passkey that is a whole login, or a mailed link.
fn can_log_in(user: &User, doors: &[ProviderName], cx: &Ctx<'_>) -> bool {
    let linked = user
        .identities
        .iter()
        .any(|identity| doors.contains(&identity.key.provider));
    let passkey = user.factors.passkeys.iter().any(|passkey| passkey.user_verifying);
    let link = cx.pool.magic_link && user.email.is_some() && user.email_verified;
    user.password.is_some() || linked || link || (passkey && cx.pool.passkey_login)
}
