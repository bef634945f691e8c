use domain::ports::{ProviderError, ProviderFault};
use http::StatusCode;
use outbound_http::OutboundError;

/// Why a provider cannot be asked: the configuration will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenId2ConfigError {
    /// The identifier is none that we look up.
    #[error(
        "providerURL: an address is needed, as in https://id.example.com/; XRIs and plain http to other machines are not supported"
    )]
    Identifier,
    /// The realm is none.
    #[error("realm: an address without a fragment is needed, as in https://www.example.com/")]
    Realm,
    /// The base of Steam's Web API is none.
    #[error("apiBase: https is needed, as in https://api.steampowered.com")]
    ApiBase,
    /// An attribute has no name of its own, or no type.
    #[error(
        "attributes: {name:?} needs a name of its own of letters, digits and _, and the address of its type"
    )]
    Attribute {
        /// Its name.
        name: String,
    },
    /// The groups are to come from something that is not asked for.
    #[error("groupsAttribute: {name:?} is not among the attributes")]
    Groups {
        /// Its name.
        name: String,
    },
    /// The key cannot be sent.
    #[error("apiKey: it cannot be sent")]
    ApiKey,
}

/// A refusal as a value: `return Err(refused(…))`.
pub fn refused(fault: ProviderFault, detail: impl Into<String>) -> ProviderError {
    ProviderError::refused(fault, detail)
}

/// An answer that did not come, or is more than we read.
pub fn from_outbound(error: &OutboundError, fault: ProviderFault) -> ProviderError {
    if error.is_unavailable() {
        ProviderError::Unavailable(error.to_string())
    } else {
        refused(fault, error.to_string())
    }
}

/// What a status alone says; `fault` is what a refusal means here. Redirections are refused too.
pub fn judge_status(status: StatusCode, fault: ProviderFault) -> Result<(), ProviderError> {
    let detail = format!("the provider answered {}", status.as_u16());
    let later = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
    if status == StatusCode::OK {
        Ok(())
    } else if status.is_server_error() || later.contains(&status) {
        Err(ProviderError::Unavailable(detail))
    } else {
        Err(refused(fault, detail))
    }
}
