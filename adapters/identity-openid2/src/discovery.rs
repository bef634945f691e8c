//! Who may speak for an identifier (section 7.3): Yadis first, then the links of an HTML page.

use std::time::Duration;

use domain::ports::{ProviderError, ProviderFault as Fault};
use outbound_http::Outbound;
use url::Url;

use crate::address::{Reach, identifier};
use crate::error::refused;
use crate::fetch::{Fetch, Page};
use crate::html::Head;
use crate::xrds::{SERVER, SIGNON, Service};
use crate::{html, xrds};

/// Longest discovery, however many pages it takes.
const PATIENCE: Duration = Duration::from_secs(15);

/// A provider that may speak for a claimed identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Where it takes requests.
    pub endpoint: Url,
    /// What it calls the person.
    pub local_id: String,
}

/// What an identifier turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovered {
    /// A provider's own: it asks people who they are.
    Provider {
        /// Where it takes requests, the preferred address first.
        endpoints: Vec<Url>,
    },
    /// A person's.
    Person {
        /// The identifier, where redirections ended.
        claimed: Url,
        /// Who may speak for it, the preferred first.
        speakers: Vec<Speaker>,
    },
}

impl Discovered {
    /// Whether requests are taken at that address.
    pub fn has_endpoint(&self, endpoint: &Url) -> bool {
        match self {
            Self::Provider { endpoints } => endpoints.contains(endpoint),
            Self::Person { speakers, .. } => speakers.iter().any(|speaker| speaker.endpoint == *endpoint),
        }
    }
}

/// Looks up the configured identifier.
pub async fn of_entry(outbound: &Outbound, reach: &Reach, url: &Url) -> Result<Discovered, ProviderError> {
    let (claimed, services) = look_up(outbound, reach, url, true).await?;
    let endpoints = services.iter().filter(|service| service.is(SERVER));
    let endpoints: Vec<Url> = endpoints
        .flat_map(|service| &service.uris)
        .filter_map(|uri| usable(reach, uri))
        .collect();
    if !endpoints.is_empty() {
        return Ok(Discovered::Provider { endpoints });
    }
    let mut speakers = speakers(&services, &claimed);
    speakers.retain(|speaker| reach.admits(&speaker.endpoint));
    if speakers.is_empty() {
        return Err(refused(
            Fault::OpenIdDiscovery,
            "nothing there speaks OpenID 2.0 at an address we may ask",
        ));
    }
    Ok(Discovered::Person { claimed, speakers })
}

/// Who may speak for a claimed identifier (section 11.2). Where it leads elsewhere it is refused: whoever can make a host redirect
/// would speak for that host's addresses.
pub async fn of_claim(
    outbound: &Outbound,
    reach: &Reach,
    claimed: &Url,
) -> Result<Vec<Speaker>, ProviderError> {
    let (url, services) = look_up(outbound, reach, claimed, false).await?;
    Ok(speakers(&services, &url))
}

fn speakers(services: &[Service], claimed: &Url) -> Vec<Speaker> {
    let signons = services.iter().filter(|service| service.is(SIGNON));
    let each = signons.flat_map(|service| service.uris.iter().map(move |uri| (service, uri)));
    let speakers = each.filter_map(|(service, uri)| {
        Some(Speaker {
            endpoint: identifier(uri)?,
            local_id: service.local_id.clone().unwrap_or_else(|| claimed.to_string()),
        })
    });
    speakers.collect()
}

fn usable(reach: &Reach, uri: &str) -> Option<Url> {
    identifier(uri).filter(|url| reach.admits(url))
}

async fn look_up(
    outbound: &Outbound,
    reach: &Reach,
    url: &Url,
    follow: bool,
) -> Result<(Url, Vec<Service>), ProviderError> {
    let looking = walk(Fetch::new(outbound, reach), url, follow);
    let Ok(found) = tokio::time::timeout(PATIENCE, looking).await else {
        return Err(ProviderError::Unavailable("discovery takes too long".to_owned()));
    };
    found
}

async fn walk(mut fetch: Fetch<'_>, url: &Url, follow: bool) -> Result<(Url, Vec<Service>), ProviderError> {
    let page = fetch.page(url, follow).await?;
    let head = if page.is_xrds {
        Head::default()
    } else {
        html::head(&page.body)
    };
    let location = page.xrds_location.as_deref().or(head.xrds_location.as_deref());
    let mut services = match location {
        _ if page.is_xrds => read(&page.body)?,
        Some(location) => read(&document(&mut fetch, location).await?.body)?,
        None => Vec::new(),
    };
    services.retain(|service| service.is(SERVER) || service.is(SIGNON));
    if services.is_empty() {
        services.extend(head.provider.map(|provider| Service {
            types: vec![SIGNON.to_owned()],
            uris: vec![provider],
            local_id: head.local_id,
        }));
    }
    if services.is_empty() {
        return Err(refused(
            Fault::OpenIdDiscovery,
            "the page says nothing of OpenID 2.0",
        ));
    }
    Ok((page.url, services))
}

async fn document(fetch: &mut Fetch<'_>, location: &str) -> Result<Page, ProviderError> {
    let url = identifier(location);
    let url = url.ok_or_else(|| {
        refused(
            Fault::OpenIdDiscovery,
            "the location of the XRDS document is no address",
        )
    })?;
    fetch.page(&url, true).await
}

fn read(body: &[u8]) -> Result<Vec<Service>, ProviderError> {
    xrds::parse(body)
        .ok_or_else(|| refused(Fault::OpenIdDiscovery, "what should be an XRDS document is none"))
}
