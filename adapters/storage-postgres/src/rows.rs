//! Records to values and rows to records. A record is its stored form as JSON text: `jsonb` would refuse a zero character and
//! round large numbers, and nothing is ever asked of what is inside.

use domain::id::PoolName;
use domain::ports::PortError;
use domain::user::Revision;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::statement::Value;

/// The JSON text of a stored form.
pub(crate) fn record(stored: &impl Serialize) -> Result<Value, PortError> {
    let text = serde_json::to_string(stored).map_err(|_| PortError::Unavailable {
        source: "a record cannot be written as JSON".into(),
        retry: false,
    })?;
    Ok(Value::Text(text))
}

/// The record of a row; its columns `pool` and `id` or `seq` name it in an error.
pub(crate) fn decode<Stored, Record>(kind: &str, row: &PgRow) -> Result<Record, PortError>
where
    Stored: DeserializeOwned + Into<Record>,
{
    let record = row.try_get::<&str, _>("record").ok();
    record
        .and_then(|text| serde_json::from_str::<Stored>(text).ok())
        .map(Into::into)
        .ok_or_else(|| unreadable(kind, row))
}

/// Whether a row says yes; one that does not say is a no.
pub(crate) fn flag(row: &PgRow, column: &str) -> bool {
    row.try_get::<bool, _>(column).unwrap_or_default()
}

/// The record of the first row.
pub(crate) fn first<Stored, Record>(kind: &str, rows: &[PgRow]) -> Result<Option<Record>, PortError>
where
    Stored: DeserializeOwned + Into<Record>,
{
    rows.first()
        .map(|row| decode::<Stored, Record>(kind, row))
        .transpose()
}

/// The records of all rows.
pub(crate) fn all<Stored, Record>(kind: &str, rows: &[PgRow]) -> Result<Vec<Record>, PortError>
where
    Stored: DeserializeOwned + Into<Record>,
{
    rows.iter()
        .map(|row| decode::<Stored, Record>(kind, row))
        .collect()
}

/// Names a damaged record by its keys; what it holds stays out of the logs.
fn unreadable(kind: &str, row: &PgRow) -> PortError {
    let id = row.try_get::<Option<Vec<u8>>, _>("id").map(|id| match id {
        Some(id) => String::from_utf8_lossy(&id).into_owned(),
        None => "nobody yet".to_owned(),
    });
    let id = id.or_else(|_| row.try_get::<i64, _>("seq").map(|seq| seq.to_string()));
    let name = match (row.try_get::<String, _>("pool"), id.unwrap_or_default()) {
        (Ok(pool), id) => format!("{pool}/{id}"),
        (Err(_), id) => id,
    };
    PortError::corrupt(format!("{kind} {name}"))
}

/// What a guarded statement says that is to change one row.
pub(crate) fn one_or_stale(changed: &[PgRow]) -> Result<(), PortError> {
    if changed.is_empty() {
        return Err(PortError::Stale);
    }
    Ok(())
}

/// The form of a revision in a row: its bits.
pub(crate) fn revision(value: Revision) -> Value {
    Value::Int(value.number().cast_signed())
}

/// Most rows a caller may ask for.
pub(crate) fn at_most(limit: usize) -> Value {
    Value::Int(i64::try_from(limit).unwrap_or(i64::MAX))
}

/// A number of rows.
pub(crate) fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// A pool's name: from the configuration, never from outside.
pub(crate) fn pool(name: &PoolName) -> Value {
    Value::from(name.as_str())
}

/// A text that people choose: kept as bytes.
pub(crate) fn bytes(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

/// Such a text that may be missing.
pub(crate) fn maybe_bytes(text: Option<&str>) -> Value {
    Value::MaybeBytes(text.map(|text| text.as_bytes().to_vec()))
}
