//! The schema and its versions.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::OpenError;
use crate::{connection, files};

/// "Port" in the file's header, so that `file(1)` and we tell our databases from others.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Port");

/// One step of the schema. Versions count from 1 without gaps; a step that was released is never edited.
struct Migration {
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "initial",
        sql: include_str!("../migrations/0001_initial.sql"),
    },
    Migration {
        name: "identities",
        sql: include_str!("../migrations/0002_identities.sql"),
    },
    Migration {
        name: "tombstones",
        sql: include_str!("../migrations/0003_tombstones.sql"),
    },
    Migration {
        name: "factors",
        sql: include_str!("../migrations/0004_factors.sql"),
    },
    Migration {
        name: "access",
        sql: include_str!("../migrations/0005_access.sql"),
    },
    Migration {
        name: "lanes",
        sql: include_str!("../migrations/0006_lanes.sql"),
    },
];

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema version before; 0 for a new file.
    pub from: u32,
    /// The schema version now.
    pub to: u32,
}

/// Brings a database to the newest schema and closes it again. [`SqliteStore::open`](crate::SqliteStore::open) does the same
/// by itself. Blocks.
///
/// # Errors
/// As [`SqliteStore::open`](crate::SqliteStore::open).
pub fn migrate(path: &Path) -> Result<Migrated, OpenError> {
    let claim = files::claim(path)?;
    let mut connection = connection::open_to_write(&claim.path, Duration::from_secs(5))
        .map_err(OpenError::database(&claim.path))?;
    bring_up_to_date(&mut connection, &claim.path)
}

/// Refuses files that are not ours or too new, then makes commits durable and runs what is missing.
pub(crate) fn bring_up_to_date(connection: &mut Connection, path: &Path) -> Result<Migrated, OpenError> {
    run(connection, path, MIGRATIONS)
}

fn run(connection: &mut Connection, path: &Path, migrations: &[Migration]) -> Result<Migrated, OpenError> {
    let failed = OpenError::database(path);
    let from = version(connection).map_err(&failed)?;
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if !is_ours(connection).map_err(&failed)? {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    if from > known {
        return Err(OpenError::NewerSchema {
            path: path.to_owned(),
            found: from,
            known,
        });
    }
    connection::make_durable(connection).map_err(&failed)?;
    for (version, migration) in (1..).zip(migrations).skip_while(|(version, _)| *version <= from) {
        step(connection, version, migration).map_err(&failed)?;
        tracing::info!(version, name = migration.name, "database schema migrated");
    }
    Ok(Migrated { from, to: known })
}

/// One migration in one transaction, its version number included: half of it is never seen, however the process ends.
fn step(connection: &mut Connection, version: u32, migration: &Migration) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
            version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied INTEGER NOT NULL
        ) STRICT;",
    )?;
    transaction.execute_batch(migration.sql)?;
    transaction.execute(
        "INSERT INTO schema_migrations (version, name, applied) VALUES (?1, ?2, unixepoch() * 1000)",
        (version, migration.name),
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whether the file bears our mark, or is so empty that it can get it.
fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let objects: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(id == APPLICATION_ID || (id == 0 && objects == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration = Migration {
        name: "first",
        sql: "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);",
    };
    const SECOND: Migration = Migration {
        name: "second",
        sql: "ALTER TABLE a ADD COLUMN y INTEGER; CREATE TABLE b (z INTEGER) STRICT;",
    };

    fn tables(connection: &Connection) -> i64 {
        let count = "SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')";
        connection.query_row(count, [], |row| row.get(0)).unwrap()
    }

    fn database() -> (tempfile::TempDir, Connection) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        std::fs::write(&path, b"").unwrap();
        let connection = connection::open_to_write(&path, Duration::from_secs(1)).unwrap();
        (directory, connection)
    }

    #[test]
    fn a_migration_that_fails_half_way_leaves_nothing_and_completes_at_the_next_start() {
        let (_directory, mut connection) = database();
        let path = Path::new("a.db");
        let broken = Migration {
            name: "second",
            sql: "CREATE TABLE b (z INTEGER) STRICT; CREATE TABLE a (x INTEGER) STRICT;",
        };
        assert!(run(&mut connection, path, &[FIRST, broken]).is_err());
        assert_eq!((version(&connection).unwrap(), tables(&connection)), (1, 1));
        let done = run(&mut connection, path, &[FIRST, SECOND]).unwrap();
        assert_eq!(done, Migrated { from: 1, to: 2 });
        assert_eq!((version(&connection).unwrap(), tables(&connection)), (2, 2));
    }

    #[test]
    fn a_copy_taken_in_the_middle_of_a_migration_starts_from_the_version_before() {
        let (directory, mut connection) = database();
        run(&mut connection, Path::new("a.db"), &[FIRST]).unwrap();
        // So small a cache that the unfinished migration reaches the disk before its commit.
        connection.pragma_update(None, "cache_size", 1).unwrap();
        connection
            .execute_batch("BEGIN IMMEDIATE; CREATE TABLE b (z TEXT) STRICT;")
            .unwrap();
        for _ in 0..50 {
            connection
                .execute("INSERT INTO b VALUES (?1)", ["x".repeat(5_000)])
                .unwrap();
        }
        let copy = directory.path().join("copy.db");
        std::fs::copy(directory.path().join("a.db"), &copy).unwrap();
        std::fs::copy(
            directory.path().join("a.db-wal"),
            directory.path().join("copy.db-wal"),
        )
        .unwrap();
        let mut survivor = connection::open_to_write(&copy, Duration::from_secs(1)).unwrap();
        let done = run(&mut survivor, &copy, &[FIRST, SECOND]).unwrap();
        assert_eq!(done, Migrated { from: 1, to: 2 });
    }

    #[test]
    fn running_twice_changes_nothing() {
        let (_directory, mut connection) = database();
        let path = Path::new("a.db");
        run(&mut connection, path, &[FIRST, SECOND]).unwrap();
        let again = run(&mut connection, path, &[FIRST, SECOND]).unwrap();
        assert_eq!(again, Migrated { from: 2, to: 2 });
        let log: u32 = connection
            .query_row("SELECT count(*) FROM schema_migrations", [], |row| row.get(0))
            .unwrap();
        assert_eq!(log, 2);
    }
}
