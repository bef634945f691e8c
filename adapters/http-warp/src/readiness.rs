//! Whether what we depend on answers.

use async_trait::async_trait;

/// Something the server cannot work without.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Asks everything behind it. `Err` names what does not answer, for the operator.
    async fn ready(&self) -> Result<(), String>;
}
