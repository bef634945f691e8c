//! What is ended at one node is ended at all.

use std::time::{Duration, Instant};

use e2e::{Client, PASSWORD, Person};
use nodes::{Plan, Town, View};
use serde_json::json;
use servers::{Mongo, Postgres, Redis};

/// Longer than a revocation may take by far; the test prints how long it took.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it takes until a node refuses a token, at both of its doors.
async fn refused_after(node: &Client, token: &str, person: &Person) -> Duration {
    let begun = Instant::now();
    let me = node.with(token);
    loop {
        let record = me.get(&person.path()).await.status;
        let checked = me.get("/auth/check").await.status;
        if record == 401 && checked == 401 {
            return begun.elapsed();
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{record} and {checked} for an ended session"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Ends sessions at the first node, by logging out and by a new password; the longest that another node took to know.
async fn slowest_revocation(view: &View) -> Duration {
    let nodes = view.nodes();
    let first = nodes.first().unwrap();
    let mut slowest = Duration::ZERO;
    for round in 0..10 {
        let ann = first.sign_up(&format!("ann{round}")).await;
        let token = first.log_in(&ann).await;
        // Every node knows the session, and keeps it at hand.
        for node in &nodes {
            for _ in 0..3 {
                assert!(node.opens(&token, &ann).await);
                node.with(&token).get("/auth/check").await.expect(200).done();
            }
        }
        if round % 2 == 0 {
            first
                .with(&token)
                .post("/api/Users/logout", json!({}))
                .await
                .expect(204)
                .done();
        } else {
            let other = first.log_in(&ann).await;
            let change = json!({ "oldPassword": PASSWORD, "newPassword": "another long password" });
            let changed = first
                .with(&other)
                .post("/api/Users/change-password", change)
                .await;
            changed.expect(204).done();
        }
        assert!(!first.opens(&token, &ann).await, "ended at its own node at once");
        first.with(&token).get("/auth/check").await.expect(401).done();
        for node in nodes.iter().skip(1) {
            slowest = slowest.max(refused_after(node, &token, &ann).await);
        }
    }
    slowest
}

async fn told(storage: String, sessions: String, test: &str) {
    let plan = Plan {
        storage,
        sessions,
        providers: None,
    };
    let town = Town::build(&plan).await;
    let slowest = slowest_revocation(town.view()).await;
    eprintln!("{test}: ended at another node after {slowest:.1?} at most");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ended_at_one_node_is_ended_at_all_with_redis() {
    let (store, keeper) = (Postgres::start(), Redis::start());
    told(
        store.url(&store.create_database()),
        keeper.url(),
        "PostgreSQL and Redis",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ended_at_one_node_is_ended_at_all_with_mongodb_alone() {
    let store = Mongo::start();
    told(store.url("town"), "storage:".to_owned(), "MongoDB alone").await;
}
