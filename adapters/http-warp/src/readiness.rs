//! Whether what we depend on answers.

use async_trait::async_trait;

/// Something the server cannot work without.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Asks everything behind it, and waits for none longer than two seconds.
    async fn ready(&self) -> Result<(), NotReady>;
}

/// What does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady {
    /// In words of the configuration's sections, without addresses: anybody may ask.
    pub down: Vec<&'static str>,
    /// Why, for the operator's log alone.
    pub cause: String,
}
