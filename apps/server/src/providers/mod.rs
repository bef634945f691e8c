//! `providers.json`: the entries to log in and to link by, in the format of LoopBack's Passport configurator.
//!
//! `json` reads the text and `file` its entries one by one: `kind` tells what an entry is, `entry` what it is to the web,
//! `provider` what it is to the core and to the adapter that will speak to the provider. Whatever is wrong or odd becomes a
//! finding; errors refuse the whole file. `directory` holds what is in force, `watch` exchanges it when the file changes.
//! `docs/PROVIDERS.md` tells of every key; a test compares the two.

mod asked;
mod client;
mod directory;
mod endpoints;
mod enterprise;
mod entry;
mod fields;
mod file;
mod finding;
mod json;
mod keys;
mod kind;
mod mapping;
pub mod modules;
mod place;
mod provider;
pub mod remote;
mod roles;
pub mod settings;
mod source;
mod watch;

#[cfg(test)]
mod tests;

pub use directory::Directory;
pub use source::ProvidersFile;
pub use watch::Watcher;

use finding::Severity;
use source::Reading;
use watch::Mark;

use std::sync::Arc;

use domain::id::EntryName;
use domain::ports::ProviderError;
use http_warp::EntrySource as _;

/// Tells the operator what a provider said that will not do: people hear a code alone.
pub fn tell(entry: &EntryName, error: &ProviderError) {
    tracing::warn!(entry = entry.as_str(), reason = %error, "a provider's answer will not do");
}

/// The entries at start, and who keeps them up to date.
pub struct Providers {
    /// What is in force.
    pub directory: Arc<Directory>,
    /// Takes what changes.
    pub watcher: Watcher,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

impl Providers {
    /// One line per entry, for people.
    pub fn summary(&self) -> Vec<String> {
        let table = self.directory.current();
        let lines = table.all().iter().map(|entry| {
            let does = if entry.link { "links to" } else { "logs in to" };
            let (name, path, pool) = (&entry.name, &entry.auth_path, &entry.pool);
            format!("  {:<16}{path} {does} {pool} ({name})", entry.label)
        });
        lines.collect()
    }
}

/// Reads the file for the first time.
///
/// # Errors
/// One line for every error, each with the file's name: the server must not start with half of them.
pub fn open(file: ProvidersFile) -> Result<Providers, String> {
    let mark = Mark::of(file.path());
    let shown = file.shown();
    let Reading { snapshot, findings } = file.read();
    let lines = |severity| {
        let found = findings.of(severity);
        found
            .map(|finding| format!("{shown}: {finding}"))
            .collect::<Vec<_>>()
    };
    let Some(snapshot) = snapshot else {
        let warnings = lines(Severity::Warning)
            .into_iter()
            .map(|line| format!("{line} (warning)"));
        let all: Vec<String> = lines(Severity::Error).into_iter().chain(warnings).collect();
        return Err(all.join("\n"));
    };
    let directory = Arc::new(Directory::new(snapshot));
    Ok(Providers {
        watcher: Watcher::new(file, Arc::clone(&directory), mark, &findings),
        directory,
        warnings: lines(Severity::Warning),
    })
}
