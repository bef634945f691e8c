//! Into the stores: many records at once, each whole or not at all, nothing overwritten.

use std::future::Future;
use std::io::BufRead;

use domain::application::Application;
use domain::ports::{LookupKey, PortError, SessionStore, UniqueKey};
use domain::secret::Token;
use domain::session::Session;
use domain::tombstone::Tombstone;
use domain::user::User;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::access;
use super::check::Checked;
use super::error::TransferError;
use super::message::{self, Waiting};
use super::progress::{Progress, Unit};
use super::reading::Reading;
use super::record::Record;
use super::stores::{AT_ONCE, Stores, persist};
use super::tally::Kind;

/// Most records that are named in a report.
pub const EXAMPLES: usize = 10;

/// How records are put into the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Written, and looked for only where that is refused: quickest where little is there.
    WriteFirst,
    /// Looked for, and written where it is not: quickest where most is there.
    LookFirst,
    /// Looked for and no more.
    LookOnly,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was written; or would be.
    New,
    /// It was there, the very same.
    Present,
    /// Something else is there in its place: which record, and what is in its way.
    Conflict(String),
    /// A session that is not opened, or a message that is not put.
    LeftOut(LeftOut),
}

/// Why a session is not opened, or a message is not put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Its life is over since the export.
    Expired,
    /// It was handed over before, and ended since; or it was ended here.
    Ended,
    /// Its user is not here.
    NoUser,
    /// Nothing here keeps sessions, or users differ: who would be logged in as whom?
    NotOpened,
    /// A message that is void, was handed over before, is being tried here, or would go out while users differ.
    Message,
}

/// What became of all records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Written.
    pub new: u64,
    /// There already.
    pub present: u64,
    /// In the way of each other.
    pub conflicts: u64,
    /// Some of those: which, and why.
    pub examples: Vec<String>,
    /// Sessions whose life is over.
    pub expired: u64,
    /// Sessions that were ended.
    pub ended: u64,
    /// Sessions of nobody here.
    pub without_user: u64,
    /// Sessions that were not even tried.
    pub not_opened: u64,
    /// Whether all sessions of the file had been opened here before: what is missing of them was ended since.
    pub handed_over: bool,
    /// Messages that were left out.
    pub messages_left_out: u64,
    /// Whether all messages of the file had been put here before: what is missing of them was sent since.
    pub messages_handed_over: bool,
}

impl Report {
    fn add(&mut self, put: Put) {
        match put {
            Put::New => self.new += 1,
            Put::Present => self.present += 1,
            Put::Conflict(what) => {
                self.conflicts += 1;
                if self.examples.len() < EXAMPLES {
                    self.examples.push(what);
                }
            }
            Put::LeftOut(LeftOut::Expired) => self.expired += 1,
            Put::LeftOut(LeftOut::Ended) => self.ended += 1,
            Put::LeftOut(LeftOut::NoUser) => self.without_user += 1,
            Put::LeftOut(LeftOut::NotOpened) => self.not_opened += 1,
            Put::LeftOut(LeftOut::Message) => self.messages_left_out += 1,
        }
    }
}

/// Puts every record of a checked file into the stores. May be done again at any time, and after a kill at any moment: what is
/// there stays as it is.
///
/// # Errors
/// A store does not answer, or the file was changed since it was checked.
pub async fn import<R: BufRead>(
    stores: &Stores,
    mut reading: Reading<R>,
    checked: &Checked,
    way: Way,
    progress: &dyn Progress,
) -> Result<Report, TransferError> {
    let stage = if way == Way::LookOnly {
        "looking"
    } else {
        "importing"
    };
    progress.begin(stage, Unit::Records, Some(checked.records()));
    let mut report = Report {
        handed_over: handed_over(stores, &mark_of(checked)).await?,
        messages_handed_over: handed_over(stores, &mark_of_messages(checked)).await?,
        ..Report::default()
    };
    let waiting = match checked.end.messages.count {
        0 => Waiting::default(),
        _ => Waiting::in_stores(stores).await?,
    };
    let mut done = 0;
    for kind in Kind::ALL {
        let mode = Mode {
            way,
            opens: stores.sessions.is_some() && report.conflicts == 0,
            handed_over: report.handed_over,
            messages: message::Mode {
                way,
                opens: report.conflicts == 0,
                handed_over: report.messages_handed_over,
                waiting: &waiting,
            },
        };
        let put = |record| put(stores, record, mode);
        each(&mut reading, kind, put, |put| {
            report.add(put);
            done += 1;
            progress.at(done);
        })
        .await?;
    }
    if way != Way::LookOnly && report.conflicts == 0 {
        if report.not_opened == 0 && checked.end.sessions.count > 0 {
            hand_over(stores, &mark_of(checked)).await?;
        }
        if checked.end.messages.count > 0 {
            hand_over(stores, &mark_of_messages(checked)).await?;
        }
    }
    progress.end();
    Ok(report)
}

/// Does something with every record of a kind, many at a time, and tells what came of each.
pub(super) async fn each<R, O, F>(
    reading: &mut Reading<R>,
    kind: Kind,
    act: impl Fn(Record) -> F,
    mut told: impl FnMut(O),
) -> Result<(), TransferError>
where
    R: BufRead,
    F: Future<Output = Result<O, TransferError>>,
{
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(record) = reading.record_of(kind)?
        {
            running.push(act(record));
        }
        match running.next().await {
            Some(outcome) => told(outcome?),
            None => return Ok(()),
        }
    }
}

/// The mark of a file whose sessions were all opened here. Whoever logs out afterwards is not logged in again by the same file: what
/// is missing then was ended.
fn mark_of(checked: &Checked) -> Tombstone {
    Tombstone {
        token: Token::presented(format!("sessions of the export {}", checked.end.sha256)).hash(),
        until: checked.sessions_until,
    }
}

/// The same for its messages: what is missing then was sent.
fn mark_of_messages(checked: &Checked) -> Tombstone {
    Tombstone {
        token: Token::presented(format!("messages of the export {}", checked.end.sha256)).hash(),
        until: Some(checked.messages_until),
    }
}

/// Whether the sessions or messages of a file were all put here before.
async fn handed_over(stores: &Stores, mark: &Tombstone) -> Result<bool, TransferError> {
    let asked = persist(|| stores.tombstones.is_buried(&mark.token)).await;
    asked.map_err(TransferError::store("the mark of this file"))
}

async fn hand_over(stores: &Stores, mark: &Tombstone) -> Result<(), TransferError> {
    let buried = persist(|| stores.tombstones.bury(mark)).await;
    buried
        .map(|_| ())
        .map_err(TransferError::store("the mark of this file"))
}

#[derive(Clone, Copy)]
struct Mode<'a> {
    way: Way,
    opens: bool,
    handed_over: bool,
    messages: message::Mode<'a>,
}

async fn put(stores: &Stores, record: Record, mode: Mode<'_>) -> Result<Put, TransferError> {
    let name = record.name();
    let put = match &record {
        Record::Access(access) => access::put(stores, access, mode.way).await,
        Record::User(user) => put_user(stores, user, mode.way).await,
        Record::Application(application) => put_application(stores, application, mode.way).await,
        Record::Session(session) => put_session(stores, session, mode).await,
        Record::Message(message) => return message::put(stores, message, mode.messages).await,
    };
    put.map_err(TransferError::store(name))
}

/// Whether it is the same, whichever of its changes: the revision is set alike before.
fn compared<T: PartialEq>(found: &T, record: &T, name: impl FnOnce() -> String) -> Put {
    if found == record {
        Put::Present
    } else {
        Put::Conflict(format!("{}: another record of this id is there", name()))
    }
}

pub(super) async fn put_user(stores: &Stores, user: &User, way: Way) -> Result<Put, PortError> {
    let name = || format!("user {}", user.key);
    let look = || persist(|| stores.users.find(&user.key));
    if way != Way::WriteFirst
        && let Some(mut found) = look().await?
    {
        found.revision = user.revision;
        return Ok(compared(&found, user, name));
    }
    if way == Way::LookOnly {
        return Ok(match taken_key(stores, user).await? {
            None => Put::New,
            Some(key) => taken(&name(), key),
        });
    }
    match persist(|| stores.users.create(user)).await {
        Ok(()) => Ok(Put::New),
        // A store names one of several keys: only the record itself tells whether it is this very user.
        Err(PortError::Duplicate(key)) => Ok(match look().await? {
            Some(mut found) => {
                found.revision = user.revision;
                compared(&found, user, name)
            }
            None => taken(&name(), key),
        }),
        Err(other) => Err(other),
    }
}

fn taken(name: &str, key: UniqueKey) -> Put {
    let key = match key {
        UniqueKey::Id => "id",
        UniqueKey::Email => "e-mail address",
        UniqueKey::Username => "username",
        UniqueKey::Identity => "linked account",
    };
    Put::Conflict(format!("{name}: its {key} is another user's there"))
}

/// Which of a user's keys somebody else holds.
async fn taken_key(stores: &Stores, user: &User) -> Result<Option<UniqueKey>, PortError> {
    let email = user
        .email_key()
        .map(|key| (UniqueKey::Email, LookupKey::Email(key)));
    let username = user
        .username_key()
        .map(|key| (UniqueKey::Username, LookupKey::Username(key)));
    let identities = user.identities.iter();
    let identities = identities.map(|it| (UniqueKey::Identity, LookupKey::Identity(it.key.to_text())));
    for (kind, key) in email.into_iter().chain(username).chain(identities) {
        let holder = persist(|| stores.users.find_by(&user.key.pool, &key)).await?;
        if holder.is_some() {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

pub(super) async fn put_application(
    stores: &Stores,
    application: &Application,
    way: Way,
) -> Result<Put, PortError> {
    let name = || format!("application {}", application.id);
    let look = || persist(|| stores.applications.find_application(&application.id));
    if way != Way::WriteFirst
        && let Some(mut found) = look().await?
    {
        found.revision = application.revision;
        return Ok(compared(&found, application, name));
    }
    if way == Way::LookOnly {
        return Ok(Put::New);
    }
    match persist(|| stores.applications.create_application(application)).await {
        Ok(()) => Ok(Put::New),
        Err(PortError::Duplicate(key)) => Ok(match look().await? {
            Some(mut found) => {
                found.revision = application.revision;
                compared(&found, application, name)
            }
            None => taken(&name(), key),
        }),
        Err(other) => Err(other),
    }
}

async fn put_session(stores: &Stores, session: &Session, mode: Mode<'_>) -> Result<Put, PortError> {
    let Some(sessions) = stores.sessions.as_deref().filter(|_| mode.opens) else {
        return Ok(Put::LeftOut(LeftOut::NotOpened));
    };
    if let Some(found) = persist(|| sessions.find(&session.token)).await? {
        return Ok(compared(&found, session, || format!("session {}", session.id)));
    }
    // Asked of the store, whatever it is that keeps the sessions: a cache would open them for anybody. In a dry run nobody was
    // written.
    let asks_for_user = mode.way != Way::LookOnly;
    if let Some(why) = absence(stores, session, mode.handed_over, asks_for_user).await? {
        return Ok(Put::LeftOut(why));
    }
    if mode.way == Way::LookOnly {
        return Ok(Put::New);
    }
    open(sessions, session).await
}

pub(super) async fn open(sessions: &dyn SessionStore, session: &Session) -> Result<Put, PortError> {
    match persist(|| sessions.open(session)).await {
        Ok(()) => Ok(Put::New),
        Err(PortError::Stale) => Ok(Put::LeftOut(LeftOut::NoUser)),
        Err(other) => Err(other),
    }
}

/// Why a session is rightly not here, if it is.
pub(super) async fn absence(
    stores: &Stores,
    session: &Session,
    handed_over: bool,
    asks_for_user: bool,
) -> Result<Option<LeftOut>, PortError> {
    if session.is_expired(stores.clock.now()) {
        return Ok(Some(LeftOut::Expired));
    }
    if handed_over || persist(|| stores.tombstones.is_buried(&session.token)).await? {
        return Ok(Some(LeftOut::Ended));
    }
    let user = if asks_for_user {
        persist(|| stores.users.find(&session.user)).await?.is_some()
    } else {
        true
    };
    Ok((!user).then_some(LeftOut::NoUser))
}
