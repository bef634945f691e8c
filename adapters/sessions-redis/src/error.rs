//! What can go wrong, in the words of the ports.

use std::path::PathBuf;

use domain::ports::PortError;
use domain::time::Lifetime;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why the settings cannot be used. A Redis that does not answer is not among the reasons: it may come.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address makes no sense. The sentence repeats nothing of it, since it may hold a password.
    #[error("the Redis URL cannot be used: {0}")]
    Url(String),
    /// The prefix would break keys or patterns.
    #[error("a prefix of Redis keys has 1 to 64 letters, digits or any of : . _ -")]
    Prefix,
    /// The certificates cannot be read.
    #[error("cannot read the certificates in {}: {source}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificates, or the system's, make no TLS client.
    #[error("cannot prepare TLS for Redis: {0}")]
    Tls(String),
}

impl OpenError {
    pub(crate) fn url(sentence: &str) -> Self {
        Self::Url(sentence.to_owned())
    }
}

/// Why a call of Redis failed.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// As many calls are under way as are allowed.
    #[error("too many calls of Redis are under way")]
    Busy,
    /// It was not sent.
    #[error("Redis is not there: {0}")]
    Down(String),
    /// It was done by a server that may not be the master any more.
    #[error("another server of Redis may be the master by now")]
    Unsure,
    /// It was sent, and nobody knows what became of it.
    #[error("Redis did not answer: {0}")]
    Lost(String),
    /// Redis refused it.
    #[error("Redis refused: {0}")]
    Refused(RedisError),
    /// An answer that no version of Redis gives.
    #[error("an answer of Redis makes no sense: {0}")]
    Garbled(&'static str),
}

impl Fault {
    /// Whether the server that answered should not be asked again before somebody has looked at it: it is loading its data, or
    /// is a replica by now.
    pub fn is_of_the_server(&self) -> bool {
        use ServerErrorKind::{BusyLoading, MasterDown, ReadOnly};
        matches!(self, Self::Refused(error)
            if matches!(error.kind(), ErrorKind::Server(BusyLoading | MasterDown | ReadOnly)))
    }

    /// Whether the script has to be sent in full.
    pub fn is_no_script(&self) -> bool {
        matches!(self, Self::Refused(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }
}

impl From<Fault> for PortError {
    fn from(fault: Fault) -> Self {
        let retry = match &fault {
            Fault::Busy => {
                return Self::Busy {
                    retry_after: Lifetime::from_secs(1),
                };
            }
            Fault::Down(_) | Fault::Unsure | Fault::Lost(_) => true,
            Fault::Refused(error) => may_pass(error),
            Fault::Garbled(_) => false,
        };
        Self::Unavailable {
            source: Box::new(fault),
            retry,
        }
    }
}

fn may_pass(error: &RedisError) -> bool {
    // OOM: Redis is full and may not be in a moment.
    !matches!(
        error.kind(),
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm)
    ) && (error.code().is_some_and(|code| code != "ERR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_may_pass_and_a_missing_permission_does_not() {
        let retry = |fault: Fault| match PortError::from(fault) {
            PortError::Unavailable { retry, .. } => Some(retry),
            _ => None,
        };
        let refused = |kind| Fault::Refused(RedisError::from((ErrorKind::Server(kind), "x")));
        assert_eq!(retry(Fault::Down(String::new())), Some(true));
        assert_eq!(retry(Fault::Lost(String::new())), Some(true));
        assert_eq!(retry(refused(ServerErrorKind::BusyLoading)), Some(true));
        assert_eq!(retry(refused(ServerErrorKind::NoPerm)), Some(false));
        assert_eq!(retry(Fault::Busy), None);
    }
}
