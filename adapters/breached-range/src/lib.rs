#![doc = include_str!("../README.md")]

mod range;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use domain::credential::Password;
use domain::ports::{BreachedPasswords, PortError};
use http::header::ACCEPT;
use http::{Request, StatusCode};
use outbound_http::{Outbound, OutboundConfig, OutboundError};

use range::Asked;

/// Longest wait: somebody sits in front of a form.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a range was not given.
#[derive(Debug, thiserror::Error)]
enum Outage {
    #[error(transparent)]
    Call(#[from] OutboundError),
    #[error("the address of the range cannot be read")]
    Address(#[from] http::Error),
    #[error("the answer has status {0}")]
    Status(StatusCode),
    #[error("the answer is no range of hashes")]
    Body,
}

/// Asks for ranges of hashes.
#[derive(Clone)]
pub struct BreachedRange {
    base: String,
    outbound: Outbound,
}

impl BreachedRange {
    /// Ranges below `base`, asked in the way of `outbound` but for its patience. Asks nobody yet.
    ///
    /// # Errors
    /// Always the configuration's: an address that may not be asked, certificates or a proxy that cannot be used.
    pub fn open(base: &str, outbound: OutboundConfig) -> Result<Self, OutboundError> {
        let base = base.trim_end_matches('/').to_owned();
        outbound_http::check_address(&base)?;
        let outbound = Outbound::new(OutboundConfig {
            connect_timeout: outbound.connect_timeout.min(PATIENCE),
            total_timeout: PATIENCE,
            ..outbound
        })?;
        Ok(Self { base, outbound })
    }

    async fn ask(&self, asked: &Asked) -> Result<bool, Outage> {
        let request = Request::get(format!("{}/{}", self.base, asked.prefix()))
            .header("Add-Padding", "true")
            .header(ACCEPT, "text/plain")
            .body(Vec::new())?;
        let answer = self.outbound.send(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(Outage::Status(answer.status()));
        }
        asked.is_in(answer.body()).ok_or(Outage::Body)
    }
}

#[async_trait]
impl BreachedPasswords for BreachedRange {
    async fn is_breached(&self, password: &Password) -> Result<bool, PortError> {
        let asked = Asked::about(password);
        self.ask(&asked).await.map_err(|outage| {
            tracing::warn!(%outage, "breached passwords could not be asked for");
            PortError::unavailable(outage)
        })
    }
}

impl fmt::Debug for BreachedRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachedRange")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
