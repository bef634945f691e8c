//! Stores that do not answer: 503 with the time to come back, for programs and people alike, and no word of why.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::id::{SessionId, UserKey};
use domain::ports::{PageMark, PortError, SessionPage, SessionStore};
use domain::secret::TokenHash;
use domain::session::Session;
use domain::time::{Lifetime, Timestamp};
use http_warp::{NotReady, Readiness};
use serde_json::json;

use crate::site::{Answer, EMAIL, PASSWORD, Site};

/// What a store says in place of an answer.
type Fault = fn() -> PortError;

/// Sessions that can be made to fail, and a readiness that tells.
#[derive(Default)]
struct Trouble(Mutex<Option<Fault>>);

impl Trouble {
    fn begin(&self, fault: Fault) {
        *self.0.lock().unwrap() = Some(fault);
    }

    fn end(&self) {
        *self.0.lock().unwrap() = None;
    }

    fn meet(&self) -> Result<(), PortError> {
        self.0.lock().unwrap().map_or(Ok(()), |fault| Err(fault()))
    }
}

#[async_trait]
impl Readiness for Trouble {
    async fn ready(&self) -> Result<(), NotReady> {
        self.meet().map_err(|error| NotReady {
            down: vec!["sessions", "storage"],
            cause: error.to_string(),
        })
    }
}

struct Troubled {
    sessions: Arc<dyn SessionStore>,
    trouble: Arc<Trouble>,
}

#[async_trait]
impl SessionStore for Troubled {
    async fn open(&self, session: &Session) -> Result<(), PortError> {
        self.trouble.meet()?;
        self.sessions.open(session).await
    }

    async fn find(&self, token: &TokenHash) -> Result<Option<Session>, PortError> {
        self.trouble.meet()?;
        self.sessions.find(token).await
    }

    async fn end(&self, token: &TokenHash) -> Result<bool, PortError> {
        self.trouble.meet()?;
        self.sessions.end(token).await
    }

    async fn end_all(&self, user: &UserKey, spare: Option<&SessionId>) -> Result<u64, PortError> {
        self.trouble.meet()?;
        self.sessions.end_all(user, spare).await
    }

    async fn touch(&self, token: &TokenHash, at: Timestamp) -> Result<(), PortError> {
        self.trouble.meet()?;
        self.sessions.touch(token, at).await
    }

    async fn list(
        &self,
        of: Option<&UserKey>,
        after: Option<&PageMark>,
        limit: usize,
    ) -> Result<SessionPage, PortError> {
        self.sessions.list(of, after, limit).await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.sessions.purge(now).await
    }
}

async fn site() -> (Site, Arc<Trouble>) {
    let trouble = Arc::new(Trouble::default());
    let (within, readiness) = (Arc::clone(&trouble), Arc::<Trouble>::clone(&trouble));
    let site = Site::wired(
        |_, _| {},
        |mut ports| {
            ports.sessions = Arc::new(Troubled {
                sessions: ports.sessions,
                trouble: within,
            });
            ports
        },
        readiness,
    )
    .await;
    (site, trouble)
}

/// What needs a session, from every side of the site.
async fn everywhere(site: &Site, ann: &(String, String, String)) -> Vec<Answer> {
    let (path, _, token) = ann;
    let login = json!({"email": EMAIL, "password": PASSWORD});
    let cookie = format!("portcullis={token}");
    let page = site.ask_site("GET", "/account").header("cookie", cookie);
    let proxy = site.ask_site("GET", "/auth/check").header("authorization", token);
    vec![
        site.get(path, token).await,
        site.post("/Users/login", login).await,
        site.call("POST", "/Users/logout", token, json!({})).await,
        Site::answer(proxy).await,
        Site::answer(page.header("accept", "text/html")).await,
    ]
}

fn down() -> PortError {
    PortError::unavailable("connection refused by 10.1.2.3")
}

fn busy() -> PortError {
    PortError::Busy {
        retry_after: Lifetime::from_millis(6_500),
    }
}

fn corrupt() -> PortError {
    PortError::corrupt("session 10.1.2.3")
}

#[tokio::test]
async fn an_outage_is_503_with_the_time_to_come_back_wherever_it_is_met() {
    let (site, trouble) = site().await;
    let ann = site.ann().await;
    for (fault, wait) in [(down as Fault, "1"), (busy, "7")] {
        trouble.begin(fault);
        for answer in everywhere(&site, &ann).await {
            assert_eq!(
                (answer.status, answer.header("retry-after")),
                (503, wait),
                "{}",
                answer.text
            );
            assert!(!answer.text.contains("10.1.2.3"), "{}", answer.text);
        }
        trouble.end();
        site.get(&ann.0, &ann.2).await.ok();
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_a_fault_of_ours_and_no_outage() {
    let (site, trouble) = site().await;
    let ann = site.ann().await;
    trouble.begin(corrupt);
    for answer in everywhere(&site, &ann).await {
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (500, ""),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains("10.1.2.3"), "{}", answer.text);
    }
}

#[tokio::test]
async fn who_is_not_ready_says_what_is_missing_and_is_alive() {
    let (site, trouble) = site().await;
    let ready = || Site::answer(site.ask_site("GET", "/readyz"));
    assert_eq!(ready().await.ok().body["status"], "ready");
    trouble.begin(down);
    let answer = ready().await.is(503, "");
    assert_eq!(answer.message(), "Not ready: no answer from sessions and storage");
    assert_eq!(answer.header("retry-after"), "1");
    assert!(!answer.text.contains("10.1.2.3"), "{}", answer.text);
    Site::answer(site.ask_site("GET", "/healthz")).await.ok();
    trouble.end();
    ready().await.ok();
}

#[tokio::test]
async fn a_proxy_hears_at_once_that_a_session_was_ended() {
    let (site, _) = site().await;
    let (_, _, token) = site.ann().await;
    let ask = || {
        Site::answer(
            site.ask_site("GET", "/auth/check")
                .header("authorization", &token),
        )
    };
    ask().await.ok();
    site.call("POST", "/Users/logout", &token, json!({})).await.void();
    ask().await.is(401, "AUTHORIZATION_REQUIRED");
}
