//! Whether a browser sent a request on behalf of our own pages.

use http::header::{HOST, ORIGIN};

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
