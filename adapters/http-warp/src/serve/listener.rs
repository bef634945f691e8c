//! Binding, running and draining: the life of the server's sockets.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::Peer;
use super::accept::{Door, Doorman};
use super::activity::LATE_CALLER;
use super::config::ServeConfig;
use super::connections::{Connections, Counters, Slot};
use super::drive::Ended;
use super::http::{Http, WarpService};
use super::tls::{ALPN_HTTP2, Certificate, TlsError};

/// Why the server cannot listen; each sentence says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// No address was given.
    #[error("there is no address to listen on: set server.listen, for instance to \"127.0.0.1:3000\"")]
    NoAddress,
    /// Somebody else listens there.
    #[error(
        "{address} is already taken. Is portcullis running already? Stop the other program, or choose another \
         address in server.listen"
    )]
    InUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The system does not let this user listen there.
    #[error(
        "this user may not listen on {address}. Ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); \
         choose a higher one in server.listen otherwise"
    )]
    NotAllowed {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address is not one of this machine's.
    #[error("this machine has no address {}: correct server.listen", address.ip())]
    NotOurs {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Anything else the system said.
    #[error("cannot listen on {address}: {source}")]
    Other {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The TLS files cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were open when the shutdown began and came to a proper end.
    pub finished: usize,
    /// Connections still busy when [`ServeConfig::drain_timeout`] was over, and cut off.
    pub cut: usize,
}

/// Bound sockets and a checked certificate: all that can go wrong at the start has not.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    certificate: Option<Arc<Certificate>>,
    connections: Arc<Connections>,
    config: ServeConfig,
}

/// What every connection's task needs.
struct Reception<S> {
    service: S,
    http: Http,
    certificate: Option<Arc<Certificate>>,
    handshake_timeout: Duration,
    counters: Arc<Counters>,
    drain: watch::Receiver<bool>,
}

impl Listener {
    /// Reads the TLS files, then binds every address.
    ///
    /// # Errors
    /// [`BindError`], whose text is meant for the operator's eyes.
    pub async fn bind(config: ServeConfig) -> Result<Self, BindError> {
        let certificate = certificate(&config).await?;
        let mut sockets = Vec::with_capacity(config.listen.len());
        for &address in &config.listen {
            let socket = TcpListener::bind(address)
                .await
                .map_err(|error| explain(address, error))?;
            sockets.push((socket, address));
        }
        Self::assemble(sockets, certificate, config)
    }

    /// Reads the TLS files, then takes over sockets that are bound already; `config.listen` is not looked at.
    ///
    /// # Errors
    /// As [`Listener::bind`].
    pub async fn from_sockets(
        bound: Vec<std::net::TcpListener>,
        config: ServeConfig,
    ) -> Result<Self, BindError> {
        const UNKNOWN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);
        let certificate = certificate(&config).await?;
        let mut sockets = Vec::with_capacity(bound.len());
        for socket in bound {
            let address = socket.local_addr().unwrap_or(UNKNOWN);
            let taken = socket
                .set_nonblocking(true)
                .and_then(|()| TcpListener::from_std(socket));
            sockets.push((taken.map_err(|error| explain(address, error))?, address));
        }
        Self::assemble(sockets, certificate, config)
    }

    fn assemble(
        bound: Vec<(TcpListener, SocketAddr)>,
        certificate: Option<Arc<Certificate>>,
        config: ServeConfig,
    ) -> Result<Self, BindError> {
        let mut sockets = Vec::with_capacity(bound.len());
        let mut addresses = Vec::with_capacity(bound.len());
        for (socket, asked) in bound {
            addresses.push(socket.local_addr().map_err(|error| explain(asked, error))?);
            sockets.push(socket);
        }
        if sockets.is_empty() {
            return Err(BindError::NoAddress);
        }
        let connections = Connections::new(&config);
        Ok(Self {
            sockets,
            addresses,
            certificate,
            connections,
            config,
        })
    }

    /// Where the server really listens, in the order asked for; tells the port where 0 was asked for.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The counters of this listener's connections, for metrics; they outlive [`Listener::run`].
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(self.connections.counters())
    }

    /// Serves until `shutdown` resolves, then drains: whoever waits in the system's queue is let in, nobody after that; resting
    /// connections are closed, new ones have half a second for their first request, and what runs may finish within
    /// [`ServeConfig::drain_timeout`].
    ///
    /// Every request carries a [`Peer`] in its extensions and a [`super::RequestBody`] under its deadline. A
    /// request's future is *dropped* at whatever `await` it stands when its client hangs up or the drain is
    /// over: what must be done once begun belongs into a task of its own.
    pub async fn run<S: WarpService>(self, service: S, shutdown: impl Future<Output = ()>) -> Drained {
        let (drain, draining) = watch::channel(false);
        let counters = self.counters();
        let reception = Arc::new(Reception {
            service,
            http: Http::new(&self.config),
            certificate: self.certificate.clone(),
            handshake_timeout: self.config.handshake_timeout,
            counters: Arc::clone(&counters),
            drain: draining,
        });
        let mut tasks = JoinSet::new();
        let mut door = Door::new(self.sockets, counters);
        let doorman = Doorman::new();
        let tls = self.certificate.is_some();
        let admit =
            |tasks: &mut JoinSet<()>, stream, addr: SocketAddr| match self.connections.admit(addr.ip()) {
                Ok(slot) => {
                    tasks.spawn(Arc::clone(&reception).receive(stream, addr, slot));
                }
                Err(_) => doorman.turn_away(stream, tls),
            };
        let mut shutdown = pin!(shutdown);
        let mut fresh = pin!(keep_fresh(self.certificate, self.config.tls_reload_interval));
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = &mut fresh => {}
                Some(ended) = tasks.join_next() => note_panic(ended),
                (stream, addr) = door.next() => admit(&mut tasks, stream, addr),
            }
        }
        door.close(|stream, addr| admit(&mut tasks, stream, addr));
        drain.send_replace(true);
        empty(tasks, self.config.drain_timeout).await
    }
}

impl<S: WarpService> Reception<S> {
    /// One connection, from its first byte to its last; the slot is given back at the end.
    async fn receive(self: Arc<Self>, stream: TcpStream, addr: SocketAddr, _slot: Slot) {
        // Answers are small and complete: waiting to fill a packet only costs time. Not worth a failure.
        let _ = stream.set_nodelay(true);
        let addr = SocketAddr::new(addr.ip().to_canonical(), addr.port());
        let ended = match &self.certificate {
            None => self.serve_http1(stream, Peer { addr, tls: false }).await,
            Some(certificate) => {
                self.receive_tls(certificate, stream, Peer { addr, tls: true })
                    .await
            }
        };
        self.counters.ended(ended);
    }

    async fn receive_tls(&self, certificate: &Certificate, stream: TcpStream, peer: Peer) -> Ended {
        let mut drain = self.drain.clone();
        let too_late = async {
            let _ = drain.wait_for(|begun| *begun).await;
            sleep(LATE_CALLER).await;
        };
        let shaken = tokio::select! {
            shaken = timeout(self.handshake_timeout, certificate.acceptor().accept(stream)) => shaken,
            () = too_late => return Ended::Well,
        };
        let Ok(Ok(stream)) = shaken else {
            self.counters.handshake_failed();
            return Ended::Well;
        };
        if stream.get_ref().1.alpn_protocol() == Some(ALPN_HTTP2) {
            let service = self.service.clone();
            self.http
                .serve_http2(stream, service, peer, self.drain.clone())
                .await
        } else {
            self.serve_http1(stream, peer).await
        }
    }

    async fn serve_http1<T>(&self, stream: T, peer: Peer) -> Ended
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + 'static,
    {
        self.http
            .serve_http1(stream, self.service.clone(), peer, self.drain.clone())
            .await
    }
}

async fn read_certificate(files: super::TlsFiles) -> Result<Certificate, TlsError> {
    let cert = files.cert.clone();
    spawn_blocking(move || Certificate::read(files))
        .await
        .unwrap_or_else(|_| {
            let source = rustls::Error::General("reading was interrupted".into());
            Err(TlsError::Unusable { cert, source })
        })
}

async fn certificate(config: &ServeConfig) -> Result<Option<Arc<Certificate>>, BindError> {
    match config.tls.clone() {
        Some(files) => Ok(Some(Arc::new(read_certificate(files).await?))),
        None => Ok(None),
    }
}

fn explain(address: SocketAddr, source: io::Error) -> BindError {
    match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        io::ErrorKind::PermissionDenied => BindError::NotAllowed { address },
        io::ErrorKind::AddrNotAvailable => BindError::NotOurs { address },
        _ => BindError::Other { address, source },
    }
}

async fn keep_fresh(certificate: Option<Arc<Certificate>>, interval: Duration) {
    match certificate {
        Some(certificate) => certificate.keep_fresh(interval).await,
        None => pending().await,
    }
}

/// Waits for the tasks that are left, no longer than granted, and ends the rest.
async fn empty(mut tasks: JoinSet<()>, granted: Duration) -> Drained {
    // Ended before the shutdown, only not yet taken note of.
    while let Some(ended) = tasks.try_join_next() {
        note_panic(ended);
    }
    let open = tasks.len();
    let all_gone = async {
        while let Some(ended) = tasks.join_next().await {
            note_panic(ended);
        }
    };
    let _ = timeout(granted, all_gone).await;
    let cut = tasks.len();
    if cut > 0 {
        tracing::warn!(cut, "connections still busy at the end of the drain were cut off");
    }
    tasks.shutdown().await;
    Drained {
        finished: open.saturating_sub(cut),
        cut,
    }
}

/// A panic ends its own connection and nothing else, but must not pass unnoticed.
fn note_panic(ended: Result<(), JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("the task of a connection panicked; the connection was closed");
    }
}
