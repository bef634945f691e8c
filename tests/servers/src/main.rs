//! `servers with postgres,redis,redis-cluster,mongo -- COMMAND…`: runs a command beside the servers it needs.
//!
//! Each is started unless its variable names one already; the command finds them by their variables (see the library). They end
//! with the command, whose status is ours.
//!
//! | Status | Meaning |
//! |---|---|
//! | the command's | it ran; 128 and the signal's number when a signal ended it |
//! | 64 | asked in a way that makes no sense |
//! | 69 | a server cannot be started; a sentence says why |
//! | 127 | the command cannot be started |

use std::any::Any;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use servers::{Mongo, Postgres, Redis, RedisCluster, Trouble};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: servers with postgres,redis,redis-cluster,mongo -- COMMAND…";
const MISUSED: u8 = 64;
const UNAVAILABLE: u8 = 69;
const NO_SUCH_COMMAND: u8 = 127;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running server, whatever it is, and where.
type Running = (Box<dyn Any + Send>, String);

/// A kind of server: its name on the command line, the variable it is told by, how it is started.
struct Kind {
    name: &'static str,
    variable: &'static str,
    start: fn() -> Result<Running, Trouble>,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "postgres",
        variable: "POSTGRES_URL",
        start: postgres,
    },
    Kind {
        name: "redis",
        variable: "REDIS_URL",
        start: redis,
    },
    Kind {
        name: "redis-cluster",
        variable: "REDIS_CLUSTER_URL",
        start: redis_cluster,
    },
    Kind {
        name: "mongo",
        variable: "MONGODB_URL",
        start: mongo,
    },
];

fn postgres() -> Result<Running, Trouble> {
    let server = Postgres::setup().try_start()?;
    let url = server.url("postgres");
    Ok((Box::new(server), url))
}

fn redis() -> Result<Running, Trouble> {
    let server = Redis::setup().try_start()?;
    let url = server.url();
    Ok((Box::new(server), url))
}

fn redis_cluster() -> Result<Running, Trouble> {
    let cluster = RedisCluster::try_start()?;
    let url = cluster.url();
    Ok((Box::new(cluster), url))
}

fn mongo() -> Result<Running, Trouble> {
    let server = Mongo::setup().try_start()?;
    let url = server.url("");
    Ok((Box::new(server), url))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((kinds, command)) = asked(&arguments) else {
        return failed(MISUSED, USAGE);
    };
    match all(&kinds) {
        Err(trouble) => failed(UNAVAILABLE, &trouble.to_string()),
        Ok(running) => {
            let variables = running
                .iter()
                .map(|(variable, (_, url))| (*variable, url.clone()))
                .collect();
            run(command, variables)
        }
    }
}

/// Which kinds, and the command with its arguments.
fn asked(arguments: &[String]) -> Option<(Vec<&'static Kind>, &[String])> {
    let [with, list, dashes, command @ ..] = arguments else {
        return None;
    };
    if with != "with" || dashes != "--" || command.is_empty() {
        return None;
    }
    let names = list.split(',').filter(|name| !name.is_empty());
    let kinds: Option<Vec<&Kind>> = names
        .map(|name| KINDS.iter().find(|kind| kind.name == name))
        .collect();
    Some((kinds?, command))
}

/// Starts side by side those that nobody named.
fn all(kinds: &[&'static Kind]) -> Result<Vec<(&'static str, Running)>, Trouble> {
    let named = |kind: &Kind| std::env::var_os(kind.variable).is_some_and(|url| !url.is_empty());
    thread::scope(|scope| {
        let starting: Vec<_> = kinds
            .iter()
            .filter(|kind| !named(kind))
            .map(|kind| scope.spawn(|| Ok((kind.variable, (kind.start)()?))))
            .collect();
        // All are waited for before the first failure is told, so that none is left behind.
        let started: Vec<_> = starting
            .into_iter()
            .filter_map(|starting| starting.join().ok())
            .collect();
        started.into_iter().collect()
    })
}

fn run(command: &[String], variables: Vec<(&'static str, String)>) -> ExitCode {
    let [program, arguments @ ..] = command else {
        return failed(MISUSED, USAGE);
    };
    let running: Arc<Mutex<Option<Pid>>> = Arc::default();
    if let Err(error) = pass_on_signals(Arc::clone(&running)) {
        return failed(UNAVAILABLE, &format!("signals cannot be listened for: {error}"));
    }
    match Command::new(program).args(arguments).envs(variables).spawn() {
        Err(error) => failed(NO_SUCH_COMMAND, &format!("{program} cannot be started: {error}")),
        Ok(child) => wait_for(child, &running),
    }
}

fn wait_for(mut child: Child, running: &Mutex<Option<Pid>>) -> ExitCode {
    hold(running).replace(Pid::from_child(&child));
    // Looks at it again and again, because its number may be somebody else's as soon as a waiting call returned.
    loop {
        let mut pid = hold(running);
        match child.try_wait() {
            Ok(None) => drop(pid),
            Ok(Some(status)) => {
                pid.take();
                return as_ours(status);
            }
            Err(error) => return failed(UNAVAILABLE, &format!("the command was lost: {error}")),
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// From now on a signal to end ends the command, and the servers after it.
fn pass_on_signals(running: Arc<Mutex<Option<Pid>>>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    thread::spawn(move || {
        runtime.block_on(async {
            loop {
                let asked = tokio::select! {
                    _ = interrupt.recv() => Signal::INT,
                    _ = terminate.recv() => Signal::TERM,
                };
                // A terminal's Ctrl-C goes to the command as well, and twice is more than once to some.
                if asked == Signal::INT && io::stdin().is_terminal() {
                    continue;
                }
                if let Some(pid) = *hold(&running) {
                    let _ = kill_process(pid, asked);
                }
            }
        });
    });
    Ok(())
}

fn hold<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn as_ours(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

fn failed(status: u8, why: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "servers: {why}");
    ExitCode::from(status)
}
