//! Live sessions.

use async_trait::async_trait;
use domain::endings::{Ending, Since};
use domain::id::{SessionId, UserKey};
use domain::ports::{PageMark, PortError, SessionPage, SessionStore};
use domain::secret::TokenHash;
use domain::session::Session;
use domain::time::Timestamp;
use mongodb::bson::doc;

use crate::documents::{SESSIONS, by_token, id_of_user, of_session, to_session};
use crate::error::{Fault, is_duplicate};
use crate::store::{MongoStore, detach};
use crate::users::is_there;

/// Sessions of one page at most.
const LONGEST_PAGE: usize = 1_000;

#[async_trait]
impl SessionStore for MongoStore {
    /// Writes first and looks for the user then. Whoever deletes a user removes the user first and what is theirs then: so either
    /// the deletion meets the session, or this meets the absence.
    async fn open(&self, session: &Session) -> Result<(), PortError> {
        let (document, owner) = (of_session(session)?, id_of_user(&session.user));
        let token = by_token(&session.token);
        self.run(|base| async move {
            match base.of(SESSIONS).insert_one(document).await {
                // The same session twice is one session: a caller that got no answer may ask again.
                Err(error) if !is_duplicate(&error) => return Err(error.into()),
                Ok(_) | Err(_) => {}
            }
            if is_there(&base, &owner).await? {
                return Ok(());
            }
            base.of(SESSIONS).delete_one(token).await?;
            Err(Fault::Port(PortError::Stale))
        })
        .await
    }

    async fn find(&self, token: &TokenHash) -> Result<Option<Session>, PortError> {
        loop {
            let (asked, filter) = (self.endings.ask(), by_token(token));
            let found = self
                .run(|base| async move { base.first(SESSIONS, filter).await })
                .await?;
            let Some(session) = found.map(to_session).transpose()? else {
                return Ok(None);
            };
            match self.endings.since(asked, &session) {
                Since::Nothing => return Ok(Some(session)),
                Since::Ended => return Ok(None),
                Since::Forgotten => {}
            }
        }
    }

    async fn end(&self, token: &TokenHash) -> Result<bool, PortError> {
        let (store, token) = (self.clone(), *token);
        detach(async move {
            let ended = store
                .run(|base| async move { Ok(base.of(SESSIONS).delete_one(by_token(&token)).await?) })
                .await?;
            store.endings.record(Ending::Session(token));
            Ok(ended.deleted_count == 1)
        })
        .await
    }

    async fn end_all(&self, user: &UserKey, spare: Option<&'_ SessionId>) -> Result<u64, PortError> {
        let mut filter = doc! { "owner": id_of_user(user) };
        if let Some(spare) = spare {
            filter.insert("session", doc! { "$ne": spare.as_str() });
        }
        let (store, user, spare) = (self.clone(), user.clone(), spare.cloned());
        detach(async move {
            let ended = store
                .run(|base| async move { Ok(base.of(SESSIONS).delete_many(filter).await?) })
                .await?;
            store.endings.record(Ending::SessionsOf { user, spare });
            Ok(ended.deleted_count)
        })
        .await
    }

    async fn touch(&self, token: &TokenHash, at: Timestamp) -> Result<(), PortError> {
        // Moves forward only, and makes no document.
        let (token, later) = (
            by_token(token),
            doc! { "$max": { "record.last_used": at.as_millis() } },
        );
        self.run(|base| async move {
            base.of(SESSIONS).update_one(token, later).await?;
            Ok(())
        })
        .await
    }

    async fn list(
        &self,
        of: Option<&'_ UserKey>,
        after: Option<&'_ PageMark>,
        limit: usize,
    ) -> Result<SessionPage, PortError> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        let mut filter = after.map_or_else(|| doc! {}, |mark| doc! { "_id": { "$gt": &mark.0 } });
        if let Some(user) = of {
            filter.insert("owner", id_of_user(user));
        }
        let found = self
            .run(|base| async move { base.all(SESSIONS, filter, doc! { "_id": 1 }, limit).await })
            .await?;
        let is_last = found.len() < limit;
        let sessions: Vec<Session> = found.into_iter().map(to_session).collect::<Result<_, _>>()?;
        let last = sessions.last().filter(|_| !is_last);
        let next = last.map(|session| PageMark(session.token.to_text()));
        Ok(SessionPage { sessions, next })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_below(SESSIONS, "expires", now).await
    }
}
