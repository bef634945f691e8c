use async_trait::async_trait;

use super::PortError;
use crate::credential::Password;

/// Knows passwords that became public (NIST SP 800-63B section 3.1.1.2, ASVS 6.2.12).
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait BreachedPasswords: Send + Sync {
    /// Whether the password is among them, compared exactly. MUST NOT let the password, or a whole hash of it, leave the machine.
    ///
    /// # Errors
    /// Where the list cannot be asked; whether the password is taken then is decided by the policy.
    async fn is_breached(&self, password: &Password) -> Result<bool, PortError>;
}
