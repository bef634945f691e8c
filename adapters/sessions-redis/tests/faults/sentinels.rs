//! Sentinels that do not answer, or name another master than the one a node still talks to.

use std::time::Duration;

use servers::Sentinel;
use tokio::net::TcpListener;

use crate::common::{durable, open, prefix, prompt, until};

/// A sentinel that takes connections and never says a word.
async fn mute() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn one_sentinel_that_never_answers_puts_nobody_in_doubt() {
    conformance::run(async {
        let servers = Sentinel::start(2);
        let (_mute, port) = mute().await;
        let url = servers.url();
        let (hosts, name) = url.rsplit_once('/').unwrap();
        let node = open(
            prompt(&format!("{hosts},127.0.0.1:{port}/{name}"), &prefix()),
            &durable(),
        )
        .await;
        until("the cache", async || node.is_caching()).await;
        // Longer than the mute one is waited for where it matters.
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            until("the cache", async || node.is_caching()).await;
        }
    });
}
