//! The anti-forgery value: a random cookie that every form repeats in a hidden field (OWASP's double submit; over TLS the cookie's
//! `__Host-` name keeps neighbours from planting one).

use domain::service::Services;
use subtle::ConstantTimeEq as _;

use crate::extract::Request;
use crate::extract::cookies::{Cookie, Jar};
use crate::reply::Reply;

/// The hidden field's name.
pub const FIELD: &str = "csrf";

/// The value of this browser.
pub struct Csrf {
    value: String,
    is_new: bool,
}

impl Csrf {
    /// What the browser brought, else a new one.
    pub fn of(request: &Request) -> Self {
        match brought(request) {
            Some(value) => Self {
                value: value.to_owned(),
                is_new: false,
            },
            None => Self::draw(&request.app.services),
        }
    }

    /// A new one: after a log-in no form of before is good any more.
    pub fn draw(services: &Services) -> Self {
        Self {
            value: services.draw_token().expose().to_owned(),
            is_new: true,
        }
    }

    /// For the hidden field.
    pub fn value(&self) -> String {
        self.value.clone()
    }

    /// Whether the browser does not have it yet.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// Hands the cookie out where it is new.
    pub fn dress(&self, reply: Reply, jar: Jar) -> Reply {
        if self.is_new {
            reply.cookie(&jar.set(Cookie::Csrf, &self.value, None))
        } else {
            reply
        }
    }
}

/// Whether a form's value is the one of this browser; compared in constant time.
pub fn is_ours(request: &Request, sent: &str) -> bool {
    brought(request).is_some_and(|cookie| cookie.as_bytes().ct_eq(sent.as_bytes()).into())
}

/// The cookie, if it can be one of ours.
fn brought(request: &Request) -> Option<&str> {
    let jar = Jar::new(request.app.settings.is_https());
    let is_token = |text: &&str| {
        text.len() == domain::secret::TOKEN_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    jar.read(&request.headers, Cookie::Csrf).filter(is_token)
}
