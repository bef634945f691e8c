//! Reads the file again when it changes.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::directory::{Changes, Directory};
use super::finding::Severity;
use super::source::{ProvidersFile, Reading};

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// What tells one state of the file from another, cheapest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    times: Option<(SystemTime, u64)>,
    content: Option<u64>,
}

impl Mark {
    /// The file as it is now.
    pub fn of(path: &Path) -> Self {
        let found = fs::metadata(path).ok();
        let times = found.and_then(|found| Some((found.modified().ok()?, found.len())));
        Self {
            times,
            content: fs::read(path).ok().map(|bytes| {
                let mut hasher = DefaultHasher::new();
                bytes.hash(&mut hasher);
                hasher.finish()
            }),
        }
    }

    /// The file as it is now, if it is not as it was. Its content is read only where its times differ; a file written twice in one
    /// tick of the clock shows by its content at the second look.
    fn next(&self, path: &Path) -> Option<Self> {
        let next = Self::of(path);
        (next != *self).then_some(next)
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

/// Looks at the file and takes what is new.
pub struct Watcher {
    file: ProvidersFile,
    directory: Arc<Directory>,
    mark: Mark,
}

impl Watcher {
    /// Watches a file that was read into `directory`. `mark` was taken before it was read: what changed meanwhile is read again.
    pub fn new(file: ProvidersFile, directory: Arc<Directory>, mark: Mark) -> Self {
        Self {
            file,
            directory,
            mark,
        }
    }

    /// Looks once.
    pub fn look(&mut self) -> Looked {
        let Some(next) = self.mark.next(self.file.path()) else {
            return Looked::Same;
        };
        let same_content = next.content == self.mark.content;
        self.mark = next;
        if same_content {
            return Looked::Same;
        }
        let Reading { snapshot, findings } = self.file.read();
        for warning in findings.of(Severity::Warning) {
            tracing::warn!("{}: {warning}", self.file.shown());
        }
        match snapshot {
            Some(snapshot) => Looked::Taken(self.directory.replace(snapshot)),
            None => {
                let errors = findings.of(Severity::Error);
                Looked::Refused(
                    errors
                        .map(|error| format!("{}: {error}", self.file.shown()))
                        .collect(),
                )
            }
        }
    }

    /// Looks for ever, and tells the log.
    pub async fn run(mut self) {
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
        }
    }
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
