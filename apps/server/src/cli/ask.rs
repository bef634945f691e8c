//! Having a command carried out: by the server that is running, else here.

use crate::adapters::mail::BESIDE;
use crate::config::{Config, Secret};
use crate::control::{self, Answer, Command, Refusal};
use crate::serve::Fault;
use crate::wire::{self, Opened};

/// Whoever carries commands out. Nothing is opened before the first.
pub struct Asker<'a> {
    config: &'a Config,
    here: Option<Opened>,
    /// Whether a server has to do it: then nothing is opened here when it goes away.
    server_only: bool,
}

impl<'a> Asker<'a> {
    /// Asks whoever holds the stores that the configuration names.
    pub const fn new(config: &'a Config) -> Self {
        Self {
            config,
            here: None,
            server_only: false,
        }
    }

    /// Has a command carried out.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn ask(&mut self, command: Command) -> Result<Answer, Fault> {
        if self.here.is_none() {
            if let Some(server) = control::connect(&self.config.secrets.key_file).await? {
                return Ok(server.ask(command).await?);
            }
            if self.server_only {
                return Err(Refusal::new("the server has stopped").into());
            }
            self.here = Some(self.open().await?);
        }
        let Some(opened) = &self.here else {
            return Err(Refusal::new("the store is not open").into());
        };
        let operated = opened.operated();
        Ok(control::execute(command, &operated).await?)
    }

    /// From now on only where it was asked before: a server that is restarted must find its store free.
    pub const fn only_where_it_was(&mut self) {
        self.server_only = self.here.is_none();
    }

    /// Whether what was asked so far was done here, without a server.
    pub const fn was_here(&self) -> bool {
        self.here.is_some()
    }

    /// Whether mails are printed, and not carried by whoever serves next.
    pub fn prints_mail(&self) -> bool {
        self.config.mail.url.expose().starts_with("console:")
    }

    async fn open(&self) -> Result<Opened, Fault> {
        if self.config.storage.url.expose().starts_with("memory:") {
            let why = "no server is running, and `storage.url` is `memory:`: what is done now would be gone at once";
            return Err(Refusal::new(why).into());
        }
        let mut config = self.config.clone();
        if self.prints_mail() {
            config.mail.url = Secret::new(BESIDE);
        }
        wire::open(&config).await
    }

    /// Lets the store finish, if it was opened here.
    ///
    /// # Errors
    /// It could not.
    pub async fn close(self) -> Result<(), Fault> {
        if let Some(opened) = self.here {
            opened.keepers.close().await?;
        }
        Ok(())
    }
}
