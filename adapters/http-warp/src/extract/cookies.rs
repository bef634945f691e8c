//! Cookies: read them, make them.

use domain::secret::TokenHash;
use http::HeaderMap;

/// The value of a cookie; the first of that name wins, as browsers send the most specific first.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value.trim_matches('"'))
    })
}

/// The names of all cookies, as the browser sends them: of equal paths the oldest first (RFC 6265 section 5.4).
fn names(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(http::header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=').map(|(name, _)| name))
}

/// Letters of a flow's name that stand in the name of its cookie: enough to keep the flows of one browser apart.
const FLOW_LETTERS: usize = 16;

/// Names and flags of the cookies we set. Over TLS they carry the `__Host-` prefix: no subdomain and no plain-text page can set
/// them. On plain HTTP (localhost) browsers refuse that prefix, so the names are bare there.
#[derive(Clone, Copy, Debug)]
pub struct Jar {
    secure: bool,
}

/// The cookies we set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// The access token of a page login.
    Session,
    /// The challenge of a login that waits for its code, or the token of a number that waits for its own.
    Pending,
    /// The anti-forgery value of this browser.
    Csrf,
    /// The offer to join a proven account elsewhere with one here: its token and its pool.
    Join,
    /// The administrator's own access token while they act as somebody else.
    Own,
    /// Tells that this browser was here before, and may be trusted: outlives every session.
    Device,
}

impl Jar {
    /// Cookies for a site reached over TLS, or not.
    pub const fn new(secure: bool) -> Self {
        Self { secure }
    }

    /// The cookie's name.
    pub const fn name(self, cookie: Cookie) -> &'static str {
        match (cookie, self.secure) {
            (Cookie::Session, true) => "__Host-portcullis",
            (Cookie::Session, false) => "portcullis",
            (Cookie::Pending, true) => "__Host-portcullis-pending",
            (Cookie::Pending, false) => "portcullis-pending",
            (Cookie::Csrf, true) => "__Host-portcullis-csrf",
            (Cookie::Csrf, false) => "portcullis-csrf",
            (Cookie::Join, true) => "__Host-portcullis-join",
            (Cookie::Join, false) => "portcullis-join",
            (Cookie::Own, true) => "__Host-portcullis-own",
            (Cookie::Own, false) => "portcullis-own",
            (Cookie::Device, true) => "__Host-portcullis-device",
            (Cookie::Device, false) => "portcullis-device",
        }
    }

    /// A `Set-Cookie` value: script cannot read it, other sites cannot send it with a form (`SameSite=Lax`), it has no domain.
    /// Without `max_age` (seconds) it ends with the browser session.
    pub fn set(self, cookie: Cookie, value: &str, max_age: Option<u64>) -> String {
        self.set_named(self.name(cookie), value, max_age)
    }

    /// The same for a cookie by its whole name.
    pub fn set_named(self, name: &str, value: &str, max_age: Option<u64>) -> String {
        let age = max_age.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}")
    }

    /// The cookie that binds a way to a provider to this browser: one per way, so that two tabs do not disturb each other.
    pub fn flow_name(self, flow: &TokenHash) -> String {
        let flow = flow.to_text();
        let letters = flow.get(..FLOW_LETTERS).unwrap_or(&flow);
        format!("{}{letters}", self.flow_prefix())
    }

    /// The names of all such cookies that a browser sent, the oldest first.
    pub fn flow_names(self, headers: &HeaderMap) -> Vec<&str> {
        let prefix = self.flow_prefix();
        names(headers)
            .filter(|name| name.strip_prefix(prefix).is_some_and(is_flow))
            .collect()
    }

    const fn flow_prefix(self) -> &'static str {
        if self.secure {
            "__Host-portcullis-auth-"
        } else {
            "portcullis-auth-"
        }
    }

    /// A `Set-Cookie` value that removes the cookie.
    pub fn clear(self, cookie: Cookie) -> String {
        self.set(cookie, "", Some(0))
    }

    /// What this browser sent for a cookie.
    pub fn read(self, headers: &HeaderMap, cookie: Cookie) -> Option<&str> {
        get(headers, self.name(cookie)).filter(|value| !value.is_empty())
    }
}

/// Whether these can be the letters of a flow: what is repeated in a `Set-Cookie` must not come from elsewhere.
fn is_flow(letters: &str) -> bool {
    letters.len() == FLOW_LETTERS
        && letters
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::secret::Token;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", "a=1; portcullis=tok; xportcullis=no".parse().unwrap());
        assert_eq!(get(&headers, "portcullis"), Some("tok"));
        assert_eq!(get(&headers, "b"), None);
    }

    #[test]
    fn over_tls_cookies_are_bound_to_the_host() {
        let set = Jar::new(true).set(Cookie::Session, "v", Some(9));
        assert_eq!(
            set,
            "__Host-portcullis=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=9; Secure"
        );
        assert!(!Jar::new(false).set(Cookie::Session, "v", None).contains("Secure"));
    }

    #[test]
    fn every_way_to_a_provider_has_a_cookie_of_its_own() {
        let jar = Jar::new(true);
        let [one, two] = ["one", "two"].map(|state| jar.flow_name(&Token::presented(state).hash()));
        assert_ne!(one, two);
        let mut headers = HeaderMap::new();
        let sent = format!(
            "a=1; {two}=x; {one}=y; __Host-portcullis-auth-short=z; portcullis-auth-0123456789abcdef=p"
        );
        headers.append("cookie", sent.parse().unwrap());
        assert_eq!(jar.flow_names(&headers), [two.as_str(), one.as_str()]);
        let line = jar.set_named(&one, "v", Some(600));
        assert!(
            line.starts_with("__Host-portcullis-auth-") && line.ends_with("Max-Age=600; Secure"),
            "{line}"
        );
    }
}
