//! The configuration from the outside: files and variables in, settings or sentences out.

mod far;
mod form;
mod handbook;
mod meaning;
mod pools;
mod safety;

use std::fs;

use super::*;

/// Loads `text` as a file, with these variables over it.
pub(super) fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.toml");
    fs::write(&path, text).unwrap();
    let shown = path.display().to_string();
    load(Some(&path), &Environment::of(variables.iter().copied()))
        .map_err(|errors| errors.to_string().replace(&shown, "portcullis.toml"))
}

pub(super) fn config(text: &str) -> Config {
    load_with(text, &[]).unwrap().config
}

pub(super) fn config_of(variables: &[(&str, &str)]) -> Config {
    load_with("", variables).unwrap().config
}

pub(super) fn errors(text: &str) -> String {
    load_with(text, &[]).unwrap_err()
}

pub(super) fn env_error(name: &str, value: &str) -> String {
    load_with("", &[(name, value)]).unwrap_err()
}

/// Asserts that `text` is refused in exactly this one sentence.
#[track_caller]
pub(super) fn refused(text: &str, sentence: &str) {
    assert_eq!(errors(text), sentence);
}

pub(super) fn pool<'a>(config: &'a Config, plural: &str) -> &'a UserPool {
    config.users.iter().find(|pool| pool.plural == plural).unwrap()
}
