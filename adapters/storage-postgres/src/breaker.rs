//! While the database does not answer calls are refused at once, and one task knocks until somebody opens.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::error::Said;
use crate::pool::Pool;

/// Between two knocks. Each knock has the whole connect timeout, so that a slow network does not keep us out, and knocks overlap,
/// so that one that vanishes in the network does not delay the next: calls pass again within this time of the server's return.
const KNOCK_EVERY: Duration = Duration::from_millis(250);
/// Knocks under way at once.
const KNOCKS: usize = 8;

/// Stops calls until the database answers again.
pub(crate) fn trip(pool: &Arc<Pool>, because: &Said) {
    let reason = because.to_string();
    if pool.breaker.open(&reason) {
        tracing::warn!(
            reason,
            "PostgreSQL does not answer; calls are refused until it does"
        );
        tokio::spawn(knock(Arc::downgrade(pool)));
    }
}

async fn knock(pool: std::sync::Weak<Pool>) {
    let mut knocks = JoinSet::new();
    let mut ticks = interval(KNOCK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let Some(pool) = pool.upgrade().filter(|pool| !pool.is_closed()) else {
                    return;
                };
                if knocks.len() < KNOCKS {
                    knocks.spawn(async move { pool.connect().await });
                }
            }
            Some(answer) = knocks.join_next(), if !knocks.is_empty() => {
                let Some(pool) = pool.upgrade() else { return };
                match answer {
                    Ok(Ok(connection)) => {
                        pool.keep(connection);
                        pool.breaker.close();
                        tracing::info!("PostgreSQL answers again");
                        return;
                    }
                    Ok(Err(refused)) => {
                        pool.breaker.open(refused.said.to_string());
                    }
                    Err(_) => {}
                }
            }
        }
    }
}
