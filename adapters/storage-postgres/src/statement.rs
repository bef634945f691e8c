//! Work for a connection: one statement, or several in one transaction.

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, query};

use crate::error::Answer;

/// Work that a connection can do. It may be done again after a [`crate::error::Fault::Conflict`], which leaves nothing behind.
#[async_trait]
pub(crate) trait Job: Send + Sync + 'static {
    /// What comes of it.
    type Done: Send + 'static;

    /// Does it.
    async fn run(&self, connection: &mut PgConnection) -> Answer<Self::Done>;

    /// What follows once it was done or may have been, before anybody hears of it. Runs also when nobody waits any more.
    fn settle(&self, _done: Option<&Self::Done>) {}
}

/// A value for a placeholder.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    MaybeText(Option<String>),
    Texts(Vec<String>),
    MaybeTexts(Vec<Option<String>>),
    Bytes(Vec<u8>),
    MaybeBytes(Option<Vec<u8>>),
    ManyBytes(Vec<Vec<u8>>),
    MaybeManyBytes(Vec<Option<Vec<u8>>>),
    Int(i64),
    MaybeInt(Option<i64>),
    Ints(Vec<i64>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

/// One statement, which is one transaction.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// Its text: one of few, so that each is prepared once per connection.
    pub sql: &'static str,
    /// What stands for its placeholders.
    pub values: Vec<Value>,
}

impl Statement {
    /// A statement with its values.
    pub fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self { sql, values }
    }
}

type Bound = Query<'static, Postgres, PgArguments>;

/// A statement with its values in place.
pub(crate) fn bound(sql: &'static str, values: &[Value]) -> Bound {
    values.iter().cloned().fold(query(sql), bind)
}

fn bind(query: Bound, value: Value) -> Bound {
    match value {
        Value::Text(value) => query.bind(value),
        Value::Texts(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
        Value::MaybeBytes(value) => query.bind(value),
        Value::ManyBytes(value) => query.bind(value),
        Value::Int(value) => query.bind(value),
        Value::MaybeInt(value) => query.bind(value),
        Value::MaybeText(value) => query.bind(value),
        Value::MaybeTexts(value) => query.bind(value),
        Value::MaybeManyBytes(value) => query.bind(value),
        Value::Ints(value) => query.bind(value),
    }
}

#[async_trait]
impl Job for Statement {
    type Done = Vec<PgRow>;

    async fn run(&self, connection: &mut PgConnection) -> Answer<Vec<PgRow>> {
        Ok(bound(self.sql, &self.values).fetch_all(connection).await?)
    }
}

/// Runs a command without values or rows.
pub(crate) async fn command(connection: &mut PgConnection, sql: &'static str) -> Answer<()> {
    sqlx::raw_sql(sql).execute(connection).await?;
    Ok(())
}
