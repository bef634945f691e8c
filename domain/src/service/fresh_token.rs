//! A linked account's fresh token: bought anew once, however many ask, and stored whatever happens.

use super::perform::Halt;
use super::{Authenticated, Services};
use crate::audit::{AuditEvent, AuditKind};
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::authorize::Failure;
use crate::flow::link::credential_binding;
use crate::flow::refresh_credential::{self, Chosen, Freshen, FreshenEvent};
use crate::id::{CredentialId, UserKey};
use crate::identity::{CredentialStatus, ProviderTokens};
use crate::limits::{LimitKey, Quota, Verdict};
use crate::origin::Origin;
use crate::policy::{Asked, PoolPolicy, SensitiveAct};
use crate::time::{Lifetime, Timestamp};

/// How long one caller may take to buy a token anew before another one tries: longer than any provider is waited for and what it
/// sold is being stored, since a second purchase would spend the old refresh token again.
const LEASE: Lifetime = Lifetime::from_secs(6 * 60);

/// How often the others look whether it is done, and how many times.
const LOOK_AGAIN: Lifetime = Lifetime::from_millis(100);
const LOOKS: usize = 350;

/// How often what was bought is decided again because its user was changed meanwhile.
const CHANGES: usize = 10;

/// How long storing it is tried while the store does not answer, and how long between two tries.
const KEEPING: Lifetime = Lifetime::from_secs(5 * 60);
const KEEP_AGAIN: Lifetime = Lifetime::from_millis(250);

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
    /// [`Services::fresh_token`] for whoever is logged in, freshly proven: it may do at the provider what they may.
    ///
    /// # Errors
    /// [`Denial::StepUpRequired`]; as [`Services::fresh_token`].
    pub async fn reveal_token(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        which: &str,
        origin: &Origin,
    ) -> Result<FreshToken, DomainError> {
        self.demand_proof(pool, caller, SensitiveAct::Reveal, origin)
            .await?;
        self.fresh_token(pool, &caller.user.key, which, origin).await
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
        origin: &Origin,
    ) -> Result<FreshToken, DomainError> {
        for _ in 0..LOOKS {
            let chosen = match self.choose(pool, user, which, origin).await? {
                Freshen::Open(chosen) => return self.reveal(&chosen, origin).await,
                Freshen::Refresh(chosen) => chosen,
                _ => return Err(Denial::Unexpected.into()),
            };
            let lease = lease(&chosen);
            let leased = self.ports.clock.now();
            if self.take(&lease).await? != Verdict::Allowed {
                self.ports.timer.sleep(LOOK_AGAIN).await;
                continue;
            }
            // Between the look and the lease somebody else may have bought it: look again, now that nobody else can.
            let answer = match self.choose(pool, user, which, origin).await {
                Ok(Freshen::Refresh(again)) if again.credential.id == chosen.credential.id => {
                    self.refresh(pool, *again, origin).await.map(Some)
                }
                Ok(_) => Ok(None),
                Err(error) => Err(error),
            };
            let now = self.ports.clock.now();
            // Whoever took longer has it no more: somebody else may.
            if now.since(leased) < LEASE {
                self.ports.limiter.give_back(&lease, now).await?;
            }
            if let Some(chosen) = answer? {
                return self.reveal(&chosen, origin).await;
            }
        }
        Err(Denial::ProviderUnavailable.into())
    }

    async fn choose(
        &self,
        pool: &PoolPolicy,
        user: &UserKey,
        which: &str,
        origin: &Origin,
    ) -> Result<Freshen, DomainError> {
        let user = self.ports.users.find(user).await?.ok_or(Denial::LinkUnknown)?;
        let event = FreshenEvent::Asked {
            user: Box::new(user),
            which: which.to_owned(),
        };
        let step = self.decide(pool, origin, |cx| {
            refresh_credential::step(Freshen::Start, event, cx)
        });
        match step {
            Ok(advanced) => Ok(advanced.next),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// Buys a token anew and stores it. What was bought is never lost to a change of the user meanwhile, nor to a store that does
    /// not answer for a while: a provider that rotates refresh tokens takes the old one no more (RFC 9700 section 4.14.2).
    async fn refresh(
        &self,
        pool: &PoolPolicy,
        chosen: Chosen,
        origin: &Origin,
    ) -> Result<Chosen, DomainError> {
        let bought = self.buy(&chosen).await?;
        let mut chosen = chosen;
        let mut changes = 0;
        let began = self.ports.clock.now();
        loop {
            match self.keep(pool, chosen.clone(), &bought, origin).await {
                Err(Halt::Stale) if changes < CHANGES => {
                    changes += 1;
                    chosen = self.reread(chosen, began).await?;
                }
                Err(Halt::Failed(error)) if error.may_pass() && self.may_keep(began) => {
                    self.ports.timer.sleep(KEEP_AGAIN).await;
                }
                Err(halt) => return Err(halt.or_denial(Denial::Unexpected)),
                Ok(kept) => return kept,
            }
        }
    }

    /// Whether what was bought at `began` is still to be stored.
    fn may_keep(&self, began: Timestamp) -> bool {
        self.ports.clock.now().since(began) < KEEPING
    }

    /// Decides what the provider's answer means for the grant as it is stored, and stores that.
    async fn keep(
        &self,
        pool: &PoolPolicy,
        chosen: Chosen,
        bought: &Result<ProviderTokens, Failure>,
        origin: &Origin,
    ) -> Result<Result<Chosen, DomainError>, Halt> {
        let event = match bought {
            Ok(tokens) => {
                let (credential, key) = (&chosen.credential, &chosen.identity.key);
                let binding =
                    credential_binding(&chosen.user.key, key, &credential.entry, &credential.client_id);
                FreshenEvent::Refreshed {
                    sealed: self.ports.sealer.seal(&tokens.to_secret(), &binding).await?,
                    tokens: Box::new(tokens.clone()),
                }
            }
            Err(failure) => FreshenEvent::Failed(failure.clone()),
        };
        let state = Freshen::Refresh(Box::new(chosen));
        let step = self.decide(pool, origin, |cx| refresh_credential::step(state, event, cx));
        match step {
            Ok(Advanced { next, effects }) => {
                self.perform(effects).await?;
                Ok(match next {
                    Freshen::Done(chosen) => Ok(*chosen),
                    _ => Err(Denial::Unexpected.into()),
                })
            }
            Err(refused) => {
                self.perform(refused.effects).await?;
                Ok(Err(refused.denial.into()))
            }
        }
    }

    /// The same grant of its user as stored now.
    async fn reread(&self, chosen: Chosen, began: Timestamp) -> Result<Chosen, DomainError> {
        let user = loop {
            match self.ports.users.find(&chosen.user.key).await {
                Err(error) if error.may_pass() && self.may_keep(began) => {
                    self.ports.timer.sleep(KEEP_AGAIN).await;
                }
                found => break found?,
            }
        };
        let user = user.ok_or(Denial::LinkUnknown)?;
        let mut kept = user.credentials.iter();
        let credential = kept.find(|kept| kept.id == chosen.credential.id).cloned();
        let credential = credential.ok_or(Denial::LinkUnknown)?;
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
        // Where nobody is sent to, nothing was granted.
        let provider = binding.adapter.provider().ok_or(Denial::ProviderUnknown)?;
        let answer = provider.refresh(&tokens, client, self.ports.clock.now()).await;
        Ok(answer.map_err(|error| self.failure(&credential.entry, &error)))
    }

    async fn reveal(&self, chosen: &Chosen, origin: &Origin) -> Result<FreshToken, DomainError> {
        let credential = &chosen.credential;
        let mut tokens = self
            .open_grant(&chosen.user.key, &chosen.identity, credential)
            .await?;
        tokens.refresh_token = None;
        let event = AuditEvent::of_request(
            self.ports.clock.now(),
            AuditKind::CredentialRevealed,
            Some(chosen.user.key.clone()),
            origin,
            &self.key,
        )
        .about(credential.entry.to_string());
        self.note(&event).await?;
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
