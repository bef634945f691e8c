//! Reading back what was imported, record by record, and adding it up.

use std::io::BufRead;

use domain::outbox::OutboxMessage;
use domain::ports::PortError;

use super::access;
use super::check::Checked;
use super::error::TransferError;
use super::import::{EXAMPLES, Report, absence, each};
use super::message::{Waiting, absent};
use super::progress::{Progress, Unit};
use super::reading::Reading;
use super::record::Record;
use super::stores::{Stores, persist};
use super::tally::{Kind, Tallies};

/// What is in the stores of what is in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// What was found, added up.
    pub found: Tallies,
    /// Sessions and messages that are rightly not there: over, ended, sent, or of nobody.
    pub excused: u64,
    /// Records that are not there.
    pub missing: u64,
    /// Records that are there and are others.
    pub different: u64,
    /// Some of both.
    pub examples: Vec<String>,
}

impl Verified {
    /// Whether everything of the file is in the stores, but for sessions that nobody may use any more.
    pub fn is_complete(&self, checked: &Checked) -> bool {
        let counted = self.found.count() + self.excused == checked.expected.count();
        let sums = self.found.access == checked.expected.access
            && self.found.users == checked.expected.users
            && self.found.applications == checked.expected.applications
            && (self.excused > 0
                || (self.found.sessions == checked.expected.sessions
                    && self.found.messages == checked.expected.messages));
        self.missing == 0 && self.different == 0 && counted && sums
    }

    fn add(&mut self, back: Back) {
        match back {
            Back::Same(kind, line) => self.found.of(kind).add(line.as_bytes()),
            Back::Excused => self.excused += 1,
            Back::Missing(name) => {
                self.missing += 1;
                self.example(format!("{name} is not there"));
            }
            Back::Different(name) => {
                self.different += 1;
                self.example(format!("{name} is another there"));
            }
        }
    }

    fn example(&mut self, what: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(what);
        }
    }
}

enum Back {
    Same(Kind, String),
    Excused,
    Missing(String),
    Different(String),
}

/// Looks for every record of a file in the stores.
///
/// # Errors
/// A store does not answer, or the file was changed since it was checked.
pub async fn verify<R: BufRead>(
    stores: &Stores,
    mut reading: Reading<R>,
    checked: &Checked,
    report: &Report,
    progress: &dyn Progress,
) -> Result<Verified, TransferError> {
    progress.begin("reading back", Unit::Records, Some(checked.records()));
    let mut verified = Verified::default();
    let mut done = 0;
    let waiting = match checked.end.messages.count {
        0 => Waiting::default(),
        _ => Waiting::in_stores(stores).await?,
    };
    for kind in Kind::ALL {
        let look = |record: Record| look_back(stores, record, report, &waiting);
        each(&mut reading, kind, look, |back| {
            verified.add(back);
            done += 1;
            progress.at(done);
        })
        .await?;
    }
    progress.end();
    Ok(verified)
}

async fn look_back(
    stores: &Stores,
    record: Record,
    report: &Report,
    waiting: &Waiting,
) -> Result<Back, TransferError> {
    let name = record.name();
    if let Record::Message(message) = &record {
        return look_for(stores, message, report.messages_handed_over, waiting);
    }
    let found = find(stores, &record)
        .await
        .map_err(TransferError::store(&*name))?;
    let unwritable = |error| unwritable(&name, &error);
    let Some(found) = found else {
        if let Record::Session(session) = &record {
            let why = absence(stores, session, report.handed_over, true).await;
            let why = why.map_err(TransferError::store(&*name))?;
            if why.is_some() || stores.sessions.is_none() {
                return Ok(Back::Excused);
            }
        }
        return Ok(Back::Missing(name));
    };
    let found = match record.revision() {
        Some(revision) => found.at(revision),
        None => found,
    };
    let (found, wanted) = (
        found.to_line().map_err(unwritable)?,
        record.to_line().map_err(unwritable)?,
    );
    Ok(if found == wanted {
        Back::Same(record.kind(), found)
    } else {
        Back::Different(name)
    })
}

pub(super) fn unwritable(name: &str, error: &serde_json::Error) -> TransferError {
    TransferError::Refused(format!("{name} cannot be written as JSON: {error}"))
}

fn look_for(
    stores: &Stores,
    message: &OutboxMessage,
    handed_over: bool,
    waiting: &Waiting,
) -> Result<Back, TransferError> {
    let record = Record::Message(message.clone());
    Ok(match waiting.holds(message)? {
        Some(true) => {
            let line = record.to_line();
            Back::Same(
                record.kind(),
                line.map_err(|error| unwritable(&record.name(), &error))?,
            )
        }
        _ if absent(stores, message, handed_over) => Back::Excused,
        Some(false) => Back::Different(record.name()),
        None => Back::Missing(record.name()),
    })
}

pub(super) async fn find(stores: &Stores, record: &Record) -> Result<Option<Record>, PortError> {
    Ok(match record {
        Record::Access(_) => access::find(stores).await?.map(Record::Access),
        Record::User(user) => {
            let found = persist(|| stores.users.find(&user.key)).await?;
            found.map(|user| Record::User(Box::new(user)))
        }
        Record::Application(application) => {
            let found = persist(|| stores.applications.find_application(&application.id)).await?;
            found.map(Record::Application)
        }
        Record::Session(session) => match &stores.sessions {
            None => None,
            Some(sessions) => persist(|| sessions.find(&session.token))
                .await?
                .map(Record::Session),
        },
        // Found in what was read beforehand.
        Record::Message(_) => None,
    })
}
