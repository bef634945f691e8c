//! The arithmetic in Lua is the arithmetic of the domain: random sequences, equal verdicts and equal states.

use std::sync::Arc;

use async_trait::async_trait;
use domain::limits::{LimitKey, Quota, Tries, Verdict};
use domain::ports::{PortError, RateLimiter};
use domain::time::{Lifetime, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use servers::Redis;
use sessions_redis::{Durable, RedisSessions};

use crate::common::{config, durable, open, prefix};

/// A durable limiter that allows everything, so that only Redis decides.
struct Lax;

#[async_trait]
impl RateLimiter for Lax {
    async fn take(&self, _: &[(LimitKey, Quota)], _: Timestamp) -> Result<Verdict, PortError> {
        Ok(Verdict::Allowed)
    }

    async fn give_back(&self, _: &[(LimitKey, Quota)], _: Timestamp) -> Result<(), PortError> {
        Ok(())
    }

    async fn purge(&self, _: Timestamp) -> Result<u64, PortError> {
        Ok(0)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Take(i64),
    GiveBack,
}

fn quotas() -> impl Strategy<Value = Quota> {
    let millis = |most: u64| (0..=most).prop_map(Lifetime::from_millis);
    prop_oneof![
        (0_u32..20, millis(100_000)).prop_map(|(burst, per)| Quota::Rate { burst, per }),
        (
            0_u32..6,
            millis(2_000),
            millis(60_000),
            millis(600_000),
            any::<bool>()
        )
            .prop_map(|(free, wait, max_wait, forget, pardons)| Quota::Lockout {
                free,
                wait,
                max_wait,
                forget,
                pardons,
            }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Mostly a little later, at times much later, at times set back.
    let pause = prop_oneof![6 => 0_i64..3_000, 1 => 0_i64..700_000, 1 => -50_000_i64..0];
    let step = prop_oneof![5 => pause.prop_map(Step::Take), 1 => Just(Step::GiveBack)];
    prop::collection::vec(step, 1..80)
}

/// What Redis keeps of a counter; none where it keeps nothing.
fn kept(server: &Redis, prefix: &str, key: &LimitKey) -> Option<Tries> {
    let value = server.ask(&["GET", &format!("{prefix}l:{{{}}}", key.as_str())]);
    let mut words = value.split(' ').skip(1);
    Some(Tries {
        mark: words.next()?.parse().ok()?,
        count: words.next()?.parse().ok()?,
    })
}

async fn agree(
    server: &Redis,
    node: &RedisSessions,
    prefix: &str,
    quota: Quota,
    steps: &[Step],
    number: usize,
) {
    let key = LimitKey::new("login", &[&number.to_string()]);
    let asked = [(key.clone(), quota)];
    let (mut tries, mut now) = (None::<Tries>, 1_795_287_972_795_i64);
    for step in steps {
        match step {
            Step::Take(pause) => {
                now += pause;
                let at = Timestamp::from_millis(now);
                let (after, expected) = quota.take(tries.unwrap_or_default(), at);
                let said = node.take(&asked, at).await.unwrap();
                assert_eq!(said, expected, "{quota:?} {tries:?} at {now}");
                if said == Verdict::Allowed {
                    tries = Some(after);
                }
            }
            Step::GiveBack => {
                node.give_back(&asked, Timestamp::from_millis(now)).await.unwrap();
                tries = tries.map(|tries| quota.give_back(tries));
            }
        }
    }
    let tries = tries.unwrap_or_default();
    // What is forgotten, or pardoned, may be gone: then it says as much as an absent one.
    if let Some(kept) = kept(server, prefix, &key) {
        assert_eq!(kept, tries, "{quota:?}");
    }
}

#[test]
fn lua_counts_as_the_domain_does() {
    let server = Redis::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let prefix = prefix();
    let lax = Durable {
        limiter: Arc::new(Lax),
        ..durable()
    };
    let node = runtime.block_on(open(config(&server.url(), &prefix), &lax));
    let number = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config {
        cases: 250,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&(quotas(), steps()), |(quota, steps)| {
            number.set(number.get() + 1);
            runtime.block_on(agree(&server, &node, &prefix, quota, &steps, number.get()));
            Ok(())
        })
        .unwrap();
}
