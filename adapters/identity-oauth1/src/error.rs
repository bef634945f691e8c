use domain::ports::{ProviderError, ProviderFault};
use http::StatusCode;
use outbound_http::{BadHeader, OutboundError};

/// Why a provider cannot be asked: the configuration will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuth1ConfigError {
    /// An address is none, or is plain http to another machine.
    #[error("{field}: https is needed, as in https://example.com/path")]
    Address {
        /// Which field, in the spelling of `providers.json`.
        field: &'static str,
    },
    /// There is no consumer key, or no secret to sign with.
    #[error("consumerKey or consumerSecret is missing")]
    Consumer,
    /// A header cannot be sent.
    #[error("customHeaders: {name:?} cannot be sent, or is ours to say")]
    Header {
        /// Its name.
        name: String,
    },
}

impl From<BadHeader> for OAuth1ConfigError {
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

/// What a status alone says; `fault` is what a refusal means here.
pub fn judge_status(status: StatusCode, fault: ProviderFault) -> Result<(), ProviderError> {
    let detail = format!("the provider answered {}", status.as_u16());
    let later = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
    if status.is_success() {
        Ok(())
    } else if status.is_server_error() || later.contains(&status) {
        Err(ProviderError::Unavailable(detail))
    } else if status.is_client_error() {
        Err(ProviderError::refused(fault, detail))
    } else {
        Err(ProviderError::refused(ProviderFault::ResponseInvalid, detail))
    }
}
