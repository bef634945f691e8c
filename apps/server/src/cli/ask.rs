//! Having a command carried out: by the server that is running, else here.

use tokio::runtime::{Builder, Runtime};

use crate::config::Config;
use crate::control::{self, Answer, Command, Refusal};
use crate::serve::Fault;
use crate::wire::{self, Opened};

/// Whoever carries commands out. Nothing is opened before the first.
pub struct Asker<'a> {
    config: &'a Config,
    runtime: Runtime,
    here: Option<Opened>,
}

impl<'a> Asker<'a> {
    /// Asks whoever holds the stores that the configuration names.
    ///
    /// # Errors
    /// The system gives no runtime.
    pub fn new(config: &'a Config) -> Result<Self, Fault> {
        Ok(Self {
            config,
            runtime: Builder::new_current_thread().enable_all().build()?,
            here: None,
        })
    }

    /// Has a command carried out.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn ask(&mut self, command: Command) -> Result<Answer, Fault> {
        if self.here.is_none() {
            let connected = control::connect(&self.config.secrets.key_file);
            if let Some(server) = self.runtime.block_on(connected)? {
                return Ok(self.runtime.block_on(server.ask(command))?);
            }
            self.here = Some(self.open()?);
        }
        let Some(opened) = &self.here else {
            return Err(Refusal::new("the store is not open").into());
        };
        let operated = opened.operated();
        Ok(self.runtime.block_on(control::execute(command, &operated))?)
    }

    /// Whether what was asked so far was done here, without a server.
    pub const fn was_here(&self) -> bool {
        self.here.is_some()
    }

    fn open(&self) -> Result<Opened, Fault> {
        if self.config.storage.url.expose().starts_with("memory:") {
            let why = "no server is running, and `storage.url` is `memory:`: what is done now would be gone at once";
            return Err(Refusal::new(why).into());
        }
        // Adapters may start tasks of their own.
        let _entered = self.runtime.enter();
        wire::open(self.config)
    }

    /// Lets the store finish, if it was opened here.
    ///
    /// # Errors
    /// It could not.
    pub fn close(self) -> Result<(), Fault> {
        if let Some(opened) = self.here {
            self.runtime.block_on((opened.storage.close)())?;
        }
        Ok(())
    }
}
