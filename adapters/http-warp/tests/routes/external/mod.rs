//! The doors of `providers.json`, met by browsers and programs.

mod callback;
mod corners;
mod directory;
mod factor;
mod form_post;
mod hijack;
mod legacy;
mod link;
mod local;
mod outcomes;
mod posted;
mod program;
mod start;
mod tickets;

use reqwest::Url;

use crate::browser::{Browser, Page};
use crate::site::Site;

/// The S256 challenge of RFC 7636, appendix B, and its verifier.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The query of `code_challenge`.
pub fn challenged(path: &str) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}code_challenge={CHALLENGE}&code_challenge_method=S256")
}

/// A parameter of the address that a page leads to.
pub fn sent(page: &Page, name: &str) -> String {
    let url = Url::parse(page.location()).unwrap();
    let mut pairs = url.query_pairs();
    pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
}

/// A browser on its way: the entry's path, and the state the provider will send back.
pub async fn begin(browser: &Browser, path: &str) -> String {
    let page = browser.get(path).await.is(302);
    assert!(page.location().contains("/authorize?"), "{}", page.location());
    sent(&page, "state")
}

/// There and back again as `code`.
pub async fn come_back(browser: &Browser, path: &str, code: &str) -> Page {
    let state = begin(browser, path).await;
    let path = path.split('?').next().unwrap();
    browser
        .get(&format!("{path}/callback?code={code}&state={state}"))
        .await
}

/// A browser that logged in by an entry.
pub async fn logged_in(site: &Site, path: &str, code: &str) -> Browser {
    let browser = Browser::new(site);
    come_back(&browser, path, code).await.is(302);
    browser
}

/// The id of the browser's user, empty when there is none.
pub async fn who(site: &Site, browser: &Browser) -> String {
    let Some(token) = browser.cookie("portcullis") else {
        return String::new();
    };
    let me = site.get("/Users/me", &token).await;
    me.body["id"].as_str().unwrap_or_default().to_owned()
}

/// The names of the cookies that bind ways to this browser.
pub fn bindings(page: &Page) -> Vec<String> {
    let lines = page.headers.get_all("set-cookie").iter();
    let lines = lines.map(|line| line.to_str().unwrap());
    lines
        .filter(|line| line.starts_with("portcullis-auth-"))
        .map(str::to_owned)
        .collect()
}
