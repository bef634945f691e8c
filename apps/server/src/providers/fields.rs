//! Takes keys out of one entry, one typed question at a time, and remembers what nobody asked for.

use std::collections::BTreeMap;

use domain::secret::Secret;

use super::finding::Findings;
use super::json::Json;
use super::keys;
use crate::config::{Environment, nearest_key, read_secret};

/// One entry being read.
pub struct Fields<'a> {
    entry: &'a str,
    values: Vec<(String, Json)>,
    nulls: Vec<String>,
    /// Keys a fault was told of: they are not also missed.
    faulty: Vec<String>,
    findings: &'a mut Findings,
    /// What stands before the names of keys in messages.
    prefix: &'static str,
}

impl<'a> Fields<'a> {
    /// The keys of an entry, with `${VARIABLE}` replaced wherever it stands.
    pub fn new(
        entry: &'a str,
        object: Vec<(String, Json)>,
        environment: &Environment,
        findings: &'a mut Findings,
    ) -> Self {
        let (mut values, mut nulls, mut faulty) = (Vec::new(), Vec::new(), Vec::new());
        for (key, value) in object {
            if keys::is_remark(&key) {
                continue;
            }
            if value == Json::Null {
                nulls.push(key);
                continue;
            }
            match expanded(value, environment) {
                Ok(value) => values.push((key, value)),
                Err(why) => {
                    findings.error(Some(entry), format!("`{key}` {why}"));
                    // There, though nobody knows what: so that it is not also missed.
                    faulty.push(key.clone());
                    values.push((key, Json::Null));
                }
            }
        }
        Self {
            entry,
            values,
            nulls,
            faulty,
            findings,
            prefix: "",
        }
    }

    /// The entry's name.
    pub fn entry(&self) -> &'a str {
        self.entry
    }

    /// Notes a fault of `key`.
    pub fn refuse(&mut self, key: &str, message: impl AsRef<str>) {
        let message = format!("`{}{key}` {}", self.prefix, message.as_ref());
        self.findings.error(Some(self.entry), message);
        self.faulty.push(key.to_owned());
    }

    /// Whether a fault of `key` was told.
    pub fn was_faulty(&self, key: &str) -> bool {
        self.faulty.iter().any(|name| name == key)
    }

    /// Notes something the operator should know of `key`.
    pub fn warn(&mut self, key: &str, message: impl AsRef<str>) {
        let message = format!("`{}{key}` {}", self.prefix, message.as_ref());
        self.findings.warning(Some(self.entry), message);
    }

    /// Whether `key` is there, before it is taken.
    pub fn has(&self, key: &str) -> bool {
        self.values.iter().any(|(name, _)| name == key)
    }

    /// A text that stays to be taken.
    pub fn peek_text(&self, key: &str) -> Option<&str> {
        match self.values.iter().find(|(name, _)| name == key) {
            Some((_, Json::Text(text))) => Some(text),
            _ => None,
        }
    }

    /// Whether `key` was written as `null`: left out on purpose.
    pub fn is_null(&self, key: &str) -> bool {
        self.nulls.iter().any(|name| name == key)
    }

    fn take(&mut self, key: &str) -> Option<Json> {
        let index = self.values.iter().position(|(name, _)| name == key)?;
        // A faulty variable was told of: there is a value, but nobody knows it.
        Some(self.values.remove(index).1).filter(|value| *value != Json::Null)
    }

    /// Takes the one of several names for one thing that is there; two are a fault.
    fn take_one(&mut self, names: &[&'static str]) -> Option<(&'static str, Json)> {
        let given: Vec<&str> = names.iter().copied().filter(|name| self.has(name)).collect();
        if let [first, second, ..] = given.as_slice() {
            self.refuse(second, format!("and `{first}` mean the same: keep one of them"));
        }
        let mut found = None;
        for name in names {
            if let Some(value) = self.take(name) {
                found = found.or(Some((*name, value)));
            }
        }
        found
    }

    /// A text that may be absent.
    pub fn text(&mut self, names: &[&'static str]) -> Option<String> {
        let (key, value) = self.take_one(names)?;
        self.text_of(key, value)
    }

    fn text_of(&mut self, key: &str, value: Json) -> Option<String> {
        match value {
            Json::Text(text) if text.trim().is_empty() => self.refuse(key, "must not be empty"),
            Json::Text(text) if text.chars().any(char::is_control) => {
                self.refuse(key, "must not hold control characters");
            }
            Json::Text(text) => return Some(text),
            other => self.refuse(key, format!("must be text, but is {}", other.kind())),
        }
        None
    }

    /// `true` or `false`, also as texts: variables hold nothing else.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        match self.take(key)? {
            Json::Flag(flag) => return Some(flag),
            Json::Text(text) if text == "true" => return Some(true),
            Json::Text(text) if text == "false" => return Some(false),
            other => self.refuse(key, format!("must be true or false, but is {}", other.kind())),
        }
        None
    }

    /// A list of texts; one text is a list of one.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        match self.take(key)? {
            Json::List(items) => {
                let items = items.into_iter().filter_map(|item| self.text_of(key, item));
                Some(items.collect())
            }
            Json::Text(text) => Some(vec![text]),
            other => {
                self.refuse(
                    key,
                    format!("must be text or a list of texts, but is {}", other.kind()),
                );
                None
            }
        }
    }

    /// An object, empty when it is absent.
    pub fn object(&mut self, key: &'static str) -> Vec<(String, Json)> {
        match self.take(key) {
            None => Vec::new(),
            Some(Json::Object(fields)) => fields,
            Some(other) => {
                self.refuse(key, format!("must be an object, but is {}", other.kind()));
                Vec::new()
            }
        }
    }

    /// A list of objects, empty when it is absent.
    pub fn objects(&mut self, key: &'static str) -> Vec<Vec<(String, Json)>> {
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Json::List(items)) => items,
            Some(_) => {
                self.refuse(key, "must be a list of objects");
                return Vec::new();
            }
        };
        let mut objects = Vec::new();
        for item in items {
            match item {
                Json::Object(fields) => objects.push(fields),
                other => self.refuse(key, format!("must hold objects, but one is {}", other.kind())),
            }
        }
        objects
    }

    /// A secret: written here, or alone in a file that another key names.
    pub fn secret(&mut self, here: &[&'static str], in_file: &[&'static str]) -> Option<Secret> {
        let (key, value) = self.take_one(&[here, in_file].concat())?;
        let text = match value {
            // Keys in PEM have lines.
            Json::Text(text) if !text.trim().is_empty() => text,
            _ => {
                self.refuse(key, "must be text and not empty");
                return None;
            }
        };
        if here.contains(&key) {
            return Some(Secret::new(text));
        }
        self.findings.names_file(&text);
        match read_secret(&text) {
            Ok(secret) => Some(Secret::new(secret.expose())),
            Err(why) => {
                self.refuse(key, why);
                None
            }
        }
    }

    /// A whole number, also as text: variables hold nothing else.
    pub fn number(&mut self, key: &'static str) -> Option<u64> {
        let value = self.take(key)?;
        let number = match &value {
            Json::Number(number) => number.to_string().parse().ok(),
            Json::Text(text) => text.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.refuse(key, format!("must be a whole number, but is {}", value.kind()));
        }
        number
    }

    /// An object of texts, empty when it is absent.
    pub fn pairs(&mut self, key: &'static str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (name, value) in self.object(key) {
            match value {
                Json::Text(text) => pairs.push((name, text)),
                other => self.refuse(
                    &format!("{key}.{name}"),
                    format!("must be text, but is {}", other.kind()),
                ),
            }
        }
        pairs
    }

    /// Texts in PEM: one or a list, written here or each alone in a file that another key names.
    pub fn pems(&mut self, here: &[&'static str], in_file: &[&'static str]) -> Vec<String> {
        let Some((key, value)) = self.take_one(&[here, in_file].concat()) else {
            return Vec::new();
        };
        let items = match value {
            Json::List(items) => items,
            one => vec![one],
        };
        let mut texts = Vec::new();
        for item in items {
            let Json::Text(text) = item else {
                self.refuse(
                    key,
                    format!("must be text or a list of texts, but is {}", item.kind()),
                );
                continue;
            };
            if here.contains(&key) {
                texts.push(text);
                continue;
            }
            self.findings.names_file(&text);
            match read_secret(&text) {
                Ok(read) => texts.push(read.expose().to_owned()),
                Err(why) => self.refuse(key, why),
            }
        }
        texts
    }

    /// Goes into an object, whose keys are told by their full names; none when it is absent.
    pub fn within(&mut self, key: &'static str, prefix: &'static str) -> Option<Fields<'_>> {
        let values = match self.take(key)? {
            Json::Object(values) => values,
            other => {
                self.refuse(key, format!("must be an object, but is {}", other.kind()));
                return None;
            }
        };
        let nulls = values.iter().filter(|(_, value)| *value == Json::Null);
        Some(Fields {
            entry: self.entry,
            nulls: nulls.map(|(name, _)| name.clone()).collect(),
            values: values
                .into_iter()
                .filter(|(name, value)| *value != Json::Null && !keys::is_remark(name))
                .collect(),
            faulty: Vec::new(),
            findings: self.findings,
            prefix,
        })
    }

    /// Ends the reading of an object: what is left over is idle or unknown.
    pub fn finish_within(mut self, known: &[&'static str], idle: &[(&str, &str)]) {
        for (key, _) in std::mem::take(&mut self.values) {
            if let Some((_, why)) = idle.iter().find(|(name, _)| *name == key) {
                self.warn(&key, format!("does nothing: {why}"));
                continue;
            }
            let names: BTreeMap<_, _> = known
                .iter()
                .map(|name| ((*name).to_owned(), String::new()))
                .collect();
            let hint = match nearest_key(&key, &key, &names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "docs/PROVIDERS.md lists all keys; take it out".to_owned(),
            };
            self.refuse(&key, format!("is no key here: {hint}"));
        }
    }

    /// Takes any value.
    pub fn any(&mut self, key: &'static str) -> Option<Json> {
        self.take(key)
    }

    /// Ends the reading: what is left over is refused, idle, meant for another kind of entry, or unknown. `kind` is what this is.
    pub fn finish(mut self, kind: &str) {
        for (key, _) in std::mem::take(&mut self.values) {
            if let Some((_, why)) = keys::REFUSED.iter().find(|(name, _)| *name == key) {
                self.refuse(&key, why);
            } else if let Some((_, why)) = keys::IDLE.iter().find(|(name, _)| *name == key) {
                self.warn(&key, format!("does nothing: {why}"));
            } else if keys::all().any(|name| name == key) {
                self.warn(&key, format!("means nothing to {kind}: take it out"));
            } else {
                let known: BTreeMap<_, _> =
                    keys::all().map(|name| (name.to_owned(), String::new())).collect();
                let hint = match nearest_key(&key, &key, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "docs/PROVIDERS.md lists all keys; take it out".to_owned(),
                };
                self.refuse(&key, format!("is no key of an entry: {hint}"));
            }
        }
    }
}

/// The same value with every `${VARIABLE}` replaced.
fn expanded(value: Json, environment: &Environment) -> Result<Json, String> {
    Ok(match value {
        Json::Text(text) => Json::Text(expanded_text(&text, environment)?),
        Json::List(items) => {
            let items = items.into_iter().map(|item| expanded(item, environment));
            Json::List(items.collect::<Result<_, _>>()?)
        }
        Json::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(key, value)| Ok((key, expanded(value, environment)?)));
            Json::Object(fields.collect::<Result<_, String>>()?)
        }
        other => other,
    })
}

fn expanded_text(text: &str, environment: &Environment) -> Result<String, String> {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after
            .split_once('}')
            .filter(|(name, _)| is_variable(name))
            .ok_or("has a `${` that is not followed by the name of a variable and a `}`")?;
        let value = environment
            .text(name)
            .ok_or_else(|| format!("names the environment variable {name}, which is not set"))?;
        done.push_str(before);
        done.push_str(value);
        rest = behind;
    }
    done.push_str(rest);
    Ok(done)
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
