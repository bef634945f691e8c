use async_trait::async_trait;

use super::PortError;
use crate::credential::{Password, PasswordHash};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The password is not the one of the hash.
    Wrong,
    /// It is.
    Right,
    /// It is, and here is a hash as a new password would get it: the stored one is of an older kind or cost.
    RightAndRehashed(PasswordHash),
}

/// Hashes passwords, slowly on purpose, without ever holding up work that needs no hash.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a new password. MUST give two hashes of one password different salts. MUST use every character, however long the
    /// password is.
    ///
    /// # Errors
    /// [`PortError::Busy`] at once when the queue is full.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, PortError>;

    /// Compares a password with a stored hash. MUST cost the same for `None` (an unknown user) as for a current hash, and answer
    /// `Wrong`. MUST answer `Wrong` for a hash it cannot read.
    ///
    /// # Errors
    /// [`PortError::Busy`] at once when the queue is full.
    async fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verified, PortError>;
}
