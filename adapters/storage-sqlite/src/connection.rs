//! Connections and their pragmas.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Result};

/// Prepared statements kept per connection: more than there are in this crate.
const STATEMENTS: usize = 64;

/// Opens a file that exists, to write. Changes nothing yet: the file may turn out to be somebody else's.
pub(crate) fn open_to_write(path: &Path, busy_timeout: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, busy_timeout)?;
    Ok(connection)
}

/// Makes commits durable: a write-ahead log, synced at every commit.
pub(crate) fn make_durable(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Only macOS listens: there a plain sync does not reach the disk.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    // What is deleted is overwritten wherever that costs no extra write.
    connection.pragma_update(None, "secure_delete", "FAST")
}

/// Opens a database that a writer has already made durable, to read.
pub(crate) fn open_to_read(path: &Path, busy_timeout: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, busy_timeout)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn prepare(connection: &Connection, busy_timeout: Duration) -> Result<()> {
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "trusted_schema", false)?;
    // No scratch file ever holds a copy of rows.
    connection.pragma_update(None, "temp_store", "MEMORY")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pragma(connection: &Connection, name: &str) -> String {
        connection
            .pragma_query_value(None, name, |row| {
                row.get::<_, rusqlite::types::Value>(0)
                    .map(|value| format!("{value:?}"))
            })
            .unwrap()
    }

    #[test]
    fn every_commit_is_synced_and_foreign_keys_hold() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        std::fs::write(&path, b"").unwrap();
        let writer = open_to_write(&path, Duration::from_secs(1)).unwrap();
        make_durable(&writer).unwrap();
        assert_eq!(pragma(&writer, "journal_mode"), "Text(\"wal\")");
        assert_eq!(pragma(&writer, "synchronous"), "Integer(2)");
        assert_eq!(pragma(&writer, "foreign_keys"), "Integer(1)");
        assert_eq!(pragma(&writer, "busy_timeout"), "Integer(1000)");
    }

    #[test]
    fn a_reader_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        std::fs::write(&path, b"").unwrap();
        let writer = open_to_write(&path, Duration::from_secs(1)).unwrap();
        make_durable(&writer).unwrap();
        let reader = open_to_read(&path, Duration::from_secs(1)).unwrap();
        assert!(reader.execute_batch("CREATE TABLE a (x)").is_err());
    }
}
