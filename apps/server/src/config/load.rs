//! Finds the configuration, reads it, and says everything that is wrong with it at once.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::env::{Environment, overlay};
use super::nearest::nearest_key;
use super::problem::{ConfigErrors, Problem};
use super::read::{Findings, Reader, Unknown};
use super::source::{Origin, Table, parse_toml};
use super::{Config, check};

/// The file that is read when nobody names one.
pub const DEFAULT_FILE: &str = "./portcullis.toml";

/// A configuration that can be used.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Where they came from.
    pub source: Source,
    /// Environment variables that were laid over them.
    pub variables: usize,
    /// Sentences for the operator; none stops the server.
    pub warnings: Vec<String>,
}

/// Where the settings came from, apart from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This file.
    File(PathBuf),
    /// There is no file.
    Defaults,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Defaults => f.write_str("built-in defaults"),
        }
    }
}

/// Loads the configuration: the file of `--config`, else of `$PORTCULLIS_CONFIG`, else
/// `./portcullis.toml` if it is there, else the built-in defaults; then the environment over it.
///
/// # Errors
/// Every fault that could be found in one go: a syntax error hides what the rest of the file says.
pub fn load(flag: Option<&Path>, environment: &Environment) -> Result<Loaded, ConfigErrors> {
    let source = locate(flag, environment, Path::new(DEFAULT_FILE));
    let table = match &source {
        Source::File(path) => read_file(path)?,
        Source::Defaults => Table::new(),
    };
    let mut problems = Vec::new();
    let mut table = table;
    let variables = overlay(&mut table, environment, &mut problems);
    let (config, findings) = interpret(table);
    problems.extend(judge(findings));
    problems.extend(check::surroundings(&config));
    if !problems.is_empty() {
        return Err(ConfigErrors::new(problems));
    }
    let warnings = check::warnings(&config, &source);
    Ok(Loaded {
        config,
        source,
        variables,
        warnings,
    })
}

/// Reads every section and keeps what was noticed on the way.
pub(super) fn interpret(table: Table) -> (Config, Findings) {
    let mut reader = Reader::root(table);
    let config = Config::read(&mut reader);
    (config, reader.finish())
}

/// Turns what was noticed into faults.
pub(super) fn judge(findings: Findings) -> Vec<Problem> {
    let Findings {
        mut problems,
        unknown,
        known,
    } = findings;
    problems.extend(unknown.into_iter().map(|unknown| {
        let Unknown {
            path,
            template,
            is_section,
            origin,
        } = unknown;
        let what = if is_section { "section" } else { "key" };
        let hint = match nearest_key(&path, &template, &known) {
            Some(near) => format!("did you mean `{}`?", in_the_words_of(&origin, &near)),
            None => "there is none of that name in this version (docs/CONFIG.md lists all)".to_owned(),
        };
        Problem {
            origin: Some(origin),
            message: format!("unknown {what} `{path}`: {hint}"),
        }
    }));
    problems
}

/// A hint to a variable is a variable.
fn in_the_words_of(origin: &Origin, key: &str) -> String {
    match origin {
        Origin::Variable(_) => format!(
            "PORTCULLIS__{}",
            key.to_uppercase().replace('-', "_").replace('.', "__")
        ),
        Origin::Line { .. } | Origin::File(_) => key.to_owned(),
    }
}

/// A file that somebody named must exist; the default one may.
fn locate(flag: Option<&Path>, environment: &Environment, default: &Path) -> Source {
    let named = flag
        .map(Path::to_path_buf)
        .or_else(|| environment.config_file().map(PathBuf::from));
    match named {
        Some(path) => Source::File(path),
        // `symlink_metadata`: a dangling link is a mistake to report, not an absent file.
        None if fs::symlink_metadata(default).is_ok() => Source::File(default.to_path_buf()),
        None => Source::Defaults,
    }
}

fn read_file(path: &Path) -> Result<Table, ConfigErrors> {
    let name: Arc<str> = path.display().to_string().into();
    let text = fs::read_to_string(path).map_err(|error| {
        let message = match error.kind() {
            ErrorKind::NotFound => "there is no such configuration file".to_owned(),
            ErrorKind::InvalidData => "the configuration file is not valid UTF-8".to_owned(),
            _ => format!("the configuration file cannot be read: {error}"),
        };
        ConfigErrors::one(Some(Origin::File(Arc::clone(&name))), message)
    })?;
    parse_toml(&text, &name).map_err(ConfigErrors::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_beats_the_variable_and_the_variable_beats_the_default_file() {
        let folder = tempfile::tempdir().unwrap();
        let default = folder.path().join("portcullis.toml");
        let (none, some) = (
            Environment::of([]),
            Environment::of([("PORTCULLIS_CONFIG", "b.toml")]),
        );
        assert_eq!(locate(None, &none, &default), Source::Defaults);
        fs::write(&default, "").unwrap();
        assert_eq!(locate(None, &none, &default), Source::File(default.clone()));
        assert_eq!(
            locate(None, &Environment::of([("PORTCULLIS_CONFIG", "")]), &default),
            Source::File(default.clone())
        );
        assert_eq!(locate(None, &some, &default), Source::File("b.toml".into()));
        assert_eq!(
            locate(Some(Path::new("a.toml")), &some, &default),
            Source::File("a.toml".into())
        );
    }
}
