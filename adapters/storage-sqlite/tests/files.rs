//! The file is ours alone: against other accounts, other processes, and whoever finds a copy.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use conformance::sample::{flow, full_user, key, session};
use domain::flow_record::FlowKind;
use domain::ports::{FlowStore, SessionStore, UserStore};
use storage_sqlite::{OpenError, SqliteConfig, SqliteStore, migrate};

const DATABASE: &str = "STORAGE_SQLITE_SHARED_DATABASE";

fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(&SqliteConfig::new(path))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn is_in_use(answer: Result<SqliteStore, OpenError>) -> bool {
    matches!(answer.err(), Some(OpenError::InUse { .. }))
}

#[test]
fn directory_and_files_are_closed_to_others() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("deep/data");
    let store = open(&data.join("a.db")).unwrap();
    conformance::run(async {
        store.create(&full_user(&key("Users", "1"))).await.unwrap();
    });
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(data.parent().unwrap()), 0o700);
    for name in ["a.db", "a.db-wal", "a.db-shm", "a.db.lock"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_file_that_was_open_to_others_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    drop(open(&path).unwrap());
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let _store = open(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&directory.path().join("a.db-wal")), 0o600);
}

#[test]
fn a_second_handle_is_refused_until_the_first_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let alias = directory.path().join("alias.db");
    let first = open(&path).unwrap();
    symlink(&path, &alias).unwrap();
    assert!(is_in_use(open(&path)));
    assert!(is_in_use(open(&alias)), "by another name");
    assert!(matches!(migrate(&path), Err(OpenError::InUse { .. })));
    drop(first);
    let second = open(&path).unwrap();
    conformance::run(async { second.close().await.unwrap() });
    open(&path).unwrap();
}

/// Not a test of its own: a second process.
#[test]
#[ignore = "run as a child process by a_second_process_is_told_in_a_sentence"]
fn opens_what_another_process_has_open() {
    if let Some(path) = std::env::var_os(DATABASE) {
        let error = open(Path::new(&path)).err().unwrap();
        println!("\nrefused: {error}");
    }
}

#[test]
fn a_second_process_is_told_in_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let _store = open(&path).unwrap();
    let said = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "opens_what_another_process_has_open"])
        .args(["--ignored", "--nocapture"])
        .env(DATABASE, &path)
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let expected = format!("refused: {} is in use", path.canonicalize().unwrap().display());
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn no_token_is_in_the_files_in_clear() {
    const TOKEN: &str = "qGx7kJc2VdWm9TzYb4NfHs8LpRa3Eu6QqGx7kJc2VdWm9TzYb4NfHs8LpRa3Eu6Q";
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("a.db")).unwrap();
    conformance::run(async {
        let user = full_user(&key("Users", "1"));
        store.create(&user).await.unwrap();
        let mut open = session(&user.key, TOKEN);
        open.id = domain::id::SessionId::new("the-session");
        store.open(&open).await.unwrap();
        for (kind, text) in [
            (FlowKind::PendingLogin, TOKEN.to_owned()),
            (FlowKind::ResetPassword, format!("{TOKEN}2")),
            (FlowKind::Authorization, format!("{TOKEN}3")),
        ] {
            store.put(&flow(&user.key, kind, &text)).await.unwrap();
        }
    });
    let holds = |needle: &[u8]| {
        fs::read_dir(directory.path()).unwrap().any(|file| {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            bytes.windows(needle.len()).any(|window| window == needle)
        })
    };
    assert!(holds(b"the-session"), "the search finds what is there");
    assert!(!holds(TOKEN.as_bytes()));
}
