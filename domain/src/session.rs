//! A live login, and the access token that presents it.

use serde::{Deserialize, Serialize};

use crate::id::{SessionId, UserKey};
use crate::secret::{Token, TokenHash};
use crate::time::{Lifetime, Timestamp};
use crate::user::{SessionEpoch, User};

/// How long an access token lives. LoopBack's `ttl`: seconds, or −1 for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenLife {
    /// This long from its creation; no sliding renewal.
    Finite(Lifetime),
    /// Until it is ended; only where the pool allows eternal tokens.
    Eternal,
}

impl TokenLife {
    /// The moment a token created at `created` dies; `None` for never.
    pub fn expires(self, created: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Finite(life) => Some(created.plus(life)),
            Self::Eternal => None,
        }
    }
}

/// Something a person proved at login: the `amr` values of RFC 8176.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Factor {
    /// A password.
    #[serde(rename = "pwd")]
    Password,
    /// A code sent by text message.
    Sms,
    /// An account at a provider. Not registered by RFC 8176; the name others use.
    #[serde(rename = "fed")]
    Federated,
    /// A code sent by e-mail. Not registered by RFC 8176.
    Email,
}

impl Factor {
    /// The RFC 8176 name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Sms => "sms",
            Self::Federated => "fed",
            Self::Email => "email",
        }
    }
}

/// A live login as a store keeps it: never the token, only its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names the session in lists and audit lines.
    pub id: SessionId,
    /// Hash of the token that presents it.
    pub token: TokenHash,
    /// Whose login it is.
    pub user: UserKey,
    /// The user's epoch when it was opened; see [`User::honours`].
    pub epoch: SessionEpoch,
    /// When it was opened.
    pub created: Timestamp,
    /// How long it lives.
    pub life: TokenLife,
    /// What was proven when it was opened.
    pub factors: Vec<Factor>,
}

/// How a session stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be used.
    Live,
    /// Its life is over.
    Expired,
    /// It was ended: by a changed password or e-mail, or because its user is gone.
    Ended,
}

impl Session {
    /// Judges a stored session against the stored user it names.
    pub fn standing(&self, user: Option<&User>, now: Timestamp) -> Standing {
        let honoured = user.is_some_and(|user| user.key == self.user && user.honours(self.epoch, &self.id));
        if !honoured {
            Standing::Ended
        } else if self.is_expired(now) {
            Standing::Expired
        } else {
            Standing::Live
        }
    }

    /// Whether its life is over: at `created + life` to the millisecond, never earlier.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.life
            .expires(self.created)
            .is_some_and(|expires| now >= expires)
    }

    /// Whether the login is so recent that it may stand for a fresh proof.
    pub fn is_fresh(&self, within: Lifetime, now: Timestamp) -> bool {
        now.since(self.created) <= within
    }
}

/// What a login hands out, once: the token in clear, the session it opens and whose it is.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The bearer token, shown once.
    pub secret: Token,
    /// The session it presents.
    pub session: Session,
    /// Whose login it is.
    pub user: User,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PoolName, UserId};

    fn session_of(user: &User) -> Session {
        Session {
            id: SessionId::new("s"),
            token: Token::presented("t").hash(),
            user: user.key.clone(),
            epoch: user.session_epoch,
            created: Timestamp::from_millis(1_000),
            life: TokenLife::Finite(Lifetime::from_secs(10)),
            factors: vec![Factor::Password],
        }
    }

    fn user() -> User {
        User::blank(
            UserKey::new(PoolName::new("Users"), UserId::new("1")),
            Timestamp::from_millis(0),
        )
    }

    #[test]
    fn a_session_dies_at_the_end_of_its_life_and_not_before() {
        let user = user();
        let session = session_of(&user);
        assert_eq!(
            session.standing(Some(&user), Timestamp::from_millis(10_999)),
            Standing::Live
        );
        assert_eq!(
            session.standing(Some(&user), Timestamp::from_millis(11_000)),
            Standing::Expired
        );
    }

    #[test]
    fn an_eternal_session_outlives_every_clock() {
        let user = user();
        let session = Session {
            life: TokenLife::Eternal,
            ..session_of(&user)
        };
        assert_eq!(
            session.standing(Some(&user), Timestamp::from_millis(i64::MAX)),
            Standing::Live
        );
    }

    #[test]
    fn a_session_without_its_user_or_epoch_is_ended() {
        let mut user = user();
        let session = session_of(&user);
        assert_eq!(session.standing(None, session.created), Standing::Ended);
        user.end_sessions(None);
        assert_eq!(session.standing(Some(&user), session.created), Standing::Ended);
    }
}
