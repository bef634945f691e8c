//! The file changes while we serve.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use domain::id::EntryName;
use domain::ports::ProviderDirectory as _;
use http_warp::EntrySource as _;
use outbound_http::{Outbound, OutboundConfig};

use super::*;
use crate::providers::directory::{Changes, Directory};
use crate::providers::source::ProvidersFile;
use crate::providers::watch::{Looked, Watcher};
use crate::providers::{Providers, open};

fn file(folder: &Path, named: bool) -> ProvidersFile {
    let mut config = crate::config::load(None, &Environment::of([])).unwrap().config;
    config.providers.file = folder.join("providers.json");
    config.providers.named = named;
    let outbound = Outbound::new(OutboundConfig::default()).unwrap();
    ProvidersFile::new(&config, PUBLIC, Environment::of([]), outbound)
}

fn start(folder: &Path) -> (Arc<Directory>, Watcher) {
    let Providers {
        directory, watcher, ..
    } = open(file(folder, false)).unwrap();
    (directory, watcher)
}

fn write(folder: &Path, text: &str) {
    fs::write(folder.join("providers.json"), text).unwrap();
}

/// Both sides see the same entries.
#[track_caller]
fn agree(directory: &Directory, names: &[&str]) {
    let all = directory.all();
    let core: Vec<_> = all.iter().map(|binding| binding.entry.name.as_str()).collect();
    let table = directory.current();
    let web: Vec<_> = table.all().iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!((core.as_slice(), web.as_slice()), (names, names));
    for name in names {
        assert!(directory.find(&EntryName::new(*name)).is_some(), "{name}");
    }
}

#[test]
fn a_file_that_appears_changes_or_goes_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (directory, mut watcher) = start(folder);
    agree(&directory, &[]);
    assert_eq!(watcher.look(), Looked::Same);

    let (a, b) = (github(""), github(r#", "label": "B""#));
    write(folder, &format!("{{\"a\": {a}, \"b\": {b}}}"));
    let both = vec!["a".to_owned(), "b".to_owned()];
    let added = Changes {
        added: both,
        ..Changes::default()
    };
    assert_eq!(watcher.look(), Looked::Taken(added));
    agree(&directory, &["a", "b"]);

    write(folder, &format!("{{\"b\": {}}}", github(r#", "label": "C""#)));
    let less = Changes {
        changed: vec!["b".to_owned()],
        removed: vec!["a".to_owned()],
        ..Changes::default()
    };
    assert_eq!(watcher.look(), Looked::Taken(less));
    agree(&directory, &["b"]);
    assert_eq!(watcher.look(), Looked::Same);

    fs::remove_file(folder.join("providers.json")).unwrap();
    assert!(matches!(watcher.look(), Looked::Taken(_)));
    agree(&directory, &[]);
}

#[test]
fn a_broken_file_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, &format!("{{\"a\": {}}}", github("")));
    let (directory, mut watcher) = start(folder);
    let before = directory.find(&EntryName::new("a")).unwrap();
    for broken in [
        "{",
        "{\"a\": {\"module\": \"passport-saml\"}}",
        "{\"a\": {\"module\": 1}}",
    ] {
        write(folder, broken);
        let Looked::Refused(errors) = watcher.look() else {
            panic!("{broken}");
        };
        assert!(errors[0].contains("providers.json: "), "{errors:?}");
        agree(&directory, &["a"]);
        assert!(Arc::ptr_eq(
            &before,
            &directory.find(&EntryName::new("a")).unwrap()
        ));
        assert_eq!(watcher.look(), Looked::Same, "it is told once");
    }
    write(folder, &format!("{{\"z\": {}}}", github("")));
    assert!(matches!(watcher.look(), Looked::Taken(_)));
    agree(&directory, &["z"]);
}

#[test]
fn a_file_that_is_only_touched_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = format!("{{\"a\": {}}}", github(""));
    write(folder, &text);
    let (directory, mut watcher) = start(folder);
    let before = directory.find(&EntryName::new("a")).unwrap();
    write(folder, &text);
    assert_eq!(watcher.look(), Looked::Same);
    assert!(Arc::ptr_eq(
        &before,
        &directory.find(&EntryName::new("a")).unwrap()
    ));
}

#[test]
fn a_secret_in_a_file_of_its_own_is_followed_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let secret = folder.join("secret");
    fs::write(&secret, "one").unwrap();
    let entry = format!(
        r#"{{"module": "passport-github", "clientID": "i", "clientSecret_file": "{}"}}"#,
        secret.display()
    );
    write(folder, &format!("{{\"a\": {entry}}}"));
    let (directory, mut watcher) = start(folder);
    assert_eq!(watcher.look(), Looked::Same);
    fs::write(&secret, "two").unwrap();
    let changed = Changes {
        changed: vec!["a".to_owned()],
        ..Changes::default()
    };
    assert_eq!(watcher.look(), Looked::Taken(changed));
    fs::remove_file(&secret).unwrap();
    assert!(matches!(watcher.look(), Looked::Refused(_)));
    agree(&directory, &["a"]);
    fs::write(&secret, "two").unwrap();
    assert!(matches!(watcher.look(), Looked::Taken(_)));
}

#[test]
fn the_server_does_not_start_with_half_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        folder,
        &format!(
            "{{\"a\": {}, \"b\": {{\"module\": \"passport-ldapauth\"}}}}",
            github("")
        ),
    );
    let Err(sentence) = open(file(folder, false)) else {
        panic!("it started");
    };
    assert!(
        sentence.contains("providers.json: entry `b`: `server` is missing"),
        "{sentence}"
    );
}

#[test]
fn a_named_file_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    assert!(open(file(folder.path(), false)).is_ok());
    let Err(sentence) = open(file(folder.path(), true)) else {
        panic!("it started");
    };
    assert!(sentence.contains("providers.json: cannot be read"), "{sentence}");
}

#[test]
fn every_ready_profile_gets_its_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let client = r#""clientID": "id", "clientSecret": "abc""#;
    let modules = [
        "passport-facebook",
        "passport-google-oauth20",
        "passport-github2",
        "passport-twitter-oauth2",
        "passport-linkedin-oauth2",
        "passport-microsoft",
    ];
    let entries = modules.map(|module| format!(r#""{module}": {{"module": "{module}", {client}}}"#));
    let twitter =
        r#""passport-twitter": {"module": "passport-twitter", "consumerKey": "k", "consumerSecret": "abc"}"#;
    write(folder, &format!("{{{}, {twitter}}}", entries.join(", ")));
    let (directory, _) = start(folder);
    assert_eq!(directory.all().len(), 7);
    let scopes = |name: &str| {
        directory
            .find(&EntryName::new(name))
            .unwrap()
            .entry
            .scopes
            .clone()
    };
    assert_eq!(scopes("passport-google-oauth20"), ["openid", "profile", "email"]);
    assert_eq!(scopes("passport-github2"), ["user:email"]);
}
