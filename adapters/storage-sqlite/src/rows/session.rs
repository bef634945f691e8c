//! Sessions: what is asked of every one stands in columns, the rest in one JSON object.

use domain::id::{RefreshId, SessionId, UserKey};
use domain::identity::FederatedSession;
use domain::limits::ClientAddress;
use domain::origin::Agent;
use domain::ports::PortError;
use domain::secret::TokenHash;
use domain::session::{Impersonator, Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::SessionEpoch;
use rusqlite::Row;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::{Columns, Decoded, Unreadable, corrupt, moment, text};
use crate::error::Answer;

/// Columns of a session, in the order of [`encode_session`].
macro_rules! session_columns {
    () => {
        "token, id, pool, user_id, epoch, created, life, expires, factors, last_used, more"
    };
}
pub(crate) use session_columns;

/// What is known of a session beyond its columns. Fields are only ever added, each with a default.
#[derive(Default, Serialize, Deserialize)]
struct More {
    /// The moment it was opened, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proven: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idle: Option<Lifetime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<Agent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<ClientAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<RefreshId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    federated: Option<Box<FederatedSession>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    impersonator: Option<Box<Impersonator>>,
}

/// A session's values, in the order of `session_columns`.
pub(crate) fn encode_session(session: &Session) -> Result<Vec<Value>, PortError> {
    let life = match session.life {
        TokenLife::Finite(life) => Value::Integer(life.as_millis().cast_signed()),
        TokenLife::Eternal => Value::Null,
    };
    let expires = session.life.expires(session.created);
    let more = More {
        proven: (session.proven != session.created).then_some(session.proven),
        idle: session.idle,
        agent: session.agent.clone(),
        address: session.address.clone(),
        refresh: session.refresh.clone(),
        federated: session.federated.clone(),
        impersonator: session.impersonator.clone(),
    };
    Ok(vec![
        Value::Blob(session.token.as_bytes().to_vec()),
        text(session.id.as_str()),
        text(session.user.pool.as_str()),
        text(session.user.id.as_str()),
        Value::Integer(session.epoch.number().into()),
        moment(session.created),
        life,
        expires.map_or(Value::Null, moment),
        text(serde_json::to_string(&session.factors).map_err(PortError::unavailable)?),
        session.last_used.map_or(Value::Null, moment),
        text(serde_json::to_string(&more).map_err(PortError::unavailable)?),
    ])
}

/// Reads a session from the columns of `session_columns`.
pub(crate) fn decode_session(row: &Row<'_>) -> Answer<Session> {
    let mut columns = Columns { row, next: 0 };
    let token = columns.token()?;
    let id = SessionId::new(columns.take::<String>()?);
    let user = columns.user_key()?;
    let name = format!("{id} of {user}");
    session(token, id, user, columns).map_err(|Unreadable| corrupt("session", &name))
}

fn session(token: TokenHash, id: SessionId, user: UserKey, mut columns: Columns<'_>) -> Decoded<Session> {
    let epoch = SessionEpoch::new(columns.take()?);
    let created = columns.moment()?;
    let life = columns.take::<Option<i64>>()?;
    let life = life.map_or(TokenLife::Eternal, |millis| {
        TokenLife::Finite(Lifetime::from_millis(millis.cast_unsigned()))
    });
    let _expires: Option<i64> = columns.take()?;
    let factors = serde_json::from_str(&columns.take::<String>()?)?;
    let last_used = columns.take::<Option<i64>>()?.map(Timestamp::from_millis);
    let more: More = columns.object()?;
    Ok(Session {
        id,
        token,
        user,
        epoch,
        created,
        life,
        factors,
        proven: more.proven.unwrap_or(created),
        last_used,
        idle: more.idle,
        agent: more.agent,
        address: more.address,
        refresh: more.refresh,
        federated: more.federated,
        impersonator: more.impersonator,
    })
}
