//! `portcullis export`

use std::io::{self, BufWriter, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Args;
use domain::id::PoolName;

use super::Said;
use super::moved::{Opened, amounts, scheme, sessions_are_in_memory};
use super::progress::Meter;
use crate::config::Config;
use crate::control::Refusal;
use crate::serve::Fault;
use crate::transfer::{self, FORMAT, Header, Stores, VERSION, Written};

/// `portcullis export`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ExportArgs {
    /// The file to write, for your eyes only; it has its name only when it is whole [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Go on with an export into this file that was stopped; begin it where there is none
    #[arg(long, requires = "out")]
    resume: bool,
    /// Say nothing but what is wrong
    #[arg(long)]
    quiet: bool,
}

impl ExportArgs {
    /// Does it, and says what was done. Nothing but the export itself goes to standard output.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        let file = self.out.as_deref().filter(|path| *path != Path::new("-"));
        if file.is_none() && self.resume {
            return Err(Refusal::new("an export to standard output cannot be resumed: name a file").into());
        }
        if file.is_none() && io::stdout().is_terminal() {
            let why = "an export is not for a terminal: name a file with --out, or pipe it into something";
            return Err(Refusal::new(why).into());
        }
        let opened = Opened::open(config).await?;
        let exported = self.export(config, &opened.stores, file).await;
        // Whatever became of the export, the store is left in order.
        let closed = opened.close().await;
        let said = exported?;
        closed?;
        Ok(said)
    }

    async fn export(&self, config: &Config, stores: &Stores, file: Option<&Path>) -> Result<Said, Fault> {
        let header = header(config, stores);
        let meter = Meter::new(self.quiet);
        let (written, resumed) = if let Some(file) = file {
            let exported = transfer::export_to(stores, &header, file, self.resume, &meter).await?;
            (exported.written, exported.resumed)
        } else {
            let out = BufWriter::new(io::stdout());
            let (_, written) = transfer::export(stores, &header, out, &meter).await?;
            (written, None)
        };
        let mut notes = warnings(config, &written);
        if !self.quiet {
            notes.insert(0, told(&written, resumed));
        }
        Ok(Said {
            out: String::new(),
            notes,
        })
    }
}

fn header(config: &Config, stores: &Stores) -> Header {
    Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        made: stores.clock.now().to_iso8601(),
        by: env!("CARGO_PKG_VERSION").to_owned(),
        store: scheme(&config.storage.url).to_owned(),
        sessions: scheme(&config.sessions.url).to_owned(),
        pools: config
            .users
            .iter()
            .map(|pool| PoolName::new(pool.plural.as_str()))
            .collect(),
    }
}

fn told(written: &Written, resumed: Option<u64>) -> String {
    let before = resumed.map_or_else(String::new, |count| {
        format!(" ({count} records were there from before)")
    });
    format!("exported {}{before}", amounts(written.tallies()))
}

fn warnings(config: &Config, written: &Written) -> Vec<String> {
    let mut notes = Vec::new();
    if sessions_are_in_memory(config) {
        notes.push(
            "warning: `sessions.url` is `memory:`: sessions live in the server alone and did not come along; people have to log in again"
                .to_owned(),
        );
    }
    if !written.keys().is_empty() {
        let keys: Vec<&str> = written.keys().iter().map(String::as_str).collect();
        notes.push(format!(
            "secrets in it are sealed under the keys {} of {}: that file travels by another way",
            keys.join(", "),
            config.secrets.key_file.display()
        ));
    }
    notes
}
