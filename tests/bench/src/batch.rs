//! A number of requests over a few connections, as fast as they are answered: every answer is kept, in the order of the requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Fault;
use crate::process::Server;
use crate::stats::{Latencies, real};
use crate::wire::Answer;

/// Connections at once, and with them the requests that are under way.
pub const CONNECTIONS: usize = 16;
/// No batch lasts longer.
const PATIENCE: Duration = Duration::from_mins(2);

/// What became of a batch.
pub struct Batch {
    /// The whole answers, in the order of the requests.
    pub answers: Vec<Vec<u8>>,
    /// How long each took.
    pub latencies: Latencies,
    /// CPU time of the server meanwhile.
    pub server_cpu: Duration,
}

impl Batch {
    /// The server's CPU time per request, in microseconds.
    pub fn cpu_micros(&self) -> f64 {
        let count = u64::try_from(self.answers.len()).unwrap_or(u64::MAX);
        self.server_cpu.as_secs_f64() * 1e6 / real(count)
    }
}

type Queue = Arc<Mutex<VecDeque<(usize, Vec<u8>)>>>;
type Kept = (usize, Vec<u8>, Duration);

/// Sends all requests.
pub fn run(server: &Server, requests: Vec<Vec<u8>>) -> Result<Batch, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let count = requests.len();
    let queue: Queue = Arc::new(Mutex::new(requests.into_iter().enumerate().collect()));
    runtime.block_on(async {
        let mut streams = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(server.address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let before = server.cpu()?;
        let all = timeout(PATIENCE, drive(streams, &queue)).await;
        let mut kept = all.map_err(|_| "the server stopped answering")??;
        let server_cpu = server.cpu()?.saturating_sub(before);
        kept.sort_unstable_by_key(|(number, _, _)| *number);
        if kept.len() != count {
            return Err("some requests were not answered".into());
        }
        let mut latencies = Latencies::default();
        for (_, _, took) in &kept {
            latencies.note(*took);
        }
        Ok(Batch {
            answers: kept.into_iter().map(|(_, answer, _)| answer).collect(),
            latencies,
            server_cpu,
        })
    })
}

async fn drive(streams: Vec<TcpStream>, queue: &Queue) -> Result<Vec<Kept>, Fault> {
    let mut connections = JoinSet::new();
    for stream in streams {
        connections.spawn(talk(stream, Arc::clone(queue)));
    }
    let mut all = Vec::new();
    while let Some(ended) = connections.join_next().await {
        all.extend(ended??);
    }
    Ok(all)
}

async fn talk(mut stream: TcpStream, queue: Queue) -> Result<Vec<Kept>, Fault> {
    let mut kept = Vec::new();
    while let Some((number, request)) = next(&queue) {
        let asked = Instant::now();
        stream.write_all(&request).await?;
        let mut received = Vec::with_capacity(2048);
        loop {
            if stream.read_buf(&mut received).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if Answer::read(&received)?.is_some() {
                break;
            }
        }
        kept.push((number, received, asked.elapsed()));
    }
    Ok(kept)
}

fn next(queue: &Queue) -> Option<(usize, Vec<u8>)> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}
