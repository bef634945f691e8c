//! Changing the password.

use super::login::known_device;
use super::perform::Halt;
use super::{Authenticated, STALE_RETRIES, Services};
use crate::credential::Password;
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::change_password::{self, ChangePassword, ChangePasswordEvent};
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{Asked, PoolPolicy};
use crate::ports::PortError;
use crate::user::User;

impl Services {
    /// Changes a user's own password.
    ///
    /// # Errors
    /// [`Denial::CurrentPasswordWrong`], [`Denial::PasswordRefused`], [`Denial::Limited`]; ports that do not answer.
    pub async fn change_password(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        current: &Password,
        new: &Password,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        let mut taken = self.policy.limits.password_try(
            &pool.name,
            caller.user.key.id.as_str(),
            &origin.address,
            known_device(&caller.user, origin),
        );
        let mut verdict = self.take(&taken).await?;
        let mut user = caller.user.clone();
        for _ in 0..STALE_RETRIES {
            let event = ChangePasswordEvent::Asked {
                user: Box::new(user.clone()),
                new: new.clone(),
                verdict,
                taken: taken.clone(),
            };
            let state = self
                .change_step(pool, origin, ChangePassword::Start, event)
                .await?;
            let verified = self.ports.hasher.verify(current, user.password.as_ref()).await;
            let verified = self.judged(&taken, verified.map_err(DomainError::from)).await?;
            let event = ChangePasswordEvent::CurrentChecked {
                user: Box::new(user.clone()),
                verified,
            };
            let state = self.change_step(pool, origin, state, event).await?;
            let hash = self
                .new_password_hash(pool, &user, Some(&user.key), new, origin)
                .await?;
            let session = caller.session.id.clone();
            let event = ChangePasswordEvent::NewHashed {
                user: Box::new(user.clone()),
                session,
                hash,
            };
            let Advanced { next, effects } =
                match self.decide(pool, origin, |cx| change_password::step(state, event, cx)) {
                    Ok(advanced) => advanced,
                    Err(refused) => return Err(self.refuse(refused).await),
                };
            match (self.perform(effects).await, next) {
                (Ok(()), ChangePassword::Done(user)) => return Ok(*user),
                (Err(Halt::Stale), _) => {}
                (Err(halt), _) => return Err(halt.or_denial(Denial::CurrentPasswordWrong)),
                (Ok(()), _) => return Err(Denial::Unexpected.into()),
            }
            // Somebody changed the user meanwhile: is the current password still the current one, the session still good?
            user = self.still_honoured(caller).await?;
            (taken, verdict) = (Asked::new(), Verdict::Allowed);
        }
        Err(PortError::Stale.into())
    }

    async fn change_step(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        state: ChangePassword,
        event: ChangePasswordEvent,
    ) -> Result<ChangePassword, DomainError> {
        match self.decide(pool, origin, |cx| change_password::step(state, event, cx)) {
            Ok(Advanced { next, effects }) => match self.perform(effects).await {
                Ok(()) => Ok(next),
                Err(halt) => Err(halt.or_denial(Denial::Unexpected)),
            },
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// The caller's user, read again; refused when their session ended meanwhile.
    pub(super) async fn still_honoured(&self, caller: &Authenticated) -> Result<User, DomainError> {
        let user = self.reload(Some(&caller.user)).await?;
        let honoured = user.filter(|user| user.honours(caller.session.epoch, &caller.session.id));
        honoured.ok_or_else(|| Denial::AuthorizationRequired.into())
    }
}
