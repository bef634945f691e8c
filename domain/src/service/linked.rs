//! What becomes of a user's linked accounts: unlinking them, forgetting their grants.

use super::perform::Halt;
use super::{Authenticated, STALE_RETRIES, Services};
use crate::error::{Denial, DomainError};
use crate::flow::link::detach::{self, Detach, DetachEvent};
use crate::id::{CredentialId, IdentityId, ProviderName};
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::PortError;
use crate::user::User;

impl Services {
    /// Unlinks an account and forgets its grants. All other sessions of the user end.
    ///
    /// # Errors
    /// [`Denial::LinkUnknown`], [`Denial::LastWayIn`]; ports that do not answer.
    pub async fn unlink(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        identity: &IdentityId,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        self.detach(pool, caller, origin, |user| DetachEvent::UnlinkAsked {
            user: Box::new(user),
            session: Box::new(caller.session.clone()),
            identity: identity.clone(),
            doors: self.doors(pool),
        })
        .await
    }

    /// Forgets one grant; the account stays linked and logs in as before.
    ///
    /// # Errors
    /// [`Denial::LinkUnknown`]; ports that do not answer.
    pub async fn forget_credential(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        credential: &CredentialId,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        self.detach(pool, caller, origin, |user| DetachEvent::ForgetAsked {
            user: Box::new(user),
            credential: credential.clone(),
        })
        .await
    }

    /// The providers people of a pool can log in by.
    pub(super) fn doors(&self, pool: &PoolPolicy) -> Vec<ProviderName> {
        let entries = self.ports.providers.all();
        let doors = entries
            .iter()
            .filter(|binding| binding.entry.pool == pool.name && !binding.entry.link);
        doors.map(|binding| binding.entry.provider.clone()).collect()
    }

    async fn detach(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        origin: &Origin,
        event: impl Fn(User) -> DetachEvent,
    ) -> Result<(), DomainError> {
        let mut user = caller.user.clone();
        for _ in 0..STALE_RETRIES {
            let event = event(user);
            let effects = match self.decide(pool, origin, |cx| detach::step(Detach::Start, event, cx)) {
                Ok(advanced) => advanced.effects,
                Err(refused) => return Err(self.refuse(refused).await),
            };
            match self.perform(effects).await {
                Ok(()) => return Ok(()),
                Err(Halt::Stale) => user = self.still_honoured(caller).await?,
                Err(halt) => return Err(halt.or_denial(Denial::Unexpected)),
            }
        }
        Err(PortError::Stale.into())
    }
}
