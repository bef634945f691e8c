//! The stream: every event as a line of JSON, appended to a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use domain::audit::AuditEvent;
use domain::stored::StoredAuditEvent;

/// A file that grows by a line for each event, whether the store keeps it or not.
pub struct Stream(Arc<Inner>);

struct Inner {
    path: PathBuf,
    file: Mutex<File>,
}

impl Stream {
    /// Opens the file to append to, or makes it with mode 0600.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        Ok(Self(Arc::new(Inner {
            path: path.to_path_buf(),
            file: Mutex::new(file),
        })))
    }

    /// Appends an event. One write per line: lines of several writers do not mix.
    ///
    /// # Errors
    /// What the system says.
    pub async fn append(&self, event: &AuditEvent) -> io::Result<()> {
        let mut line = serde_json::to_vec(&StoredAuditEvent::from(event))?;
        line.push(b'\n');
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || inner.write(&line))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Inner {
    fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_still(&file) {
            *file = open(&self.path)?;
        }
        file.write_all(line)?;
        file.flush()
    }

    /// Whether the name still leads to the file: whoever rotates logs renames it and expects a new one.
    fn is_still(&self, file: &File) -> bool {
        let (Ok(named), Ok(held)) = (std::fs::metadata(&self.path), file.metadata()) else {
            return false;
        };
        (named.dev(), named.ino()) == (held.dev(), held.ino())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use domain::audit::{Actor, AuditKind};
    use domain::time::Timestamp;

    use super::*;

    fn event(kind: AuditKind) -> AuditEvent {
        AuditEvent::of_server(Timestamp::from_millis(7), kind, None, Actor::Server).about("a\nb")
    }

    #[tokio::test]
    async fn every_event_is_a_line_whether_it_is_kept_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let stream = Stream::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        stream.append(&event(AuditKind::Limited)).await.unwrap();
        stream.append(&event(AuditKind::LoggedIn)).await.unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            r#"{"at":7,"kind":"limit.reached","actor":"server","detail":"a\nb"}"#
        );
        assert_eq!(lines.len(), 2);
    }

    #[tokio::test]
    async fn a_file_that_was_moved_away_is_made_anew_and_one_that_is_there_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("audit.jsonl"), folder.path().join("audit.1"));
        fs::write(&path, "{}\n").unwrap();
        let stream = Stream::open(&path).unwrap();
        stream.append(&event(AuditKind::LoggedIn)).await.unwrap();
        fs::rename(&path, &old).unwrap();
        stream.append(&event(AuditKind::LoggedOut)).await.unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap().lines().count(), 2);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
    }
}
