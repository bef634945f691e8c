use domain::ports::{ProviderError, ProviderFault};
use outbound_http::OutboundError;

/// Why an entry cannot be used: its configuration will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SamlConfigError {
    /// Something is not said that has to be.
    #[error("{key} is missing: {why}")]
    Missing {
        /// Which key, in the spelling of `providers.json`.
        key: &'static str,
        /// What it is needed for.
        why: &'static str,
    },
    /// An address is none, or is plain http to another machine.
    #[error("{key}: https is needed, as in https://example.com/path")]
    Address {
        /// Which key.
        key: &'static str,
    },
    /// A certificate or key cannot be read, or is too weak.
    #[error("{key}: {why}")]
    Key {
        /// Which key.
        key: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A value that is not one of those there are, or that would let in what must stay out.
    #[error("{key}: {why}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The metadata in the configuration will not do.
    #[error("metadata: {0}")]
    Metadata(String),
}

/// An answer that did not come, or is more than we read.
pub fn from_outbound(error: &OutboundError) -> ProviderError {
    if error.is_unavailable() {
        ProviderError::Unavailable(error.to_string())
    } else {
        ProviderError::refused(ProviderFault::ResponseInvalid, error.to_string())
    }
}

/// A message that is no message as we take them.
pub fn malformed(detail: impl Into<String>) -> ProviderError {
    ProviderError::refused(ProviderFault::SamlMalformed, detail)
}
