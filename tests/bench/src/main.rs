//! `just bench`: what Portcullis costs beside the least it could cost.
//!
//! The release binary runs beside two bare servers that answer with the very same bytes (one behind our own accept loop and a
//! dispatcher of the same shape, one as plain warp) and beside a bare Argon2id loop. One load generator drives them in turn,
//! round by round, so that whatever else the machine does hits all alike. What comes out are ratios with their spread; the
//! aims of `docs/PERFORMANCE.md` stand beside them and nothing fails when one is missed.
//!
//! | Question | Answered in |
//! |---|---|
//! | What is measured, and how? | `measure/`, one file per figure |
//! | What do the bare servers do? | `bare.rs` |
//! | What do the providers do that people come from? | `provider.rs`, `signing.rs` |
//! | How is load made, and what counts as a right answer? | `load.rs`, `batch.rs`, `script.rs`, `wire.rs` |
//! | How are servers started, stopped, and their CPU and memory read? | `process.rs`, `lab.rs` |
//! | How are medians and spreads made and shown? | `stats.rs`, `report.rs` |

mod bare;
mod batch;
mod hash_loop;
mod lab;
mod load;
mod measure;
mod options;
mod people;
mod process;
mod provider;
mod report;
mod script;
mod signing;
mod stats;
mod wire;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use options::{Cli, Command};
use report::Report;

/// Why no figures came out: a sentence for the person who asked.
type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Some(Command::ServeBareLoop(answers)) => bare::serve_loop(&answers.answers),
        Some(Command::ServeBareWarp(answers)) => bare::serve_warp(&answers.answers),
        None => measure_all(&cli),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let _ = writeln!(io::stderr(), "bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn measure_all(cli: &Cli) -> Result<(), Fault> {
    if cfg!(debug_assertions) {
        return Err("figures of a debug build say nothing: cargo run --release -p bench".into());
    }
    let lab = lab::Lab::open(cli.options.clone())?;
    let mut report = Report::new(lab.facts());
    for (subject, measure) in measure::ALL {
        if cli.options.wants(*subject) {
            let _ = writeln!(io::stderr(), "measuring: {subject}");
            measure(&lab, &mut report)?;
        }
    }
    writeln!(io::stdout(), "{}", report.table())?;
    if let Some(path) = &cli.options.json {
        std::fs::write(path, format!("{:#}\n", report.json()))?;
    }
    Ok(())
}
