//! Setting a changed e-mail address back.

use super::perform::Halt;
use super::{STALE_RETRIES, Services};
use crate::error::{Denial, DomainError};
use crate::flow::revert_email::{self, RevertEmailEvent};
use crate::flow_record::FlowKind;
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::PortError;
use crate::secret::Token;

impl Services {
    /// Sets an address back from the old one's mailbox; every session ends.
    ///
    /// # Errors
    /// [`Denial::TokenRefused`] whatever is wrong with the token, also when somebody else holds the address by now;
    /// [`Denial::Limited`]; ports that do not answer.
    pub async fn revert_email(
        &self,
        pool: &PoolPolicy,
        token: &Token,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let verdict = self.take(&self.policy.limits.token_try(&origin.address)).await?;
        let flow = self.ports.flows.find(&token.hash()).await?;
        let flow = flow.filter(|flow| flow.pool == pool.name);
        for _ in 0..STALE_RETRIES {
            let user = match &flow {
                Some(flow) => self.user_of(flow).await?,
                None => None,
            };
            let ways_back = match &user {
                Some(user) => self.ports.flows.list(&user.key, FlowKind::RevertEmail).await?,
                None => Vec::new(),
            };
            let event = RevertEmailEvent::TokenPresented {
                flow: flow.clone().map(Box::new),
                user: user.map(Box::new),
                ways_back,
                verdict,
            };
            let effects = match self.decide(pool, origin, |cx| revert_email::step(event, cx)) {
                Ok(advanced) => advanced.effects,
                Err(refused) => return Err(self.refuse(refused).await),
            };
            match self.perform(effects).await {
                Ok(()) => return Ok(()),
                Err(Halt::Stale) => {}
                Err(halt) => return Err(halt.or_denial(Denial::TokenRefused)),
            }
        }
        Err(PortError::Stale.into())
    }
}
