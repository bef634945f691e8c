//! "Keep me logged in": how long a session of the pages lives.

use domain::flow::login::Terms;
use domain::policy::PoolPolicy;
use domain::service::Services;
use domain::session::TokenLife;

use super::form::Form;

/// The field of the box.
pub const FIELD: &str = "keep";

/// Browsers keep no cookie longer than 400 days (RFC 6265bis section 5.5).
pub const LONGEST_COOKIE: u64 = 34_560_000;

/// What a session begun by a form is to be like.
pub fn terms(pool: &PoolPolicy, form: &Form) -> Terms {
    Services::page_terms(pool, form.filled(FIELD).is_some())
}

/// How long the browser keeps the cookie of a session, in seconds; none for one that ends with the browser, as every session does that
/// was not to be kept.
pub fn cookie_age(pool: &PoolPolicy, life: TokenLife) -> Option<u64> {
    match life {
        TokenLife::Finite(life) if life <= pool.page_ttl => None,
        TokenLife::Finite(life) => Some(life.as_secs_ceil().min(LONGEST_COOKIE)),
        TokenLife::Eternal => Some(LONGEST_COOKIE),
    }
}
