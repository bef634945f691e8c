//! A server that speaks MongoDB's protocol: `secantusd-rs`, a stand-in that a bare machine can build.
//!
//! What it proves of MongoDB and what it does not is in `docs/TESTING.md`.

mod wire;

use std::net::TcpStream;
use std::path::PathBuf;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::home;
use crate::port::Port;
use crate::process::Process;
use crate::program::{self, Program};
use crate::tls::Certificate;
use crate::trouble::{Trouble, or_fail};

/// The stand-in, and the slower one that needs no compiler.
const PROGRAMS: [&str; 2] = ["secantusd-rs", "secantusd-py"];

/// How a server shall be: [`Mongo::setup`].
#[derive(Default)]
pub struct Setup<'a> {
    durable: bool,
    user: Option<(&'a str, &'a str)>,
    tls: Option<&'a Certificate>,
}

impl<'a> Setup<'a> {
    /// It acknowledges a write once it is on the disk. For tests about what is there after a crash.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Only this user comes in, with this password, and may do everything.
    #[must_use]
    pub fn user(mut self, name: &'a str, password: &'a str) -> Self {
        self.user = Some((name, password));
        self
    }

    /// It speaks TLS alone.
    #[must_use]
    pub fn tls(mut self, certificate: &'a Certificate) -> Self {
        self.tls = Some(certificate);
        self
    }

    /// The running server.
    ///
    /// # Panics
    /// With a sentence when it cannot be started.
    #[track_caller]
    pub fn start(&self) -> Mongo {
        or_fail(self.try_start())
    }

    /// The running server, or why there is none.
    pub fn try_start(&self) -> Result<Mongo, Trouble> {
        let mut server = Mongo {
            home: home::folder("mongo")?,
            port: Port::take()?,
            durable: self.durable,
            login: self.user.map(|(name, password)| format!("{name}:{password}@")),
            options: Vec::new(),
            process: None,
        };
        home::write(&server.home.path().join("empty.toml"), "")?;
        if let Some((name, password)) = self.user {
            server.launch()?;
            wire::create_user(server.port(), name, password)?;
            server.stop();
            server.options.push("--auth".to_owned());
        }
        if let Some(tls) = self.tls {
            let files = [
                ("--tls-cert-file", tls.certificate()),
                ("--tls-key-file", tls.key()),
            ];
            let options = files.map(|(option, file)| [option.to_owned(), file.display().to_string()]);
            server.options.extend(options.into_iter().flatten());
        }
        server.launch()?;
        Ok(server)
    }
}

/// A server of MongoDB's protocol on 127.0.0.1, ended with this value.
pub struct Mongo {
    home: TempDir,
    port: Port,
    durable: bool,
    login: Option<String>,
    options: Vec<String>,
    process: Option<Process>,
}

impl Mongo {
    /// A server of its own: quick, empty, open.
    ///
    /// # Panics
    /// With a sentence when it cannot be started.
    #[track_caller]
    pub fn start() -> Self {
        Self::setup().start()
    }

    /// Another kind of server.
    pub fn setup<'a>() -> Setup<'a> {
        Setup::default()
    }

    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Where a database is, which there is once somebody writes to it; no name for the server alone.
    pub fn url(&self, database: &str) -> String {
        let login = self.login.as_deref().unwrap_or_default();
        let source = if self.login.is_some() {
            "&authSource=admin"
        } else {
            ""
        };
        format!(
            "mongodb://{login}127.0.0.1:{}/{database}?directConnection=true{source}",
            self.port()
        )
    }

    /// Whether it answers, in clear.
    pub fn answers(&self) -> bool {
        wire::says_hello(self.port())
    }

    /// Ends it in order.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop(Signal::TERM);
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        // Its handle does it.
        self.process = None;
    }

    /// Starts it again, with its data, on its port; ends it before if it runs.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        or_fail(self.launch());
    }

    /// Connections stay open, and nobody answers on them, until [`Mongo::thaw`]. New ones are taken by the system alone.
    pub fn freeze(&mut self) {
        if let Some(process) = &mut self.process {
            process.pause();
        }
    }

    /// Goes on where [`Mongo::freeze`] stopped.
    pub fn thaw(&mut self) {
        if let Some(process) = &mut self.process {
            process.resume();
        }
    }

    fn launch(&mut self) -> Result<(), Trouble> {
        let process = Process::start(&self.program()?, &self.home.path().join("log"))?;
        let port = self.port();
        let encrypted = self.options.iter().any(|option| option == "--tls-cert-file");
        let answers = || {
            if encrypted {
                is_listening(port)
            } else {
                wire::says_hello(port)
            }
        };
        self.process = Some(process.ready_when(answers)?);
        Ok(())
    }

    fn program(&self) -> Result<Program, Trouble> {
        let [rust, python] = PROGRAMS;
        let is_python = program::find(rust).is_err() && program::find(python).is_ok();
        let home = |name: &str| -> PathBuf { self.home.path().join(name) };
        let mut program = Program::named(if is_python { python } else { rust })?
            .ends_with_us("KILL")
            // Files of its settings anywhere else on this machine are not ours.
            .arg("--config")
            .arg(home("empty.toml"))
            .arg("--storage-path")
            .arg(home("data"))
            .args(["--host", "127.0.0.1", "--port", &self.port().to_string()])
            .args(["--cache-size", "256M", "--log-level", "WARNING"]);
        if !is_python {
            // It takes that much of the disk at once.
            program = program.args(["--log-file-max", "16MB"]);
        }
        if self.durable {
            program = program.arg("--sync-on-commit");
        }
        Ok(program.args(&self.options))
    }
}

fn is_listening(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
