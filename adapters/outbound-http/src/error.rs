use std::error::Error;

/// Why there is no answer. Fit for logs: no address in full, no header, no body.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The configuration will not do.
    #[error("outgoing http: {0}")]
    Config(String),
    /// Nothing to ask at: no web address, or one with a user or a fragment in it.
    #[error("not an address to ask at: {0}")]
    Address(&'static str),
    /// Plain http to another machine.
    #[error("{host} is asked over plain http: https is needed")]
    Plaintext {
        /// Who was to be asked.
        host: String,
    },
    /// More than we read.
    #[error("{host} sends more than {limit} bytes")]
    TooLarge {
        /// Who was asked.
        host: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// No whole answer in time.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Who was asked.
        host: String,
    },
    /// No connection, also not at the second attempt: the name, the network or the certificate.
    #[error("no connection to {host}: {reason}")]
    Connect {
        /// Who was asked.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// The exchange broke off, or was no HTTP.
    #[error("the exchange with {host} broke off: {reason}")]
    Broken {
        /// Who was asked.
        host: String,
        /// What the system says.
        reason: String,
    },
}

impl OutboundError {
    /// Whether the same request may well succeed later.
    pub const fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Timeout { .. } | Self::Connect { .. } | Self::Broken { .. }
        )
    }
}

/// The innermost reason: what lies around it repeats the address.
pub fn root_of(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
