//! Changing and deleting one's own record.

use super::login::known_device;
use super::perform::Halt;
use super::{Authenticated, STALE_RETRIES, Services};
use crate::error::{Denial, DomainError};
use crate::flow::change_profile::{self, ChangeProfile, ChangeProfileEvent, Mails, ProfileChange};
use crate::flow::{Advanced, Effect};
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{MailBudget, PoolPolicy};
use crate::ports::{PortError, Verified};
use crate::user::User;

impl Services {
    /// Changes a user's own record and returns it whole.
    ///
    /// # Errors
    /// [`Denial::Invalid`], [`Denial::ProofRequired`], [`Denial::PasswordChangeNotAllowed`], [`Denial::CurrentPasswordWrong`],
    /// [`Denial::Limited`]; ports that do not answer.
    pub async fn change_profile(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        change: &ProfileChange,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        let mut user = caller.user.clone();
        for _ in 0..STALE_RETRIES {
            let (next, effects) = self.decide_change(pool, caller, user, change, origin).await?;
            let taken = match (self.perform(effects).await, next) {
                (Ok(()), ChangeProfile::Done(user)) => return Ok(*user),
                (Err(Halt::KeyTaken(key)), next) => (next, key),
                (Err(Halt::Stale), _) => {
                    user = self.still_honoured(caller).await?;
                    continue;
                }
                (Err(halt), _) => return Err(halt.or_denial(Denial::Unexpected)),
                (Ok(()), _) => return Err(Denial::Unexpected.into()),
            };
            let (state, event) = (taken.0, ChangeProfileEvent::KeyTaken(taken.1));
            return match self.decide(pool, origin, |cx| change_profile::step(state, event, cx)) {
                Ok(_) => Err(Denial::Unexpected.into()),
                Err(refused) => Err(self.refuse(refused).await),
            };
        }
        Err(PortError::Stale.into())
    }

    /// Steps through proof and hash until the change is decided; the last step's effects are still to be carried out.
    async fn decide_change(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        user: User,
        change: &ProfileChange,
        origin: &Origin,
    ) -> Result<(ChangeProfile, Vec<Effect>), DomainError> {
        let hash = user.password.clone();
        let account = user.key.id.to_string();
        let mail = Mails {
            verify: if self.decide(pool, origin, |cx| change.would_send_mail(&user, cx)) {
                self.take_mail(MailBudget::Verify, &user, origin).await?
            } else {
                Verdict::Allowed
            },
            tell: if self.decide(pool, origin, |cx| change.would_tell(&user, cx)) {
                self.take_mail(MailBudget::EmailChange, &user, origin).await?
            } else {
                Verdict::Allowed
            },
        };
        let mut state = ChangeProfile::Start;
        let mut event = ChangeProfileEvent::Asked {
            user: Box::new(user),
            session: Box::new(caller.session.clone()),
            change: Box::new(change.clone()),
            mail,
        };
        loop {
            let Advanced { next, effects } =
                match self.decide(pool, origin, |cx| change_profile::step(state, event, cx)) {
                    Ok(advanced) => advanced,
                    Err(refused) => return Err(self.refuse(refused).await),
                };
            event = match &next {
                ChangeProfile::CheckProof(draft) => {
                    let taken = self.policy.limits.password_try(
                        &pool.name,
                        &account,
                        &origin.address,
                        known_device(&caller.user, origin),
                    );
                    let verdict = self.take(&taken).await?;
                    let verified = match verdict {
                        Verdict::Allowed => {
                            let verified = self.ports.hasher.verify(&draft.proof, hash.as_ref()).await;
                            self.judged(&taken, verified.map_err(DomainError::from)).await?
                        }
                        Verdict::Denied { .. } => Verified::Wrong,
                    };
                    ChangeProfileEvent::ProofChecked {
                        verdict,
                        verified,
                        taken,
                    }
                }
                ChangeProfile::HashNew(draft) => {
                    let new = draft.new_password.as_ref().ok_or(Denial::Unexpected)?;
                    let owner = draft.owner();
                    let hash = self
                        .new_password_hash(pool, owner, Some(&owner.key), new, origin)
                        .await?;
                    ChangeProfileEvent::NewHashed(hash)
                }
                ChangeProfile::Start | ChangeProfile::Done(_) | ChangeProfile::Deleted => {
                    return Ok((next, effects));
                }
            };
            self.perform(effects)
                .await
                .map_err(|halt| halt.or_denial(Denial::Unexpected))?;
            state = next;
        }
    }

    /// Deletes a user's own record with all their sessions and flows.
    ///
    /// # Errors
    /// [`Denial::AuthorizationRequired`] when the caller's session ended meanwhile; ports that do not answer.
    pub async fn delete_user(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let mut user = caller.user.clone();
        for _ in 0..STALE_RETRIES {
            let event = ChangeProfileEvent::DeletionAsked { user: Box::new(user) };
            let effects = match self.decide(pool, origin, |cx| {
                change_profile::step(ChangeProfile::Start, event, cx)
            }) {
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

    async fn take_mail(
        &self,
        kind: MailBudget,
        user: &User,
        origin: &Origin,
    ) -> Result<Verdict, DomainError> {
        let limits = &self.policy.limits;
        let asked = limits.mail(kind, &user.key.pool, user.key.id.as_str(), &origin.address);
        Ok(self.take(&asked).await?)
    }
}
