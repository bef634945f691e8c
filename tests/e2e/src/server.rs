//! A server: a process with a folder of its own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary;
use crate::browser::Browser;
use crate::client::Client;
use crate::console::Console;
use crate::people::PASSWORD;
use crate::stores::Stores;

const PUBLIC_URL: &str = "PORTCULLIS__SERVER__PUBLIC_URL";
const GREETING: &str = "Portcullis is listening at ";
/// How long a server may take to greet or to go.
const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How a server is set up.
#[derive(Clone)]
pub struct Setup {
    home: Arc<TempDir>,
    stores: Arc<Stores>,
    config: String,
    environment: Vec<(String, String)>,
    limits: bool,
}

impl Setup {
    /// A server with the built-in defaults in an empty folder, on the stores of the bundle that is tried, but without limits.
    fn new() -> Self {
        let home = tempfile::Builder::new()
            .prefix("portcullis-e2e-")
            .tempdir()
            .expect("a folder");
        Self {
            home: Arc::new(home),
            stores: Arc::new(Stores::of_the_bundle()),
            config: String::new(),
            environment: Vec::new(),
            limits: false,
        }
    }

    /// With limits, as in real life.
    #[must_use]
    pub fn limited(mut self) -> Self {
        self.limits = true;
        self
    }

    /// With these lines in `portcullis.toml`.
    #[must_use]
    pub fn config(mut self, toml: &str) -> Self {
        self.config.push_str(toml);
        self.config.push('\n');
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With these entries in `providers.json`, and at an address that is known beforehand: a provider must be told where to send
    /// people back to.
    ///
    /// # Panics
    /// When the folder cannot be written to.
    #[must_use]
    pub fn providers(mut self, entries: &Value) -> Self {
        std::fs::write(self.home().join("providers.json"), entries.to_string()).expect("a file of providers");
        if !self.environment.iter().any(|(name, _)| name == PUBLIC_URL) {
            let port = free_port();
            self = self
                .variable("PORTCULLIS__SERVER__LISTEN", &format!("127.0.0.1:{port}"))
                .variable(PUBLIC_URL, &format!("http://127.0.0.1:{port}"));
        }
        self
    }

    /// Under a name that passkeys can be made for, on a port that is known beforehand.
    #[must_use]
    pub fn at_localhost(self) -> Self {
        let port = free_port();
        self.variable("PORTCULLIS__SERVER__LISTEN", &format!("127.0.0.1:{port}"))
            .variable(PUBLIC_URL, &format!("http://localhost:{port}"))
    }

    /// What the server is told of its stores, by variable; nothing where it keeps to its folder.
    pub fn stores(&self) -> BTreeMap<&'static str, String> {
        let variables = self.stores.variables_beside(&self.config);
        variables.map(|(name, value)| (name, value.clone())).collect()
    }

    /// Whether everything the server keeps is in its folder.
    pub fn keeps_to_its_folder(&self) -> bool {
        self.stores.are_own_files()
    }

    /// The server's folder, which is its working directory as well.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The command that starts the server.
    ///
    /// # Panics
    /// When the folder cannot be written to.
    pub fn command(&self, arguments: &[&str]) -> Command {
        std::fs::write(self.home().join("portcullis.toml"), &self.config).expect("a configuration");
        let mut command = Command::new(binary::portcullis());
        command
            .args(arguments)
            .current_dir(self.home())
            .env_clear()
            .env("PORTCULLIS__SERVER__LISTEN", "127.0.0.1:0")
            .env("PORTCULLIS__LOG__LEVEL", "debug")
            .envs(self.stores.variables_beside(&self.config))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !self.limits {
            command.env("PORTCULLIS__LIMITS__ENABLED", "false");
        }
        command
    }

    /// Starts the server and waits for its greeting.
    ///
    /// # Panics
    /// When it ends instead.
    pub async fn start(&self) -> Portcullis {
        let mut child = self.command(&[]).spawn().expect("the server starts");
        let console = Console::reading(child.stdout.take().expect("a standard output"));
        let log = Console::reading(child.stderr.take().expect("a standard error"));
        let mut server = Portcullis {
            setup: self.clone(),
            child,
            console,
            log,
            address: String::new(),
            marks: 0,
        };
        let begun = Instant::now();
        loop {
            let lines = server.console.lines();
            if let Some(address) = lines.iter().find_map(|line| line.strip_prefix(GREETING)) {
                server.address = address.replace("//localhost:", "//127.0.0.1:");
                return server;
            }
            let gone = server.child.try_wait().expect("the process can be asked");
            assert!(
                gone.is_none(),
                "the server ended: {}\n{}",
                server.console.text(),
                server.log.text()
            );
            assert!(begun.elapsed() < PATIENCE, "no greeting: {}", server.log.text());
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Runs the program to its end, which must come by itself.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn run(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let mut child = self.command(arguments).spawn().expect("the program starts");
        let console = Console::reading(child.stdout.take().expect("a standard output"));
        let log = Console::reading(child.stderr.take().expect("a standard error"));
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("the process can be asked") {
                // The readers are a moment behind.
                tokio::time::sleep(Duration::from_millis(100)).await;
                return (status, format!("{}\n{}", console.text(), log.text()));
            }
            if begun.elapsed() > PATIENCE {
                child.kill().expect("our own child");
                panic!("it runs on: {}\n{}", console.text(), log.text());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// A port that nobody has just now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// A running server.
pub struct Portcullis {
    setup: Setup,
    child: Child,
    console: Console,
    log: Console,
    address: String,
    marks: u32,
}

impl Portcullis {
    /// A server with the built-in defaults, without limits.
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    /// A server with these lines in `portcullis.toml`, without limits.
    pub async fn with(config: &str) -> Self {
        Setup::new().config(config).start().await
    }

    /// Something else.
    pub fn setup() -> Setup {
        Setup::new()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The port.
    ///
    /// # Panics
    /// Never, once it greeted.
    pub fn port(&self) -> u16 {
        let port = self.address.rsplit(':').next().and_then(|port| port.parse().ok());
        port.expect("a port in the greeting")
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A place below its address.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Somebody's browser, with no cookie yet.
    pub fn browser(&self) -> Browser {
        Browser::new(self.client())
    }

    /// A client at 127.0.0.1.
    pub fn client(&self) -> Client {
        self.client_from("127.0.0.1")
    }

    /// A client at an address of its own in 127.0.0.0/8.
    ///
    /// # Panics
    /// When that is none.
    pub fn client_from(&self, address: &str) -> Client {
        let from: IpAddr = address.parse().expect("an address");
        Client::new(self.address.clone(), from)
    }

    /// A client that connects to another address of the server, over plain HTTP.
    pub fn client_to(&self, base: &str) -> Client {
        Client::new(base.to_owned(), IpAddr::from([127, 0, 0, 1]))
    }

    /// Its standard output.
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Its standard error.
    pub fn log(&self) -> &Console {
        &self.log
    }

    /// Its folder.
    pub fn home(&self) -> PathBuf {
        self.setup.home().to_path_buf()
    }

    /// How it was set up, to start another one like it in the same folder.
    pub fn same_setup(&self) -> Setup {
        self.setup.clone()
    }

    /// Waits until everything caused so far stands on the console: what is written next, on our demand, comes after it. Takes a
    /// mail to an account made for it, from an address that no test uses.
    pub async fn settle(&mut self) {
        self.marks += 1;
        let client = self.client_from("127.255.0.1");
        let email = format!("mark-{}@marks.example", self.marks);
        client
            .post("/api/Users", json!({ "email": email, "password": PASSWORD }))
            .await
            .expect(200)
            .done();
        client
            .post("/api/Users/reset", json!({ "email": email }))
            .await
            .expect(204)
            .done();
        let to = format!("To: {email}");
        self.console
            .wait("the mark", 0, |line| (line == to).then_some(()))
            .await;
    }

    /// Kills it as a power cut would, at once and without a word (SIGKILL), and waits for the process to be gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("it is gone");
    }

    /// Kills it and starts it again in the same folder.
    pub async fn kill_and_restart(mut self) -> Self {
        self.kill();
        self.setup.clone().start().await
    }

    /// Asks it to end (SIGTERM); does not wait.
    ///
    /// # Panics
    /// When it cannot be asked.
    pub fn ask_to_end(&self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status();
        assert!(asked.expect("kill runs").success());
    }

    /// Waits for its end, which must come by itself.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the process can be asked") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it runs on: {}", self.log.text());
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

impl Drop for Portcullis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let (lines, shown) = (self.log.lines(), 30);
            let end = lines.iter().skip(lines.len().saturating_sub(shown));
            let end: Vec<&str> = end.map(String::as_str).collect();
            eprintln!("--- the end of the server's log\n{}", end.join("\n"));
        }
    }
}
