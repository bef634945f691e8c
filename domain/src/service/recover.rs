//! Recovering a forgotten password.

use super::perform::Halt;
use super::{LoginName, STALE_RETRIES, Services};
use crate::credential::Password;
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::recover::{self, Recover, RecoverEvent};
use crate::flow_record::FlowRecord;
use crate::origin::Origin;
use crate::policy::{MailBudget, PoolPolicy};
use crate::ports::PortError;
use crate::secret::Token;
use crate::user::User;

impl Services {
    /// Sends a reset mail if there is someone to send it to. The answer is the same for everybody.
    ///
    /// # Errors
    /// [`Denial::RealmRequired`] where realms are required; ports that do not answer.
    pub async fn request_reset(
        &self,
        pool: &PoolPolicy,
        realm: Option<&str>,
        email: &str,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let named = self
            .named(pool, realm, &LoginName::Email(email.to_owned()))
            .await?;
        let mail = self
            .take(
                &self
                    .policy
                    .limits
                    .mail(MailBudget::Reset, &pool.name, &named.account, &origin.address),
            )
            .await?;
        let event = RecoverEvent::Asked {
            user: named.user.map(Box::new),
            mail,
        };
        match self.decide(pool, origin, |cx| recover::step(Recover::Start, event, cx)) {
            Ok(advanced) => self
                .perform(advanced.effects)
                .await
                .map_err(|halt| halt.or_denial(Denial::Unexpected)),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// Sets a new password with a reset token. Every session of the user ends.
    ///
    /// # Errors
    /// [`Denial::TokenRefused`], [`Denial::PasswordRefused`] (the token stays good), [`Denial::Limited`]; ports that do not
    /// answer.
    pub async fn reset_password(
        &self,
        pool: &PoolPolicy,
        token: &Token,
        password: &Password,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        let asked = self.policy.limits.token_try(&origin.address);
        let verdict = self.take(&asked).await?;
        let (flow, user) = self.reset_flow(token).await?;
        let event = RecoverEvent::TokenPresented {
            flow,
            user: user.clone(),
            password: password.clone(),
            verdict,
        };
        match self.decide(pool, origin, |cx| recover::step(Recover::Start, event, cx)) {
            Ok(_) => {}
            Err(refused) => return Err(self.refuse(refused).await),
        }
        let owner = user.ok_or(Denial::TokenRefused)?;
        let hash = self
            .new_password_hash(pool, &owner, Some(&owner.key), password, origin)
            .await?;
        for _ in 0..STALE_RETRIES {
            let (flow, user) = self.reset_flow(token).await?;
            let event = RecoverEvent::PasswordHashed {
                flow,
                user,
                hash: hash.clone(),
            };
            let Advanced { next, effects } =
                match self.decide(pool, origin, |cx| recover::step(Recover::SetPassword, event, cx)) {
                    Ok(advanced) => advanced,
                    Err(refused) => return Err(self.refuse(refused).await),
                };
            match (self.perform(effects).await, next) {
                (Ok(()), Recover::Done(user)) => return Ok(*user),
                (Err(Halt::Stale), _) => {}
                (Err(halt), _) => return Err(halt.or_denial(Denial::TokenRefused)),
                (Ok(()), _) => return Err(Denial::Unexpected.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    async fn reset_flow(
        &self,
        token: &Token,
    ) -> Result<(Option<Box<FlowRecord>>, Option<Box<User>>), DomainError> {
        let Some(flow) = self.ports.flows.find(&token.hash()).await? else {
            return Ok((None, None));
        };
        let user = self.user_of(&flow).await?;
        Ok((Some(Box::new(flow)), user.map(Box::new)))
    }
}
