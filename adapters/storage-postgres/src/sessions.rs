//! Live sessions.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::endings::{Ending, Endings, Since};
use domain::id::{SessionId, UserKey};
use domain::ports::{PageMark, PortError, SessionPage, SessionStore};
use domain::secret::TokenHash;
use domain::session::Session;
use domain::stored::StoredSession;
use domain::time::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use crate::error::Answer;
use crate::rows::{self, at_most, bytes, maybe_bytes, pool};
use crate::statement::{Job, Statement, Value};
use crate::store::{PURGED_AT_ONCE, PostgresStore, Seen};

// The same session twice is one session: a caller that got no answer may ask again.
const INSERT: &str = "INSERT INTO sessions (token, pool, user_id, id, expires, record) VALUES ($1, $2, $3, $4, $5, $6) \
    ON CONFLICT (token) DO NOTHING";
const FIND: &str = "SELECT pool, user_id AS id, last_used, record FROM sessions WHERE token = $1";
// Forward only. A record that knows a later moment holds: see `decode`.
const TOUCH: &str =
    "UPDATE sessions SET last_used = $2 WHERE token = $1 AND (last_used IS NULL OR last_used < $2)";
const END: &str = "DELETE FROM sessions WHERE token = $1 RETURNING token";
const END_ALL: &str = "DELETE FROM sessions WHERE pool = $1 AND user_id = $2 AND ($3::bytea IS NULL OR id <> $3) \
    RETURNING token";
const FIRST_PAGE: &str =
    "SELECT pool, user_id AS id, last_used, record FROM sessions ORDER BY token LIMIT $1";
const NEXT_PAGE: &str =
    "SELECT pool, user_id AS id, last_used, record FROM sessions WHERE token > $1 ORDER BY token LIMIT $2";
const PAGE_OF_USER: &str = "SELECT pool, user_id AS id, last_used, record FROM sessions \
    WHERE pool = $1 AND user_id = $2 AND ($3::bytea IS NULL OR token > $3) ORDER BY token LIMIT $4";
const PURGE: &str = "DELETE FROM sessions WHERE token = ANY (ARRAY(\
    SELECT token FROM sessions WHERE expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING token";

/// Half of the second within which an ending holds on every node.
const REMEMBERED_FOR: Duration = Duration::from_millis(500);

/// A deletion that answers with what it deleted, which in-flight answers and memory must hear of.
struct End {
    statement: Statement,
    ending: Ending,
    endings: Arc<Endings>,
}

#[async_trait]
impl Job for End {
    type Done = Vec<PgRow>;

    async fn run(&self, connection: &mut PgConnection) -> Answer<Vec<PgRow>> {
        self.statement.run(connection).await
    }

    fn settle(&self, done: Option<&Vec<PgRow>>) {
        if done.is_some_and(|ended| !ended.is_empty()) {
            self.endings.record(self.ending.clone());
        }
    }
}

fn token(hash: &TokenHash) -> Value {
    Value::Bytes(hash.as_bytes().to_vec())
}

fn encode(session: &Session) -> Result<Vec<Value>, PortError> {
    let expires = session.life.expires(session.created);
    Ok(vec![
        token(&session.token),
        pool(&session.user.pool),
        bytes(session.user.id.as_str()),
        bytes(session.id.as_str()),
        Value::MaybeInt(expires.map(Timestamp::as_millis)),
        rows::record(&StoredSession::from(session))?,
    ])
}

/// The session of a row: as it was opened, and when it was last used since.
fn decode(row: &PgRow) -> Result<Session, PortError> {
    let session = rows::decode::<StoredSession, Session>("session of", row)?;
    let touched: Option<i64> = row.try_get("last_used").ok().flatten();
    Ok(Session {
        last_used: session.last_used.max(touched.map(Timestamp::from_millis)),
        ..session
    })
}

impl PostgresStore {
    async fn end_by(&self, sql: &'static str, values: Vec<Value>, ending: Ending) -> Result<u64, PortError> {
        let ended = self
            .work(End {
                statement: Statement::new(sql, values),
                ending,
                endings: Arc::clone(&self.endings),
            })
            .await?;
        Ok(rows::count(ended.len()))
    }

    /// A session that was seen a moment ago, unless it must be looked up again. One that was ended here since then is looked up,
    /// too, and not found.
    fn remembered(&self, hash: &TokenHash) -> Option<Session> {
        let seen = self.sessions.get(hash, REMEMBERED_FOR)?;
        let holds = self.endings.since(seen.asked, &seen.session) == Since::Nothing;
        holds.then(|| Session::clone(&seen.session))
    }
}

#[async_trait]
impl SessionStore for PostgresStore {
    async fn open(&self, session: &Session) -> Result<(), PortError> {
        self.write(INSERT, encode(session)?).await.map(drop)
    }

    async fn find(&self, hash: &TokenHash) -> Result<Option<Session>, PortError> {
        if let Some(known) = self.remembered(hash) {
            return Ok(Some(known));
        }
        loop {
            let (asked, ticket) = (self.endings.ask(), self.sessions.ticket(hash));
            let found = self.read(FIND, vec![token(hash)]).await?;
            let Some(session) = found.first().map(decode).transpose()? else {
                return Ok(None);
            };
            match self.endings.since(asked, &session) {
                Since::Nothing => {
                    let seen = Arc::new(session.clone());
                    self.sessions.keep(hash, ticket, Seen { session: seen, asked });
                    return Ok(Some(session));
                }
                Since::Ended => return Ok(None),
                Since::Forgotten => {}
            }
        }
    }

    async fn end(&self, hash: &TokenHash) -> Result<bool, PortError> {
        let ended = self.end_by(END, vec![token(hash)], Ending::Session(*hash)).await;
        // Also when another node was quicker, or nobody knows.
        self.sessions.forget(hash);
        let ended = ended?;
        Ok(ended > 0)
    }

    async fn end_all(&self, user: &UserKey, spare: Option<&'_ SessionId>) -> Result<u64, PortError> {
        let values = vec![
            pool(&user.pool),
            bytes(user.id.as_str()),
            maybe_bytes(spare.map(SessionId::as_str)),
        ];
        let ending = Ending::SessionsOf {
            user: user.clone(),
            spare: spare.cloned(),
        };
        self.end_by(END_ALL, values, ending).await
    }

    async fn touch(&self, hash: &TokenHash, at: Timestamp) -> Result<(), PortError> {
        let touched = self.write(TOUCH, vec![token(hash), at.as_millis().into()]).await;
        self.sessions.forget(hash);
        touched.map(drop)
    }

    async fn list(
        &self,
        of: Option<&'_ UserKey>,
        after: Option<&'_ PageMark>,
        limit: usize,
    ) -> Result<SessionPage, PortError> {
        let after = after.map(|PageMark(mark)| {
            let after = TokenHash::from_text(mark);
            after.ok_or_else(|| PortError::corrupt("the mark of a page of sessions"))
        });
        let page = match (of, after.transpose()?) {
            (Some(user), after) => {
                let after = Value::MaybeBytes(after.map(|after| after.as_bytes().to_vec()));
                let values = vec![pool(&user.pool), bytes(user.id.as_str()), after, at_most(limit)];
                self.read(PAGE_OF_USER, values).await?
            }
            (None, Some(after)) => self.read(NEXT_PAGE, vec![token(&after), at_most(limit)]).await?,
            (None, None) => self.read(FIRST_PAGE, vec![at_most(limit)]).await?,
        };
        let sessions: Vec<Session> = page.iter().map(decode).collect::<Result<_, _>>()?;
        let last = sessions.last().filter(|_| sessions.len() == limit);
        let next = last.map(|session| PageMark(session.token.to_text()));
        Ok(SessionPage { sessions, next })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        let mut purged = 0;
        loop {
            let values = vec![now.as_millis().into(), PURGED_AT_ONCE.cast_signed().into()];
            let gone = self.write(PURGE, values).await?;
            for row in &gone {
                if let Ok(hash) = row.try_get::<[u8; 32], _>(0) {
                    self.sessions.forget(&TokenHash::from_bytes(hash));
                }
            }
            let some = rows::count(gone.len());
            purged += some;
            if some < PURGED_AT_ONCE {
                return Ok(purged);
            }
        }
    }
}
