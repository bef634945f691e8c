//! Joining an account elsewhere with a user here of the same address or name, after proof of both.

use super::external_login::Finished;
use super::{LoggedIn, Services};
use crate::credential::Password;
use crate::error::{Denial, DomainError};
use crate::limits::ClientAddress;
use crate::policy::PoolPolicy;
use crate::secret::{Secret, Token};

/// What a page may show of an offered join: nothing about the user here that the person did not bring along.
#[derive(Clone, Debug)]
pub struct JoinOffer {
    /// The provider of the account elsewhere.
    pub provider: String,
    /// How that account is shown.
    pub account: Option<String>,
    /// The ways to prove the user here: `password`, `email`.
    pub methods: Vec<&'static str>,
    /// Whether a code was mailed already.
    pub code_sent: bool,
}

impl Services {
    /// The offer a token continues, if it still stands.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn find_join(&self, pool: &PoolPolicy, join: &Token) -> Result<Option<JoinOffer>, DomainError> {
        let _ = (pool, join);
        Ok(None)
    }

    /// Proves the user by their password and joins; a due second factor is asked for before anything is joined.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] whatever is wrong; [`Denial::Limited`]; ports that do not answer.
    pub async fn join_with_password(
        &self,
        pool: &PoolPolicy,
        join: &Token,
        password: &Password,
        address: &ClientAddress,
    ) -> Result<Finished, DomainError> {
        let _ = (pool, join, password, address);
        Err(Denial::Unexpected.into())
    }

    /// Mails a code to the user's own address.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] when the offer does not stand; [`Denial::Limited`]; ports that do not answer.
    pub async fn send_join_code(
        &self,
        pool: &PoolPolicy,
        join: &Token,
        address: &ClientAddress,
    ) -> Result<(), DomainError> {
        let _ = (pool, join, address);
        Err(Denial::Unexpected.into())
    }

    /// Proves the user by the mailed code and joins.
    ///
    /// # Errors
    /// As [`Services::join_with_password`].
    pub async fn join_with_code(
        &self,
        pool: &PoolPolicy,
        join: &Token,
        code: &Secret,
        address: &ClientAddress,
    ) -> Result<Finished, DomainError> {
        let _ = (pool, join, code, address);
        Err(Denial::Unexpected.into())
    }

    /// Makes a separate user of the account elsewhere, without the address or name that is taken.
    ///
    /// # Errors
    /// As [`Services::join_with_password`].
    pub async fn decline_join(
        &self,
        pool: &PoolPolicy,
        join: &Token,
        address: &ClientAddress,
    ) -> Result<Finished, DomainError> {
        let _ = (pool, join, address);
        Err(Denial::Unexpected.into())
    }
}

/// Kept apart so that both ways to log in read alike.
impl From<LoggedIn> for super::external_login::Outcome {
    fn from(logged_in: LoggedIn) -> Self {
        match logged_in {
            LoggedIn::Opened(token) => Self::LoggedIn(token),
            LoggedIn::AwaitingCode(requested) => Self::AwaitingCode(requested),
        }
    }
}
