use async_trait::async_trait;

use super::{AuthorizationStart, ProviderError};
use crate::identity::ProviderSession;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What came to an entry's `logoutPath`.
#[derive(Clone, Debug)]
pub struct LogoutMessage {
    /// All parameters, none of them twice.
    pub params: Vec<(String, String)>,
    /// The query as it came, where it came by `GET`: what the Redirect binding signs (SAML Bindings section 3.4.4.1).
    pub query: Option<String>,
    /// The moment it is.
    pub now: Timestamp,
}

/// What a provider said at an entry's `logoutPath`.
#[derive(Clone, Debug, PartialEq)]
pub enum LogoutHeard {
    /// Somebody's sessions are to end.
    Requested(LogoutRequested),
    /// The provider answers our own request.
    Answered {
        /// What names our request: what [`SingleLogout::begin`] was given as `relay`.
        relay: Secret,
        /// Whether everybody it told did end their sessions.
        complete: bool,
    },
}

/// A provider's wish that somebody's sessions end.
#[derive(Clone, Debug, PartialEq)]
pub struct LogoutRequested {
    /// The issuer of the account's identity.
    pub issuer: String,
    /// Its subject.
    pub subject: String,
    /// The sessions, by [`ProviderSession::index`]; empty for all.
    pub indexes: Vec<String>,
    /// What must not be taken twice.
    pub once: super::Once,
    /// What the answer refers to.
    pub request_id: String,
    /// What the provider wants to see again.
    pub relay_state: Option<String>,
}

/// Tells a provider that somebody left, and hears that somebody left there (SAML Profiles section 4.4).
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait SingleLogout: Send + Sync {
    /// Asks the provider to end a session. MUST be none where it has no place for that. `relay` MUST go along: it comes back with the
    /// answer.
    async fn begin(
        &self,
        session: &ProviderSession,
        relay: &Secret,
        now: Timestamp,
    ) -> Result<Option<AuthorizationStart>, ProviderError>;

    /// Judges what came. MUST believe nothing that the provider has not signed. Each wish MUST have an id of its own in
    /// [`LogoutRequested::once`], the same however often it comes.
    async fn receive(&self, message: &LogoutMessage) -> Result<LogoutHeard, ProviderError>;

    /// Answers a wish; none where the provider has no place for answers.
    async fn answer(
        &self,
        request: &LogoutRequested,
        done: bool,
        now: Timestamp,
    ) -> Result<Option<AuthorizationStart>, ProviderError>;
}
