//! Renewing a session by its refresh token.

use super::Services;
use crate::error::{Denial, DomainError};
use crate::flow::refresh_session::{
    self, Answered, Presented, RefreshSession, RefreshSessionEvent, access_tokens, is_over, refresh_record,
    successor,
};
use crate::flow::{Advanced, Step};
use crate::flow_record::{FlowKind, RefreshRecord};
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::PortError;
use crate::secret::Token;
use crate::session::{AccessToken, Session};
use crate::time::Timestamp;

impl Services {
    /// Renews a session: the presented refresh token is used up, and the answer has the next one. Asked again for the same token, by a
    /// client that lost the answer or asked twice at once, the answer is the same.
    ///
    /// After an error of a port nothing is lost: the same call works again.
    ///
    /// # Errors
    /// [`Denial::RefreshRefused`] whatever is wrong with the token; [`Denial::Limited`]; ports that do not answer.
    pub async fn refresh_session(
        &self,
        pool: &PoolPolicy,
        presented: &Token,
        origin: &Origin,
    ) -> Result<AccessToken, DomainError> {
        let taken = self.policy.limits.token_try(&origin.address);
        let verdict = self.take(&taken).await?;
        let facts = Presented {
            token: presented.clone(),
            record: None,
            user: None,
            answered: Answered::default(),
            verdict,
            taken: taken.clone(),
        };
        let answer = self.present(pool, facts, origin).await;
        self.judged(&taken, answer).await
    }

    async fn present(
        &self,
        pool: &PoolPolicy,
        mut facts: Presented,
        origin: &Origin,
    ) -> Result<AccessToken, DomainError> {
        if facts.verdict == Verdict::Allowed {
            self.load_presented(&mut facts).await?;
        }
        let event = RefreshSessionEvent::Presented(Box::new(facts));
        let step = self.decide(pool, origin, |cx| {
            refresh_session::step(RefreshSession::Start, event, cx)
        });
        let kept = match self.settle_refresh(step).await? {
            RefreshSession::Kept(kept) => kept,
            // Ended for good; the caller hears what everybody hears.
            RefreshSession::Reused => return Err(Denial::RefreshRefused.into()),
            RefreshSession::Start | RefreshSession::Done(_) => return Err(Denial::Unexpected.into()),
        };
        let session = self.ports.sessions.find(&kept.access()).await?;
        let event = RefreshSessionEvent::SuccessorKept {
            session: session.map(Box::new),
        };
        let state = RefreshSession::Kept(kept);
        let step = self.decide(pool, origin, |cx| refresh_session::step(state, event, cx));
        match self.settle_refresh(step).await? {
            RefreshSession::Done(token) => Ok(*token),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    async fn load_presented(&self, facts: &mut Presented) -> Result<(), PortError> {
        let flows = &self.ports.flows;
        let Some(flow) = flows.find(&facts.token.hash()).await? else {
            return Ok(());
        };
        facts.user = self.user_of(&flow).await?;
        if let Some(record) = refresh_record(&flow) {
            facts.answered = self.answered(&facts.token, record).await?;
        }
        facts.record = Some(flow);
        Ok(())
    }

    /// What is kept of the answer to a token.
    async fn answered(&self, token: &Token, record: &RefreshRecord) -> Result<Answered, PortError> {
        let flows = &self.ports.flows;
        let refresh = successor(token, record);
        let next = flows.find(&refresh.hash()).await?;
        let named = next.as_ref().and_then(refresh_record);
        let is_followed = match named {
            Some(record) => flows.find(&successor(&refresh, record).hash()).await?.is_some(),
            None => false,
        };
        let now = self.ports.clock.now();
        let mut accesses: Vec<Option<Session>> = Vec::new();
        for access in access_tokens(token, record, named.map(|record| record.access)) {
            let session = self.ports.sessions.find(&access.hash()).await?;
            let goes_on = match &session {
                Some(session) => is_over(session, now),
                None => accesses.is_empty() && named.is_some(),
            };
            accesses.push(session);
            if !goes_on {
                break;
            }
        }
        Ok(Answered {
            record: next,
            is_followed,
            accesses,
        })
    }

    async fn settle_refresh(&self, step: Step<RefreshSession>) -> Result<RefreshSession, DomainError> {
        let Advanced { next, effects } = match step {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        let performed = self.perform(effects).await;
        performed.map_err(|halt| halt.or_denial(Denial::RefreshRefused))?;
        Ok(next)
    }

    /// Notes the first use of an access token in the record of the refresh token that came with it: whoever asks for that answer
    /// again is no longer one who never got it. The session alone would not do, it is gone soon.
    pub(super) async fn note_arrival(&self, session: &Session, now: Timestamp) -> Result<(), PortError> {
        let flows = self.ports.flows.list(&session.user, FlowKind::Refresh).await?;
        let mut came_with = flows.into_iter();
        let Some(flow) = came_with.find(|flow| {
            let record = refresh_record(flow);
            record.is_some_and(|record| record.access == session.token && record.arrived.is_none())
        }) else {
            return Ok(());
        };
        // A use noted meanwhile may be overwritten here: the token behind it tells it all the same.
        if let Some(noted) = refresh_session::arrived(flow, now) {
            self.ports.flows.replace(&noted).await?;
        }
        Ok(())
    }
}
