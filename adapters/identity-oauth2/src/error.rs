use domain::ports::{ProviderError, ProviderFault};
use outbound_http::{BadHeader, OutboundError};

/// Why a provider cannot be asked: the configuration will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuth2ConfigError {
    /// An address is none, or is plain http to another machine.
    #[error("{field}: https is needed, as in https://example.com/path")]
    Address {
        /// Which field, in the spelling of `providers.json`.
        field: &'static str,
    },
    /// There is no client id.
    #[error("clientID is missing")]
    ClientId,
    /// A header cannot be sent.
    #[error("customHeaders: {name:?} cannot be sent, or is ours to say")]
    Header {
        /// Its name.
        name: String,
    },
}

impl From<BadHeader> for OAuth2ConfigError {
    fn from(BadHeader { name }: BadHeader) -> Self {
        Self::Header { name }
    }
}

/// An answer that did not come, or is more than we read.
pub fn from_outbound(error: &OutboundError) -> ProviderError {
    if error.is_unavailable() {
        ProviderError::Unavailable(error.to_string())
    } else {
        ProviderError::refused(ProviderFault::ResponseInvalid, error.to_string())
    }
}

/// A provider's name for an error, fit for a log. Names are lower-case words; codes and tokens, which a rude provider might repeat
/// in their place, are not.
pub fn printable(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    if !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        name
    } else {
        "an unreadable error"
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn only_words_are_repeated() {
        assert_eq!(printable("bad_verification_code"), "bad_verification_code");
        for name in [
            "",
            "gho_16C7e42F292c6912E7",
            "4/0AbUR2VM",
            "invalid grant",
            "a\nb",
        ] {
            assert_eq!(printable(name), "an unreadable error");
        }
        assert_eq!(printable(&"a".repeat(65)), "an unreadable error");
    }
}
