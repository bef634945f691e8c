//! `providers.json` from the outside: a file in, entries or sentences out.

mod article;
mod enterprise;
mod handbook;
mod keys;
mod lint;
mod local;
mod profiles;
mod reload;

use super::entry::{Entry, Surroundings};
use super::file;
use super::finding::Severity;
use crate::config::Environment;

/// What a file gave.
pub struct Read {
    pub entries: Vec<Entry>,
    pub errors: Vec<String>,
    pub warnings: Vec<String>,
}

pub const PUBLIC: &str = "http://localhost:3000";

/// Reads a file for a server at `public_url`, with these variables.
pub fn read_at(public_url: &str, text: &str, variables: &[(&str, &str)]) -> Read {
    let pools = ["Users".to_owned(), "Employees".to_owned()];
    let environment = Environment::of(variables.iter().copied());
    let around = Surroundings {
        public_url,
        pools: &pools,
        insecure: false,
        environment: &environment,
    };
    let (entries, findings) = file::read(text, &around);
    let lines = |severity| findings.of(severity).map(ToString::to_string).collect();
    Read {
        entries,
        errors: lines(Severity::Error),
        warnings: lines(Severity::Warning),
    }
}

pub fn read(text: &str) -> Read {
    read_at(PUBLIC, text, &[])
}

/// The one entry of a file that is fine.
#[track_caller]
pub fn one(entry: &str) -> Entry {
    let Read {
        mut entries, errors, ..
    } = read(&format!("{{\"e\": {entry}}}"));
    assert_eq!(errors, Vec::<String>::new());
    entries.remove(0)
}

/// A GitHub entry with these further keys; each begins with a comma.
pub fn github(further: &str) -> String {
    format!(
        r#"{{"provider": "github", "module": "passport-github2", "clientID": "id", "clientSecret": "s3cr3t-of-github"{further}}}"#
    )
}

/// Asserts that an entry is refused by exactly this one sentence.
#[track_caller]
pub fn refused(entry: &str, sentence: &str) {
    let errors = read(&format!("{{\"e\": {entry}}}")).errors;
    assert_eq!(errors, [format!("entry `e`: {sentence}")]);
}

/// Asserts that an entry is refused by one sentence that has this part.
#[track_caller]
pub fn refused_for(entry: &str, part: &str) {
    let errors = read(&format!("{{\"e\": {entry}}}")).errors;
    assert!(errors.len() == 1 && errors[0].contains(part), "{errors:?}");
}

/// Asserts that an entry is taken with one warning that has this part.
#[track_caller]
pub fn warned_of(entry: &str, part: &str) {
    let Read { errors, warnings, .. } = read(&format!("{{\"e\": {entry}}}"));
    assert_eq!(errors, Vec::<String>::new());
    assert!(warnings.len() == 1 && warnings[0].contains(part), "{warnings:?}");
}
