//! Redis that dies, comes back empty, freezes, fails over.

use std::time::Duration;

use nodes::work::{self, Sessions};
use nodes::{Plan, Town};
use servers::{Postgres, Redis, RedisCluster, Sentinel};

use crate::a_while;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_empty_brings_no_ended_session_back() {
    let (store, mut keeper) = (Postgres::start(), Redis::start());
    let plan = Plan {
        storage: store.url(&store.create_database()),
        sessions: keeper.url(),
        providers: None,
    };
    let town = Town::build(&plan).await;
    let view = town.view().clone();
    let people = work::begin(&view);
    a_while().await;
    keeper.kill();
    a_while().await;
    keeper.restart_empty();
    eprintln!(
        "whole again {:.1?} after Redis came back empty",
        town.whole().await
    );
    a_while().await;
    keeper.freeze();
    a_while().await;
    keeper.thaw();
    eprintln!("whole again {:.1?} after Redis was thawed", town.whole().await);
    a_while().await;
    work::end(&view, people).await;
    work::prove(&view, "Redis killed, empty, frozen", Sessions::MayBeForgotten).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_fails_over_brings_no_ended_session_back() {
    let (store, mut keeper) = (Postgres::start(), Sentinel::start(3));
    let plan = Plan {
        storage: store.url(&store.create_database()),
        sessions: keeper.url(),
        providers: None,
    };
    let town = Town::build(&plan).await;
    let view = town.view().clone();
    let people = work::begin(&view);
    a_while().await;
    keeper.current_master().kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    eprintln!("whole again {:.1?} later, by fail-over", town.whole().await);
    a_while().await;
    work::end(&view, people).await;
    work::prove(&view, "Redis failed over", Sessions::MayBeForgotten).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_loses_a_master_and_gets_it_back_keeps_its_promises() {
    let (store, mut keeper) = (Postgres::start(), RedisCluster::start());
    let plan = Plan {
        storage: store.url(&store.create_database()),
        sessions: keeper.url(),
        providers: None,
    };
    let town = Town::build(&plan).await;
    let view = town.view().clone();
    let people = work::begin(&view);
    a_while().await;
    keeper.nodes().first_mut().unwrap().kill();
    a_while().await;
    keeper.nodes().first_mut().unwrap().restart();
    keeper.wait_until_whole();
    eprintln!(
        "whole again {:.1?} after the master came back",
        town.whole().await
    );
    a_while().await;
    work::end(&view, people).await;
    work::prove(
        &view,
        "a master of a Redis cluster lost",
        Sessions::MayBeForgotten,
    )
    .await;
}
