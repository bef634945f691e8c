use domain::secret::Secret;
use http::Uri;
use outbound_http::is_loopback;
use url::Url;

use crate::NexmoConfigError;

/// Longest sender in letters, and longest in digits (E.164).
const LETTERS: usize = 11;
const DIGITS: usize = 15;

/// The account codes are sent from. `Debug` shows neither the key nor the secret.
#[derive(Clone, Debug)]
pub struct NexmoConfig {
    /// The account's key.
    pub api_key: Secret,
    /// The account's secret.
    pub api_secret: Secret,
    /// What the phone shows as the sender: a number without `+`, or up to eleven letters and digits. Some countries take numbers only.
    pub from: String,
    /// The gateway's origin; plain http is for this machine alone.
    pub base_url: String,
}

impl NexmoConfig {
    /// Where the gateway is when nobody says otherwise.
    pub const BASE_URL: &'static str = "https://rest.nexmo.com";

    /// Where messages are posted.
    pub(crate) fn address(&self) -> Result<Uri, NexmoConfigError> {
        let wrong = || NexmoConfigError::BaseUrl;
        let base = Url::parse(&self.base_url).map_err(|_| wrong())?;
        let is_safe = base.scheme() == "https" || (base.scheme() == "http" && is_loopback(&base));
        let is_origin = base.path() == "/" && base.query().is_none() && base.fragment().is_none();
        let is_nobodys = base.username().is_empty() && base.password().is_none();
        if !(is_safe && is_origin && is_nobodys) {
            return Err(wrong());
        }
        let address = base.join("sms/json").map_err(|_| wrong())?;
        Uri::try_from(address.as_str()).map_err(|_| wrong())
    }

    /// The sender as the gateway takes it.
    pub(crate) fn sender(&self) -> Result<String, NexmoConfigError> {
        let from = self.from.trim().trim_start_matches('+');
        let all = |fits: fn(&char) -> bool| from.chars().all(|c| fits(&c));
        let is_number = all(char::is_ascii_digit) && from.len() <= DIGITS;
        let is_name = from.len() <= LETTERS && all(|c| c.is_ascii_alphanumeric() || *c == ' ');
        if !from.is_empty() && (is_number || is_name) {
            Ok(from.to_owned())
        } else {
            Err(NexmoConfigError::From)
        }
    }

    /// Whether key and secret can be anybody's.
    pub(crate) fn credentials(&self) -> Result<(), NexmoConfigError> {
        let fits = |secret: &Secret| {
            let text = secret.expose();
            !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())
        };
        if !fits(&self.api_key) {
            return Err(NexmoConfigError::ApiKey);
        }
        if !fits(&self.api_secret) {
            return Err(NexmoConfigError::ApiSecret);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(from: &str, base_url: &str) -> NexmoConfig {
        NexmoConfig {
            api_key: Secret::new("a-key"),
            api_secret: Secret::new("very-secret"),
            from: from.to_owned(),
            base_url: base_url.to_owned(),
        }
    }

    #[test]
    fn a_sender_is_a_number_or_a_short_name() {
        for (given, taken) in [
            ("Portcullis", "Portcullis"),
            ("+12025550123", "12025550123"),
            ("My Shop 24", "My Shop 24"),
        ] {
            assert_eq!(config(given, NexmoConfig::BASE_URL).sender().unwrap(), taken);
        }
        for bad in ["", "  ", "Twelve chars", "Köln", "1234567890123456", "a&to=1"] {
            assert_eq!(
                config(bad, NexmoConfig::BASE_URL).sender(),
                Err(NexmoConfigError::From),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_gateway_is_an_origin_and_plain_http_stays_at_home() {
        let address = |base| config("x", base).address().map(|uri| uri.to_string());
        assert_eq!(
            address("https://rest.nexmo.com").unwrap(),
            "https://rest.nexmo.com/sms/json"
        );
        assert_eq!(
            address("http://127.0.0.1:9/").unwrap(),
            "http://127.0.0.1:9/sms/json"
        );
        for bad in [
            "http://rest.nexmo.com",
            "https://a@b.example",
            "https://b.example/x",
            "https://b.example?x",
            "ftp://localhost",
            "",
        ] {
            assert_eq!(address(bad), Err(NexmoConfigError::BaseUrl), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", config("x", NexmoConfig::BASE_URL));
        assert!(
            !shown.contains("very-secret") && !shown.contains("a-key"),
            "{shown}"
        );
    }
}
