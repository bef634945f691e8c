//! A live login, and the access token that presents it.

use serde::{Deserialize, Serialize};

use crate::id::{RefreshId, SessionId, UserKey};
use crate::identity::FederatedSession;
use crate::limits::ClientAddress;
use crate::origin::Agent;
use crate::secret::{Token, TokenHash};
use crate::time::{Lifetime, Timestamp};
use crate::user::{SessionEpoch, User};

/// How often the use of a session is written down at most.
const TOUCH_EVERY: Lifetime = Lifetime::from_secs(300);

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
    /// A code of an authenticator app.
    #[serde(rename = "otp")]
    Totp,
    /// A recovery code. Not registered by RFC 8176.
    Recovery,
    /// A passkey: possession of a key (RFC 8176 has no closer word).
    #[serde(rename = "pop")]
    Passkey,
    /// A passkey that verified its user by itself: two kinds of factor in one (NIST SP 800-63B section 3.1.7).
    #[serde(rename = "mfa")]
    VerifiedPasskey,
}

/// How sure a session is of its user, by the names of NIST SP 800-63B: the value of `acr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssuranceLevel {
    /// One kind of factor was proven.
    Aal1,
    /// Two kinds were.
    Aal2,
}

impl AssuranceLevel {
    /// What those factors prove together. A mailed code beside an account elsewhere is one kind: both stand on a mailbox (ASVS 6.3.6).
    pub fn of(factors: &[Factor]) -> Self {
        let second = factors.iter().any(|factor| factor.is_second());
        let first = factors.iter().any(|factor| factor.is_first());
        let both = (first && second) || factors.contains(&Factor::VerifiedPasskey);
        if both { Self::Aal2 } else { Self::Aal1 }
    }

    /// The name, as in `acr`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        }
    }
}

impl Factor {
    /// The RFC 8176 name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Sms => "sms",
            Self::Federated => "fed",
            Self::Email => "email",
            Self::Totp => "otp",
            Self::Recovery => "recovery",
            Self::Passkey => "pop",
            Self::VerifiedPasskey => "mfa",
        }
    }

    /// Whether it opens a login by itself, as far as no second factor is due.
    pub const fn is_first(self) -> bool {
        matches!(
            self,
            Self::Password | Self::Federated | Self::Email | Self::VerifiedPasskey
        )
    }

    /// Whether it may stand beside a first one.
    pub const fn is_second(self) -> bool {
        matches!(
            self,
            Self::Sms | Self::Totp | Self::Recovery | Self::Passkey | Self::VerifiedPasskey
        )
    }
}

/// Who acts by a session in the place of its user: an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impersonator {
    /// The administrator.
    pub user: UserKey,
    /// Their own session, by which they began it.
    pub session: SessionId,
    /// Their epoch at that moment: what ends all their sessions ends this one.
    pub epoch: SessionEpoch,
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
    /// What was proven when it was opened, and since.
    pub factors: Vec<Factor>,
    /// When they were last proven: at login, or at a later step-up.
    pub proven: Timestamp,
    /// When it was last used, to the minute or so; none before the first use.
    pub last_used: Option<Timestamp>,
    /// How long it may lie unused; none for as long as it lives.
    pub idle: Option<Lifetime>,
    /// What the client called itself when it was opened.
    pub agent: Option<Agent>,
    /// Where it was opened from.
    pub address: Option<ClientAddress>,
    /// The chain of refresh tokens that renews it; none for one that ends with its life.
    pub refresh: Option<RefreshId>,
    /// The session at a provider that it stands on: when that one ends there, so does this, where the protocol tells us.
    pub federated: Option<Box<FederatedSession>>,
    /// The administrator who acts by it; none for its user's own.
    pub impersonator: Option<Box<Impersonator>>,
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
        } else if self.is_expired(now) || self.is_idle(now) {
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

    /// Whether it was left unused for too long.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        let used = self.last_used.unwrap_or(self.created);
        self.idle.is_some_and(|idle| now.since(used) >= idle)
    }

    /// Whether a use at `now` is worth remembering: the first one, and then one every few minutes, or often enough for a short
    /// idle time to be kept to an eighth.
    pub fn is_worth_touching(&self, now: Timestamp) -> bool {
        let every = self.idle.map_or(TOUCH_EVERY, |idle| {
            Lifetime::from_millis(idle.as_millis() / 8).min(TOUCH_EVERY)
        });
        self.last_used.is_none_or(|used| now.since(used) >= every)
    }

    /// Whether its holder proved themselves so recently that it may stand for a fresh proof.
    pub fn is_fresh(&self, within: Lifetime, now: Timestamp) -> bool {
        now.since(self.proven) <= within
    }

    /// How sure it is of its user.
    pub fn level(&self) -> AssuranceLevel {
        AssuranceLevel::of(&self.factors)
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
    /// What renews it, shown once; none where none was asked for.
    pub refresh: Option<Token>,
    /// What the device shows at its next login, shown once; none where it has nothing new to remember.
    pub device: Option<Token>,
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
            proven: Timestamp::from_millis(1_000),
            last_used: None,
            idle: None,
            agent: None,
            address: None,
            refresh: None,
            federated: None,
            impersonator: None,
        }
    }

    #[test]
    fn a_session_left_unused_for_too_long_is_expired_and_a_use_in_time_saves_it() {
        let user = user();
        let mut session = Session {
            idle: Some(Lifetime::from_secs(2)),
            ..session_of(&user)
        };
        let at = |millis| Timestamp::from_millis(millis);
        assert_eq!(session.standing(Some(&user), at(2_999)), Standing::Live);
        assert_eq!(session.standing(Some(&user), at(3_000)), Standing::Expired);
        session.last_used = Some(at(2_900));
        assert_eq!(session.standing(Some(&user), at(4_899)), Standing::Live);
    }

    #[test]
    fn two_kinds_of_factor_make_the_second_level() {
        use AssuranceLevel::{Aal1, Aal2};
        assert_eq!(AssuranceLevel::of(&[Factor::Password]), Aal1);
        assert_eq!(AssuranceLevel::of(&[Factor::Federated, Factor::Email]), Aal1);
        assert_eq!(AssuranceLevel::of(&[Factor::Password, Factor::Totp]), Aal2);
        assert_eq!(AssuranceLevel::of(&[Factor::Passkey]), Aal1);
        assert_eq!(AssuranceLevel::of(&[Factor::VerifiedPasskey]), Aal2);
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
