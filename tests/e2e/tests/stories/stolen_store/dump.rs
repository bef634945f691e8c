//! Everything a server keeps in its stores, as whoever copied them has it: value by value, nothing left out.

use std::path::Path;
use std::process::Command;

use e2e::Setup;
use futures_util::TryStreamExt as _;
use mongodb::bson::RawDocumentBuf;
use redis::aio::MultiplexedConnection;
use rusqlite::types::ValueRef;

/// Shorter hexadecimal texts are no binary values.
const SHORTEST_HEX: usize = 32;

/// All of it.
pub async fn of(setup: &Setup) -> Vec<Vec<u8>> {
    let stores = setup.stores();
    let Some(url) = stores.get("PORTCULLIS__STORAGE__URL") else {
        return files(setup.home());
    };
    let mut values = if url.starts_with("mongodb") {
        mongodb(url).await
    } else {
        postgres(url)
    };
    let (redis, prefix) = (
        &stores["PORTCULLIS__SESSIONS__URL"],
        &stores["PORTCULLIS__SESSIONS__PREFIX"],
    );
    values.extend(redis_keys(redis, prefix).await);
    values
}

/// The files of an embedded store as they are, write-ahead log and all, and then row by row: a long value lies on several pages.
fn files(home: &Path) -> Vec<Vec<u8>> {
    let data = home.join("data");
    let copy = tempfile::tempdir().unwrap();
    let mut values = Vec::new();
    for entry in std::fs::read_dir(&data).unwrap().flatten() {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
            values.push(std::fs::read(entry.path()).unwrap());
        }
    }
    values.extend(rows(&copy.path().join("portcullis.db")));
    values
}

fn rows(database: &Path) -> Vec<Vec<u8>> {
    let open = rusqlite::Connection::open(database).unwrap();
    let mut tables = open
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap();
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(tables.len() > 5, "{tables:?}");
    let mut values = Vec::new();
    for table in tables {
        let mut all = open.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = all.column_count();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                values.push(match row.get_ref(column).unwrap() {
                    ValueRef::Null => Vec::new(),
                    ValueRef::Integer(number) => number.to_string().into_bytes(),
                    ValueRef::Real(number) => number.to_string().into_bytes(),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
                });
            }
        }
    }
    values
}

fn postgres(url: &str) -> Vec<Vec<u8>> {
    let dumped = Command::new("pg_dump").args(["--data-only", url]).output();
    let dumped = dumped.expect("pg_dump is installed: bash tests/setup");
    let said = String::from_utf8_lossy(&dumped.stderr);
    assert!(dumped.status.success(), "{said}");
    let text = String::from_utf8(dumped.stdout).unwrap();
    // Binary values are written in hexadecimal.
    let words = text.split(|letter: char| !letter.is_ascii_hexdigit());
    let binary = words
        .filter(|word| word.len() >= SHORTEST_HEX && word.len() % 2 == 0)
        .map(of_hex);
    let mut values: Vec<Vec<u8>> = binary.collect();
    values.push(text.into_bytes());
    values
}

fn of_hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).unwrap())
        .collect()
}

async fn mongodb(url: &str) -> Vec<Vec<u8>> {
    let client = mongodb::Client::with_uri_str(url).await.unwrap();
    let database = client.default_database().unwrap();
    let mut values = Vec::new();
    for name in database.list_collection_names().await.unwrap() {
        let all = database.collection::<RawDocumentBuf>(&name);
        let documents: Vec<RawDocumentBuf> = all
            .find(mongodb::bson::doc! {})
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        values.extend(documents.into_iter().map(|document| document.as_bytes().to_vec()));
    }
    values
}

async fn redis_keys(url: &str, prefix: &str) -> Vec<Vec<u8>> {
    let client = redis::Client::open(url).unwrap();
    let mut open = client.get_multiplexed_async_connection().await.unwrap();
    let (mut values, mut cursor) = (Vec::new(), 0_u64);
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor)
            .arg("MATCH")
            .arg(format!("{prefix}*"))
            .arg("COUNT")
            .arg(1000);
        let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut open).await.unwrap();
        for key in keys {
            values.extend(redis_value(&mut open, &key).await);
            values.push(key);
        }
        if next == 0 {
            break values;
        }
        cursor = next;
    }
}

/// All there is under a key. One that ended meanwhile has nothing.
async fn redis_value(open: &mut MultiplexedConnection, key: &[u8]) -> Vec<Vec<u8>> {
    let kind: String = redis::cmd("TYPE").arg(key).query_async(open).await.unwrap();
    let mut ask = match kind.as_str() {
        "string" => redis::cmd("GET"),
        "hash" => redis::cmd("HGETALL"),
        "set" => redis::cmd("SMEMBERS"),
        "list" | "zset" => redis::cmd(if kind == "list" { "LRANGE" } else { "ZRANGE" }),
        "none" => return Vec::new(),
        other => panic!("{other}: another kind of value"),
    };
    ask.arg(key);
    match kind.as_str() {
        "list" => ask.arg(0).arg(-1),
        "zset" => ask.arg(0).arg(-1).arg("WITHSCORES"),
        _ => &mut ask,
    };
    let value: redis::Value = ask.query_async(open).await.unwrap();
    let mut values = Vec::new();
    flatten(value, &mut values);
    values
}

fn flatten(value: redis::Value, values: &mut Vec<Vec<u8>>) {
    match value {
        redis::Value::Array(parts) | redis::Value::Set(parts) => {
            for part in parts {
                flatten(part, values);
            }
        }
        redis::Value::Map(pairs) => {
            for (key, value) in pairs {
                flatten(key, values);
                flatten(value, values);
            }
        }
        redis::Value::BulkString(bytes) => values.push(bytes),
        redis::Value::Nil => {}
        other => values.push(format!("{other:?}").into_bytes()),
    }
}
