//! Out of the stores: pages from the ports, line after line, never more in memory than a page.

use std::collections::BTreeSet;
use std::io::Write;

use domain::id::{ApplicationId, PoolName, UserId};
use domain::ports::{PageMark, SessionStore};
use domain::session::{Session, Standing};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

use super::access;
use super::error::TransferError;
use super::frame::{End, Header, end_line, header_line};
use super::message::travels;
use super::progress::{Progress, Unit};
use super::reading::hex;
use super::record::Record;
use super::stores::{AT_ONCE, Stores, persist};
use super::tally::Tallies;

/// Records a store is asked for at once.
const PAGE: usize = 200;

/// What was written so far: all that is needed to go on.
#[derive(Clone, Debug, Default)]
pub struct Written {
    pub(super) hasher: Sha256,
    pub(super) tallies: Tallies,
    pub(super) keys: BTreeSet<String>,
}

impl Written {
    /// How many records of each kind, and their digests.
    pub const fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// The ids of the keys that sealed values name, in order. The values are worth nothing without them.
    pub const fn keys(&self) -> &BTreeSet<String> {
        &self.keys
    }

    /// Remembers the keys that a record's sealed values name.
    pub(super) fn note_keys(&mut self, record: &Record) {
        for sealed in record.sealed() {
            if let Some(id) = seal_local::key_id_of(sealed)
                && !self.keys.contains(&id)
            {
                self.keys.insert(id);
            }
        }
    }
}

/// Where an export goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// At the roles and rules.
    Access,
    /// In this pool of the header's, behind this user.
    Users(usize, Option<UserId>),
    /// Behind this application.
    Applications(Option<ApplicationId>),
    /// At the first session: the order of sessions and of messages is the store's own, and a listing cannot be taken up from a line.
    Sessions,
}

impl Position {
    /// Where an export begins.
    pub const START: Self = Self::Access;
}

/// Takes lines.
pub struct Sink<W> {
    out: W,
    written: Written,
}

impl<W: Write> Sink<W> {
    /// One that begins with a header.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(out: W, header: &Header) -> Result<Self, TransferError> {
        let mut sink = Self::resume(out, Written::default());
        sink.line(&header_line(header).map_err(|error| unwritable(&error))?)?;
        Ok(sink)
    }

    /// One that goes on.
    pub(super) const fn resume(out: W, written: Written) -> Self {
        Self { out, written }
    }

    /// Writes one record.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn record(&mut self, record: &Record) -> Result<(), TransferError> {
        let line = record.to_line().map_err(|error| unwritable(&error))?;
        self.line(&line)?;
        self.written.tallies.of(record.kind()).add(line.as_bytes());
        self.written.note_keys(record);
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), TransferError> {
        for part in [line.as_bytes(), b"\n"] {
            self.written.hasher.update(part);
            self.out.write_all(part).map_err(TransferError::file("writing"))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TransferError> {
        self.out.flush().map_err(TransferError::file("writing"))
    }

    /// Writes the last line, and gives back what was written to.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> Result<(W, Written), TransferError> {
        let written = self.written.clone();
        let end = End::new(&written.tallies, hex(&written.hasher));
        self.line(&end_line(&end).map_err(|error| unwritable(&error))?)?;
        self.flush()?;
        Ok((self.out, written))
    }
}

fn unwritable(error: &serde_json::Error) -> TransferError {
    TransferError::Refused(format!("a record cannot be written as JSON: {error}"))
}

/// Writes everything from the beginning.
///
/// # Errors
/// A store does not answer, or the lines cannot be written.
pub async fn export<W: Write>(
    stores: &Stores,
    header: &Header,
    out: W,
    progress: &dyn Progress,
) -> Result<(W, Written), TransferError> {
    let sink = Sink::begin(out, header)?;
    export_from(stores, &header.pools, sink, Position::START, progress).await
}

/// Writes everything from a position on.
pub(super) async fn export_from<W: Write>(
    stores: &Stores,
    pools: &[PoolName],
    sink: Sink<W>,
    position: Position,
    progress: &dyn Progress,
) -> Result<(W, Written), TransferError> {
    progress.begin("exporting", Unit::Records, None);
    let mut exporting = Exporting {
        stores,
        sink,
        progress,
    };
    let (pool, user, application) = match position {
        Position::Access => {
            exporting.access().await?;
            (0, None, Some(None))
        }
        Position::Users(pool, user) => (pool, user, Some(None)),
        Position::Applications(application) => (pools.len(), None, Some(application)),
        Position::Sessions => (pools.len(), None, None),
    };
    let mut after = user;
    for pool in pools.iter().skip(pool) {
        exporting.users(pool, after.take()).await?;
    }
    if let Some(after) = application {
        exporting.applications(after).await?;
    }
    if let Some(sessions) = &stores.sessions {
        exporting.sessions(&**sessions).await?;
    }
    exporting.messages(pools).await?;
    let done = exporting.sink.finish();
    progress.end();
    done
}

struct Exporting<'a, W> {
    stores: &'a Stores,
    sink: Sink<W>,
    progress: &'a dyn Progress,
}

impl<W: Write> Exporting<'_, W> {
    /// Nothing where there was never a role or a rule.
    async fn access(&mut self) -> Result<(), TransferError> {
        let found = access::find(self.stores).await;
        if let Some(access) = found.map_err(TransferError::store("the roles and rules"))? {
            self.sink.record(&Record::Access(access))?;
        }
        self.page_is_done()
    }

    async fn users(&mut self, pool: &PoolName, mut after: Option<UserId>) -> Result<(), TransferError> {
        loop {
            let page = persist(|| self.stores.users.list(pool, after.as_ref(), PAGE)).await;
            let page = page.map_err(TransferError::store(format!("the users of the pool {pool}")))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.id.clone());
            for user in page {
                self.sink.record(&Record::User(Box::new(user)))?;
            }
            self.page_is_done()?;
        }
    }

    async fn applications(&mut self, mut after: Option<ApplicationId>) -> Result<(), TransferError> {
        loop {
            let page = persist(|| self.stores.applications.list_applications(after.clone(), PAGE)).await;
            let page = page.map_err(TransferError::store("the applications"))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for application in page {
                self.sink.record(&Record::Application(application))?;
            }
            self.page_is_done()?;
        }
    }

    async fn sessions(&mut self, sessions: &dyn SessionStore) -> Result<(), TransferError> {
        let mut mark: Option<PageMark> = None;
        loop {
            let page = persist(|| sessions.list(None, mark.as_ref(), PAGE)).await;
            let page = page.map_err(TransferError::store("the sessions"))?;
            let stores = self.stores;
            let live = stream::iter(page.sessions).map(|session| live(stores, sessions, session));
            let mut live = live.buffered(AT_ONCE);
            while let Some(session) = live.try_next().await? {
                if let Some(session) = session {
                    self.sink.record(&Record::Session(session))?;
                }
            }
            drop(live);
            self.page_is_done()?;
            mark = page.next;
            if mark.is_none() {
                return Ok(());
            }
        }
    }

    async fn messages(&mut self, pools: &[PoolName]) -> Result<(), TransferError> {
        let mut mark: Option<PageMark> = None;
        loop {
            let page = persist(|| self.stores.outbox.list(mark.as_ref(), PAGE)).await;
            let page = page.map_err(TransferError::store("the messages"))?;
            for message in page.messages {
                if travels(&message, self.stores.clock.now()) && pools.contains(&message.user.pool) {
                    self.sink.record(&Record::Message(message))?;
                }
            }
            self.page_is_done()?;
            mark = page.next;
            if mark.is_none() {
                return Ok(());
            }
        }
    }

    fn page_is_done(&mut self) -> Result<(), TransferError> {
        self.progress.at(self.sink.written.tallies.count());
        self.sink.flush()
    }
}

/// The session, if it may still be used. A listing may be older than an ending, and with a cache beside the store it may even list
/// what was ended long ago: what counts is what a token check would say now.
async fn live(
    stores: &Stores,
    sessions: &dyn SessionStore,
    listed: Session,
) -> Result<Option<Session>, TransferError> {
    let failed = || TransferError::store(format!("session {}", listed.id));
    if listed.is_expired(stores.clock.now()) {
        return Ok(None);
    }
    let found = persist(|| sessions.find(&listed.token)).await.map_err(failed())?;
    let Some(session) = found else { return Ok(None) };
    let user = persist(|| stores.users.find(&session.user))
        .await
        .map_err(failed())?;
    let standing = session.standing(user.as_ref(), stores.clock.now());
    Ok((standing == Standing::Live).then_some(session))
}
