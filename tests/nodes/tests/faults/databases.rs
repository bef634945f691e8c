//! The database restarts, loses power, hands over to its standby.

use nodes::work::{self, Sessions};
use nodes::{Plan, Town};
use servers::{Balancer, Mongo, Postgres, Redis};

use crate::a_while;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_that_restarts_and_hands_over_loses_nothing() {
    let mut primary = Postgres::setup().durable().start();
    let standby = primary.standby();
    primary.wait_for_standby();
    let database = primary.create_database();
    let door = Balancer::first_of(&[primary.port(), standby.port()]);
    let keeper = Redis::start();
    let storage = primary.url(&database);
    let storage = storage.replace(&format!(":{}/", primary.port()), &format!(":{}/", door.port()));
    let plan = Plan {
        storage,
        sessions: keeper.url(),
        providers: None,
    };
    let town = Town::build(&plan).await;
    let view = town.view().clone();
    let people = work::begin(&view);
    a_while().await;
    primary.kill();
    a_while().await;
    primary.restart();
    eprintln!(
        "whole again {:.1?} after PostgreSQL came back",
        town.whole().await
    );
    a_while().await;
    primary.wait_for_standby();
    a_while().await;
    primary.kill();
    standby.promote();
    eprintln!(
        "whole again {:.1?} after the standby was promoted",
        town.whole().await
    );
    a_while().await;
    work::end(&view, people).await;
    work::prove(&view, "PostgreSQL killed, standby promoted", Sessions::Kept).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mongodb_that_is_killed_and_comes_back_loses_nothing() {
    let (mut store, keeper) = (Mongo::setup().durable().start(), Redis::start());
    let plan = Plan {
        storage: store.url("town"),
        sessions: keeper.url(),
        providers: None,
    };
    let town = Town::build(&plan).await;
    let view = town.view().clone();
    let people = work::begin(&view);
    for _ in 0..2 {
        a_while().await;
        store.kill();
        a_while().await;
        store.restart();
        eprintln!(
            "whole again {:.1?} after the database came back",
            town.whole().await
        );
    }
    a_while().await;
    work::end(&view, people).await;
    work::prove(&view, "MongoDB killed", Sessions::Kept).await;
}
