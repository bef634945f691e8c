//! The Portcullis login server.
//!
//! The binary is the only place that knows adapters: `adapters/` opens what the configuration names, `rules.rs` turns its numbers
//! into the domain's rules, `serve.rs` wires both to the HTTP edge.

mod adapters;
mod audit;
mod cli;
mod config;
mod keys;
mod listen;
mod rules;
mod serve;
mod shutdown;
mod telemetry;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use config::Loaded;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match carry_out(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // One line per fault, each with the name in front that tells it from what other programs say.
            for line in fault.to_string().lines() {
                complain(&format!("portcullis: {line}"));
            }
            ExitCode::FAILURE
        }
    }
}

fn carry_out(cli: &Cli) -> Result<(), serve::Fault> {
    if cli.command() == Command::Adapters {
        list_adapters();
        return Ok(());
    }
    let loaded = config::load(cli.config.as_deref(), &config::Environment::of_process())?;
    match cli.command() {
        Command::Serve => {
            telemetry::init(&loaded.config.log)?;
            serve::run(&loaded)
        }
        Command::Migrate => {
            say(&adapters::migrate(&loaded.config)?);
            Ok(())
        }
        Command::CheckConfig => check_config(&loaded),
        Command::Adapters => Ok(()),
    }
}

fn check_config(loaded: &Loaded) -> Result<(), serve::Fault> {
    adapters::choose(&loaded.config)?;
    say(&loaded.summary());
    for warning in &loaded.warnings {
        complain(&format!("warning: {warning}"));
    }
    Ok(())
}

fn list_adapters() {
    for (feature, compiled) in adapters::list() {
        let mark = if compiled { "yes" } else { "no " };
        say(&format!("{mark}  {feature}"));
    }
}

/// A reader that went away is no reason to fail.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
