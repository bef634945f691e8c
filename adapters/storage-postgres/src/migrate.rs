//! Schema versions.
//!
//! *Expand* migrations only add, so that a node of the version before goes on working beside them: they run by themselves when a
//! node starts. *Contract* migrations take away what nodes of some version still need: they run only by [`migrate`], and leave
//! behind the oldest version that may still run. Any number of nodes may start at once: an advisory lock lets one of them work.

mod steps;

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use tokio::time::sleep;

use self::steps::{Kind, MIGRATIONS, Migration};
use crate::config::PostgresConfig;
use crate::connection::{self, Refusal};
use crate::error::{Fault, OpenError, said};
use crate::statement::{Value, bound};

/// Names our lock among those of the database: "portcull" in ASCII.
const LOCK: i64 = 0x706f_7274_6375_6c6c;
/// Between two looks at the lock. Waiting *inside* the server would keep a snapshot, for which an index that is made beside the
/// traffic waits in turn.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two tries to connect.
const CALL_EVERY: Duration = Duration::from_millis(250);
const CONNECT: Duration = Duration::from_secs(5);
/// A step that waits for a table makes everybody wait who comes after it: rather step back and come again.
const TRIES: u32 = 5;

const TABLES: &[&str] = &[
    "users",
    "identity_keys",
    "role_members",
    "sessions",
    "flows",
    "counters",
    "applications",
    "access",
    "audit",
    "tombstones",
    "outbox",
];
const TABLE: &str = "\
    CREATE TABLE IF NOT EXISTS portcullis_migrations (\
        version integer PRIMARY KEY, name text NOT NULL, checksum bytea NOT NULL, oldest integer NOT NULL, \
        applied timestamptz NOT NULL DEFAULT now()\
    )";
const INTRODUCE: &str = "SELECT current_setting('server_encoding'), current_setting('fsync')";
const IS_OURS: &str = "\
    SELECT relname::text FROM pg_class \
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY($1 || 'portcullis_migrations'::text) \
    ORDER BY relname = 'portcullis_migrations' DESC, relname LIMIT 1";
const APPLIED: &str = "SELECT version, oldest FROM portcullis_migrations ORDER BY version";
const ALTERED: &str = "\
    SELECT applied.version FROM portcullis_migrations AS applied \
    JOIN unnest($1::bytea[]) WITH ORDINALITY AS known(text, version) ON applied.version = known.version \
    WHERE applied.checksum <> sha256(known.text) ORDER BY 1 LIMIT 1";
const RECORD: &str =
    "INSERT INTO portcullis_migrations (version, name, checksum, oldest) VALUES ($1, $2, sha256($3), $4)";

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The newest schema version before; 0 for an empty database.
    pub from: u32,
    /// The newest schema version now.
    pub to: u32,
}

/// Which steps may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steps {
    Safe,
    All,
}

/// Brings a database to the newest schema, contractions included: nodes of older versions may not work with it any more. Waits a
/// while for a database that is not there yet.
///
/// # Errors
/// As [`PostgresStore::open`](crate::PostgresStore::open).
pub async fn migrate(config: &PostgresConfig) -> Result<Migrated, OpenError> {
    patiently(config, Steps::All).await
}

/// Brings a database as far as nodes of older versions can go along.
pub(crate) async fn prepare(config: &PostgresConfig) -> Result<Migrated, OpenError> {
    patiently(config, Steps::Safe).await
}

/// A server that goes away in the middle is waited for once more: what was not finished was not begun.
async fn patiently(config: &PostgresConfig, steps: Steps) -> Result<Migrated, OpenError> {
    let began = Instant::now();
    loop {
        let mut connection = reach(config).await?;
        let migrated = run(&mut connection, MIGRATIONS, steps).await;
        let _said_goodbye = connection.close().await;
        match migrated {
            Err(OpenError::Lost { .. }) if began.elapsed() < config.patience => sleep(CALL_EVERY).await,
            migrated => return migrated,
        }
    }
}

/// Connects, waiting for a server that is not there yet.
async fn reach(config: &PostgresConfig) -> Result<PgConnection, OpenError> {
    let places = connection::patient(config.places()?, config);
    let place = || {
        places
            .iter()
            .map(|place| place.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let began = Instant::now();
    loop {
        let refused = match connection::open_any(&places, 0, CONNECT).await {
            Ok((_, connection)) => return Ok(connection),
            Err(refused) => refused,
        };
        let problem = refused.said.to_string();
        if refused.kind == Refusal::Stays {
            return Err(OpenError::Refused {
                place: place(),
                problem,
            });
        }
        let waited = began.elapsed();
        if waited + CALL_EVERY > config.patience {
            return Err(OpenError::Unreachable {
                place: place(),
                problem,
                waited: waited.as_secs(),
            });
        }
        tracing::info!(reason = problem, "waiting for PostgreSQL");
        sleep(CALL_EVERY).await;
    }
}

fn failed(step: impl Into<String>) -> impl FnOnce(sqlx::Error) -> OpenError {
    let step = step.into();
    move |error| {
        let problem = said(&error).to_string();
        match Fault::from(error) {
            Fault::Broken(_) => OpenError::Lost { step, problem },
            Fault::Port(_) | Fault::Conflict(_) => OpenError::Database { step, problem },
        }
    }
}

/// What was applied so far.
#[derive(Debug, Default)]
struct State {
    applied: Vec<u32>,
    oldest: u32,
}

impl State {
    fn version(&self) -> u32 {
        self.applied.iter().copied().max().unwrap_or_default()
    }

    fn misses(&self, migrations: &[Migration], steps: Steps) -> Vec<(u32, Migration)> {
        let is_missing = |version: &u32, migration: &Migration| {
            let may_run = steps == Steps::All || !matches!(migration.kind, Kind::Contract { .. });
            may_run && !self.applied.contains(version)
        };
        (1..)
            .zip(migrations.iter().copied())
            .filter(|(version, migration)| is_missing(version, migration))
            .collect()
    }
}

async fn run(
    connection: &mut PgConnection,
    migrations: &[Migration],
    steps: Steps,
) -> Result<Migrated, OpenError> {
    look_around(connection).await?;
    let before = state(connection, migrations).await?;
    if before.misses(migrations, steps).is_empty() {
        let version = before.version();
        return Ok(Migrated {
            from: version,
            to: version,
        });
    }
    wait_for_turn(connection).await?;
    // Somebody else may have done it all meanwhile.
    let before = state(connection, migrations).await?;
    for (version, migration) in before.misses(migrations, steps) {
        apply(connection, version, migration).await?;
        tracing::info!(version, name = migration.name, "database schema migrated");
    }
    let after = state(connection, migrations).await?;
    bound("SELECT pg_advisory_unlock($1)", &[Value::Int(LOCK)])
        .execute(connection)
        .await
        .map_err(failed("giving the lock back"))?;
    Ok(Migrated {
        from: before.version(),
        to: after.version(),
    })
}

/// What matters about the server before anything is written.
async fn look_around(connection: &mut PgConnection) -> Result<(), OpenError> {
    let failed = || failed("reading the server's settings");
    let row = bound(INTRODUCE, &[])
        .fetch_one(connection)
        .await
        .map_err(failed())?;
    let encoding: String = row.try_get(0).map_err(failed())?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { found: encoding });
    }
    let fsync: String = row.try_get(1).map_err(failed())?;
    if fsync == "off" {
        tracing::warn!("PostgreSQL runs with fsync = off: a crash of its machine loses what it acknowledged");
    }
    Ok(())
}

/// What was applied; refuses a database that is not ours, was altered, or is too new.
async fn state(connection: &mut PgConnection, migrations: &[Migration]) -> Result<State, OpenError> {
    let failed = || failed("reading the schema version");
    let tables = Value::Texts(TABLES.iter().map(|table| (*table).to_owned()).collect());
    let found = bound(IS_OURS, &[tables])
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed())?;
    let Some(found) = found else {
        return Ok(State::default());
    };
    let table: String = found.try_get(0).map_err(failed())?;
    if table != "portcullis_migrations" {
        return Err(OpenError::Foreign { table });
    }
    let mut state = State::default();
    for row in bound(APPLIED, &[])
        .fetch_all(&mut *connection)
        .await
        .map_err(failed())?
    {
        let number = |column: usize| row.try_get::<i32, _>(column).map(i32::unsigned_abs);
        state.applied.push(number(0).map_err(failed())?);
        state.oldest = state.oldest.max(number(1).map_err(failed())?);
    }
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if state.oldest > known {
        return Err(OpenError::NewerSchema {
            found: state.version(),
            oldest: state.oldest,
            known,
        });
    }
    let texts = migrations
        .iter()
        .map(|migration| migration.sql.as_bytes().to_vec());
    let altered = bound(ALTERED, &[Value::ManyBytes(texts.collect())])
        .fetch_optional(connection)
        .await
        .map_err(failed())?;
    match altered.map(|row| row.try_get::<i32, _>(0)).transpose() {
        Ok(None) => Ok(state),
        Ok(Some(version)) => Err(OpenError::Altered {
            version: version.unsigned_abs(),
        }),
        Err(error) => Err(failed()(error)),
    }
}

/// Waits until nobody else migrates. The lock goes away with the connection, however this process ends.
async fn wait_for_turn(connection: &mut PgConnection) -> Result<(), OpenError> {
    let failed = || failed("waiting for other nodes to start");
    loop {
        let row = bound("SELECT pg_try_advisory_lock($1)", &[Value::Int(LOCK)])
            .fetch_one(&mut *connection)
            .await
            .map_err(failed())?;
        if row.try_get(0).map_err(failed())? {
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn apply(connection: &mut PgConnection, version: u32, migration: Migration) -> Result<(), OpenError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let answer = match migration.kind {
            Kind::ExpandBesideTraffic => beside_traffic(connection, version, migration).await,
            Kind::Expand | Kind::Contract { .. } => in_transaction(connection, version, migration).await,
        };
        let Err(error) = answer else { return Ok(()) };
        let is_in_the_way = matches!(code(&error).as_deref(), Some("55P03" | "40P01"));
        if !is_in_the_way || tries == TRIES {
            return Err(failed(format!("step {version}, {}", migration.name))(error));
        }
        sleep(LOOK_EVERY * tries).await;
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?;
    error.code().map(std::borrow::Cow::into_owned)
}

/// One migration in one transaction, its version number included: half of it is never seen, however the process ends.
async fn in_transaction(
    connection: &mut PgConnection,
    version: u32,
    migration: Migration,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql("SET LOCAL lock_timeout = '5s'")
        .execute(&mut *transaction)
        .await?;
    sqlx::raw_sql(TABLE).execute(&mut *transaction).await?;
    sqlx::raw_sql(migration.sql).execute(&mut *transaction).await?;
    record(&mut transaction, version, migration).await?;
    transaction.commit().await
}

async fn beside_traffic(
    connection: &mut PgConnection,
    version: u32,
    migration: Migration,
) -> Result<(), sqlx::Error> {
    for statement in migration
        .sql
        .split_inclusive(';')
        .filter(|text| text.contains(';'))
    {
        sqlx::raw_sql(statement).execute(&mut *connection).await?;
    }
    record(connection, version, migration).await
}

async fn record(
    connection: &mut PgConnection,
    version: u32,
    migration: Migration,
) -> Result<(), sqlx::Error> {
    let oldest = match migration.kind {
        Kind::Contract { oldest } => oldest,
        Kind::Expand | Kind::ExpandBesideTraffic => 0,
    };
    sqlx::query(RECORD)
        .bind(version.cast_signed())
        .bind(migration.name)
        .bind(migration.sql.as_bytes())
        .bind(oldest.cast_signed())
        .execute(connection)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests;
