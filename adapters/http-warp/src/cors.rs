//! Cross-origin calls: allowed for the configured origins, with credentials, and for nobody else (the Fetch standard, CORS protocol).

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
};
use http::{Method, StatusCode};

use crate::extract::Request;
use crate::reply::Reply;

/// What cross-origin rules say to one request.
pub struct Cors {
    origin: Option<String>,
    preflight: bool,
    configured: bool,
}

/// Judges a request by its `Origin`.
pub fn judge(request: &Request) -> Cors {
    let allowed = &request.app.settings.cors_origins;
    let origin = (!allowed.is_empty())
        .then(|| request.header(&ORIGIN))
        .flatten()
        .filter(|origin| allowed.iter().any(|known| known == origin));
    let preflight =
        request.method == Method::OPTIONS && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    Cors {
        origin: origin.map(str::to_owned),
        preflight,
        configured: !allowed.is_empty(),
    }
}

impl Cors {
    /// The answer to a preflight; none for other requests. A stranger's preflight gets one too, without permission in it.
    pub fn preflight(&self) -> Option<Reply> {
        self.preflight.then(|| {
            let reply = Reply::empty(StatusCode::NO_CONTENT);
            if self.origin.is_none() {
                return reply;
            }
            reply
                .header(
                    ACCESS_CONTROL_ALLOW_METHODS,
                    "GET, HEAD, POST, PUT, PATCH, DELETE",
                )
                .header(
                    ACCESS_CONTROL_ALLOW_HEADERS,
                    "Authorization, Content-Type, X-Access-Token, X-Application-Id, X-Application-Key, X-Request-Id",
                )
                .header(ACCESS_CONTROL_MAX_AGE, "86400")
        })
    }

    /// Adds the permission to an answer.
    pub fn dress(&self, mut reply: Reply) -> Reply {
        if self.configured {
            reply.headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        match &self.origin {
            None => reply,
            Some(origin) => reply
                .header(ACCESS_CONTROL_ALLOW_ORIGIN, origin)
                .header(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true")
                .header(ACCESS_CONTROL_EXPOSE_HEADERS, "Retry-After, X-Request-Id"),
        }
    }
}
