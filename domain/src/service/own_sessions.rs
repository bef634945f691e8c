//! The sessions a user has: seeing them, ending one of them.

use std::collections::BTreeMap;

use super::{Authenticated, Services};
use crate::error::{Denial, DomainError};
use crate::flow::end_session::{self, EndSessionEvent};
use crate::flow::refresh_session::{login_behind, refresh_record};
use crate::flow_record::{FlowKind, FlowRecord};
use crate::id::{SessionId, UserKey};
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::PortError;
use crate::secret::TokenHash;
use crate::session::{Session, Standing};
use crate::time::Timestamp;
use crate::user::User;

/// Sessions that are shown at most.
const SHOWN: usize = 200;
/// Sessions that are read at once.
const PAGE: usize = 200;
/// How often the tokens of a chain are looked for while it ends. Each round meets what was kept during the one before; more than a few
/// take somebody who renews it at the very moment, over and over.
const ROUNDS: usize = 16;

impl Services {
    /// The caller's logins that are alive, the one used last first; at most two hundred. Each is one session: of those that a refresh
    /// token leads to, all with one id, the newest. A login whose access token is over and whose refresh token is good is among them.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn own_sessions(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
    ) -> Result<Vec<Session>, DomainError> {
        self.logins_of(pool, &caller.user).await
    }

    /// The same of any user.
    pub(super) async fn logins_of(
        &self,
        pool: &PoolPolicy,
        user: &User,
    ) -> Result<Vec<Session>, DomainError> {
        let mut logins: BTreeMap<SessionId, Session> = BTreeMap::new();
        let renewable = self.renewable_sessions(pool, user).await?;
        for session in self.live_sessions(user).await?.into_iter().chain(renewable) {
            match logins.get_mut(&session.id) {
                Some(known) => merge(known, session),
                None => {
                    logins.insert(session.id.clone(), session);
                }
            }
        }
        let mut sessions: Vec<Session> = logins.into_values().collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(last_seen(session)));
        sessions.truncate(SHOWN);
        Ok(sessions)
    }

    /// Ends one of the caller's logins, with all tokens that belong to it. It may be the one they ask with.
    ///
    /// # Errors
    /// [`Denial::SessionUnknown`] when they have none of that id; ports that do not answer: then ask again.
    pub async fn end_own_session(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        session: &SessionId,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let user = &caller.user.key;
        let is_theirs = caller.session.id == *session
            || self
                .live_sessions(&caller.user)
                .await?
                .iter()
                .any(|live| live.id == *session)
            || !self.refresh_records(user, session).await?.is_empty();
        let event = EndSessionEvent::Asked {
            user: user.clone(),
            session: session.clone(),
            is_theirs,
            asked_by: caller.session.token,
        };
        match self.decide(pool, origin, |cx| end_session::step(event, cx)) {
            Ok(advanced) => self
                .perform(advanced.effects)
                .await
                .map_err(|halt| halt.or_denial(Denial::SessionUnknown)),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// Ends a login by all its tokens, the one that asked last of all: whoever is stopped by a fault in between can ask again.
    pub(super) async fn end_chain(
        &self,
        user: &UserKey,
        session: &SessionId,
        asked_by: &TokenHash,
    ) -> Result<(), PortError> {
        for spare in [Some(asked_by), None] {
            self.forget_refresh_tokens(user, session, spare).await?;
            let mut sessions = self.sessions_of(user).await?;
            sessions.retain(|other| other.id == *session && Some(&other.token) != spare);
            for session in sessions {
                self.ports.sessions.end(&session.token).await?;
            }
        }
        Ok(())
    }

    /// Forgets the refresh tokens of a login until none is left. A renewal under way marks its token last of all: either it finds that
    /// token gone, or what it kept is found here in the next round, and its session after that.
    async fn forget_refresh_tokens(
        &self,
        user: &UserKey,
        session: &SessionId,
        spare: Option<&TokenHash>,
    ) -> Result<(), PortError> {
        for _ in 0..ROUNDS {
            let mut records = self.refresh_records(user, session).await?;
            records.retain(|record| Some(&record.id) != spare);
            if records.is_empty() {
                return Ok(());
            }
            for record in records {
                self.ports.flows.take(&record.id).await?;
            }
        }
        Err(PortError::unavailable("a login is renewed while it ends"))
    }

    async fn refresh_records(
        &self,
        user: &UserKey,
        session: &SessionId,
    ) -> Result<Vec<FlowRecord>, PortError> {
        let mut flows = self.ports.flows.list(user, FlowKind::Refresh).await?;
        flows.retain(|flow| refresh_record(flow).is_some_and(|record| record.session == *session));
        Ok(flows)
    }

    async fn live_sessions(&self, user: &User) -> Result<Vec<Session>, PortError> {
        let now = self.ports.clock.now();
        let mut sessions = self.sessions_of(&user.key).await?;
        sessions.retain(|session| session.standing(Some(user), now) == Standing::Live);
        Ok(sessions)
    }

    /// What would be renewed by refresh tokens that are good and unused, as sessions whose life is over.
    async fn renewable_sessions(&self, pool: &PoolPolicy, user: &User) -> Result<Vec<Session>, PortError> {
        let now = self.ports.clock.now();
        let flows = self.ports.flows.list(&user.key, FlowKind::Refresh).await?;
        let good = flows.iter().filter(|flow| !flow.is_expired(now));
        let sessions = good.filter_map(|flow| {
            let record = refresh_record(flow)?;
            let honoured = user.honours(record.epoch, &record.session);
            let login = login_behind(flow, pool)?;
            (honoured && record.used.is_none()).then_some(login)
        });
        Ok(sessions.collect())
    }

    /// Every session that is kept of a user, each once.
    pub(super) async fn sessions_of(&self, user: &UserKey) -> Result<Vec<Session>, PortError> {
        let mut sessions = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.ports.sessions.list(Some(user), after.as_ref(), PAGE).await?;
            sessions.extend(page.sessions.into_iter().map(|session| (session.token, session)));
            after = page.next;
            if after.is_none() {
                return Ok(sessions.into_values().collect());
            }
        }
    }
}

/// The newer of two sessions of one login, with the later use of both.
fn merge(known: &mut Session, other: Session) {
    let used = known.last_used.max(other.last_used);
    if other.created > known.created {
        *known = other;
    }
    known.last_used = used;
}

fn last_seen(session: &Session) -> Timestamp {
    session.last_used.unwrap_or(session.created).max(session.created)
}
