//! HAProxy in front of several servers.

use std::fmt::Write as _;
use std::net::TcpStream;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::home;
use crate::port::Port;
use crate::process::Process;
use crate::program::Program;
use crate::trouble::{Trouble, or_fail};

/// For nodes of Portcullis: in turn, who says ready. What was sent to one is never sent to another: only a connection that could
/// not be made at all is tried elsewhere. The client's address is told to the node.
const HTTP: &str = "defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  timeout http-request 10s
  retries 2
  retry-on conn-failure
  option redispatch 1
  option forwardfor
  http-error status 503 content-type text/plain string \"no node is ready\" hdr Retry-After 1
backend servers
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter 200ms fastinter 100ms fall 2 rise 1
";
/// For a database and its standby: all to the first that listens, in order.
const TCP: &str = "defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
backend servers
  default-server check inter 200ms fastinter 100ms fall 2 rise 1 on-marked-down shutdown-sessions
";

/// A running balancer on 127.0.0.1, ended with this value.
pub struct Balancer {
    _home: TempDir,
    port: Port,
    process: Process,
}

impl Balancer {
    /// Spreads requests over nodes at these ports of 127.0.0.1, in turn, leaving out who does not answer `/readyz` with 200.
    ///
    /// # Panics
    /// With a sentence when it cannot be started.
    #[track_caller]
    pub fn start(nodes: &[u16]) -> Self {
        or_fail(Self::try_start(HTTP, nodes, ""))
    }

    /// One address for a server and those that may take its place: connections go to the first port while somebody listens
    /// there, else to the next; when it comes back, back.
    ///
    /// # Panics
    /// With a sentence when it cannot be started.
    #[track_caller]
    pub fn first_of(servers: &[u16]) -> Self {
        or_fail(Self::try_start(TCP, servers, "backup"))
    }

    fn try_start(kind: &str, targets: &[u16], all_but_first: &str) -> Result<Self, Trouble> {
        let home = home::folder("balancer")?;
        let port = Port::take()?;
        let number = port.number();
        let mut settings = String::from(kind);
        for (place, target) in targets.iter().enumerate() {
            let role = if place == 0 { "" } else { all_but_first };
            let _ = writeln!(settings, "  server s{place} 127.0.0.1:{target} {role}");
        }
        let _ = writeln!(
            settings,
            "frontend all\n  bind 127.0.0.1:{number}\n  default_backend servers"
        );
        let file = home.path().join("haproxy.cfg");
        home::write(&file, &settings)?;
        // -db: it stays our child.
        let program = Program::named("haproxy")?
            .ends_with_us("KILL")
            .args(["-db", "-f"])
            .arg(&file);
        let process = Process::start(&program, &home.path().join("log"))?;
        let process = process.ready_when(|| TcpStream::connect(("127.0.0.1", number)).is_ok())?;
        Ok(Self {
            _home: home,
            port,
            process,
        })
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Ends it; connections through it are cut.
    pub fn stop(&mut self) {
        self.process.stop(Signal::TERM);
    }
}
