//! `[providers]`: where the entries of other login services stand, and where people may go from them.

use std::path::PathBuf;

use url::Url;

use super::address::web_origin;
use super::read::Reader;

/// The file that is read when nobody names one, if it is there.
const DEFAULT_FILE: &str = "./providers.json";

/// Settings of third-party login.
#[derive(Clone, Debug)]
pub struct Providers {
    /// The entries, in the Passport configurator's format.
    pub file: PathBuf,
    /// Somebody named that file: it must be there.
    pub named: bool,
    /// Origins, addresses and app links that `returnTo` may lead to, in normal form.
    pub return_to: Vec<String>,
}

impl Providers {
    pub(super) fn read(reader: &mut Reader, insecure: bool) -> Self {
        Self {
            file: reader.path("file", DEFAULT_FILE),
            named: reader.was_given("file"),
            return_to: reader.list("return_to", |text| place(text, insecure)),
        }
    }
}

/// A place people may be sent to afterwards: a web origin, an address on one, or a link into an app. Apps claim schemes that are
/// their domain backwards (RFC 8252 section 7.1); a scheme without a dot is refused as section 8.4 asks, and `javascript:` with it.
fn place(text: &str, insecure: bool) -> Result<String, String> {
    let wrong = || {
        format!(
            "must hold origins (`https://app.example.com`), addresses (`https://app.example.com/back`) or links \
             into apps (`com.example.app:/back`), but has `{text}`"
        )
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    if url.fragment().is_some() || url.query().is_some() {
        return Err(format!("has `{text}`: leave out what begins with `?` or `#`"));
    }
    if matches!(url.scheme(), "http" | "https") {
        let origin = web_origin(origin_of(&url).as_str(), insecure)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or a password".to_owned());
        }
        let path = Some(url.path()).filter(|path| *path != "/").unwrap_or_default();
        return Ok(format!("{origin}{path}"));
    }
    if url.scheme().contains('.') {
        return Ok(url.into());
    }
    Err(format!(
        "has `{text}`: the scheme of an app is its domain backwards, with at least one dot (`com.example.app:`), \
         so that no other app has it by chance"
    ))
}

fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn origins_addresses_and_apps_may_be_returned_to() {
        let read = |text| place(text, false);
        assert_eq!(
            read("HTTPS://App.Example.com/").as_deref(),
            Ok("https://app.example.com")
        );
        assert_eq!(
            read("https://app.example.com/back").as_deref(),
            Ok("https://app.example.com/back")
        );
        assert_eq!(
            read("com.example.app:/callback").as_deref(),
            Ok("com.example.app:/callback")
        );
        assert_eq!(
            read("http://localhost:8080").as_deref(),
            Ok("http://localhost:8080")
        );
    }

    #[test]
    fn what_could_run_or_leak_may_not() {
        for wrong in [
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/back",
            "*",
            "/back",
            "https://a.example/?x=1",
            "https://a.example/#x",
            "https://me:pw@a.example/",
            "http://a.example",
        ] {
            assert!(place(wrong, false).is_err(), "{wrong}");
        }
    }
}
