//! What LoopBack's records are here. Pure: rows in, records and findings out.

mod access;
mod application;
mod identity;
mod session;
mod user;

pub use access::{Roles, access, mapping};
pub use application::{ApplicationDraft, application};
pub use session::session;
pub use user::{UserDraft, UserRows, user};

use std::collections::{HashMap, HashSet};

use domain::id::{EntryName, PoolName, ProviderName};
use domain::time::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::finding::Findings;
use crate::row::Row;

/// An entry of `providers.json`, as far as accounts are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key in the file.
    pub name: EntryName,
    /// The provider it leads to.
    pub provider: ProviderName,
    /// Whether it links, instead of logging in.
    pub link: bool,
    /// Its client at the provider.
    pub client_id: String,
    /// Whether the provider's ids are that client's own.
    pub per_client: bool,
    /// Within what the provider's ids are unique.
    pub issuer: String,
}

/// What the configuration says.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The pool users come into.
    pub pool: PoolName,
    /// Whether two addresses that differ in case are two there.
    pub case_sensitive_email: bool,
    /// Whether tokens may live for ever there.
    pub eternal_tokens: bool,
    /// Whether roles that have roles shall give rights, as they did not with LoopBack.
    pub nested_roles: bool,
    /// How own properties are spelled that SQL keeps in lower case.
    pub properties: Vec<String>,
    /// The entries of `providers.json`.
    pub entries: Vec<Entry>,
    /// Now: what is expired is left out.
    pub now: Timestamp,
}

/// What was seen before, and must not come twice. Hashes of keys alone: there may be millions.
#[derive(Debug, Default)]
pub struct Seen {
    /// Users that are taken, by id.
    pub users: HashSet<String>,
    /// Applications that are taken, by id.
    pub applications: HashSet<String>,
    /// Who holds an e-mail address, a username or an account elsewhere.
    holders: HashMap<u128, Box<str>>,
}

impl Seen {
    /// Who else holds a key already; takes it for `who` if nobody does.
    fn claim(&mut self, kind: &str, key: &str, who: &str) -> Option<&str> {
        let digest = Sha256::digest(format!("{kind}\u{1f}{key}"));
        let (halves, _) = digest.as_chunks::<16>();
        let hash = halves.first().map_or(0, |half| u128::from_be_bytes(*half));
        let holder: &str = self.holders.entry(hash).or_insert_with(|| who.into());
        (holder != who).then_some(holder)
    }
}

/// What a conversion has to hand.
pub struct Context<'a> {
    /// What the configuration says.
    pub rules: &'a Rules,
    /// What the model of users is called.
    pub user_model: &'a str,
    /// The roles there are.
    pub roles: &'a Roles,
    /// What was seen before.
    pub seen: &'a mut Seen,
    /// What cannot be taken over as it was.
    pub findings: &'a mut Findings,
}

/// When a record was made: it says so, or its ObjectId does (their first four bytes are seconds). Records of LoopBack's own models often
/// do not, and the same record must always read the same.
fn created(row: &Row) -> Timestamp {
    let by_id = || {
        let id = row.text("id").filter(|id| id.len() == 24)?;
        let seconds = i64::from_str_radix(id.get(..8)?, 16).ok()?;
        Some(Timestamp::from_millis(seconds * 1000))
    };
    row.moment("created")
        .or_else(by_id)
        .unwrap_or(Timestamp::from_millis(0))
}

/// When a record was last changed.
fn modified(row: &Row) -> Timestamp {
    let said = row.moment("modified").or_else(|| row.moment("lastUpdated"));
    said.unwrap_or_else(|| created(row))
}
