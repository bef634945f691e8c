//! The Portcullis login server.
//!
//! The binary is the only place that knows adapters: `adapters/` opens what the configuration names, `rules.rs` turns its numbers
//! into the domain's rules, `serve.rs` wires both to the HTTP edge; `cli/` and `control/` are the operator's way in.

mod adapters;
mod audit;
mod cli;
mod config;
mod control;
mod delivery;
mod keys;
mod listen;
mod providers;
mod rules;
mod serve;
mod shutdown;
mod telemetry;
mod transfer;
mod wire;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;

use cli::{Cli, Command, Said};
use config::Loaded;

fn main() -> ExitCode {
    if let Some(ended) = adapters::as_worker(std::env::args_os().nth(1).as_deref()) {
        return ended;
    }
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
    if *cli.command() == Command::Adapters {
        say(&cli::adapters());
        return Ok(());
    }
    let loaded = config::load(cli.config.as_deref(), &config::Environment::of_process())?;
    let runtime = match cli.command() {
        Command::Serve => {
            telemetry::init(&loaded.config.log)?;
            Builder::new_multi_thread().enable_all().build()?
        }
        // A pipe may block whoever writes into it; the stores go on beside.
        Command::Export(_) | Command::Import(_) => Builder::new_multi_thread().enable_all().build()?,
        _ => Builder::new_current_thread().enable_all().build()?,
    };
    // One runtime for all there is to do: what adapters start while they are opened runs on it to the end.
    runtime.block_on(perform(cli.command(), &loaded))
}

async fn perform(command: &Command, loaded: &Loaded) -> Result<(), serve::Fault> {
    let config = &loaded.config;
    match command {
        Command::Serve => serve::run(loaded).await?,
        Command::Migrate => say(&adapters::migrate(config).await?),
        Command::Keys(keys) => tell(&keys.run(config).await?),
        Command::App(app) => tell(&app.run(config).await?),
        Command::User(user) => tell(&user.run(config).await?),
        Command::Role(role) => tell(&role.run(config).await?),
        Command::Session(session) => tell(&session.run(config).await?),
        Command::Webhook(webhook) => tell(&webhook.run(config).await?),
        Command::Audit(audit) => tell(&audit.run(config).await?),
        Command::Export(export) => tell(&export.run(config).await?),
        Command::Import(import) => tell(&import.run(config).await?),
        Command::CheckConfig => check_config(loaded).await?,
        Command::Adapters => {}
    }
    Ok(())
}

async fn check_config(loaded: &Loaded) -> Result<(), serve::Fault> {
    adapters::choose(&loaded.config)?;
    adapters::open_breached(&loaded.config).await?;
    adapters::open_webhooks(&loaded.config)?;
    let config = &loaded.config;
    let public_url = config.server.public_url(config.server.listen.port);
    adapters::open_passkeys(&config.server.service_name, &public_url)?;
    let providers = providers::open(wire::providers_file(config, &public_url)?)?;
    let lacks = providers.watcher.lacks().await;
    if !lacks.is_empty() {
        return Err(lacks.join("\n").into());
    }
    say(&loaded.summary());
    for line in providers.summary() {
        say(&line);
    }
    for warning in loaded.warnings.iter().chain(&providers.warnings) {
        complain(&format!("warning: {warning}"));
    }
    Ok(())
}

fn tell(said: &Said) {
    if !said.out.is_empty() {
        say(&said.out);
    }
    for note in &said.notes {
        complain(&format!("portcullis: {note}"));
    }
}

/// A reader that went away is no reason to fail.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
