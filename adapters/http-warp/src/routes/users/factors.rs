//! `/api/{pool}/{id}/factors` and `/devices`: what guards one's log-in besides the password.

use domain::credential::{Passkey, TotpApp};
use domain::id::FactorId;
use domain::policy::PoolPolicy;
use domain::secret::Secret;
use domain::service::Authenticated;
use domain::session::{Factor, Session};
use domain::time::Timestamp;
use domain::user::{FactorKind, Phone, User};
use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::input::Input;
use super::output;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::wire_id::WireId;

/// 200 with all of them, never their secrets, and with how the session of the call was proven.
pub async fn list(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let owner = call.owner()?;
    answer(&call, owner, &owner.user)
}

/// 200 with ten new codes, shown this once; older ones are void.
pub async fn recovery_codes(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let made = call
        .services()
        .make_recovery_codes(pool, owner, call.request.origin())
        .await;
    let codes = made.map_err(|error| Problem::of(error, pool))?;
    let codes: Vec<&str> = codes.iter().map(Secret::expose).collect();
    Ok(Reply::json(StatusCode::OK, &json!({ "codes": codes })))
}

/// 200 with all factors; one of them has another name.
pub async fn rename(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let name = Input::read(&mut call.request).await?.required("name")?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let renamed = call
        .services()
        .rename_factor(pool, owner, &factor(&call), name, call.request.origin())
        .await;
    let user = renamed.map_err(|error| Problem::of(error, pool))?;
    answer(&call, owner, &user)
}

/// 204; the factor is gone, and every other session is over.
pub async fn remove(call: Call) -> Result<Reply, Problem> {
    let (pool, owner) = (call.pool()?, call.owner()?);
    let removed = call
        .services()
        .remove_factor(pool, owner, &factor(&call), call.request.origin())
        .await;
    removed
        .map(|_| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// 204; no device is trusted any more.
pub async fn forget_devices(call: Call) -> Result<Reply, Problem> {
    let (pool, owner) = (call.pool()?, call.owner()?);
    let forgotten = call
        .services()
        .forget_devices(pool, owner, call.request.origin())
        .await;
    forgotten
        .map(|_| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// 200 with the factors of a user as they are now.
pub fn answer(call: &Call, owner: &Authenticated, user: &User) -> Result<Reply, Problem> {
    let now = call.services().now();
    let record = record(call.pool()?, user, &owner.session, now);
    Ok(Reply::json(StatusCode::OK, &record))
}

/// One passkey, without its key.
pub fn passkey(passkey: &Passkey, pool: &PoolPolicy) -> Value {
    json!({
        "id": WireId(passkey.id.as_str()),
        "name": passkey.name,
        "created": passkey.created.to_iso8601(),
        "lastUsed": passkey.last_used.map(Timestamp::to_iso8601),
        "backedUp": passkey.backed_up,
        "wholeLogin": passkey.user_verifying && pool.passkey_login,
    })
}

/// How a session was proven: `amr` and `acr` as `OpenID` Connect names them.
pub fn proof(session: &Session) -> Value {
    let amr: Vec<&str> = session
        .factors
        .iter()
        .map(|factor| Factor::name(*factor))
        .collect();
    json!({
        "amr": amr,
        "acr": session.level().name(),
        "provenAt": session.proven.to_iso8601(),
    })
}

fn record(pool: &PoolPolicy, user: &User, session: &Session, now: Timestamp) -> Value {
    let methods = FactorKind::names(&user.second_factors());
    let apps: Vec<Value> = user.factors.totp.iter().map(app).collect();
    let passkeys = user.factors.passkeys.iter();
    let passkeys: Vec<Value> = passkeys.map(|found| passkey(found, pool)).collect();
    let trusted = user
        .devices
        .iter()
        .filter(|device| device.is_trusted(now))
        .count();
    json!({
        "methods": methods,
        "phone": user.code_phone().map(Phone::masked),
        "totp": apps,
        "passkeys": passkeys,
        "recoveryCodesLeft": user.factors.recovery_codes_left(),
        "trustedDevices": trusted,
        "session": proof(session),
    })
}

fn app(app: &TotpApp) -> Value {
    json!({
        "id": WireId(app.id.as_str()),
        "name": app.name,
        "created": app.created.to_iso8601(),
        "lastUsed": app.last_used.map(Timestamp::to_iso8601),
    })
}

fn factor(call: &Call) -> FactorId {
    FactorId::new(call.fk.as_deref().unwrap_or_default())
}
