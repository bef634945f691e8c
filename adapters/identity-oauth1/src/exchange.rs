//! Signed requests, and answers that are forms.

use domain::ports::{ProviderError, ProviderFault};
use domain::secret::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use outbound_http::Outbound;
use url::Url;

use crate::error::from_outbound;
use crate::signature::{Moment, Signer, TokenPair};

/// Longest token or secret taken, in bytes: it goes into an address and a cookie's flow.
const LONGEST: usize = 2048;

/// Sends signed requests at one moment.
pub struct Exchange<'a> {
    pub outbound: &'a Outbound,
    pub headers: &'a HeaderMap,
    /// Seconds since 1970.
    pub timestamp: i64,
}

impl Exchange<'_> {
    /// Signs and sends a request without a body; `own` are the protocol's parameters of just this step.
    pub async fn send(
        &self,
        signer: &Signer<'_>,
        method: Method,
        url: &Url,
        own: &[(&str, &str)],
    ) -> Result<Response<Vec<u8>>, ProviderError> {
        let moment = Moment::at(self.timestamp)?;
        let header = signer.header(method.as_str(), url, own, &moment);
        // Everything in it is percent-encoded: it is always a header.
        let mut header = HeaderValue::from_str(&header).map_err(|_| unsendable())?;
        header.set_sensitive(true);
        let mut request = Request::new(Vec::new());
        *request.uri_mut() = url.as_str().parse().map_err(|_| unsendable())?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if method == Method::POST {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(CONTENT_TYPE, form);
            // Nobody adds it to a request without a body, and some servers refuse its absence (RFC 9110 section 8.6).
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        for (name, value) in self.headers {
            headers.insert(name, value.clone());
        }
        headers.insert(AUTHORIZATION, header);
        *request.method_mut() = method;
        let answer = self.outbound.send(request).await;
        answer.map_err(|error| from_outbound(&error))
    }
}

fn unsendable() -> ProviderError {
    ProviderError::refused(ProviderFault::CallbackInvalid, "the request cannot be sent")
}

/// An answer of names and values. X sends it as `text/html`: the media type says nothing.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads an answer; none if a name is doubled.
    pub fn read(body: &[u8]) -> Option<Self> {
        let pairs = form_urlencoded::parse(body);
        let pairs: Vec<(String, String)> = pairs.into_owned().collect();
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        (names.len() == count).then_some(Self(pairs))
    }

    /// A value that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(given, _)| given == name);
        let (_, value) = found.next()?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// The token and its secret, if both are there and of sensible length.
    pub fn pair(&self) -> Option<TokenPair> {
        let part = |name: &str| self.get(name).filter(|value| value.len() <= LONGEST);
        Some(TokenPair {
            token: Secret::new(part("oauth_token")?),
            secret: Secret::new(part("oauth_token_secret")?),
        })
    }
}

/// What is kept between the two halves of an authorization: the request token and its secret.
pub fn to_carry(pair: &TokenPair) -> Secret {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("oauth_token", pair.token.expose());
    form.append_pair("oauth_token_secret", pair.secret.expose());
    Secret::new(form.finish())
}

/// Reads what [`to_carry`] wrote.
pub fn from_carry(carry: &Secret) -> Option<TokenPair> {
    Form::read(carry.expose().as_bytes())?.pair()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_name_is_no_answer() {
        assert!(
            Form::read(b"oauth_token=a&oauth_token_secret=s")
                .unwrap()
                .pair()
                .is_some()
        );
        assert!(Form::read(b"oauth_token=a&oauth_token=b&oauth_token_secret=s").is_none());
        for body in [
            "",
            "oauth_token=a",
            "oauth_token=&oauth_token_secret=s",
            "<html>a=b</html>",
        ] {
            assert!(Form::read(body.as_bytes()).unwrap().pair().is_none(), "{body}");
        }
    }

    #[test]
    fn what_is_carried_comes_back() {
        let pair = TokenPair {
            token: Secret::new("a&b =c"),
            secret: Secret::new("é+"),
        };
        let back = from_carry(&to_carry(&pair)).unwrap();
        assert_eq!((back.token, back.secret), (pair.token, pair.secret));
    }
}
