//! The load generator: one thread, many kept-alive connections, every answer compared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::Fault;
use crate::process::{self, Server};
use crate::script::Script;
use crate::stats::{Latencies, real};
use crate::wire::{Answer, Head};

/// Whoever has no answer by then never gets one.
const PATIENCE: Duration = Duration::from_secs(30);
/// No connection asks more often, however long it may.
const MOST_REQUESTS: u64 = 20_000_000;
/// A client that is sent away comes back after the time it is told, but not later than this.
const LONGEST_REST: Duration = Duration::from_secs(1);

const WARMING: u8 = 0;
const COUNTING: u8 = 1;
const STOPPING: u8 = 2;

/// Connections that do the same thing.
pub struct Group {
    /// What each of them says.
    pub scripts: Vec<Box<dyn Script>>,
    /// From one request of a connection to its next; as fast as answers come when absent. A request that had to wait for the
    /// answer before counts from when it was due.
    pub pace: Option<Duration>,
}

impl Group {
    /// Connections that ask as fast as they are answered.
    pub fn eager(scripts: impl IntoIterator<Item = impl Script + 'static>) -> Self {
        let boxed = |script| -> Box<dyn Script> { Box::new(script) };
        Self {
            scripts: scripts.into_iter().map(boxed).collect(),
            pace: None,
        }
    }

    /// Connections that ask at a steady pace.
    pub fn paced(scripts: impl IntoIterator<Item = impl Script + 'static>, pace: Duration) -> Self {
        Self {
            pace: Some(pace),
            ..Self::eager(scripts)
        }
    }
}

/// When counting begins and how long it lasts.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Load without counting.
    pub warm: Duration,
    /// Load that counts.
    pub counted: Duration,
}

impl Window {
    /// A turn with a fifth of it before as warm-up.
    pub fn turn(counted: Duration) -> Self {
        Self {
            warm: counted / 5,
            counted,
        }
    }
}

/// What a group got.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Right answers within the window.
    pub right: u64,
    /// Wrong answers and broken connections, ever.
    pub wrong: u64,
    /// Polite refusals (503 with Retry-After), ever.
    pub shed: u64,
    /// The first wrong answer, in words.
    pub example: Option<String>,
    /// How long the right ones took.
    pub latencies: Latencies,
}

impl Tally {
    fn join(&mut self, other: Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.shed += other.shed;
        self.latencies.join(&other.latencies);
        self.example = self.example.take().or(other.example);
    }

    fn note_wrong(&mut self, what: String) {
        self.wrong += 1;
        self.example.get_or_insert(what);
    }

    /// An error when anything was wrong: figures of wrong answers are no figures.
    pub fn all_right(&self) -> Result<(), Fault> {
        match &self.example {
            None if self.right > 0 => Ok(()),
            None => Err("the server gave no answer in time".into()),
            Some(example) => Err(format!("{} wrong answers; the first: {example}", self.wrong).into()),
        }
    }
}

/// What the window showed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Per group.
    pub tallies: Vec<Tally>,
    /// How long the window really was.
    pub took: Duration,
    /// CPU time of the server in it.
    pub server_cpu: Duration,
    /// CPU time of this process in it.
    pub own_cpu: Duration,
}

impl Outcome {
    /// A group's tally.
    pub fn group(&self, index: usize) -> Result<&Tally, Fault> {
        self.tallies
            .get(index)
            .ok_or_else(|| "there is no such group".into())
    }

    /// Right answers per second.
    pub fn rate(&self, tally: &Tally) -> f64 {
        real(tally.right) / self.took.as_secs_f64()
    }

    /// The server's CPU time per right answer, in microseconds.
    pub fn cpu_micros(&self, tally: &Tally) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / real(tally.right)
    }

    /// The share of one core that the load generator took: near 1, it is what was measured.
    pub fn own_share(&self) -> f64 {
        self.own_cpu.as_secs_f64() / self.took.as_secs_f64()
    }
}

/// Puts a server under load.
pub fn run(server: &Server, groups: Vec<Group>, window: Window) -> Result<Outcome, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let all = timeout(
            window.warm + window.counted + PATIENCE * 2,
            drive(server, groups, window),
        );
        all.await.map_err(|_| "the server stopped answering")?
    })
}

async fn drive(server: &Server, groups: Vec<Group>, window: Window) -> Result<Outcome, Fault> {
    let phase = Arc::new(AtomicU8::new(WARMING));
    let mut tallies = vec![Tally::default(); groups.len()];
    let mut connections = JoinSet::new();
    for (index, group) in groups.into_iter().enumerate() {
        for script in group.scripts {
            let stream = TcpStream::connect(server.address).await?;
            stream.set_nodelay(true)?;
            let connection = Connection {
                stream,
                received: Vec::with_capacity(16 * 1024),
                script,
                pace: group.pace,
                phase: Arc::clone(&phase),
            };
            connections.spawn(async move { (index, connection.talk().await) });
        }
    }
    sleep(window.warm).await;
    let (begun, server_before, own_before) = (Instant::now(), server.cpu()?, process::own_cpu()?);
    phase.store(COUNTING, Ordering::Relaxed);
    sleep(window.counted).await;
    phase.store(STOPPING, Ordering::Relaxed);
    let (took, server_after, own_after) = (begun.elapsed(), server.cpu()?, process::own_cpu()?);
    while let Some(ended) = connections.join_next().await {
        let (index, tally) = ended?;
        if let Some(sum) = tallies.get_mut(index) {
            sum.join(tally);
        }
    }
    Ok(Outcome {
        tallies,
        took,
        server_cpu: server_after.saturating_sub(server_before),
        own_cpu: own_after.saturating_sub(own_before),
    })
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    script: Box<dyn Script>,
    pace: Option<Duration>,
    phase: Arc<AtomicU8>,
}

/// What became of one request.
enum Heard {
    Right,
    Wrong(String),
    Shed(Duration),
}

impl Connection {
    async fn talk(mut self) -> Tally {
        let mut tally = Tally::default();
        let mut due = Instant::now();
        for _ in 0..MOST_REQUESTS {
            let asked = self.turn(&mut due).await;
            let heard = match timeout(PATIENCE, self.exchange()).await {
                Ok(Ok(heard)) => heard,
                Ok(Err(error)) => {
                    tally.note_wrong(error.to_string());
                    break;
                }
                Err(_) => {
                    tally.note_wrong("no answer".to_owned());
                    break;
                }
            };
            let phase = self.phase.load(Ordering::Relaxed);
            match heard {
                Heard::Right if phase == COUNTING => {
                    tally.right += 1;
                    tally.latencies.note(asked.elapsed());
                }
                Heard::Right => {}
                Heard::Wrong(what) => tally.note_wrong(what),
                Heard::Shed(rest) => {
                    tally.shed += 1;
                    sleep(rest).await;
                }
            }
            if phase == STOPPING {
                break;
            }
        }
        tally
    }

    /// Waits for this connection's next turn, and says since when its request counts as asked.
    async fn turn(&self, due: &mut Instant) -> Instant {
        let Some(pace) = self.pace else {
            return Instant::now();
        };
        let this = *due;
        *due = this + pace;
        if this <= Instant::now() {
            return this;
        }
        sleep_until(this).await;
        // A timer that rings late is no fault of the server's.
        Instant::now()
    }

    async fn exchange(&mut self) -> Result<Heard, Fault> {
        self.stream.write_all(self.script.next()).await?;
        self.received.clear();
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(answer) = Answer::read(&self.received)? {
                return Ok(judge(&answer, self.script.as_ref()));
            }
        }
    }
}

fn judge(answer: &Answer<'_>, script: &dyn Script) -> Heard {
    let Head {
        status, retry_after, ..
    } = answer.head;
    match retry_after {
        _ if script.is_right(answer) => Heard::Right,
        Some(seconds) if status == 503 => Heard::Shed(Duration::from_secs(seconds).min(LONGEST_REST)),
        _ => Heard::Wrong(format!("{status} {}", String::from_utf8_lossy(answer.body))),
    }
}
