//! What stands on the pages of an administrator who acts as somebody else.

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
