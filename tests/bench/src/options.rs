//! The command line.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Compare Portcullis with bare servers and a bare hash loop, on this machine, in one run.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub struct Cli {
    /// What and how long.
    #[command(flatten)]
    pub options: Options,
    /// A part of the bench in a process of its own; measures everything when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to measure, and how long.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The release binary to measure (else the one beside this program)
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,
    /// Write the figures as JSON too
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Rounds: every contestant has its turn in each
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub rounds: u32,
    /// Milliseconds of one turn
    #[arg(long, default_value_t = 700, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub turn: u64,
    /// Connections of the token checks
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub connections: u32,
    /// Also compare 1,000 users with this many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    pub users: Option<u32>,
    /// Only these subjects
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<Subject>,
}

/// The subjects, in the order they are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// From the start of the process to its first answer; memory at rest.
    Start,
    /// Token checks beside the bare servers.
    Token,
    /// Password logins beside the bare hash loop.
    Login,
    /// Token checks during a login storm.
    Storm,
    /// Log-ins by an account elsewhere.
    Callback,
    /// Costs at 1,000 users and at many.
    Growth,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start and memory",
            Self::Token => "token check",
            Self::Login => "password login",
            Self::Storm => "token checks during a login storm",
            Self::Callback => "third-party callback",
            Self::Growth => "cost as users grow",
        })
    }
}

impl Options {
    /// Whether a subject is asked for.
    pub fn wants(&self, subject: Subject) -> bool {
        self.only.is_empty() || self.only.contains(&subject)
    }

    /// How many log-ins by an account elsewhere one batch has.
    pub fn log_ins(&self) -> u32 {
        u32::try_from(self.turn).unwrap_or(u32::MAX)
    }

    /// How long one turn lasts.
    pub fn turn(&self) -> Duration {
        Duration::from_millis(self.turn)
    }
}

/// Parts that run as processes of their own.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The bare handler behind Portcullis' accept loop
    ServeBareLoop(Answers),
    /// The bare handler behind warp's own server
    ServeBareWarp(Answers),
}

/// Where the answers to give are.
#[derive(Debug, Args)]
pub struct Answers {
    /// Folder with the recorded answers
    #[arg(long, value_name = "DIR")]
    pub answers: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn everything_is_measured_unless_something_is_named() {
        let cli = Cli::try_parse_from(["bench"]).unwrap();
        assert!(cli.options.wants(Subject::Token) && cli.options.wants(Subject::Storm));
        let cli = Cli::try_parse_from(["bench", "--only", "token,login"]).unwrap();
        assert!(cli.options.wants(Subject::Login) && !cli.options.wants(Subject::Storm));
    }

    #[test]
    fn every_loop_is_bounded_on_the_command_line() {
        for wrong in [
            ["bench", "--rounds", "51"],
            ["bench", "--turn", "60001"],
            ["bench", "--connections", "0"],
        ] {
            assert!(Cli::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }
}
