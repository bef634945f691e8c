use std::time::Duration;

use async_trait::async_trait;
use domain::ports::Timer;
use domain::time::Lifetime;

/// The runtime's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTimer;

#[async_trait]
impl Timer for SystemTimer {
    async fn sleep(&self, span: Lifetime) {
        tokio::time::sleep(Duration::from_millis(span.as_millis())).await;
    }
}
