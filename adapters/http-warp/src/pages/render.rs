//! From view to HTML: the templates are compiled once, when the server starts.

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::view::{
    AccountView, ActingView, ConfirmLinkView, ConfirmView, DirectoryView, ErrorView, FailedView,
    ImpersonateView, JoinView, LinkAskView, LinkOpenView, LoginView, OnwardView, PasskeyAddView,
    RateLimitedView, RecoveryCodesView, ResetView, RevertEmailView, SecurityView, SendView, SetupView,
    SignupView, TotpEnrolView, TwoFactorView, VerifyView,
};

#[cfg(test)]
mod tests;

/// The one stylesheet, served from [`STYLESHEET_PATH`] as `text/css; charset=utf-8`.
pub const STYLESHEET: &str = include_str!("style.css");

/// Where every page looks for its stylesheet.
pub const STYLESHEET_PATH: &str = "/assets/portcullis.css";

/// The one script, served from [`SCRIPT_PATH`] as `text/javascript; charset=utf-8`: it speaks with authenticators.
pub const SCRIPT: &str = include_str!("passkeys.js");

/// Where the pages with passkeys look for it.
pub const SCRIPT_PATH: &str = "/assets/passkeys.js";

/// The other script, served from [`SENDING_PATH`]: it sends the form of the page it is on.
pub const SENDING: &str = include_str!("send.js");

/// Where the pages with a form that sends itself look for it.
pub const SENDING_PATH: &str = "/assets/send.js";

/// The policy every page is written for: no script, nothing inline, nothing from elsewhere, no frame.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the pages with passkeys: the same, with scripts of ours in files and what those ask of us.
pub const SCRIPTED_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
     img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

// Every name ends in `.html`: that is what switches escaping on.
const TEMPLATES: [(&str, &str); 29] = [
    ("account.html", include_str!("templates/account.html")),
    ("base.html", include_str!("templates/base.html")),
    ("confirm.html", include_str!("templates/confirm.html")),
    ("confirm-link.html", include_str!("templates/confirm-link.html")),
    ("directory.html", include_str!("templates/directory.html")),
    ("error.html", include_str!("templates/error.html")),
    (
        "external-failed.html",
        include_str!("templates/external-failed.html"),
    ),
    ("impersonate.html", include_str!("templates/impersonate.html")),
    ("join.html", include_str!("templates/join.html")),
    (
        "login-link-open.html",
        include_str!("templates/login-link-open.html"),
    ),
    ("login-link.html", include_str!("templates/login-link.html")),
    ("login.html", include_str!("templates/login.html")),
    ("onward.html", include_str!("templates/onward.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("passkey-add.html", include_str!("templates/passkey-add.html")),
    ("rate-limited.html", include_str!("templates/rate-limited.html")),
    (
        "recovery-codes.html",
        include_str!("templates/recovery-codes.html"),
    ),
    ("reset-ask.html", include_str!("templates/reset-ask.html")),
    ("reset-choose.html", include_str!("templates/reset-choose.html")),
    ("security.html", include_str!("templates/security.html")),
    ("revert-email.html", include_str!("templates/revert-email.html")),
    ("send.html", include_str!("templates/send.html")),
    ("setup.html", include_str!("templates/setup.html")),
    ("signup.html", include_str!("templates/signup.html")),
    ("totp-enrol.html", include_str!("templates/totp-enrol.html")),
    ("two-factor.html", include_str!("templates/two-factor.html")),
    ("verify-email.html", include_str!("templates/verify-email.html")),
    ("verify-phone.html", include_str!("templates/verify-phone.html")),
    ("verify-result.html", include_str!("templates/verify-result.html")),
];

/// A template that does not compile or does not fit its view: always a fault of ours, never of a visitor.
///
/// It names the place and the kind of fault only. The engine's own error can quote values, and those may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("page template {template}, line {line}: {reason}")]
pub struct PageError {
    template: String,
    line: usize,
    reason: String,
}

impl From<minijinja::Error> for PageError {
    fn from(error: minijinja::Error) -> Self {
        Self {
            template: error.name().unwrap_or("unknown").to_owned(),
            line: error.line().unwrap_or_default(),
            reason: error.kind().to_string(),
        }
    }
}

/// All pages, ready to be filled in. Cheap to clone.
#[derive(Clone)]
pub struct Pages {
    templates: Arc<Environment<'static>>,
    acting: Option<Arc<ActingView>>,
}

impl Pages {
    /// Compiles the built-in templates.
    ///
    /// # Errors
    /// When a template does not parse; the tests make sure that none does.
    pub fn new() -> Result<Self, PageError> {
        let mut templates = Environment::new();
        // The engine's debug reports quote the values in scope, among them tokens.
        templates.set_debug(false);
        templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        templates.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()?,
        );
        templates.add_function("page_url", page_url);
        templates.add_function("method_url", method_url);
        templates.add_function("duration", duration);
        templates.add_filter("address", address);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source)?;
        }
        Ok(Self {
            templates: Arc::new(templates),
            acting: None,
        })
    }

    /// The same for whoever acts in somebody's place: every page says so at its top.
    #[must_use]
    pub fn saying_who_acts(&self, acting: ActingView) -> Self {
        Self {
            acting: Some(Arc::new(acting)),
            ..self.clone()
        }
    }

    /// The question before an administrator acts as a user.
    pub fn impersonate(&self, view: &ImpersonateView) -> Result<String, PageError> {
        self.render("impersonate.html", view)
    }

    /// The page at `/login`.
    pub fn login(&self, view: &LoginView) -> Result<String, PageError> {
        self.render("login.html", view)
    }

    /// The page at `/signup`.
    pub fn signup(&self, view: &SignupView) -> Result<String, PageError> {
        self.render("signup.html", view)
    }

    /// The page at `/setup`.
    pub fn setup(&self, view: &SetupView) -> Result<String, PageError> {
        self.render("setup.html", view)
    }

    /// The page at `/two-factor`.
    pub fn two_factor(&self, view: &TwoFactorView) -> Result<String, PageError> {
        self.render("two-factor.html", view)
    }

    /// The page at `/account`.
    pub fn account(&self, view: &AccountView) -> Result<String, PageError> {
        self.render("account.html", view)
    }

    /// The page at `/account/security`.
    pub fn security(&self, view: &SecurityView) -> Result<String, PageError> {
        self.render("security.html", view)
    }

    /// The page at `/account/confirm`.
    pub fn confirm(&self, view: &ConfirmView) -> Result<String, PageError> {
        self.render("confirm.html", view)
    }

    /// The page of an authenticator app that is to be confirmed.
    pub fn totp_enrol(&self, view: &TotpEnrolView) -> Result<String, PageError> {
        self.render("totp-enrol.html", view)
    }

    /// The page of new recovery codes.
    pub fn recovery_codes(&self, view: &RecoveryCodesView) -> Result<String, PageError> {
        self.render("recovery-codes.html", view)
    }

    /// The page of a passkey that is to be made.
    pub fn passkey_add(&self, view: &PasskeyAddView) -> Result<String, PageError> {
        self.render("passkey-add.html", view)
    }

    /// The page at `/email/revert`.
    pub fn revert_email(&self, view: &RevertEmailView) -> Result<String, PageError> {
        self.render("revert-email.html", view)
    }

    /// The page at `/login/link` that asks for an address.
    pub fn login_link(&self, view: &LinkAskView) -> Result<String, PageError> {
        self.render("login-link.html", view)
    }

    /// The page at `/login/link` of a mailed link.
    pub fn login_link_open(&self, view: &LinkOpenView) -> Result<String, PageError> {
        self.render("login-link-open.html", view)
    }

    /// The page at `/reset`.
    pub fn reset(&self, view: &ResetView) -> Result<String, PageError> {
        match view {
            ResetView::Ask(view) => self.render("reset-ask.html", view),
            ResetView::Choose(view) => self.render("reset-choose.html", view),
        }
    }

    /// The page at `/verify`.
    pub fn verify(&self, view: &VerifyView) -> Result<String, PageError> {
        match view {
            VerifyView::Email(view) => self.render("verify-email.html", view),
            VerifyView::Phone(view) => self.render("verify-phone.html", view),
            VerifyView::Result(view) => self.render("verify-result.html", view),
        }
    }

    /// The question before an account elsewhere is linked.
    pub fn confirm_link(&self, view: &ConfirmLinkView) -> Result<String, PageError> {
        self.render("confirm-link.html", view)
    }

    /// The page at `/join`.
    pub fn join(&self, view: &JoinView) -> Result<String, PageError> {
        self.render("join.html", view)
    }

    /// The page after a visit to a provider that failed.
    pub fn failed(&self, view: &FailedView) -> Result<String, PageError> {
        self.render("external-failed.html", view)
    }

    /// The page that opens a place elsewhere.
    pub fn onward(&self, view: &OnwardView) -> Result<String, PageError> {
        self.render("onward.html", view)
    }

    /// The form of a directory.
    pub fn directory(&self, view: &DirectoryView) -> Result<String, PageError> {
        self.render("directory.html", view)
    }

    /// The form that sends itself.
    pub fn send(&self, view: &SendView) -> Result<String, PageError> {
        self.render("send.html", view)
    }

    /// The page for a request that could not be answered.
    pub fn error(&self, view: &ErrorView) -> Result<String, PageError> {
        self.render("error.html", view)
    }

    /// The page of status 429; the handler sends `Retry-After` beside it.
    pub fn rate_limited(&self, view: &RateLimitedView) -> Result<String, PageError> {
        self.render("rate-limited.html", view)
    }

    fn render(&self, name: &str, view: &impl Serialize) -> Result<String, PageError> {
        let template = self.templates.get_template(name)?;
        let acting = Value::from(Serde(self.acting.as_deref()));
        Ok(template.render(context! { acting, ..Serde(view) })?)
    }
}

/// A link to one of our pages that keeps the pool and the place to return to.
fn page_url(path: &str, pool: &str, return_to: Option<&str>) -> Value {
    link(
        path,
        [("pool", pool), ("return_to", return_to.unwrap_or_default())],
    )
}

/// A link to the same page asking for another way.
fn method_url(path: &str, method: &str, return_to: Option<&str>) -> Value {
    link(
        path,
        [("method", method), ("return_to", return_to.unwrap_or_default())],
    )
}

/// The encoded query has no character that HTML would read, so only the `&` between pairs needs escaping.
fn link(path: &str, pairs: [(&str, &str); 2]) -> Value {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    let query = query.finish().replace('&', "&amp;");
    let mark = if query.is_empty() { "" } else { "?" };
    Value::from_safe_string(format!("{path}{mark}{query}"))
}

/// An address within quotes, its slashes left alone.
fn address(text: &str) -> Value {
    let special = [
        ('&', "&amp;"),
        ('"', "&quot;"),
        ('\'', "&#39;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
    ];
    let escaped = special.iter().fold(text.to_owned(), |text, (letter, escape)| {
        text.replace(*letter, escape)
    });
    Value::from_safe_string(escaped)
}

/// Seconds as people say them. Rounds up: whoever waits that long never comes too early.
fn duration(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=119 => (seconds.max(1), "second"),
        120..=7_199 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3_600), "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}
