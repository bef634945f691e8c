//! What administrators do to the users of their pool.

use domain::audit::Actor;
use domain::flow::administer::{Act, Correction};
use domain::flow::sign_up::NewUser;
use domain::id::SessionId;
use domain::service::{Administrator, Authenticated};
use domain::user::User;
use http::StatusCode;
use serde_json::{Value, json};

use super::super::input::Input;
use super::super::{Call, output, sessions as own};
use super::{id, of_path, record, unknown};
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with a new user without a password. They are mailed a link to set one by, unless `mail` is `false`.
pub async fn invite(mut call: Call) -> Result<Reply, Problem> {
    call.admin()?;
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    never_a_password(&input)?;
    let mails = !input.has("mail") || input.flag("mail")?;
    let verified = input.flag("emailVerified")?;
    let form = NewUser {
        realm: input.text("realm")?,
        username: input.text("username")?,
        email: input.text("email")?,
        phone: input.phone()?,
        password: None,
        attributes: input.rest(),
    };
    let pool = call.pool()?;
    let actor = actor(call.admin()?);
    let made = call
        .services()
        .make_user(pool, form, verified, mails, by(&actor, &call))
        .await;
    let made = made.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &record(&made)))
}

/// 204; a link to set a password by is on its way. 422 for who is disabled or has no address.
pub async fn mail_password_link(call: Call) -> Result<Reply, Problem> {
    administered(&call, Act::MailPasswordLink).await?;
    Ok(Reply::no_content())
}

/// 204; failed tries on the account are forgiven.
pub async fn unlock(call: Call) -> Result<Reply, Problem> {
    let pool = call.pool()?;
    let actor = actor(call.admin()?);
    let known = call
        .services()
        .unlock_user(pool, &id(&call), by(&actor, &call))
        .await;
    if known.map_err(|error| Problem::of(error, pool))? {
        Ok(Reply::no_content())
    } else {
        Err(unknown(&call))
    }
}

/// 200 with the live sessions of somebody else, never their tokens.
pub async fn sessions(call: Call) -> Result<Reply, Problem> {
    let pool = call.pool()?;
    let user = found(&call).await?;
    let found = call.services().sessions_of_user(pool, &user).await;
    let found = found.map_err(|error| Problem::of(error, pool))?;
    let records: Vec<Value> = found.iter().map(|session| own::record(session, false)).collect();
    Ok(Reply::json(StatusCode::OK, &records))
}

/// 204; that one is over. 404 where they have none of that id.
pub async fn end_session(call: Call) -> Result<Reply, Problem> {
    let pool = call.pool()?;
    let user = found(&call).await?;
    let actor = actor(call.admin()?);
    let session = SessionId::new(call.fk.as_deref().unwrap_or_default());
    let ended = call
        .services()
        .end_session_of_user(pool, &user, &session, by(&actor, &call))
        .await;
    if ended.map_err(|error| Problem::of(error, pool))? {
        Ok(Reply::no_content())
    } else {
        let unknown = domain::error::Denial::SessionUnknown;
        Err(Problem::of_denial(&unknown, &pool.model))
    }
}

/// 204; all are over, on every device.
pub async fn end_sessions(call: Call) -> Result<Reply, Problem> {
    administered(&call, Act::EndSessions).await?;
    Ok(Reply::no_content())
}

/// 200 with the user as changed: `disabled` alone, or what else stands in their record. Never a password, and a number is only removed:
/// who has it proves it.
pub async fn patch(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    if input.id()?.is_some_and(|other| Some(other) != call.id) {
        return Err(Problem::bad_request(
            "id cannot be updated when forceId is set to true",
        ));
    }
    let user = if input.has("disabled") {
        let act = if input.flag("disabled")? {
            Act::Disable
        } else {
            Act::Enable
        };
        if !input.rest().is_empty() {
            return Err(unprocessable("disabled is changed alone"));
        }
        administered(&call, act).await?
    } else {
        corrected(&call, correction(input)?).await?
    };
    Ok(Reply::json(StatusCode::OK, &record(&user)))
}

fn correction(mut input: Input) -> Result<Correction, Problem> {
    never_a_password(&input)?;
    if ["phone", "mobile"].iter().any(|name| input.has(name)) {
        return Err(unprocessable("phone can only be removed: send it as null"));
    }
    if input.has("realm") || input.clears("realm") {
        return Err(unprocessable("a realm never changes"));
    }
    let removes_phone = input.clears("phone") || input.clears("mobile");
    let verified = input.has("emailVerified").then(|| input.flag("emailVerified"));
    let (username, email) = (input.patch("username")?, input.patch("email")?);
    let mut attributes = input.rest();
    for read in ["phone", "mobile", "emailVerified", "disabled"] {
        attributes.remove(read);
    }
    Ok(Correction {
        username,
        email,
        email_verified: verified.transpose()?,
        removes_phone,
        attributes,
    })
}

fn never_a_password(input: &Input) -> Result<(), Problem> {
    if input.has("password") || input.has("currentPassword") {
        let sentence = "a password is chosen by its owner alone: send them a link (password-link)";
        return Err(unprocessable(sentence));
    }
    Ok(())
}

fn unprocessable(sentence: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, sentence)
}

async fn corrected(call: &Call, correction: Correction) -> Result<User, Problem> {
    let (pool, admin) = (call.pool()?, call.admin()?);
    let done = call
        .services()
        .correct_user(pool, &id(call), &correction, admin, call.request.origin())
        .await;
    let done = done.map_err(|error| Problem::of(error, pool))?;
    done.ok_or_else(|| unknown(call))
}

/// 200 with the count: one, or none where there was nobody of that id.
pub async fn delete(call: Call) -> Result<Reply, Problem> {
    if of_path(&call).await?.is_none() {
        return Ok(Reply::json(StatusCode::OK, &json!({ "count": 0 })));
    }
    administered(&call, Act::Delete).await?;
    Ok(Reply::json(StatusCode::OK, &json!({ "count": 1 })))
}

async fn administered(call: &Call, act: Act) -> Result<User, Problem> {
    let pool = call.pool()?;
    let actor = actor(call.admin()?);
    let done = call
        .services()
        .administer_user(pool, &id(call), act, by(&actor, call))
        .await;
    let done = done.map_err(|error| Problem::of(error, pool))?;
    done.ok_or_else(|| unknown(call))
}

async fn found(call: &Call) -> Result<User, Problem> {
    call.admin()?;
    of_path(call).await?.ok_or_else(|| unknown(call))
}

fn actor(admin: &Authenticated) -> Actor {
    Actor::User(admin.user.key.clone())
}

fn by<'a>(actor: &'a Actor, call: &'a Call) -> Administrator<'a> {
    Administrator {
        actor,
        origin: call.request.origin(),
    }
}
