//! The token a caller presents: every place LoopBack looks in, and `Bearer` as the rest of the world writes it.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::secret::Token;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

use super::cookies::{self, Cookie, Jar};
use super::query::Query;
use super::signed;
use crate::settings::LegacyCookies;

/// Longest text taken for a token; longer ones are nobody's.
const LONGEST: usize = 1024;

static X_ACCESS_TOKEN: HeaderName = HeaderName::from_static("x-access-token");

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Where a token was found: a cookie comes along by itself, so a caller with one must also show that they meant it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Query or header: only who knows the token can put it there.
    Deliberate,
    /// A cookie.
    Cookie,
}

/// A presented token: the readings it may have, likeliest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Where it stood.
    pub source: Source,
    /// The readings: `Bearer` may be plain or, as LoopBack wants it, base64.
    pub readings: Vec<Token>,
}

/// Finds the token, in LoopBack's order: query, `X-Access-Token`, `Authorization`, cookies.
pub fn find(
    headers: &HeaderMap,
    query: &Query,
    query_token: bool,
    jar: Jar,
    legacy: Option<&LegacyCookies>,
) -> Option<Presented> {
    let from_query = query
        .one("access_token")
        .filter(|_| query_token)
        .map(|text| vec![text.to_owned()]);
    let deliberate = from_query
        .or_else(|| header(headers, &X_ACCESS_TOKEN).map(|text| vec![text.to_owned()]))
        .or_else(|| {
            let value = header(headers, &AUTHORIZATION).filter(|value| !is_ticket(value));
            value.map(authorization)
        });
    let (source, texts) = match deliberate {
        Some(texts) => (Source::Deliberate, texts),
        None => (Source::Cookie, vec![from_cookie(headers, jar, legacy)?]),
    };
    let readings: Vec<Token> = texts
        .into_iter()
        .filter(|text| !text.is_empty() && text.len() <= LONGEST)
        .map(Token::presented)
        .collect();
    (!readings.is_empty()).then_some(Presented { source, readings })
}

/// A header that stands there exactly once; two lines of it are nobody's token.
fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // Most requests have at most one of these headers: the dearer look at all its lines is for those that have it.
    let first = headers.get(name)?.to_str().ok()?.trim();
    let is_alone = headers.get_all(name).iter().nth(1).is_none();
    (is_alone && !first.is_empty()).then_some(first)
}

/// The readings of an `Authorization` value: raw token, `Bearer` plain or base64, `Basic` by its longer side.
fn authorization(value: &str) -> Vec<String> {
    match value.split_once(' ') {
        None => vec![value.to_owned()],
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => {
            let plain = rest.trim().to_owned();
            let decoded = decode(&plain);
            std::iter::once(plain).chain(decoded).collect()
        }
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => {
            let decoded = decode(rest.trim()).unwrap_or_default();
            let (user, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
            vec![
                if user.len() > password.len() {
                    user
                } else {
                    password
                }
                .to_owned(),
            ]
        }
        Some(_) => Vec::new(),
    }
}

/// Whether it is a Kerberos ticket (RFC 4559): browsers send it by themselves, wherever they were asked for one, and it stands for
/// nobody here but at the door that asks for it.
fn is_ticket(value: &str) -> bool {
    let scheme = value.split(' ').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("negotiate")
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(LENIENT.decode(text).ok()?).ok()
}

/// Our own session cookie, else LoopBack's. Where a cookie secret is configured, LoopBack's must be signed by it, as LoopBack itself
/// wants it: nobody who can set a cookie for this host can put a browser into a session of their choice. Without one they are read
/// as they are, for the token itself is the secret.
fn from_cookie(headers: &HeaderMap, jar: Jar, legacy: Option<&LegacyCookies>) -> Option<String> {
    if let Some(token) = jar.read(headers, Cookie::Session) {
        return Some(token.to_owned());
    }
    let raw = cookies::get(headers, "access_token").or_else(|| cookies::get(headers, "authorization"))?;
    if let Some(legacy) = legacy {
        return signed::open(&legacy.secret, raw);
    }
    let text = percent_encoding::percent_decode_str(raw).decode_utf8().ok()?;
    let token = text
        .strip_prefix("s:")
        .map_or(text.as_ref(), |signed| signed.split('.').next().unwrap_or(signed));
    Some(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    const TOKEN: &str = "aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09";

    fn found(name: &str, value: &str) -> Option<(Source, Vec<String>)> {
        let mut headers = HeaderMap::new();
        headers.append(
            http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            value.parse().unwrap(),
        );
        let presented = find(&headers, &Query::default(), true, Jar::new(false), None)?;
        Some((
            presented.source,
            presented
                .readings
                .iter()
                .map(|token| token.expose().to_owned())
                .collect(),
        ))
    }

    #[test]
    fn every_header_form_is_read() {
        let base64 = STANDARD.encode(TOKEN);
        let basic = format!("Basic {}", STANDARD.encode(format!(":{TOKEN}")));
        for value in [
            TOKEN.to_owned(),
            format!("Bearer {TOKEN}"),
            format!("bearer {base64}"),
            basic,
        ] {
            let (source, readings) = found("authorization", &value).unwrap();
            assert_eq!(source, Source::Deliberate);
            assert!(readings.iter().any(|reading| reading == TOKEN), "{value}");
        }
        assert_eq!(found("x-access-token", TOKEN).unwrap().1, [TOKEN]);
    }

    #[test]
    fn cookies_are_read_plain_and_signed_and_marked_as_cookies() {
        for value in [
            format!("portcullis={TOKEN}"),
            format!("access_token={TOKEN}"),
            format!("access_token=s%3A{TOKEN}.c2ln"),
        ] {
            assert_eq!(
                found("cookie", &value),
                Some((Source::Cookie, vec![TOKEN.to_owned()]))
            );
        }
    }

    #[test]
    fn with_a_cookie_secret_only_signed_cookies_open_anything() {
        let legacy = LegacyCookies {
            secret: domain::secret::Secret::new("keyboard cat"),
            write: false,
        };
        let opens = |cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.append("cookie", cookie.parse().unwrap());
            find(&headers, &Query::default(), true, Jar::new(false), Some(&legacy))
        };
        let signed = signed::sign(&legacy.secret, TOKEN);
        for name in ["access_token", "authorization"] {
            let presented = opens(&format!("{name}={signed}")).unwrap();
            assert_eq!(presented.source, Source::Cookie);
            assert_eq!(presented.readings, [Token::presented(TOKEN)]);
        }
        for bad in [
            TOKEN.to_owned(),
            format!("s%3A{TOKEN}.c2ln"),
            format!("s%3A{TOKEN}"),
        ] {
            assert_eq!(opens(&format!("access_token={bad}")), None, "{bad}");
        }
    }

    #[test]
    fn the_query_comes_first_and_can_be_switched_off() {
        let query = Query::parse(&format!("access_token={TOKEN}"));
        let headers = HeaderMap::new();
        assert!(find(&headers, &query, true, Jar::new(false), None).is_some());
        assert!(find(&headers, &query, false, Jar::new(false), None).is_none());
    }

    #[test]
    fn two_tokens_in_one_place_are_none() {
        let mut headers = HeaderMap::new();
        headers.append("authorization", TOKEN.parse().unwrap());
        headers.append("authorization", TOKEN.parse().unwrap());
        assert_eq!(
            find(&headers, &Query::default(), true, Jar::new(false), None),
            None
        );
        let twice = Query::parse(&format!("access_token={TOKEN}&access_token={TOKEN}"));
        assert_eq!(find(&HeaderMap::new(), &twice, true, Jar::new(false), None), None);
    }
}
