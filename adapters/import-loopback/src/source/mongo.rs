//! MongoDB, as LoopBack's connector keeps it: a collection for each model, ids as ObjectIds.

use domain::time::Timestamp;
use futures_util::TryStreamExt as _;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, doc};
use mongodb::{Client, Database};
use serde_json::{Map, Value, json};

use super::told;
use crate::error::ImportError;
use crate::names::Table;
use crate::row::Row;

/// The database LoopBack's connector takes where its address names none.
const DEFAULT_DATABASE: &str = "test";

/// An open cursor.
pub type Cursor = mongodb::Cursor<Document>;

/// A database.
pub struct Mongo {
    database: Database,
    place: String,
}

impl Mongo {
    /// Connects.
    pub async fn open(url: &str) -> Result<Self, ImportError> {
        let place = told(url);
        // The driver may quote the address.
        let client = Client::with_uri_str(url).await;
        let client = client.map_err(|_| ImportError::reading(&place, "the address is not sound"))?;
        let database = client
            .default_database()
            .unwrap_or_else(|| client.database(DEFAULT_DATABASE));
        Ok(Self { database, place })
    }

    pub async fn tables(&self) -> Result<Vec<Table>, ImportError> {
        let names = self.database.list_collection_names().await;
        let mut tables = Vec::new();
        for name in names.map_err(|error| ImportError::reading(&self.place, error))? {
            let first = self
                .database
                .collection::<Document>(&name)
                .find_one(doc! {})
                .await;
            let first = first.map_err(|error| ImportError::reading(&self.place, error))?;
            tables.push(Table {
                name,
                holds: first.is_some(),
                looks_like_users: first
                    .is_some_and(|it| it.contains_key("password") && it.contains_key("email")),
            });
        }
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(tables)
    }

    pub async fn count(&self, table: &str) -> Result<u64, ImportError> {
        let count = self
            .database
            .collection::<Document>(table)
            .estimated_document_count()
            .await;
        count.map_err(|error| ImportError::reading(&self.place, error))
    }

    pub async fn page(
        &self,
        table: &str,
        cursor: &mut Option<Box<Cursor>>,
        limit: usize,
    ) -> Result<Vec<Row>, ImportError> {
        let failed = |error| ImportError::reading(&self.place, error);
        if cursor.is_none() {
            let collection = self.database.collection::<Document>(table);
            let batch = u32::try_from(limit).unwrap_or(u32::MAX);
            let opened = collection.find(doc! {}).sort(doc! { "_id": 1 }).batch_size(batch);
            *cursor = Some(Box::new(opened.await.map_err(failed)?));
        }
        let mut rows = Vec::new();
        if let Some(cursor) = cursor {
            while rows.len() < limit
                && let Some(document) = cursor.try_next().await.map_err(failed)?
            {
                rows.push(row(document));
            }
        }
        Ok(rows)
    }

    pub async fn having(
        &self,
        table: &str,
        property: &str,
        values: &[String],
    ) -> Result<Vec<Row>, ImportError> {
        let failed = |error| ImportError::reading(&self.place, error);
        let property = if property == "id" { "_id" } else { property };
        let mut kept: Vec<Bson> = Vec::new();
        for value in values {
            kept.push(Bson::String(value.clone()));
            kept.extend(ObjectId::parse_str(value).ok().map(Bson::ObjectId));
            kept.extend(value.parse::<i64>().ok().map(Bson::Int64));
        }
        let collection = self.database.collection::<Document>(table);
        let found = collection
            .find(doc! { property: { "$in": kept } })
            .await
            .map_err(failed)?;
        let documents: Vec<Document> = found.try_collect().await.map_err(failed)?;
        Ok(documents.into_iter().map(row).collect())
    }
}

fn row(document: Document) -> Row {
    let properties = document.into_iter().map(|(name, value)| {
        let name = if name == "_id" { "id".to_owned() } else { name };
        (name, plain(value))
    });
    Row::new(properties.collect::<Map<String, Value>>())
}

/// The value LoopBack's REST API shows.
fn plain(value: Bson) -> Value {
    match value {
        Bson::ObjectId(id) => Value::String(id.to_hex()),
        Bson::DateTime(at) => Value::String(Timestamp::from_millis(at.timestamp_millis()).to_iso8601()),
        Bson::String(text) => Value::String(text),
        Bson::Boolean(truth) => Value::Bool(truth),
        Bson::Int32(number) => json!(number),
        Bson::Int64(number) => json!(number),
        // Numbers of JavaScript are doubles; whole ones are shown without a point.
        Bson::Double(number) => whole(number).map_or_else(|| json!(number), |whole| json!(whole)),
        Bson::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        Bson::Document(inner) => Value::Object(
            inner
                .into_iter()
                .map(|(name, value)| (name, plain(value)))
                .collect(),
        ),
        Bson::Null | Bson::Undefined => Value::Null,
        other => Value::String(other.to_string()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "only what is whole and small enough is cast"
)]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::DateTime;

    #[test]
    fn a_document_reads_as_loopback_shows_it() {
        let id = ObjectId::parse_str("6b0361ec631f0415cf5e9683").unwrap();
        let at = DateTime::from_millis(1_795_287_972_795);
        let read = row(
            doc! { "_id": id, "created": at, "ttl": 1_209_600.0, "odd": 1.5, "list": [id], "none": null },
        );
        assert_eq!(read.text("id").as_deref(), Some("6b0361ec631f0415cf5e9683"));
        assert_eq!(
            read.moment("created").map(Timestamp::as_millis),
            Some(1_795_287_972_795)
        );
        assert_eq!(read.get("ttl"), Some(&json!(1_209_600)));
        assert_eq!(read.get("odd"), Some(&json!(1.5)));
        assert_eq!(read.texts("list"), ["6b0361ec631f0415cf5e9683"]);
    }
}
