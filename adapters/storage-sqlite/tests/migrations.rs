//! Schema versions, and files that are none of ours.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use storage_sqlite::{Migrated, OpenError, SqliteConfig, SqliteStore, migrate};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    (directory, path)
}

fn refusal(path: &Path) -> OpenError {
    let before = fs::read(path).unwrap();
    let refused = SqliteStore::open(&SqliteConfig::new(path)).err().unwrap();
    assert_eq!(fs::read(path).unwrap(), before, "a refused file stays as it is");
    refused
}

#[test]
fn a_new_file_gets_the_newest_schema_and_a_second_run_changes_nothing() {
    let (_directory, path) = place();
    let Migrated { from, to } = migrate(&path).unwrap();
    assert_eq!(from, 0);
    assert!(to >= 1);
    assert_eq!(migrate(&path).unwrap(), Migrated { from: to, to });
    drop(SqliteStore::open(&SqliteConfig::new(&path)).unwrap());
    assert_eq!(migrate(&path).unwrap(), Migrated { from: to, to });
}

#[test]
fn a_newer_schema_is_refused_in_a_sentence() {
    let (_directory, path) = place();
    let known = migrate(&path).unwrap().to;
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", known + 1).unwrap();
    connection.close().unwrap();
    let refused = refusal(&path);
    assert!(matches!(refused, OpenError::NewerSchema { .. }), "{refused:?}");
    let said = refused.to_string();
    assert!(said.contains(&format!("schema version {}", known + 1)), "{said}");
    assert!(matches!(migrate(&path), Err(OpenError::NewerSchema { .. })));
}

#[test]
fn a_database_of_something_else_is_refused() {
    let (_directory, path) = place();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE photos (x)").unwrap();
    connection.close().unwrap();
    assert!(matches!(refusal(&path), OpenError::Foreign { .. }));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let (_directory, path) = place();
    fs::write(&path, "Dear diary, ".repeat(500)).unwrap();
    assert!(matches!(refusal(&path), OpenError::Foreign { .. }));
}

#[test]
fn a_place_where_no_file_can_be_is_named() {
    let (directory, path) = place();
    fs::write(&path, "").unwrap();
    for impossible in [path.join("b.db"), directory.path().to_owned()] {
        let refused = SqliteStore::open(&SqliteConfig::new(&impossible)).err().unwrap();
        assert!(matches!(refused, OpenError::File { .. }), "{refused:?}");
        assert!(refused.to_string().contains(directory.path().to_str().unwrap()));
    }
}
