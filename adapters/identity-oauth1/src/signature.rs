//! Signatures of RFC 5849 section 3.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ports::ProviderError;
use domain::secret::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// All but the unreserved characters of RFC 3986 section 2.3 (RFC 5849 section 3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Letters of a nonce: X takes no others.
const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Length of a nonce: 182 bits.
const NONCE_LENGTH: usize = 32;

/// How requests are signed (RFC 5849 section 3.4). Without a signature (`PLAINTEXT`) nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureMethod {
    /// What every server knows. SHA-1 is broken for collisions, not within an HMAC.
    HmacSha1,
    /// Later than the RFC; only some servers know it.
    HmacSha256,
}

impl SignatureMethod {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// The method of that name, in whatever case.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::HmacSha1, Self::HmacSha256];
        all.into_iter()
            .find(|method| method.name().eq_ignore_ascii_case(name))
    }

    const fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::HmacSha256 => hmac::HMAC_SHA256,
        }
    }
}

/// A token and the secret that signs with it.
#[derive(Clone, Debug)]
pub struct TokenPair {
    pub token: Secret,
    pub secret: Secret,
}

/// Who signs.
pub struct Signer<'a> {
    pub method: SignatureMethod,
    pub consumer_key: &'a str,
    pub consumer_secret: &'a Secret,
    pub token: Option<&'a TokenPair>,
}

/// What makes a request the only one of its kind (RFC 5849 section 3.3).
pub struct Moment {
    /// Seconds since 1970.
    pub timestamp: i64,
    /// Never twice with the same timestamp.
    pub nonce: String,
}

impl Moment {
    /// That time, and a nonce of its own.
    pub fn at(timestamp: i64) -> Result<Self, ProviderError> {
        let nonce = nonce()?;
        Ok(Self { timestamp, nonce })
    }
}

impl Signer<'_> {
    /// The `Authorization` header of a request without a body (RFC 5849 section 3.5.1).
    pub fn header(&self, method: &str, url: &Url, own: &[(&str, &str)], moment: &Moment) -> String {
        let timestamp = moment.timestamp.to_string();
        let mut params: Vec<(&str, &str)> = vec![
            ("oauth_consumer_key", self.consumer_key),
            ("oauth_nonce", &moment.nonce),
            ("oauth_signature_method", self.method.name()),
            ("oauth_timestamp", &timestamp),
            ("oauth_version", "1.0"),
        ];
        params.extend(self.token.map(|pair| ("oauth_token", pair.token.expose())));
        params.extend(own);
        let signature = self.sign(&base_string(method, url, &params));
        params.push(("oauth_signature", &signature));
        let pair = |(name, value): &(&str, &str)| format!("{}=\"{}\"", encode(name), encode(value));
        let pairs: Vec<String> = params.iter().map(pair).collect();
        format!("OAuth {}", pairs.join(", "))
    }

    fn sign(&self, base: &str) -> String {
        let token_secret = self.token.map_or("", |pair| pair.secret.expose());
        let key = format!(
            "{}&{}",
            encode(self.consumer_secret.expose()),
            encode(token_secret)
        );
        let key = hmac::Key::new(self.method.algorithm(), key.as_bytes());
        STANDARD.encode(hmac::sign(&key, base.as_bytes()))
    }
}

/// Percent-encoding by RFC 5849 section 3.6.
fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// What is signed (RFC 5849 section 3.4.1): the method, the address without its query, and all parameters in order.
fn base_string(method: &str, url: &Url, params: &[(&str, &str)]) -> String {
    let mut plain = url.clone();
    plain.set_query(None);
    plain.set_fragment(None);
    let query = url.query_pairs();
    let query = query.map(|(name, value)| (encode(&name), encode(&value)));
    let own = params.iter().map(|(name, value)| (encode(name), encode(value)));
    let mut pairs: Vec<(String, String)> = query.chain(own).collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let pairs = pairs.join("&");
    format!(
        "{}&{}&{}",
        method.to_ascii_uppercase(),
        encode(plain.as_str()),
        encode(&pairs)
    )
}

/// Bytes above the largest multiple of 52 are thrown away, so that no letter is likelier than another.
fn nonce() -> Result<String, ProviderError> {
    let mut nonce = String::with_capacity(NONCE_LENGTH);
    let mut bytes = [0_u8; NONCE_LENGTH];
    while nonce.len() < NONCE_LENGTH {
        getrandom::fill(&mut bytes).map_err(|error| ProviderError::Unavailable(error.to_string()))?;
        let fair = bytes.iter().filter(|byte| **byte < 208);
        let letters = fair.filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()));
        for letter in letters.take(NONCE_LENGTH - nonce.len()) {
            nonce.push(char::from(*letter));
        }
    }
    Ok(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLBACK: &str = "http://printer.example.com/ready";

    fn pair(token: &str, secret: &str) -> TokenPair {
        TokenPair {
            token: Secret::new(token),
            secret: Secret::new(secret),
        }
    }

    /// The signature of the photo printer's requests (RFC 5849 section 1.2).
    fn printed(
        method: &str,
        url: &str,
        token: Option<&TokenPair>,
        moment: (&str, &str),
        own: &[(&str, &str)],
    ) -> String {
        let secret = Secret::new("kd94hf93k423kf44");
        let signer = Signer {
            method: SignatureMethod::HmacSha1,
            consumer_key: "dpf43f3p2l4k3l03",
            consumer_secret: &secret,
            token,
        };
        let mut params = vec![
            ("oauth_consumer_key", signer.consumer_key),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", moment.0),
            ("oauth_nonce", moment.1),
        ];
        params.extend(token.map(|pair| ("oauth_token", pair.token.expose())));
        params.extend(own);
        signer.sign(&base_string(method, &Url::parse(url).unwrap(), &params))
    }

    #[test]
    fn the_rfcs_own_requests_are_signed_as_it_says() {
        let initiate = printed(
            "POST",
            "https://photos.example.net/initiate",
            None,
            ("137131200", "wIjqoS"),
            &[("oauth_callback", CALLBACK)],
        );
        assert_eq!(initiate, "74KNZJeDHnMBp0EMJ9ZHt/XKycU=");
        let token = printed(
            "POST",
            "https://photos.example.net/token",
            Some(&pair("hh5s93j4hdidpola", "hdhd0244k9j7ao03")),
            ("137131201", "walatlh"),
            &[("oauth_verifier", "hfdp7dh39dks9884")],
        );
        assert_eq!(token, "gKgrFCywp7rO0OXSjdot/IHF7IU=");
        let photos = printed(
            "GET",
            "http://photos.example.net/photos?file=vacation.jpg&size=original",
            Some(&pair("nnch734d00sl2jdk", "pfkkdhi9sl3r4s00")),
            ("137131202", "chapoH"),
            &[],
        );
        assert_eq!(photos, "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
    }

    #[test]
    fn the_rfcs_own_base_string_comes_out() {
        // Section 3.4.1.1; what it has in the body stands in the query here, which is the same to a signature.
        let url =
            Url::parse("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q").unwrap();
        let params = [
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
        ];
        assert_eq!(
            base_string("post", &url, &params),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26\
             c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26\
             oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
    }

    #[test]
    fn a_port_that_is_not_the_usual_one_is_signed() {
        let base = |url: &str| base_string("GET", &Url::parse(url).unwrap(), &[]);
        assert_eq!(
            base("https://www.example.net:8080/?q=1"),
            "GET&https%3A%2F%2Fwww.example.net%3A8080%2F&q%3D1"
        );
        assert_eq!(
            base("https://www.example.net:443/"),
            "GET&https%3A%2F%2Fwww.example.net%2F&"
        );
    }

    #[test]
    fn only_unreserved_characters_stay_as_they_are() {
        assert_eq!(encode("aZ09-._~"), "aZ09-._~");
        assert_eq!(encode(" +&=/*!'()%é"), "%20%2B%26%3D%2F%2A%21%27%28%29%25%C3%A9");
    }

    #[test]
    fn secrets_are_encoded_before_they_sign() {
        let (odd, plain) = (Secret::new("a&b"), Secret::new("a"));
        let token = pair("t", "b");
        let sign = |consumer_secret, token| {
            let signer = Signer {
                method: SignatureMethod::HmacSha256,
                consumer_key: "k",
                consumer_secret,
                token,
            };
            signer.sign("base")
        };
        assert_ne!(sign(&odd, None), sign(&plain, Some(&token)));
        assert_eq!(sign(&odd, None).len(), 44);
    }

    #[test]
    fn a_nonce_is_letters_and_never_the_same() {
        let nonces: Vec<String> = (0..50).map(|_| nonce().unwrap()).collect();
        for nonce in &nonces {
            assert_eq!(nonce.len(), NONCE_LENGTH);
            assert!(nonce.bytes().all(|byte| byte.is_ascii_alphabetic()), "{nonce}");
        }
        let mut distinct = nonces.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), nonces.len());
    }

    #[test]
    fn a_method_is_known_by_its_name() {
        assert_eq!(
            SignatureMethod::parse("hmac-sha256"),
            Some(SignatureMethod::HmacSha256)
        );
        assert_eq!(SignatureMethod::parse("PLAINTEXT"), None);
    }
}
