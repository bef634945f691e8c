//! Where events go.

use domain::id::WebhookName;
use domain::secret::Secret;
use http::Uri;
use outbound_http::check_address;

use crate::SigningSecret;

/// A webhook as its service has it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name in the configuration.
    pub name: WebhookName,
    /// Where events are posted: https, or plain http on this machine. Some services are known by a secret in it.
    pub url: Secret,
    /// What the service knows us by, the newest first; a second one while it is exchanged.
    pub secrets: Vec<SigningSecret>,
}

/// Why an endpoint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Its address.
    #[error("must be an https address, or http on this machine, without a user and without a fragment")]
    Url,
    /// It has no secret.
    #[error("has no secret to sign with")]
    NoSecret,
}

impl Endpoint {
    /// Whether it can be used.
    ///
    /// # Errors
    /// [`EndpointError`] names what cannot be.
    pub fn check(&self) -> Result<(), EndpointError> {
        self.address().map(drop)?;
        if self.secrets.is_empty() {
            return Err(EndpointError::NoSecret);
        }
        Ok(())
    }

    pub(crate) fn address(&self) -> Result<Uri, EndpointError> {
        check_address(self.url.expose()).map_err(|_| EndpointError::Url)?;
        // The host of a URL is read in lower case; an address that is none after that was refused above.
        let url = url::Url::parse(self.url.expose()).map_err(|_| EndpointError::Url)?;
        Uri::try_from(url.as_str()).map_err(|_| EndpointError::Url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint {
            name: WebhookName::new("shop"),
            url: Secret::new(url),
            secrets: vec![SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()],
        }
    }

    #[test]
    fn events_go_to_https_or_stay_on_this_machine() {
        for good in [
            "https://shop.example/hooks?of=login",
            "http://127.0.0.1:8080/",
            "http://localhost/x",
        ] {
            assert_eq!(endpoint(good).check(), Ok(()), "{good}");
        }
        for bad in [
            "",
            "shop",
            "http://shop.example/",
            "ftp://shop.example/",
            "https://a:b@shop.example/",
        ] {
            assert_eq!(endpoint(bad).check(), Err(EndpointError::Url), "{bad}");
        }
        let unsigned = Endpoint {
            secrets: Vec::new(),
            ..endpoint("https://shop.example/")
        };
        assert_eq!(unsigned.check(), Err(EndpointError::NoSecret));
    }
}
