use async_trait::async_trait;

use super::{Arrival, ProviderError};
use crate::secret::Secret;
use crate::time::Timestamp;

/// A name and a password that are somebody else's to judge.
#[derive(Clone, Debug)]
pub struct DirectoryAttempt {
    /// As it was typed, without blanks around it: never empty, at most [`crate::flow::login::directory::LONGEST_NAME`] bytes, without control characters.
    pub name: String,
    /// As it was typed. The core let nothing pass that is empty, blank, has a NUL in it or is longer than
    /// [`crate::flow::login::directory::LONGEST_PASSWORD`] bytes.
    pub password: Secret,
    /// The moment it is.
    pub now: Timestamp,
}

/// A place that knows people's names and passwords: an LDAP directory, a Kerberos realm.
///
/// A directory that is not there, hangs up or does not answer in time MUST be [`ProviderError::Unavailable`], and MUST be asked again
/// the next time. Passwords MUST NOT get into any log or error.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait PasswordDirectory: Send + Sync {
    /// Judges a name and a password.
    ///
    /// MUST refuse an empty password by itself, before anybody is asked: many directories take it for a request to be nobody in
    /// particular, and say yes (RFC 4513 section 5.1.2). A wrong password and an unknown name MUST be
    /// [`super::ProviderFault::DirectoryPassword`]; a name that fits several accounts MUST be
    /// [`super::ProviderFault::DirectoryAmbiguous`]. A name MUST be searched for as it is, whatever characters are in it
    /// (RFC 4515 section 3, RFC 4514 section 2.4).
    ///
    /// One account MUST be the same subject every time, however its name is spelt and wherever it is moved to.
    async fn check(&self, attempt: &DirectoryAttempt) -> Result<Arrival, ProviderError>;
}
