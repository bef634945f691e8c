//! Signing up.

use super::Services;
use super::perform::Halt;
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::sign_up::{self, Draft, NewUser, SignUp, SignUpEvent};
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{MailBudget, PoolPolicy};
use crate::ports::{LookupKey, UniqueKey};
use crate::user::User;

impl Services {
    /// Makes a user.
    ///
    /// # Errors
    /// [`Denial::Invalid`] with every fault, [`Denial::PasswordRefused`], [`Denial::Limited`]; ports that do not answer.
    pub async fn sign_up(
        &self,
        pool: &PoolPolicy,
        form: NewUser,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        let verdict = self.take(&self.policy.limits.sign_up(&origin.address)).await?;
        let submitted = SignUpEvent::Submitted {
            form: Box::new(form),
            verdict,
        };
        let state = self.advance(pool, origin, SignUp::Start, submitted).await?;
        let SignUp::CheckKeys(draft) = state else {
            return Err(Denial::Unexpected.into());
        };
        let looked_up = self.look_keys_up(pool, &draft).await?;
        let state = self
            .advance(pool, origin, SignUp::CheckKeys(draft), looked_up)
            .await?;
        let SignUp::HashPassword(draft) = state else {
            return Err(Denial::Unexpected.into());
        };
        let hash = self
            .new_password_hash(pool, &draft.user, None, &draft.password, origin)
            .await?;
        let mail = self.verification_budget(pool, &draft, origin).await?;
        let hashed = SignUpEvent::PasswordHashed { hash, mail };
        match self
            .advance(pool, origin, SignUp::HashPassword(draft), hashed)
            .await?
        {
            SignUp::Created(user) => Ok(*user),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    /// One step and its effects. A key that somebody else took first goes back to the flow as an event.
    async fn advance(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        state: SignUp,
        event: SignUpEvent,
    ) -> Result<SignUp, DomainError> {
        let Advanced { next, effects } = match self.decide(pool, origin, |cx| sign_up::step(state, event, cx))
        {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        match self.perform(effects).await {
            Ok(()) => Ok(next),
            Err(Halt::KeyTaken(key)) => self.key_taken(pool, origin, next, key).await,
            Err(halt) => Err(halt.or_denial(Denial::Unexpected)),
        }
    }

    async fn key_taken(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        state: SignUp,
        key: UniqueKey,
    ) -> Result<SignUp, DomainError> {
        match self.decide(pool, origin, |cx| {
            sign_up::step(state, SignUpEvent::KeyTaken(key), cx)
        }) {
            Ok(Advanced { next, effects }) => match self.perform(effects).await {
                Ok(()) => Ok(next),
                Err(halt) => Err(halt.or_denial(Denial::Unexpected)),
            },
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    async fn look_keys_up(&self, pool: &PoolPolicy, draft: &Draft) -> Result<SignUpEvent, DomainError> {
        let email_holder = match draft.user.email_key() {
            Some(key) => self.user_by(pool, LookupKey::Email(key)).await?.map(Box::new),
            None => None,
        };
        let username_taken = match draft.user.username_key() {
            Some(key) => self.user_by(pool, LookupKey::Username(key)).await?.is_some(),
            None => false,
        };
        Ok(SignUpEvent::KeysLookedUp {
            email_holder,
            username_taken,
        })
    }

    /// Whether a mail may go to the draft's address; asked the same way for a new and for a taken one.
    async fn verification_budget(
        &self,
        pool: &PoolPolicy,
        draft: &Draft,
        origin: &Origin,
    ) -> Result<Verdict, DomainError> {
        if !pool.email_verification_required && !pool.hide_existing {
            return Ok(Verdict::Allowed);
        }
        let account = draft.user.email_key().unwrap_or_default();
        Ok(self
            .take(
                &self
                    .policy
                    .limits
                    .mail(MailBudget::SignUp, &pool.name, &account, &origin.address),
            )
            .await?)
    }
}
