//! Redis: one server, and what is made of several.

mod cluster;
mod sentinel;

use std::path::PathBuf;
use std::time::Duration;

pub use cluster::RedisCluster;
use rustix::process::Signal;
pub use sentinel::Sentinel;
use tempfile::TempDir;

use crate::home;
use crate::port::Port;
use crate::process::Process;
use crate::program::Program;
use crate::tls::Certificate;
use crate::trouble::{Trouble, or_fail};

/// With an access list, the harness itself comes in by this name.
const OURSELVES: (&str, &str) = ("tests", "the-tests-themselves");

/// How a server shall be: [`Redis::setup`].
#[derive(Default)]
pub struct Setup<'a> {
    durable: bool,
    password: Option<&'a str>,
    users: Option<&'a str>,
    tls: Option<&'a Certificate>,
    options: Vec<String>,
}

impl<'a> Setup<'a> {
    /// It keeps its data, and acknowledges a write once it is on the disk.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Everybody needs this password.
    #[must_use]
    pub fn password(mut self, password: &'a str) -> Self {
        self.password = Some(password);
        self
    }

    /// Only these users come in: lines of an ACL file, such as `user app on >secret ~portcullis:* &* +@all`.
    #[must_use]
    pub fn users(mut self, lines: &'a str) -> Self {
        self.users = Some(lines);
        self
    }

    /// It speaks TLS alone.
    #[must_use]
    pub fn tls(mut self, certificate: &'a Certificate) -> Self {
        self.tls = Some(certificate);
        self
    }

    /// A further setting, as on the server's command line.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([format!("--{name}"), value.to_owned()]);
        self
    }

    /// The running server.
    ///
    /// # Panics
    /// With a sentence when it cannot be started.
    #[track_caller]
    pub fn start(&self) -> Redis {
        or_fail(self.try_start())
    }

    /// The running server, or why there is none.
    pub fn try_start(&self) -> Result<Redis, Trouble> {
        self.try_start_on(Port::take()?)
    }

    fn try_start_on(&self, port: Port) -> Result<Redis, Trouble> {
        let home = home::folder("redis")?;
        let mut options = self.options.clone();
        if let Some(users) = self.users {
            let (name, password) = OURSELVES;
            let list = format!("user default off\nuser {name} on >{password} ~* &* +@all\n{users}\n");
            home::write(&home.path().join("users.acl"), &list)?;
            options.extend([
                "--aclfile".to_owned(),
                home.path().join("users.acl").display().to_string(),
            ]);
        }
        if let Some(password) = self.password {
            options.extend(["--requirepass".to_owned(), password.to_owned()]);
            options.extend(["--masterauth".to_owned(), password.to_owned()]);
        }
        let mut server = Redis {
            home,
            port,
            options,
            durable: self.durable,
            password: self.password.map(str::to_owned),
            listed: self.users.is_some(),
            tls: self
                .tls
                .map(|tls| [tls.certificate(), tls.key(), tls.authority()]),
            process: None,
        };
        server.launch()?;
        Ok(server)
    }
}

/// A Redis server on 127.0.0.1, ended with this value.
pub struct Redis {
    home: TempDir,
    port: Port,
    options: Vec<String>,
    durable: bool,
    password: Option<String>,
    listed: bool,
    tls: Option<[PathBuf; 3]>,
    process: Option<Process>,
}

impl Redis {
    /// A server of its own: open, and it forgets everything when it ends.
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

    /// Where it is, with its password if it has one. A user of its list is put in by the test.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        let password = self
            .password
            .as_ref()
            .map(|password| format!("default:{password}@"));
        format!(
            "{scheme}://{}127.0.0.1:{}",
            password.unwrap_or_default(),
            self.port()
        )
    }

    /// A server that follows this one and answers reading commands.
    ///
    /// # Panics
    /// When it does not start, or does not follow.
    #[must_use]
    #[track_caller]
    pub fn replica(&self) -> Self {
        or_fail(self.try_replica())
    }

    fn try_replica(&self) -> Result<Self, Trouble> {
        let mut setup = Self::setup().option("replicaof", &format!("127.0.0.1 {}", self.port()));
        setup.password = self.password.as_deref();
        let replica = setup.try_start()?;
        crate::process::wait_until("the replica follows", || {
            replica
                .ask(&["INFO", "replication"])
                .contains("master_link_status:up")
        })?;
        Ok(replica)
    }

    /// Asks by `redis-cli`; what it prints, which for a refusal is the refusal.
    ///
    /// # Panics
    /// When the server is not there.
    #[track_caller]
    pub fn ask(&self, command: &[&str]) -> String {
        or_fail(self.try_ask(command))
    }

    fn try_ask(&self, command: &[&str]) -> Result<String, Trouble> {
        let mut client = Program::named("redis-cli")?
            .args(["-h", "127.0.0.1", "--no-auth-warning", "-p"])
            .arg(self.port().to_string());
        if let Some([_, _, authority]) = &self.tls {
            client = client.arg("--tls").arg("--cacert").arg(authority);
        }
        if self.listed {
            client = client.args(["--user", OURSELVES.0, "--pass", OURSELVES.1]);
        } else if let Some(password) = &self.password {
            client = client.arg("--pass").arg(password);
        }
        Ok(client.args(command).output()?.trim_end().to_owned())
    }

    /// Lets every command of every client wait, as a server does that is busy with something else.
    ///
    /// # Panics
    /// When the server is not there.
    #[track_caller]
    pub fn pause(&self, how_long: Duration) {
        let answer = self.ask(&["CLIENT", "PAUSE", &how_long.as_millis().to_string(), "ALL"]);
        assert_eq!(answer, "OK");
    }

    /// Connections stay open, and nobody answers on them, until [`Redis::thaw`]. New ones are taken by the system alone.
    pub fn freeze(&mut self) {
        if let Some(process) = &mut self.process {
            process.pause();
        }
    }

    /// Goes on where [`Redis::freeze`] stopped.
    pub fn thaw(&mut self) {
        if let Some(process) = &mut self.process {
            process.resume();
        }
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

    /// Starts it again on its port; ends it before if it runs. A durable one has its data, another is empty.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        or_fail(self.launch());
    }

    /// Starts it again on its port, without its data.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn restart_empty(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(self.data());
        or_fail(self.launch());
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn launch(&mut self) -> Result<(), Trouble> {
        let program = self.program()?;
        let process = Process::start(&program, &self.home.path().join("log"))?;
        self.process = Some(process.ready_when(|| self.try_ask(&["PING"]).is_ok_and(|pong| pong == "PONG"))?);
        Ok(())
    }

    fn program(&self) -> Result<Program, Trouble> {
        let data = self.data();
        std::fs::create_dir_all(&data)
            .map_err(|error| Trouble::new(format!("{} cannot be made: {error}", data.display())))?;
        let port = self.port().to_string();
        let mut program = Program::named("redis-server")?.ends_with_us("KILL");
        program = program
            .args(["--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(data)
            // A replica is served at once: it does not wait for others that may come.
            .args(["--repl-diskless-sync-delay", "0"]);
        program = match &self.tls {
            None => program.arg("--port").arg(port),
            Some([certificate, key, authority]) => program
                .args(["--port", "0", "--tls-auth-clients", "no", "--tls-port"])
                .arg(port)
                .arg("--tls-cert-file")
                .arg(certificate)
                .arg("--tls-key-file")
                .arg(key)
                .arg("--tls-ca-cert-file")
                .arg(authority),
        };
        let (kept, when) = if self.durable {
            ("yes", "always")
        } else {
            ("no", "no")
        };
        program = program.args(["--appendonly", kept, "--appendfsync", when]);
        Ok(program.args(&self.options))
    }
}
