//! What can go wrong, in the words of the ports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::ports::{PortError, UniqueKey};
use rusqlite::{Error as SqlError, ErrorCode, ffi};

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store of this process, holds the file.
    #[error("{} is in use: another process has opened this database. Stop it first, or use another file.", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// A newer version of this software wrote the file.
    #[error(
        "{} has schema version {found}, but this version knows only up to {known}. Start the newer version, or restore a backup.",
        path.display()
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest schema version that is understood.
        known: u32,
    },
    /// The file is a SQLite database of something else, or no database at all.
    #[error("{} is not a database of this server", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file system does not let us have the file, its directory or its lock.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// What was asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite does not open the file, or a migration failed.
    #[error("cannot open {}: {source}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl OpenError {
    /// A failure of the file system.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }

    /// A failure of SQLite.
    pub(crate) fn database(path: &Path) -> impl Fn(SqlError) -> Self + '_ {
        move |source| {
            let path = path.to_owned();
            if source.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
                Self::Foreign { path }
            } else {
                Self::Database { path, source }
            }
        }
    }
}

/// What a piece of work on a connection may fail with: the driver's error, or one that is already in the port's words.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(SqlError),
    Port(PortError),
}

/// What a piece of work on a connection answers.
pub(crate) type Answer<T> = Result<T, Fault>;

impl From<SqlError> for Fault {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<PortError> for Fault {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl From<Fault> for PortError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Port(error) => error,
            Fault::Sql(SqlError::SqliteFailure(failure, message)) => from_failure(failure, message),
            Fault::Sql(error) => Self::Unavailable {
                source: Box::new(error),
                retry: false,
            },
        }
    }
}

fn from_failure(failure: ffi::Error, message: Option<String>) -> PortError {
    match (failure.code, failure.extended_code) {
        (ErrorCode::ConstraintViolation, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => PortError::Stale,
        (
            ErrorCode::ConstraintViolation,
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
        ) => PortError::Duplicate(violated_key(message.as_deref().unwrap_or_default())),
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => PortError::corrupt("the database file"),
        (code, _) => PortError::Unavailable {
            source: Box::new(SqlError::SqliteFailure(failure, message)),
            retry: passes(code),
        },
    }
}

/// Whether a failure of that kind may be over in a moment.
fn passes(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::OutOfMemory
            | ErrorCode::OperationInterrupted
    )
}

/// SQLite names the columns of the violated index in its message, and nothing of the row.
fn violated_key(message: &str) -> UniqueKey {
    if message.contains("users.email_key") {
        UniqueKey::Email
    } else if message.contains("users.username_key") {
        UniqueKey::Username
    } else if message.contains("identity_keys.key") {
        UniqueKey::Identity
    } else {
        UniqueKey::Id
    }
}

/// Why a whole batch of writes was not kept. Shared by all of its callers.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NotKept {
    /// SQLite did not begin or commit the transaction.
    #[error("the transaction was not kept: {0}")]
    Refused(Arc<SqlError>),
    /// SQLite rolled the transaction back by itself, as it does when the disk is full.
    #[error("the transaction was rolled back")]
    RolledBack,
    /// An earlier commit met a failing disk. What it left there is unknown, so nothing is promised any more.
    #[error("writing stopped after a disk failure: restart the server once the disk is sound")]
    Stopped,
}

impl NotKept {
    /// Whether the disk itself failed.
    pub fn is_disk_failure(&self) -> bool {
        matches!(self, Self::Refused(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure))
    }
}

impl From<NotKept> for PortError {
    fn from(why: NotKept) -> Self {
        let retry = match &why {
            NotKept::Refused(error) => error.sqlite_error_code().is_some_and(passes),
            NotKept::RolledBack => true,
            NotKept::Stopped => false,
        };
        Self::Unavailable {
            source: Box::new(why),
            retry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(extended: i32, message: &str) -> PortError {
        let failure = SqlError::SqliteFailure(ffi::Error::new(extended), Some(message.to_owned()));
        Fault::Sql(failure).into()
    }

    #[test]
    fn a_full_busy_or_failing_disk_is_an_outage_that_may_pass() {
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_WRITE,
        ] {
            let error = said(code, "");
            assert!(
                matches!(error, PortError::Unavailable { retry: true, .. }),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_statement_that_makes_no_sense_is_not_worth_a_second_try() {
        let error = said(ffi::SQLITE_ERROR, "no such table");
        assert!(matches!(error, PortError::Unavailable { retry: false, .. }));
    }

    #[test]
    fn a_damaged_file_is_corrupt() {
        let error = said(ffi::SQLITE_CORRUPT, "database disk image is malformed");
        assert!(matches!(error, PortError::Corrupt { .. }));
    }

    #[test]
    fn only_a_failing_disk_stops_the_writer() {
        let refused = |code| NotKept::Refused(Arc::new(SqlError::SqliteFailure(ffi::Error::new(code), None)));
        assert!(refused(ffi::SQLITE_IOERR_FSYNC).is_disk_failure());
        assert!(!refused(ffi::SQLITE_FULL).is_disk_failure());
        assert!(!NotKept::RolledBack.is_disk_failure());
        let stopped = PortError::from(NotKept::Stopped);
        assert!(matches!(stopped, PortError::Unavailable { retry: false, .. }));
    }
}
