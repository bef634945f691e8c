//! The second factors of whoever is logged in.

use super::perform::Halt;
use super::{Authenticated, STALE_RETRIES, Services};
use crate::credential::TotpSecret;
use crate::error::{Denial, DomainError};
use crate::flow::factors::{self, ChangeFactors, ChangeFactorsEvent};
use crate::flow::{Advanced, Step};
use crate::flow_record::NewApp;
use crate::id::{FactorId, UserKey};
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::{PortError, SealBinding};
use crate::secret::{Secret, Token};
use crate::user::{FactorKind, User};

/// An authenticator app to be confirmed: shown once.
#[derive(Clone, Debug)]
pub struct TotpEnrolment {
    /// Continues it.
    pub enrolment: Token,
    /// The secret, to be typed into the app.
    pub secret: TotpSecret,
    /// The same as the address in a QR picture; none where the user has a name no address can carry.
    pub uri: Option<Secret>,
}

/// To what an app's secret is bound.
pub(super) fn totp_binding(user: &UserKey, factor: &FactorId) -> SealBinding {
    SealBinding {
        kind: "totp-secret",
        owner: vec![user.pool.to_string(), user.id.to_string(), factor.to_string()],
    }
}

impl Services {
    /// Begins to add an authenticator app: its first code confirms it ([`Services::confirm_totp`]).
    ///
    /// # Errors
    /// [`Denial::StepUpRequired`], [`Denial::FactorNotOffered`], [`Denial::TooManyFactors`]; ports that do not answer.
    pub async fn begin_totp(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        name: Option<String>,
        origin: &Origin,
    ) -> Result<TotpEnrolment, DomainError> {
        let event = ChangeFactorsEvent::TotpAsked {
            user: Box::new(caller.user.clone()),
            session: Box::new(caller.session.clone()),
            name,
        };
        let step = self.decide(pool, origin, |cx| factors::step(ChangeFactors::Start, event, cx));
        let ChangeFactors::SealTotp(draft) = self.settle_factors(step).await?.ok_or(PortError::Stale)? else {
            return Err(Denial::Unexpected.into());
        };
        let binding = totp_binding(&caller.user.key, &draft.id);
        let sealed = self.ports.sealer.seal(draft.secret.expose(), &binding).await?;
        let (secret, uri) = (draft.secret.clone(), draft.uri.clone());
        let (state, event) = (
            ChangeFactors::SealTotp(draft),
            ChangeFactorsEvent::TotpSealed(sealed),
        );
        let step = self.decide(pool, origin, |cx| factors::step(state, event, cx));
        match self.settle_factors(step).await?.ok_or(PortError::Stale)? {
            ChangeFactors::TotpAwaited(enrolment) => Ok(TotpEnrolment {
                enrolment,
                secret,
                uri,
            }),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    /// Adds the app whose first code was typed.
    ///
    /// # Errors
    /// [`Denial::CodeRefused`] when the code is wrong, [`Denial::TokenRefused`] when the enrolment is void; as [`Services::begin_totp`].
    pub async fn confirm_totp(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        enrolment: &Token,
        code: &Secret,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        let verdict = self.take(&self.policy.limits.enrol_try(&caller.user.key)).await?;
        let flow = self.ports.flows.find(&enrolment.hash()).await?;
        let secret = match flow.as_ref().and_then(factors::enrolled) {
            Some((factor, sealed)) => {
                let binding = totp_binding(&caller.user.key, factor);
                match self.ports.sealer.open(sealed, &binding).await {
                    // Somebody else's: it opens for nobody but its owner.
                    Err(PortError::Corrupt { .. }) => None,
                    opened => Some(TotpSecret::opened(opened?)),
                }
            }
            None => None,
        };
        self.change_factors(pool, caller, origin, |user| ChangeFactorsEvent::TotpTyped {
            user,
            session: Box::new(caller.session.clone()),
            flow: flow.clone().map(Box::new),
            secret: secret.clone(),
            typed: code.clone(),
            verdict,
        })
        .await
    }

    /// Makes ten recovery codes; the former ones are void.
    ///
    /// # Errors
    /// [`Denial::StepUpRequired`], [`Denial::FactorNotOffered`]; ports that do not answer.
    pub async fn make_recovery_codes(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        origin: &Origin,
    ) -> Result<Vec<Secret>, DomainError> {
        let mut user = caller.user.clone();
        for _ in 0..STALE_RETRIES {
            let event = ChangeFactorsEvent::CodesAsked {
                user: Box::new(user.clone()),
                session: Box::new(caller.session.clone()),
            };
            let step = self.decide(pool, origin, |cx| factors::step(ChangeFactors::Start, event, cx));
            match self.settle_factors(step).await? {
                Some(ChangeFactors::Codes(codes)) => return Ok(codes),
                Some(_) => return Err(Denial::Unexpected.into()),
                None => user = self.still_there(&user).await?,
            }
        }
        Err(PortError::Stale.into())
    }

    /// Gives a factor another name.
    ///
    /// # Errors
    /// [`Denial::FactorUnknown`], [`Denial::Invalid`] for a name that is none; [`Denial::StepUpRequired`]; ports that do not answer.
    pub async fn rename_factor(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        factor: &FactorId,
        name: String,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        self.change_factors(pool, caller, origin, |user| ChangeFactorsEvent::RenameAsked {
            user,
            session: Box::new(caller.session.clone()),
            factor: factor.clone(),
            name: name.clone(),
        })
        .await
    }

    /// Removes a factor. Every other session ends, and no device is trusted any more.
    ///
    /// # Errors
    /// [`Denial::FactorUnknown`]; [`Denial::LastFactor`], [`Denial::LastWayIn`]; [`Denial::StepUpRequired`]; ports that do not answer.
    pub async fn remove_factor(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        factor: &FactorId,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        let doors = self.doors(pool);
        self.change_factors(pool, caller, origin, |user| ChangeFactorsEvent::RemovalAsked {
            user,
            session: Box::new(caller.session.clone()),
            factor: factor.clone(),
            doors: doors.clone(),
        })
        .await
    }

    /// Forgets every remembered device: each is asked for a second factor again.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn forget_devices(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        origin: &Origin,
    ) -> Result<User, DomainError> {
        self.change_factors(pool, caller, origin, |user| {
            ChangeFactorsEvent::DevicesForgotten { user }
        })
        .await
    }

    /// Decides and commits a change of one's factors, again while others change the user.
    pub(super) async fn change_factors(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        origin: &Origin,
        event: impl Fn(Box<User>) -> ChangeFactorsEvent + Send + Sync,
    ) -> Result<User, DomainError> {
        let mut user = caller.user.clone();
        for _ in 0..STALE_RETRIES {
            let event = event(Box::new(user.clone()));
            let step = self.decide(pool, origin, |cx| factors::step(ChangeFactors::Start, event, cx));
            match self.settle_factors(step).await? {
                Some(ChangeFactors::Done(changed)) => return Ok(*changed),
                Some(_) => return Err(Denial::Unexpected.into()),
                None => user = self.still_there(&user).await?,
            }
        }
        Err(PortError::Stale.into())
    }

    /// The user as stored now; whoever is gone is no caller any more.
    pub(super) async fn still_there(&self, user: &User) -> Result<User, DomainError> {
        let user = self.reload(Some(user)).await?;
        user.ok_or_else(|| Denial::AuthorizationRequired.into())
    }

    /// Carries a step out. `None` means the user was changed meanwhile.
    async fn settle_factors(&self, step: Step<ChangeFactors>) -> Result<Option<ChangeFactors>, DomainError> {
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

    /// The secrets of a user's authenticator apps and of the one being added, where a code of one is judged. One that does not open (its key is gone) judges
    /// nothing.
    pub(super) async fn opened_apps(
        &self,
        user: Option<&User>,
        new: Option<&NewApp>,
        kind: FactorKind,
    ) -> Result<Vec<(FactorId, TotpSecret)>, PortError> {
        let Some(user) = user.filter(|_| kind == FactorKind::Totp) else {
            return Ok(Vec::new());
        };
        let mut opened = Vec::new();
        let kept = user.factors.totp.iter().map(|app| (&app.id, &app.secret));
        for (id, secret) in kept.chain(new.map(|app| (&app.factor, &app.secret))) {
            match self.ports.sealer.open(secret, &totp_binding(&user.key, id)).await {
                Ok(secret) => opened.push((id.clone(), TotpSecret::opened(secret))),
                Err(PortError::Corrupt { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(opened)
    }
}
