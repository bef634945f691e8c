//! Whether a browser sent a request on behalf of our own pages.

use http::header::{HOST, ORIGIN, REFERER};
use url::Url;

use super::Request;

/// Whether the request may change something in the name of a cookie: sent by our own pages, by an allowed origin, or by something
/// that is no browser. Every browser of the last years names the sender of a POST in `Origin`, and tells its kind in
/// `Sec-Fetch-Site`; other sites cannot forge either.
pub fn is_own(request: &Request) -> bool {
    if let Some(site) = request.headers.get("sec-fetch-site") {
        if site == "same-origin" || site == "none" {
            return true;
        }
        return origin_is_listed(request, false);
    }
    match request.headers.get(ORIGIN) {
        None => true,
        Some(_) => origin_is_listed(request, true),
    }
}

/// Whether a page is opened because its reader wants it: by a link on our own pages, a bookmark, the address bar. Where a browser
/// does not say what led here, no page of another site may be named either.
pub fn leads_here_itself(request: &Request) -> bool {
    if let Some(site) = request.headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let is_own = |text: &str| {
        let own = Url::parse(&request.app.settings.public_url).ok();
        let named = Url::parse(text).ok();
        let host = named
            .as_ref()
            .and_then(|url| url.host_str().map(|host| (host, url.port())));
        let same_host = host.is_some_and(|(host, port)| {
            let named = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            request.header(&HOST) == Some(named.as_str())
        });
        same_host
            || own
                .zip(named)
                .is_some_and(|(own, named)| own.origin() == named.origin())
    };
    let led_by = [ORIGIN, REFERER];
    led_by.iter().all(|name| match request.headers.get(name) {
        None => true,
        Some(_) => request.header(name).is_some_and(is_own),
    })
}

fn origin_is_listed(request: &Request, or_same_host: bool) -> bool {
    let Some(origin) = request.header(&ORIGIN) else {
        return false;
    };
    let settings = &request.app.settings;
    if origin == settings.public_url || settings.cors_origins.iter().any(|allowed| allowed == origin) {
        return true;
    }
    // A page opened under another name of this host (127.0.0.1 for localhost) is still our own page.
    let host = origin.split_once("://").map(|(_, host)| host);
    or_same_host && host.is_some() && host == request.header(&HOST)
}
