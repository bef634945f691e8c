//! What the access rules open to administrators alone: finding and counting the users of a pool. What they do to them: `act`.

mod act;

pub use act::{delete, end_session, end_sessions, invite, mail_password_link, patch, sessions, unlock};

use domain::id::UserId;
use domain::service::LoginName;
use domain::user::User;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Call, output};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::models::filter::{Filter, Where};

/// Users of an answer whose filter has no `limit`.
const USUAL: usize = 100;
/// Most users of one answer, and how far into a pool one may skip: whoever wants all of them exports them.
const MOST: usize = 1_000;
const FARTHEST: usize = 100_000;
/// Users that are read at once.
const PAGE: usize = 1_000;

/// 200 with users, in the order of their ids; `where` may name an `id`, an `email` or a `username`.
pub async fn find(call: Call) -> Result<Reply, Problem> {
    let users = filtered(&call).await?;
    Ok(Reply::json(StatusCode::OK, &users))
}

/// 200 with the first of them.
pub async fn find_one(call: Call) -> Result<Reply, Problem> {
    let first = filtered(&call).await?.into_iter().next();
    Ok(Reply::json(StatusCode::OK, &first.ok_or_else(|| unknown(&call))?))
}

/// 200 with how many there are.
pub async fn count(call: Call) -> Result<Reply, Problem> {
    call.admin()?;
    output::acceptable(&call.request)?;
    let condition = Where::alone(&Query::parse(&call.request.query))?;
    let count = match named(&call, &condition).await? {
        Some(found) => found.iter().filter(|user| condition.fits(user)).count(),
        None => counted(&call).await?,
    };
    Ok(Reply::json(StatusCode::OK, &json!({ "count": count })))
}

/// Whether there is one.
pub async fn exists(call: Call) -> Result<Reply, Problem> {
    call.admin()?;
    let exists = of_path(&call).await?.is_some();
    if call.request.method == http::Method::HEAD {
        let found = exists.then(|| Reply::empty(StatusCode::OK));
        return found.ok_or_else(|| unknown(&call));
    }
    Ok(Reply::json(StatusCode::OK, &json!({ "exists": exists })))
}

/// What an administrator reads of a user.
pub fn record(user: &User) -> Value {
    let mut record = output::user(user);
    if let (Some(object), true) = (record.as_object_mut(), user.disabled.is_some()) {
        object.insert("disabled".to_owned(), json!(true));
    }
    record
}

fn id(call: &Call) -> UserId {
    UserId::new(call.id.as_deref().unwrap_or_default())
}

/// The user of the path.
async fn of_path(call: &Call) -> Result<Option<User>, Problem> {
    output::acceptable(&call.request)?;
    let pool = call.pool()?;
    let found = call.services().find_user(pool, &id(call)).await;
    found.map_err(|error| Problem::of(error, pool))
}

async fn filtered(call: &Call) -> Result<Vec<Value>, Problem> {
    call.admin()?;
    output::acceptable(&call.request)?;
    let filter = Filter::of(&Query::parse(&call.request.query))?;
    if let Some(found) = named(call, filter.condition()).await? {
        return Ok(filter.apply(found));
    }
    let reach = filter
        .reach(USUAL, MOST)
        .filter(|reach| *reach <= FARTHEST + MOST);
    let Some(reach) = reach else {
        let sentence =
            "users are listed in the order of their ids: ask for fewer, without an order of your own";
        return Err(Problem::bad_request(sentence));
    };
    let mut all = Vec::new();
    while all.len() < reach {
        let wanted = PAGE.min(reach - all.len());
        let page = page(call, all.last(), wanted).await?;
        let is_last = page.len() < wanted;
        all.extend(page);
        if is_last {
            break;
        }
    }
    Ok(filter.at_most(USUAL).apply(all.iter().map(record).collect()))
}

/// Whoever a condition names; none where it names nobody and is no condition at all.
async fn named(call: &Call, condition: &Where) -> Result<Option<Vec<Value>>, Problem> {
    let pool = call.pool()?;
    let services = call.services();
    let found = if let Some(id) = condition.equal("id") {
        services.find_user(pool, &UserId::new(id)).await
    } else {
        let email = condition.equal("email").map(LoginName::Email);
        let username = || condition.equal("username").map(LoginName::Username);
        match email.or_else(username) {
            Some(name) => {
                let realm = condition.equal("realm");
                services.find_user_named(pool, realm.as_deref(), &name).await
            }
            None if condition.is_none() => return Ok(None),
            None => {
                let sentence = "users are found by id, email or username, each equal to a text";
                return Err(Problem::bad_request(sentence));
            }
        }
    };
    let found = found.map_err(|error| Problem::of(error, pool))?;
    Ok(Some(found.iter().map(record).collect()))
}

async fn page(call: &Call, after: Option<&User>, limit: usize) -> Result<Vec<User>, Problem> {
    let pool = call.pool()?;
    let after = after.map(|user| user.key.id.clone());
    let page = call.services().list_users(pool, after, limit).await;
    page.map_err(|error| Problem::of(error, pool))
}

async fn counted(call: &Call) -> Result<usize, Problem> {
    let (mut count, mut last) = (0, None);
    loop {
        let page = page(call, last.as_ref(), PAGE).await?;
        count += page.len();
        if page.len() < PAGE {
            return Ok(count);
        }
        last = page.into_iter().next_back();
    }
}

/// 404 for an id that nobody has.
pub fn unknown(call: &Call) -> Problem {
    let model = call.pool().map_or("", |pool| pool.model.as_str());
    Problem::not_found(format!("Unknown \"{model}\" id.")).coded("MODEL_NOT_FOUND")
}
