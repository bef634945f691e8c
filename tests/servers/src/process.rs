//! A server's process: started once, ended by its handle and by nothing else.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::Program;
use crate::trouble::Trouble;

/// How long a server may take to start or to stop on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long a paused server may take to stand still.
const STANDING_STILL: Duration = Duration::from_secs(2);
/// So much of its log is shown when it fails.
const END_OF_LOG: usize = 2_000;

/// Whether every thread of a process is stopped, as far as the system tells.
fn stands_still(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return true;
    };
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The name before the state is in parentheses, and may contain some.
        stat.rsplit_once(") ")
            .is_none_or(|(_, rest)| rest.starts_with(['T', 't', 'Z', 'X']))
    })
}

/// A running server, or one that ended.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    paused: bool,
}

impl Process {
    /// Starts the program in a process group of its own (a Ctrl-C is for us, not for the server), with its output in `log`.
    pub fn start(program: &Program, log: &Path) -> Result<Self, Trouble> {
        let failed = |error: std::io::Error| Trouble::new(format!("a server cannot be started: {error}"));
        let mut command = program.command()?;
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(failed)?;
        command
            .stderr(output.try_clone().map_err(failed)?)
            .stdout(output)
            .process_group(0);
        let child = spawn(command).map_err(failed)?;
        Ok(Self {
            child,
            log: log.to_owned(),
            paused: false,
        })
    }

    /// Waits until the server answers.
    pub fn ready_when(mut self, mut answers: impl FnMut() -> bool) -> Result<Self, Trouble> {
        let since = Instant::now();
        while !answers() {
            if self.has_ended() {
                return Err(Trouble::new(format!(
                    "a server ended at its start:\n{}",
                    self.end_of_log()
                )));
            }
            if since.elapsed() > PATIENCE {
                let said = self.end_of_log();
                return Err(Trouble::new(format!(
                    "a server does not answer after {PATIENCE:?}:\n{said}"
                )));
            }
            thread::sleep(LOOK_AGAIN);
        }
        Ok(self)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Stands still as a machine does that lost its network: connections stay open and nobody answers.
    pub fn pause(&mut self) {
        self.signal(Signal::STOP);
        self.paused = true;
        // On a busy machine a thread may go on for a moment, and answer.
        let since = Instant::now();
        while !stands_still(self.pid()) && since.elapsed() < STANDING_STILL {
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn resume(&mut self) {
        self.signal(Signal::CONT);
        self.paused = false;
    }

    /// Asks the server to end, and ends it when it does not.
    pub fn stop(&mut self, signal: Signal) {
        if self.paused {
            self.resume();
        }
        self.signal(signal);
        let since = Instant::now();
        while !self.has_ended() {
            if since.elapsed() > PATIENCE / 6 {
                return self.kill();
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&mut self, signal: Signal) {
        // Not after its end: the number may be somebody else's by then.
        if !self.has_ended() {
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
    }

    fn end_of_log(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let from = log.len().saturating_sub(END_OF_LOG);
        String::from_utf8_lossy(log.get(from..).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until something is so; `what` is the end of "waited in vain until".
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) -> Result<(), Trouble> {
    let since = Instant::now();
    while !so() {
        if since.elapsed() > PATIENCE {
            return Err(Trouble::new(format!("waited {PATIENCE:?} in vain until {what}")));
        }
        thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// Starts it from a thread that lives as long as we do: the system's signal "your parent is gone" is about the very thread that
/// started a process, and threads of tests and runtimes come and go.
fn spawn(mut command: Command) -> std::io::Result<Child> {
    type Order = Box<dyn FnOnce() + Send>;
    static KEEPER: OnceLock<Sender<Order>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        thread::spawn(move || inbox.into_iter().for_each(|order| order()));
        orders
    });
    let gone = || std::io::Error::other("the thread that starts servers is gone");
    let (answer, result) = channel();
    let order = move || drop(answer.send(command.spawn()));
    keeper.send(Box::new(order)).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

/// The processes this one started, directly.
pub(crate) fn children_of(pid: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|child| parent_of(*child) == Some(pid)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    // "PID (NAME) STATE PARENT …", and the name may hold anything.
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = line.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a process runs; one that ended and was not yet collected does not.
pub(crate) fn is_running(pid: u32) -> bool {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = line
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().next());
    state.is_some_and(|state| state != "Z" && state != "X")
}
