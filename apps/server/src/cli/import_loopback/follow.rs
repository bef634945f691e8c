//! `portcullis import loopback --follow`: looking again every few seconds, until people are served here.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::{LoopbackArgs, Pass, Said};
use crate::cli::progress::Meter;
use crate::cli::table::plain;
use crate::config::Config;
use crate::serve::Fault;
use crate::shutdown;
use crate::transfer::{Followed, Round};

/// A first look that was taken over as a whole, and what the others need.
pub struct Follow<'a> {
    pub args: &'a LoopbackArgs,
    pub config: &'a Config,
    pub pass: &'a Pass<'a>,
    /// What the first look had to say.
    pub first: Said,
}

impl Follow<'_> {
    /// Goes on until it is told to stop; a signal may come at any moment, for every change is whole or not at all.
    ///
    /// # Errors
    /// What was taken cannot be remembered, or the system does not tell of signals. A round that fails is told, and is tried again.
    pub async fn go_on(self, mut followed: Followed) -> Result<Said, Fault> {
        for note in &self.first.notes {
            tell(&mut io::stderr(), note);
        }
        if !self.first.out.is_empty() {
            tell(&mut io::stdout(), &self.first.out);
        }
        let every = Duration::from_secs(self.args.every.max(1));
        let stopped = shutdown::listen()?;
        let rounds = async {
            loop {
                tokio::time::sleep(every).await;
                match self.round(&mut followed).await {
                    Ok(round) => self.told(&round),
                    Err(fault) => tell(
                        &mut io::stderr(),
                        &format!("portcullis: this round failed: {fault}"),
                    ),
                }
            }
        };
        tokio::select! {
            ending = stopped => Ok(Said {
                out: String::new(),
                notes: vec![format!("{}: not followed any more", ending.name())],
            }),
            never = rounds => never,
        }
    }

    async fn round(&self, followed: &mut Followed) -> Result<Round, Fault> {
        let silent = Meter::new(true);
        let (read, source) = self.pass.read(self.args, self.config, &silent).await?;
        let conflicts = read.findings.iter().filter(|finding| finding.conflict);
        let conflicts: u64 = conflicts.map(|finding| finding.count).sum();
        let is_whole = conflicts == 0;
        let mut reading = source.reading()?;
        let mut round = followed
            .again(&self.pass.opened.stores, &mut reading, is_whole)
            .await?;
        round.conflicts += conflicts;
        for finding in read.findings.iter().filter(|finding| finding.conflict) {
            let examples = finding.examples.iter();
            let told = examples.map(|example| format!("{}: {example}", finding.code));
            round.examples.extend(told);
        }
        Ok(round)
    }

    /// One line for every round.
    fn told(&self, round: &Round) {
        let out = &mut io::stdout();
        if self.args.json {
            let line = json!({
                "round": round.number, "new": round.new, "changed": round.changed, "gone": round.gone,
                "conflicts": round.conflicts, "conflictExamples": round.examples,
            });
            tell(out, &line.to_string());
            return;
        }
        if self.args.quiet && round.conflicts == 0 {
            return;
        }
        tell(out, &line(round));
        for example in &round.examples {
            tell(out, &format!("    {}", plain(example)));
        }
    }
}

fn line(round: &Round) -> String {
    let amounts = [
        (round.new, "new"),
        (round.changed, "changed"),
        (round.gone, "gone"),
        (round.conflicts, "in conflict"),
    ];
    let amounts = amounts.into_iter().filter(|(count, _)| *count > 0);
    let amounts: Vec<String> = amounts.map(|(count, what)| format!("{count} {what}")).collect();
    let said = if amounts.is_empty() {
        "nothing new".to_owned()
    } else {
        amounts.join(", ")
    };
    format!("round {}: {said}", round.number)
}

/// Nobody may be reading; that is no reason to stop.
fn tell(out: &mut impl io::Write, line: &str) {
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_says_what_it_brought() {
        let round = Round {
            number: 3,
            new: 2,
            gone: 1,
            ..Round::default()
        };
        assert_eq!(line(&round), "round 3: 2 new, 1 gone");
        assert_eq!(line(&Round::default()), "round 0: nothing new");
    }
}
