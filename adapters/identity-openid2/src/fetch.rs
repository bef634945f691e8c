//! Pages of strangers, fetched within bounds: few of them, each redirection judged before it is followed.

use domain::ports::{ProviderError, ProviderFault as Fault};
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use outbound_http::Outbound;
use url::Url;

use crate::address::{Reach, without_fragment};
use crate::error::{from_outbound, judge_status, refused};

/// What we understand, as Yadis 1.0 asks for it.
const ACCEPTED: &str = "application/xrds+xml, text/html;q=0.9, application/xhtml+xml;q=0.9";

/// Most requests for one discovery, redirections counted.
const MOST_REQUESTS: usize = 6;

/// A page and where it was found in the end.
pub struct Page {
    /// Its address.
    pub url: Url,
    /// Whether it says to be an XRDS document.
    pub is_xrds: bool,
    /// The header `X-XRDS-Location`.
    pub xrds_location: Option<String>,
    /// What it holds.
    pub body: Vec<u8>,
}

/// Fetches the pages of one discovery.
pub struct Fetch<'a> {
    outbound: &'a Outbound,
    reach: &'a Reach,
    left: usize,
}

impl<'a> Fetch<'a> {
    /// Begins with nothing asked yet.
    pub fn new(outbound: &'a Outbound, reach: &'a Reach) -> Self {
        Self {
            outbound,
            reach,
            left: MOST_REQUESTS,
        }
    }

    /// A page. Redirections are followed where `follow` says so, else they are refused.
    pub async fn page(&mut self, from: &Url, follow: bool) -> Result<Page, ProviderError> {
        let mut url = without_fragment(from);
        loop {
            self.reach.admit(&url, Fault::OpenIdDiscovery)?;
            let answer = self.ask(&url).await?;
            if !is_redirection(answer.status()) {
                judge_status(answer.status(), Fault::OpenIdDiscovery)?;
                return Ok(page(url, answer));
            }
            if !follow {
                return Err(refused(
                    Fault::OpenIdDiscovery,
                    "an identifier that leads elsewhere is another one",
                ));
            }
            url = onward(&url, answer.headers())?;
        }
    }

    async fn ask(&mut self, url: &Url) -> Result<Response<Vec<u8>>, ProviderError> {
        let too_many = || refused(Fault::OpenIdDiscovery, "discovery goes round and round");
        self.left = self.left.checked_sub(1).ok_or_else(too_many)?;
        let mut request = Request::new(Vec::new());
        let unsendable = |_| refused(Fault::OpenIdDiscovery, "the address cannot be asked");
        *request.uri_mut() = url.as_str().parse().map_err(unsendable)?;
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
        let answer = self.outbound.send(request).await;
        answer.map_err(|error| from_outbound(&error, Fault::OpenIdDiscovery))
    }
}

fn is_redirection(status: StatusCode) -> bool {
    [301, 302, 303, 307, 308].contains(&status.as_u16())
}

fn onward(from: &Url, headers: &HeaderMap) -> Result<Url, ProviderError> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let url = location.and_then(|location| from.join(location).ok());
    let url = url.ok_or_else(|| refused(Fault::OpenIdDiscovery, "a redirection leads nowhere"))?;
    Ok(without_fragment(&url))
}

fn page(url: Url, answer: Response<Vec<u8>>) -> Page {
    let text = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let media = text(CONTENT_TYPE.as_str()).and_then(|media| media.split(';').next());
    Page {
        url,
        is_xrds: media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/xrds+xml")),
        xrds_location: text("x-xrds-location").map(|location| location.trim().to_owned()),
        body: answer.into_body(),
    }
}
