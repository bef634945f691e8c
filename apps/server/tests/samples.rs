//! The samples of `docs/samples`: each is right for the binary of its bundle, and every other binary says what it lacks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

/// Runs the program and tells how it ended and what it said, faults and warnings last.
fn run(arguments: &[&str]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .output()
        .unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8(said).unwrap())
}

fn check(bundle: &str) -> (bool, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/samples");
    let sample = folder.join(format!("{bundle}.toml"));
    run(&["check-config", "--config", sample.to_str().unwrap()])
}

fn has(feature: &str) -> bool {
    let (_, listed) = run(&["adapters"]);
    let mut lines = listed.lines().map(|line| line.split_whitespace().take(2));
    lines.any(|mut line| line.next() == Some("yes") && line.next() == Some(feature))
}

/// What a sample chooses, and what the check must then say.
#[track_caller]
fn is_right(bundle: &str, storage: &str, sessions: &str) {
    let (fine, said) = check(bundle);
    let lacking = [storage, sessions].into_iter().find(|feature| !has(feature));
    match lacking {
        None => assert!(fine && said.contains("The configuration is fine"), "{said}"),
        Some(feature) => assert!(!fine && said.contains(&format!("--features {feature}")), "{said}"),
    }
    let in_clear = said.contains("does nothing") || said.contains("in clear text");
    assert!(!in_clear, "{said}");
}

#[test]
fn the_sample_of_embedded_is_right() {
    is_right("embedded", "storage-sqlite", "storage-sqlite");
}

#[test]
fn the_sample_of_classic_is_right() {
    is_right("classic", "storage-mongo", "sessions-redis");
}

#[test]
fn the_sample_of_modern_is_right() {
    is_right("modern", "storage-postgres", "sessions-redis");
}

#[test]
fn the_sample_of_full_is_right() {
    is_right("full", "storage-sqlite", "storage-sqlite");
}
