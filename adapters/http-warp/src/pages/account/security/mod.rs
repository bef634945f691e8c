//! `/account/security`: what guards the log-in besides the password, and where one is logged in.

pub mod factors;
pub mod passkeys;
pub mod sessions;
pub mod totp;

use domain::credential::{Passkey, TotpApp};
use domain::error::DomainError;
use domain::origin::Agent;
use domain::policy::PoolPolicy;
use domain::session::Session;
use domain::user::{FactorKind, Phone};
use http::StatusCode;

use super::super::moments::{day, minute};
use super::super::view::{FactorView, FieldErrors, SecurityView, SessionView};
use super::super::{passkey, place, session, words};
use super::owner::Owner;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// Where this page stands.
pub const PATH: &str = "/account/security";

/// What the forms of this page lead to.
const NOTICES: &[(&str, &str)] = &[
    (
        "app",
        "Your authenticator app is added. From now on it guards your log-in.",
    ),
    (
        "passkey",
        "Your passkey is added. From now on it guards your log-in.",
    ),
    ("renamed", "It has its new name."),
    ("removed", "It is removed. You are logged out everywhere else."),
    ("forgotten", "No device is trusted any more."),
    ("ended", "That device is logged out."),
    ("others", "You are logged out everywhere else."),
    ("proven", "Thank you. Now do it once more."),
];

/// `GET /account/security`.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    answer(&owner, StatusCode::OK, FieldErrors::none()).await
}

/// What came of a form: the page anew, which says so, or the page with what was wrong.
async fn settle<T>(owner: &Owner<'_>, ended: Result<T, DomainError>, told: &str) -> Result<Reply, Problem> {
    match ended {
        Ok(_) => Ok(Reply::see_other(&place::url(PATH, &[(told, Some("1"))]))),
        Err(error) => refuse(owner, error).await,
    }
}

/// The page with what was wrong with a form.
async fn refuse(owner: &Owner<'_>, error: DomainError) -> Result<Reply, Problem> {
    let refusal = words::refusal(error, owner.pool(), "password")?;
    answer(owner, refusal.status, refusal.errors).await
}

async fn answer(owner: &Owner<'_>, status: StatusCode, errors: FieldErrors) -> Result<Reply, Problem> {
    let (visit, caller, services) = (&owner.visit, &owner.caller, owner.services());
    let found = services.own_sessions(visit.pool, caller).await;
    let mut sessions = found.map_err(|error| Problem::of(error, visit.pool))?;
    sessions.sort_by_key(|session| std::cmp::Reverse(session.last_used.unwrap_or(session.created)));
    let shown = sessions
        .iter()
        .map(|session| session_view(session, session.id == caller.session.id));
    let (user, pool, now) = (&caller.user, visit.pool, services.now());
    let view = SecurityView {
        csrf: visit.csrf(),
        apps: user.factors.totp.iter().map(app).collect(),
        passkeys: user
            .factors
            .passkeys
            .iter()
            .map(|key| passkey_view(key, pool))
            .collect(),
        codes_left: user.factors.recovery_codes_left(),
        phone: user.factor_phone.as_ref().map(Phone::masked),
        trusted_devices: user
            .devices
            .iter()
            .filter(|device| device.is_trusted(now))
            .count(),
        trust_days: passkey::trust_days(pool),
        sessions: shown.collect(),
        offers_totp: pool.takes(FactorKind::Totp),
        offers_passkeys: pool.takes(FactorKind::Passkey) && services.speaks_passkeys(),
        // They stand in for another factor: without one there is nothing to recover.
        offers_recovery: pool.takes(FactorKind::Recovery) && user.has_second_factor(),
        notice: visit.notice(NOTICES).filter(|_| errors.is_empty()),
        errors,
    };
    visit.page(status, visit.request.pages.security(&view))
}

fn app(app: &TotpApp) -> FactorView {
    FactorView {
        id: app.id.to_string(),
        name: app.name.clone(),
        since: day(app.created),
        last_used: app.last_used.map(day),
        note: None,
    }
}

fn passkey_view(key: &Passkey, pool: &PoolPolicy) -> FactorView {
    let whole = key.user_verifying && pool.passkey_login;
    FactorView {
        id: key.id.to_string(),
        name: key.name.clone(),
        since: day(key.created),
        last_used: key.last_used.map(day),
        note: match (whole, key.backed_up) {
            (true, true) => Some("Logs you in without a password; on several of your devices."),
            (true, false) => Some("Logs you in without a password."),
            (false, true) => Some("On several of your devices."),
            (false, false) => None,
        },
    }
}

fn session_view(session: &Session, current: bool) -> SessionView {
    let device = session.agent.as_ref().map(Agent::short);
    SessionView {
        id: session.id.to_string(),
        device: device.unwrap_or_else(|| "Unknown device".to_owned()),
        place: session
            .address
            .as_ref()
            .map(|address| address.as_str().to_owned()),
        since: day(session.created),
        last_used: session.last_used.map(minute),
        current,
    }
}
