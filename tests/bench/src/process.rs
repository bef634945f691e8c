//! Servers as child processes: started, spoken to, measured from outside, ended by their handle.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::Fault;

/// A server that is not up by then never will be.
const PATIENCE: Duration = Duration::from_secs(20);
/// Linux counts CPU time in hundredths of a second wherever programs read it.
const TICK: Duration = Duration::from_millis(10);

/// A running server on the loopback interface; it ends with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts a server and waits until its first line on standard output tells the port.
    pub fn start(mut command: Command) -> Result<Self, Fault> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let lines = child.stdout.take().map(first_line);
        let mut server = Self {
            child,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        };
        let line = lines
            .and_then(|lines| lines.recv_timeout(PATIENCE).ok())
            .ok_or("a server ended, or told no port in time")?;
        let port = port(&line).ok_or_else(|| format!("no port in the server's first line: {line}"))?;
        server.address.set_port(port);
        Ok(server)
    }

    /// CPU time so far, all threads, user and system.
    pub fn cpu(&self) -> Result<Duration, Fault> {
        cpu_of(&format!("/proc/{}/stat", self.child.id()))
    }

    /// Memory that the process really holds, in MiB.
    pub fn resident_mib(&self) -> Result<f64, Fault> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        resident_kib(&status)
            .map(|kib| f64::from(kib) / 1024.0)
            .ok_or_else(|| "the kernel does not tell the server's memory".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of this process so far.
pub fn own_cpu() -> Result<Duration, Fault> {
    cpu_of("/proc/self/stat")
}

fn cpu_of(path: &str) -> Result<Duration, Fault> {
    let stat = fs::read_to_string(path)?;
    ticks(&stat)
        .map(|ticks| TICK * ticks)
        .ok_or_else(|| "the kernel does not tell CPU times".into())
}

/// Sends the first line on, and reads the rest away: a full pipe would stop the server.
fn first_line(stdout: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

/// The port at the end of a line such as `listening at http://localhost:3000`.
fn port(line: &str) -> Option<u16> {
    line.trim_end().rsplit(':').next()?.parse().ok()
}

/// User and system time in ticks: fields 14 and 15 of proc(5)'s `stat`, counted from behind the parenthesised name, which may
/// hold anything.
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split_ascii_whitespace().skip(11).take(2);
    let user: u32 = times.next()?.parse().ok()?;
    let system: u32 = times.next()?.parse().ok()?;
    user.checked_add(system)
}

fn resident_kib(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_stands_at_the_end_of_the_line() {
        assert_eq!(
            port("Portcullis is listening at http://localhost:41234\n"),
            Some(41234)
        );
        assert_eq!(port("Portcullis is listening at http://localhost"), None);
    }

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 90 0 0 0 123 45 0 0 20 0 1 0 100 1 1";
        assert_eq!(ticks(stat), Some(168));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn memory_is_what_is_resident() {
        let status = "Name:\tx\nVmPeak:\t  9999 kB\nVmRSS:\t   2048 kB\n";
        assert_eq!(resident_kib(status), Some(2048));
    }

    #[test]
    fn this_process_has_used_some_time() {
        assert!(own_cpu().is_ok());
    }
}
