//! What documents look like: a few key fields, which are indexed and compared, beside the stored form of the aggregate, which is
//! all that is ever read back.
//!
//! ```text
//! users      { _id: "5:Users:42", pool, id, revision, email_key?, username_key?, identity_keys?: […], roles?: […],
//!              mappings?: […], record }
//! sessions   { _id: token, owner: "5:Users:42", session, expires?, drop_at?, record } (record.last_used moves on)
//! flows      { _id: token, owner?, kind, created, expires, drop_at?, record }
//! counters   { _id: key, mark, count, forgotten, drop_at? }
//! tombstones { _id: token, until?, drop_at?, record }
//! applications { _id: id, revision, record }
//! access     { _id: "access", revision, record }, or nothing yet
//! audit      { _id: moment and number, at, record }
//! outbox     { _id: id, ready, expires, drop_at?, record } (an attempt changes record.attempts and its like)
//! ```
//!
//! Tokens are hashes. A field that is not there is left out, never null: the unique indexes hold only what is there.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::access::AccessState;
use domain::application::Application;
use domain::audit::AuditEvent;
use domain::flow_record::FlowRecord;
use domain::id::{PoolName, UserKey};
use domain::outbox::OutboxMessage;
use domain::ports::PortError;
use domain::secret::TokenHash;
use domain::session::Session;
use domain::stored::{
    StoredAccess, StoredApplication, StoredAuditEvent, StoredFlow, StoredSession, StoredTombstone, StoredUser,
};
use domain::time::{Lifetime, Timestamp};
use domain::tombstone::Tombstone;
use domain::user::{Revision, User};
use mongodb::bson::{Bson, DateTime, Document, doc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::faithful;

pub(crate) const USERS: &str = "users";
pub(crate) const SESSIONS: &str = "sessions";
pub(crate) const FLOWS: &str = "flows";
pub(crate) const COUNTERS: &str = "counters";
pub(crate) const TOMBSTONES: &str = "tombstones";
pub(crate) const APPLICATIONS: &str = "applications";
pub(crate) const ACCESS: &str = "access";
pub(crate) const AUDIT: &str = "audit";
pub(crate) const OUTBOX: &str = "outbox";

/// How long the server keeps what is void before it drops it by itself: more than its clock and ours ever differ by. `purge` is
/// quicker; this is for what nobody purges.
const GRACE: Lifetime = Lifetime::from_secs(24 * 60 * 60);

/// The end of the year 9999, in milliseconds: what is to live longer lives for ever.
const LAST_DATE: i64 = 253_402_300_799_999;

const RECORD: &str = "record";
const ATTRIBUTES: &str = "attributes";

/// The `_id` of a user. The length before the pool keeps two users apart whatever their pools and ids look like, and the ids of a
/// pool in their own order.
pub(crate) fn id_of_user(key: &UserKey) -> String {
    format!("{}{}", ids_of_pool(&key.pool), key.id.as_str())
}

/// What the `_id` of every user of a pool begins with.
fn ids_of_pool(pool: &PoolName) -> String {
    format!("{}:{}:", pool.as_str().len(), pool.as_str())
}

/// The `_id`s of a pool behind one of them, as a condition.
pub(crate) fn ids_after(pool: &PoolName, after: Option<&str>) -> Document {
    let begin = ids_of_pool(pool);
    // `;` follows `:`, byte by byte.
    let end = format!("{}:{};", pool.as_str().len(), pool.as_str());
    let (relation, from) = after.map_or_else(
        || ("$gte", begin.clone()),
        |after| ("$gt", format!("{begin}{after}")),
    );
    doc! { relation: from, "$lt": end }
}

/// The form of a revision in a document: only ever compared for equality.
pub(crate) const fn revision(value: Revision) -> i64 {
    value.number().cast_signed()
}

/// When the server may drop what is void from `expires` on. Never before, by the clock of whoever writes and with [`GRACE`] for
/// the difference to the server's; also not if `expires` has passed already, since dropping is for what nobody asks for again.
pub(crate) fn drop_at(expires: Timestamp) -> Option<DateTime> {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let wall = i64::try_from(wall.as_millis()).ok()?;
    let void = Timestamp::from_millis(expires.as_millis().max(wall));
    let dropped = void.plus(GRACE).as_millis();
    (dropped <= LAST_DATE).then(|| DateTime::from_millis(dropped))
}

/// Adds the moment to drop a document at, unless it is to stay for ever.
fn dropped(mut document: Document, expires: Option<Timestamp>) -> Document {
    if let Some(moment) = expires.and_then(drop_at) {
        document.insert("drop_at", moment);
    }
    document
}

fn record<T: Serialize>(stored: &T) -> Result<Document, PortError> {
    faithful::to_document(stored).ok_or_else(|| PortError::corrupt("a record that cannot be written"))
}

/// Takes the stored form out of a document.
fn recorded<T: DeserializeOwned>(document: &mut Document) -> Option<T> {
    match document.remove(RECORD)? {
        Bson::Document(record) => faithful::from_document(record),
        _ => None,
    }
}

fn text<'a>(document: &'a Document, field: &str) -> &'a str {
    document.get_str(field).unwrap_or("?")
}

/// A user's document.
pub(crate) fn of_user(user: &User) -> Result<Document, PortError> {
    let mut stored = StoredUser::from(user);
    let attributes = Value::Object(std::mem::take(&mut stored.attributes));
    let mut record = record(&stored)?;
    if attributes
        .as_object()
        .is_some_and(|attributes| !attributes.is_empty())
    {
        record.insert(ATTRIBUTES, attributes.to_string());
    }
    let mut document = doc! {
        "_id": id_of_user(&user.key),
        "pool": user.key.pool.as_str(),
        "id": user.key.id.as_str(),
        "revision": revision(user.revision),
    };
    if let Some(key) = user.email_key() {
        document.insert("email_key", key);
    }
    if let Some(key) = user.username_key() {
        document.insert("username_key", key);
    }
    let keys: Vec<String> = user.identities.iter().map(|it| it.key.to_text()).collect();
    if !keys.is_empty() {
        document.insert("identity_keys", keys);
    }
    if !user.mappings.is_empty() {
        let mappings = user.mappings.iter();
        let roles: Vec<&str> = mappings.clone().map(|it| it.role.as_str()).collect();
        let mappings: Vec<&str> = mappings.map(|it| it.id.as_str()).collect();
        document.insert("roles", roles);
        document.insert("mappings", mappings);
    }
    document.insert(RECORD, record);
    Ok(document)
}

/// Reads a user back.
pub(crate) fn to_user(mut document: Document) -> Result<User, PortError> {
    let user = user(&mut document);
    user.ok_or_else(|| corrupt("user", text(&document, "pool"), text(&document, "id")))
}

fn user(document: &mut Document) -> Option<User> {
    let Bson::Document(mut record) = document.remove(RECORD)? else {
        return None;
    };
    let attributes = match record.remove(ATTRIBUTES) {
        Some(Bson::String(text)) => serde_json::from_str(&text).ok()?,
        Some(_) => return None,
        None => Map::new(),
    };
    let stored: StoredUser = faithful::from_document(record)?;
    Some(StoredUser { attributes, ..stored }.into())
}

/// A session's document.
pub(crate) fn of_session(session: &Session) -> Result<Document, PortError> {
    let expires = session.life.expires(session.created);
    let mut document = doc! {
        "_id": session.token.to_text(),
        "owner": id_of_user(&session.user),
        "session": session.id.as_str(),
    };
    if let Some(expires) = expires {
        document.insert("expires", expires.as_millis());
    }
    document.insert(RECORD, record(&StoredSession::from(session))?);
    Ok(dropped(document, expires))
}

/// Reads a session back.
pub(crate) fn to_session(mut document: Document) -> Result<Session, PortError> {
    let stored = recorded::<StoredSession>(&mut document);
    stored.map(Session::from).ok_or_else(|| {
        let name = format!("{} of", text(&document, "session"));
        corrupt("session", &name, text(&document, "owner"))
    })
}

/// A flow's document.
pub(crate) fn of_flow(flow: &FlowRecord) -> Result<Document, PortError> {
    let mut document = doc! {
        "_id": flow.id.to_text(),
        "kind": flow.kind().name(),
        "created": flow.created.as_millis(),
        "expires": flow.expires.as_millis(),
    };
    if let Some(user) = &flow.user {
        let owner = UserKey::new(flow.pool.clone(), user.clone());
        document.insert("owner", id_of_user(&owner));
    }
    document.insert(RECORD, record(&StoredFlow::from(flow))?);
    Ok(dropped(document, Some(flow.expires)))
}

/// Reads a flow back.
pub(crate) fn to_flow(mut document: Document) -> Result<FlowRecord, PortError> {
    let stored = recorded::<StoredFlow>(&mut document);
    stored.map(FlowRecord::from).ok_or_else(|| {
        let owner = document.get_str("owner").unwrap_or("nobody yet");
        corrupt("flow", &format!("{} of", text(&document, "kind")), owner)
    })
}

/// A tombstone's document.
pub(crate) fn of_tombstone(stone: &Tombstone) -> Result<Document, PortError> {
    let mut document = doc! { "_id": stone.token.to_text() };
    if let Some(until) = stone.until {
        document.insert("until", until.as_millis());
    }
    document.insert(RECORD, record(&StoredTombstone::from(stone))?);
    Ok(dropped(document, stone.until))
}

/// An application's document.
pub(crate) fn of_application(application: &Application) -> Result<Document, PortError> {
    Ok(doc! {
        "_id": application.id.as_str(),
        "revision": revision(application.revision),
        RECORD: record(&StoredApplication::from(application))?,
    })
}

/// Reads an application back.
pub(crate) fn to_application(mut document: Document) -> Result<Application, PortError> {
    let stored = recorded::<StoredApplication>(&mut document);
    let read = stored.map(Application::from);
    read.ok_or_else(|| PortError::corrupt(format!("application {}", text(&document, "_id"))))
}

/// The document of all roles and rules.
pub(crate) fn of_access(state: &AccessState) -> Result<Document, PortError> {
    Ok(doc! {
        "_id": ACCESS,
        "revision": revision(state.revision),
        RECORD: record(&StoredAccess::from(state))?,
    })
}

/// Reads all roles and rules back.
pub(crate) fn to_access(mut document: Document) -> Result<AccessState, PortError> {
    let stored = recorded::<StoredAccess>(&mut document);
    stored
        .map(AccessState::from)
        .ok_or_else(|| PortError::corrupt("access"))
}

/// An audit event's document.
pub(crate) fn of_event(id: String, event: &AuditEvent) -> Result<Document, PortError> {
    Ok(doc! {
        "_id": id,
        "at": event.at.as_millis(),
        RECORD: record(&StoredAuditEvent::from(event))?,
    })
}

/// Reads an audit event back.
pub(crate) fn to_event(mut document: Document) -> Result<AuditEvent, PortError> {
    let stored = recorded::<StoredAuditEvent>(&mut document);
    let read = stored.map(AuditEvent::from);
    read.ok_or_else(|| PortError::corrupt(format!("audit event {}", text(&document, "_id"))))
}

/// A message's document. `ready` is the moment from which it may be claimed.
pub(crate) fn of_message(message: &OutboxMessage) -> Result<Document, PortError> {
    let ready = message
        .held_until
        .map_or(message.due, |until| until.max(message.due));
    let document = doc! {
        "_id": message.id.as_str(),
        "ready": ready.as_millis(),
        "expires": message.expires.as_millis(),
        RECORD: record(message)?,
    };
    Ok(dropped(document, Some(message.expires)))
}

/// Reads a message back.
pub(crate) fn to_message(mut document: Document) -> Result<OutboxMessage, PortError> {
    let read = recorded::<OutboxMessage>(&mut document);
    read.ok_or_else(|| PortError::corrupt(format!("message {}", text(&document, "_id"))))
}

/// The document of a token.
pub(crate) fn by_token(token: &TokenHash) -> Document {
    doc! { "_id": token.to_text() }
}

/// The error of a record that cannot be read back. Names it; what it holds stays out of the logs.
fn corrupt(kind: &str, of: &str, name: &str) -> PortError {
    PortError::corrupt(format!("{kind} {of} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::sample::{at, full_user, key, session};
    use domain::session::TokenLife;

    #[test]
    fn a_full_user_survives_the_wire() {
        let user = full_user(&key("Users", "1"));
        let bytes = of_user(&user).unwrap().to_vec().unwrap();
        let read = Document::from_reader(bytes.as_slice()).unwrap();
        assert_eq!(to_user(read).unwrap(), user);
    }

    #[test]
    fn no_two_users_share_an_id_and_a_pool_keeps_the_order_of_its_ids() {
        let ids = [("a", "b:c"), ("a:b", "c"), ("", "1:a:b"), ("a", ""), ("é", "b")];
        let ids = ids.map(|(pool, id)| id_of_user(&key(pool, id)));
        for (number, id) in ids.iter().enumerate() {
            assert!(!ids.iter().skip(number + 1).any(|other| other == id));
        }
        let sorted = ["", "1", "10", "2", "Z", "ü"].map(|id| id_of_user(&key("Users", id)));
        assert!(sorted.is_sorted());
    }

    #[test]
    fn nothing_is_dropped_before_its_life_and_the_grace_are_over() {
        let wall = DateTime::now().timestamp_millis();
        let day = 24 * 60 * 60 * 1000;
        let past = drop_at(at(-1_000_000_000)).unwrap().timestamp_millis();
        assert!(past >= wall + day, "not even what is void already");
        let ahead = Timestamp::from_millis(wall + 5_000);
        assert!(drop_at(ahead).unwrap().timestamp_millis() >= wall + 5_000 + day);
        assert_eq!(drop_at(Timestamp::from_millis(i64::MAX)), None);
    }

    #[test]
    fn an_eternal_session_has_no_end() {
        let eternal = Session {
            life: TokenLife::Eternal,
            ..session(&key("Users", "1"), "a")
        };
        let document = of_session(&eternal).unwrap();
        assert!(!document.contains_key("expires") && !document.contains_key("drop_at"));
    }
}
