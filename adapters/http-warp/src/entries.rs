//! How the entries of `providers.json` appear on the web: their paths, where they lead, and in what form they answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::id::{EntryName, PoolName};

/// What an entry asks of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A visit to a provider, and back.
    Provider,
    /// A name and a password that somebody else judges, sent to `authPath` by `POST`; `GET` shows a form.
    Directory(CredentialFields),
    /// A ticket that the browser shows by itself.
    Tickets {
        /// A name and a password do as well; none to leave it at tickets.
        passwords: Option<CredentialFields>,
    },
    /// A name and a password, sent to `authPath` by `POST`.
    Local {
        /// The field with the name.
        username_field: String,
        /// The field with the password.
        password_field: String,
        /// Whether an access token is made as by `login` (`setAccessToken`).
        set_access_token: bool,
    },
}

/// The fields of a name and a password (`usernameField`, `passwordField`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFields {
    /// The field with the name.
    pub username: String,
    /// The field with the password.
    pub password: String,
}

/// Most bytes of an answer that a browser brings from a provider of SAML, where any other body has at most what the settings say: it
/// names every group of the person, is signed, and grows by a third on its way as base64.
const SAML_ANSWER: usize = 512 * 1024;

/// One entry as the web sees it; names are Passport's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one field per key of the file")]
pub struct WebEntry {
    /// The entry's key in the file.
    pub name: EntryName,
    /// The pool whose users it is for.
    pub pool: PoolName,
    /// What it asks.
    pub kind: EntryKind,
    /// How buttons call the provider.
    pub label: String,
    /// Whether it links to the user who is logged in.
    pub link: bool,
    /// Whether the browser gets a session.
    pub session: bool,
    /// Whether the callback answers in JSON instead of redirecting.
    pub json: bool,
    /// Whether a log-in makes an access token.
    pub auto_login: bool,
    /// Where it begins.
    pub auth_path: String,
    /// Where the provider sends people back to; none where nobody is sent away.
    pub callback_path: Option<String>,
    /// Where the provider tells of people who left, and answers when we do; none where the protocol has no single logout.
    pub logout_path: Option<String>,
    /// Where the provider's operator finds what to know of us; none where the protocol has no such document.
    pub metadata_path: Option<String>,
    /// Where a success leads.
    pub success_redirect: Option<String>,
    /// Where a failure leads, if the file says so; our own page says what happened otherwise.
    pub failure_redirect: Option<String>,
    /// Whether that place is told the error's code as `?error=`.
    pub failure_query_string: bool,
    /// Whether the provider leaves a fragment at the end of the callback's address (Facebook's `#_=_`). Browsers carry it over every
    /// redirect that has none of its own (RFC 9110 section 10.2.2), up to the team's page.
    pub stray_fragment: bool,
}

impl WebEntry {
    /// Most bytes of what is posted to its `callbackPath`, where that may be more than other bodies. Whoever tells its provider's operator
    /// about itself in a document gets answers that are documents: SAML, and nobody else.
    pub fn largest_answer(&self) -> Option<usize> {
        self.metadata_path.as_ref().map(|_| SAML_ANSWER)
    }

    /// Where it begins, with the query of a request: the address somebody came by, for a form that posts to it or a way back to it.
    pub fn begins_at(&self, query: &str) -> String {
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{mark}{query}", self.auth_path)
    }
}

/// What a path is to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Its `authPath`.
    Start,
    /// Its `callbackPath`.
    Callback,
    /// Its `logoutPath`.
    Logout,
    /// Its `metadataPath`.
    Metadata,
}

/// All entries, by their paths.
#[derive(Debug, Default)]
pub struct EntryTable {
    entries: Vec<Arc<WebEntry>>,
    by_path: BTreeMap<String, (usize, Door)>,
}

impl EntryTable {
    /// A table of these entries.
    ///
    /// # Errors
    /// The path that two entries share, and the names of both.
    pub fn new(entries: Vec<WebEntry>) -> Result<Self, String> {
        let mut table = Self::default();
        for entry in entries {
            let index = table.entries.len();
            let doors = [
                (Some(entry.auth_path.clone()), Door::Start),
                (entry.callback_path.clone(), Door::Callback),
                (entry.logout_path.clone(), Door::Logout),
                (entry.metadata_path.clone(), Door::Metadata),
            ];
            for (path, door) in doors {
                let Some(path) = path else { continue };
                let taken = table.by_path.insert(folded(&path), (index, door));
                if let Some((other, _)) = taken {
                    let other = table.entries.get(other).map_or(&entry.name, |other| &other.name);
                    return Err(format!("{path} is the path of both {other} and {}", entry.name));
                }
            }
            table.entries.push(Arc::new(entry));
        }
        Ok(table)
    }

    /// The entry of a path, compared as Express compares: without case, a slash at the end changes nothing.
    pub fn find(&self, path: &str) -> Option<(Arc<WebEntry>, Door)> {
        let (index, door) = self.by_path.get(&folded(path))?;
        Some((Arc::clone(self.entries.get(*index)?), *door))
    }

    /// The entry of a name.
    pub fn named(&self, name: &EntryName) -> Option<Arc<WebEntry>> {
        self.entries.iter().find(|entry| entry.name == *name).cloned()
    }

    /// All entries, in the order of the file.
    pub fn all(&self) -> &[Arc<WebEntry>] {
        &self.entries
    }
}

/// A path as it is compared.
pub(crate) fn folded(path: &str) -> String {
    let trimmed = path.strip_suffix('/').filter(|shorter| !shorter.is_empty());
    trimmed.unwrap_or(path).to_ascii_lowercase()
}

/// Knows the entries as the file has them now: it may change while we serve.
pub trait EntrySource: Send + Sync {
    /// The table in force.
    fn current(&self) -> Arc<EntryTable>;
}
