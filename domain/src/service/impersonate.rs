//! An administrator acts as a user.

use super::{Authenticated, Services};
use crate::error::{Denial, DomainError};
use crate::flow::impersonate::{self, Doing, ImpersonateEvent, Impersonated};
use crate::id::UserId;
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::session::{AccessToken, Session};
use crate::user::User;

/// What an administrator says who wants to act as a user.
#[derive(Clone, Debug)]
pub struct ImpersonationAsk {
    /// As whom.
    pub user: UserId,
    /// Why: stands in the audit log.
    pub reason: String,
    /// For how many seconds; an hour at most.
    pub ttl: Option<f64>,
}

impl Services {
    /// Opens a session in which an administrator sees what a user of their own pool sees, and changes nothing; none where there is nobody
    /// of that id.
    ///
    /// # Errors
    /// [`Denial::AuthorizationRequired`] for whoever has no role `admin`, [`Denial::Impersonation`] within such a session,
    /// [`Denial::ImpersonationRefused`] for oneself, the disabled and administrators, [`Denial::Invalid`] without a reason,
    /// [`Denial::InvalidTtl`], [`Denial::StepUpRequired`]; ports that do not answer.
    pub async fn impersonate(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        ask: ImpersonationAsk,
        origin: &Origin,
    ) -> Result<Option<AccessToken>, DomainError> {
        let Some(user) = self.find_user(pool, &ask.user).await? else {
            return Ok(None);
        };
        let event = ImpersonateEvent::Asked {
            administrator: Box::new(caller.user.clone()),
            session: Box::new(caller.session.clone()),
            user: Box::new(user),
            access: self.access().await?,
            reason: ask.reason,
            ttl: ask.ttl,
        };
        let advanced = match self.decide(pool, origin, |cx| impersonate::step(event, cx)) {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        let Impersonated::Begun(token) = advanced.next;
        match self.perform(advanced.effects).await {
            Ok(()) => Ok(Some(*token)),
            Err(halt) => Err(halt.or_denial(Denial::Unexpected)),
        }
    }

    /// The user of that id, for an administrator who thinks of acting as them; none where there is nobody of that id.
    ///
    /// # Errors
    /// [`Denial::AuthorizationRequired`] for whoever has no role `admin`; ports that do not answer.
    pub async fn find_user_to_impersonate(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        id: &UserId,
    ) -> Result<Option<User>, DomainError> {
        impersonate::admit(&caller.session, Doing::Act)?;
        if !impersonate::administers(&caller.user, &self.access().await?) {
            return Err(Denial::AuthorizationRequired.into());
        }
        self.find_user(pool, id).await
    }

    /// Whether whoever acts by a session in the place of its user may still: asked at every use, so that an administrator who is shut out
    /// is out of these sessions at once. A session of its user's own costs no look.
    ///
    /// # Errors
    /// Ports that do not answer: then nobody may.
    pub(super) async fn is_still_administered(
        &self,
        session: &Session,
        user: &User,
    ) -> Result<bool, DomainError> {
        let Some(impersonator) = &session.impersonator else {
            return Ok(true);
        };
        let administrator = self.ports.users.find(&impersonator.user).await?;
        let access = self.access().await?;
        Ok(impersonate::stands(
            impersonator,
            administrator.as_ref(),
            user,
            &access,
        ))
    }
}
