//! What the pages about providers show.

use serde::Serialize;

use super::FieldErrors;

/// A button that leads to a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProviderLink {
    /// What the provider is called.
    pub label: String,
    /// Where the way begins: a path of this site.
    pub url: String,
}

/// One linked account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkedView {
    /// Names it in the form that unlinks it.
    pub id: String,
    /// What the provider is called.
    pub provider: String,
    /// How the account is shown there.
    pub account: Option<String>,
    /// Its address, where that is not shown already.
    pub email: Option<String>,
    /// The day it was linked.
    pub since: String,
}

/// What we may do at a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GrantView {
    /// Names it in the form that forgets it.
    pub id: String,
    /// What the provider is called.
    pub provider: String,
    /// `active`, `scope_lost` or `revoked`.
    pub status: &'static str,
    /// What was granted, as the provider names it.
    pub scopes: String,
    /// The day it was granted.
    pub since: String,
}

/// The question before linking. Posts `csrf` to `action`.
#[derive(Clone, Default, Serialize)]
pub struct ConfirmLinkView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// What the provider is called.
    pub provider: String,
    /// The account here: its address or name.
    pub account: Option<String>,
    /// The entry's own path, with the query it was asked with.
    pub action: String,
}

/// A log-in or link at a provider that failed. Has no form.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FailedView {
    /// The HTTP status, shown small.
    pub status: u16,
    /// The heading.
    pub title: String,
    /// One sentence below it, never an inner detail.
    pub message: String,
    /// The stable code, for whoever asks for help.
    pub code: &'static str,
    /// Where to start again.
    pub again: Option<String>,
    /// Another way.
    pub other: String,
    /// What that way is called.
    pub other_label: &'static str,
}

/// `/join`: a proven account elsewhere, and an account here that is to be proven. Posts `csrf` and `password` to `/join`, `csrf`
/// and `code` to `/join/confirm`, `csrf` alone to `/join/code` and `/join/decline`.
#[derive(Clone, Default, Serialize)]
pub struct JoinView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// Plural name of the user pool.
    pub pool: String,
    /// What the provider is called.
    pub provider: String,
    /// How the account elsewhere is shown.
    pub account: Option<String>,
    /// Whether a password proves the account here.
    pub password: bool,
    /// Whether a mailed code does.
    pub email: bool,
    /// Whether a code was mailed already.
    pub code_sent: bool,
    /// What was wrong with the last try.
    pub errors: FieldErrors,
    /// Good news to show above the forms.
    pub notice: Option<String>,
}

/// The form of a directory. Posts `csrf`, and a name and a password in the entry's own fields, to `action`.
#[derive(Clone, Default, Serialize)]
pub struct DirectoryView {
    /// Anti-forgery value of this browser.
    pub csrf: String,
    /// What the directory is called.
    pub provider: String,
    /// Whether it links to who is logged in.
    pub link: bool,
    /// The entry's own path, with the query it was asked with.
    pub action: String,
    /// The field of the name; none where there is no form.
    pub username_field: Option<String>,
    /// The field of the password.
    pub password_field: Option<String>,
    /// What was typed.
    pub name: String,
    /// Whether a ticket would have done.
    pub tickets: bool,
    /// Another way.
    pub other: String,
    /// What was wrong with the last try; of the field `name`, or of the form.
    pub errors: FieldErrors,
}

/// A form that sends itself: `fields` to `action`.
#[derive(Clone, Default, Serialize)]
pub struct SendView {
    /// Where to: already judged allowed.
    pub action: String,
    /// What.
    pub fields: Vec<(String, String)>,
}

/// The page between a form of ours and a place elsewhere. Has no form.
#[derive(Clone, Default, Serialize)]
pub struct OnwardView {
    /// That place, already judged allowed.
    pub destination: String,
}
