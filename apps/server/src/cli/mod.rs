//! The command line: what can be typed, and what is printed then.

mod adapters;
mod app;
mod ask;
mod audit;
mod confirm;
mod export;
mod import;
mod import_loopback;
mod keys;
mod moved;
mod progress;
mod role;
mod session;
mod spool;
mod table;
mod user;
mod webhook;

pub use adapters::adapters;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Portcullis: a login server.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, about, after_help = AFTER_HELP)]
pub struct Cli {
    /// Configuration file (else $PORTCULLIS_CONFIG, else ./portcullis.toml, else built-in defaults)
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// What to do; `serve` when absent.
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the program can do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the server (the default)
    Serve,
    /// Bring the store to the schema of this version, then stop
    Migrate,
    /// Check the configuration, show it in brief and stop; exit code 1 if anything is wrong
    CheckConfig,
    /// List the adapters in this binary
    Adapters,
    /// List and rotate the server's own keys
    Keys(keys::KeysArgs),
    /// Make client applications, and give them clients of their own at providers
    App(app::AppArgs),
    /// Make users and administrators, show them, keep them out, let them in, delete them
    User(user::UserArgs),
    /// Make roles, and give them to users, applications and other roles
    Role(role::RoleArgs),
    /// List and end the sessions of users
    Session(session::SessionArgs),
    /// List the services that hear what happens to users, and try one
    Webhook(webhook::WebhookArgs),
    /// Show what was written down about security: filter it, follow it
    ///
    /// Kinds of events are listed in docs/OPERATIONS.md. Works beside a running server and without one.
    Audit(audit::AuditArgs),
    /// Write users, client applications and live sessions as lines of JSON, to be imported into any other store
    ///
    /// Secrets stay sealed under the keys of the key file, which travels by another way. Stop the server first: what changes
    /// meanwhile may be in the export as it was before.
    Export(export::ExportArgs),
    /// Read what `export` wrote into this store, and verify it by count and digest
    ///
    /// May be run again at any time: what is there and the same is left, what is there and differs is told, and nothing is
    /// overwritten.
    Import(import::ImportArgs),
}

/// What a command has to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// For standard output; what scripts read.
    pub out: String,
    /// For standard error, line by line; what people should know besides.
    pub notes: Vec<String>,
}

impl Said {
    /// Something to print, nothing besides.
    fn printed(out: impl Into<String>) -> Self {
        Self {
            out: out.into(),
            notes: Vec::new(),
        }
    }

    /// Something to print for scripts.
    fn json(value: &impl serde::Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_string_pretty(value).map(Self::printed)
    }
}

const AFTER_HELP: &str = "Every key of the configuration can also be given as an environment variable \
                          PORTCULLIS__SECTION__KEY.\nExit codes: 0 done, 1 failed, 2 wrong usage.";

impl Cli {
    /// The command to carry out.
    pub fn command(&self) -> &Command {
        self.command.as_ref().unwrap_or(&Command::Serve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn read(arguments: &[&str]) -> Result<(Command, Option<PathBuf>), i32> {
        let cli =
            Cli::try_parse_from([&["portcullis"], arguments].concat()).map_err(|error| error.exit_code())?;
        Ok((cli.command().clone(), cli.config))
    }

    #[test]
    fn the_definition_is_sound() {
        <Cli as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn serving_needs_no_word() {
        assert_eq!(read(&[]), Ok((Command::Serve, None)));
        assert_eq!(read(&["serve"]), Ok((Command::Serve, None)));
    }

    #[test]
    fn the_file_may_stand_before_or_behind_the_command() {
        let expected = Ok((Command::CheckConfig, Some(PathBuf::from("a.toml"))));
        assert_eq!(read(&["--config", "a.toml", "check-config"]), expected);
        assert_eq!(read(&["check-config", "--config=a.toml"]), expected);
    }

    #[test]
    fn wrong_usage_ends_with_2_and_help_with_0() {
        assert_eq!(read(&["dance"]), Err(2));
        assert_eq!(read(&["--config"]), Err(2));
        assert_eq!(read(&["--help"]), Err(0));
        assert_eq!(read(&["keys"]), Err(2));
        assert_eq!(read(&["app", "create"]), Err(2));
        assert_eq!(read(&["export", "--resume"]), Err(2));
    }

    #[test]
    fn a_secret_has_no_place_among_the_arguments() {
        let set = ["app", "credential", "set", "a", "google", "--client-id", "c"];
        assert!(read(&set).is_ok());
        assert_eq!(
            read(&[&set[..], &["--client-secret", "hunter2"]].concat()),
            Err(2)
        );
        assert!(read(&[&set[..], &["--client-secret-stdin"]].concat()).is_ok());
        let both = ["--client-secret-stdin", "--client-secret-file", "f"];
        assert_eq!(read(&[&set[..], &both].concat()), Err(2));
    }
}
