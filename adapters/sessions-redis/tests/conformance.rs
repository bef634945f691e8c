//! The conformance cases, run against real servers: one Redis, a cluster of three masters, and Redis behind TLS. Every case has a
//! prefix of its own.

#![expect(clippy::unwrap_used, reason = "fixtures of tests")]

mod common;

use std::sync::Arc;

use common::GRACE;
use conformance::{Fixture, Link, Neighbours, Roles, Severed};
use domain::ports::{FlowStore, RateLimiter, SessionStore};
use sessions_redis::RedisSessions;

fn redis() -> String {
    servers::env("REDIS_URL", "sessions-redis")
}

fn cluster() -> String {
    servers::env("REDIS_CLUSTER_URL", "sessions-redis")
}

/// A fresh one with nothing in it.
async fn fresh(url: &str) -> Arc<RedisSessions> {
    common::open(common::config(url, &common::prefix()), &common::durable()).await
}

fn as_sessions(opened: Arc<RedisSessions>) -> Fixture<dyn SessionStore> {
    Fixture::new(opened as Arc<dyn SessionStore>).forgetting_by_itself(GRACE)
}

fn as_flows(opened: Arc<RedisSessions>) -> Fixture<dyn FlowStore> {
    Fixture::new(opened as Arc<dyn FlowStore>).forgetting_by_itself(GRACE)
}

fn as_limits(opened: Arc<RedisSessions>) -> Fixture<dyn RateLimiter> {
    Fixture::new(opened as Arc<dyn RateLimiter>)
}

async fn both_of(url: &str) -> Fixture<Neighbours> {
    let (durable, prefix) = (common::durable(), common::prefix());
    let here = common::open(common::config(url, &prefix), &durable).await;
    let there = common::open(common::config(url, &prefix), &durable).await;
    for node in [&here, &there] {
        common::until("the cache", async || node.is_caching()).await;
    }
    Fixture::new(Arc::new(Neighbours {
        here: Roles::of_sessions(&here),
        there: Roles::of_sessions(&there),
    }))
}

mod single {
    use super::*;

    async fn sessions() -> Fixture<dyn SessionStore> {
        as_sessions(fresh(&redis()).await)
    }

    async fn flows() -> Fixture<dyn FlowStore> {
        as_flows(fresh(&redis()).await)
    }

    async fn limits() -> Fixture<dyn RateLimiter> {
        as_limits(fresh(&redis()).await)
    }

    async fn neighbours() -> Fixture<Neighbours> {
        both_of(&redis()).await
    }

    async fn severed() -> Fixture<Severed> {
        let url = redis();
        let server = url.rsplit(['@', '/']).next().unwrap_or_default().to_owned();
        let link = Link::to(server).await;
        let config = common::prompt(&format!("redis://{}", link.address()), &common::prefix());
        let opened = common::open(config, &common::durable()).await;
        let ready = Arc::clone(&opened);
        let severed = Severed::new(link, Roles::of_sessions(&opened))
            .whose_limits_go_on()
            .with_ready(move || {
                let opened = Arc::clone(&ready);
                async move { opened.ready().await }
            });
        Fixture::new(Arc::new(severed))
    }

    conformance::session_store!(sessions);
    conformance::flow_store!(flows);
    conformance::rate_limiter!(limits);
    conformance::several_nodes!(neighbours);
    conformance::outage!(severed);
}

/// The same with a cache that is warm before the case begins.
mod cached {
    use super::*;

    async fn sessions() -> Fixture<dyn SessionStore> {
        let opened = fresh(&redis()).await;
        common::until("the cache", async || opened.is_caching()).await;
        as_sessions(opened)
    }

    conformance::session_store!(sessions);
}

mod cluster_of_three {
    use super::*;

    async fn sessions() -> Fixture<dyn SessionStore> {
        as_sessions(fresh(&cluster()).await)
    }

    async fn flows() -> Fixture<dyn FlowStore> {
        as_flows(fresh(&cluster()).await)
    }

    async fn limits() -> Fixture<dyn RateLimiter> {
        as_limits(fresh(&cluster()).await)
    }

    async fn neighbours() -> Fixture<Neighbours> {
        both_of(&cluster()).await
    }

    conformance::session_store!(sessions);
    conformance::flow_store!(flows);
    conformance::rate_limiter!(limits);
    conformance::several_nodes!(neighbours);
}

mod tls {
    use super::*;
    use servers::{Certificate, Redis};

    async fn sessions() -> Fixture<dyn SessionStore> {
        let certificate = Certificate::new();
        let server = Redis::setup().tls(&certificate).start();
        let mut config = common::config(&server.url(), &common::prefix());
        config.ca_file = Some(certificate.authority());
        let opened = common::open(config, &common::durable()).await;
        as_sessions(opened).guarded_by((server, certificate))
    }

    conformance::session_store!(sessions);
}
