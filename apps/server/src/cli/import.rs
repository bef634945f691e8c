//! `portcullis import`

use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Seek as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::Said;
use super::import_loopback::LoopbackArgs;
use super::moved::{Opened, amounts, sessions_are_in_memory};
use super::progress::Meter;
use super::spool::spooled;
use super::table::plain;
use crate::config::Config;
use crate::control::Refusal;
use crate::keys;
use crate::serve::Fault;
use crate::transfer::{self, Checked, Reading, Report, Stores, TransferError, Verified, Way};

/// Room of a buffered reader: many records at once.
const BUFFER: usize = 256 * 1024;

/// `portcullis import`
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ImportArgs {
    /// The file to read [default: standard input, which is put down in $TMPDIR first]
    file: Option<PathBuf>,
    /// Look for each record before writing it: quicker when an import was stopped and most is there already
    #[arg(long)]
    resume: bool,
    /// Write no record; say what would be written and what is in the way
    #[arg(long)]
    dry_run: bool,
    /// Say nothing but what is wrong
    #[arg(long)]
    quiet: bool,
    #[command(subcommand)]
    from: Option<From>,
}

/// Where records come from, if not from an export.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
enum From {
    /// Take over the users, tokens, roles, rules and applications of a LoopBack 3 application
    ///
    /// Reads its store and changes nothing in it. May be run again at any time: what is there and the same is left. See
    /// docs/MIGRATION.md.
    Loopback(LoopbackArgs),
}

impl ImportArgs {
    /// An import of what another command put down.
    pub(super) fn again(resume: bool, dry_run: bool, quiet: bool) -> Self {
        Self {
            file: None,
            resume,
            dry_run,
            quiet,
            from: None,
        }
    }

    /// Does it, and says what was done.
    ///
    /// # Errors
    /// A sentence for the operator; among them that something differs, in which case everything else was imported.
    pub async fn run(&self, config: &Config) -> Result<Said, Fault> {
        if let Some(From::Loopback(loopback)) = &self.from {
            return loopback.run(config).await;
        }
        let source = Source::open(self.file.as_deref())?;
        let meter = Meter::new(self.quiet);
        let checked = transfer::check(source.reading()?, source.length, &meter)?;
        all_pools_are_here(config, &checked)?;
        let opened = Opened::open(config).await?;
        let done = self.import(&opened.stores, &source, &checked, &meter).await;
        // Whatever became of the import, the store is left in order.
        let closed = opened.close().await;
        let (report, verified) = done?;
        closed?;
        let warnings = warnings(config, &checked)?;
        let lines = told(&checked, &report, verified.as_ref());
        if let Some(fault) = fault(&checked, &report, verified.as_ref()) {
            let lines = warnings.into_iter().chain(lines).chain([fault]);
            return Err(Refusal::new(lines.collect::<Vec<_>>().join("\n")).into());
        }
        Ok(Said {
            out: if self.quiet {
                String::new()
            } else {
                lines.join("\n")
            },
            notes: warnings,
        })
    }

    /// Puts what a source holds into the stores, and looks whether it is there.
    ///
    /// # Errors
    /// A store does not answer.
    pub(super) async fn import(
        &self,
        stores: &Stores,
        source: &Source,
        checked: &Checked,
        meter: &Meter,
    ) -> Result<(Report, Option<Verified>), Fault> {
        let way = match (self.dry_run, self.resume) {
            (true, _) => Way::LookOnly,
            (false, true) => Way::LookFirst,
            (false, false) => Way::WriteFirst,
        };
        let report = transfer::import(stores, source.reading()?, checked, way, meter).await?;
        if self.dry_run {
            return Ok((report, None));
        }
        let verified = transfer::verify(stores, source.reading()?, checked, &report, meter).await?;
        Ok((report, Some(verified)))
    }
}

/// A file that can be read more than once.
pub(super) struct Source {
    file: File,
    pub(super) length: u64,
}

impl Source {
    fn open(path: Option<&Path>) -> Result<Self, Fault> {
        let file = match path.filter(|path| *path != Path::new("-")) {
            Some(path) => File::open(path).map_err(TransferError::file(path.display().to_string()))?,
            None if io::stdin().is_terminal() => {
                let why = "nothing is piped into standard input: name the file to import";
                return Err(Refusal::new(why).into());
            }
            None => spooled(io::stdin().lock())?,
        };
        if file.metadata()?.is_dir() {
            return Err(Refusal::new("a folder cannot be imported: name the file").into());
        }
        Self::of(file)
    }

    /// What a file holds.
    ///
    /// # Errors
    /// It cannot be asked for its length.
    pub(super) fn of(file: File) -> Result<Self, Fault> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// Reads from the beginning. One reader at a time: they share the place in the file.
    pub(super) fn reading(&self) -> Result<Reading<BufReader<&File>>, Fault> {
        (&self.file).rewind()?;
        Ok(Reading::open(BufReader::with_capacity(BUFFER, &self.file))?)
    }
}

/// Users of a pool that is not configured would be there and could not be reached.
fn all_pools_are_here(config: &Config, checked: &Checked) -> Result<(), Refusal> {
    let is_here = |name: &str| config.users.iter().any(|pool| pool.plural == name);
    let strangers: Vec<String> = checked
        .pools
        .iter()
        .filter(|pool| !is_here(pool.as_str()))
        .map(|pool| format!("[users.{}]", pool.as_str().escape_debug()))
        .collect();
    if strangers.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(format!(
        "the file has users of pools that the configuration does not have; nothing was written. Add {} to it",
        strangers.join(" and ")
    )))
}

pub(super) fn warnings(config: &Config, checked: &Checked) -> Result<Vec<String>, Fault> {
    let mut notes = Vec::new();
    let path = config.secrets.key_file.display();
    let ring = keys::load(&config.secrets.key_file)?;
    for (key, count) in &checked.keys {
        let is_here = ring
            .as_ref()
            .is_some_and(|ring| ring.iter().any(|here| here.id() == key));
        if !is_here {
            notes.push(format!(
                "warning: {count} sealed secrets need the key {key}, which is not in the key file {path}: put it there before the server starts, or those accounts and clients have to be linked again"
            ));
        }
    }
    for (role, count) in &checked.unknown_roles {
        notes.push(format!(
            "warning: the role {} was given {count} times and is not in the file: it was deleted, and gives nothing",
            plain(role.as_str())
        ));
    }
    if sessions_are_in_memory(config) && checked.end.sessions.count > 0 {
        notes.push(
            "warning: `sessions.url` is `memory:`: sessions were left out; people have to log in again"
                .to_owned(),
        );
    }
    Ok(notes)
}

/// What was done.
pub(super) fn told(checked: &Checked, report: &Report, verified: Option<&Verified>) -> Vec<String> {
    let mut lines = vec![format!(
        "the file was exported from {} on {} and holds {}",
        plain(&checked.header.store),
        plain(&checked.header.made),
        amounts(&checked.end.tallies())
    )];
    let written = if verified.is_some() {
        "written"
    } else {
        "would be written"
    };
    lines.push(format!(
        "{written}: {}; there already and the same: {}",
        report.new, report.present
    ));
    let left_out = [
        (report.expired, "their life is over since"),
        (report.ended, "they were ended here"),
        (report.without_user, "their user is not here"),
        (
            report.not_opened,
            "no session is opened here, or while users differ",
        ),
    ];
    for (count, why) in left_out.into_iter().filter(|(count, _)| *count > 0) {
        lines.push(format!("sessions left out: {count}, {why}"));
    }
    if report.messages_left_out > 0 {
        lines.push(format!(
            "mails left out: {}, they are void, were sent or tried here, or users differ",
            report.messages_left_out
        ));
    }
    if let Some(verified) = verified.filter(|verified| verified.is_complete(checked)) {
        lines.push(format!(
            "verified: {} were read back, and count and digest are those of the file (users {})",
            amounts(&verified.found),
            verified.found.users.digest
        ));
    }
    lines
}

/// What is wrong, if anything.
pub(super) fn fault(checked: &Checked, report: &Report, verified: Option<&Verified>) -> Option<String> {
    let mut lines = Vec::new();
    if report.conflicts > 0 {
        lines.push(format!(
            "{} records are in the way of others; nothing was overwritten:",
            report.conflicts
        ));
        lines.extend(report.examples.iter().map(|what| format!("  {what}")));
    }
    if let Some(verified) = verified.filter(|verified| !verified.is_complete(checked)) {
        lines.push(format!(
            "NOT verified: {} records of the file are not in the store, {} are others there:",
            verified.missing, verified.different
        ));
        lines.extend(verified.examples.iter().map(|what| format!("  {what}")));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}
