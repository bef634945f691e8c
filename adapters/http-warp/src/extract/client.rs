//! What a request says of the client behind it: where it is, what it calls itself, which device and which languages.

use std::sync::Arc;

use domain::limits::ClientAddress;
use domain::origin::{Agent, Origin, RequestId};
use domain::secret::{TOKEN_LENGTH, Token};
use http::header::{ACCEPT_LANGUAGE, HeaderName, USER_AGENT};

use super::Request;
use super::cookies::{Cookie, Jar};
use crate::pages;

/// Where clients that keep no cookies say which device they are.
pub static X_DEVICE_TOKEN: HeaderName = HeaderName::from_static("x-device-token");

/// What is presented for a device that has no token yet.
const NO_DEVICE: &str = "new";

/// Most languages that are taken from a request.
const LANGUAGES: usize = 5;

/// The origin of a request.
pub fn of(request: &Request) -> Origin {
    Origin {
        address: ClientAddress::of(request.ip),
        request: Some(RequestId::new(Arc::clone(&request.id))),
        agent: request.header(&USER_AGENT).and_then(Agent::of),
        device: device(request),
        languages: request
            .header(&ACCEPT_LANGUAGE)
            .map(languages)
            .unwrap_or_default(),
    }
}

/// The token of the device, from the header of a program or the cookie of a browser. Any other text in the header, and a browser that
/// was never here, ask for one: who keeps cookies keeps this one too.
fn device(request: &Request) -> Option<Token> {
    let jar = Jar::new(request.app.settings.is_https());
    let sent = request
        .header(&X_DEVICE_TOKEN)
        .or_else(|| jar.read(&request.headers, Cookie::Device));
    match sent {
        Some(sent) if sent.len() == TOKEN_LENGTH => Some(Token::presented(sent)),
        Some(_) => Some(Token::presented(NO_DEVICE)),
        None if pages::is_wanted(&request.headers) && !request.path.starts_with("/api/") => {
            Some(Token::presented(NO_DEVICE))
        }
        None => None,
    }
}

/// The languages of an `Accept-Language` (RFC 9110 section 12.5.4) as primary subtags, best first, each once.
fn languages(header: &str) -> Vec<String> {
    let mut ranked: Vec<(f32, String)> = header.split(',').filter_map(language).collect();
    // Stable: of equal weight, what stands first is first.
    ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let mut found: Vec<String> = Vec::new();
    for (_, language) in ranked {
        if !found.contains(&language) {
            found.push(language);
        }
    }
    found.truncate(LANGUAGES);
    found
}

/// One range of the list: its weight and its primary subtag; none for `*`, for what is refused, and for what is no language.
fn language(range: &str) -> Option<(f32, String)> {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next()?;
    let primary = tag.split('-').next()?;
    let named = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
    let weight = match parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q="))) {
        Some(weight) => weight
            .trim()
            .parse()
            .ok()
            .filter(|weight: &f32| weight.is_finite())?,
        None => 1.0,
    };
    (named && weight > 0.0).then(|| (weight, primary.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::languages;

    #[test]
    fn languages_stand_in_the_order_their_reader_wants() {
        assert_eq!(
            languages("en;q=0.5, de-AT, zh-Hant-TW;q=0.8, de;q=0.3"),
            ["de", "zh", "en"]
        );
        assert_eq!(languages("fr;q=0, es ; q=0.1,*"), ["es"]);
    }

    #[test]
    fn what_is_no_language_is_left_out_and_few_are_kept() {
        for odd in [
            "",
            ",,;",
            "*",
            "x-klingon",
            "e1",
            "deutsch",
            "de;q=x",
            "de;q=NaN",
            "<script>",
        ] {
            assert!(languages(odd).is_empty(), "{odd}");
        }
        assert_eq!(languages("aa,bb,cc,dd,ee,ff,gg").len(), 5);
    }
}
