//! Logging in and linking by what is shown in one request: a password for a directory, a ticket, an answer nobody asked for.

use super::{Authenticated, Finished, Services};
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::link::Proven;
use crate::flow::login::directory::Typed;
use crate::flow::login::external::Onward;
use crate::flow::prove::{self, Judging, Prove, ProveEvent, Shown};
use crate::flow_record::Purpose;
use crate::id::EntryName;
use crate::identity::ProviderEntry;
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{Asked, Limits, PoolPolicy};
use crate::ports::{
    Arrival, Descriptor, DirectoryAttempt, Negotiated, PortError, ProviderError, UnsolicitedResponse,
};

/// What somebody wants who shows a proof.
#[derive(Clone, Debug, Default)]
pub struct ProofAsk {
    /// Who is logged in; needed by entries that link.
    pub caller: Option<Authenticated>,
    /// Where the person goes afterwards; already judged to be allowed.
    pub return_to: Option<String>,
    /// The S256 challenge of a client that will fetch the session by a code.
    pub code_challenge: Option<String>,
}

/// A ticket that was taken, and what came of it.
#[derive(Debug)]
pub struct TicketTaken {
    /// What came of it.
    pub finished: Result<Finished, DomainError>,
    /// What proves to the browser that we are who it meant.
    pub reply: Option<Vec<u8>>,
}

impl Services {
    /// Logs in, or links, by a name and a password that the entry's directory judges.
    ///
    /// # Errors
    /// [`Denial::ProviderUnknown`], [`Denial::LoginFailed`] for whatever the directory will not have, [`Denial::ProviderRefused`] for
    /// what it says of somebody with the right password, [`Denial::ProviderUnavailable`], [`Denial::Limited`]; those of
    /// [`Services::finish_authorization`]; ports that do not answer.
    pub async fn finish_by_password(
        &self,
        entry: &EntryName,
        typed: Typed,
        ask: ProofAsk,
        origin: &Origin,
    ) -> Result<Finished, DomainError> {
        let (binding, pool) = self.bound(entry)?;
        let directory = binding.adapter.directory().ok_or(Denial::ProviderUnknown)?;
        let account = format!("{}:{}", binding.entry.provider, typed.counted_name());
        let taken = self
            .policy
            .limits
            .password_try(&pool.name, &account, &origin.address, None);
        let shown = Box::new(self.shown(&binding.entry, &ask, taken).await?);
        let event = ProveEvent::PasswordGiven { shown, typed };
        let judging = self.judging(pool, origin, event).await?;
        let attempt = judging.typed.as_ref().map(|typed| DirectoryAttempt {
            name: typed.name.clone(),
            password: typed.password.clone(),
            now: self.ports.clock.now(),
        });
        let attempt = attempt.ok_or(Denial::Unexpected)?;
        let answer = directory.check(&attempt).await;
        let (proven, purpose) = self.judged_proof(pool, entry, origin, judging, answer).await?;
        self.conclude(pool, proven, purpose, ask, origin).await
    }

    /// Logs in, or links, by a ticket that the browser shows by itself. Where the ticket was taken, the browser is told who we are,
    /// whatever comes of it.
    ///
    /// # Errors
    /// As [`Services::finish_by_password`], without [`Denial::LoginFailed`].
    pub async fn finish_by_ticket(
        &self,
        entry: &EntryName,
        ticket: &[u8],
        ask: ProofAsk,
        origin: &Origin,
    ) -> Result<TicketTaken, DomainError> {
        let (binding, pool) = self.bound(entry)?;
        let negotiator = binding.adapter.negotiator().ok_or(Denial::ProviderUnknown)?;
        let taken = self.policy.limits.token_try(&origin.address);
        let shown = Box::new(self.shown(&binding.entry, &ask, taken).await?);
        let judging = self.judging(pool, origin, ProveEvent::ProofShown(shown)).await?;
        let (answer, reply) = match negotiator.accept(ticket, self.ports.clock.now()).await {
            Ok(Negotiated { arrival, reply }) => (Ok(arrival), reply),
            Err(error) => (Err(error), None),
        };
        let (proven, purpose) = self.judged_proof(pool, entry, origin, judging, answer).await?;
        let finished = self.conclude(pool, proven, purpose, ask, origin).await;
        Ok(TicketTaken { finished, reply })
    }

    /// Logs in by an answer that the provider sent without being asked.
    ///
    /// # Errors
    /// As [`Services::finish_authorization`]; [`Denial::ProviderRefused`] where the entry takes none.
    pub(super) async fn finish_unsolicited(
        &self,
        entry: &EntryName,
        params: Vec<(String, String)>,
        origin: &Origin,
    ) -> Result<Finished, DomainError> {
        let (binding, pool) = self.bound(entry)?;
        let provider = binding.adapter.provider().ok_or(Denial::ProviderUnknown)?;
        let ask = ProofAsk::default();
        let taken = self.policy.limits.authorization(&origin.address);
        let shown = Box::new(self.shown(&binding.entry, &ask, taken).await?);
        let judging = self.judging(pool, origin, ProveEvent::ProofShown(shown)).await?;
        let response = UnsolicitedResponse {
            params,
            redirect_uri: binding.entry.callback_url.clone(),
            now: self.ports.clock.now(),
        };
        let answer = provider.unsolicited(&response).await;
        let (proven, purpose) = self.judged_proof(pool, entry, origin, judging, answer).await?;
        self.conclude(pool, proven, purpose, ask, origin).await
    }

    /// What an entry tells its provider's operator about itself; none where its protocol has no such document.
    pub fn descriptor(&self, entry: &EntryName) -> Option<Descriptor> {
        let (binding, _) = self.bound(entry).ok()?;
        binding.adapter.provider()?.descriptor()
    }

    /// Logs in or links by a proven account.
    pub(super) async fn conclude(
        &self,
        pool: &PoolPolicy,
        proven: Proven,
        purpose: Purpose,
        ask: ProofAsk,
        origin: &Origin,
    ) -> Result<Finished, DomainError> {
        let entry = proven.entry.name.clone();
        let return_to = ask.return_to;
        let outcome = if matches!(purpose, Purpose::Link { .. }) {
            let linker = self.still_linking(&purpose).await?;
            self.link(pool, linker, proven, origin).await?
        } else {
            let onward = Onward {
                return_to: return_to.clone(),
                code_challenge: ask.code_challenge,
            };
            self.arrive(pool, proven, onward, origin).await?
        };
        Ok(Finished {
            outcome,
            return_to,
            entry: Some(entry),
        })
    }

    /// Takes the proof that counts once, if the arrival is one.
    pub(super) async fn take_once(&self, arrival: &Arrival) -> Result<Verdict, PortError> {
        let Some(once) = &arrival.once else {
            return Ok(Verdict::Allowed);
        };
        let now = self.ports.clock.now();
        let asked = Limits::once(&arrival.issuer, once, now);
        self.ports.limiter.take(&asked, now).await
    }

    async fn shown(&self, entry: &ProviderEntry, ask: &ProofAsk, taken: Asked) -> Result<Shown, PortError> {
        let caller = ask.caller.clone();
        Ok(Shown {
            entry: entry.clone(),
            caller: caller.map(|caller| (caller.user, caller.session)),
            verdict: self.take(&taken).await?,
            taken,
        })
    }

    async fn judging(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        event: ProveEvent,
    ) -> Result<Judging, DomainError> {
        match self.decide(pool, origin, |cx| prove::step(Prove::Start, event, cx)) {
            Ok(Advanced {
                next: Prove::Judge(judging),
                ..
            }) => Ok(*judging),
            Ok(_) => Err(Denial::Unexpected.into()),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// What the adapter said, as the core has it.
    async fn judged_proof(
        &self,
        pool: &PoolPolicy,
        entry: &EntryName,
        origin: &Origin,
        judging: Judging,
        answer: Result<Arrival, ProviderError>,
    ) -> Result<(Proven, Purpose), DomainError> {
        let event = match answer {
            Ok(arrival) => ProveEvent::Arrived {
                once: self.take_once(&arrival).await?,
                arrival: Box::new(arrival),
            },
            Err(error) => ProveEvent::Failed(self.failure(entry, &error)),
        };
        let state = Prove::Judge(Box::new(judging));
        match self.decide(pool, origin, |cx| prove::step(state, event, cx)) {
            Ok(Advanced {
                next: Prove::Proven { proven, purpose },
                effects,
            }) => match self.perform(effects).await {
                Ok(()) => Ok((*proven, purpose)),
                Err(halt) => Err(halt.or_denial(Denial::Unexpected)),
            },
            Ok(_) => Err(Denial::Unexpected.into()),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }
}
