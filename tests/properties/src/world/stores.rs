//! The stores: users, sessions, flows, counters.

use async_trait::async_trait;
use domain::flow_record::{FlowKind, FlowRecord};
use domain::id::{PoolName, SessionId, UserId, UserKey};
use domain::limits::{LimitKey, Quota, Verdict};
use domain::ports::{
    FlowStore, LookupKey, PageMark, PortError, RateLimiter, SessionPage, SessionStore, UniqueKey, UserStore,
};
use domain::secret::TokenHash;
use domain::session::Session;
use domain::time::{Lifetime, Timestamp};
use domain::user::{Revision, User};

use super::{Contents, World};

impl Contents {
    fn taken_key(&self, user: &User) -> Option<UniqueKey> {
        let others = || {
            self.users
                .values()
                .filter(|other| other.key.pool == user.key.pool && other.key != user.key)
        };
        if user.email_key().is_some() && others().any(|other| other.email_key() == user.email_key()) {
            return Some(UniqueKey::Email);
        }
        let named = user.username_key().is_some()
            && others().any(|other| other.username_key() == user.username_key());
        if named {
            return Some(UniqueKey::Username);
        }
        let linked = user
            .identities
            .iter()
            .any(|identity| others().any(|other| other.identity_of(&identity.key).is_some()));
        linked.then_some(UniqueKey::Identity)
    }

    /// Whether the store answers; each call that it leaves unanswered is one fewer to come.
    fn answer(&mut self) -> Result<(), PortError> {
        if self.outage == 0 {
            return Ok(());
        }
        self.outage -= 1;
        Err(PortError::unavailable("the store is away"))
    }

    fn at_revision(&self, key: &UserKey, expected: Revision) -> Result<(), PortError> {
        match self.users.get(key) {
            Some(user) if user.revision == expected => Ok(()),
            _ => Err(PortError::Stale),
        }
    }
}

fn holds(user: &User, key: &LookupKey) -> bool {
    match key {
        LookupKey::Email(key) => user.email_key().as_ref() == Some(key),
        LookupKey::Username(key) => user.username_key().as_ref() == Some(key),
        LookupKey::Identity(key) => user
            .identities
            .iter()
            .any(|identity| identity.key.to_text() == *key),
    }
}

#[async_trait]
impl UserStore for World {
    async fn create(&self, user: &User) -> Result<(), PortError> {
        self.tick();
        let mut contents = self.contents();
        if contents.users.contains_key(&user.key) {
            return Err(PortError::Duplicate(UniqueKey::Id));
        }
        if let Some(key) = contents.taken_key(user) {
            return Err(PortError::Duplicate(key));
        }
        contents.users.insert(user.key.clone(), user.clone());
        Ok(())
    }

    async fn find(&self, key: &UserKey) -> Result<Option<User>, PortError> {
        self.tick();
        let mut contents = self.contents();
        contents.answer()?;
        Ok(contents.users.get(key).cloned())
    }

    async fn find_recent(&self, key: &UserKey, _at_most: Lifetime) -> Result<Option<User>, PortError> {
        UserStore::find(self, key).await
    }

    async fn find_by(&self, pool: &PoolName, key: &LookupKey) -> Result<Option<User>, PortError> {
        self.tick();
        let contents = self.contents();
        let mut users = contents.users.values();
        let found = users.find(|user| user.key.pool == *pool && holds(user, key));
        Ok(found.cloned())
    }

    async fn commit(&self, next: &User, expected: Revision) -> Result<(), PortError> {
        self.tick();
        let mut contents = self.contents();
        contents.answer()?;
        contents.at_revision(&next.key, expected)?;
        if let Some(key) = contents.taken_key(next) {
            return Err(PortError::Duplicate(key));
        }
        contents.users.insert(next.key.clone(), next.clone());
        Ok(())
    }

    async fn delete(&self, key: &UserKey, expected: Revision) -> Result<(), PortError> {
        self.tick();
        let mut contents = self.contents();
        contents.at_revision(key, expected)?;
        contents.users.remove(key);
        Ok(())
    }

    async fn list(
        &self,
        pool: &PoolName,
        after: Option<&'_ UserId>,
        limit: usize,
    ) -> Result<Vec<User>, PortError> {
        self.tick();
        let contents = self.contents();
        let users = contents.users.values().filter(|user| user.key.pool == *pool);
        let later = users.filter(|user| after.is_none_or(|after| user.key.id > *after));
        Ok(later.take(limit).cloned().collect())
    }
}

#[async_trait]
impl SessionStore for World {
    async fn open(&self, session: &Session) -> Result<(), PortError> {
        self.tick();
        self.contents().sessions.insert(session.token, session.clone());
        Ok(())
    }

    async fn find(&self, token: &TokenHash) -> Result<Option<Session>, PortError> {
        self.tick();
        Ok(self.contents().sessions.get(token).cloned())
    }

    async fn end(&self, token: &TokenHash) -> Result<bool, PortError> {
        self.tick();
        Ok(self.contents().sessions.remove(token).is_some())
    }

    async fn end_all(&self, user: &UserKey, spare: Option<&'_ SessionId>) -> Result<u64, PortError> {
        self.tick();
        let mut contents = self.contents();
        if contents.keeps_the_dead {
            return Ok(0);
        }
        let before = contents.sessions.len();
        contents
            .sessions
            .retain(|_, session| session.user != *user || spare == Some(&session.id));
        Ok(count(before - contents.sessions.len()))
    }

    async fn touch(&self, token: &TokenHash, at: Timestamp) -> Result<(), PortError> {
        self.tick();
        if let Some(session) = self.contents().sessions.get_mut(token) {
            session.last_used = session.last_used.max(Some(at));
        }
        Ok(())
    }

    async fn list(
        &self,
        of: Option<&'_ UserKey>,
        _after: Option<&'_ PageMark>,
        _limit: usize,
    ) -> Result<SessionPage, PortError> {
        self.tick();
        let contents = self.contents();
        let asked = contents
            .sessions
            .values()
            .filter(|session| of.is_none_or(|of| session.user == *of));
        Ok(SessionPage {
            sessions: asked.cloned().collect(),
            next: None,
        })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.tick();
        let mut contents = self.contents();
        let before = contents.sessions.len();
        contents.sessions.retain(|_, session| !session.is_expired(now));
        Ok(count(before - contents.sessions.len()))
    }
}

#[async_trait]
impl FlowStore for World {
    async fn put(&self, flow: &FlowRecord) -> Result<(), PortError> {
        self.tick();
        let mut contents = self.contents();
        contents.kept += 1;
        let order = contents.kept;
        contents.flows.insert(flow.id, (order, flow.clone()));
        Ok(())
    }

    async fn replace(&self, flow: &FlowRecord) -> Result<bool, PortError> {
        self.tick();
        let mut contents = self.contents();
        let former = contents.flows.get_mut(&flow.id);
        Ok(former.map(|(_, former)| *former = flow.clone()).is_some())
    }

    async fn find(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        self.tick();
        Ok(self.contents().flows.get(id).map(|(_, flow)| flow.clone()))
    }

    async fn take(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        self.tick();
        Ok(self.contents().flows.remove(id).map(|(_, flow)| flow))
    }

    async fn list(&self, user: &UserKey, kind: FlowKind) -> Result<Vec<FlowRecord>, PortError> {
        self.tick();
        Ok(self.contents().flows_of(user, kind))
    }

    async fn end_all(&self, user: &UserKey, kind: FlowKind) -> Result<(), PortError> {
        self.tick();
        self.contents()
            .flows
            .retain(|_, (_, flow)| !flow.is_of(user) || flow.kind() != kind);
        Ok(())
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.tick();
        let mut contents = self.contents();
        let before = contents.flows.len();
        contents.flows.retain(|_, (_, flow)| !flow.is_expired(now));
        Ok(count(before - contents.flows.len()))
    }
}

#[async_trait]
impl RateLimiter for World {
    async fn take(&self, asked: &[(LimitKey, Quota)], now: Timestamp) -> Result<Verdict, PortError> {
        self.tick();
        let mut contents = self.contents();
        let mut verdict = Verdict::Allowed;
        let mut after = Vec::new();
        for (key, quota) in asked {
            let tries = contents.counters.get(key).copied().unwrap_or_default();
            let (next, said) = quota.take(tries, now);
            verdict = verdict.and(said.by(key.as_str()));
            after.push((key.clone(), next));
        }
        if verdict == Verdict::Allowed {
            contents.counters.extend(after);
        }
        Ok(verdict)
    }

    async fn give_back(&self, given: &[(LimitKey, Quota)], _now: Timestamp) -> Result<(), PortError> {
        self.tick();
        let mut contents = self.contents();
        for (key, quota) in given {
            if let Some(tries) = contents.counters.get_mut(key) {
                *tries = quota.give_back(*tries);
            }
        }
        Ok(())
    }

    async fn purge(&self, _now: Timestamp) -> Result<u64, PortError> {
        self.tick();
        Ok(0)
    }
}

fn count(removed: usize) -> u64 {
    u64::try_from(removed).unwrap_or(u64::MAX)
}
