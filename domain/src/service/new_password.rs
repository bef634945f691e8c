//! Choosing a password: what no rule about its length can judge.

use super::Services;
use crate::audit::{AuditEvent, AuditKind};
use crate::credential::{ContextWords, Password, PasswordFault, PasswordHash};
use crate::error::{Denial, DomainError};
use crate::id::UserKey;
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::PortError;
use crate::user::User;

impl Services {
    /// The hash of a new password, if its owner may choose it: `owner` is the user as they will be, `key` whom the audit log names
    /// (none for one who is not made yet).
    ///
    /// # Errors
    /// [`Denial::PasswordRefused`] for what is made of the owner's names or known from a breach; a hasher that does not answer.
    pub(super) async fn new_password_hash(
        &self,
        pool: &PoolPolicy,
        owner: &User,
        key: Option<&UserKey>,
        password: &Password,
        origin: &Origin,
    ) -> Result<PasswordHash, DomainError> {
        let own = std::iter::once(self.policy.service_name.as_str());
        let words = ContextWords::of_user(owner, own.chain(pool.context_words.iter().map(String::as_str)));
        let fault = if words.make_up(password) {
            Some(PasswordFault::Context)
        } else {
            self.breach(key, password, origin).await?
        };
        match fault {
            None => Ok(self.ports.hasher.hash(password).await?),
            Some(fault) => Err(Denial::PasswordRefused {
                fault,
                rules: pool.password,
            }
            .into()),
        }
    }

    /// Whether the password became public. A list that does not answer stops nobody: whoever can silence it must not be able to keep
    /// people from changing their passwords. The audit log says so.
    async fn breach(
        &self,
        key: Option<&UserKey>,
        password: &Password,
        origin: &Origin,
    ) -> Result<Option<PasswordFault>, PortError> {
        let Some(list) = &self.ports.breached else {
            return Ok(None);
        };
        let (kind, fault) = match list.is_breached(password).await {
            Ok(false) => return Ok(None),
            Ok(true) => (AuditKind::PasswordBreached, Some(PasswordFault::Breached)),
            Err(_) => (AuditKind::BreachCheckFailed, None),
        };
        let now = self.ports.clock.now();
        let event = AuditEvent::of_request(now, kind, key.cloned(), origin, &self.key);
        self.note(&event).await?;
        Ok(fault)
    }
}
