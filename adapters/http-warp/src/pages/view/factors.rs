//! What the pages about second factors, passkeys and mailed links show.

use serde::Serialize;

use super::FieldErrors;

/// What an authenticator is asked, written into the page for the one script.
#[derive(Clone, Default, Serialize)]
pub struct PasskeyView {
    /// The token that continues it.
    pub ceremony: String,
    /// The `publicKey` of the browser's interface, as JSON text.
    pub options: String,
}

/// `/two-factor`: the second step of a log-in. Posts `csrf`, `code`, `method`, `trust`, `return_to`; for a passkey `csrf`, `ceremony`,
/// `credential`, `trust` and `return_to` to `/two-factor/passkey`; another form posts `csrf` and `return_to` to
/// `/two-factor/resend`.
#[derive(Clone, Default, Serialize)]
pub struct TwoFactorView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Local path to open after the log-in, already judged safe.
    pub return_to: Option<String>,
    /// The way the page asks for: `sms`, `totp`, `recovery`, `passkey`, or `enrol` where an authenticator app is to be added first.
    pub method: &'static str,
    /// The other ways, named alike.
    pub others: Vec<&'static str>,
    /// What the authenticator is asked, where that is the way.
    pub passkey: Option<PasskeyView>,
    /// Where the code went, already masked ("the number ending in 23").
    pub sent_to: Option<String>,
    /// How long a code lives, in seconds.
    pub lifetime_seconds: Option<u64>,
    /// For how many days a device may be trusted; none where none is.
    pub trust_days: Option<u64>,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
    /// Good news to show above the form.
    pub notice: Option<String>,
}

/// One authenticator app or passkey.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FactorView {
    /// Names it in the forms that rename and remove it.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// The day it was added.
    pub since: String,
    /// The day it was last used.
    pub last_used: Option<String>,
    /// What else its owner should know.
    pub note: Option<&'static str>,
}

/// One session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Names it in the form that ends it.
    pub id: String,
    /// What people call the device.
    pub device: String,
    /// The address it was opened from.
    pub place: Option<String>,
    /// The day it was opened.
    pub since: String,
    /// When it was last used, to the minute.
    pub last_used: Option<String>,
    /// Whether this page was asked for by it.
    pub current: bool,
}

/// `/account/security`: what guards the log-in, and where one is logged in. Every form posts `csrf` below `/account/security`.
#[derive(Clone, Default, Serialize)]
pub struct SecurityView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Authenticator apps.
    pub apps: Vec<FactorView>,
    /// Passkeys.
    pub passkeys: Vec<FactorView>,
    /// Recovery codes that are left.
    pub codes_left: usize,
    /// The number codes go to, masked.
    pub phone: Option<String>,
    /// Devices that are asked for no second factor.
    pub trusted_devices: usize,
    /// For how many days a device may be trusted; none where none is.
    pub trust_days: Option<u64>,
    /// The sessions, the newest first.
    pub sessions: Vec<SessionView>,
    /// Whether apps can be added.
    pub offers_totp: bool,
    /// Whether passkeys can be added.
    pub offers_passkeys: bool,
    /// Whether recovery codes can be made.
    pub offers_recovery: bool,
    /// What was wrong with the last form.
    pub errors: FieldErrors,
    /// Good news to show at the top.
    pub notice: Option<String>,
}

/// A picture of squares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QrView {
    /// Squares in a row, with the quiet margin.
    pub size: usize,
    /// The dark ones, as the path of an SVG.
    pub path: String,
}

/// An authenticator app that is to be confirmed. Posts `csrf`, `enrolment` and `code` to `/account/security/totp/confirm`; of a log-in that
/// waits for it `csrf`, `method`, `code`, `return_to` and, if ticked, `trust` to `/two-factor`.
#[derive(Clone, Default, Serialize)]
pub struct TotpEnrolView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// The token that continues it; none where a log-in waits for it.
    pub enrolment: Option<String>,
    /// The key, shown once; none on the page after a wrong code.
    pub secret: Option<String>,
    /// The same as a picture.
    pub qr: Option<QrView>,
    /// Local path to open after the log-in that waits, already judged safe.
    pub return_to: Option<String>,
    /// For how many days that log-in's device may be trusted; none where none is.
    pub trust_days: Option<u64>,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
}

/// Recovery codes, shown once. Has no form.
#[derive(Clone, Default, Serialize)]
pub struct RecoveryCodesView {
    /// The codes.
    pub codes: Vec<String>,
}

/// A passkey that is to be made. Posts `csrf`, `ceremony` and `credential` to `/account/security/passkeys`.
#[derive(Clone, Default, Serialize)]
pub struct PasskeyAddView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// What the authenticator is asked.
    pub passkey: PasskeyView,
}

/// `/account/confirm`: a fresh proof. Posts `csrf`, `return_to` and one of `current_password`, `sms`, `totp`, `recovery` (with
/// `method`); for a passkey `ceremony` and `credential` to `/account/confirm/passkey`; asks for a code at `/account/confirm/code`.
#[derive(Clone, Default, Serialize)]
pub struct ConfirmView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool.
    pub pool: String,
    /// Local path to go back to, already judged safe.
    pub return_to: Option<String>,
    /// The ways to prove it, the best first.
    pub methods: Vec<&'static str>,
    /// The fields of the page, for the list of what is wrong.
    pub fields: Vec<&'static str>,
    /// What the authenticator is asked, where there is a passkey.
    pub passkey: Option<PasskeyView>,
    /// Whether a code was sent.
    pub sms_sent: bool,
    /// Tells a password manager whose password it is.
    pub email: String,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
    /// Good news to show above the forms.
    pub notice: Option<String>,
}

/// `/email/revert` from a mailed link. Posts `csrf`, `token`, `pool`.
#[derive(Clone, Default, Serialize)]
pub struct RevertEmailView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// The single-use token of the link.
    pub token: String,
    /// Plural name of the user pool.
    pub pool: String,
}

/// `/login/link` without a token. Posts `csrf`, `identifier`, `realm`, `pool`, `return_to`.
#[derive(Clone, Default, Serialize)]
pub struct LinkAskView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool.
    pub pool: String,
    /// Local path to open after the log-in, already judged safe.
    pub return_to: Option<String>,
    /// Realm as typed before; none where the pool has no realms.
    pub realm: Option<String>,
    /// Address as typed before.
    pub identifier: String,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
    /// The one answer that known and unknown addresses both get.
    pub notice: Option<String>,
}

/// `/login/link` from a mailed link. Posts `csrf`, `token`, `pool` and `keep` to `/login/link/open`.
#[derive(Clone, Default, Serialize)]
pub struct LinkOpenView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// The single-use token of the link.
    pub token: String,
    /// Plural name of the user pool.
    pub pool: String,
}
