//! What administrators do to users: over REST with the role for it, or at the server's own command line.

use super::perform::Halt;
use super::{Authenticated, STALE_RETRIES, Services};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::error::{Denial, DomainError};
use crate::flow::administer::{self, Act, AdministerEvent, Administered, Correction};
use crate::flow::sign_up::{NewUser, taken_keys};
use crate::id::{SessionId, UserId, UserKey};
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::PortError;
use crate::session::Session;
use crate::user::User;

/// Who administers, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Administrator<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// Where the request came from; for the command line, this machine.
    pub origin: &'a Origin,
}

impl Services {
    /// Up to `limit` users of a pool in the order of their ids, beginning after `after`.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn list_users(
        &self,
        pool: &PoolPolicy,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<User>, DomainError> {
        Ok(self.ports.users.list(&pool.name, after.as_ref(), limit).await?)
    }

    /// Makes a user without a password. With `invite` they are mailed a link to set one by, which lives as long as a link that proves
    /// an address; `verified` says that the administrator vouches for the address.
    ///
    /// # Errors
    /// [`Denial::Invalid`] with every fault, as at sign-up; ports that do not answer.
    pub async fn make_user(
        &self,
        pool: &PoolPolicy,
        form: NewUser,
        verified: bool,
        invite: bool,
        by: Administrator<'_>,
    ) -> Result<User, DomainError> {
        let event = AdministerEvent::Wanted {
            form: Box::new(form),
            verified,
            invite,
            by: by.actor.clone(),
        };
        let advanced = match self.decide(pool, by.origin, |cx| administer::step(event, cx)) {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        let Administered::Made(user) = advanced.next else {
            return Err(Denial::Unexpected.into());
        };
        match self.perform(advanced.effects).await {
            Ok(()) => Ok(*user),
            Err(Halt::KeyTaken(key)) => Err(taken_keys(&user, &[key]).into()),
            Err(halt) => Err(halt.or_denial(Denial::Unexpected)),
        }
    }

    /// Does something to a user, and tells them as they are then; none where there is nobody of that id, or no longer.
    ///
    /// # Errors
    /// [`Denial::Invalid`] where a link cannot be mailed; ports that do not answer.
    pub async fn administer_user(
        &self,
        pool: &PoolPolicy,
        id: &UserId,
        act: Act,
        by: Administrator<'_>,
    ) -> Result<Option<User>, DomainError> {
        for _ in 0..STALE_RETRIES {
            let Some(user) = self.find_user(pool, id).await? else {
                return Ok(None);
            };
            let event = AdministerEvent::Asked {
                user: Box::new(user.clone()),
                act,
                by: by.actor.clone(),
            };
            let advanced = match self.decide(pool, by.origin, |cx| administer::step(event, cx)) {
                Ok(advanced) => advanced,
                Err(refused) => return Err(self.refuse(refused).await),
            };
            match (self.perform(advanced.effects).await, advanced.next) {
                (Err(Halt::Stale), _) => {}
                (Err(halt), _) => return Err(halt.or_denial(Denial::Unexpected)),
                (Ok(()), Administered::Changed(user) | Administered::Made(user)) => return Ok(Some(*user)),
                (Ok(()), Administered::Gone) => return Ok(Some(user)),
            }
        }
        Err(PortError::Stale.into())
    }

    /// Changes what stands in a user's record, as an administrator of their pool; tells it as it is then, none where there is nobody of
    /// that id.
    ///
    /// # Errors
    /// [`Denial::Invalid`] with every fault, [`Denial::StepUpRequired`] for an address, [`Denial::AuthorizationRequired`] for whoever has
    /// no role `admin`; ports that do not answer.
    pub async fn correct_user(
        &self,
        pool: &PoolPolicy,
        id: &UserId,
        correction: &Correction,
        caller: &Authenticated,
        origin: &Origin,
    ) -> Result<Option<User>, DomainError> {
        for _ in 0..STALE_RETRIES {
            let Some(user) = self.find_user(pool, id).await? else {
                return Ok(None);
            };
            let event = AdministerEvent::Corrected {
                user: Box::new(user.clone()),
                correction: Box::new(correction.clone()),
                administrator: Box::new(caller.user.clone()),
                session: Box::new(caller.session.clone()),
                access: self.access().await?,
            };
            let advanced = match self.decide(pool, origin, |cx| administer::step(event, cx)) {
                Ok(advanced) => advanced,
                Err(refused) => return Err(self.refuse(refused).await),
            };
            match (self.perform(advanced.effects).await, advanced.next) {
                (Err(Halt::Stale), _) => {}
                (Err(Halt::KeyTaken(key)), Administered::Changed(next)) => {
                    return Err(taken_keys(&next, &[key]).into());
                }
                (Err(halt), _) => return Err(halt.or_denial(Denial::Unexpected)),
                (Ok(()), Administered::Changed(user)) => return Ok(Some(*user)),
                (Ok(()), _) => return Err(Denial::Unexpected.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    /// Forgives failed tries on an account: those of its password, from everywhere but single addresses and from its known devices, and
    /// those of its second factors. Says whether there is such a user.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn unlock_user(
        &self,
        pool: &PoolPolicy,
        id: &UserId,
        by: Administrator<'_>,
    ) -> Result<bool, DomainError> {
        let Some(user) = self.find_user(pool, id).await? else {
            return Ok(false);
        };
        let now = self.ports.clock.now();
        let forgiven = self.policy.limits.of_account(&user, by.origin);
        self.ports.limiter.give_back(&forgiven, now).await?;
        self.note_administered(AuditKind::UserUnlocked, &user.key, by, None)
            .await?;
        Ok(true)
    }

    /// A user's logins that are alive, as [`Services::own_sessions`] tells their owner.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn sessions_of_user(
        &self,
        pool: &PoolPolicy,
        user: &User,
    ) -> Result<Vec<Session>, DomainError> {
        self.logins_of(pool, user).await
    }

    /// Ends one of a user's logins with all its tokens, and says whether they had one of that id.
    ///
    /// # Errors
    /// Ports that do not answer: then ask again.
    pub async fn end_session_of_user(
        &self,
        pool: &PoolPolicy,
        user: &User,
        session: &SessionId,
        by: Administrator<'_>,
    ) -> Result<bool, DomainError> {
        let logins = self.logins_of(pool, user).await?;
        let Some(login) = logins.iter().find(|login| login.id == *session) else {
            return Ok(false);
        };
        self.end_chain(&user.key, session, &login.token).await?;
        let detail = Some("chosen by an administrator");
        self.note_administered(AuditKind::LoggedOut, &user.key, by, detail)
            .await?;
        Ok(true)
    }

    async fn note_administered(
        &self,
        kind: AuditKind,
        user: &UserKey,
        by: Administrator<'_>,
        detail: Option<&str>,
    ) -> Result<(), DomainError> {
        let now = self.ports.clock.now();
        let event = AuditEvent {
            detail: detail.map(str::to_owned),
            ..AuditEvent::of_administrator(now, kind, user.clone(), by.actor, by.origin, &self.key)
        };
        Ok(self.note(&event).await?)
    }
}
