//! Following a source that goes on being used: what is new there comes, what changed changes, what went goes, as long as nobody changed it
//! here.

use std::collections::HashMap;
use std::io::BufRead;

use domain::access::AccessState;
use domain::id::{ApplicationId, UserKey};
use domain::ports::PortError;
use domain::secret::TokenHash;
use domain::user::Revision;
use sha2::{Digest as _, Sha256};

use super::error::TransferError;
use super::import::{EXAMPLES, Put, Way, open, put_application, put_user};
use super::reading::Reading;
use super::record::Record;
use super::stores::{Stores, persist};
use super::{access, verify};

/// So many records may go in one round whatever their share is.
const FEW: usize = 100;

/// Which record of a source it is.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Access,
    User(UserKey),
    Application(ApplicationId),
    Session(TokenHash),
}

/// What a record said when it was last taken, and in which round it was last seen. About 150 bytes of memory for each.
struct Known {
    content: [u8; 32],
    round: u32,
}

/// What one round brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Which it is; the first look was none.
    pub number: u32,
    /// Written because they were not there before.
    pub new: u64,
    /// Written in the place of what they were.
    pub changed: u64,
    /// Taken away because the source has them no more.
    pub gone: u64,
    /// Left as they are, because they were changed here or something is in their way.
    pub conflicts: u64,
    /// Some of those: which, and why.
    pub examples: Vec<String>,
}

impl Round {
    fn conflict(&mut self, what: String) {
        self.conflicts += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(what);
        }
    }
}

/// A source that is followed.
pub struct Followed {
    known: HashMap<Key, Known>,
    round: u32,
}

impl Followed {
    /// Remembers what was taken already.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn since<R: BufRead>(reading: &mut Reading<R>) -> Result<Self, TransferError> {
        let mut known = HashMap::new();
        while let Some(record) = reading.record()? {
            if let Some(key) = key(&record) {
                let content = content(&record)?;
                known.insert(key, Known { content, round: 0 });
            }
        }
        Ok(Self { known, round: 0 })
    }

    /// Looks at the whole source again. `is_whole` says whether it could be taken as a whole: where something had to be left out, nothing is
    /// taken away, for it would look as if it had gone.
    ///
    /// # Errors
    /// A store does not answer, or the source cannot be read. The next round goes on from what was done.
    pub async fn again<R: BufRead>(
        &mut self,
        stores: &Stores,
        reading: &mut Reading<R>,
        is_whole: bool,
    ) -> Result<Round, TransferError> {
        self.round += 1;
        let mut round = Round {
            number: self.round,
            ..Round::default()
        };
        while let Some(record) = reading.record()? {
            self.take(stores, record, &mut round).await?;
        }
        let gone: Vec<Key> = self
            .known
            .iter()
            .filter(|(_, known)| known.round != self.round)
            .map(|(key, _)| key.clone())
            .collect();
        if gone.is_empty() {
            return Ok(round);
        }
        if !is_whole {
            round.conflict(format!(
                "{} records are not there or were left out: none was taken away",
                gone.len()
            ));
        } else if gone.len() > FEW && gone.len() * 2 > self.known.len() {
            round.conflict(format!(
                "{} of {} records are not there any more: that looks like an accident, none was taken away",
                gone.len(),
                self.known.len()
            ));
        } else {
            for key in gone {
                self.take_away(stores, key, &mut round).await?;
            }
        }
        Ok(round)
    }

    async fn take(
        &mut self,
        stores: &Stores,
        record: Record,
        round: &mut Round,
    ) -> Result<(), TransferError> {
        let Some(key) = key(&record) else {
            return Ok(());
        };
        let content = content(&record)?;
        let now = Known {
            content,
            round: self.round,
        };
        let name = record.name();
        let failed = TransferError::store(&*name);
        match self.known.get_mut(&key) {
            Some(known) if known.content == content => known.round = self.round,
            Some(known) => {
                let before = std::mem::replace(known, now).content;
                if replace(stores, record, before).await.map_err(failed)? {
                    round.changed += 1;
                } else {
                    round.conflict(format!("{name}: it was changed here, and stays"));
                }
            }
            None => match create(stores, &record).await.map_err(failed)? {
                Put::New => {
                    round.new += 1;
                    self.known.insert(key, now);
                }
                Put::Present | Put::LeftOut(_) => {
                    self.known.insert(key, now);
                }
                // Asked again in the next round: what is in its way may go.
                Put::Conflict(what) => round.conflict(what),
            },
        }
        Ok(())
    }

    async fn take_away(&mut self, stores: &Stores, key: Key, round: &mut Round) -> Result<(), TransferError> {
        let Some(known) = self.known.remove(&key) else {
            return Ok(());
        };
        let (done, name) = match &key {
            Key::Access => (
                replace(stores, Record::Access(AccessState::default()), known.content).await,
                "roles and rules".to_owned(),
            ),
            Key::User(key) => (
                delete_user(stores, key, known.content).await,
                format!("user {key}"),
            ),
            Key::Application(id) => (
                delete_application(stores, id, known.content).await,
                format!("application {id}"),
            ),
            Key::Session(token) => (end(stores, token).await.map(|()| true), "a session".to_owned()),
        };
        if done.map_err(TransferError::store(&*name))? {
            round.gone += 1;
        } else {
            round.conflict(format!("{name}: it went there and was changed here, and stays"));
        }
        Ok(())
    }
}

fn key(record: &Record) -> Option<Key> {
    match record {
        Record::Access(_) => Some(Key::Access),
        Record::User(user) => Some(Key::User(user.key.clone())),
        Record::Application(application) => Some(Key::Application(application.id.clone())),
        Record::Session(session) => Some(Key::Session(session.token)),
        // No source that is followed has any.
        Record::Message(_) => None,
    }
}

/// A digest of what a record says, whichever of its changes it is.
fn content(record: &Record) -> Result<[u8; 32], TransferError> {
    let line = record.clone().at(Revision::default()).to_line();
    let line = line.map_err(|error| verify::unwritable(&record.name(), &error))?;
    Ok(Sha256::digest(line).into())
}

/// Whether what is there says the same as when it was taken.
fn is_untouched(found: &Record, before: [u8; 32]) -> bool {
    content(found).is_ok_and(|content| content == before)
}

async fn create(stores: &Stores, record: &Record) -> Result<Put, PortError> {
    match record {
        Record::Access(access) => access::put(stores, access, Way::WriteFirst).await,
        Record::User(user) => put_user(stores, user, Way::WriteFirst).await,
        Record::Application(application) => put_application(stores, application, Way::WriteFirst).await,
        Record::Session(session) => match stores.sessions.as_deref() {
            None => Ok(Put::LeftOut(super::import::LeftOut::NotOpened)),
            Some(sessions) => match super::import::absence(stores, session, false, true).await? {
                Some(why) => Ok(Put::LeftOut(why)),
                None if persist(|| sessions.find(&session.token)).await?.is_some() => Ok(Put::Present),
                None => open(sessions, session).await,
            },
        },
        Record::Message(_) => Ok(Put::Present),
    }
}

/// Puts a record in the place of what was taken of it before; not if that was changed here, or is gone.
async fn replace(stores: &Stores, record: Record, before: [u8; 32]) -> Result<bool, PortError> {
    let Some(found) = verify::find(stores, &record).await? else {
        return Ok(false);
    };
    let Some(revision) = found.revision().filter(|_| is_untouched(&found, before)) else {
        return Ok(false);
    };
    let committed = match record.at(revision.next()) {
        Record::Access(access) => persist(|| stores.access.commit_access(&access, revision)).await,
        Record::User(user) => persist(|| stores.users.commit(&user, revision)).await,
        Record::Application(application) => {
            persist(|| stores.applications.commit_application(&application, revision)).await
        }
        Record::Session(_) | Record::Message(_) => return Ok(false),
    };
    guarded(committed)
}

async fn delete_user(stores: &Stores, key: &UserKey, before: [u8; 32]) -> Result<bool, PortError> {
    let Some(found) = persist(|| stores.users.find(key)).await? else {
        return Ok(true);
    };
    let revision = found.revision;
    if !is_untouched(&Record::User(Box::new(found)), before) {
        return Ok(false);
    }
    if let Some(sessions) = &stores.sessions {
        persist(|| sessions.end_all(key, None)).await?;
    }
    guarded(persist(|| stores.users.delete(key, revision)).await)
}

async fn delete_application(
    stores: &Stores,
    id: &ApplicationId,
    before: [u8; 32],
) -> Result<bool, PortError> {
    let Some(found) = persist(|| stores.applications.find_application(id)).await? else {
        return Ok(true);
    };
    let revision = found.revision;
    if !is_untouched(&Record::Application(found), before) {
        return Ok(false);
    }
    guarded(persist(|| stores.applications.delete_application(id, revision)).await)
}

/// Whoever logged out there is logged out here.
async fn end(stores: &Stores, token: &TokenHash) -> Result<(), PortError> {
    match &stores.sessions {
        Some(sessions) => persist(|| sessions.end(token)).await.map(drop),
        None => Ok(()),
    }
}

/// Whether a guarded change held; somebody was faster, or holds a key of it.
fn guarded(done: Result<(), PortError>) -> Result<bool, PortError> {
    match done {
        Ok(()) => Ok(true),
        Err(PortError::Stale | PortError::Duplicate(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
