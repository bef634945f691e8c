//! PostgreSQL, as LoopBack's connector keeps it: names in lower case, objects and lists as JSON in texts.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use serde_json::{Map, Value};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use super::told;
use crate::error::ImportError;
use crate::names::Table;
use crate::row::Row;

/// Types an id may have; the parameter is cast to it, so that its index serves.
const ID_TYPES: &[&str] = &[
    "bigint",
    "character varying",
    "integer",
    "numeric",
    "smallint",
    "text",
    "uuid",
];

/// One connection, and one snapshot of everything for as long as it lasts.
pub struct Postgres {
    connection: PgConnection,
    place: String,
    id_types: BTreeMap<String, String>,
}

impl Postgres {
    /// Connects, and begins the snapshot.
    pub async fn open(url: &str) -> Result<Self, ImportError> {
        let place = told(url);
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| ImportError::reading(&place, "the address is not sound"))?;
        let connection = options.connect().await;
        let connection = connection.map_err(|error| ImportError::reading(&place, error))?;
        let mut postgres = Self {
            connection,
            place,
            id_types: BTreeMap::new(),
        };
        // Moments as UTC; no row changes while it is read, and none by us.
        postgres.run("SET TIME ZONE 'UTC'").await?;
        postgres
            .run("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        Ok(postgres)
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), ImportError> {
        let done = sqlx::raw_sql(statement).execute(&mut self.connection).await;
        done.map(drop)
            .map_err(|error| ImportError::reading(&self.place, error))
    }

    pub async fn tables(&mut self) -> Result<Vec<Table>, ImportError> {
        const COLUMNS: &str = "SELECT c.table_name::text AS name, c.column_name::text AS column, c.data_type::text AS type \
            FROM information_schema.columns c WHERE c.table_schema = ANY (current_schemas(false)) ORDER BY 1";
        let rows = sqlx::query(COLUMNS).fetch_all(&mut self.connection).await;
        let mut columns: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for row in rows.map_err(|error| ImportError::reading(&self.place, error))? {
            let get = |name: &str| row.try_get::<String, _>(name).unwrap_or_default();
            columns
                .entry(get("name"))
                .or_default()
                .insert(get("column"), get("type"));
        }
        let mut tables = Vec::new();
        for (name, columns) in columns {
            let Some(id_type) = columns.get("id").filter(|kind| ID_TYPES.contains(&kind.as_str())) else {
                continue;
            };
            self.id_types.insert(name.clone(), id_type.clone());
            tables.push(Table {
                holds: !self.page(&name, None, 1).await?.is_empty(),
                looks_like_users: columns.contains_key("password") && columns.contains_key("email"),
                name,
            });
        }
        Ok(tables)
    }

    pub async fn count(&mut self, table: &str) -> Result<u64, ImportError> {
        let statement = format!("SELECT count(*) AS count FROM {}", quoted(table));
        let query = sqlx::query(AssertSqlSafe(statement));
        let row = query.fetch_one(&mut self.connection).await;
        let row = row.map_err(|error| ImportError::reading(&self.place, error))?;
        let count: i64 = row.try_get("count").unwrap_or_default();
        Ok(u64::try_from(count).unwrap_or_default())
    }

    pub async fn page(
        &mut self,
        table: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Row>, ImportError> {
        let id_type = self.id_types.get(table).map_or("text", String::as_str);
        let behind = after.map_or(String::new(), |_| format!("WHERE t.id > ($1::text)::{id_type}"));
        let table = quoted(table);
        let statement =
            format!("SELECT row_to_json(t)::text AS row FROM {table} t {behind} ORDER BY t.id LIMIT {limit}");
        self.rows(statement, after.map(|after| vec![after.to_owned()]), false)
            .await
    }

    pub async fn having(
        &mut self,
        table: &str,
        property: &str,
        values: &[String],
    ) -> Result<Vec<Row>, ImportError> {
        let (table, column) = (quoted(table), quoted(&property.to_lowercase()));
        // Not `= ANY`: once the plan is a general one, PostgreSQL would compare every row with every value.
        let statement = format!(
            "SELECT row_to_json(t)::text AS row FROM {table} t WHERE t.{column}::text IN (SELECT unnest($1::text[])) ORDER BY t.id"
        );
        self.rows(statement, Some(values.to_vec()), true).await
    }

    /// Names in a statement come from the database's own list, quoted; values are bound.
    async fn rows(
        &mut self,
        statement: String,
        values: Option<Vec<String>>,
        as_list: bool,
    ) -> Result<Vec<Row>, ImportError> {
        let mut query = sqlx::query(AssertSqlSafe(statement));
        match values {
            Some(values) if as_list => query = query.bind(values),
            Some(values) => {
                for value in values {
                    query = query.bind(value);
                }
            }
            None => {}
        }
        let rows = query.fetch_all(&mut self.connection).await;
        let rows = rows.map_err(|error| ImportError::reading(&self.place, error))?;
        let read = |row: &sqlx::postgres::PgRow| {
            let text: String = row
                .try_get("row")
                .map_err(|error| ImportError::reading(&self.place, error))?;
            let properties: Map<String, Value> = serde_json::from_str(&text)
                .map_err(|_| ImportError::reading(&self.place, "a row is no object"))?;
            Ok(Row::new(properties))
        };
        rows.iter().map(read).collect()
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
