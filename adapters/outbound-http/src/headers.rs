//! Headers that an operator adds to our questions.

use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};

/// A header cannot be sent, or is ours to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadHeader {
    /// Its name.
    pub name: String,
}

/// The headers of these names and values, none of which shows in any `Debug`: they may be keys.
///
/// # Errors
/// The first that is malformed, or says what the protocol says itself: who we are, and how long and of what kind a body is.
pub fn custom_headers(custom: &[(String, String)]) -> Result<HeaderMap, BadHeader> {
    let ours = [
        AUTHORIZATION,
        CONTENT_LENGTH,
        CONTENT_TYPE,
        HOST,
        TRANSFER_ENCODING,
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in custom {
        let wrong = || BadHeader { name: name.clone() };
        let key = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        if ours.contains(&key) {
            return Err(wrong());
        }
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}
