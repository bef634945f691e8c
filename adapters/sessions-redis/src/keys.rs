//! Names of keys. Each has its own hash tag (braces), and no command touches two: so any of them may live on any node of a cluster.

use domain::flow_record::FlowKind;
use domain::id::UserKey;
use domain::limits::LimitKey;
use domain::secret::TokenHash;

/// Makes the names, all under one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// A session.
    pub fn session(&self, token: &TokenHash) -> String {
        format!("{}s:{{{}}}", self.prefix, token.to_text())
    }

    /// What the keys of all sessions begin with: what Redis is asked to tell changes of.
    pub fn sessions(&self) -> String {
        format!("{}s:", self.prefix)
    }

    /// Which session a key names.
    pub fn session_of(&self, key: &str) -> Option<TokenHash> {
        let token = key.strip_prefix(&self.prefix)?.strip_prefix("s:{")?;
        TokenHash::from_text(token.strip_suffix('}')?)
    }

    /// The sessions of a user.
    pub fn sessions_of(&self, user: &UserKey) -> String {
        format!("{}u:{{{}}}", self.prefix, escaped(user))
    }

    /// A flow.
    pub fn flow(&self, id: &TokenHash) -> String {
        format!("{}f:{{{}}}", self.prefix, id.to_text())
    }

    /// The flows of one kind of a user.
    pub fn flows_of(&self, user: &UserKey, kind: FlowKind) -> String {
        format!("{}fu:{{{}/{}}}", self.prefix, escaped(user), kind.name())
    }

    /// A counter.
    pub fn counter(&self, key: &LimitKey) -> String {
        format!("{}l:{{{}}}", self.prefix, key.as_str())
    }
}

/// Pool and id, so that no two users have one key and no brace ends the hash tag early.
fn escaped(user: &UserKey) -> String {
    let mut text = String::new();
    for (part, end) in [(user.pool.as_str(), "/"), (user.id.as_str(), "")] {
        for c in part.chars() {
            match c {
                '%' => text.push_str("%25"),
                '/' => text.push_str("%2F"),
                '{' => text.push_str("%7B"),
                '}' => text.push_str("%7D"),
                c => text.push(c),
            }
        }
        text.push_str(end);
    }
    text
}

/// The slot of a key in a cluster: CRC16 (XMODEM) of its hash tag, modulo 16384, as the cluster specification says.
pub(crate) fn slot(key: &str) -> u16 {
    let tag = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty())
        .unwrap_or(key);
    let crc = tag.bytes().fold(0_u16, |mut crc, byte| {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            };
        }
        crc
    });
    crc % 16384
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::sample::{key, token};

    #[test]
    fn a_slot_is_the_one_redis_computes() {
        // The examples of the cluster specification, and `CLUSTER KEYSLOT`.
        assert_eq!(slot("123456789"), 0x31c3);
        assert_eq!(slot("foo"), 12182);
        assert_eq!(slot("{user1000}.following"), slot("{user1000}.followers"));
        assert_eq!(slot("foo{}{bar}"), slot("foo{}{bar}"));
    }

    #[test]
    fn a_session_is_read_back_from_its_key() {
        let keys = Keys::new("p:");
        let token = token("t");
        assert_eq!(keys.session_of(&keys.session(&token)), Some(token));
        assert_eq!(keys.session_of(&keys.flow(&token)), None);
        assert!(keys.session(&token).starts_with(&keys.sessions()));
    }

    #[test]
    fn no_two_users_share_an_index() {
        let keys = Keys::new("p:");
        let index = |pool: &str, id: &str| keys.sessions_of(&key(pool, id));
        assert_ne!(index("a/b", "c"), index("a", "b/c"));
        assert_ne!(index("a", "{b}"), index("a", "%7Bb%7D"));
        assert_eq!(index("Users", "Zoë"), "p:u:{Users/Zoë}");
    }
}
