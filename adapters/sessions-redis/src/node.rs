//! One server of Redis: a connection that is made anew whenever it breaks, by exactly one task. Callers wait for the first attempt
//! and no longer; while the server is down they hear so at once.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, ErrorKind, RedisError, Value};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::config::Address;
use crate::connect::Dialer;
use crate::error::Fault;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How the connection stands.
#[derive(Clone)]
enum State {
    /// It is being made for the first time, or for the first time since it broke.
    Trying,
    /// It is there; the number tells it from those before.
    Up(MultiplexedConnection, u64),
    /// The last attempt failed.
    Down(Arc<str>),
}

/// One server.
pub(crate) struct Node {
    pub address: Address,
    pub client: Client,
    state: watch::Sender<State>,
    connected: AtomicU64,
    room: Semaphore,
    limit: usize,
    keeper: std::sync::OnceLock<AbortHandle>,
}

impl Node {
    /// Begins to connect.
    pub fn start(address: Address, client: Client, dialer: Arc<Dialer>, in_flight: usize) -> Arc<Self> {
        let node = Arc::new(Self {
            address,
            client,
            state: watch::Sender::new(State::Trying),
            connected: AtomicU64::new(0),
            room: Semaphore::new(in_flight.max(1)),
            limit: in_flight.max(1),
            keeper: std::sync::OnceLock::new(),
        });
        let keeper = tokio::spawn(keep(Arc::downgrade(&node), node.state.subscribe(), dialer));
        let _ = node.keeper.set(keeper.abort_handle());
        node
    }

    /// How often a connection was made. What was learnt from one server may not be true of the next behind the same address.
    pub fn connected(&self) -> u64 {
        self.connected.load(Ordering::SeqCst)
    }

    /// Calls under way.
    pub fn under_way(&self) -> usize {
        self.limit.saturating_sub(self.room.available_permits())
    }

    /// Asks once, until `deadline` at most. With `asking` for a key that is on its way to this node of a cluster.
    pub async fn call(&self, cmd: &Cmd, asking: bool, deadline: Instant) -> Result<Value, Fault> {
        let _permit = self.room.try_acquire().map_err(|_| Fault::Busy)?;
        self.ask(cmd, asking, deadline).await
    }

    /// The same however many calls are under way: for what keeps this running.
    pub async fn ask(&self, cmd: &Cmd, asking: bool, deadline: Instant) -> Result<Value, Fault> {
        let (mut connection, number) = self.connection(deadline).await?;
        let answer = async {
            if asking {
                let mut both = redis::pipe();
                both.cmd("ASKING").ignore().add_command(cmd.clone());
                let (answer,): (Value,) = both.query_async(&mut connection).await?;
                return Ok(answer);
            }
            cmd.query_async(&mut connection).await
        };
        let (fault, next) = match timeout_at(deadline, answer).await {
            Ok(Ok(value)) => return Ok(value),
            // It may be back in a moment: others wait for that.
            Ok(Err(error)) if is_of_the_line(&error) => (Fault::Lost(error.to_string()), State::Trying),
            Ok(Err(error)) => {
                let fault = Fault::Refused(error);
                if !fault.is_of_the_server() {
                    return Err(fault);
                }
                let why = Arc::from(fault.to_string());
                (fault, State::Down(why))
            }
            // Nobody else shall wait as long for nothing.
            Err(_) => {
                let why = "it does not answer in time";
                (Fault::Lost(why.to_owned()), State::Down(Arc::from(why)))
            }
        };
        self.drop_connection(number, next);
        Err(fault)
    }

    async fn connection(&self, deadline: Instant) -> Result<(MultiplexedConnection, u64), Fault> {
        let mut state = self.state.subscribe();
        loop {
            match &*state.borrow_and_update() {
                State::Up(connection, number) => return Ok((connection.clone(), *number)),
                State::Down(why) => return Err(Fault::Down(why.to_string())),
                State::Trying => {}
            }
            match timeout_at(deadline, state.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Fault::Down("closed".to_owned())),
                Err(_) => return Err(Fault::Down("connecting takes too long".to_owned())),
            }
        }
    }

    /// Lets go of a connection that failed, unless it was replaced already.
    fn drop_connection(&self, failed: u64, next: State) {
        self.state.send_if_modified(|state| {
            let is_current = matches!(state, State::Up(_, number) if *number == failed);
            if is_current {
                *state = next;
            }
            is_current
        });
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.abort();
        }
    }
}

/// Whether the connection is of no use any more.
fn is_of_the_line(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
        || error.kind() == ErrorKind::Parse
}

/// Makes the connection whenever there is none.
async fn keep(node: std::sync::Weak<Node>, mut state: watch::Receiver<State>, dialer: Arc<Dialer>) {
    let mut pause = FIRST_PAUSE;
    loop {
        if matches!(&*state.borrow_and_update(), State::Up(..)) {
            pause = FIRST_PAUSE;
            if state.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(client) = node.upgrade().map(|node| node.client.clone()) else {
            return;
        };
        let mut attempt = pin!(connect(&client, &dialer));
        let attempt = if let Ok(attempt) = timeout(dialer.timeout, &mut attempt).await {
            attempt
        } else {
            // It may still come, but nobody is to wait for it any longer.
            if let Some(node) = node.upgrade() {
                let why = Arc::from("connecting takes long");
                node.state.send_replace(State::Down(why));
            }
            attempt.await
        };
        let Some(node) = node.upgrade() else {
            return;
        };
        match attempt {
            Ok(connection) => {
                let number = node.connected.fetch_add(1, Ordering::SeqCst) + 1;
                tracing::info!(address = %node.address, "connected to Redis");
                node.state.send_replace(State::Up(connection, number));
            }
            Err(error) => {
                let why: Arc<str> = Arc::from(error.to_string());
                let is_news = !matches!(&*node.state.borrow(), State::Down(before) if *before == why);
                if is_news {
                    tracing::warn!(address = %node.address, error = %why, "Redis cannot be reached");
                }
                node.state.send_replace(State::Down(why));
                drop(node);
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Connects and sees that it is a master that has loaded its data.
async fn connect(client: &Client, dialer: &Dialer) -> Result<MultiplexedConnection, RedisError> {
    let mut connection = dialer.dial(client).await?;
    // While it loads its data it answers the second question but not the first.
    let mut probe = redis::pipe();
    probe.cmd("PING").ignore().cmd("INFO").arg("replication");
    let (info,): (String,) = timeout(dialer.patience(), probe.query_async(&mut connection))
        .await
        .unwrap_or_else(|_| {
            Err(RedisError::from((
                ErrorKind::Io,
                "it takes connections but does not answer",
            )))
        })?;
    if !info.contains("role:master") {
        return Err(RedisError::from((
            ErrorKind::Io,
            "it is a replica, not the master",
        )));
    }
    Ok(connection)
}
