//! The store: its connections, its memory, the ways in.

use std::sync::Arc;
use std::time::Duration;

use domain::endings::{AskedAt, Endings};
use domain::id::UserKey;
use domain::ports::PortError;
use domain::secret::TokenHash;
use domain::session::Session;
use domain::time::Timestamp;
use domain::user::User;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use store_guard::{Recent, weight_of_session, weight_of_user};

use crate::config::PostgresConfig;
use crate::error::OpenError;
use crate::migrate;
use crate::pool::{Pool, Repeat};
use crate::rows;
use crate::statement::{Job, Statement, Value};

/// Users as they were a moment ago.
pub(crate) type Users = Recent<UserKey, Arc<User>>;
/// Sessions as they were within the last half second.
pub(crate) type Sessions = Recent<TokenHash, Seen>;

/// What is older is of no use to anybody who asks for something recent.
const OLDEST: Duration = Duration::from_secs(10);
/// Rows one statement purges: others get their turn between.
pub(crate) const PURGED_AT_ONCE: u64 = 500;

const READY: &str = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'";

/// A session, and when it was asked for, counted in endings.
#[derive(Clone)]
pub(crate) struct Seen {
    pub session: Arc<Session>,
    pub asked: AskedAt,
}

/// One database, shared with any number of other nodes.
pub struct PostgresStore {
    pool: Arc<Pool>,
    pub(crate) users: Arc<Users>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) endings: Arc<Endings>,
}

impl PostgresStore {
    /// Connects, brings the schema as far as is safe beside older nodes, and is ready to serve. Waits a while for a database that
    /// is not there yet.
    ///
    /// # Errors
    /// Whatever [`OpenError`] lists, each with a sentence for the operator.
    pub async fn open(config: &PostgresConfig) -> Result<Self, OpenError> {
        migrate::prepare(config).await?;
        Ok(Self {
            pool: Arc::new(Pool::new(config)?),
            users: Arc::new(Recent::new(config.user_cache_bytes, OLDEST, |user| {
                weight_of_user(user)
            })),
            sessions: Arc::new(Recent::new(config.session_cache_bytes, OLDEST, |seen| {
                weight_of_session(&seen.session)
            })),
            endings: Arc::default(),
        })
    }

    /// Whether the store can do its work: a server answers and takes writes.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] when it cannot, [`PortError::Busy`] when it has too much to do.
    pub async fn ready(&self) -> Result<(), PortError> {
        let answer = self.read(READY, Vec::new()).await?;
        let read_only = answer.first().and_then(|row| row.try_get(0).ok()).unwrap_or(true);
        if read_only {
            return Err(PortError::unavailable("the database takes no writes"));
        }
        Ok(())
    }

    /// Finishes what was taken on and lets go of all connections. Calls that come later are answered as unavailable.
    ///
    /// # Errors
    /// None so far.
    pub async fn close(&self) -> Result<(), PortError> {
        self.pool.close().await;
        Ok(())
    }

    /// Reads by one statement.
    pub(crate) async fn read(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<PgRow>, PortError> {
        let answer = self
            .pool
            .perform(Statement::new(sql, values), Repeat::Freely)
            .await;
        Ok(answer?)
    }

    /// Writes by one statement, and answers with the rows it returns.
    pub(crate) async fn write(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<PgRow>, PortError> {
        self.work(Statement::new(sql, values)).await
    }

    /// Writes by a piece of work.
    pub(crate) async fn work<J: Job>(&self, job: J) -> Result<J::Done, PortError> {
        Ok(self.pool.perform(job, Repeat::Never).await?)
    }

    /// Runs a statement that purges up to so many rows that were over before `now` and returns one row for each, until none is
    /// left.
    pub(crate) async fn purge_by(&self, sql: &'static str, now: Timestamp) -> Result<u64, PortError> {
        let mut purged = 0;
        loop {
            let values = vec![now.as_millis().into(), PURGED_AT_ONCE.cast_signed().into()];
            let some = rows::count(self.write(sql, values).await?.len());
            purged += some;
            if some < PURGED_AT_ONCE {
                return Ok(purged);
            }
        }
    }
}
