//! Settings as they were found: every value still knows the line or the variable it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;

/// Where a setting was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A line of the configuration file, counted from 1.
    Line {
        /// The file, as it was named on the command line or in the environment.
        file: Arc<str>,
        /// The line, counted from 1.
        line: usize,
    },
    /// The file as a whole.
    File(Arc<str>),
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{file}, line {line}"),
            Self::File(file) => write!(f, "{file}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// One setting before anybody asked for its type. Has no `Debug`: it may hold a secret.
pub(super) struct Node {
    pub value: Value,
    pub origin: Origin,
}

/// What was written. `Raw` comes from the environment, where everything is text until a key asks.
pub(super) enum Value {
    Text(String),
    Raw(String),
    Integer(i64),
    Flag(bool),
    List(Vec<Node>),
    Table(Table),
    /// Something no key accepts; the text says what it is.
    Other(&'static str),
}

/// A section: keys and what stands behind them.
pub(super) type Table = BTreeMap<String, Node>;

impl Value {
    /// The kind of value in words, for "must be X, but is Y".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Raw(_) => "text",
            Self::Integer(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a section",
            Self::Other(kind) => kind,
        }
    }
}

/// Reads a TOML document; several syntax errors are reported at once.
pub(super) fn parse_toml(text: &str, file: &Arc<str>) -> Result<Table, Vec<Problem>> {
    let lines = Lines { text, file };
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(lines.table(document.into_inner()));
    }
    Err(errors
        .iter()
        .map(|error| Problem {
            origin: Some(lines.origin(error.span().map_or(0, |span| span.start))),
            // Only the message: the parser's own display quotes the line, and the line may hold a secret.
            message: format!("this is not valid TOML: {}", error.message()),
        })
        .collect())
}

/// Turns a JSON value (LoopBack's own notation) into a node; every part has the same origin.
pub(super) fn from_json(json: Json, origin: &Origin) -> Node {
    let value = match json {
        Json::Null => Value::Other("null"),
        Json::Bool(flag) => Value::Flag(flag),
        Json::Number(number) => number
            .as_i64()
            .map_or(Value::Other("a decimal number"), Value::Integer),
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().map(|item| from_json(item, origin)).collect()),
        Json::Object(fields) => Value::Table(
            fields
                .into_iter()
                .map(|(key, value)| (key, from_json(value, origin)))
                .collect(),
        ),
    };
    Node {
        value,
        origin: origin.clone(),
    }
}

/// Turns byte positions into lines.
struct Lines<'a> {
    text: &'a str,
    file: &'a Arc<str>,
}

impl Lines<'_> {
    fn origin(&self, position: usize) -> Origin {
        let before = self.text.bytes().take(position);
        Origin::Line {
            file: Arc::clone(self.file),
            line: 1 + before.filter(|byte| *byte == b'\n').count(),
        }
    }

    fn table(&self, table: DeTable<'_>) -> Table {
        table
            .into_iter()
            .map(|(key, value)| {
                let origin = self.origin(key.span().start);
                (
                    key.into_inner().into_owned(),
                    Node {
                        value: self.value(value.into_inner()),
                        origin,
                    },
                )
            })
            .collect()
    }

    fn value(&self, value: DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other("a number out of range"), Value::Integer),
            DeValue::Float(_) => Value::Other("a decimal number"),
            DeValue::Boolean(flag) => Value::Flag(flag),
            DeValue::Datetime(_) => Value::Other("a date"),
            DeValue::Array(items) => Value::List(
                items
                    .into_iter()
                    .map(|item| {
                        let origin = self.origin(item.span().start);
                        Node {
                            value: self.value(item.into_inner()),
                            origin,
                        }
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Value::Table(self.table(table)),
        }
    }
}
