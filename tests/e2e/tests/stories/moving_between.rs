//! Once around all stores there are: what comes back is what went away.
//!
//! Needs a binary with all of them: `just test` makes one. On a bundle's own binary there is nowhere to go around.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::{Counterparty, Portcullis, Setup};
use serde_json::{Value, json};
use servers::{Mongo, Postgres, Redis};

use crate::moving::{carry_keys, done, records, stop};
use crate::providers::entries::{self, arrive, file, json_entry};

/// Whether the tried binary holds every store. Where the servers of a whole run are, it has to.
async fn holds_every_store() -> bool {
    let listed = done(&Portcullis::setup(), &["adapters"]).await;
    let here = |adapter: &str| {
        let mut words = listed
            .lines()
            .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
        words.any(|words| words == ["yes", adapter])
    };
    let stores = [
        "storage-sqlite",
        "storage-postgres",
        "storage-mongo",
        "sessions-redis",
    ];
    let all = stores.into_iter().all(here);
    let is_whole_run = std::env::var_os("POSTGRES_URL").is_some() && std::env::var_os("E2E_BUNDLE").is_none();
    assert!(
        all || !is_whole_run,
        "build it with `--features full`; it holds:\n{listed}"
    );
    all
}

/// Exports everything a setup has.
async fn exported(setup: &Setup) -> PathBuf {
    done(setup, &["export", "--out", "all.jsonl"]).await;
    setup.home().join("all.jsonl")
}

/// What the last line says of the records, wherever they were.
fn tallies(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap();
    let mut end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(
        end["end"]
            .as_object_mut()
            .unwrap()
            .shift_remove("sha256")
            .is_some()
    );
    end
}

#[tokio::test]
async fn from_sqlite_to_postgres_to_mongo_with_redis_and_back_nothing_changes() {
    if !holds_every_store().await {
        return;
    }
    let (postgres, mongo, redis) = (Postgres::start(), Mongo::start(), Redis::start());
    let party = Counterparty::social().await;
    let entries_of = || file([("facebook", json_entry(entries::facebook(&party)))]);
    let on = |storage: &str, sessions: &str| {
        let setup = Portcullis::setup().providers(&entries_of());
        let setup = setup.variable("PORTCULLIS__STORAGE__URL", storage);
        setup.variable("PORTCULLIS__SESSIONS__URL", sessions)
    };
    let places = [
        on(&postgres.url(&postgres.create_database()), "storage:"),
        on(&mongo.url("moved"), &redis.url()),
        on("sqlite://./data/portcullis.db", "storage:"),
    ];

    let server = entries::server(entries_of()).await;
    let client = server.client();
    let (ann, zoe) = (client.sign_up("ann").await, client.sign_up("zoe").await);
    let (token, _) = (client.log_in(&ann).await, client.log_in(&zoe).await);
    // What is easily lost on the way into a database and back.
    let kept = json!({
        "large": u64::MAX, "least": i64::MIN, "third": 1.0 / 3.0, "huge": 1.5e300, "whole": 1.0, "text": "a\u{0}b '\"\\ \u{1f600}",
        "a.b": { "$c": [null, true, { "": [] }] }, "zoë": "İstanbul", "10": 1, "9": 2,
    });
    client
        .with(&token)
        .patch(&ann.path(), kept)
        .await
        .expect(200)
        .done();
    let linked = arrive(&server, "facebook").await;
    let grant = entries::fresh(&server, &linked, "facebook")
        .await
        .expect(200)
        .at("access_token");
    let first = server.same_setup();
    done(&first, &["app", "create", "shop"]).await;
    stop(server).await;

    let begun = exported(&first).await;
    let mut moved = begun.clone();
    for place in &places {
        carry_keys(&first, place);
        let said = done(place, &["import", moved.to_str().unwrap()]).await;
        assert!(
            said.contains("verified: 3 users, 1 application, 3 sessions"),
            "{said}"
        );
        moved = exported(place).await;
        assert_eq!(records(&moved), records(&begun));
        assert_eq!(tallies(&moved), tallies(&begun));
    }
    // In each of them, and not only in the last, people are as they were.
    for place in &places {
        let server = place.start().await;
        let client = server.client();
        assert!(client.opens(&token, &ann).await);
        client.log_in(&zoe).await;
        let opened = entries::fresh(&server, &linked, "facebook")
            .await
            .expect(200)
            .at("access_token");
        assert_eq!(opened, grant);
    }
}
