//! What is left of an ended session or a spent flow where those live in a cache that may forget or go back in time.

use crate::flow_record::FlowRecord;
use crate::secret::TokenHash;
use crate::session::Session;
use crate::time::{Lifetime, Timestamp};

/// How long a tombstone outlives what it covers: more than the clocks of two nodes ever differ by.
const MARGIN: Lifetime = Lifetime::from_secs(60 * 60);

/// The durable fact that a token is spent: the session it presents was ended, or the flow it continues was taken. Whatever a cache
/// says afterwards, the token is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Hash of the token. Sessions and flows share the space: 256 bits never meet by chance.
    pub token: TokenHash,
    /// The moment from which nobody needs it: what it covers is void by its age. None where that would have lived for ever.
    pub until: Option<Timestamp>,
}

impl Tombstone {
    /// For a session that is ended.
    pub fn of_session(session: &Session) -> Self {
        let expires = session.life.expires(session.created);
        Self {
            token: session.token,
            until: expires.map(|expires| expires.plus(MARGIN)),
        }
    }

    /// For a flow that is spent.
    pub fn of_flow(flow: &FlowRecord) -> Self {
        Self {
            token: flow.id,
            until: Some(flow.expires.plus(MARGIN)),
        }
    }

    /// Whether nobody needs it any more at `now`.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until < now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PoolName, SessionId, UserId, UserKey};
    use crate::secret::Token;
    use crate::session::TokenLife;
    use crate::user::SessionEpoch;

    fn session(life: TokenLife) -> Session {
        Session {
            id: SessionId::new("s"),
            token: Token::presented("t").hash(),
            user: UserKey::new(PoolName::new("Users"), UserId::new("1")),
            epoch: SessionEpoch::default(),
            created: Timestamp::from_millis(5),
            life,
            factors: Vec::new(),
            proven: Timestamp::from_millis(5),
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
    fn a_tombstone_outlives_the_session_it_covers_by_an_hour() {
        let covered = session(TokenLife::Finite(Lifetime::from_secs(10)));
        let stone = Tombstone::of_session(&covered);
        let over = Timestamp::from_millis(5 + 10_000 + 3_600_000);
        assert!(!stone.is_over(over));
        assert!(stone.is_over(Timestamp::from_millis(over.as_millis() + 1)));
    }

    #[test]
    fn the_tombstone_of_an_eternal_session_is_eternal() {
        let stone = Tombstone::of_session(&session(TokenLife::Eternal));
        assert!(!stone.is_over(Timestamp::from_millis(i64::MAX)));
    }
}
