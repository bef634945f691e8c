use async_trait::async_trait;

use crate::time::Lifetime;

/// Lets time pass.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Timer: Send + Sync {
    /// Returns after about that long.
    async fn sleep(&self, span: Lifetime);
}
