//! A wire that can be cut: a forwarder between an adapter and its server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    /// Every piece waits that long, in both directions.
    Slow(Duration),
    /// Accepts, and forwards nothing.
    Silent,
    /// Forwards what is asked and keeps the answers.
    HoldsAnswers,
    /// No connection, and none is accepted.
    Cut,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

/// A TCP forwarder on this machine to one server. Connect the adapter to [`Link::address`] instead of to the server.
///
/// Every change has come into force when its future is done. Dropping the link closes everything.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    wanted: watch::Sender<State>,
    settled: watch::Receiver<State>,
    keeper: JoinHandle<()>,
}

impl Link {
    /// A whole link to `server`, as `host:port`.
    pub async fn to(server: impl Into<String>) -> Self {
        let server = server.into();
        let place = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = bound(place).and_then(|socket| socket.listen(BACKLOG));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (wanted, watched) = watch::channel(State::Whole);
        let (report, settled) = watch::channel(State::Whole);
        let keeper = tokio::spawn(async move {
            let keeper = Keeper {
                server,
                address,
                wanted: watched,
                settled: report,
                connections: JoinSet::new(),
            };
            keeper.keep(listener).await.expect("the link keeps its port");
        });
        Self {
            address,
            wanted,
            settled,
            keeper,
        }
    }

    /// Where the adapter connects to, as `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The port the adapter connects to, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Drops all connections and refuses new ones, as when the server's process is gone.
    pub async fn cut(&self) {
        self.set(State::Cut).await;
    }

    /// Accepts connections and forwards nothing, as when the network between is gone. What was sent meanwhile arrives, late, when
    /// the link heals.
    pub async fn stall(&self) {
        self.set(State::Silent).await;
    }

    /// Forwards what is asked and keeps the answers until the link heals; a link that is cut instead loses them.
    pub async fn hold_answers(&self) {
        self.set(State::HoldsAnswers).await;
    }

    /// Holds every piece up for `delay`, in both directions.
    pub async fn slow(&self, delay: Duration) {
        self.set(State::Slow(delay)).await;
    }

    /// Is a link as any other again.
    pub async fn heal(&self) {
        self.set(State::Whole).await;
    }

    async fn set(&self, state: State) {
        self.wanted.send_replace(state);
        let mut settled = self.settled.clone();
        settled
            .wait_for(|now| *now == state)
            .await
            .expect("the link's keeper lives");
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Who accepts connections, and drops them.
struct Keeper {
    server: String,
    address: SocketAddr,
    wanted: watch::Receiver<State>,
    settled: watch::Sender<State>,
    connections: JoinSet<()>,
}

/// A socket at an address that another one of ours may have at the same time.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Keeper {
    async fn keep(mut self, mut listener: TcpListener) -> io::Result<()> {
        loop {
            let state = *self.wanted.borrow_and_update();
            if state == State::Cut {
                self.connections.shutdown().await;
                // Bound but deaf: connections are refused. Before the listener goes, so that nobody else gets the port between.
                let socket = bound(self.address)?;
                drop(listener);
                self.settled.send_replace(state);
                if self.wanted.changed().await.is_err() {
                    return Ok(());
                }
                listener = socket.listen(BACKLOG)?;
                continue;
            }
            self.settled.send_replace(state);
            tokio::select! {
                accepted = listener.accept() => {
                    let (client, _) = accepted?;
                    while self.connections.try_join_next().is_some() {}
                    self.connections.spawn(carry(client, self.server.clone(), self.wanted.clone()));
                }
                changed = self.wanted.changed() => if changed.is_err() {
                    return Ok(());
                },
            }
        }
    }
}

/// One connection, until either side ends it.
async fn carry(client: TcpStream, server: String, mut state: watch::Receiver<State>) {
    may_pass(&mut state, Way::There).await;
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let _at_once = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = pass(from_client, to_server, state.clone(), Way::There);
    let back = pass(from_server, to_client, state, Way::Back);
    let _how_it_ended = tokio::try_join!(there, back);
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    way: Way,
) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        may_pass(&mut state, way).await;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..length]).await?;
    }
}

/// Returns once something may go that way.
async fn may_pass(state: &mut watch::Receiver<State>, way: Way) {
    loop {
        let now = *state.borrow_and_update();
        match (now, way) {
            (State::Whole, _) | (State::HoldsAnswers, Way::There) => return,
            (State::Slow(delay), _) => return tokio::time::sleep(delay).await,
            (State::Silent | State::Cut, _) | (State::HoldsAnswers, Way::Back) => {}
        }
        if state.changed().await.is_err() {
            // The link is being dropped, and this connection with it.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const SHORT: Duration = Duration::from_millis(150);

    /// A server that counts what it hears and says it back.
    async fn echo() -> (String, watch::Receiver<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (heard, count) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let heard = heard.clone();
                tokio::spawn(async move {
                    let mut piece = [0; 64];
                    while let Ok(length @ 1..) = client.read(&mut piece).await {
                        heard.send_modify(|count| *count += length);
                        client.write_all(&piece[..length]).await.unwrap();
                    }
                });
            }
        });
        (address, count)
    }

    async fn said_back(stream: &mut TcpStream) -> Option<u8> {
        let answer = tokio::time::timeout(SHORT, stream.read_u8()).await;
        answer.ok().and_then(Result::ok)
    }

    #[test]
    fn a_whole_link_forwards_both_ways() {
        crate::run(async {
            let (server, _) = echo().await;
            let link = Link::to(server).await;
            let mut stream = TcpStream::connect(link.address()).await.unwrap();
            stream.write_u8(7).await.unwrap();
            assert_eq!(said_back(&mut stream).await, Some(7));
        });
    }

    #[test]
    fn a_cut_link_drops_connections_refuses_new_ones_and_heals_on_the_same_port() {
        crate::run(async {
            let (server, _) = echo().await;
            let link = Link::to(server).await;
            let mut old = TcpStream::connect(link.address()).await.unwrap();
            old.write_u8(1).await.unwrap();
            assert_eq!(said_back(&mut old).await, Some(1));
            for _ in 0..5 {
                link.cut().await;
                let refused = TcpStream::connect(link.address()).await.err().unwrap();
                assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
                let left = tokio::time::timeout(SHORT, old.read(&mut [0])).await;
                assert!(
                    matches!(left, Ok(Ok(0) | Err(_))),
                    "the old connection is closed: {left:?}"
                );
                link.heal().await;
                let mut new = TcpStream::connect(link.address()).await.unwrap();
                new.write_u8(2).await.unwrap();
                assert_eq!(said_back(&mut new).await, Some(2));
                old = new;
            }
        });
    }

    #[test]
    fn a_silent_link_accepts_and_delivers_late() {
        crate::run(async {
            let (server, heard) = echo().await;
            let link = Link::to(server).await;
            let mut old = TcpStream::connect(link.address()).await.unwrap();
            old.write_u8(1).await.unwrap();
            assert_eq!(said_back(&mut old).await, Some(1));
            link.stall().await;
            let mut new = TcpStream::connect(link.address()).await.unwrap();
            for stream in [&mut old, &mut new] {
                stream.write_u8(2).await.unwrap();
                assert_eq!(said_back(stream).await, None);
            }
            assert_eq!(*heard.borrow(), 1);
            link.heal().await;
            for stream in [&mut old, &mut new] {
                assert_eq!(said_back(stream).await, Some(2));
            }
        });
    }

    #[test]
    fn held_answers_are_lost_when_the_link_is_cut() {
        crate::run(async {
            let (server, mut heard) = echo().await;
            let link = Link::to(server).await;
            let mut stream = TcpStream::connect(link.address()).await.unwrap();
            link.hold_answers().await;
            stream.write_u8(1).await.unwrap();
            heard.wait_for(|count| *count == 1).await.unwrap();
            assert_eq!(said_back(&mut stream).await, None);
            link.cut().await;
            link.heal().await;
            assert_eq!(said_back(&mut stream).await, None);
        });
    }

    #[test]
    fn a_slow_link_takes_its_time() {
        crate::run(async {
            let (server, _) = echo().await;
            let link = Link::to(server).await;
            link.slow(Duration::from_millis(50)).await;
            let mut stream = TcpStream::connect(link.address()).await.unwrap();
            let began = Instant::now();
            stream.write_u8(1).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), 1);
            assert!(began.elapsed() >= Duration::from_millis(100));
        });
    }
}
