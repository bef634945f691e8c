//! What can go wrong, in the words of the ports.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use domain::ports::{PortError, UniqueKey};
use domain::time::Lifetime;
use mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};

/// The code of a violated unique index.
const DUPLICATE_KEY: i32 = 11_000;
/// Codes of "not you" and "not here": Unauthorized, AuthenticationFailed.
const REFUSED: [i32; 2] = [13, 18];
/// Codes of what may be over in a moment: HostUnreachable, HostNotFound, MaxTimeMSExpired, WriteConcernFailed, NetworkTimeout,
/// ShutdownInProgress, LockTimeout, WriteConflict, PrimarySteppedDown, ExceededTimeLimit, SocketException, NotWritablePrimary,
/// InterruptedAtShutdown, InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, OutOfDiskSpace.
const PASSING: [i32; 17] = [
    6, 7, 50, 64, 89, 91, 24, 112, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436, 14_031,
];
/// When somebody refused for a full queue should come back.
const RETRY_AFTER: Lifetime = Lifetime::from_secs(1);

/// Why a database could not be opened. No variant holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL, or what else is set beside it, makes no sense.
    #[error("storage.url cannot be used: {0}")]
    Url(String),
    /// The file of authorities cannot be read.
    #[error("cannot read storage.ca_file {}: {source}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nobody answered, or nobody who takes writes.
    #[error("no database answered within {} s: {said}", waited.as_secs())]
    Unreachable {
        /// How long was waited.
        waited: Duration,
        /// What the driver said last.
        said: String,
    },
    /// The database does not take the user, the password or what they may do.
    #[error("the database refuses this user: {said}")]
    Refused {
        /// What it said.
        said: String,
    },
    /// A newer version of this software has changed the database so that this one must not use it.
    #[error(
        "the database {database} needs a version that knows schema {needed}, but this one knows only up to {known}. Start the newer version, or restore a backup."
    )]
    NewerSchema {
        /// The database.
        database: String,
        /// The oldest schema version whose software may still run.
        needed: u32,
        /// The newest schema version that is understood.
        known: u32,
    },
    /// The database holds collections of something else under our names.
    #[error(
        "the database {database} has a collection {collection} that is not this server's: name another database"
    )]
    Foreign {
        /// The database.
        database: String,
        /// The collection that is not ours.
        collection: String,
    },
    /// Something else was refused.
    #[error("cannot use the database: {said}")]
    Database {
        /// What the driver said.
        said: String,
    },
}

impl From<DriverError> for OpenError {
    fn from(error: DriverError) -> Self {
        let said = Said::of(&error).to_string();
        if is_refusal(&error) {
            Self::Refused { said }
        } else {
            Self::Database { said }
        }
    }
}

/// Whether the database knows us and says no: waiting does not help.
pub(crate) fn is_refusal(error: &DriverError) -> bool {
    matches!(*error.kind, ErrorKind::Authentication { .. })
        || code(error).is_some_and(|code| REFUSED.contains(&code))
}

/// What a piece of work on the database may fail with: the driver's error, or one that is already in the port's words.
#[derive(Debug)]
pub(crate) enum Fault {
    Driver(DriverError),
    Port(PortError),
}

/// What a piece of work on the database answers.
pub(crate) type Answer<T> = Result<T, Fault>;

impl From<DriverError> for Fault {
    fn from(error: DriverError) -> Self {
        Self::Driver(error)
    }
}

impl From<PortError> for Fault {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl Fault {
    /// Whether nobody answered, so that the next call had better not try either.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Driver(error) if is_silence(error))
    }
}

impl From<Fault> for PortError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Port(error) => error,
            Fault::Driver(error) => match violated_key(&error) {
                Some(key) => Self::Duplicate(key),
                None => Self::Unavailable {
                    retry: passes(&error),
                    source: Box::new(Said::of(&error)),
                },
            },
        }
    }
}

fn is_silence(error: &DriverError) -> bool {
    matches!(
        *error.kind,
        ErrorKind::Io(_)
            | ErrorKind::ServerSelection { .. }
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::DnsResolve { .. }
    )
}

/// Whether a failure of that kind may be over in a moment.
fn passes(error: &DriverError) -> bool {
    is_silence(error)
        || error.contains_label("RetryableWriteError")
        || error.contains_label("TransientTransactionError")
        || code(error).is_some_and(|code| PASSING.contains(&code))
}

fn code(error: &DriverError) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => Some(concern.code),
        _ => None,
    }
}

/// Whether a write met a document of the same unique key.
pub(crate) fn is_duplicate(error: &DriverError) -> bool {
    code(error) == Some(DUPLICATE_KEY)
}

/// Which key of a user a refused write would have taken a second time.
fn violated_key(error: &DriverError) -> Option<UniqueKey> {
    if !is_duplicate(error) {
        return None;
    }
    let message = match &*error.kind {
        ErrorKind::Command(command) => command.message.as_str(),
        ErrorKind::Write(WriteFailure::WriteError(write)) => write.message.as_str(),
        _ => "",
    };
    Some(key_of_index(index_of(message)))
}

/// The name of the violated index. The message reads `… collection: db.users index: NAME dup key: { … }`, and what follows `dup
/// key` is a user's data, which may say anything.
fn index_of(message: &str) -> &str {
    let (before, _) = message.split_once(" dup key").unwrap_or((message, ""));
    let (_, index) = before.split_once("index: ").unwrap_or(("", ""));
    let index = index.split_whitespace().next().unwrap_or_default();
    // Very old servers put the collection before it.
    index.rsplit('$').next().unwrap_or_default()
}

fn key_of_index(index: &str) -> UniqueKey {
    match index {
        crate::indexes::EMAIL => UniqueKey::Email,
        crate::indexes::USERNAME => UniqueKey::Username,
        crate::indexes::IDENTITY => UniqueKey::Identity,
        _ => UniqueKey::Id,
    }
}

/// What the driver said, fit for a log: errors of the server by number and name alone, since their texts may quote documents.
#[derive(Debug)]
pub(crate) struct Said(String);

impl Said {
    pub fn of(error: &DriverError) -> Self {
        Self(match &*error.kind {
            ErrorKind::Command(command) => format!("{} ({})", command.code_name, command.code),
            ErrorKind::Write(WriteFailure::WriteError(write)) => {
                let name = write.code_name.as_deref().unwrap_or("a write error");
                format!("{name} ({})", write.code)
            }
            ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => {
                format!("{} ({})", concern.code_name, concern.code)
            }
            ErrorKind::Bson(_) | ErrorKind::InvalidResponse { .. } => {
                "an answer that cannot be read".to_owned()
            }
            ErrorKind::BulkWrite(_) | ErrorKind::InsertMany(_) => "a refused batch".to_owned(),
            _ => error.kind.to_string(),
        })
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}

/// Too much work at once.
pub(crate) const fn busy() -> PortError {
    PortError::Busy {
        retry_after: RETRY_AFTER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_violated_key_is_read_from_the_name_of_its_index() {
        for (message, key) in [
            (
                "E11000 duplicate key error collection: a.users index: email_key dup key: { pool: \"U\", email_key: \"x\" }",
                UniqueKey::Email,
            ),
            (
                "E11000 duplicate key error collection: a.users index: username_key dup key: { : \"index: email_key \" }",
                UniqueKey::Username,
            ),
            (
                "E11000 duplicate key error index: a.users.$identity_keys dup key: { : 1 }",
                UniqueKey::Identity,
            ),
            (
                "E11000 duplicate key error collection: a.users index: _id_ dup key: { _id: \" dup key index: email_key\" }",
                UniqueKey::Id,
            ),
            ("something else", UniqueKey::Id),
        ] {
            assert_eq!(key_of_index(index_of(message)), key, "{message}");
        }
    }
}
