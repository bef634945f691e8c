//! What can go wrong, in the words of the ports.
//!
//! The driver's own errors never leave this file: their `Debug` shows the row that broke a rule, which holds addresses and names.

use domain::ports::{PortError, UniqueKey};
use domain::time::Lifetime;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address makes no sense.
    #[error("the database's address (storage.url) is not understood: {problem}")]
    Address {
        /// What is wrong with it, without repeating it.
        problem: String,
    },
    /// Nobody answered while we waited.
    #[error(
        "PostgreSQL does not answer at {place}: {problem}. Waited {waited} s. Start it, or correct storage.url."
    )]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the last try said.
        problem: String,
        /// Seconds.
        waited: u64,
    },
    /// It answered and does not let us in, or could not prove who it is.
    #[error("PostgreSQL at {place} is there but cannot be used: {problem}")]
    Refused {
        /// Host and port.
        place: String,
        /// What it said.
        problem: String,
    },
    /// The database does not keep its text as UTF-8.
    #[error("the database keeps its text as {found}; make one with ENCODING 'UTF8'")]
    Encoding {
        /// Its encoding.
        found: String,
    },
    /// A newer version took away something this one needs.
    #[error(
        "the database has schema version {found}, which servers that know less than version {oldest} cannot use; this one knows \
         {known}. Start the newer version, or restore a backup."
    )]
    NewerSchema {
        /// Its schema version.
        found: u32,
        /// The least a server must know.
        oldest: u32,
        /// What this server knows.
        known: u32,
    },
    /// A migration was applied that is not the one this server knows under that number.
    #[error(
        "schema version {version} of the database is not the one this server knows under that number: it was made by a build \
         that was never released, or changed by hand"
    )]
    Altered {
        /// Which.
        version: u32,
    },
    /// The database holds tables of something else.
    #[error(
        "the database is not one of this server: it has a table {table:?} that was not made by it. Use an empty database, or a \
         schema of its own: storage.url = \"…?options[search_path]=NAME\"."
    )]
    Foreign {
        /// The table that is in the way.
        table: String,
    },
    /// The server went away while the schema was brought up to date.
    #[error("the connection to PostgreSQL broke ({step}): {problem}")]
    Lost {
        /// What was being done.
        step: String,
        /// What was said last.
        problem: String,
    },
    /// A statement failed while the schema was brought up to date.
    #[error("cannot bring the database up to date ({step}): {problem}")]
    Database {
        /// What was being done.
        step: String,
        /// What PostgreSQL said.
        problem: String,
    },
}

/// What a piece of work on a connection answers.
pub(crate) type Answer<T> = Result<T, Fault>;

/// What a piece of work on a connection may fail with.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Already in the ports' words. The connection is sound.
    Port(PortError),
    /// It collided with somebody else's and left nothing behind: the same again may succeed. The connection is sound.
    Conflict(Said),
    /// The connection is no longer of use, and nobody knows what became of the work.
    Broken(Said),
}

/// What the database or the network said, in words that may stand in a log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Said(pub String);

impl Said {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
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
            Fault::Conflict(said) | Fault::Broken(said) => Self::unavailable(said),
        }
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => from_database(&**database),
            // Not what the statement was written to answer: a defect here or a table changed by hand.
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_)
            | sqlx::Error::RowNotFound => Self::Port(PortError::Unavailable {
                source: Box::new(said(&error)),
                retry: false,
            }),
            _ => Self::Broken(said(&error)),
        }
    }
}

/// The work was asked for when there is no room for it.
pub(crate) fn busy() -> Fault {
    Fault::Port(PortError::Busy {
        retry_after: Lifetime::from_secs(1),
    })
}

/// An outage that may pass.
pub(crate) fn outage(text: impl Into<String>) -> Fault {
    Fault::Port(PortError::unavailable(Said::new(text)))
}

fn from_database(error: &dyn DatabaseError) -> Fault {
    let error = error.downcast_ref::<PgDatabaseError>();
    let heard = said_by(error);
    // FATAL and PANIC come before the server hangs up.
    if !matches!(error.severity(), PgSeverity::Error) {
        return Fault::Broken(heard);
    }
    let code = error.code();
    match code {
        "23505" => Fault::Port(PortError::Duplicate(violated(
            error.constraint().unwrap_or_default(),
        ))),
        "23503" => Fault::Port(PortError::Stale),
        "40001" | "40P01" => Fault::Conflict(heard),
        // A statement that must be prepared anew, since somebody changed a table or a pooler came between; a server that was made a
        // standby under us; one that is going away.
        "0A000" | "26000" | "25006" | "57P01" | "57P02" | "57P03" | "57P05" => Fault::Broken(heard),
        "XX001" | "XX002" => Fault::Port(PortError::corrupt(format!("the database: {heard}"))),
        _ if code.starts_with("08") => Fault::Broken(heard),
        _ => Fault::Port(PortError::Unavailable {
            source: Box::new(heard),
            retry: passes(code),
        }),
    }
}

/// Whether a failure of that code may be over in a moment: resources (53), a lock or a limit of time (55, 57), the system (58).
fn passes(code: &str) -> bool {
    ["53", "55", "57", "58", "40", "25"]
        .iter()
        .any(|class| code.starts_with(class))
}

fn violated(constraint: &str) -> UniqueKey {
    match constraint {
        "users_email_key" => UniqueKey::Email,
        "users_username_key" => UniqueKey::Username,
        "identity_keys_pkey" => UniqueKey::Identity,
        _ => UniqueKey::Id,
    }
}

/// What went wrong, without the values of any row.
pub(crate) fn said(error: &sqlx::Error) -> Said {
    match error {
        sqlx::Error::Database(database) => said_by(database.downcast_ref::<PgDatabaseError>()),
        sqlx::Error::ColumnDecode { index, .. } => Said::new(format!("the column {index} is not readable")),
        sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => Said::new("a value is not of its column's type"),
        other => Said::new(other.to_string()),
    }
}

/// The classes of data exceptions and broken constraints quote values in their message; their code says enough.
fn said_by(error: &PgDatabaseError) -> Said {
    let code = error.code();
    if code.starts_with("22") || code.starts_with("23") {
        let constraint = error.constraint().unwrap_or("none named");
        return Said::new(format!("SQLSTATE {code} (constraint: {constraint})"));
    }
    Said::new(format!("{} (SQLSTATE {code})", error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_wire_is_an_outage_that_may_pass() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        let fault = Fault::from(lost);
        assert!(matches!(fault, Fault::Broken(_)), "{fault:?}");
        let error = PortError::from(fault);
        assert!(
            matches!(error, PortError::Unavailable { retry: true, .. }),
            "{error:?}"
        );
    }

    #[test]
    fn a_row_that_is_not_what_it_should_be_is_not_worth_a_second_try() {
        let error = PortError::from(Fault::from(sqlx::Error::RowNotFound));
        assert!(
            matches!(error, PortError::Unavailable { retry: false, .. }),
            "{error:?}"
        );
    }

    #[test]
    fn a_full_disk_passes_and_a_missing_table_does_not() {
        assert!(passes("53100") && passes("57014") && passes("55P03"));
        assert!(!passes("42P01") && !passes("22021"));
    }

    #[test]
    fn every_unique_index_has_its_key() {
        assert_eq!(violated("users_email_key"), UniqueKey::Email);
        assert_eq!(violated("users_username_key"), UniqueKey::Username);
        assert_eq!(violated("identity_keys_pkey"), UniqueKey::Identity);
        assert_eq!(violated("users_pkey"), UniqueKey::Id);
        assert_eq!(violated("applications_pkey"), UniqueKey::Id);
    }
}
