//! The way to the database: how many calls at once, how long each, and what none of them waits for.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::ports::PortError;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection, Database};
use store_guard::Breaker;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::address::{self, server_side};
use crate::config::MongoConfig;
use crate::error::{Answer, OpenError, Said, busy, is_refusal};

/// How long work may go on that nobody waits for any more. The driver notices a dead connection long before.
const ABANDONED: Duration = Duration::from_secs(30);

/// How long a client that is let go may take for it.
const GOODBYE: Duration = Duration::from_secs(2);

/// The collections, with the reads all ports are made of. Reads go to the primary, writes are acknowledged by a majority: both
/// stand in the client's options.
#[derive(Clone)]
pub(crate) struct Base {
    database: Database,
    bound: Duration,
}

impl Base {
    pub fn of(&self, collection: &str) -> Collection<Document> {
        self.database.collection(collection)
    }

    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// The one document that fits.
    pub async fn first(&self, collection: &str, filter: Document) -> Answer<Option<Document>> {
        let collection = self.of(collection);
        Ok(collection.find_one(filter).max_time(self.bound).await?)
    }

    /// All documents that fit, at most `limit` of them.
    pub async fn all(
        &self,
        collection: &str,
        filter: Document,
        sort: Document,
        limit: usize,
    ) -> Answer<Vec<Document>> {
        if limit == 0 {
            // To the server, no limit.
            return Ok(Vec::new());
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let collection = self.of(collection);
        let find = collection.find(filter).sort(sort).max_time(self.bound);
        Ok(find.limit(limit).await?.try_collect().await?)
    }

    /// The `_id`s of documents that fit: at most `limit` behind the first `skip`.
    pub async fn ids(
        &self,
        collection: &str,
        filter: Document,
        sort: Document,
        skip: u64,
        limit: usize,
    ) -> Answer<Vec<Bson>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let collection = self.of(collection);
        let find = collection.find(filter).sort(sort).projection(doc! { "_id": 1 });
        let find = find.skip(skip).limit(limit).max_time(self.bound);
        let found: Vec<Document> = find.await?.try_collect().await?;
        Ok(found.into_iter().filter_map(|mut it| it.remove("_id")).collect())
    }

    /// Removes the one document that fits and hands it over, to exactly one of any number of callers.
    pub async fn take(&self, collection: &str, filter: Document) -> Answer<Option<Document>> {
        let collection = self.of(collection);
        let take = collection.find_one_and_delete(filter).max_time(self.bound);
        Ok(take.await?)
    }

    /// Removes up to `limit` documents whose `field` is below `before`, and says how many were found and how many of them were
    /// still such when they were removed.
    pub async fn drop_below(
        &self,
        collection: &str,
        field: &str,
        before: i64,
        limit: usize,
    ) -> Answer<(usize, u64)> {
        let collection = self.of(collection);
        let find = collection.find(doc! { field: { "$lt": before } });
        let find = find.projection(doc! { "_id": 1 }).max_time(self.bound);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found: Vec<Document> = find.limit(limit).await?.try_collect().await?;
        let ids: Vec<_> = found.iter().filter_map(|it| it.get("_id").cloned()).collect();
        let filter = doc! { "_id": { "$in": &ids }, field: { "$lt": before } };
        if ids.is_empty() {
            return Ok((0, 0));
        }
        let removed = collection.delete_many(filter).await?;
        Ok((ids.len(), removed.deleted_count))
    }
}

/// Time between two looks at a database that does not answer.
const LOOKS: Duration = Duration::from_millis(200);

/// A database that is known to be there.
pub(crate) struct Link {
    client: Client,
    base: Base,
    breaker: Breaker,
    closed: AtomicBool,
    at_once: Arc<Semaphore>,
    most: u32,
    waiting: Semaphore,
    wait: Duration,
    bound: Duration,
}

impl Link {
    /// Connects, and waits for a database that is not there yet.
    pub async fn open(config: &MongoConfig) -> Result<Arc<Self>, OpenError> {
        let options = address::options(config).await?;
        let client = connect(options, config).await?;
        // The options name one in any case.
        let database = client
            .default_database()
            .unwrap_or_else(|| client.database("portcullis"));
        let bound = server_side(config.operation_timeout);
        let most = config.max_connections.max(1);
        let at_once = usize::try_from(most).unwrap_or(1);
        Ok(Arc::new(Self {
            base: Base { database, bound },
            client,
            breaker: Breaker::default(),
            closed: AtomicBool::new(false),
            at_once: Arc::new(Semaphore::new(at_once)),
            most,
            waiting: Semaphore::new(at_once.saturating_add(config.queue)),
            wait: config.operation_timeout.mul_f32(0.66),
            bound: config.operation_timeout,
        }))
    }

    pub const fn base(&self) -> &Base {
        &self.base
    }

    /// Does a piece of work, and answers within the bounds whether it is done or not.
    ///
    /// The driver's futures are never dropped half-way: a request dropped while it waits for a connection stays in the driver's
    /// queue, which hands out one connection at a time to those who wait and to those who are gone alike, and a connection dropped
    /// while its answer is awaited has to be thrown away. So work goes on in a task of its own, keeping its turn, and what
    /// came too late for its caller is still done or not done as a whole.
    ///
    /// # Errors
    /// What the work says; [`PortError::Unavailable`] without an answer in time; [`PortError::Busy`] when too many wait.
    pub async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = Answer<T>> + Send + 'static,
    ) -> Result<T, PortError> {
        let began = Instant::now();
        self.check()?;
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        let turn = self.turn().await?;
        self.check()?;
        let task = tokio::spawn(async move {
            let _turn = turn;
            timeout(ABANDONED, work).await
        });
        let left = self.bound.saturating_sub(began.elapsed());
        match timeout(left, task).await {
            Ok(Ok(Ok(Ok(answer)))) => Ok(answer),
            Ok(Ok(Ok(Err(fault)))) => {
                if fault.is_silence() {
                    self.fell_silent("no connection");
                }
                Err(fault.into())
            }
            Ok(Err(ended)) => Err(PortError::Unavailable {
                source: Box::new(ended),
                retry: false,
            }),
            Ok(Ok(Err(_))) | Err(_) => {
                // Who came late to a turn waited too short for a silence to mean anything.
                if left * 4 >= self.bound * 3 {
                    self.fell_silent("no answer in time");
                }
                Err(PortError::unavailable("no answer in time"))
            }
        }
    }

    /// Whether the database takes writes now.
    pub async fn ready(self: &Arc<Self>) -> Result<(), PortError> {
        let database = self.base.database().clone();
        self.call(async move {
            database.run_command(doc! { "ping": 1 }).await?;
            Ok(())
        })
        .await
    }

    /// Lets the connections go. Calls are refused from now on.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // Work under way holds one of them each.
        drop(timeout(self.bound, self.at_once.acquire_many(self.most)).await);
        drop(timeout(GOODBYE, self.client.clone().shutdown().immediate(true)).await);
    }

    fn check(&self) -> Result<(), PortError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(PortError::Unavailable {
                source: "the store is closed".into(),
                retry: false,
            });
        }
        self.breaker.check()
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, PortError> {
        match timeout(self.wait, Arc::clone(&self.at_once).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(PortError::unavailable("no connection became free in time")),
        }
    }

    /// Refuses calls from now on, and looks until the database is well again or nobody needs it any more.
    fn fell_silent(self: &Arc<Self>, why: &'static str) {
        if !self.breaker.open(why) {
            return;
        }
        tracing::warn!(why, "the database does not answer");
        let (link, began) = (Arc::downgrade(self), Instant::now());
        tokio::spawn(async move {
            while let Some(link) = link.upgrade().filter(|link| !link.closed.load(Ordering::SeqCst)) {
                if link.is_well().await {
                    link.breaker.close();
                    tracing::info!(after = ?began.elapsed(), "the database answers again");
                    return;
                }
                drop(link);
                tokio::time::sleep(LOOKS).await;
            }
        });
    }

    /// Waits for an answer as long as the driver does, which gives up when its own monitor hears nothing.
    async fn is_well(&self) -> bool {
        let ping = self.base.database().run_command(doc! { "ping": 1 });
        matches!(timeout(ABANDONED, ping).await, Ok(Ok(_)))
    }
}

/// A client whose database answered once.
async fn connect(options: ClientOptions, config: &MongoConfig) -> Result<Client, OpenError> {
    let client = Client::with_options(options)?;
    let admin = client.database("admin");
    let began = Instant::now();
    loop {
        let ping = admin.run_command(doc! { "ping": 1 });
        let said = match timeout(config.operation_timeout, ping).await {
            Ok(Ok(_)) => return Ok(client),
            Ok(Err(error)) if is_refusal(&error) => return Err(error.into()),
            Ok(Err(error)) => Said::of(&error).to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        let waited = began.elapsed();
        if waited >= config.patience {
            return Err(OpenError::Unreachable { waited, said });
        }
        tracing::info!(said, "waiting for the database");
        tokio::time::sleep(LOOKS).await;
    }
}
