//! Where rows are.

mod file;
mod mongo;
mod postgres;

use crate::error::ImportError;
use crate::names::Table;
use crate::row::Row;

use file::File;
use mongo::Mongo;
use postgres::Postgres;

/// One of the places LoopBack keeps data in.
pub enum Source {
    /// The memory connector's file.
    File(File),
    /// PostgreSQL.
    Postgres(Box<Postgres>),
    /// Anything that speaks MongoDB's protocol.
    Mongo(Mongo),
}

/// A place in the rows of a table.
pub struct Pages {
    table: String,
    place: Place,
}

enum Place {
    /// At this row of the file.
    Row(usize),
    /// Behind this key.
    Key(Option<String>),
    /// At an open cursor; none before the first page.
    Cursor(Option<Box<mongo::Cursor>>),
}

impl Source {
    /// Opens `postgres://…`, `mongodb://…`, or else a file.
    ///
    /// # Errors
    /// It is not there, or is nothing of the kind.
    pub async fn open(from: &str) -> Result<Self, ImportError> {
        match from.split_once("://").map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => Postgres::open(from).await.map(Box::new).map(Self::Postgres),
            Some("mongodb" | "mongodb+srv") => Mongo::open(from).await.map(Self::Mongo),
            Some("file") => File::open(from.trim_start_matches("file://")).map(Self::File),
            Some(other) => Err(ImportError::Source(format!(
                "`{other}://` is none of the places LoopBack is read from: name the memory connector's file, postgres://… or mongodb://…"
            ))),
            None => File::open(from).map(Self::File),
        }
    }

    /// What is there.
    pub async fn tables(&mut self) -> Result<Vec<Table>, ImportError> {
        match self {
            Self::File(file) => Ok(file.tables()),
            Self::Postgres(postgres) => postgres.tables().await,
            Self::Mongo(mongo) => mongo.tables().await,
        }
    }

    /// How many rows a table has, roughly: for progress alone.
    pub async fn count(&mut self, table: &str) -> Result<u64, ImportError> {
        match self {
            Self::File(file) => Ok(file.count(table)),
            Self::Postgres(postgres) => postgres.count(table).await,
            Self::Mongo(mongo) => mongo.count(table).await,
        }
    }

    /// The beginning of a table.
    pub fn pages(&self, table: &str) -> Pages {
        Pages {
            table: table.to_owned(),
            place: match self {
                Self::File(_) => Place::Row(0),
                Self::Postgres(_) => Place::Key(None),
                Self::Mongo(_) => Place::Cursor(None),
            },
        }
    }

    /// The next rows, in the order of their ids; none at the end.
    pub async fn page(&mut self, pages: &mut Pages, limit: usize) -> Result<Vec<Row>, ImportError> {
        match (self, &mut pages.place) {
            (Self::File(file), Place::Row(at)) => {
                let rows = file.page(&pages.table, *at, limit)?;
                *at += rows.len();
                Ok(rows)
            }
            (Self::Postgres(postgres), Place::Key(after)) => {
                let rows = postgres.page(&pages.table, after.as_deref(), limit).await?;
                if let Some(last) = rows.last() {
                    *after = last.text("id");
                }
                Ok(rows)
            }
            (Self::Mongo(mongo), Place::Cursor(cursor)) => mongo.page(&pages.table, cursor, limit).await,
            _ => Ok(Vec::new()),
        }
    }

    /// All rows whose property is one of the values, whatever type it is kept as.
    pub async fn having(
        &mut self,
        table: &str,
        property: &str,
        values: &[String],
    ) -> Result<Vec<Row>, ImportError> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::File(file) => file.having(table, property, values),
            Self::Postgres(postgres) => postgres.having(table, property, values).await,
            Self::Mongo(mongo) => mongo.having(table, property, values).await,
        }
    }
}

/// How an address is told: without what may be secret in it.
fn told(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let place = rest.split(['?', '#']).next().unwrap_or_default();
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_its_password() {
        for url in ["postgres://ann:p@ss@db/app?password=p", "mongodb://ann:p@db/app"] {
            assert!(told(url).ends_with("://db/app"), "{}", told(url));
        }
    }
}
