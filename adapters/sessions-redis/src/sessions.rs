//! Live sessions.

use std::sync::Arc;

use async_trait::async_trait;
use domain::endings::{Ending, Since};
use domain::id::{SessionId, UserKey};
use domain::ports::{PageMark, PortError, SessionPage, SessionStore};
use domain::secret::TokenHash;
use domain::session::{Session, TokenLife};
use domain::stored::StoredSession;
use domain::time::Timestamp;
use domain::tombstone::Tombstone;
use futures_util::{StreamExt as _, stream};

use crate::RedisSessions;
use crate::scripts::{Stamp, life_in_redis};
use crate::store::{Shared, TRIES, to_the_end};

/// Sessions of one user that are ended at a time.
const AT_ONCE: usize = 32;

pub(crate) fn decode(record: &[u8]) -> Result<Session, PortError> {
    serde_json::from_slice::<StoredSession>(record)
        .map(Session::from)
        .map_err(|_| PortError::corrupt("a session in Redis"))
}

impl Shared {
    async fn open(&self, session: &Session) -> Result<(), PortError> {
        let record = serde_json::to_string(&StoredSession::from(session))
            .map_err(|_| PortError::corrupt("a session to be stored"))?;
        let life = match session.life {
            TokenLife::Finite(life) => Some(life),
            TokenLife::Eternal => None,
        };
        let life = life_in_redis(life, self.config.grace);
        // The index first: it may name what is not there, but never lacks what is.
        let index = self.keys.sessions_of(&session.user);
        self.fleet
            .enlist(&index, session.token.to_text(), life.clone())
            .await?;
        self.fleet
            .write(&self.keys.session(&session.token), record, life)
            .await?;
        Ok(())
    }

    /// Asks Redis, and the durable store where Redis alone is not to be believed.
    async fn find_session(&self, token: &TokenHash) -> Result<Option<Session>, PortError> {
        let key = self.keys.session(token);
        for _ in 0..TRIES {
            let asked = self.endings.ask();
            let is_trusted = self.watched.is_trusted();
            let ticket = self.watched.cache.ticket(token);
            let Some(believed) = self.believe(&key, token).await? else {
                return Ok(None);
            };
            let session = decode(&believed.record)?;
            match self.endings.since(asked, &session) {
                Since::Nothing => {}
                Since::Ended => return Ok(None),
                Since::Forgotten => continue,
            }
            if believed.is_sure && is_trusted {
                self.watched.cache.fill(ticket, &session);
            }
            return Ok(Some(session));
        }
        Err(PortError::unavailable("sessions end faster than one can be read"))
    }

    async fn end(&self, token: &TokenHash) -> Result<bool, PortError> {
        let key = self.keys.session(token);
        let Some(record) = self.fleet.claim(&key).await? else {
            self.watched.cache.forget(token);
            return Ok(false);
        };
        let session = decode(&record)?;
        let was_live = self.bury(&Tombstone::of_session(&session)).await?;
        // From here on it is over for good, and here at once.
        self.endings.record(Ending::Session(*token));
        self.watched.cache.forget(token);
        self.delete_buried(token, key).await?;
        // What stays in the index names nothing, and goes by its age.
        let (fleet, index) = (Arc::clone(&self.fleet), self.keys.sessions_of(&session.user));
        let listed = [token.to_text()];
        // Nobody needs to wait for it.
        tokio::spawn(async move { fleet.delist(&index, &listed).await.is_ok() });
        Ok(was_live)
    }

    async fn end_all(&self, user: &UserKey, spare: Option<&SessionId>) -> Result<u64, PortError> {
        let index = self.keys.sessions_of(user);
        let listed = self.fleet.listed(&index).await?;
        let tokens: Vec<TokenHash> = listed
            .iter()
            .filter_map(|text| TokenHash::from_text(text))
            .collect();
        let ended: Vec<Result<Option<(TokenHash, bool)>, PortError>> = stream::iter(tokens)
            .map(async |token| self.end_listed(&token, user, spare).await)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        // Those that could not be reached are over too: the user's record says so.
        self.endings.record(Ending::SessionsOf {
            user: user.clone(),
            spare: spare.cloned(),
        });
        let (mut gone, mut count, mut trouble) = (Vec::new(), 0, None);
        for answer in ended {
            match answer {
                Ok(Some((token, was_live))) => {
                    self.watched.cache.forget(&token);
                    gone.push(token.to_text());
                    count += u64::from(was_live);
                }
                Ok(None) => {}
                Err(error) => trouble = Some(error),
            }
        }
        if !gone.is_empty() {
            let _ = self.fleet.delist(&index, &gone).await;
        }
        trouble.map_or(Ok(count), Err)
    }

    /// Ends one session of a user, and says whether this call did; none where there is nothing to end. It may be about to be opened, so it
    /// stays in the index.
    async fn end_listed(
        &self,
        token: &TokenHash,
        user: &UserKey,
        spare: Option<&SessionId>,
    ) -> Result<Option<(TokenHash, bool)>, PortError> {
        let key = self.keys.session(token);
        let Some(found) = self.fleet.read(&key).await? else {
            return Ok(None);
        };
        let session = decode(&found.record)?;
        if session.user != *user || Some(&session.id) == spare {
            return Ok(None);
        }
        let is_deleted = self.fleet.delete(&key).await?;
        Ok(Some((*token, is_deleted && found.stamp == Stamp::Own)))
    }
}

#[async_trait]
impl SessionStore for RedisSessions {
    async fn open(&self, session: &Session) -> Result<(), PortError> {
        let (shared, session) = (Arc::clone(&self.0), session.clone());
        to_the_end(async move { shared.open(&session).await }).await
    }

    async fn find(&self, token: &TokenHash) -> Result<Option<Session>, PortError> {
        if self.0.watched.is_trusted()
            && let Some(session) = self.0.watched.cache.get(token)
        {
            return Ok(Some(session));
        }
        self.0.find_session(token).await
    }

    async fn end(&self, token: &TokenHash) -> Result<bool, PortError> {
        let (shared, token) = (Arc::clone(&self.0), *token);
        to_the_end(async move { shared.end(&token).await }).await
    }

    async fn end_all(&self, user: &UserKey, spare: Option<&'_ SessionId>) -> Result<u64, PortError> {
        let (shared, user, spare) = (Arc::clone(&self.0), user.clone(), spare.cloned());
        to_the_end(async move { shared.end_all(&user, spare.as_ref()).await }).await
    }

    async fn touch(&self, token: &TokenHash, at: Timestamp) -> Result<(), PortError> {
        let touched = self.0.fleet.touch(&self.0.keys.session(token), at).await;
        // Here at once, whatever Redis says: a copy of before is not to be answered to whoever has touched it.
        self.0.watched.cache.forget(token);
        Ok(touched?)
    }

    async fn list(
        &self,
        of: Option<&'_ UserKey>,
        after: Option<&'_ PageMark>,
        limit: usize,
    ) -> Result<SessionPage, PortError> {
        match of {
            Some(user) => self.0.page_of(user, after, limit).await,
            None => self.0.page(after, limit).await,
        }
    }

    /// Redis drops by itself what is over: this drops the tombstones that nobody needs any more.
    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.0.durable.tombstones.purge(now).await?;
        Ok(0)
    }
}
