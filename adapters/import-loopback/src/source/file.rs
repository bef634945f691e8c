//! The memory connector's file: `{"ids": …, "models": {"User": {"1": "{…}"}}}`, every record a text of JSON.

use std::collections::{BTreeMap, HashMap};
use std::io::BufReader;

use serde::Deserialize;

use crate::error::ImportError;
use crate::names::Table;
use crate::row::Row;

/// The whole file, records still as texts.
pub struct File {
    place: String,
    models: BTreeMap<String, Vec<Box<str>>>,
    /// Rows by what a property of theirs says, made when first asked for.
    indexes: HashMap<(String, String), HashMap<String, Vec<usize>>>,
}

#[derive(Deserialize)]
struct Written {
    models: BTreeMap<String, BTreeMap<String, Box<str>>>,
}

impl File {
    /// Reads it.
    pub fn open(path: &str) -> Result<Self, ImportError> {
        let place = format!("the file {path}");
        let file = std::fs::File::open(path).map_err(|error| ImportError::reading(&place, error))?;
        let written: Written = serde_json::from_reader(BufReader::with_capacity(1 << 20, file))
            .map_err(|error| no_such_file(&place, &error))?;
        let in_order = |(name, records): (String, BTreeMap<String, Box<str>>)| {
            let mut records: Vec<(String, Box<str>)> = records.into_iter().collect();
            // As LoopBack counts: 10 behind 9.
            records.sort_by_cached_key(|(id, _)| (id.parse::<u64>().unwrap_or(u64::MAX), id.clone()));
            (name, records.into_iter().map(|(_, record)| record).collect())
        };
        Ok(Self {
            place,
            models: written.models.into_iter().map(in_order).collect(),
            indexes: HashMap::new(),
        })
    }

    pub fn tables(&self) -> Vec<Table> {
        let table = |(name, records): (&String, &Vec<Box<str>>)| {
            let first = records.first().and_then(|record| self.row(record).ok());
            Table {
                name: name.clone(),
                holds: !records.is_empty(),
                looks_like_users: first.is_some_and(|row| row.has("password") && row.has("email")),
            }
        };
        self.models.iter().map(table).collect()
    }

    pub fn count(&self, table: &str) -> u64 {
        self.models.get(table).map_or(0, |records| records.len() as u64)
    }

    pub fn page(&self, table: &str, at: usize, limit: usize) -> Result<Vec<Row>, ImportError> {
        let records = self.models.get(table).map_or(&[][..], Vec::as_slice);
        let page = records.iter().skip(at).take(limit);
        page.map(|record| self.row(record)).collect()
    }

    pub fn having(
        &mut self,
        table: &str,
        property: &str,
        values: &[String],
    ) -> Result<Vec<Row>, ImportError> {
        let key = (table.to_owned(), property.to_owned());
        if !self.indexes.contains_key(&key) {
            let index = self.index(table, property)?;
            self.indexes.insert(key.clone(), index);
        }
        let (Some(index), Some(records)) = (self.indexes.get(&key), self.models.get(table)) else {
            return Ok(Vec::new());
        };
        let places = values.iter().filter_map(|value| index.get(value)).flatten();
        let found = places.filter_map(|place| records.get(*place));
        found.map(|record| self.row(record)).collect()
    }

    fn index(&self, table: &str, property: &str) -> Result<HashMap<String, Vec<usize>>, ImportError> {
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, record) in self.models.get(table).into_iter().flatten().enumerate() {
            if let Some(value) = self.row(record)?.text(property) {
                index.entry(value).or_default().push(place);
            }
        }
        Ok(index)
    }

    fn row(&self, record: &str) -> Result<Row, ImportError> {
        let read = serde_json::from_str(record);
        read.map(Row::new)
            .map_err(|error| no_such_file(&self.place, &error))
    }
}

/// What JSON says may quote a record: only the place is told.
fn no_such_file(place: &str, error: &serde_json::Error) -> ImportError {
    let why = format!(
        "it is not what LoopBack's memory connector writes (line {}, character {})",
        error.line(),
        error.column()
    );
    ImportError::reading(place, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn file(text: &str) -> Result<File, ImportError> {
        let mut written = tempfile::NamedTempFile::new().unwrap();
        written.write_all(text.as_bytes()).unwrap();
        File::open(written.path().to_str().unwrap())
    }

    #[test]
    fn records_come_in_the_order_of_their_numbers_page_by_page() {
        let text =
            r#"{"ids":{"User":11},"models":{"User":{"10":"{\"id\":10}","9":"{\"id\":9}","1":"{\"id\":1}"}}}"#;
        let mut file = file(text).unwrap();
        let ids = |rows: Vec<Row>| rows.iter().filter_map(|row| row.text("id")).collect::<Vec<_>>();
        assert_eq!(ids(file.page("User", 0, 2).unwrap()), ["1", "9"]);
        assert_eq!(ids(file.page("User", 2, 2).unwrap()), ["10"]);
        assert_eq!(ids(file.having("User", "id", &["9".to_owned()]).unwrap()), ["9"]);
        assert!(file.page("Nobody", 0, 2).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_such_file_is_refused_without_quoting_it() {
        for text in ["", "{}", r#"{"models":{"User":{"1":7}}}"#, "hunter2"] {
            let refused = file(text).map(drop).unwrap_err().to_string();
            assert!(
                refused.contains("not what LoopBack's memory connector writes"),
                "{refused}"
            );
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
