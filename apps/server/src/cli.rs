//! The command line.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the server (the default)
    Serve,
    /// Bring the store to the schema of this version, then stop
    Migrate,
    /// Check the configuration, show it in brief and stop; exit code 1 if anything is wrong
    CheckConfig,
    /// List the adapters in this binary
    Adapters,
}

const AFTER_HELP: &str = "Every key of the configuration can also be given as an environment variable \
                          PORTCULLIS__SECTION__KEY.\nExit codes: 0 done, 1 failed, 2 wrong usage.";

impl Cli {
    /// The command to carry out.
    pub fn command(&self) -> Command {
        self.command.unwrap_or(Command::Serve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn read(arguments: &[&str]) -> Result<(Command, Option<PathBuf>), i32> {
        let cli =
            Cli::try_parse_from([&["portcullis"], arguments].concat()).map_err(|error| error.exit_code())?;
        Ok((cli.command(), cli.config))
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
    }
}
