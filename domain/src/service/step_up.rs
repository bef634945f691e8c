//! A fresh proof for a sensitive act.

use serde_json::Value;

use super::passkeys::{PasskeyAsked, state_of};
use super::perform::Halt;
use super::{Authenticated, STALE_RETRIES, Services};
use crate::credential::Password;
use crate::error::{Denial, DomainError};
use crate::flow::second_factor::Typed;
use crate::flow::step_up::{self, StepUp, StepUpEvent};
use crate::flow::{Advanced, Step};
use crate::flow_record::FlowKind;
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{PoolPolicy, SensitiveAct};
use crate::ports::{PasskeyCeremony, PasskeyFault, PortError, Verified};
use crate::secret::{Secret, Token};
use crate::session::{AccessToken, Session};
use crate::user::{FactorKind, User};

/// What somebody proves themselves with anew.
#[derive(Clone, Debug)]
pub enum StepUpProof {
    /// The password; enough for users without a second factor alone.
    Password(Password),
    /// A code.
    Code {
        /// What was typed.
        typed: Secret,
        /// Which kind it is.
        method: FactorKind,
    },
    /// What an authenticator answered.
    Passkey {
        /// What [`PasskeyAsked::ceremony`] was.
        ceremony: Token,
        /// The answer.
        answer: Value,
    },
}

impl Services {
    /// Lets a sensitive act pass, or says what may prove its caller anew. Services that do such acts ask by themselves; a page asks
    /// before it shows a form in vain.
    ///
    /// # Errors
    /// [`Denial::StepUpRequired`]; ports that do not answer.
    pub async fn demand_proof(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        act: SensitiveAct,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        match self.decide(pool, origin, |cx| {
            step_up::demand(act, &caller.user, &caller.session, cx)
        }) {
            Ok(()) => Ok(()),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// Sends a code to the caller's confirmed number, and says which that is, masked.
    ///
    /// # Errors
    /// [`Denial::PhoneRequired`], [`Denial::PhoneUnreachable`], [`Denial::Limited`]; ports that do not answer.
    pub async fn request_step_up_code(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        origin: &Origin,
    ) -> Result<String, DomainError> {
        let send = match &caller.user.factor_phone {
            Some(_) => self.take_send(&caller.user, origin).await?,
            None => Verdict::Allowed,
        };
        let event = StepUpEvent::CodeAsked { send };
        match self
            .step_up_once(pool, &caller.user, &caller.session, event, origin)
            .await?
        {
            Some(StepUp::CodeSent(masked)) => Ok(masked),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    /// Asks an authenticator to prove the caller anew.
    ///
    /// # Errors
    /// [`Denial::FactorNotOffered`] where they have no passkey; ports that do not answer.
    pub async fn begin_passkey_step_up(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        origin: &Origin,
    ) -> Result<PasskeyAsked, DomainError> {
        let passkeys = &caller.user.factors.passkeys;
        if passkeys.is_empty() {
            return Err(Denial::FactorNotOffered.into());
        }
        let PasskeyCeremony { options, state } = self.verifier()?.begin_assertion(passkeys, false)?;
        let event = StepUpEvent::PasskeyAsked { state };
        match self
            .step_up_once(pool, &caller.user, &caller.session, event, origin)
            .await?
        {
            Some(StepUp::PasskeyAwaited(ceremony)) => Ok(PasskeyAsked { ceremony, options }),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    /// Proves the caller anew: their session goes on under a new token, the old one is over.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] when the proof is wrong or not enough; [`Denial::Limited`]; ports that do not answer.
    pub async fn step_up(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        proof: StepUpProof,
        origin: &Origin,
    ) -> Result<AccessToken, DomainError> {
        let mut user = caller.user.clone();
        let mut judged = None;
        for _ in 0..STALE_RETRIES {
            let event = self
                .step_up_event(pool, &user, &proof, &mut judged, origin)
                .await?;
            match self
                .step_up_once(pool, &user, &caller.session, event, origin)
                .await?
            {
                Some(StepUp::Proven(token)) => return Ok(*token),
                Some(_) => return Err(Denial::Unexpected.into()),
                None => user = self.still_there(&user).await?,
            }
        }
        Err(PortError::Stale.into())
    }

    /// Gathers what judging a proof needs. `judged` keeps what must be asked but once: the counters, and the hasher.
    async fn step_up_event(
        &self,
        pool: &PoolPolicy,
        user: &User,
        proof: &StepUpProof,
        judged: &mut Option<(Verdict, Verified)>,
        origin: &Origin,
    ) -> Result<StepUpEvent, DomainError> {
        let limits = &self.policy.limits;
        let taken = match proof {
            StepUpProof::Password(_) => {
                let known = super::login::known_device(user, origin);
                limits.password_try(&pool.name, user.key.id.as_str(), &origin.address, known)
            }
            StepUpProof::Code { method, .. } => limits.factor_try(*method, &user.key),
            StepUpProof::Passkey { .. } => limits.factor_try(FactorKind::Passkey, &user.key),
        };
        let (verdict, verified) = match judged.take() {
            Some(known) => known,
            None => self.judge_once(&taken, user, proof).await?,
        };
        *judged = Some((verdict, verified.clone()));
        Ok(match proof {
            StepUpProof::Password(_) => StepUpEvent::PasswordChecked {
                verdict,
                verified,
                taken,
            },
            StepUpProof::Code { typed, method } => StepUpEvent::CodeTyped {
                flow: match method {
                    FactorKind::Sms => self
                        .ports
                        .flows
                        .list(&user.key, FlowKind::ConfirmPhone)
                        .await?
                        .pop()
                        .map(Box::new),
                    _ => None,
                },
                typed: Box::new(Typed {
                    kind: *method,
                    text: typed.clone(),
                    apps: self.opened_apps(Some(user), None, *method).await?,
                }),
                verdict,
                taken,
            },
            StepUpProof::Passkey { ceremony, answer } => {
                let flow = self.called(pool, ceremony).await?;
                let answer = match &flow {
                    Some(flow) => {
                        self.verifier()?
                            .finish_assertion(state_of(flow), answer, &user.factors.passkeys)
                    }
                    None => Err(PasskeyFault::Challenge),
                };
                StepUpEvent::PasskeyAnswered {
                    flow: flow.map(Box::new),
                    answer,
                    verdict,
                    taken,
                }
            }
        })
    }

    async fn judge_once(
        &self,
        taken: &crate::policy::Asked,
        user: &User,
        proof: &StepUpProof,
    ) -> Result<(Verdict, Verified), DomainError> {
        let verdict = self.take(taken).await?;
        let verified = match proof {
            StepUpProof::Password(password) if verdict == Verdict::Allowed => {
                let verified = self.ports.hasher.verify(password, user.password.as_ref()).await;
                self.judged(taken, verified.map_err(DomainError::from)).await?
            }
            _ => Verified::Wrong,
        };
        Ok((verdict, verified))
    }

    async fn step_up_once(
        &self,
        pool: &PoolPolicy,
        user: &User,
        session: &Session,
        event: StepUpEvent,
        origin: &Origin,
    ) -> Result<Option<StepUp>, DomainError> {
        let step: Step<StepUp> = self.decide(pool, origin, |cx| step_up::step(user, session, event, cx));
        let Advanced { next, effects } = match step {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        match self.perform(effects).await {
            Ok(()) => Ok(Some(next)),
            Err(Halt::Stale) => Ok(None),
            Err(halt) => Err(halt.or_denial(Denial::LoginFailed)),
        }
    }
}
