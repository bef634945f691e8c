//! Paths and addresses in entries: which are good.

use http_warp::own_route;
use url::Url;

use crate::config::is_local_url;

/// Longest path of an entry, in bytes.
const LONGEST: usize = 200;

/// Two paths are one if they differ in case or by a slash at the end, as in Express.
pub fn folded(path: &str) -> String {
    let trimmed = path.strip_suffix('/').filter(|shorter| !shorter.is_empty());
    trimmed.unwrap_or(path).to_ascii_lowercase()
}

/// Whether a route may stand there. The fault follows the key's name.
pub fn route(path: &str) -> Result<(), String> {
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(format!(
            "must be a path that begins with one `/`, but is `{path}`"
        ));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
    if !path.chars().all(plain)
        || path.contains("//")
        || path.split('/').any(|part| matches!(part, "." | ".."))
    {
        return Err(format!(
            "must be a plain path of letters, digits, `-`, `_`, `.` and `~`, but is `{path}`"
        ));
    }
    if path.len() > LONGEST {
        return Err(format!("must not be longer than {LONGEST} characters"));
    }
    match own_route(path) {
        Some(own) => Err(format!(
            "is `{path}`, but `{own}` is this server's own: choose another path"
        )),
        None => Ok(()),
    }
}

/// A place people are redirected to: a path of this site or a web address, as the file says. The fault follows the key's name.
pub fn destination(text: &str, insecure: bool) -> Result<(), String> {
    if text.starts_with('/') {
        let odd = text.starts_with("//") || text.contains('\\') || text.contains(char::is_whitespace);
        return if odd {
            Err(format!(
                "must be a path of this site or a web address, but is `{text}`"
            ))
        } else {
            Ok(())
        };
    }
    let relative = || format!("must begin with `/`, or be an http or https address, but is `{text}`");
    let url = Url::parse(text).map_err(|_| relative())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(relative());
    }
    safe(&url, insecure)
}

/// An address that our calls, or people with codes, go to.
pub fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("must be an https address, but is `{text}`"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("must be an https address, but is `{text}`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or a password".to_owned());
    }
    if url.fragment().is_some() {
        return Err("must not have a part behind `#`".to_owned());
    }
    if url.scheme() == "http" && !is_local_url(&url) {
        return Err(format!(
            "is `{text}`: plain http shows codes, tokens and secrets to the network. Write https"
        ));
    }
    Ok(url)
}

fn safe(url: &Url, insecure: bool) -> Result<(), String> {
    if url.scheme() == "http" && !insecure && !is_local_url(url) {
        return Err(format!(
            "is `{url}`: plain http is for this machine alone. Write https"
        ));
    }
    Ok(())
}

/// The absolute address a provider sends people back to. A relative `callbackURL` is seen from `authPath`, as a browser that is
/// there would see it. The fault follows the key's name.
pub fn callback_url(written: &str, public_url: &str, auth_path: &str, insecure: bool) -> Result<Url, String> {
    let base = Url::parse(&format!("{public_url}{auth_path}"));
    let joined = base.and_then(|base| base.join(written));
    let url = joined.map_err(|_| format!("must be an address or a path, but is `{written}`"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("must be an https address or a path, but is `{written}`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        // RFC 9700 section 2.1 compares addresses exactly; a part that varies cannot be registered.
        return Err("must not have a part behind `?` or `#`".to_owned());
    }
    if url.scheme() == "http" && !insecure && !is_local_url(&url) {
        return Err(format!(
            "is `{url}`: plain http shows the code to the network. Write https, and register that with the provider"
        ));
    }
    Ok(url)
}
