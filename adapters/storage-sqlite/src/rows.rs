//! Rows to records and back.
//!
//! Encoding happens on the caller's side, so that the one writer only moves bytes. Unsigned numbers are stored by their bits.

mod session;

use std::sync::Arc;

use domain::application::Application;
use domain::credential::PasswordHash;
use domain::flow_record::{FlowBody, FlowRecord};
use domain::id::{ApplicationId, PoolName, SessionId, UserId, UserKey};
use domain::ports::PortError;
use domain::secret::TokenHash;
use domain::time::Timestamp;
use domain::user::{Attributes, Email, Factors, Phone, Revision, SessionEpoch, User, Username, scoped_key};
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, Params, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Answer, Fault};

/// Columns of a user, in the order of [`encode_user`]. A macro, so that statements are put together at compile time.
macro_rules! user_columns {
    () => {
        "pool, id, revision, realm, username, username_key, email, email_key, email_verified, phone, factor_phone, \
         password_hash, identities, credentials, factors, devices, mappings, disabled, attributes, session_epoch, spared_session, \
         created, modified"
    };
}
/// Columns of a flow, in the order of [`encode_flow`].
macro_rules! flow_columns {
    () => {
        "id, pool, user_id, kind, created, expires, body"
    };
}
/// Columns of an application, in the order of [`encode_application`].
macro_rules! application_columns {
    () => {
        "id, revision, name, keys, credentials, mappings, disabled, details, created, modified"
    };
}
pub(crate) use session::{decode_session, encode_session, session_columns};
pub(crate) use {application_columns, flow_columns, user_columns};

/// The stored form of a list without elements.
const EMPTY_LIST: &str = "[]";
/// The stored form of an object without fields.
const EMPTY_OBJECT: &str = "{}";

/// A record that cannot be read back, by its name and without its content.
#[derive(Debug)]
struct Unreadable;

type Decoded<T> = Result<T, Unreadable>;

impl From<rusqlite::Error> for Unreadable {
    fn from(_: rusqlite::Error) -> Self {
        Self
    }
}

impl From<serde_json::Error> for Unreadable {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

/// A row read from left to right.
struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl Columns<'_> {
    fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let value = self.row.get(self.next);
        self.next += 1;
        value
    }

    fn moment(&mut self) -> rusqlite::Result<Timestamp> {
        self.take().map(Timestamp::from_millis)
    }

    fn maybe_moment(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        let value: Option<i64> = self.take()?;
        Ok(value.map(Timestamp::from_millis))
    }

    fn user_key(&mut self) -> rusqlite::Result<UserKey> {
        let pool: String = self.take()?;
        let id: String = self.take()?;
        Ok(UserKey::new(PoolName::new(pool), UserId::new(id)))
    }

    /// A list kept as JSON. Most users have none of a kind, and are read often: the empty list is not parsed.
    fn list<T: DeserializeOwned>(&mut self) -> Decoded<Arc<Vec<T>>> {
        let list: Option<Vec<T>> = self.json(EMPTY_LIST)?;
        Ok(list.map(Arc::new).unwrap_or_default())
    }

    /// An object kept as JSON, likewise.
    fn object<T: DeserializeOwned + Default>(&mut self) -> Decoded<T> {
        self.json(EMPTY_OBJECT).map(Option::unwrap_or_default)
    }

    /// What is kept as JSON; none for the text that means nothing at all.
    fn json<T: DeserializeOwned>(&mut self, nothing: &str) -> Decoded<Option<T>> {
        let text = self.row.get_ref(self.next)?.as_str().map_err(|_| Unreadable)?;
        self.next += 1;
        Ok(if text == nothing {
            None
        } else {
            Some(serde_json::from_str(text)?)
        })
    }

    fn token(&mut self) -> rusqlite::Result<TokenHash> {
        self.take().map(TokenHash::from_bytes)
    }
}

/// The first row of a query, decoded.
pub(crate) fn first<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    decode: impl Fn(&Row<'_>) -> Answer<T>,
) -> Answer<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    rows.next()?.map(decode).transpose()
}

/// All rows of a query, decoded. A statement that changes rows and returns them must be run by this one: it has changed all
/// of them only when it is read to its end.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    decode: impl Fn(&Row<'_>) -> Answer<T>,
) -> Answer<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut decoded = Vec::new();
    while let Some(row) = rows.next()? {
        decoded.push(decode(row)?);
    }
    Ok(decoded)
}

/// What a guarded statement answers that is to change one row.
pub(crate) fn one_or_stale(changed: usize) -> Answer<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(PortError::Stale.into())
    }
}

/// A number of rows.
pub(crate) fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

fn maybe_text(value: Option<impl Into<String>>) -> Value {
    value.map_or(Value::Null, text)
}

/// A list, as JSON.
pub(crate) fn list<T: Serialize>(list: &[T]) -> Result<Value, PortError> {
    if list.is_empty() {
        return Ok(text(EMPTY_LIST));
    }
    Ok(text(serde_json::to_string(list).map_err(PortError::unavailable)?))
}

fn factors(factors: &Factors) -> Result<Value, PortError> {
    if factors.is_empty() {
        return Ok(text(EMPTY_OBJECT));
    }
    Ok(text(
        serde_json::to_string(factors).map_err(PortError::unavailable)?,
    ))
}

fn maybe_moment(value: Option<Timestamp>) -> Value {
    value.map_or(Value::Null, moment)
}

fn moment(value: Timestamp) -> Value {
    Value::Integer(value.as_millis())
}

/// The form of a revision in a row.
pub(crate) fn revision(value: Revision) -> i64 {
    value.number().cast_signed()
}

/// Most rows a caller may ask for, as SQLite counts.
pub(crate) fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A user's values, in the order of `user_columns`.
pub(crate) fn encode_user(user: &User) -> Result<Vec<Value>, PortError> {
    let attributes = serde_json::Value::Object(user.attributes.as_map().clone());
    Ok(vec![
        text(user.key.pool.as_str()),
        text(user.key.id.as_str()),
        Value::Integer(revision(user.revision)),
        maybe_text(user.realm.as_deref()),
        maybe_text(user.username.as_ref().map(Username::as_str)),
        maybe_text(user.username_key()),
        maybe_text(user.email.as_ref().map(Email::as_str)),
        maybe_text(user.email_key()),
        Value::Integer(user.email_verified.into()),
        maybe_text(user.phone.as_ref().map(Phone::as_str)),
        maybe_text(user.factor_phone.as_ref().map(Phone::as_str)),
        maybe_text(user.password.as_ref().map(PasswordHash::as_str)),
        list(&user.identities)?,
        list(&user.credentials)?,
        factors(&user.factors)?,
        list(&user.devices)?,
        list(&user.mappings)?,
        maybe_moment(user.disabled),
        text(attributes.to_string()),
        Value::Integer(user.session_epoch.number().into()),
        maybe_text(user.spared_session.as_ref().map(SessionId::as_str)),
        moment(user.created),
        moment(user.modified),
    ])
}

/// Reads a user from the columns of `user_columns`.
pub(crate) fn decode_user(row: &Row<'_>) -> Answer<User> {
    let mut columns = Columns { row, next: 0 };
    let key = columns.user_key()?;
    let name = key.to_string();
    user(key, columns).map_err(|Unreadable| corrupt("user", &name))
}

fn user(key: UserKey, mut columns: Columns<'_>) -> Decoded<User> {
    let revision = Revision::new(columns.take::<i64>()?.cast_unsigned());
    let realm: Option<String> = columns.take()?;
    let username = name_and_key(&mut columns, realm.as_deref())?;
    let email = name_and_key(&mut columns, realm.as_deref())?;
    Ok(User {
        key,
        revision,
        realm,
        username: username.map(|(name, key)| Username::restore(name, key)),
        email: email.map(|(address, key)| Email::restore(address, key)),
        email_verified: columns.take()?,
        phone: columns.take::<Option<String>>()?.map(Phone::restore),
        factor_phone: columns.take::<Option<String>>()?.map(Phone::restore),
        password: columns.take::<Option<String>>()?.map(PasswordHash::new),
        identities: columns.list()?,
        credentials: columns.list()?,
        factors: Arc::new(columns.object()?),
        devices: columns.list()?,
        mappings: columns.list()?,
        disabled: columns.maybe_moment()?,
        attributes: Attributes::restore(serde_json::from_str(&columns.take::<String>()?)?),
        session_epoch: SessionEpoch::new(columns.take()?),
        spared_session: columns.take::<Option<String>>()?.map(SessionId::new),
        created: columns.moment()?,
        modified: columns.moment()?,
    })
}

/// A name with its own key: the stored one is the one within the realm, which is what must be unique.
fn name_and_key(columns: &mut Columns<'_>, realm: Option<&str>) -> Decoded<Option<(String, String)>> {
    let name: Option<String> = columns.take()?;
    let stored: Option<String> = columns.take()?;
    let (Some(name), Some(stored)) = (name, stored) else {
        return Ok(None);
    };
    let within = scoped_key(realm, "");
    let key = stored.strip_prefix(within.as_str()).ok_or(Unreadable)?;
    Ok(Some((name, key.to_owned())))
}

/// An application's values, in the order of `application_columns`.
pub(crate) fn encode_application(application: &Application) -> Result<Vec<Value>, PortError> {
    Ok(vec![
        text(application.id.as_str()),
        Value::Integer(revision(application.revision)),
        text(application.name.as_str()),
        list(&application.keys)?,
        list(&application.credentials)?,
        list(&application.mappings)?,
        maybe_moment(application.disabled),
        text(serde_json::to_string(&application.details).map_err(PortError::unavailable)?),
        moment(application.created),
        moment(application.modified),
    ])
}

/// Reads an application from the columns of `application_columns`.
pub(crate) fn decode_application(row: &Row<'_>) -> Answer<Application> {
    let mut columns = Columns { row, next: 0 };
    let id = ApplicationId::new(columns.take::<String>()?);
    let name = id.to_string();
    application(id, columns).map_err(|Unreadable| corrupt("application", &name))
}

fn application(id: ApplicationId, mut columns: Columns<'_>) -> Decoded<Application> {
    Ok(Application {
        id,
        revision: Revision::new(columns.take::<i64>()?.cast_unsigned()),
        name: columns.take()?,
        keys: Arc::unwrap_or_clone(columns.list()?),
        credentials: Arc::unwrap_or_clone(columns.list()?),
        mappings: Arc::unwrap_or_clone(columns.list()?),
        disabled: columns.maybe_moment()?,
        details: columns.object()?,
        created: columns.moment()?,
        modified: columns.moment()?,
    })
}

/// A flow's values, in the order of `flow_columns`.
pub(crate) fn encode_flow(flow: &FlowRecord) -> Result<Vec<Value>, PortError> {
    Ok(vec![
        Value::Blob(flow.id.as_bytes().to_vec()),
        text(flow.pool.as_str()),
        maybe_text(flow.user.as_ref().map(UserId::as_str)),
        text(flow.kind().name()),
        moment(flow.created),
        moment(flow.expires),
        text(serde_json::to_string(&flow.body).map_err(PortError::unavailable)?),
    ])
}

/// Reads a flow from the columns of `flow_columns`.
pub(crate) fn decode_flow(row: &Row<'_>) -> Answer<FlowRecord> {
    let mut columns = Columns { row, next: 0 };
    let id = columns.token()?;
    let pool = PoolName::new(columns.take::<String>()?);
    let user = columns.take::<Option<String>>()?.map(UserId::new);
    let kind: String = columns.take()?;
    let owner = user.as_ref().map_or("nobody yet", UserId::as_str);
    let name = format!("{kind} of {pool}/{owner}");
    flow(id, pool, user, columns).map_err(|Unreadable| corrupt("flow", &name))
}

fn flow(
    id: TokenHash,
    pool: PoolName,
    user: Option<UserId>,
    mut columns: Columns<'_>,
) -> Decoded<FlowRecord> {
    let created = columns.moment()?;
    let expires = columns.moment()?;
    let body: FlowBody = serde_json::from_str(&columns.take::<String>()?)?;
    Ok(FlowRecord {
        id,
        pool,
        user,
        created,
        expires,
        body,
    })
}

/// The error of a record that cannot be read back. Names it; what it holds stays out of the logs.
pub(crate) fn corrupt(kind: &str, name: &str) -> Fault {
    PortError::corrupt(format!("{kind} {name}")).into()
}
