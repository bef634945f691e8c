//! Proving e-mail addresses and phone numbers.

use super::perform::Halt;
use super::{Authenticated, STALE_RETRIES, Services};
use crate::error::{Denial, DomainError};
use crate::flow::verify_contact::{self, VerifyContact, VerifyContactEvent};
use crate::flow::{Advanced, Step};
use crate::flow_record::{FlowKind, FlowRecord};
use crate::id::{UserId, UserKey};
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{Limits, MailBudget, PoolPolicy};
use crate::ports::PortError;
use crate::secret::{Secret, Token};
use crate::user::User;

impl Services {
    /// Sends a verification mail to the user of an id, if that makes sense. The answer is the same for everybody.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn send_verification(
        &self,
        pool: &PoolPolicy,
        id: &UserId,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let key = UserKey::new(pool.name.clone(), id.clone());
        let user = self.ports.users.find(&key).await?.map(Box::new);
        let limits = &self.policy.limits;
        let asked = match &user {
            Some(user) if verify_contact::would_send_mail(user) => {
                limits.mail(MailBudget::Verify, &pool.name, id.as_str(), &origin.address)
            }
            _ => limits.mail_to_nobody(&origin.address),
        };
        let mail = self.take(&asked).await?;
        let event = VerifyContactEvent::EmailAsked { user, mail };
        let step = self.decide(pool, origin, |cx| verify_contact::step(event, cx));
        self.settle_contact(step).await?.ok_or(Denial::Unexpected)?;
        Ok(())
    }

    /// Confirms an e-mail address by the token mailed to it.
    ///
    /// # Errors
    /// [`Denial::TokenRefused`] whatever is wrong; [`Denial::Limited`]; ports that do not answer.
    pub async fn confirm_email(
        &self,
        pool: &PoolPolicy,
        uid: &UserId,
        token: &Token,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        let verdict = self.take(&self.policy.limits.token_try(&origin.address)).await?;
        for _ in 0..STALE_RETRIES {
            let flow = self
                .ports
                .flows
                .find(&token.hash())
                .await?
                .filter(|flow| flow.pool == pool.name);
            let user = match &flow {
                Some(flow) => self.user_of(flow).await?.map(Box::new),
                None => None,
            };
            let event = VerifyContactEvent::EmailConfirmed {
                flow: flow.map(Box::new),
                uid: uid.clone(),
                user,
                verdict,
            };
            let step = self.decide(pool, origin, |cx| verify_contact::step(event, cx));
            if let Some(VerifyContact::Proven(user)) = self.settle_contact(step).await? {
                return Ok(*user);
            }
        }
        Err(PortError::Stale.into())
    }

    /// Sends a code to the caller's unconfirmed number.
    ///
    /// # Errors
    /// [`Denial::PhoneRequired`] when there is none; [`Denial::Limited`]; ports that do not answer.
    pub async fn send_phone_code(
        &self,
        pool: &PoolPolicy,
        user: &User,
        origin: &Origin,
    ) -> Result<Token, DomainError> {
        let send = match &user.phone {
            Some(_) if !user.phone_is_confirmed() => {
                self.take(
                    &self
                        .policy
                        .limits
                        .code_send(&user.key, &origin.address, user.phone.as_ref()),
                )
                .await?
            }
            _ => Verdict::Allowed,
        };
        let event = VerifyContactEvent::PhoneAsked {
            user: Box::new(user.clone()),
            send,
        };
        let step = self.decide(pool, origin, |cx| verify_contact::step(event, cx));
        match self.settle_contact(step).await? {
            Some(VerifyContact::CodeSent(token)) => Ok(token),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    /// Confirms the caller's number by the code sent to it.
    ///
    /// # Errors
    /// [`Denial::TokenRefused`] whatever is wrong; [`Denial::Limited`]; ports that do not answer.
    pub async fn confirm_phone(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        typed: &Secret,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        self.confirm_phone_of(pool, caller.user.clone(), typed, origin)
            .await
    }

    /// Confirms a number right after sign-up, before any login, by the flow's token and the code.
    ///
    /// # Errors
    /// As [`Services::confirm_phone`].
    pub async fn confirm_phone_by_token(
        &self,
        pool: &PoolPolicy,
        token: &Token,
        typed: &Secret,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        let user = self.user_of_phone_flow(pool, token).await?;
        self.confirm_phone_of(pool, user, typed, origin).await
    }

    /// Sends another code right after sign-up, before any login, to who holds the token of the former one.
    ///
    /// # Errors
    /// [`Denial::TokenRefused`] when that token is unknown or too old; else as [`Services::send_phone_code`].
    pub async fn send_phone_code_by_token(
        &self,
        pool: &PoolPolicy,
        token: &Token,
        origin: &Origin,
    ) -> Result<Token, DomainError> {
        let user = self.user_of_phone_flow(pool, token).await?;
        self.send_phone_code(pool, &user, origin).await
    }

    async fn user_of_phone_flow(&self, pool: &PoolPolicy, token: &Token) -> Result<User, DomainError> {
        let flow = self.ports.flows.find(&token.hash()).await?.filter(|flow| {
            flow.pool == pool.name
                && flow.kind() == FlowKind::ConfirmPhone
                && !flow.is_expired(self.ports.clock.now())
        });
        let flow = flow.ok_or(Denial::TokenRefused)?;
        let user = self.user_of(&flow).await?;
        Ok(user.ok_or(Denial::TokenRefused)?)
    }

    async fn confirm_phone_of(
        &self,
        pool: &PoolPolicy,
        mut user: User,
        typed: &Secret,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        let verdict = self
            .take(&self.policy.limits.confirm_phone_try(&user.key))
            .await?;
        let mut flow = self.newest_phone_flow(&user).await?;
        let tries_left = match (&flow, verdict) {
            (Some(flow), Verdict::Allowed) => {
                self.take(&Limits::tries_of_one_code(&flow.id.to_text(), pool.code_life))
                    .await?
            }
            _ => Verdict::Allowed,
        };
        for _ in 0..STALE_RETRIES {
            let counted = flow.as_ref().map(|flow| flow.id);
            let event = VerifyContactEvent::PhoneCodeTyped {
                flow: flow.map(Box::new),
                user: Box::new(user.clone()),
                typed: typed.clone(),
                verdict,
                tries_left,
            };
            let step = self.decide(pool, origin, |cx| verify_contact::step(event, cx));
            if let Some(VerifyContact::Proven(user)) = self.settle_contact(step).await? {
                return Ok(*user);
            }
            // Whoever changed the user may have voided the code as well: only the flow the try was counted on is good.
            user = self.reload(Some(&user)).await?.ok_or(Denial::TokenRefused)?;
            flow = self
                .newest_phone_flow(&user)
                .await?
                .filter(|flow| Some(flow.id) == counted);
        }
        Err(PortError::Stale.into())
    }

    async fn newest_phone_flow(&self, user: &User) -> Result<Option<FlowRecord>, DomainError> {
        let mut flows = self.ports.flows.list(&user.key, FlowKind::ConfirmPhone).await?;
        Ok(flows.pop())
    }

    /// Carries a step out. `None` means the user was changed meanwhile.
    async fn settle_contact(&self, step: Step<VerifyContact>) -> Result<Option<VerifyContact>, DomainError> {
        let Advanced { next, effects } = match step {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        match self.perform(effects).await {
            Ok(()) => Ok(Some(next)),
            Err(Halt::Stale) => Ok(None),
            Err(halt) => Err(halt.or_denial(Denial::TokenRefused)),
        }
    }
}
