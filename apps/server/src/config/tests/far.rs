//! Stores on other machines.

use super::*;

fn warnings(text: &str) -> Vec<String> {
    load_with(text, &[]).unwrap().warnings
}

#[track_caller]
fn warned(text: &str, part: &str) {
    let warnings = warnings(text);
    assert!(
        warnings.iter().any(|warning| warning.contains(part)),
        "{warnings:?}"
    );
}

const MODERN: &str = "[storage]\nurl = \"postgres://db.example/users?sslmode=verify-full\"\n\
                      [sessions]\nurl = \"rediss://cache.example\"\n";

#[test]
fn stores_that_several_nodes_can_share_go_together() {
    let key = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(warnings(&with_key(MODERN, &key)), Vec::<String>::new());
}

fn with_key(text: &str, key: &tempfile::NamedTempFile) -> String {
    format!("{text}[secrets]\nkey_file = \"{}\"\n", key.path().display())
}

#[test]
fn a_node_that_would_make_a_key_of_its_own_is_told() {
    warned(MODERN, "needs a copy of that very file");
    assert_eq!(warnings(""), Vec::<String>::new());
}

#[test]
fn stores_that_do_not_go_together_are_warned_of() {
    warned(
        "[storage]\nurl = \"mongodb://127.0.0.1/users\"\n[sessions]\nurl = \"memory:\"\n",
        "logged in at one and not at the other",
    );
    warned(
        "[sessions]\nurl = \"redis://127.0.0.1\"\n",
        "no other node can share them",
    );
}

#[test]
fn a_way_in_clear_to_another_machine_is_warned_of() {
    warned(
        "[storage]\nurl = \"postgres://db.example/users?sslmode=prefer\"\n",
        "sslmode=verify-full",
    );
    warned("[storage]\nurl = \"mongodb://db.example/users\"\n", "`tls=true`");
    let sentinel = "[storage]\nurl = \"postgres://127.0.0.1/u\"\n[sessions]\nurl = \"redis-sentinel://s.example/main\"\n";
    warned(
        sentinel,
        "write `rediss-sentinel://` instead of `redis-sentinel://`",
    );
}

#[test]
fn a_key_that_does_nothing_with_the_chosen_store_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, "x").unwrap();
    let ca = format!("ca_file = \"{}\"\n", file.display());
    warned(
        "[storage]\nmax_connections = 8\n",
        "`storage.max_connections` does nothing with `sqlite:`",
    );
    warned(
        "[sessions]\nprefix = \"a:\"\n",
        "`sessions.prefix` does nothing with `storage:`",
    );
    warned(
        &format!("[storage]\n{ca}"),
        "`storage.ca_file` does nothing with `sqlite:`",
    );
    let plain = format!(
        "[storage]\nurl = \"postgres://127.0.0.1/u?sslmode=disable\"\n{ca}[sessions]\nurl = \"redis://127.0.0.1\"\n{ca}"
    );
    warned(
        &plain,
        "`storage.ca_file` does nothing with `postgres:` without TLS",
    );
    warned(
        &plain,
        "`sessions.ca_file` does nothing with `redis:` without TLS",
    );
    let fit = MODERN.replace(
        "[sessions]",
        &format!("max_connections = 8\n{ca}[sessions]\nprefix = \"a:\"\n{ca}"),
    );
    let key = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(warnings(&with_key(&fit, &key)), Vec::<String>::new());
}

#[test]
fn a_prefix_cannot_steer_keys_to_a_slot_nor_be_a_pattern() {
    for wrong in ["a{b}", "a*", "a b", "ä", &"x".repeat(65)] {
        let error = errors(&format!("[sessions]\nprefix = \"{wrong}\"\n"));
        assert!(
            error.contains("line 2: `sessions.prefix` must hold letters"),
            "{error}"
        );
    }
    assert_eq!(
        config("[sessions]\nprefix = \"login-2.eu:\"\n").sessions.prefix,
        "login-2.eu:"
    );
}

#[test]
fn the_keys_can_stand_in_the_environment_and_the_url_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    fs::write(&file, "postgres://me:hunter2@db.example/users\n").unwrap();
    let file = file.display().to_string();
    let variables = [
        ("PORTCULLIS__STORAGE__URL_FILE", file.as_str()),
        ("PORTCULLIS__STORAGE__MAX_CONNECTIONS", "4"),
        ("PORTCULLIS__SESSIONS__URL", "redis://me:hunter2@cache.example"),
        ("PORTCULLIS__SESSIONS__PREFIX", "a:"),
    ];
    let loaded = load_with("", &variables).unwrap();
    assert_eq!(
        (
            loaded.config.storage.max_connections,
            loaded.config.sessions.prefix.as_str()
        ),
        (4, "a:")
    );
    let summary = loaded.summary();
    assert!(
        summary.contains("postgres://db.example/users, 4 connections at most"),
        "{summary}"
    );
    assert!(
        summary.contains("redis://cache.example, keys begin with a:"),
        "{summary}"
    );
    assert!(!format!("{summary}{:?}", loaded.warnings).contains("hunter2"));
}

#[test]
fn authorities_that_are_not_there_are_a_fault() {
    let error =
        errors("[storage]\nca_file = \"/nowhere/ca.pem\"\n[sessions]\nca_file = \"/nowhere/ca.pem\"\n");
    assert!(
        error.contains("`storage.ca_file` names") && error.contains("`sessions.ca_file` names"),
        "{error}"
    );
}
