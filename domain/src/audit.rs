//! What is written down about security: one line per decision, kinds with stable names, never a secret in it.

mod kind;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{ApplicationId, PoolName, UserKey};
use crate::limits::ClientAddress;
use crate::origin::{Origin, RequestId};
use crate::ports::PageMark;
use crate::secret::MacKey;
use crate::time::Timestamp;

pub use kind::AuditKind;

/// One entry of the audit log (ASVS 16.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub kind: AuditKind,
    /// About whom; none when nobody of that name exists.
    pub user: Option<UserKey>,
    /// Who caused it.
    pub actor: Actor,
    /// From where, hashed; none for what the server does by itself.
    pub network: Option<NetworkHash>,
    /// The request it was decided in.
    pub request: Option<RequestId>,
    /// The deciding rule or what it was about, in stable words: an entry, a fault's code. Never a secret, never what a stranger sent. Only
    /// the reason that an administrator gives for acting as a user is free text.
    pub detail: Option<String>,
}

/// Who caused an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Whoever sent the request: the person themselves, or a stranger.
    #[default]
    Client,
    /// A client application, by its key.
    Application(ApplicationId),
    /// A user who may: an administrator.
    User(UserKey),
    /// Whoever may use the command line of the server.
    Operator,
    /// The server by itself.
    Server,
}

/// In a word, as logs and lists have it: `user:Users/7`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("client"),
            Self::Application(id) => write!(f, "application:{id}"),
            Self::User(key) => write!(f, "user:{key}"),
            Self::Operator => f.write_str("operator"),
            Self::Server => f.write_str("server"),
        }
    }
}

/// A client's address as the audit log keeps it: a keyed hash, so that events of one network can be told together and a copied log
/// lists no addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkHash(String);

impl NetworkHash {
    /// Of an address, under the server's key.
    pub fn of(address: &ClientAddress, key: &MacKey) -> Self {
        let mac = key
            .mac("audit-network", &[address.as_str().as_bytes()])
            .to_secret();
        Self(mac.expose().chars().take(16).collect())
    }

    /// As a store kept it.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AuditEvent {
    /// Of a request, about `user`.
    pub fn of_request(
        at: Timestamp,
        kind: AuditKind,
        user: Option<UserKey>,
        origin: &Origin,
        key: &MacKey,
    ) -> Self {
        Self {
            at,
            kind,
            user,
            actor: Actor::Client,
            network: Some(NetworkHash::of(&origin.address, key)),
            request: origin.request.clone(),
            detail: None,
        }
    }

    /// Of no request: by the server itself or its operator.
    pub fn of_server(at: Timestamp, kind: AuditKind, user: Option<UserKey>, actor: Actor) -> Self {
        Self {
            at,
            kind,
            user,
            actor,
            network: None,
            request: None,
            detail: None,
        }
    }

    /// Of what an administrator did to `user`. At the command line of the server there is no network to speak of.
    pub fn of_administrator(
        at: Timestamp,
        kind: AuditKind,
        user: UserKey,
        actor: &Actor,
        origin: &Origin,
        key: &MacKey,
    ) -> Self {
        match actor {
            Actor::Operator | Actor::Server => Self::of_server(at, kind, Some(user), actor.clone()),
            Actor::Client | Actor::Application(_) | Actor::User(_) => Self {
                actor: actor.clone(),
                ..Self::of_request(at, kind, Some(user), origin, key)
            },
        }
    }

    /// The same with a word on what it was about.
    #[must_use]
    pub fn about(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }
}

/// Which events are asked for: those that fit everything that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of this pool.
    pub pool: Option<PoolName>,
    /// About this user.
    pub user: Option<UserKey>,
    /// Of one of these kinds; all if empty.
    pub kinds: Vec<AuditKind>,
    /// From this network.
    pub network: Option<NetworkHash>,
    /// Of this request.
    pub request: Option<RequestId>,
    /// Decided at this moment or later.
    pub since: Option<Timestamp>,
    /// Decided before this moment.
    pub until: Option<Timestamp>,
}

impl AuditQuery {
    /// Whether an event is asked for.
    pub fn fits(&self, event: &AuditEvent) -> bool {
        let pool = self.pool.as_ref();
        pool.is_none_or(|pool| event.user.as_ref().is_some_and(|user| user.pool == *pool))
            && self
                .user
                .as_ref()
                .is_none_or(|user| event.user.as_ref() == Some(user))
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && self
                .network
                .as_ref()
                .is_none_or(|network| event.network.as_ref() == Some(network))
            && self
                .request
                .as_ref()
                .is_none_or(|request| event.request.as_ref() == Some(request))
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }
}

/// Some of the events asked for, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// Where the next page begins; none behind the last.
    pub next: Option<PageMark>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_caused_it_is_told_in_a_word() {
        let user = UserKey::new(PoolName::new("Users"), crate::id::UserId::new("7"));
        assert_eq!(Actor::User(user).to_string(), "user:Users/7");
        let shop = Actor::Application(ApplicationId::new("shop"));
        assert_eq!(shop.to_string(), "application:shop");
        let others = [Actor::Client, Actor::Operator, Actor::Server];
        assert_eq!(
            others.map(|actor| actor.to_string()),
            ["client", "operator", "server"]
        );
    }
}
