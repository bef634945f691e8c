//! Nodes that are killed, one after another.

use std::time::Duration;

use nodes::work::{self, Sessions};
use nodes::{Plan, Town};
use servers::{Mongo, Postgres, Redis};

use crate::a_while;

async fn each_is_killed(plan: &Plan, test: &str) {
    let mut town = Town::build(plan).await;
    let view = town.view().clone();
    let people = work::begin(&view);
    for node in 0..3 {
        a_while().await;
        town.kill_and_restart(node, Duration::from_secs(1)).await;
    }
    a_while().await;
    work::end(&view, people).await;
    town.whole().await;
    work::prove(&view, test, Sessions::Kept).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_lose_nothing_on_postgres_and_redis() {
    let (store, keeper) = (Postgres::start(), Redis::start());
    let plan = Plan {
        storage: store.url(&store.create_database()),
        sessions: keeper.url(),
        providers: None,
    };
    each_is_killed(&plan, "nodes killed, PostgreSQL and Redis").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_lose_nothing_on_mongodb_and_redis() {
    let (store, keeper) = (Mongo::start(), Redis::start());
    let plan = Plan {
        storage: store.url("town"),
        sessions: keeper.url(),
        providers: None,
    };
    each_is_killed(&plan, "nodes killed, MongoDB and Redis").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_nodes_lose_nothing_with_everything_in_postgres() {
    let store = Postgres::start();
    let plan = Plan {
        storage: store.url(&store.create_database()),
        sessions: "storage:".to_owned(),
        providers: None,
    };
    each_is_killed(&plan, "nodes killed, all in PostgreSQL").await;
}
