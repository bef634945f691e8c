//! A Redis that is gone, frozen or slow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use conformance::sample::{at, flow, key, session, token};
use conformance::{Link, race};
use domain::flow_record::FlowKind;
use domain::limits::{LimitKey, Quota, Verdict};
use domain::ports::{FlowStore, PortError, RateLimiter, SessionStore};
use domain::time::Lifetime;
use servers::Redis;
use sessions_redis::RedisSessions;

use crate::common::{durable, open, prefix, prompt, until};
use crate::stones::Stones;
use crate::take;

async fn find(node: &RedisSessions, name: &str) -> Result<Option<domain::session::Session>, PortError> {
    SessionStore::find(node, &token(name)).await
}

fn is_unavailable<T>(said: &Result<T, PortError>) -> bool {
    matches!(said, Err(PortError::Unavailable { retry: true, .. }))
}

#[test]
fn a_node_starts_without_redis_and_works_once_it_is_there() {
    conformance::run(async {
        let mut server = Redis::start();
        let url = server.url();
        server.kill();
        let began = Instant::now();
        let node = open(prompt(&url, &prefix()), &durable()).await;
        let opened = began.elapsed();
        assert!(opened < Duration::from_millis(500), "{opened:?}");
        assert!(is_unavailable(&find(&node, "a").await));
        assert!(is_unavailable(&node.ready().await));
        server.restart();
        let healed = until("healing", async || find(&node, "a").await.is_ok()).await;
        node.ready().await.unwrap();
        println!("works {healed:?} after Redis came");
        node.close().await;
    });
}

#[test]
fn a_killed_redis_is_known_at_once_and_its_return_soon() {
    conformance::run(async {
        let mut server = Redis::start();
        let node = open(prompt(&server.url(), &prefix()), &durable()).await;
        let open = session(&key("Users", "ann"), "a");
        for round in 0..5 {
            node.open(&open).await.unwrap();
            server.kill();
            let began = Instant::now();
            until("the outage", async || is_unavailable(&find(&node, "a").await)).await;
            let known = began.elapsed();
            tokio::time::sleep(Duration::from_millis(700)).await;
            let asked = Instant::now();
            assert!(is_unavailable(&find(&node, "a").await));
            let answered = asked.elapsed();
            assert!(answered < Duration::from_millis(100), "{answered:?}");
            server.restart();
            let healed = until("healing", async || find(&node, "a").await.is_ok()).await;
            println!(
                "round {round}: known after {known:?}, answered in {answered:?}, healed after {healed:?}"
            );
            assert!(healed < Duration::from_secs(3));
        }
    });
}

#[test]
fn a_frozen_redis_costs_one_wait_and_then_nobody_waits() {
    conformance::run(async {
        let mut server = Redis::start();
        let node = open(prompt(&server.url(), &prefix()), &durable()).await;
        node.open(&session(&key("Users", "ann"), "a")).await.unwrap();
        server.freeze();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let began = Instant::now();
        assert!(is_unavailable(&find(&node, "a").await));
        let first = began.elapsed();
        assert!(first < Duration::from_millis(1_500), "{first:?}");
        let began = Instant::now();
        for _ in 0..20 {
            assert!(is_unavailable(&find(&node, "a").await));
        }
        let further = began.elapsed();
        assert!(further < Duration::from_millis(500), "{further:?}");
        server.thaw();
        let healed = until("healing", async || find(&node, "a").await.is_ok()).await;
        println!("first answer after {first:?}, twenty more after {further:?}, healed after {healed:?}");
        assert!(find(&node, "a").await.unwrap().is_some());
    });
}

/// Keeps a server busy for half a second, again and again.
fn slow_down(port: u16, times: u32) -> std::process::Child {
    const BUSY: &str = "local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end \
        local began = now() while now() - began < 500 do end return 1";
    std::process::Command::new("redis-cli")
        .args([
            "-p",
            &port.to_string(),
            "-r",
            &times.to_string(),
            "EVAL",
            BUSY,
            "0",
        ])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_slow_redis_keeps_latency_bounded_and_nothing_piles_up() {
    conformance::run(async {
        let server = Redis::start();
        let mut config = prompt(&server.url(), &prefix());
        config.in_flight = 100;
        config.cache_bytes = 0;
        // What Redis takes on a loaded machine is more than its half second.
        config.timeout = Duration::from_secs(3);
        let node = open(config, &durable()).await;
        node.open(&session(&key("Users", "ann"), "a")).await.unwrap();
        assert!(find(&node, "a").await.unwrap().is_some());
        let mut burden = slow_down(server.port(), 10);
        tokio::time::sleep(Duration::from_millis(100)).await;
        for round in 0..3 {
            let answers = race(400, |_| {
                let node = Arc::clone(&node);
                async move {
                    let began = Instant::now();
                    let answer = find(&node, "a").await;
                    (answer, began.elapsed())
                }
            })
            .await;
            let is_busy = |said: &Result<_, _>| matches!(said, Err(PortError::Busy { .. }));
            let busy = answers.iter().filter(|(said, _)| is_busy(said)).count();
            let found = answers
                .iter()
                .filter(|(said, _)| matches!(said, Ok(Some(_))))
                .count();
            let longest = answers.iter().map(|(_, took)| *took).max().unwrap();
            println!(
                "round {round}, Redis busy for half a second: found {found}, busy {busy} of 400, longest {longest:?}"
            );
            assert_eq!(found + busy, 400, "nothing fails");
            assert!(longest < Duration::from_secs(3));
            assert!(node.under_way() <= 100);
        }
        burden.wait().unwrap();
        assert_eq!(node.under_way(), 0);
    });
}

#[test]
fn an_end_that_redis_does_not_acknowledge_is_no_false_done_and_is_finished_later() {
    conformance::run(async {
        let server = Redis::start();
        let link = Arc::new(Link::to(format!("127.0.0.1:{}", server.port())).await);
        let (prefix, stones) = (prefix(), Arc::<Stones>::default());
        let here = open(
            prompt(&format!("redis://{}", link.address()), &prefix),
            &stones.durable(),
        )
        .await;
        let there = open(prompt(&server.url(), &prefix), &stones.durable()).await;
        let ended = session(&key("Users", "ann"), "a");
        here.open(&ended).await.unwrap();
        for node in [&here, &there] {
            until("the cache", async || node.is_caching()).await;
            assert!(find(node, "a").await.unwrap().is_some());
        }
        let (cut, runtime) = (Arc::clone(&link), tokio::runtime::Handle::current());
        stones.after_burial(move || runtime.block_on(cut.cut()));
        let said = here.end(&ended.token).await;
        assert!(is_unavailable(&said), "{said:?}");
        assert_eq!(here.pending_deletions(), 1);
        // Redis still has it, and nobody believes it: not here, and not where Redis is in reach.
        assert!(!matches!(find(&here, "a").await, Ok(Some(_))));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(find(&there, "a").await.unwrap(), None);
        link.heal().await;
        let finished = until("the deletion", async || here.pending_deletions() == 0).await;
        println!("finished {finished:?} after the link was whole");
        let raw = format!("{prefix}s:{{{}}}", ended.token.to_text());
        assert!(server.ask(&["EXISTS", &raw]).ends_with('0'));
        assert!(!here.end(&ended.token).await.unwrap(), "it was over already");
    });
}

#[test]
fn a_flow_taken_while_redis_goes_away_is_given_once() {
    conformance::run(async {
        let server = Redis::start();
        let link = Arc::new(Link::to(format!("127.0.0.1:{}", server.port())).await);
        let (prefix, stones) = (prefix(), Arc::<Stones>::default());
        let here = open(
            prompt(&format!("redis://{}", link.address()), &prefix),
            &stones.durable(),
        )
        .await;
        let there = open(prompt(&server.url(), &prefix), &stones.durable()).await;
        let spent = flow(&key("Users", "ann"), FlowKind::ResetPassword, "spent");
        here.put(&spent).await.unwrap();
        let (cut, runtime) = (Arc::clone(&link), tokio::runtime::Handle::current());
        stones.after_burial(move || runtime.block_on(cut.cut()));
        assert_eq!(take(&here, &spent.id).await.unwrap(), Some(spent.clone()));
        for _ in 0..2 {
            assert_eq!(FlowStore::find(&*there, &spent.id).await.unwrap(), None);
            assert!(!there.replace(&spent).await.unwrap());
            assert_eq!(take(&there, &spent.id).await.unwrap(), None);
        }
        link.heal().await;
        until("the deletion", async || here.pending_deletions() == 0).await;
        assert_eq!(take(&here, &spent.id).await.unwrap(), None);
    });
}

#[test]
fn nothing_is_ended_or_spent_that_cannot_be_buried() {
    conformance::run(async {
        let server = Redis::start();
        let stones = Arc::<Stones>::default();
        let node = open(prompt(&server.url(), &prefix()), &stones.durable()).await;
        let (open, begun) = (
            session(&key("Users", "ann"), "a"),
            flow(&key("Users", "ann"), FlowKind::ResetPassword, "f"),
        );
        node.open(&open).await.unwrap();
        node.put(&begun).await.unwrap();
        stones.set_down(true);
        assert!(is_unavailable(&node.end(&open.token).await));
        assert!(is_unavailable(&take(&node, &begun.id).await));
        stones.set_down(false);
        assert_eq!(find(&node, "a").await.unwrap().as_ref(), Some(&open));
        assert_eq!(
            FlowStore::find(&*node, &begun.id).await.unwrap().as_ref(),
            Some(&begun)
        );
        assert!(node.end(&open.token).await.unwrap());
        assert_eq!(take(&node, &begun.id).await.unwrap(), Some(begun));
    });
}

#[test]
fn a_limit_is_one_limit_while_redis_comes_and_goes() {
    conformance::run(async {
        let mut server = Redis::start();
        let node = open(prompt(&server.url(), &prefix()), &durable()).await;
        let asked = [(
            LimitKey::new("login", &["ann"]),
            Quota::Rate {
                burst: 6,
                per: Lifetime::from_secs(600),
            },
        )];
        let try_once = async || RateLimiter::take(&*node, &asked, at(0)).await.unwrap();
        for round in 0..3 {
            assert_eq!(try_once().await, Verdict::Allowed, "round {round}");
            server.kill();
            until("the outage", async || find(&node, "a").await.is_err()).await;
            assert_eq!(try_once().await, Verdict::Allowed, "round {round}, without Redis");
            server.restart_empty();
            until("healing", async || find(&node, "a").await.is_ok()).await;
        }
        assert!(matches!(try_once().await, Verdict::Denied { .. }));
        node.give_back(&asked, at(0)).await.unwrap();
        assert_eq!(try_once().await, Verdict::Allowed);
        assert!(matches!(try_once().await, Verdict::Denied { .. }));
    });
}
