//! The keys of entries that speak LDAP, SAML, Kerberos or OpenID 2.0: a table of names and shapes, and what the file says by it. The
//! adapter of each protocol judges the values; what they are for stands in `docs/PROVIDERS.md`.

use std::collections::BTreeMap;

use domain::secret::Secret;

use super::fields::Fields;

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text.
    Text,
    /// A text that may have lines: a document.
    Document,
    /// One text or a list.
    Texts,
    /// One text in PEM or a list.
    Pems,
    /// `true` or `false`.
    Flag,
    /// A whole number that is not negative.
    Number,
    /// A secret.
    Secret,
    /// An object of texts.
    Pairs,
}

/// One key.
pub struct Key {
    /// Its names; the first is what it is asked for by.
    pub names: &'static [&'static str],
    /// Names under which a file is given that holds it.
    pub files: &'static [&'static str],
    /// What it holds.
    pub shape: Shape,
}

/// A key without a file.
pub const fn key(names: &'static [&'static str], shape: Shape) -> Key {
    Key {
        names,
        files: &[],
        shape,
    }
}

/// A key that may stand in a file.
pub const fn filed(names: &'static [&'static str], files: &'static [&'static str], shape: Shape) -> Key {
    Key { names, files, shape }
}

/// What a key held.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Texts.
    Texts(Vec<String>),
    /// A truth.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A secret.
    Secret(Secret),
    /// Names and texts.
    Pairs(Vec<(String, String)>),
}

/// What an entry says, by the first name of each key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<&'static str, Value>);

impl Settings {
    /// Takes the keys of a table.
    pub fn read(fields: &mut Fields<'_>, table: &'static [Key]) -> Self {
        let mut settings = Self::default();
        settings.add(fields, table);
        settings
    }

    /// Takes the keys of a further table.
    pub fn add(&mut self, fields: &mut Fields<'_>, table: &'static [Key]) {
        for key in table {
            let Some(name) = key.names.first().copied() else {
                continue;
            };
            let value = if key.names.iter().any(|name| fields.is_null(name)) {
                Some(Value::Texts(Vec::new()))
            } else {
                taken(fields, key, name)
            };
            if let Some(value) = value {
                self.0.insert(name, value);
            }
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.texts(name).and_then(|texts| texts.into_iter().next())
    }

    /// A list of texts; empty for `null`: left out on purpose.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.get(name)
    }

    /// What a key holds, if it is there.
    pub fn get<T: Held>(&self, name: &str) -> Option<T> {
        T::of(self.0.get(name)?)
    }
}

/// What a key may hold.
pub trait Held: Sized {
    /// It, if the value is one.
    fn of(value: &Value) -> Option<Self>;
}

impl Held for Vec<String> {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Texts(texts) => Some(texts.clone()),
            _ => None,
        }
    }
}

impl Held for bool {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl Held for u64 {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl Held for Secret {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Secret(secret) => Some(secret.clone()),
            _ => None,
        }
    }
}

impl Held for Vec<(String, String)> {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Pairs(pairs) => Some(pairs.clone()),
            _ => None,
        }
    }
}

fn taken(fields: &mut Fields<'_>, key: &Key, name: &'static str) -> Option<Value> {
    match key.shape {
        Shape::Text => fields.text(key.names).map(|text| Value::Texts(vec![text])),
        Shape::Texts => fields.texts(name).map(Value::Texts),
        Shape::Flag => fields.flag(name).map(Value::Flag),
        Shape::Number => fields.number(name).map(Value::Number),
        Shape::Pairs => {
            let there = fields.has(name);
            let pairs = fields.pairs(name);
            there.then_some(Value::Pairs(pairs))
        }
        Shape::Secret => fields.secret(key.names, key.files).map(Value::Secret),
        Shape::Document => fields
            .secret(key.names, key.files)
            .map(|text| Value::Texts(vec![text.expose().to_owned()])),
        Shape::Pems => {
            let pems = fields.pems(key.names, key.files);
            (!pems.is_empty()).then_some(Value::Texts(pems))
        }
    }
}
