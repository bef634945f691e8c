//! The entries in force: one snapshot that the core and the web read alike, exchanged as a whole.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::id::EntryName;
use domain::ports::{ProviderBinding, ProviderDirectory, ProviderError};
use http_warp::{EntrySource, EntryTable};
use outbound_http::Outbound;

use super::entry::Entry;
use super::finding::Findings;
use crate::adapters::identity;

/// What one reading of the file gave.
pub struct Snapshot {
    table: Arc<EntryTable>,
    bindings: Vec<Arc<ProviderBinding>>,
    by_name: BTreeMap<EntryName, usize>,
    /// What was read, to tell what changes.
    entries: Vec<Entry>,
}

impl Snapshot {
    /// Without any entry.
    pub fn empty() -> Self {
        Self {
            table: Arc::new(EntryTable::default()),
            bindings: Vec::new(),
            by_name: BTreeMap::new(),
            entries: Vec::new(),
        }
    }

    /// Makes an adapter for every entry. What will not do is noted; a snapshot comes only where nothing was.
    pub fn build(entries: Vec<Entry>, outbound: &Outbound, findings: &mut Findings) -> Option<Self> {
        let mut bindings = Vec::new();
        for entry in &entries {
            let Some((core, remote)) = &entry.remote else {
                continue;
            };
            match identity::open(remote, outbound) {
                Ok(opened) => bindings.push(Arc::new(ProviderBinding {
                    entry: domain::identity::ProviderEntry {
                        scopes: opened.scopes,
                        ..core.clone()
                    },
                    adapter: opened.adapter,
                })),
                Err(why) => findings.error(Some(core.name.as_str()), why),
            }
        }
        if findings.refuse() {
            return None;
        }
        let table = EntryTable::new(entries.iter().map(|entry| entry.web.clone()).collect());
        let table = table.map_err(|why| findings.error(None, why)).ok()?;
        let names = bindings.iter().enumerate();
        Some(Self {
            table: Arc::new(table),
            by_name: names
                .map(|(index, binding)| (binding.entry.name.clone(), index))
                .collect(),
            bindings,
            entries,
        })
    }

    /// The names of the entries, in the order of the file.
    pub fn names(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.web.name.as_str()).collect()
    }

    /// What another snapshot has that this one has not, the other way round, and what differs.
    fn changes(&self, next: &Self) -> Changes {
        let of = |snapshot: &Self, name: &str| {
            let mut entries = snapshot.entries.iter();
            entries.find(|entry| entry.web.name.as_str() == name).cloned()
        };
        let mut changes = Changes::default();
        for name in next.names() {
            match of(self, name) {
                None => changes.added.push(name.to_owned()),
                Some(before) if Some(&before) != of(next, name).as_ref() => {
                    changes.changed.push(name.to_owned());
                }
                Some(_) => {}
            }
        }
        let gone = self.names().into_iter().filter(|name| of(next, name).is_none());
        changes.removed = gone.map(str::to_owned).collect();
        changes
    }
}

/// What a new snapshot changes, by the names of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New ones.
    pub added: Vec<String>,
    /// Those that are not as they were.
    pub changed: Vec<String>,
    /// Those that are gone.
    pub removed: Vec<String>,
}

/// The entries in force.
pub struct Directory {
    current: RwLock<Arc<Snapshot>>,
}

impl Default for Directory {
    fn default() -> Self {
        Self::new(Snapshot::empty())
    }
}

impl Directory {
    /// A directory of these entries.
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            current: RwLock::new(Arc::new(snapshot)),
        }
    }

    /// Exchanges all entries at once, and says what that changes. Whoever works with an entry finishes with it as it was.
    pub fn replace(&self, snapshot: Snapshot) -> Changes {
        let changes = self.snapshot().changes(&snapshot);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        changes
    }

    /// Every entry that leads to accounts elsewhere, and within what its provider's ids are unique, where that is known.
    pub fn issuers(&self) -> Vec<(domain::identity::ProviderEntry, Option<String>)> {
        let snapshot = self.snapshot();
        let remote = snapshot.entries.iter().filter_map(|entry| entry.remote.as_ref());
        remote
            .map(|(entry, remote)| (entry.clone(), identity::issuer(remote)))
            .collect()
    }

    /// What keeps entries in force from working, as far as it shows on this machine: one sentence for each.
    pub async fn lacks(&self) -> Vec<String> {
        let mut lacks = Vec::new();
        for binding in self.all() {
            let Some(negotiator) = binding.adapter.negotiator() else {
                continue;
            };
            let why = match negotiator.ready().await {
                Ok(()) => continue,
                Err(ProviderError::Unavailable(why)) => why,
                Err(refused) => refused.to_string(),
            };
            lacks.push(format!("entry `{}`: {why}", binding.entry.name));
        }
        lacks
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ProviderDirectory for Directory {
    fn find(&self, name: &EntryName) -> Option<Arc<ProviderBinding>> {
        let snapshot = self.snapshot();
        let index = *snapshot.by_name.get(name)?;
        snapshot.bindings.get(index).cloned()
    }

    fn all(&self) -> Vec<Arc<ProviderBinding>> {
        self.snapshot().bindings.clone()
    }
}

impl EntrySource for Directory {
    fn current(&self) -> Arc<EntryTable> {
        Arc::clone(&self.snapshot().table)
    }
}
