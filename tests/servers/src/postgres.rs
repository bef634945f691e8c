//! PostgreSQL: one server with its own data, and streaming standbys of it.

mod standby;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::home;
use crate::port::Port;
use crate::process::{Process, children_of, is_running, wait_until};
use crate::program::{Account, Program};
use crate::tls::Certificate;
use crate::trouble::{Trouble, or_fail};

/// The superuser; anybody on this machine is let in by this name.
const USER: &str = "postgres";
/// Enough for all tests that run side by side, each with a pool.
const MOST_CONNECTIONS: &str = "max_connections=400";

/// How a server shall be: [`Postgres::setup`].
#[derive(Default)]
pub struct Setup<'a> {
    durable: bool,
    tls: Option<&'a Certificate>,
}

impl<'a> Setup<'a> {
    /// It writes as in earnest, every commit to the disk. Without this it answers before: quick, and just as good until the
    /// whole machine loses its power. For tests about what is there after a crash.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// It takes connections over TCP only with TLS.
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
    pub fn start(&self) -> Postgres {
        or_fail(self.try_start())
    }

    /// The running server, or why there is none.
    pub fn try_start(&self) -> Result<Postgres, Trouble> {
        let account = Account::without_root()?;
        let mut server = Postgres {
            home: home::folder_of("postgres", account)?,
            account,
            port: Port::take()?,
            options: self.options(),
            process: None,
        };
        server.create_data()?;
        if let Some(certificate) = self.tls {
            server.insist_on_tls(certificate)?;
        }
        server.launch()?;
        Ok(server)
    }

    fn options(&self) -> Vec<&'static str> {
        let mut options = vec![MOST_CONNECTIONS, "listen_addresses=127.0.0.1"];
        if !self.durable {
            options.extend(["fsync=off", "full_page_writes=off"]);
        }
        if self.tls.is_some() {
            options.push("ssl=on");
        }
        options
    }
}

/// A PostgreSQL server on 127.0.0.1, ended with this value.
pub struct Postgres {
    home: TempDir,
    account: Option<Account>,
    port: Port,
    options: Vec<&'static str>,
    process: Option<Process>,
}

impl Postgres {
    /// A server of its own: quick, empty, without TLS.
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

    /// Where a database is, as the superuser. `postgres` is there from the beginning, to create others from.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port())
    }

    /// The name of a new, empty database.
    ///
    /// # Panics
    /// When the server cannot make one.
    #[track_caller]
    pub fn create_database(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let moment = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{:x}_{number}", moment.as_nanos());
        self.query("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs a statement by `psql`; rows as lines, columns parted by `|`.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn query(&self, database: &str, statement: &str) -> String {
        or_fail(self.try_query(database, statement))
    }

    fn try_query(&self, database: &str, statement: &str) -> Result<String, Trouble> {
        let answer = Program::named("psql")?
            .args([
                "--no-psqlrc",
                "--tuples-only",
                "--no-align",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
            ])
            .arg(format!("--host={}", self.home.path().display()))
            .args([format!("--port={}", self.port()), format!("--username={USER}")])
            .args([format!("--dbname={database}"), format!("--command={statement}")])
            .output()?;
        Ok(answer.trim_end().to_owned())
    }

    /// Shuts it down in order: what runs is broken off, what was committed is written.
    pub fn stop(&mut self) {
        self.end_by(Signal::INT);
    }

    /// Shuts it down without order; it recovers at the next start.
    pub fn stop_at_once(&mut self) {
        self.end_by(Signal::QUIT);
    }

    /// `kill -9` of all its processes at one moment.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // It stands still first, so that it starts no more of them.
        process.pause();
        let children = children_of(process.pid());
        for child in &children {
            let pid = i32::try_from(*child)
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            pid.map(|pid| rustix::process::kill_process(pid, Signal::KILL));
        }
        process.kill();
        let _ = wait_until("its processes are gone", || {
            !children.iter().any(|child| is_running(*child))
        });
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

    /// Connections stay open, and nobody answers on them, until [`Postgres::thaw`]. New ones are taken by the system alone.
    pub fn freeze(&mut self) {
        self.signal_all(Signal::STOP);
    }

    /// Goes on where [`Postgres::freeze`] stopped.
    pub fn thaw(&mut self) {
        self.signal_all(Signal::CONT);
    }

    fn signal_all(&mut self, signal: Signal) {
        let Some(process) = &mut self.process else { return };
        if signal == Signal::STOP {
            process.pause();
        } else {
            process.resume();
        }
        for child in children_of(process.pid()) {
            let pid = i32::try_from(child).ok().and_then(rustix::process::Pid::from_raw);
            pid.map(|pid| rustix::process::kill_process(pid, signal));
        }
    }

    fn end_by(&mut self, signal: Signal) {
        self.thaw();
        if let Some(mut process) = self.process.take() {
            process.stop(signal);
        }
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn create_data(&self) -> Result<(), Trouble> {
        self.program("initdb")?
            .arg("-D")
            .arg(self.data())
            .args([
                "-U",
                USER,
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .output()?;
        Ok(())
    }

    /// The names and rights are those the server looks for.
    fn insist_on_tls(&self, certificate: &Certificate) -> Result<(), Trouble> {
        let key = self.data().join("server.key");
        self.copy(&certificate.certificate(), &self.data().join("server.crt"))?;
        self.copy(&certificate.key(), &key)?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))
            .map_err(|error| Trouble::new(format!("{} cannot be closed: {error}", key.display())))?;
        let rules = "local all all trust\nlocal replication all trust\nhostssl all all 127.0.0.1/32 trust\n";
        home::write(&self.data().join("pg_hba.conf"), rules)
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<(), Trouble> {
        fs::copy(from, to)
            .map_err(|error| Trouble::new(format!("{} cannot be copied: {error}", from.display())))?;
        self.account.map_or(Ok(()), |account| account.own(to))
    }

    fn program(&self, name: &str) -> Result<Program, Trouble> {
        Ok(Program::named(name)?.under(self.account))
    }

    fn launch(&mut self) -> Result<(), Trouble> {
        let mut program = self
            .program("postgres")?
            .ends_with_us("QUIT")
            .arg("-D")
            .arg(self.data());
        program = program.arg("-p").arg(self.port().to_string());
        program = program
            .arg("-c")
            .arg(format!("unix_socket_directories={}", self.home.path().display()));
        for option in &self.options {
            program = program.arg("-c").arg(option);
        }
        let process = Process::start(&program, &self.home.path().join("log"))?;
        let pid = process.pid();
        let state = self.data().join("postmaster.pid");
        self.process = Some(process.ready_when(|| is_ready(&state, pid))?);
        Ok(())
    }
}

/// The first line of the server's own file is its number, the eighth its state.
fn is_ready(state: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(state).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    lines.next() == Some(&pid.to_string()) && matches!(lines.nth(6), Some("ready" | "standby"))
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop_at_once();
        // A killed one leaves a segment of shared memory behind, named in its file (the second number of the seventh line).
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let segment = text
            .lines()
            .nth(6)
            .and_then(|line| line.split_whitespace().nth(1));
        if let (Some(segment), Ok(remover)) = (segment, Program::named("ipcrm")) {
            let _ = remover.args(["-m", segment]).output();
        }
    }
}
