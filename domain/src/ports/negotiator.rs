use async_trait::async_trait;

use super::{Arrival, ProviderError};
use crate::time::Timestamp;

/// A ticket that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Negotiated {
    /// Who showed it; its [`Arrival::once`] is the ticket's authenticator.
    pub arrival: Arrival,
    /// What proves to the browser that we are who it meant (mutual authentication, RFC 4559 section 5), where it wants to know.
    pub reply: Option<Vec<u8>>,
}

/// Takes the tickets that browsers show by themselves (`Authorization: Negotiate`, RFC 4559).
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Negotiator: Send + Sync {
    /// Judges what a browser sent: the bytes behind `Negotiate`, decoded.
    ///
    /// MUST take nothing but tickets for this very service that are valid at `now`; NTLM MUST be
    /// [`super::ProviderFault::NtlmRefused`], other realms than those configured [`super::ProviderFault::RealmRefused`], and whatever
    /// cannot be read [`super::ProviderFault::TicketMalformed`]. What is taken MUST have an [`Arrival::once`] that no change to the
    /// token around the ticket alters. A second leg of a negotiation MUST be refused: no state is kept between requests.
    async fn accept(&self, token: &[u8], now: Timestamp) -> Result<Negotiated, ProviderError>;

    /// Whether tickets can be taken at all: what is needed for it is on this machine. For the start of a server, so that its operator
    /// hears of it before people do. Nobody else is asked. One that needs nothing is always ready.
    async fn ready(&self) -> Result<(), ProviderError> {
        Ok(())
    }
}
