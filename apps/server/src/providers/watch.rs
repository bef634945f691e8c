//! Reads the file again when it changes.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::directory::{Changes, Directory};
use super::finding::{Findings, Severity};
use super::source::{LARGEST, ProvidersFile, Reading};

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// What tells one state of the file from another: its length and a hash of its content, not its times. A file that is merely touched
/// is as it was, and one that is written twice in a tick of the clock is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(Option<(u64, u64)>);

impl Mark {
    /// The file as it is now; one that is not there, or is far too large to be read, has a mark too.
    pub fn of(path: &Path) -> Self {
        let Ok(length) = fs::metadata(path).map(|found| found.len()) else {
            return Self(None);
        };
        let mut hasher = DefaultHasher::new();
        if length <= LARGEST {
            fs::read(path).unwrap_or_default().hash(&mut hasher);
        }
        Self(Some((length, hasher.finish())))
    }
}

/// What came of a look at the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It is as it was.
    Same,
    /// It was read again.
    Taken(Changes),
    /// It will not do: the entries stay as they were. The sentences say why.
    Refused(Vec<String>),
}

/// Looks at the file, and at those its secrets stand in, and takes what is new.
pub struct Watcher {
    file: ProvidersFile,
    directory: Arc<Directory>,
    marks: BTreeMap<PathBuf, Mark>,
}

impl Watcher {
    /// Watches a file that was read into `directory`. `mark` was taken before it was read: what changed meanwhile is read again.
    pub fn new(file: ProvidersFile, directory: Arc<Directory>, mark: Mark, findings: &Findings) -> Self {
        let marks = marks_of(&file, mark, findings);
        Self {
            file,
            directory,
            marks,
        }
    }

    /// Looks once.
    pub fn look(&mut self) -> Looked {
        if self.marks.iter().all(|(path, mark)| *mark == Mark::of(path)) {
            return Looked::Same;
        }
        let mark = Mark::of(self.file.path());
        let Reading { snapshot, findings } = self.file.read();
        self.marks = marks_of(&self.file, mark, &findings);
        for warning in findings.of(Severity::Warning) {
            tracing::warn!("{}: {warning}", self.file.shown());
        }
        if let Some(snapshot) = snapshot {
            return Looked::Taken(self.directory.replace(snapshot));
        }
        let errors = findings.of(Severity::Error);
        let named = errors.map(|error| format!("{}: {error}", self.file.shown()));
        Looked::Refused(named.collect())
    }

    /// What keeps entries in force from working: lines for the operator.
    pub async fn lacks(&self) -> Vec<String> {
        let lacks = self.directory.lacks().await;
        let named = lacks.iter().map(|lack| format!("{}: {lack}", self.file.shown()));
        named.collect()
    }

    async fn tell_lacks(&self) {
        for lack in self.lacks().await {
            tracing::error!("{lack}");
        }
    }

    /// Looks for ever, and tells the log.
    pub async fn run(mut self) {
        self.tell_lacks().await;
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // A file is read off the threads that serve: disks can be slow.
            let looking = tokio::task::spawn_blocking(move || {
                let looked = self.look();
                (self, looked)
            });
            let Ok((watcher, looked)) = looking.await else {
                return;
            };
            self = watcher;
            tell(&looked);
            if matches!(looked, Looked::Taken(_)) {
                self.tell_lacks().await;
            }
        }
    }
}

fn marks_of(file: &ProvidersFile, mark: Mark, findings: &Findings) -> BTreeMap<PathBuf, Mark> {
    let secrets = findings.files().map(|path| (path.clone(), Mark::of(path)));
    let own = std::iter::once((file.path().to_path_buf(), mark));
    secrets.chain(own).collect()
}

fn tell(looked: &Looked) {
    match looked {
        Looked::Same => {}
        Looked::Taken(Changes {
            added,
            changed,
            removed,
        }) => {
            tracing::info!(?added, ?changed, ?removed, "the providers were read again");
        }
        Looked::Refused(errors) => {
            for error in errors {
                tracing::error!("{error}");
            }
            tracing::error!("the providers stay as they were");
        }
    }
}
