//! What this browser waits for: the code of a log-in, or of a number given at sign-up.

use std::sync::Arc;

use domain::id::{EntryName, PoolName};
use domain::policy::PoolPolicy;
use domain::secret::{TOKEN_LENGTH, Token};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::entries::WebEntry;
use crate::extract::Request;
use crate::extract::cookies::{Cookie, Jar};
use crate::reply::Reply;

/// What the awaited code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A log-in whose password was right.
    Login,
    /// The number of a new user.
    Phone,
}

impl Awaited {
    const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Phone => "phone",
        }
    }
}

/// Longest name of an entry, percent-encoded: a hundred letters of four bytes.
const LONGEST_ENTRY: usize = 1200;

/// The cookie of an unfinished flow: what for, the last digits of the number, the flow's token, the pool, and the entry of
/// `providers.json` it was begun by. Of that only the name: where an entry leads is told by the file alone, so that nothing a browser
/// sends can lead to a foreign place that was not configured.
pub struct Pending {
    awaited: Awaited,
    ending: String,
    entry: Option<EntryName>,
    /// The token that continues the flow.
    pub token: Token,
    /// The flow's pool.
    pub pool: PoolName,
}

impl Pending {
    /// Keeps a flow in mind; `sent_to` is the masked number the code went to.
    pub fn new(awaited: Awaited, pool: &PoolPolicy, token: Token, sent_to: Option<&str>) -> Self {
        Self {
            awaited,
            ending: digits(sent_to),
            token,
            pool: pool.name.clone(),
            entry: None,
        }
    }

    /// The same, begun by an entry.
    #[must_use]
    pub fn begun_by(self, entry: Option<EntryName>) -> Self {
        Self { entry, ..self }
    }

    /// The entry it was begun by, as the file has it now.
    pub fn entry(&self, request: &Request) -> Option<Arc<WebEntry>> {
        let entry = request.app.entries.current().named(self.entry.as_ref()?)?;
        (entry.pool == self.pool && !entry.json).then_some(entry)
    }

    /// What this browser waits for, if it is that.
    pub fn of(request: &Request, awaited: Awaited) -> Option<Self> {
        let jar = Jar::new(request.app.settings.is_https());
        let pending = Self::parse(jar.read(&request.headers, Cookie::Pending)?)?;
        (pending.awaited == awaited).then_some(pending)
    }

    /// The same, after a code went to that masked number.
    #[must_use]
    pub fn sent_on_to(self, sent_to: Option<&str>) -> Self {
        Self {
            ending: digits(sent_to),
            ..self
        }
    }

    /// The same, continued by another token.
    #[must_use]
    pub fn continued_by(self, token: Token) -> Self {
        Self { token, ..self }
    }

    /// Sets the cookie for as long as the flow can live.
    pub fn keep(&self, reply: Reply, pool: &PoolPolicy, jar: Jar) -> Reply {
        let (name, ending, token, of) = (self.awaited.name(), &self.ending, self.token.expose(), &self.pool);
        let entry = self.entry.as_ref().map_or("", EntryName::as_str);
        let entry = utf8_percent_encode(entry, NON_ALPHANUMERIC);
        let value = format!("{name}.{ending}.{token}.{of}.{entry}");
        reply.cookie(&jar.set(
            Cookie::Pending,
            &value,
            Some(pool.pending_login_life.as_secs_ceil()),
        ))
    }

    /// Where the code went, in words.
    pub fn sent_to(&self) -> Option<String> {
        (!self.ending.is_empty()).then(|| format!("the number ending in {}", self.ending))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '.');
        let name = parts.next()?;
        let awaited = [Awaited::Login, Awaited::Phone]
            .into_iter()
            .find(|awaited| awaited.name() == name)?;
        let ending = parts
            .next()
            .filter(|text| text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit()))?;
        let token = parts.next().filter(|text| text.len() == TOKEN_LENGTH)?;
        let pool = parts.next().filter(|text| text.len() <= 64)?;
        let entry = match parts.next().filter(|text| !text.is_empty()) {
            Some(text) if text.len() > LONGEST_ENTRY => return None,
            Some(text) => Some(EntryName::new(percent_decode_str(text).decode_utf8().ok()?)),
            None => None,
        };
        let (ending, token, pool) = (ending.to_owned(), Token::presented(token), PoolName::new(pool));
        Some(Self {
            awaited,
            ending,
            entry,
            token,
            pool,
        })
    }
}

/// The digits that a masked number still shows.
fn digits(masked: Option<&str>) -> String {
    let shown = masked.unwrap_or_default().chars();
    shown.filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_reads_back_and_nothing_else_does() {
        let token = "a".repeat(TOKEN_LENGTH);
        let pending = Pending::parse(&format!("login.23.{token}.Users")).unwrap();
        assert_eq!(
            (pending.awaited, pending.pool.as_str()),
            (Awaited::Login, "Users")
        );
        assert_eq!(pending.sent_to().unwrap(), "the number ending in 23");
        assert!(
            Pending::parse(&format!("phone..{token}.A"))
                .unwrap()
                .sent_to()
                .is_none()
        );
        let named = Pending::parse(&format!("login..{token}.A.a%2Eb%20%C3%A4")).unwrap();
        assert_eq!(named.entry.unwrap().as_str(), "a.b ä");
        for bad in [
            "",
            "login",
            "login.23.short.Users",
            "other.23.a.Users",
            &format!("login.<b>.{token}.Users"),
            &format!("login..{token}.Users.%ff"),
            &format!("login..{token}.Users.{}", "a".repeat(1201)),
        ] {
            assert!(Pending::parse(bad).is_none(), "{bad}");
        }
    }
}
