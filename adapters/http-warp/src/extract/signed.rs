//! Values of cookies as `cookie-parser` signs them: `s:VALUE.SIGNATURE`, percent-encoded. The signature is HMAC-SHA256 in base64
//! without padding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::secret::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// What JavaScript's `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The cookie's value for a text.
pub fn sign(secret: &Secret, text: &str) -> String {
    let signed = format!("s:{text}.{}", signature(secret, text));
    utf8_percent_encode(&signed, COMPONENT).to_string()
}

/// The text of a cookie's value; none unless the signature is right, compared in constant time.
pub fn open(secret: &Secret, value: &str) -> Option<String> {
    let decoded = percent_decode_str(value).decode_utf8().ok()?;
    let (text, sent) = decoded.strip_prefix("s:")?.rsplit_once('.')?;
    let right: bool = signature(secret, text).as_bytes().ct_eq(sent.as_bytes()).into();
    right.then(|| text.to_owned())
}

fn signature(secret: &Secret, text: &str) -> String {
    // HMAC takes keys of every length: the error arm cannot be reached.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
    mac.update(text.as_bytes());
    STANDARD_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_value_reads_back_and_no_other_does() {
        let secret = Secret::new("keyboard cat");
        let value = sign(&secret, "tobi");
        assert_eq!(open(&secret, &value).as_deref(), Some("tobi"));
        let forged = sign(&Secret::new("luna"), "tobi");
        let swapped = value.replace("tobi", "loki");
        for bad in [
            forged.as_str(),
            &swapped,
            "tobi",
            "s:tobi",
            "s%3Atobi.",
            "",
            "%ff",
            "s%3A.",
        ] {
            assert_eq!(open(&secret, bad), None, "{bad}");
        }
    }

    #[test]
    fn it_is_signed_as_cookie_parser_signs() {
        // `echo -n tobi | openssl dgst -sha256 -hmac 'keyboard cat' -binary | base64`
        let value = sign(&Secret::new("keyboard cat"), "tobi");
        assert_eq!(
            value,
            "s%3Atobi.k%2FMBGA3LV%2FDe%2B0YTROxcLuurjbOQXyaa2veNodQBZc4"
        );
    }
}
