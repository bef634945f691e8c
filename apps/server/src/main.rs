//! The Portcullis login server.

#![expect(
    dead_code,
    unused_imports,
    reason = "the wiring that uses the rest is on its way"
)]

mod cli;
mod config;
mod keys;
mod listen;
mod shutdown;
mod telemetry;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command() {
        Command::CheckConfig => check_config(&cli),
        Command::Serve | Command::Migrate | Command::Adapters => {
            complain("this build can only check its configuration");
            ExitCode::FAILURE
        }
    }
}

fn check_config(cli: &Cli) -> ExitCode {
    match config::load(cli.config.as_deref(), &config::Environment::of_process()) {
        Ok(loaded) => {
            // A reader that went away is no reason to fail.
            let _ = writeln!(io::stdout(), "{}", loaded.summary());
            loaded
                .warnings
                .iter()
                .for_each(|warning| complain(&format!("warning: {warning}")));
            ExitCode::SUCCESS
        }
        Err(errors) => {
            complain(&errors.to_string());
            ExitCode::FAILURE
        }
    }
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
