//! What a user's linked accounts are good for: unlinking them, forgetting their grants, using their fresh tokens.

use super::perform::Halt;
use super::{Authenticated, STALE_RETRIES, Services};
use crate::audit::{AuditEvent, AuditKind};
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::authorize::Failure;
use crate::flow::link::credential_binding;
use crate::flow::link::detach::{self, Detach, DetachEvent};
use crate::flow::refresh_credential::{self, Chosen, Freshen, FreshenEvent};
use crate::id::{CredentialId, IdentityId, ProviderName, UserKey};
use crate::identity::{CredentialStatus, ProviderTokens};
use crate::limits::{ClientAddress, LimitKey, Quota, Verdict};
use crate::policy::{Asked, PoolPolicy};
use crate::ports::{PortError, ProviderError};
use crate::time::Lifetime;
use crate::user::User;

/// How long one caller may take to buy a token anew before another one tries: longer than any provider is waited for.
const LEASE: Lifetime = Lifetime::from_secs(30);

/// How often the others look whether it is done, and how many times.
const LOOK_AGAIN: Lifetime = Lifetime::from_millis(100);
const LOOKS: usize = 350;

/// A provider's token that surely still works.
#[derive(Clone, Debug)]
pub struct FreshToken {
    /// The grant it is of.
    pub credential: CredentialId,
    /// The provider.
    pub provider: String,
    /// How the grant stands: never `revoked`.
    pub status: CredentialStatus,
    /// The tokens; the refresh token is not among them.
    pub tokens: ProviderTokens,
}

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
        address: &ClientAddress,
    ) -> Result<(), DomainError> {
        self.detach(pool, caller, address, |user| DetachEvent::UnlinkAsked {
            user: Box::new(user),
            session: caller.session.id.clone(),
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
        address: &ClientAddress,
    ) -> Result<(), DomainError> {
        self.detach(pool, caller, address, |user| DetachEvent::ForgetAsked {
            user: Box::new(user),
            credential: credential.clone(),
        })
        .await
    }

    /// The providers people of a pool can log in by.
    fn doors(&self, pool: &PoolPolicy) -> Vec<ProviderName> {
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
        address: &ClientAddress,
        event: impl Fn(User) -> DetachEvent,
    ) -> Result<(), DomainError> {
        let mut user = caller.user.clone();
        for _ in 0..STALE_RETRIES {
            let event = event(user);
            let effects = match self.decide(pool, address, |cx| detach::step(Detach::Start, event, cx)) {
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

    /// A token of a linked account that still works, bought anew if need be: once, however many ask at once. `which` names a grant
    /// by its id, an entry, or a provider; of several the one of a linking entry goes first, then the newest.
    ///
    /// # Errors
    /// [`Denial::LinkUnknown`], [`Denial::CredentialRevoked`], [`Denial::ProviderRefused`], [`Denial::ProviderUnavailable`]; ports
    /// that do not answer.
    pub async fn fresh_token(
        &self,
        pool: &PoolPolicy,
        user: &UserKey,
        which: &str,
        address: &ClientAddress,
    ) -> Result<FreshToken, DomainError> {
        for _ in 0..LOOKS {
            let chosen = match self.choose(pool, user, which, address).await? {
                Freshen::Open(chosen) => return self.reveal(&chosen, address).await,
                Freshen::Refresh(chosen) => chosen,
                _ => return Err(Denial::Unexpected.into()),
            };
            let lease = lease(&chosen);
            if self.take(&lease).await? != Verdict::Allowed {
                self.ports.timer.sleep(LOOK_AGAIN).await;
                continue;
            }
            // Between the look and the lease somebody else may have bought it: look again, now that nobody else can.
            let answer = match self.choose(pool, user, which, address).await {
                Ok(Freshen::Refresh(again)) if again.credential.id == chosen.credential.id => {
                    self.refresh(pool, *again, address).await.map(Some)
                }
                Ok(_) => Ok(None),
                Err(error) => Err(error),
            };
            self.ports
                .limiter
                .give_back(&lease, self.ports.clock.now())
                .await?;
            if let Some(chosen) = answer? {
                return self.reveal(&chosen, address).await;
            }
        }
        Err(Denial::ProviderUnavailable.into())
    }

    async fn choose(
        &self,
        pool: &PoolPolicy,
        user: &UserKey,
        which: &str,
        address: &ClientAddress,
    ) -> Result<Freshen, DomainError> {
        let user = self.ports.users.find(user).await?.ok_or(Denial::LinkUnknown)?;
        let event = FreshenEvent::Asked {
            user: Box::new(user),
            which: which.to_owned(),
        };
        let step = self.decide(pool, address, |cx| {
            refresh_credential::step(Freshen::Start, event, cx)
        });
        match step {
            Ok(advanced) => Ok(advanced.next),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// Buys a token anew and stores it. What was bought is never lost to a change of the user meanwhile: the step is decided again
    /// on what is stored then.
    async fn refresh(
        &self,
        pool: &PoolPolicy,
        chosen: Chosen,
        address: &ClientAddress,
    ) -> Result<Chosen, DomainError> {
        let bought = self.buy(&chosen).await?;
        let wanted = chosen.credential.id.clone();
        let mut chosen = chosen;
        for _ in 0..10 {
            let event = match &bought {
                Ok(tokens) => {
                    let credential = &chosen.credential;
                    let key = &chosen.identity.key;
                    let binding =
                        credential_binding(&chosen.user.key, key, &credential.entry, &credential.client_id);
                    FreshenEvent::Refreshed {
                        sealed: self.ports.sealer.seal(&tokens.to_secret(), &binding).await?,
                        tokens: Box::new(tokens.clone()),
                    }
                }
                Err(failure) => FreshenEvent::Failed(failure.clone()),
            };
            let state = Freshen::Refresh(Box::new(chosen.clone()));
            let step = self.decide(pool, address, |cx| refresh_credential::step(state, event, cx));
            let Advanced { next, effects } = match step {
                Ok(advanced) => advanced,
                Err(refused) => match self.perform(refused.effects).await {
                    Err(Halt::Stale) => {
                        chosen = self.reread(&chosen, &wanted).await?;
                        continue;
                    }
                    Err(halt) => return Err(halt.or_denial(refused.denial)),
                    Ok(()) => return Err(refused.denial.into()),
                },
            };
            match (self.perform(effects).await, next) {
                (Ok(()), Freshen::Done(chosen)) => return Ok(*chosen),
                (Err(Halt::Stale), _) => chosen = self.reread(&chosen, &wanted).await?,
                (Err(halt), _) => return Err(halt.or_denial(Denial::Unexpected)),
                (Ok(()), _) => return Err(Denial::Unexpected.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    async fn reread(&self, chosen: &Chosen, credential: &CredentialId) -> Result<Chosen, DomainError> {
        let user = self.ports.users.find(&chosen.user.key).await?;
        let user = user.ok_or(Denial::LinkUnknown)?;
        let found = user
            .credentials
            .iter()
            .find(|kept| kept.id == *credential)
            .cloned();
        let credential = found.ok_or(Denial::LinkUnknown)?;
        let identity = user.identity(&credential.identity).cloned();
        Ok(Chosen {
            identity: identity.ok_or(Denial::LinkUnknown)?,
            credential,
            user,
        })
    }

    async fn buy(&self, chosen: &Chosen) -> Result<Result<ProviderTokens, Failure>, DomainError> {
        let credential = &chosen.credential;
        let (binding, _) = self.bound(&credential.entry)?;
        let tokens = self
            .open_grant(&chosen.user.key, &chosen.identity, credential)
            .await?;
        let (client, _) = self.client_of(&binding, credential.application.as_ref()).await?;
        let answer = binding
            .provider
            .refresh(&tokens, client, self.ports.clock.now())
            .await;
        Ok(answer.map_err(|error: ProviderError| Failure::from(&error)))
    }

    async fn reveal(&self, chosen: &Chosen, address: &ClientAddress) -> Result<FreshToken, DomainError> {
        let credential = &chosen.credential;
        let mut tokens = self
            .open_grant(&chosen.user.key, &chosen.identity, credential)
            .await?;
        tokens.refresh_token = None;
        let event = AuditEvent {
            at: self.ports.clock.now(),
            kind: AuditKind::CredentialRevealed,
            user: Some(chosen.user.key.clone()),
            address: Some(address.clone()),
            detail: Some(credential.entry.to_string()),
        };
        self.ports.audit.append(&event).await?;
        Ok(FreshToken {
            credential: credential.id.clone(),
            provider: chosen.identity.key.provider.to_string(),
            status: credential.status,
            tokens,
        })
    }
}

/// One try at a time per grant, on all nodes: the counters are shared by them and durable, so they can lend a lease, too.
fn lease(chosen: &Chosen) -> Asked {
    let quota = Quota::Rate { burst: 1, per: LEASE };
    vec![(
        LimitKey::new("refresh-credential", &[chosen.lease().as_str()]),
        quota,
    )]
}
