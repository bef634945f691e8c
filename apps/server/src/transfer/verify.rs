//! Reading back what was imported, record by record, and adding it up.

use std::io::BufRead;

use domain::ports::PortError;

use super::check::Checked;
use super::error::TransferError;
use super::import::{EXAMPLES, Report, absence, each};
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
    /// Sessions that are rightly not there: over, ended, or of nobody.
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
        let sums = self.found.users == checked.expected.users
            && self.found.applications == checked.expected.applications
            && (self.excused > 0 || self.found.sessions == checked.expected.sessions);
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
    for kind in Kind::ALL {
        let look = |record: Record| look_back(stores, record, report.handed_over);
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

async fn look_back(stores: &Stores, record: Record, handed_over: bool) -> Result<Back, TransferError> {
    let name = record.name();
    let found = find(stores, &record)
        .await
        .map_err(TransferError::store(&*name))?;
    let unwritable = |error| TransferError::Refused(format!("{name} cannot be written as JSON: {error}"));
    let Some(found) = found else {
        if let Record::Session(session) = &record {
            let why = absence(stores, session, handed_over, true).await;
            let why = why.map_err(TransferError::store(&*name))?;
            if why.is_some() || stores.sessions.is_none() {
                return Ok(Back::Excused);
            }
        }
        return Ok(Back::Missing(name));
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

async fn find(stores: &Stores, record: &Record) -> Result<Option<Record>, PortError> {
    Ok(match record {
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
    })
}
