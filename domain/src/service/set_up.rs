//! The first administrator.

use super::Services;
use super::perform::Halt;
use crate::access::{ADMIN, Role};
use crate::audit::Actor;
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::login::Terms;
use crate::flow::set_up::{self, Draft, Offer, SetUp, SetUpEvent};
use crate::flow::sign_up::{NewUser, taken_keys};
use crate::id::RoleName;
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::{LookupKey, UniqueKey};
use crate::secret::{Secret, Token};
use crate::session::AccessToken;
use crate::user::User;

/// An administrator who was made by the first link.
#[derive(Clone, Debug)]
pub struct FirstAdministrator {
    /// Who.
    pub user: User,
    /// Their session; none where a second factor is due first.
    pub token: Option<AccessToken>,
}

impl Services {
    /// The pool whose users administer the server.
    ///
    /// # Errors
    /// [`Denial::Unexpected`] where there is no pool at all.
    pub fn administering_pool(&self) -> Result<&PoolPolicy, Denial> {
        let name = self.policy.admin_pool();
        name.and_then(|name| self.pool(name)).ok_or(Denial::Unexpected)
    }

    /// A link by which the first administrator is made, once and within the hour; none where the pool that administers has a user. Every
    /// former link is void. It is for whoever started the server, and for nobody's log.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn offer_set_up(&self, origin: &Origin) -> Result<Option<Secret>, DomainError> {
        let pool = self.administering_pool()?;
        let is_empty = self.ports.users.list(&pool.name, None, 1).await?.is_empty();
        match self
            .set_up_once(pool, SetUp::Start, SetUpEvent::Started { is_empty }, origin)
            .await?
        {
            SetUp::Offered(link) => Ok(link),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    /// Whether the token of such a link is good. Looking spends nothing.
    ///
    /// # Errors
    /// [`Denial::TokenRefused`] for every other text; ports that do not answer.
    pub async fn check_set_up(&self, token: &Token, origin: &Origin) -> Result<(), DomainError> {
        let pool = self.administering_pool()?;
        let offer = self.offer_of(pool, token).await?;
        self.decide(pool, origin, |cx| set_up::check(&offer, cx))?;
        Ok(())
    }

    /// Makes the first administrator, with the token of a link.
    ///
    /// # Errors
    /// [`Denial::TokenRefused`], [`Denial::Invalid`] and [`Denial::PasswordRefused`] (the link stays good), [`Denial::Limited`]; ports that
    /// do not answer.
    pub async fn set_up(
        &self,
        token: &Token,
        form: NewUser,
        terms: Terms,
        origin: &Origin,
    ) -> Result<FirstAdministrator, DomainError> {
        let pool = self.administering_pool()?;
        let verdict = self.take(&self.policy.limits.token_try(&origin.address)).await?;
        let event = SetUpEvent::Presented {
            form: Box::new(form),
            offer: Box::new(self.offer_of(pool, token).await?),
            verdict,
        };
        let state = self.set_up_once(pool, SetUp::Start, event, origin).await?;
        let SetUp::HashPassword(draft) = state else {
            return Err(Denial::Unexpected.into());
        };
        let hash = self
            .new_password_hash(pool, &draft.user, None, &draft.password, origin)
            .await?;
        let event = SetUpEvent::PasswordHashed {
            hash,
            taken: self.taken_of(pool, &draft).await?,
        };
        let state = self
            .set_up_once(pool, SetUp::HashPassword(draft), event, origin)
            .await?;
        let role = self.role_of_administrators().await?.id;
        let event = SetUpEvent::RoleFound { role, terms };
        match self.set_up_once(pool, state, event, origin).await? {
            SetUp::Done(user, token) => Ok(FirstAdministrator {
                user: *user,
                token: token.map(|token| *token),
            }),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    async fn set_up_once(
        &self,
        pool: &PoolPolicy,
        state: SetUp,
        event: SetUpEvent,
        origin: &Origin,
    ) -> Result<SetUp, DomainError> {
        let Advanced { next, effects } = match self.decide(pool, origin, |cx| set_up::step(state, event, cx))
        {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        match (self.perform(effects).await, next) {
            (Ok(()), next) => Ok(next),
            (Err(Halt::KeyTaken(key)), SetUp::Done(user, _)) => Err(taken_keys(&user, &[key]).into()),
            (Err(halt), _) => Err(halt.or_denial(Denial::TokenRefused)),
        }
    }

    async fn offer_of(&self, pool: &PoolPolicy, token: &Token) -> Result<Offer, DomainError> {
        let administrators = match self.access().await?.role_named(&RoleName::new(ADMIN)) {
            Some(role) => self.ports.members.count_members(&pool.name, &role.id).await?,
            None => 0,
        };
        Ok(Offer {
            presented: self.ports.flows.find(&token.hash()).await?,
            newest: self.ports.flows.find(&set_up::newest()).await?,
            administrators,
        })
    }

    async fn taken_of(&self, pool: &PoolPolicy, draft: &Draft) -> Result<Vec<UniqueKey>, DomainError> {
        let mut taken = Vec::new();
        if let Some(key) = draft.user.email_key()
            && self.user_by(pool, LookupKey::Email(key)).await?.is_some()
        {
            taken.push(UniqueKey::Email);
        }
        if let Some(key) = draft.user.username_key()
            && self.user_by(pool, LookupKey::Username(key)).await?.is_some()
        {
            taken.push(UniqueKey::Username);
        }
        Ok(taken)
    }

    /// The role `admin`, made where it is not there. Two who make it at once make one: the other finds it.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn role_of_administrators(&self) -> Result<Role, DomainError> {
        let name = RoleName::new(ADMIN);
        if let Some(role) = self.access().await?.role_named(&name) {
            return Ok(role.clone());
        }
        let what = Some("Administrators".to_owned());
        match self.create_role(&name, what, Actor::Operator).await {
            Ok(role) => Ok(role),
            Err(error) => {
                let access = self.access().await?;
                let found = access.role_named(&name).cloned();
                found.ok_or(error)
            }
        }
    }
}
