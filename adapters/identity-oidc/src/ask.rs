//! Asking the provider, and what its silence means.

use domain::ports::{ProviderError, ProviderFault as Fault};
use http::{Request, Response, StatusCode, header};
use outbound_http::{Outbound, OutboundError};

/// A refusal.
pub fn refuse<T>(fault: Fault, detail: &str) -> Result<T, ProviderError> {
    Err(ProviderError::refused(fault, detail))
}

/// A GET request for JSON.
pub fn get(address: &str) -> Result<Request<Vec<u8>>, ProviderError> {
    let request = Request::get(address).header(header::ACCEPT, "application/json");
    finish(request.body(Vec::new()))
}

/// A request that could be built.
pub fn finish(built: Result<Request<Vec<u8>>, http::Error>) -> Result<Request<Vec<u8>>, ProviderError> {
    built.or_else(|_| refuse(Fault::DiscoveryInvalid, "an endpoint cannot be asked"))
}

/// Sends it. A redirection is refused, a server's own trouble is an outage; what is left is an answer.
pub async fn send(
    outbound: &Outbound,
    request: Request<Vec<u8>>,
    what: &str,
) -> Result<Response<Vec<u8>>, ProviderError> {
    let response = outbound.send(request).await.map_err(|error| match error {
        error if error.is_unavailable() => ProviderError::Unavailable(format!("{what}: {error}")),
        OutboundError::TooLarge { .. } => {
            ProviderError::refused(Fault::ResponseInvalid, format!("{what}: {error}"))
        }
        error => ProviderError::refused(Fault::DiscoveryInvalid, format!("{what}: {error}")),
    })?;
    let status = response.status();
    if status.is_redirection() {
        return refuse(Fault::ResponseInvalid, &format!("{what}: redirected ({status})"));
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(ProviderError::Unavailable(format!("{what}: answered {status}")));
    }
    Ok(response)
}

/// A published document as JSON.
pub async fn fetch(
    outbound: &Outbound,
    address: &str,
    what: &str,
) -> Result<serde_json::Value, ProviderError> {
    let response = send(outbound, get(address)?, what).await?;
    if response.status() != StatusCode::OK {
        let detail = format!("{what}: answered {}", response.status());
        return refuse(Fault::DiscoveryInvalid, &detail);
    }
    serde_json::from_slice(response.body())
        .or_else(|_| refuse(Fault::DiscoveryInvalid, &format!("{what}: not JSON")))
}

/// The same error once more, for everybody who waited for the same answer.
pub fn copy(error: &ProviderError) -> ProviderError {
    match error {
        ProviderError::Refused { fault, detail } => ProviderError::refused(*fault, detail.clone()),
        ProviderError::Unavailable(reason) => ProviderError::Unavailable(reason.clone()),
    }
}
