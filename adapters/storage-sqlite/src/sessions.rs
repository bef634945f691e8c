//! Live sessions.

use async_trait::async_trait;
use domain::id::{SessionId, UserKey};
use domain::ports::{PageMark, PortError, SessionPage, SessionStore};
use domain::secret::TokenHash;
use domain::session::Session;
use domain::time::Timestamp;
use rusqlite::{Connection, Params, Row, params_from_iter};

use crate::cache::Touched;
use crate::error::Answer;
use crate::rows::{self, at_most, decode_session, encode_session, session_columns};
use crate::store::{PURGED_AT_ONCE, SqliteStore};

// The same session twice is one session: a caller that got no answer may ask again.
const INSERT: &str = concat!(
    "INSERT INTO sessions (",
    session_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (token) DO NOTHING"
);
const FIND: &str = concat!("SELECT ", session_columns!(), " FROM sessions WHERE token = ?1");
// Guarded: one that is gone, or was used later already, is left alone.
const TOUCH: &str =
    "UPDATE sessions SET last_used = ?2 WHERE token = ?1 AND (last_used IS NULL OR last_used < ?2)";
const END: &str = "DELETE FROM sessions WHERE token = ?1 RETURNING token";
const END_ALL: &str =
    "DELETE FROM sessions WHERE pool = ?1 AND user_id = ?2 AND (?3 IS NULL OR id <> ?3) RETURNING token";
const FIRST_PAGE: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions ORDER BY token LIMIT ?1"
);
const NEXT_PAGE: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions WHERE token > ?1 ORDER BY token LIMIT ?2"
);
const FIRST_PAGE_OF: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions WHERE pool = ?1 AND user_id = ?2 ORDER BY token LIMIT ?3"
);
const NEXT_PAGE_OF: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions WHERE pool = ?1 AND user_id = ?2 AND token > ?3 ORDER BY token LIMIT ?4"
);
const PURGE: &str = "DELETE FROM sessions WHERE token IN \
    (SELECT token FROM sessions WHERE expires < ?1 LIMIT ?2) RETURNING token";

fn find(connection: &Connection, token: &TokenHash) -> Answer<Option<Session>> {
    rows::first(connection, FIND, [token.as_bytes()], decode_session)
}

/// The sessions whose tokens come next.
fn page(
    connection: &Connection,
    of: Option<&UserKey>,
    after: Option<TokenHash>,
    limit: usize,
) -> Answer<Vec<Session>> {
    let limit = at_most(limit);
    let after = after.as_ref().map(TokenHash::as_bytes);
    match (of.map(|user| (user.pool.as_str(), user.id.as_str())), after) {
        (None, None) => rows::all(connection, FIRST_PAGE, [limit], decode_session),
        (None, Some(after)) => rows::all(connection, NEXT_PAGE, (after, limit), decode_session),
        (Some((pool, id)), None) => rows::all(connection, FIRST_PAGE_OF, (pool, id, limit), decode_session),
        (Some((pool, id)), Some(after)) => {
            rows::all(connection, NEXT_PAGE_OF, (pool, id, after, limit), decode_session)
        }
    }
}

fn from_mark(mark: &PageMark) -> Result<TokenHash, PortError> {
    TokenHash::from_text(&mark.0).ok_or_else(|| PortError::corrupt("the mark of a page of sessions"))
}

/// Runs a deletion that returns the tokens of what it deleted, tells the cache, and counts them.
fn delete(connection: &Connection, touched: &mut Touched, sql: &str, parameters: impl Params) -> Answer<u64> {
    let token = |row: &Row<'_>| Ok(TokenHash::from_bytes(row.get(0)?));
    let ended = rows::all(connection, sql, parameters, token)?;
    let count = rows::count(ended.len());
    touched.sessions.extend(ended);
    Ok(count)
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn open(&self, session: &Session) -> Result<(), PortError> {
        let (token, values) = (session.token, encode_session(session)?);
        self.write(move |connection, touched| {
            touched.sessions.push(token);
            connection
                .prepare_cached(INSERT)?
                .execute(params_from_iter(values))?;
            Ok(())
        })
        .await
    }

    async fn find(&self, token: &TokenHash) -> Result<Option<Session>, PortError> {
        self.read_through(&self.caches.sessions, token, find).await
    }

    async fn end(&self, token: &TokenHash) -> Result<bool, PortError> {
        let token = *token;
        let ended = self
            .write(move |connection, touched| delete(connection, touched, END, [token.as_bytes()]))
            .await?;
        Ok(ended == 1)
    }

    async fn end_all(&self, user: &UserKey, spare: Option<&'_ SessionId>) -> Result<u64, PortError> {
        let (pool, id) = (user.pool.as_str().to_owned(), user.id.as_str().to_owned());
        let spare = spare.map(|id| id.as_str().to_owned());
        self.write(move |connection, touched| delete(connection, touched, END_ALL, (pool, id, spare)))
            .await
    }

    async fn touch(&self, token: &TokenHash, at: Timestamp) -> Result<(), PortError> {
        let (token, at) = (*token, at.as_millis());
        self.write(move |connection, touched| {
            let mut statement = connection.prepare_cached(TOUCH)?;
            if statement.execute((token.as_bytes(), at))? == 1 {
                touched.sessions.push(token);
            }
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
        let of = of.cloned();
        let after = after.map(from_mark).transpose()?;
        let limit = limit.max(1);
        let sessions = self
            .read(move |connection| page(connection, of.as_ref(), after, limit))
            .await?;
        let last = sessions.last().filter(|_| sessions.len() == limit);
        let next = last.map(|session| PageMark(session.token.to_text()));
        Ok(SessionPage { sessions, next })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        let parameters = (now.as_millis(), PURGED_AT_ONCE.cast_signed());
        let mut purged = 0;
        loop {
            let some = self
                .write(move |connection, touched| delete(connection, touched, PURGE, parameters))
                .await?;
            purged += some;
            if some < PURGED_AT_ONCE {
                return Ok(purged);
            }
        }
    }
}
