//! `/api/{pool}/{id}/credentials`: what we may do at providers for this user, and the fresh tokens to do it with.

use std::time::Duration;

use domain::id::CredentialId;
use domain::identity::UserCredential;
use domain::ports::PortError;
use domain::service::FreshToken;
use domain::time::{Lifetime, Timestamp};
use domain::user::User;
use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::identities;
use super::output::{self, Selection};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::wire_id::WireId;

/// How long a caller waits for a token that is being bought: a store that fails just then is waited for much longer, but not by
/// them.
const PATIENCE: Duration = Duration::from_millis(4_500);

/// 200 with all of them, never their tokens.
pub async fn list(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let selection = Selection::of(&Query::parse(&call.request.query))?;
    let owner = &call.owner()?.user;
    let all = owner.credentials.iter();
    let records: Vec<Value> = all
        .map(|credential| selection.pick(record(credential, owner)))
        .collect();
    Ok(Reply::json(StatusCode::OK, &records))
}

/// 200 with how many there are.
pub async fn count(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let count = call.owner()?.user.credentials.len();
    Ok(Reply::json(StatusCode::OK, &json!({ "count": count })))
}

/// 200 with one of them.
pub async fn find(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let selection = Selection::of(&Query::parse(&call.request.query))?;
    let owner = &call.owner()?.user;
    let named = |credential: &&UserCredential| Some(credential.id.as_str()) == call.fk.as_deref();
    let credential = owner
        .credentials
        .iter()
        .find(named)
        .ok_or_else(identities::unknown)?;
    Ok(Reply::json(
        StatusCode::OK,
        &selection.pick(record(credential, owner)),
    ))
}

/// 204; the grant is forgotten, the account stays linked.
pub async fn forget(call: Call) -> Result<Reply, Problem> {
    let (pool, owner) = (call.pool()?, call.owner()?);
    let credential = CredentialId::new(call.fk.as_deref().unwrap_or_default());
    let done = call
        .services()
        .forget_credential(pool, owner, &credential, call.request.origin())
        .await;
    done.map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// 200 with a token of the provider that still works; `{fk}` names a grant, an entry or a provider.
pub async fn fresh_token(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let (pool, user) = (call.pool()?.clone(), call.owner()?.user.key.clone());
    let which = call.fk.clone().unwrap_or_default();
    let (services, origin) = (call.services().clone(), call.request.origin().clone());
    // In a task of its own, so that it comes to its end although the caller goes away: a refresh token that was exchanged and not
    // stored would be lost with its grant, where the provider rotates them (RFC 9700 section 4.14.2).
    let asking = tokio::spawn(async move {
        let fresh = services.fresh_token(&pool, &user, &which, &origin).await;
        fresh.map_err(|error| Problem::of(error, &pool))
    });
    let Ok(fresh) = tokio::time::timeout(PATIENCE, asking).await else {
        // It goes on, and whoever asks again finds what was bought.
        let retry_after = Lifetime::from_secs(1);
        return Err(Problem::of(PortError::Busy { retry_after }.into(), call.pool()?));
    };
    let fresh = fresh.map_err(|_| Problem::internal("a token was not fetched to the end"))??;
    Ok(Reply::json(StatusCode::OK, &token(&fresh, call.services().now())))
}

/// LoopBack's `UserCredential` without its secrets, and how the grant stands.
fn record(credential: &UserCredential, owner: &User) -> Value {
    let identity = owner
        .identities
        .iter()
        .find(|identity| identity.id == credential.identity);
    let user = owner.key.id.as_str();
    let mut record = identity.map_or_else(
        || json!({ "userId": WireId(user) }),
        |identity| identities::record(identity, user),
    );
    let own = json!({
        "id": WireId(credential.id.as_str()),
        "created": credential.created.to_iso8601(),
        "modified": credential.modified.to_iso8601(),
        "entry": credential.entry.as_str(),
        "status": credential.status.name(),
        "scopes": credential.scopes,
    });
    if let (Some(record), Value::Object(own)) = (record.as_object_mut(), own) {
        record.extend(own);
        if let Some(expires) = credential.expires {
            record.insert("expires".to_owned(), json!(expires.to_iso8601()));
        }
    }
    record
}

/// A token as RFC 6749 section 5.1 writes it, and what else its user must know.
fn token(fresh: &FreshToken, now: Timestamp) -> Value {
    let tokens = &fresh.tokens;
    let mut answer = json!({
        "access_token": tokens.access_token.expose(),
        "token_type": tokens.token_type,
        "provider": fresh.provider,
        "status": fresh.status.name(),
    });
    let Some(object) = answer.as_object_mut() else {
        return answer;
    };
    if let Some(expires) = tokens.expires {
        object.insert(
            "expires_in".to_owned(),
            json!(expires.since(now).as_millis() / 1000),
        );
        object.insert("expires".to_owned(), json!(expires.to_iso8601()));
    }
    if let Some(scopes) = &tokens.scopes {
        object.insert("scope".to_owned(), json!(scopes.join(" ")));
    }
    // Only OAuth 1.0a has one: nothing can be signed without it.
    if let Some(secret) = &tokens.token_secret {
        object.insert("token_secret".to_owned(), json!(secret.expose()));
    }
    answer
}
