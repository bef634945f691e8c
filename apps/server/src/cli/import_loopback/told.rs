//! What an import from LoopBack has to say.

use serde_json::json;

use super::Read;
use crate::cli::Said;
use crate::cli::import::{fault, told, warnings};
use crate::cli::table::plain;
use crate::config::Config;
use crate::control::Refusal;
use crate::serve::Fault;
use crate::transfer::{Checked, Report, Verified};

/// Everything that came of it.
pub struct Told<'a> {
    pub config: &'a Config,
    pub read: &'a Read,
    pub checked: &'a Checked,
    pub report: &'a Report,
    pub verified: Option<&'a Verified>,
    /// Whether nothing was written because of conflicts.
    pub refused: bool,
}

impl Told<'_> {
    /// The report for people, or for scripts.
    ///
    /// # Errors
    /// Something is in the way: the report says what.
    pub fn said(&self, as_json: bool, quiet: bool) -> Result<Said, Fault> {
        let fault = fault(self.checked, self.report, self.verified);
        let mut warnings = warnings(self.config, self.checked)?;
        if self.verified.is_none() {
            // What only looks seals nothing where there is no key file yet.
            warnings.retain(|warning| !warning.contains("cannot be told"));
        }
        if as_json {
            return self.json(fault.is_some(), warnings);
        }
        let mut lines = self.models();
        lines.extend(told(self.checked, self.report, self.verified));
        lines.extend(self.findings());
        if self.refused {
            lines.push(
                "nothing was written: settle the conflicts in LoopBack or in the configuration, or import the rest with --leave-out"
                    .to_owned(),
            );
        }
        if self.refused || fault.is_some() {
            let lines = warnings.into_iter().chain(lines).chain(fault);
            return Err(Refusal::new(lines.collect::<Vec<_>>().join("\n")).into());
        }
        let out = if quiet { String::new() } else { lines.join("\n") };
        Ok(Said { out, notes: warnings })
    }

    fn models(&self) -> Vec<String> {
        let model = |(kind, name, count): &(String, String, u64)| {
            let name = plain(name);
            if kind == &name {
                format!("read {count} {kind}")
            } else {
                format!("read {count} {kind} ({name})")
            }
        };
        self.read.models.iter().map(model).collect()
    }

    fn findings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for finding in &self.read.findings {
            let word = if finding.conflict { "CONFLICT" } else { "note" };
            lines.push(format!(
                "{word} {}: {} {}",
                finding.code, finding.count, finding.meaning
            ));
            lines.extend(
                finding
                    .examples
                    .iter()
                    .map(|example| format!("    {}", plain(example))),
            );
        }
        lines
    }

    fn json(&self, failed: bool, warnings: Vec<String>) -> Result<Said, Fault> {
        let models = self
            .read
            .models
            .iter()
            .map(|(kind, name, count)| json!({ "model": kind, "name": name, "count": count }));
        let tallies = self.checked.end.tallies();
        let report = json!({
            "models": models.collect::<Vec<_>>(),
            "users": tallies.users.count,
            "applications": tallies.applications.count,
            "sessions": tallies.sessions.count,
            "new": self.report.new,
            "present": self.report.present,
            "conflicts": self.report.conflicts,
            "conflictExamples": self.report.examples,
            "findings": self.read.findings,
            "written": self.verified.is_some(),
            "verified": self.verified.is_some_and(|verified| verified.is_complete(self.checked)),
        });
        let said = Said::json(&report)?;
        if failed || self.refused {
            return Err(Refusal::new(said.out).into());
        }
        Ok(Said {
            notes: warnings,
            ..said
        })
    }
}
