//! Takes settings out of a section, one typed question at a time, and remembers what nobody asked for.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::convert::{as_flag, as_list, as_number, as_text, read_secret};
use super::problem::Problem;
use super::secret::Secret;
use super::source::{Node, Origin, Table, Value};

/// Everything noticed while reading: faults, keys nobody knows, and the keys that exist.
#[derive(Default)]
pub(super) struct Findings {
    pub problems: Vec<Problem>,
    pub unknown: Vec<Unknown>,
    /// Dotted key (pools as `<Plural>`) and its default as it stands in `docs/CONFIG.md`.
    pub known: BTreeMap<String, String>,
}

/// A key that no section asked for.
pub(super) struct Unknown {
    pub path: String,
    pub template: String,
    pub is_section: bool,
    pub origin: Origin,
}

/// One section being read.
pub(super) struct Reader {
    table: Table,
    path: String,
    template: String,
    /// Where the keys already taken were written, for faults that show up later.
    origins: BTreeMap<String, Origin>,
    findings: Findings,
}

impl Reader {
    /// The whole configuration.
    pub fn root(table: Table) -> Self {
        let (path, template) = (String::new(), String::new());
        Self {
            table,
            path,
            template,
            origins: BTreeMap::new(),
            findings: Findings::default(),
        }
    }

    /// Ends the reading: what is left over is unknown.
    pub fn finish(mut self) -> Findings {
        for (key, node) in std::mem::take(&mut self.table) {
            self.findings.unknown.push(Unknown {
                path: dotted(&self.path, &key),
                template: dotted(&self.template, &key),
                is_section: matches!(node.value, Value::Table(_)),
                origin: node.origin,
            });
        }
        self.findings
    }

    /// Notes a fault of `key`, with the place it was written if it was.
    pub fn refuse(&mut self, key: &str, message: impl AsRef<str>) {
        let origin = self.origins.get(key).cloned();
        let message = format!("`{}` {}", dotted(&self.path, key), message.as_ref());
        self.findings.problems.push(Problem { origin, message });
    }

    /// Whether `key` was written, once it has been taken.
    pub fn was_given(&self, key: &str) -> bool {
        self.origins.contains_key(key)
    }

    /// Keys that are still to be taken: the names of the pools.
    pub fn names(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// Reads the section `key`; an absent one is empty.
    pub fn section<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader) -> T) -> T {
        self.section_as(key, key, read)
    }

    /// Like [`Reader::section`], known in the documentation under the name `shown`.
    pub fn section_as<T>(&mut self, key: &str, shown: &str, read: impl FnOnce(&mut Reader) -> T) -> T {
        let node = self.table.remove(key);
        let table = node.map(|node| self.table_of(key, node)).unwrap_or_default();
        let path = dotted(&self.path, key);
        self.child(table, path, dotted(&self.template, shown), read)
    }

    fn child<T>(
        &mut self,
        table: Table,
        path: String,
        template: String,
        read: impl FnOnce(&mut Reader) -> T,
    ) -> T {
        let findings = std::mem::take(&mut self.findings);
        let mut child = Reader {
            table,
            path,
            template,
            origins: BTreeMap::new(),
            findings,
        };
        let result = read(&mut child);
        self.findings = child.finish();
        result
    }

    fn table_of(&mut self, key: &str, node: Node) -> Table {
        self.origins.insert(key.to_owned(), node.origin);
        match node.value {
            Value::Table(table) => table,
            other => {
                self.refuse(
                    key,
                    format!(
                        "is a section, but here it is {}: set the keys below it",
                        other.kind()
                    ),
                );
                Table::new()
            }
        }
    }

    /// Takes a value, and notes the key and its default as documented.
    fn take(&mut self, key: &str, default: impl Into<String>) -> Option<Node> {
        self.findings
            .known
            .insert(dotted(&self.template, key), default.into());
        let node = self.table.remove(key)?;
        self.origins.insert(key.to_owned(), node.origin.clone());
        Some(node)
    }

    /// Takes a value and turns it into `T`; a fault is noted and counts as absent.
    fn convert<T>(
        &mut self,
        key: &str,
        default: impl Into<String>,
        turn: impl FnOnce(Node) -> Result<T, String>,
    ) -> Option<T> {
        let node = self.take(key, default)?;
        turn(node).map_err(|message| self.refuse(key, message)).ok()
    }

    /// A text with a default.
    pub fn text(&mut self, key: &str, default: &str) -> String {
        self.convert(key, format!("\"{default}\""), as_text)
            .unwrap_or_else(|| default.to_owned())
    }

    /// A text that may be absent.
    pub fn maybe_text(&mut self, key: &str) -> Option<String> {
        self.convert(key, "none", as_text)
    }

    /// A text with a meaning; `default` is what `shown` means.
    pub fn parsed<T>(
        &mut self,
        key: &str,
        shown: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        let turned = self.convert(key, format!("\"{shown}\""), |node| parse(&as_text(node)?));
        turned.unwrap_or(default)
    }

    /// A text with a meaning that may be absent; `default` says in words what holds then.
    pub fn maybe_parsed<T>(
        &mut self,
        key: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.convert(key, default, |node| parse(&as_text(node)?))
    }

    /// A path with a default. Relative ones are seen from the working directory.
    pub fn path(&mut self, key: &str, default: &str) -> PathBuf {
        PathBuf::from(self.text(key, default))
    }

    /// A path that may be absent.
    pub fn maybe_path(&mut self, key: &str) -> Option<PathBuf> {
        self.maybe_text(key).map(PathBuf::from)
    }

    /// A whole number within bounds.
    pub fn number(&mut self, key: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        self.number_shown(key, &default.to_string(), default, range)
    }

    /// A whole number whose default depends on the machine; `shown` says on what.
    pub fn number_shown(&mut self, key: &str, shown: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        self.convert(key, shown, |node| as_number(node, &range))
            .unwrap_or(default)
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        self.convert(key, default.to_string(), as_flag).unwrap_or(default)
    }

    /// One word of a closed set; the first is the default.
    pub fn choice<T: Copy>(&mut self, key: &str, first: (&str, T), others: &[(&str, T)]) -> T {
        let words: Vec<(&str, T)> = std::iter::once(first).chain(others.iter().copied()).collect();
        self.parsed(key, first.0, first.1, |text| {
            let found = words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, value)| *value);
            let allowed = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            found.ok_or_else(|| format!("must be one of {allowed}, but is `{text}`"))
        })
    }

    /// A list of texts with a meaning, empty by default. In the environment: JSON, or separated by commas.
    pub fn list<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        self.list_or(key, "[]", Vec::new(), parse)
    }

    /// The same with a default, which `shown` writes.
    pub fn list_or<T>(
        &mut self,
        key: &str,
        shown: &str,
        default: Vec<T>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let Some(items) = self.convert(key, shown, as_list) else {
            return default;
        };
        let mut values = Vec::new();
        for item in items {
            let origin = item.origin.clone();
            match as_text(item).and_then(|text| parse(&text)) {
                Ok(value) => values.push(value),
                Err(message) => self.refuse_at(key, origin, &message),
            }
        }
        values
    }

    /// A list of sections, empty by default. In the environment: JSON.
    pub fn sections<T>(&mut self, key: &str, read: impl Fn(&mut Reader) -> T) -> Vec<T> {
        let items = self.convert(key, "[]", as_list).unwrap_or_default();
        let mut values = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let path = format!("{}[{}]", dotted(&self.path, key), index + 1);
            let template = format!("{}[]", dotted(&self.template, key));
            match item.value {
                Value::Table(table) => {
                    let value = self.child(table, path, template, |reader| {
                        reader.origins.insert(String::new(), item.origin);
                        read(reader)
                    });
                    values.push(value);
                }
                other => self.refuse_at(
                    key,
                    item.origin,
                    &format!("must hold objects, but one is {}", other.kind()),
                ),
            }
        }
        values
    }

    /// One text or a list of them, as LoopBack writes `property`.
    pub fn text_or_list(&mut self, key: &str, default: &str) -> Vec<String> {
        let turn = |node: Node| match node.value {
            Value::List(items) => items.into_iter().map(as_text).collect::<Result<Vec<_>, _>>(),
            value => Ok(vec![as_text(Node {
                value,
                origin: node.origin,
            })?]),
        };
        let turned = self.convert(key, format!("\"{default}\""), turn);
        turned
            .filter(|texts| !texts.is_empty())
            .unwrap_or_else(|| vec![default.to_owned()])
    }

    /// A text or a whole number, as LoopBack writes ids; a missing one is a fault.
    pub fn required_id(&mut self, key: &str) -> String {
        let turn = |node: Node| match node.value {
            Value::Integer(number) => Ok(number.to_string()),
            value => as_text(Node {
                value,
                origin: node.origin,
            }),
        };
        let found = self.convert(key, "required", turn);
        if found.is_none() && !self.was_given(key) {
            let origin = self.origins.get("").cloned();
            let message = format!("`{}` is missing", dotted(&self.path, key));
            self.findings.problems.push(Problem { origin, message });
        }
        found.unwrap_or_default()
    }

    /// A secret: under `key` itself, or in the file that `<key>_file` names, never both.
    pub fn secret(&mut self, key: &str, default: &str) -> Option<Secret> {
        let file_key = format!("{key}_file");
        let direct = self.convert(key, default, as_text).map(Secret::new);
        let named = self.convert(&file_key, "none", |node| {
            as_text(node).and_then(|path| read_secret(&path))
        });
        if self.was_given(key) && self.was_given(&file_key) {
            let other = self.origins.get(key).map(ToString::to_string).unwrap_or_default();
            self.refuse(
                &file_key,
                format!("and `{key}` ({other}) are both given: keep one of them"),
            );
        }
        direct.or(named)
    }

    fn refuse_at(&mut self, key: &str, origin: Origin, message: &str) {
        let message = format!("`{}` {message}", dotted(&self.path, key));
        self.findings.problems.push(Problem {
            origin: Some(origin),
            message,
        });
    }
}

fn dotted(parent: &str, key: &str) -> String {
    if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}
