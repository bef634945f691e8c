//! What stands on the pages of administrators: of the first one, and of one who acts as somebody else.

use serde::Serialize;

use super::FieldErrors;

/// The banner on every page. Its form posts `csrf` to `/auth/impersonate/stop`.
#[derive(Clone, Default, Serialize)]
pub struct ActingView {
    /// Anti-forgery value of this browser; none where it has none yet: then the account page gives it one.
    pub csrf: Option<String>,
    /// As whom: their address or name.
    pub user: String,
    /// Who: the administrator's address or name.
    pub administrator: String,
    /// When it ends by itself.
    pub until: Option<String>,
}

/// `/auth/impersonate`. Posts `csrf`, `user` and `reason`.
#[derive(Clone, Default, Serialize)]
pub struct ImpersonateView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool.
    pub pool: String,
    /// Id of the user.
    pub user: String,
    /// Their address or name.
    pub name: String,
    /// The reason as typed before.
    pub reason: String,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
}

/// `/setup`. Posts `csrf`, `token`, `email`, `username`, `password` and `realm`.
#[derive(Clone, Default, Serialize)]
pub struct SetupView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the pool that administers.
    pub pool: String,
    /// The single-use token of the link.
    pub token: String,
    /// Realm as typed before; none where the pool has no realms.
    pub realm: Option<String>,
    /// E-mail as typed before.
    pub email: String,
    /// Username as typed before.
    pub username: String,
    /// Fewest characters of the password.
    pub shortest_password: usize,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
}
