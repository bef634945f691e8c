//! A service asks what a token is worth (RFC 7662).

use super::{Authenticated, Authentication, Services};
use crate::error::DomainError;
use crate::flow::impersonate::Doing;
use crate::id::RoleName;
use crate::secret::Token;

/// A token that is good.
#[derive(Clone, Debug)]
pub struct Introspected {
    /// Whose it is, and the login it came by.
    pub holder: Authenticated,
    /// The names of all roles of its holder.
    pub roles: Vec<RoleName>,
}

impl Services {
    /// Whose token it is, of whatever pool, as stored now; none for every other text: unknown, ended and expired are all the same
    /// (RFC 7662 section 2.2).
    ///
    /// # Errors
    /// Ports that do not answer: then nothing may be allowed by it.
    pub async fn introspect(&self, token: &Token) -> Result<Option<Introspected>, DomainError> {
        let Authentication::Live(holder) = self.authenticate_for(token, None, Doing::Look).await? else {
            return Ok(None);
        };
        let roles = self.roles_of(&holder.user).await?;
        Ok(Some(Introspected {
            holder: *holder,
            roles,
        }))
    }
}
