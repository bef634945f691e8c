//! The store: its connections, its threads, its cache.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use domain::ports::PortError;
use domain::time::Timestamp;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::cache::{Cache, Caches, Touched};
use crate::config::SqliteConfig;
use crate::crew::{Crew, gone};
use crate::error::{Answer, OpenError};
use crate::writer::{Job, Writer};
use crate::{connection, files, migrate, rows, writer};

/// Rows one transaction purges: others get their turn between.
pub(crate) const PURGED_AT_ONCE: u64 = 500;

type ReadJob = Box<dyn FnOnce(&Connection) + Send>;

/// One database file, opened for this process alone.
pub struct SqliteStore {
    // Dropped in this order: the log can only be folded into the file when nobody reads any more.
    readers: Crew<ReadJob>,
    writer: Crew<Box<dyn Job>>,
    pub(crate) caches: Arc<Caches>,
}

impl SqliteStore {
    /// Opens the database, makes it if it is not there, and brings its schema up to date. Blocks, and starts the store's
    /// threads.
    ///
    /// # Errors
    /// [`OpenError::InUse`] when somebody else has it open, [`OpenError::NewerSchema`] when a newer version wrote it,
    /// [`OpenError::Foreign`] when it is something else, and whatever the file system or SQLite say.
    pub fn open(config: &SqliteConfig) -> Result<Self, OpenError> {
        let claim = files::claim(&config.path)?;
        let path = claim.path.clone();
        let failed = OpenError::database(&path);
        let mut connection = connection::open_to_write(&path, config.busy_timeout).map_err(&failed)?;
        migrate::bring_up_to_date(&mut connection, &path)?;
        let readers = (0..config.readers.max(1))
            .map(|_| connection::open_to_read(&path, config.busy_timeout))
            .collect::<Result<Vec<_>, _>>()
            .map_err(&failed)?;
        let caches = Arc::new(Caches::new(config));
        let writer = Writer {
            connection,
            caches: Arc::clone(&caches),
            claim,
        };
        let started =
            || -> std::io::Result<_> { Ok((read_crew(readers, config)?, write_crew(writer, config)?)) };
        let (readers, writer) = started().map_err(OpenError::file(&path))?;
        Ok(Self {
            readers,
            writer,
            caches,
        })
    }

    /// Whether the store can do its work: a real read, and the write lock taken and given back.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] when it cannot, [`PortError::Busy`] when it has too much to do.
    pub async fn ready(&self) -> Result<(), PortError> {
        self.read(|connection| {
            Ok(
                connection.query_row("SELECT count(*) FROM schema_migrations", [], |row| {
                    row.get::<_, i64>(0)
                })?,
            )
        })
        .await?;
        self.write(|_, _| Ok(())).await
    }

    /// Finishes what was taken on, folds the write-ahead log into the file and lets go of it. Calls that come later are
    /// answered as unavailable. Dropping the store does the same, but blocks.
    pub async fn close(&self) -> Result<(), PortError> {
        self.readers.stop().await?;
        self.writer.stop().await
    }

    /// Reads on a thread of its own.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Answer<T> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        self.readers.submit(Box::new(move |connection| {
            if !caller.is_closed() {
                let _heard = caller.send(work(connection).map_err(PortError::from)).is_ok();
            }
        }))?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Writes in the next group commit.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &mut Touched) -> Answer<T> + Send + 'static,
    {
        writer::write(&self.writer, work).await
    }

    /// Runs a statement that purges up to so many rows that were over before `now`, until none is left.
    pub(crate) async fn purge_by(&self, sql: &'static str, now: Timestamp) -> Result<u64, PortError> {
        let parameters = (now.as_millis(), PURGED_AT_ONCE.cast_signed());
        let mut purged = 0;
        loop {
            let some = self
                .write(move |connection, _| {
                    let some = connection.prepare_cached(sql)?.execute(parameters)?;
                    Ok(rows::count(some))
                })
                .await?;
            purged += some;
            if some < PURGED_AT_ONCE {
                return Ok(purged);
            }
        }
    }

    /// Reads a row through its cache. The answer is as new as the moment it is given, not as the moment it was asked for: a row
    /// that was changed between is read again.
    pub(crate) async fn read_through<K, V>(
        &self,
        cache: &Cache<K, V>,
        key: &K,
        load: fn(&Connection, &K) -> Answer<Option<V>>,
    ) -> Result<Option<V>, PortError>
    where
        K: Hash + Eq + Clone + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        loop {
            if let Some(row) = cache.get(key) {
                return Ok(Some(row));
            }
            let ticket = cache.ticket(key);
            let wanted = key.clone();
            let row = self.read(move |connection| load(connection, &wanted)).await?;
            if cache.settle(key, ticket, row.as_ref()) {
                return Ok(row);
            }
        }
    }
}

fn read_crew(connections: Vec<Connection>, config: &SqliteConfig) -> std::io::Result<Crew<ReadJob>> {
    let (sender, queue) = mpsc::channel::<ReadJob>(config.queue.max(1));
    let queue = Arc::new(Mutex::new(queue));
    let start = |connection: Connection| {
        let queue = Arc::clone(&queue);
        thread::Builder::new()
            .name("sqlite-reader".to_owned())
            .spawn(move || {
                // The lock is held while waiting, by whoever is next in turn.
                let next = || {
                    queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .blocking_recv()
                };
                while let Some(job) = next() {
                    job(&connection);
                }
            })
    };
    let threads = connections
        .into_iter()
        .map(start)
        .collect::<std::io::Result<_>>()?;
    Ok(Crew::new(sender, threads))
}

fn write_crew(writer: Writer, config: &SqliteConfig) -> std::io::Result<Crew<Box<dyn Job>>> {
    let (sender, queue) = mpsc::channel(config.queue.max(1));
    let thread = thread::Builder::new()
        .name("sqlite-writer".to_owned())
        .spawn(move || writer.serve(queue))?;
    Ok(Crew::new(sender, vec![thread]))
}
