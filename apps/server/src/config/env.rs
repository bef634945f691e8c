//! `PORTCULLIS__SECTION__KEY`: the environment laid over the file.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::problem::Problem;
use super::source::{Node, Origin, Table, Value};

const PREFIX: &str = "PORTCULLIS__";
const CONFIG_FILE: &str = "PORTCULLIS_CONFIG";

/// The environment variables of a process, or those a test makes up.
pub struct Environment {
    variables: Vec<(OsString, OsString)>,
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
        }
    }

    /// Exactly these variables.
    #[cfg(test)]
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }

    /// The text of a variable, unless it is absent, empty or no text.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(known, _)| known == name)?;
        found.1.to_str().filter(|value| !value.is_empty())
    }

    /// `$PORTCULLIS_CONFIG`, unless it is absent or empty.
    pub(super) fn config_file(&self) -> Option<&OsStr> {
        let found = self.variables.iter().find(|(name, _)| name == CONFIG_FILE)?;
        Some(found.1.as_os_str()).filter(|value| !value.is_empty())
    }

    /// Our variables in the order of their names, so that messages do not depend on the shell. An
    /// empty variable counts as absent: compose files pass those for every unset one.
    fn settings(&self) -> Vec<(String, &OsStr)> {
        let mut ours: Vec<_> = self
            .variables
            .iter()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.as_os_str()))
            .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
            .collect();
        ours.sort();
        ours
    }
}

/// Lays every variable over `table` and says how many there were.
pub(super) fn overlay(table: &mut Table, environment: &Environment, problems: &mut Vec<Problem>) -> usize {
    let settings = environment.settings();
    let count = settings.len();
    let mut seen = BTreeMap::new();
    for (name, value) in settings {
        let origin = Origin::Variable(name.clone());
        let Some(text) = value.to_str() else {
            problems.push(Problem {
                origin: Some(origin),
                message: "the value is not valid UTF-8".to_owned(),
            });
            continue;
        };
        let path = path_of(&name, table);
        if let Some(other) = seen.insert(path.clone(), name) {
            problems.push(Problem {
                origin: Some(origin),
                message: format!("{other} sets the same key: keep one"),
            });
            continue;
        }
        place(
            table,
            &path,
            Node {
                value: Value::Raw(text.to_owned()),
                origin,
            },
        );
    }
    count
}

/// `PORTCULLIS__SERVER__TLS__CERT` is `server.tls.cert`; a pool's name keeps the case it has in the file.
fn path_of(name: &str, table: &Table) -> Vec<String> {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    let lower = name.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("users__") {
        // From the right: a pool's name may hold underscores, the keys of a pool are one level deep.
        return match rest.rsplit_once("__") {
            Some((pool, key)) => vec!["users".to_owned(), pool_name(pool, table), key.to_owned()],
            None => vec!["users".to_owned(), pool_name(rest, table)],
        };
    }
    lower.split("__").map(str::to_owned).collect()
}

/// The configured pool of that name, whatever its case; otherwise the name in title case.
fn pool_name(lower: &str, table: &Table) -> String {
    let configured = match table.get("users").map(|node| &node.value) {
        Some(Value::Table(pools)) => pools
            .keys()
            .find(|name| fold_pool(name) == fold_pool(lower))
            .cloned(),
        _ => None,
    };
    configured.unwrap_or_else(|| {
        let mut letters = lower.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .collect()
    })
}

/// Pool names that differ only in case, or in `-` and `_`, are one: no shell can export a `-`.
pub(super) fn fold_pool(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

fn place(table: &mut Table, path: &[String], node: Node) {
    match path {
        [] => {}
        [key] => {
            table.insert(key.clone(), node);
        }
        [section, rest @ ..] => {
            let empty = Node {
                value: Value::Table(Table::new()),
                origin: node.origin.clone(),
            };
            let child = table.entry(section.clone()).or_insert(empty);
            // Where the file has a plain value for a section, the reader complains about that.
            if let Value::Table(inner) = &mut child.value {
                place(inner, rest, node);
            }
        }
    }
}
