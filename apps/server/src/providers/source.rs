//! Where the entries come from, and what their reading gives.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outbound_http::Outbound;

use super::directory::Snapshot;
use super::entry::Surroundings;
use super::file;
use super::finding::Findings;
use crate::config::{Config, Environment};

/// Largest file read, in bytes: some thousand entries.
pub const LARGEST: u64 = 1024 * 1024;

/// The file, and everything its reading needs.
pub struct ProvidersFile {
    path: PathBuf,
    named: bool,
    public_url: String,
    pools: Vec<String>,
    insecure: bool,
    environment: Arc<Environment>,
    outbound: Outbound,
}

/// What the file gave.
pub struct Reading {
    /// The entries, unless something is wrong.
    pub snapshot: Option<Snapshot>,
    /// Everything noticed.
    pub findings: Findings,
}

impl ProvidersFile {
    /// The file that the configuration names, for a server reached at `public_url`.
    pub fn new(config: &Config, public_url: &str, environment: Environment, outbound: Outbound) -> Self {
        Self {
            path: config.providers.file.clone(),
            named: config.providers.named,
            public_url: public_url.to_owned(),
            pools: config.users.iter().map(|pool| pool.plural.clone()).collect(),
            insecure: config.server.allow_insecure_http,
            environment: Arc::new(environment),
            outbound,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name for messages.
    pub fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Reads it. A file that nobody named may be absent: then there are no entries.
    pub fn read(&self) -> Reading {
        let mut findings = Findings::default();
        let text = match self.text() {
            Ok(Some(text)) => text,
            Ok(None) => {
                let snapshot = Some(Snapshot::empty());
                return Reading { snapshot, findings };
            }
            Err(why) => {
                findings.error(None, why);
                let snapshot = None;
                return Reading { snapshot, findings };
            }
        };
        let around = Surroundings {
            public_url: &self.public_url,
            pools: &self.pools,
            insecure: self.insecure,
            environment: &self.environment,
        };
        let (entries, mut findings) = file::read(&text, &around);
        let snapshot = Snapshot::build(entries, &self.outbound, &mut findings);
        Reading { snapshot, findings }
    }

    fn text(&self) -> Result<Option<String>, String> {
        let size = match fs::metadata(&self.path) {
            Ok(found) => found.len(),
            // `symlink_metadata`: a dangling link is a mistake to report, not an absent file.
            Err(error)
                if error.kind() == ErrorKind::NotFound
                    && !self.named
                    && fs::symlink_metadata(&self.path).is_err() =>
            {
                return Ok(None);
            }
            Err(error) => return Err(format!("cannot be read: {error}")),
        };
        if size > LARGEST {
            return Err(format!("is larger than {LARGEST} bytes"));
        }
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err("is not valid UTF-8".to_owned()),
            Err(error) => Err(format!("cannot be read: {error}")),
        }
    }
}
