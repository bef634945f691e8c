use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy};
use url::Url;

use crate::address::admit;
use crate::error::root_of;
use crate::{OutboundConfig, OutboundError};

/// What never goes through a proxy.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

/// Connections are kept for less than servers commonly keep theirs, so that a request rarely meets one that is just closing.
const IDLE: Duration = Duration::from_secs(15);

/// Asks other servers, within bounds. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    config: Arc<OutboundConfig>,
}

impl Outbound {
    /// Reads the certificates and makes ready; asks nobody yet. An error is always the configuration's.
    pub fn new(config: OutboundConfig) -> Result<Self, OutboundError> {
        let builder = Client::builder()
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(IDLE)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .user_agent(&config.user_agent);
        let builder = with_proxy(with_certificates(builder, &config)?, &config)?;
        let client = builder
            .build()
            .map_err(|error| OutboundError::Config(root_of(&error)))?;
        Ok(Self {
            client,
            config: Arc::new(config),
        })
    }

    /// Sends a request and reads the whole answer, whatever its status. Redirections are handed back, not followed.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, OutboundError> {
        let (url, host) = admit(&request.uri().to_string())?;
        let exchange = self.exchange(request, url, &host);
        let Ok(outcome) = tokio::time::timeout(self.config.total_timeout, exchange).await else {
            tracing::debug!(host, "no answer in time");
            return Err(OutboundError::Timeout { host });
        };
        if let Err(error) = &outcome {
            tracing::debug!(%error, "no answer");
        }
        outcome
    }

    async fn exchange(
        &self,
        request: Request<Vec<u8>>,
        url: Url,
        host: &str,
    ) -> Result<Response<Vec<u8>>, OutboundError> {
        let (parts, body) = request.into_parts();
        let ready = self.client.request(parts.method, url).headers(parts.headers);
        let ready = ready.body(body).build().map_err(|error| judge(&error, host))?;
        let again = ready.try_clone();
        match (self.client.execute(ready).await, again) {
            (Err(error), Some(again)) if error.is_connect() => {
                let answer = self.client.execute(again).await;
                self.read(answer.map_err(|error| judge(&error, host))?, host)
                    .await
            }
            (answer, _) => {
                self.read(answer.map_err(|error| judge(&error, host))?, host)
                    .await
            }
        }
    }

    async fn read(
        &self,
        mut answer: reqwest::Response,
        host: &str,
    ) -> Result<Response<Vec<u8>>, OutboundError> {
        let limit = self.config.max_body;
        let too_large = || OutboundError::TooLarge {
            host: host.to_owned(),
            limit,
        };
        let announced = answer
            .content_length()
            .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(announced.unwrap_or_default());
        while let Some(chunk) = answer.chunk().await.map_err(|error| judge(&error, host))? {
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body);
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

fn with_certificates(
    builder: ClientBuilder,
    config: &OutboundConfig,
) -> Result<ClientBuilder, OutboundError> {
    let Some(file) = &config.ca_file else {
        return Ok(builder);
    };
    let wrong = |reason: String| OutboundError::Config(format!("{}: {reason}", file.display()));
    let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(root_of(&error)))?;
    if certificates.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(builder.tls_certs_merge(certificates))
}

fn with_proxy(builder: ClientBuilder, config: &OutboundConfig) -> Result<ClientBuilder, OutboundError> {
    let Some(address) = &config.proxy else {
        return Ok(builder);
    };
    let wrong = || OutboundError::Config("the proxy's address cannot be read".to_owned());
    let proxy = Proxy::all(address).map_err(|_| wrong())?;
    Ok(builder.proxy(proxy.no_proxy(NoProxy::from_string(THIS_MACHINE))))
}

fn judge(error: &reqwest::Error, host: &str) -> OutboundError {
    let host = host.to_owned();
    // First: a connection that did not come about in time is no doubt about a request.
    if error.is_connect() {
        OutboundError::Connect {
            host,
            reason: root_of(error),
        }
    } else if error.is_timeout() {
        OutboundError::Timeout { host }
    } else {
        OutboundError::Broken {
            host,
            reason: root_of(error),
        }
    }
}
