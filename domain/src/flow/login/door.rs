//! The door itself: everything that is required was proven. A session is made, and the device it is opened from is remembered.

use std::sync::Arc;

use super::super::notice::notify;
use super::super::{Ctx, Effect, Refused, commit, refresh_session};
use super::Terms;
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::id::{DeviceId, SessionId};
use crate::identity::FederatedSession;
use crate::message::Notice;
use crate::secret::{Token, TokenHash};
use crate::session::{AccessToken, Factor, Session};
use crate::time::Lifetime;
use crate::user::{DEVICES, Device, User};

/// How often it is written down that a known device was seen again.
const SEEN_EVERY: Lifetime = Lifetime::from_secs(86_400);

/// Somebody who proved everything that is required.
pub(crate) struct Entrant {
    /// The user as stored; none for one who is made by this login.
    pub before: Option<User>,
    /// The user's next state; the same where nothing changes.
    pub next: User,
    /// The id the session gets.
    pub id: SessionId,
    /// What the session is to be like.
    pub terms: Terms,
    /// What was proven.
    pub factors: Vec<Factor>,
    /// Whether the device is to be trusted from now on.
    pub trust_device: bool,
    /// The session at a provider that this one stands on.
    pub federated: Option<FederatedSession>,
}

/// The rule that kept somebody out whom an administrator disabled.
pub(super) const DISABLED: &str = "disabled";

/// Whether the door opens for somebody at all, whatever they proved. Who is kept out hears what a stranger hears, and nothing is sent.
pub(super) fn admit(user: &User, cx: &Ctx<'_>) -> Result<(), Refused> {
    if user.disabled.is_none() {
        return Ok(());
    }
    let audit = cx.audit_about(AuditKind::LoginFailed, Some(&user.key), DISABLED);
    Err(Refused::new(Denial::LoginFailed, vec![audit]))
}

/// Opens the door. Before what `effects` holds already comes the change of the user, if there is one; behind it the session.
pub(crate) fn open(entrant: Entrant, effects: &mut Vec<Effect>, cx: &mut Ctx<'_>) -> AccessToken {
    let Entrant {
        before,
        mut next,
        id,
        terms,
        factors,
        trust_device,
        federated,
    } = entrant;
    let devices = Arc::clone(&next.devices);
    let (device, told) = remember_device(&mut next, trust_device, cx);
    if let Some(before) = &before {
        let is_changed = before.revision != next.revision;
        if !is_changed && !Arc::ptr_eq(&devices, &next.devices) {
            next = next.changed(cx.now);
        }
        if before.revision != next.revision {
            effects.insert(0, commit(before, next.clone()));
        }
    } else {
        effects.insert(0, Effect::Create(Box::new(next.clone())));
    }
    let secret = Token::draw(cx.entropy);
    let mut session = Session {
        id,
        token: secret.hash(),
        user: next.key.clone(),
        epoch: next.session_epoch,
        created: cx.now,
        life: terms.life,
        factors,
        proven: cx.now,
        last_used: None,
        idle: cx.pool.idle_timeout,
        agent: cx.origin.agent.clone(),
        address: Some(cx.origin.address.clone()),
        refresh: None,
        federated: federated.map(Box::new),
        impersonator: None,
    };
    let mut refresh = None;
    if terms.refresh {
        let (token, chain) = refresh_session::begin(&mut session, cx);
        refresh = Some(token);
        effects.push(chain);
    }
    effects.push(Effect::OpenSession(Box::new(session.clone())));
    effects.extend(told);
    AccessToken {
        secret,
        session,
        user: next,
        refresh,
        device,
    }
}

/// Remembers the device of this login: by the token it keeps, or, where it keeps none, by what it calls itself and the network it is
/// in. Gives the token that a new device is to keep, and what its owner is told.
fn remember_device(next: &mut User, trust: bool, cx: &mut Ctx<'_>) -> (Option<Token>, Vec<Effect>) {
    let shown = cx.origin.device_token();
    let Some(sign) = shown.or_else(|| sign_of(next, cx)) else {
        return (None, Vec::new());
    };
    let trusted_until = cx.pool.trust_device.filter(|_| trust && shown.is_some());
    let trusted_until = trusted_until.map(|life| cx.now.plus(life));
    let mut told = Vec::new();
    if trusted_until.is_some() {
        told.push(cx.audit(AuditKind::DeviceTrusted, Some(&next.key)));
    }
    if let Some(known) = next.device(&sign) {
        if trusted_until.is_some() || cx.now.since(known.last_used) >= SEEN_EVERY {
            let devices = Arc::make_mut(&mut next.devices).iter_mut();
            for device in devices.filter(|device| device.token == sign) {
                device.last_used = cx.now;
                device.trusted_until = trusted_until.or(device.trusted_until);
            }
        }
        return (None, told);
    }
    let name = cx.origin.agent.as_ref().map(crate::origin::Agent::short);
    // Whoever has no device yet is at their first login, or at the first since devices are remembered: nobody is alarmed.
    if !next.devices.is_empty() {
        told.push(cx.audit(AuditKind::DeviceNew, Some(&next.key)));
        let notice = Notice::NewDevice {
            device: name.clone(),
            at: cx.now,
        };
        told.extend(notify(next, notice, cx));
    }
    let token = shown.map(|_| Token::draw(cx.entropy));
    let device = Device {
        id: DeviceId::draw(cx.now, cx.entropy),
        token: token.as_ref().map_or(sign, Token::hash),
        name,
        created: cx.now,
        last_used: cx.now,
        trusted_until,
    };
    let devices = Arc::make_mut(&mut next.devices);
    devices.push(device);
    if devices.len() > DEVICES {
        devices.sort_by_key(|device| std::cmp::Reverse(device.last_used));
        devices.truncate(DEVICES);
    }
    (token, told)
}

/// What a client without a token is recognised by: enough to tell its owner of a stranger, too little to be trusted.
fn sign_of(user: &User, cx: &Ctx<'_>) -> Option<TokenHash> {
    let agent = cx.origin.agent.as_ref()?.short();
    let network = cx.origin.address.network();
    let text = format!("seen\u{1f}{}\u{1f}{agent}\u{1f}{network}", user.key.id);
    Some(Token::presented(text).hash())
}
