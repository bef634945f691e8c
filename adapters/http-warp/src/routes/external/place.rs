//! Where a log-in may lead: our own paths, and what the configuration lists (RFC 9700 section 4.11: no open redirector).

use domain::error::Denial;
use domain::secret::Token;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::{Position, Url};

use crate::pages::place::local;
use crate::settings::HttpSettings;

/// Longest address worth returning to, in bytes.
const LONGEST: usize = 2048;

/// What cannot stand in a `Location` as it is; letters beyond ASCII are always encoded.
const NOT_IN_LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

/// Schemes that name no place but content or local files: never, whatever a list says.
const NO_PLACES: [&str; 7] = [
    "javascript",
    "data",
    "vbscript",
    "file",
    "blob",
    "about",
    "filesystem",
];

/// A place that was judged allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub address: String,
    /// Whether it is another site or an app: no cookie of ours is seen there.
    pub elsewhere: bool,
}

/// Judges where somebody wants to go afterwards.
///
/// # Errors
/// [`Denial::ReturnNotAllowed`].
pub fn judge(text: &str, settings: &HttpSettings) -> Result<Place, Denial> {
    if let Some(path) = local(text) {
        return Ok(Place {
            address: path.to_owned(),
            elsewhere: false,
        });
    }
    // Browsers drop tabs and line breaks and read `\` as `/`: what they would read otherwise than we do is refused.
    let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let url = Some(text)
        .filter(|_| plain && !text.starts_with('/'))
        .and_then(|text| Url::parse(text).ok())
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .filter(|url| !NO_PLACES.contains(&url.scheme()))
        .ok_or(Denial::ReturnNotAllowed)?;
    let own = Url::parse(&settings.public_url).is_ok_and(|own| is_web(&url) && own.origin() == url.origin());
    let origins = settings.redirect_origins.iter().filter(|_| is_web(&url));
    let listed = settings.return_to.iter().chain(origins);
    if own
        || listed
            .filter_map(|listed| Url::parse(listed).ok())
            .any(|listed| is_within(&url, &listed))
    {
        return Ok(Place {
            address: url.into(),
            elsewhere: !own,
        });
    }
    Err(Denial::ReturnNotAllowed)
}

/// Whether a listed origin or whole address covers an address. Addresses are compared up to their query, byte for byte (RFC 9700
/// section 4.1.3: exact string matching).
fn is_within(url: &Url, listed: &Url) -> bool {
    let is_origin = is_web(listed) && listed.path() == "/" && listed.query().is_none();
    if is_origin {
        return is_web(url) && url.origin() == listed.origin();
    }
    url[..Position::AfterPath] == listed[..Position::AfterPath]
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http")
}

/// A place with the code of an exchange in its query; what stands there already stays.
pub fn with_code(place: &str, code: &Token) -> String {
    with_pair(place, "code", code.expose())
}

/// A place with one more pair in its query, before any fragment.
pub fn with_pair(place: &str, name: &str, value: &str) -> String {
    let (address, fragment) = match place.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (place, None),
    };
    let mark = match address.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let pair = form_urlencoded::Serializer::new(String::new())
        .append_pair(name, value)
        .finish();
    let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
    format!("{address}{mark}{pair}{fragment}")
}

/// An address as it can stand in a `Location`.
pub fn in_location(address: &str) -> String {
    utf8_percent_encode(address, NOT_IN_LOCATION).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::PoolName;
    use std::time::Duration;

    fn judged(text: &str) -> Option<Place> {
        let settings = HttpSettings {
            public_url: "https://login.example.com".to_owned(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            redirect_origins: vec!["https://app.example.org:8443".to_owned()],
            return_to: [
                "https://spa.example.net",
                "https://shop.example.net/signed-in",
                "com.example.app:/signed-in",
                "myapp://callback",
                "javascript:alert(1)",
            ]
            .map(str::to_owned)
            .to_vec(),
            legacy_cookies: None,
            static_dir: None,
            body_limit: 1,
            body_timeout: Duration::from_secs(1),
            query_token: false,
            default_pool: PoolName::new("Users"),
        };
        judge(text, &settings).ok()
    }

    #[test]
    fn own_paths_and_listed_places_are_led_to() {
        for own in ["/account", "/a?b=c#d", "https://login.example.com/done"] {
            assert!(!judged(own).unwrap().elsewhere, "{own}");
        }
        for listed in [
            "https://app.example.org:8443/a?b=c",
            "https://spa.example.net/",
            "https://spa.example.net/any/where#here",
            "https://shop.example.net/signed-in?x=y",
            "com.example.app:/signed-in?x=y",
            "myapp://callback",
        ] {
            let place = judged(listed).unwrap();
            assert!(place.elsewhere, "{listed}");
            assert_eq!(place.address, listed);
        }
    }

    #[test]
    fn nobody_is_led_anywhere_else() {
        for bad in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https:evil.example",
            "https://evil.example/",
            "http://login.example.com/",
            "http://spa.example.net/",
            "https://spa.example.net.evil.example/",
            "https://spa.example.net@evil.example/",
            "https://user@spa.example.net/",
            "https://spa.example.net:444/",
            "https://shop.example.net/",
            "https://shop.example.net/signed-in/more",
            "https://shop.example.net/signed-in%2f..",
            "com.example.app:/other",
            "com.example.app.evil:/signed-in",
            "myapp://callback/more",
            "myapp://callback.evil",
            "myapp://evil@callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://spa.example.net/\r\nSet-Cookie: a=b",
            " https://spa.example.net/",
            "https://spa.exämple.net/",
        ] {
            assert_eq!(judged(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_pair_joins_whatever_stands_there() {
        let code = Token::presented("c0de");
        for (place, with) in [
            ("/a", "/a?code=c0de"),
            ("/a?b=c", "/a?b=c&code=c0de"),
            ("/a?", "/a?code=c0de"),
            ("/a?b&", "/a?b&code=c0de"),
            ("https://x.example/#/in", "https://x.example/?code=c0de#/in"),
            (
                "com.example.app:/signed-in",
                "com.example.app:/signed-in?code=c0de",
            ),
        ] {
            assert_eq!(with_code(place, &code), with);
        }
    }
}
