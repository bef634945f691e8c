//! The schema and its versions.
//!
//! Documents need no migration: stored forms read with what is absent. What is versioned are the indexes and, should it ever
//! change, where things are. One document says which version the database has, and which is the oldest whose software may still
//! run on it: a version first adds what it needs (expand), and only one that comes later, when no older node runs any more, takes
//! away what nobody needs (contract) and raises that floor.

use std::time::Duration;

use mongodb::bson::{DateTime, Document, doc};
use mongodb::error::Error;
use tokio::time::timeout;

use crate::config::MongoConfig;
use crate::connection::{Base, Link};
use crate::documents::{ACCESS, APPLICATIONS, AUDIT, COUNTERS, FLOWS, OUTBOX, SESSIONS, TOMBSTONES, USERS};
use crate::error::{OpenError, is_duplicate};
use crate::indexes;

/// Where the version stands.
const SCHEMA: &str = "schema";
/// Its `_id`, by which we know a database as ours.
const NAME: &str = "portcullis";
/// What this software makes of a database.
const VERSION: u32 = 3;
/// The oldest version whose software may run on what this one makes.
const OLDEST: u32 = 1;
/// How long one question about the schema may take. Building indexes is not bounded: a large collection takes its time.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema version before; 0 for a new database.
    pub from: u32,
    /// The schema version now: larger than what this version makes where a newer one was here before.
    pub to: u32,
}

/// Brings a database to the newest schema and lets it go. [`MongoStore::open`](crate::MongoStore::open) does the same by itself.
///
/// # Errors
/// As [`MongoStore::open`](crate::MongoStore::open).
pub async fn migrate(config: &MongoConfig) -> Result<Migrated, OpenError> {
    let link = Link::open(config).await?;
    let migrated = bring_up_to_date(link.base()).await;
    // Also where the version is the newest already: nodes of the one before may have written until a moment ago.
    let forgotten = match &migrated {
        Ok(_) => forget_addresses(link.base()).await,
        Err(_) => Ok(()),
    };
    link.close().await;
    migrated.and_then(|migrated| forgotten.map(|()| migrated))
}

/// Refuses databases that are not ours or too new, then makes what is missing. Every step may be done by several at once and
/// may be broken off anywhere: the version is written last.
pub(crate) async fn bring_up_to_date(base: &Base) -> Result<Migrated, OpenError> {
    let schema = claim(base).await?;
    let (from, needed) = (number(&schema, "version"), number(&schema, "oldest"));
    if needed > VERSION {
        return Err(OpenError::NewerSchema {
            database: base.database().name().to_owned(),
            needed,
            known: VERSION,
        });
    }
    if from >= VERSION {
        return Ok(Migrated { from, to: from });
    }
    indexes::make(base).await?;
    forget_addresses(base).await?;
    let older = doc! { "_id": NAME, "version": { "$lt": VERSION } };
    let newest = doc! { "$set": { "version": VERSION, "oldest": OLDEST, "migrated": DateTime::now() } };
    bounded(base.of(SCHEMA).update_one(older, newest)).await?;
    tracing::info!(version = VERSION, "database schema migrated");
    Ok(Migrated { from, to: VERSION })
}

/// Version 1 kept clients' addresses in audit events as they were. Not bounded, like the building of indexes.
async fn forget_addresses(base: &Base) -> Result<(), OpenError> {
    let with_address = doc! { "record.address": { "$exists": true } };
    let without = doc! { "$unset": { "record.address": "" } };
    base.of(AUDIT).update_many(with_address, without).await?;
    Ok(())
}

/// The schema of a database that is ours, or so empty that it becomes ours. It is claimed before anything else is made in it, so
/// that a collection of our names without it can only be somebody else's.
async fn claim(base: &Base) -> Result<Document, OpenError> {
    if let Some(schema) = read(base).await? {
        return Ok(schema);
    }
    let names = bounded(base.database().list_collection_names()).await?;
    let ours = [
        USERS,
        SESSIONS,
        FLOWS,
        COUNTERS,
        TOMBSTONES,
        APPLICATIONS,
        ACCESS,
        AUDIT,
        OUTBOX,
    ];
    let meets = names.into_iter().find(|name| ours.contains(&name.as_str()));
    // Another node may have come in between.
    if let Some(schema) = read(base).await? {
        return Ok(schema);
    }
    if let Some(collection) = meets {
        return Err(OpenError::Foreign {
            database: base.database().name().to_owned(),
            collection,
        });
    }
    let claim = doc! { "_id": NAME, "version": 0, "oldest": 0 };
    match bounded(base.of(SCHEMA).insert_one(&claim)).await {
        Err(Trouble::Driver(error)) if !is_duplicate(&error) => return Err(error.into()),
        Err(Trouble::Silence) => return Err(Trouble::Silence.into()),
        Ok(_) | Err(Trouble::Driver(_)) => {}
    }
    Ok(read(base).await?.unwrap_or(claim))
}

async fn read(base: &Base) -> Result<Option<Document>, Trouble> {
    bounded(base.of(SCHEMA).find_one(doc! { "_id": NAME })).await
}

fn number(schema: &Document, field: &str) -> u32 {
    let number = schema.get(field).and_then(|number| match number {
        mongodb::bson::Bson::Int32(number) => u32::try_from(*number).ok(),
        mongodb::bson::Bson::Int64(number) => u32::try_from(*number).ok(),
        _ => None,
    });
    // What is no version was written by nobody who knows this one.
    number.unwrap_or(u32::MAX)
}

/// What a question about the schema may fail with.
enum Trouble {
    Driver(Error),
    Silence,
}

impl From<Trouble> for OpenError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Driver(error) => error.into(),
            Trouble::Silence => Self::Unreachable {
                waited: PATIENCE,
                said: "no answer in time".to_owned(),
            },
        }
    }
}

async fn bounded<T>(question: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, Trouble> {
    match timeout(PATIENCE, question.into_future()).await {
        Ok(answer) => answer.map_err(Trouble::Driver),
        Err(_) => Err(Trouble::Silence),
    }
}
