//! What each page shows: one plain struct per page.
//!
//! No view has room for a typed password or code, so a form can never echo one. None implements `Debug`, because the
//! anti-forgery value and the tokens of mailed links ride in them.

mod administrators;
mod external;
mod factors;

pub use administrators::{ActingView, ImpersonateView, SetupView};
pub use external::{
    ConfirmLinkView, DirectoryView, FailedView, GrantView, JoinView, LinkedView, OnwardView, ProviderLink,
    SendView,
};

pub use factors::{
    ConfirmView, FactorView, LinkAskView, LinkOpenView, PasskeyAddView, PasskeyView, QrView,
    RecoveryCodesView, RevertEmailView, SecurityView, SessionView, TotpEnrolView, TwoFactorView,
};

use std::collections::BTreeMap;

use serde::Serialize;

/// The messages of one refused form, by the name of the field they belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FieldErrors(BTreeMap<&'static str, String>);

impl FieldErrors {
    /// The key of a message about the form as a whole ("name or password is wrong").
    pub const FORM: &'static str = "form";

    /// No message at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// One message about the form as a whole, for refusals that must not say which field was wrong.
    pub fn form(message: impl Into<String>) -> Self {
        Self::none().with(Self::FORM, message)
    }

    /// These messages and one more; a later message for the same field takes the place of the earlier one.
    #[must_use]
    pub fn with(mut self, field: &'static str, message: impl Into<String>) -> Self {
        self.add(field, message);
        self
    }

    /// Adds a message; a later one for the same field takes the place of the earlier one.
    pub fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.insert(field, message.into());
    }

    /// Whether there is a message for that field.
    pub fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Whether the form has nothing to complain about.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `/login`: name and password. Posts `csrf`, `identifier`, `password`, `realm`, `keep`, `pool`, `return_to`; a second form posts
/// `csrf`, `uid`, `pool` and `return_to` to `/verify/email/resend`; a third, by script, `csrf`, `ceremony`, `credential`, `keep`, `pool`
/// and `return_to` to `/login/passkey`.
#[derive(Clone, Default, Serialize)]
pub struct LoginView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool, such as `Users`.
    pub pool: String,
    /// Local path to open after the log-in, already judged safe.
    pub return_to: Option<String>,
    /// Realm as typed before; none where the pool has no realms.
    pub realm: Option<String>,
    /// E-mail or username as typed before.
    pub identifier: String,
    /// Id of the user whose unconfirmed address kept a right password out: a link can be sent again.
    pub unverified: Option<String>,
    /// The providers people can log in with.
    pub providers: Vec<ProviderLink>,
    /// Where the script asks what to ask an authenticator; none where a passkey is no log-in.
    pub passkey_url: Option<String>,
    /// Whether a link to log in with can be mailed.
    pub magic_link: bool,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
    /// Good news to show above the form.
    pub notice: Option<String>,
}

/// `/signup`: a new account. Posts `csrf`, `email`, `username`, `phone`, `password`, `realm`, `pool`,
/// `return_to`.
#[derive(Clone, Default, Serialize)]
pub struct SignupView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool, such as `Users`.
    pub pool: String,
    /// Local path to open after the sign-up, already judged safe.
    pub return_to: Option<String>,
    /// Realm as typed before; none where the pool has no realms.
    pub realm: Option<String>,
    /// E-mail as typed before.
    pub email: String,
    /// Username as typed before.
    pub username: String,
    /// Phone number as typed before.
    pub phone: String,
    /// Fewest characters of a new password.
    pub shortest_password: usize,
    /// The providers people can come with instead.
    pub providers: Vec<ProviderLink>,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
    /// Good news to show above the form.
    pub notice: Option<String>,
}

/// The messages of the account page, per form, because two forms share a field name.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AccountErrors {
    /// About no form in particular; shown at the top of the page.
    pub page: FieldErrors,
    /// `/account/password`: `current_password`, `new_password`.
    pub password: FieldErrors,
    /// `/account/email`: `email`, `current_password`.
    pub email: FieldErrors,
    /// `/account/phone`: `phone`, `current_password`.
    pub phone: FieldErrors,
    /// `/account/phone/confirm`: `code`.
    pub code: FieldErrors,
    /// `/account/identities/unlink` and `/account/credentials/forget`, which have no field to be wrong.
    pub linked: FieldErrors,
}

impl AccountErrors {
    /// Whether no form of the page has anything to complain about.
    pub fn is_empty(&self) -> bool {
        let forms = [
            &self.page,
            &self.password,
            &self.email,
            &self.phone,
            &self.code,
            &self.linked,
        ];
        forms.iter().all(|form| form.is_empty())
    }
}

/// `/account`: who you are, and the forms that change it. Every form posts `csrf`.
#[derive(Clone, Default, Serialize)]
pub struct AccountView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool.
    pub pool: String,
    /// The account's address; empty where there is none.
    pub email: String,
    /// Whether the address was confirmed.
    pub email_verified: bool,
    /// The account's username.
    pub username: Option<String>,
    /// The account's phone number, in full: only its owner sees this page.
    pub phone: Option<String>,
    /// Whether a code sent to the number came back.
    pub phone_confirmed: bool,
    /// The confirmed number that codes go to while another one waits, masked.
    pub codes_go_to: Option<String>,
    /// The second factors there are, in words; none where there are none.
    pub second_step: Option<String>,
    /// Whether there is a password; people who came by a provider have none at first.
    pub has_password: bool,
    /// The accounts elsewhere that log in to this one.
    pub linked: Vec<LinkedView>,
    /// Those that can be linked.
    pub linkable: Vec<ProviderLink>,
    /// What we may do there.
    pub grants: Vec<GrantView>,
    /// The new address as typed into a refused form.
    pub new_email: String,
    /// The new number as typed into a refused form.
    pub new_phone: String,
    /// Fewest characters of a new password.
    pub shortest_password: usize,
    /// What was wrong with the last try, per form. A form with messages is shown open.
    pub problems: AccountErrors,
    /// Good news to show at the top.
    pub notice: Option<String>,
}

/// `/reset`, in either of its two states.
#[derive(Clone)]
pub enum ResetView {
    /// Nobody is known yet: ask for the address.
    Ask(ResetAskView),
    /// A mailed link was opened: choose the new password.
    Choose(ResetChooseView),
}

/// `/reset` without a token. Posts `csrf`, `email`, `realm`, `pool`.
#[derive(Clone, Default, Serialize)]
pub struct ResetAskView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool, such as `Users`.
    pub pool: String,
    /// Realm as typed before; none where the pool has no realms.
    pub realm: Option<String>,
    /// E-mail as typed before.
    pub email: String,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
    /// The one answer that known and unknown addresses both get.
    pub notice: Option<String>,
}

/// `/reset` with a token. Posts `csrf`, `token`, `new_password`, `pool`.
#[derive(Clone, Default, Serialize)]
pub struct ResetChooseView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool, such as `Users`.
    pub pool: String,
    /// The single-use token of the mailed link.
    pub token: String,
    /// Fewest characters of a new password.
    pub shortest_password: usize,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
    /// Good news to show above the form.
    pub notice: Option<String>,
}

/// `/verify`, in one of its three states.
#[derive(Clone)]
pub enum VerifyView {
    /// A mailed link was opened. Showing the page confirms nothing: mail scanners open links too.
    Email(VerifyEmailView),
    /// A code was sent to a phone.
    Phone(VerifyPhoneView),
    /// How it ended.
    Result(VerifyResultView),
}

/// `/verify` from a mailed link. Posts `csrf`, `uid`, `token`, `pool`.
#[derive(Clone, Default, Serialize)]
pub struct VerifyEmailView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Id of the user, from the link.
    pub uid: String,
    /// The single-use token of the link.
    pub token: String,
    /// Plural name of the user pool, such as `Users`.
    pub pool: String,
}

/// `/verify` for a phone. Posts `csrf`, `code` and `return_to`; a second form posts `csrf` and `return_to` to
/// `/verify/phone/resend`.
#[derive(Clone, Default, Serialize)]
pub struct VerifyPhoneView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool, for the link to the log-in page.
    pub pool: String,
    /// Local path to open after the log-in, already judged safe.
    pub return_to: Option<String>,
    /// Where the code went, already masked.
    pub sent_to: Option<String>,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
    /// Good news to show above the form.
    pub notice: Option<String>,
}

/// `/verify` when it is over. Has no form.
#[derive(Clone, Default, Serialize)]
pub struct VerifyResultView {
    /// Whether the contact is confirmed now.
    pub done: bool,
    /// The heading.
    pub title: String,
    /// One sentence below it.
    pub message: String,
    /// Plural name of the user pool, for the link to the log-in page.
    pub pool: String,
    /// Where to go from here.
    pub next: Next,
}

/// Where a page without a form leads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// To `/account`.
    #[default]
    Account,
    /// To `/login`.
    LogIn,
    /// Nowhere; the message says it all.
    Nothing,
}

/// Any page that could not be shown. Has no form.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ErrorView {
    /// The HTTP status, shown small.
    pub status: u16,
    /// The heading.
    pub title: String,
    /// One sentence below it, never an inner detail.
    pub message: String,
    /// What support needs to find the fault in the log.
    pub request_id: Option<String>,
}

impl ErrorView {
    /// The page for an address that leads nowhere.
    pub fn not_found() -> Self {
        Self {
            status: 404,
            title: "Nothing stands here".to_owned(),
            message: "The address is mistyped, or the page has moved.".to_owned(),
            request_id: None,
        }
    }

    /// The page for a form that is too old or came from elsewhere: its anti-forgery value was not ours.
    pub fn stale_form() -> Self {
        Self {
            status: 403,
            title: "This form is too old".to_owned(),
            message: "Go back, load the page again and send it once more. Nothing was changed.".to_owned(),
            request_id: None,
        }
    }

    /// The page for a fault on our side; the log knows more under `request_id`.
    pub fn internal(request_id: impl Into<String>) -> Self {
        Self {
            status: 500,
            title: "Something broke on our side".to_owned(),
            message: "It is not your fault. Please try again in a moment.".to_owned(),
            request_id: Some(request_id.into()),
        }
    }
}

/// The page of status 429.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RateLimitedView {
    /// How long to wait, in seconds: the same number as in `Retry-After`.
    pub retry_after_seconds: u64,
    /// A page of ours to go back to.
    pub back: Option<&'static str>,
}
