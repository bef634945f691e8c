//! Sessions page by page. For all there are every master is scanned, one after the other; those of a user stand in their index.

use std::fmt::Write as _;

use domain::id::UserKey;
use domain::ports::{PageMark, PortError, SessionPage};
use domain::secret::TokenHash;
use domain::session::Session;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use redis::{cmd, from_redis_value};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::error::Fault;
use crate::fleet::Map;
use crate::sessions::decode;
use crate::store::Shared;

/// Sessions read at a time.
const AT_ONCE: usize = 32;

/// Where a listing goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Mark {
    /// Which servers there were. A cursor means nothing to others, so the listing begins anew with them.
    fleet: String,
    /// How many of them are scanned.
    node: usize,
    /// The server's own cursor; 0 at its beginning.
    cursor: u64,
    /// Found, and beyond the last page.
    rest: Vec<String>,
}

impl Mark {
    fn read(mark: Option<&PageMark>) -> Self {
        mark.and_then(|mark| serde_json::from_str(&mark.0).ok())
            .unwrap_or_default()
    }

    fn written(&self) -> Result<PageMark, PortError> {
        serde_json::to_string(self)
            .map(PageMark)
            .map_err(|_| PortError::corrupt("a mark of a listing"))
    }
}

impl Shared {
    /// A page of sessions.
    pub async fn page(&self, after: Option<&PageMark>, limit: usize) -> Result<SessionPage, PortError> {
        let map = self.fleet.known(self.fleet.deadline()).await?;
        let fleet = self.identities(&map).await?;
        let mut mark = Mark::read(after);
        if mark.fleet != fleet {
            mark = Mark {
                fleet,
                ..Mark::default()
            };
        }
        let mut is_over = self.fill(&map, &mut mark, limit).await?;
        let rest = mark.rest.split_off(limit.min(mark.rest.len()));
        let page = std::mem::replace(&mut mark.rest, rest);
        is_over &= mark.rest.is_empty();
        let sessions = self.listed_sessions(page).await?;
        let next = if is_over { None } else { Some(mark.written()?) };
        Ok(SessionPage { sessions, next })
    }

    /// A page of a user's sessions, in the order of their tokens: what comes and goes meanwhile moves no other.
    pub async fn page_of(
        &self,
        user: &UserKey,
        after: Option<&PageMark>,
        limit: usize,
    ) -> Result<SessionPage, PortError> {
        let mut tokens = self.fleet.listed(&self.keys.sessions_of(user)).await?;
        tokens.retain(|token| after.is_none_or(|mark| *token > mark.0));
        tokens.sort_unstable();
        let is_over = tokens.len() <= limit;
        tokens.truncate(limit);
        let next = tokens.last().filter(|_| !is_over).cloned().map(PageMark);
        let sessions = self.listed_sessions(tokens).await?;
        let theirs = sessions.into_iter().filter(|session| session.user == *user);
        Ok(SessionPage {
            sessions: theirs.collect(),
            next,
        })
    }

    async fn listed_sessions(&self, tokens: Vec<String>) -> Result<Vec<Session>, PortError> {
        stream::iter(tokens)
            .map(async |text| self.listed_session(&text).await)
            .buffered(AT_ONCE)
            .try_filter_map(async |found| Ok(found))
            .try_collect()
            .await
    }

    /// Scans until a page is full or has taken long enough, and says whether everything was scanned: where there are many other
    /// keys, a step may find nothing.
    async fn fill(&self, map: &Map, mark: &mut Mark, limit: usize) -> Result<bool, PortError> {
        let enough = Instant::now() + self.config.timeout;
        while mark.node < map.nodes.len() {
            if mark.rest.len() >= limit || Instant::now() >= enough {
                return Ok(false);
            }
            self.step(map, mark, limit).await?;
        }
        Ok(true)
    }

    async fn step(&self, map: &Map, mark: &mut Mark, limit: usize) -> Result<(), PortError> {
        let Some(node) = map.nodes.get(mark.node) else {
            return Ok(());
        };
        let mut scan = cmd("SCAN");
        scan.arg(mark.cursor)
            .arg("MATCH")
            .arg(format!("{}*", self.keys.sessions()))
            .arg("COUNT")
            .arg(limit.clamp(100, 1_000));
        let answer = node.call(&scan, false, self.fleet.deadline()).await?;
        let (cursor, keys): (u64, Vec<String>) =
            from_redis_value(answer).map_err(|_| Fault::Garbled("a step of a scan"))?;
        mark.cursor = cursor;
        if cursor == 0 {
            mark.node += 1;
        }
        let tokens = keys.iter().filter_map(|key| self.keys.session_of(key));
        mark.rest.extend(tokens.map(|token| token.to_text()));
        Ok(())
    }

    async fn listed_session(&self, text: &str) -> Result<Option<Session>, PortError> {
        let Some(token) = TokenHash::from_text(text) else {
            return Ok(None);
        };
        let believed = self.believe(&self.keys.session(&token), &token).await?;
        believed.map(|believed| decode(&believed.record)).transpose()
    }

    /// What tells these servers, their terms and their parts of the keys from any others.
    async fn identities(&self, map: &Map) -> Result<String, PortError> {
        let mut text = String::new();
        for (first, last, address) in &map.ranges {
            let _ = write!(text, "{first}-{last}@{address} ");
        }
        for node in &map.nodes {
            let answer = node
                .call(cmd("INFO").arg("replication"), false, self.fleet.deadline())
                .await?;
            let info: String = from_redis_value(answer).map_err(|_| Fault::Garbled("its replication"))?;
            text.push_str(crate::watch::identity(&info).unwrap_or_default());
        }
        Ok(text)
    }
}
