//! The pages people see: server-rendered, complete without JavaScript but for passkeys, which browsers give to scripts alone.
//!
//! One file per page. A handler reads its `form`, calls one service and answers; what to do is decided in `domain`. Every form
//! passes the same gate: sent by our own page (`form::Form::read`) with this browser's anti-forgery value (`csrf`).

mod account;
mod acting;
mod csrf;
pub(crate) mod external;
pub(crate) mod form;
mod keep;
mod landing;
mod login;
mod login_link;
mod logout;
mod moments;
mod passkey;
pub(crate) mod pending;
pub(crate) mod place;
mod problem_page;
mod providers;
mod qr;
pub mod render;
mod reset;
mod revert_email;
pub(crate) mod session;
mod setup;
mod signup;
mod totp;
mod two_factor;
mod verify;
pub mod view;
pub(crate) mod visit;
mod words;

pub use account::confirm::instead_of;
pub use acting::tell_who_acts;
pub use csrf::is_ours as is_own_form;
pub use problem_page::{is_wanted, problem_page};

use crate::routes::{Handler, handler};

/// Every page: path, verb, handler. `HEAD` goes with `GET`.
pub const ROUTES: &[(&str, &str, Handler)] = &[
    ("/login", "GET", handler!(login::show)),
    ("/login", "POST", handler!(login::submit)),
    ("/login/passkey", "POST", handler!(passkey::log_in)),
    ("/login/link", "GET", handler!(login_link::show)),
    ("/login/link", "POST", handler!(login_link::send)),
    ("/login/link/open", "POST", handler!(login_link::open)),
    ("/logout", "POST", handler!(logout::submit)),
    ("/setup", "GET", handler!(setup::show)),
    ("/setup", "POST", handler!(setup::submit)),
    ("/signup", "GET", handler!(signup::show)),
    ("/signup", "POST", handler!(signup::submit)),
    ("/two-factor", "GET", handler!(two_factor::show)),
    ("/two-factor", "POST", handler!(two_factor::submit)),
    ("/two-factor/app", "POST", handler!(two_factor::enrol)),
    ("/two-factor/passkey", "POST", handler!(two_factor::with_passkey)),
    ("/two-factor/resend", "POST", handler!(two_factor::resend)),
    ("/email/revert", "GET", handler!(revert_email::show)),
    ("/email/revert", "POST", handler!(revert_email::submit)),
    ("/account", "GET", handler!(account::show)),
    ("/account/password", "POST", handler!(account::password::submit)),
    ("/account/email", "POST", handler!(account::email::submit)),
    (
        "/account/verify-email",
        "POST",
        handler!(account::email::send_link),
    ),
    ("/account/phone", "POST", handler!(account::phone::submit)),
    (
        "/account/phone/send-code",
        "POST",
        handler!(account::phone::send_code),
    ),
    (
        "/account/phone/confirm",
        "POST",
        handler!(account::phone::confirm),
    ),
    (
        "/account/sessions/end-others",
        "POST",
        handler!(account::sessions::end_others),
    ),
    (
        "/account/identities/unlink",
        "POST",
        handler!(account::linked::unlink),
    ),
    (
        "/account/credentials/forget",
        "POST",
        handler!(account::linked::forget),
    ),
    ("/account/security", "GET", handler!(account::security::show)),
    (
        "/account/security/totp",
        "POST",
        handler!(account::security::totp::begin),
    ),
    (
        "/account/security/totp/confirm",
        "POST",
        handler!(account::security::totp::confirm),
    ),
    (
        "/account/security/passkeys/begin",
        "POST",
        handler!(account::security::passkeys::begin),
    ),
    (
        "/account/security/passkeys",
        "POST",
        handler!(account::security::passkeys::add),
    ),
    (
        "/account/security/recovery",
        "POST",
        handler!(account::security::factors::recovery_codes),
    ),
    (
        "/account/security/rename",
        "POST",
        handler!(account::security::factors::rename),
    ),
    (
        "/account/security/remove",
        "POST",
        handler!(account::security::factors::remove),
    ),
    (
        "/account/security/devices/forget",
        "POST",
        handler!(account::security::factors::forget_devices),
    ),
    (
        "/account/security/sessions/end",
        "POST",
        handler!(account::security::sessions::end),
    ),
    (
        "/account/security/sessions/end-others",
        "POST",
        handler!(account::security::sessions::end_others),
    ),
    ("/account/confirm", "GET", handler!(account::confirm::show)),
    ("/account/confirm", "POST", handler!(account::confirm::submit)),
    (
        "/account/confirm/passkey",
        "POST",
        handler!(account::confirm::with_passkey),
    ),
    (
        "/account/confirm/code",
        "POST",
        handler!(account::confirm::send_code),
    ),
    ("/auth/impersonate", "GET", handler!(acting::show)),
    ("/auth/impersonate", "POST", handler!(acting::begin)),
    ("/auth/impersonate/stop", "POST", handler!(acting::stop)),
    ("/join", "GET", handler!(external::join::show)),
    ("/join", "POST", handler!(external::join::with_password)),
    ("/join/code", "POST", handler!(external::join::send_code)),
    ("/join/confirm", "POST", handler!(external::join::with_code)),
    ("/join/decline", "POST", handler!(external::join::decline)),
    ("/reset", "GET", handler!(reset::show)),
    ("/reset", "POST", handler!(reset::submit)),
    ("/verify", "GET", handler!(verify::show)),
    ("/verify", "POST", handler!(verify::submit)),
    ("/verify/email/resend", "POST", handler!(verify::email::resend)),
    ("/verify/phone/resend", "POST", handler!(verify::phone::resend)),
    // Where LoopBack's own pages used to be.
    ("/login.html", "GET", handler!(landing::login)),
    ("/link.html", "GET", handler!(landing::linked)),
    ("/auth/account", "GET", handler!(landing::account)),
    ("/link/account", "GET", handler!(landing::linked)),
];
