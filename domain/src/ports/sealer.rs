use async_trait::async_trait;

use super::PortError;
use crate::secret::{Sealed, Secret};

/// To what a sealed value is bound: moved to another owner or used as another kind, it does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealBinding {
    /// What kind of secret it is (`user-credential`).
    pub kind: &'static str,
    /// Whose it is, from the widest to the narrowest name.
    pub owner: Vec<String>,
}

/// Seals secrets that must be read again, with a data key per value.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Sealer: Send + Sync {
    /// Seals a secret. MUST give two seals of one secret different bytes. MUST NOT let any part of the secret stand in them.
    async fn seal(&self, secret: &Secret, binding: &SealBinding) -> Result<Sealed, PortError>;

    /// Opens what [`Sealer::seal`] made.
    ///
    /// MUST refuse as [`PortError::Corrupt`] what was changed by one bit, cut, made under another binding, or under a key it does
    /// not have.
    async fn open(&self, sealed: &Sealed, binding: &SealBinding) -> Result<Secret, PortError>;

    /// Whether it was sealed under the newest key. MUST be `false` after the keys were rotated.
    fn is_current(&self, sealed: &Sealed) -> bool;
}
