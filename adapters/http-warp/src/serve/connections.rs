//! Who may connect, and how many at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::activity::Fault;
use super::config::ServeConfig;
use super::drive::Ended;

/// Files kept free for stores, templates and the listeners themselves when connections use up the rest.
const FILES_KEPT: usize = 128;

/// The seats of the house: every open connection holds a [`Slot`].
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    most_per_origin: usize,
    seated: Mutex<Seated>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Seated {
    all: usize,
    by_origin: HashMap<IpAddr, usize>,
}

/// The right to be connected; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    connections: Arc<Connections>,
    origin: IpAddr,
}

/// Nobody else is let in for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    House,
    Origin,
}

/// What happened to connections since the start, as running totals for a metrics page.
///
/// Taken by [`Counters::read`]. The numbers are read one by one, so they may be apart by a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Open now (a level, not a total).
    pub open: u64,
    /// Let in.
    pub accepted: u64,
    /// Turned away because the server was full.
    pub refused_full: u64,
    /// Turned away because their address had too many.
    pub refused_address: u64,
    /// TLS handshakes that failed or took too long.
    pub handshakes_failed: u64,
    /// Cut off: the request head did not come in time.
    pub slow_heads: u64,
    /// Cut off: the client did not take its answer.
    pub slow_readers: u64,
    /// Closed after resting for the whole idle time.
    pub rested: u64,
    /// Ended by the client's fault or absence.
    pub broken: u64,
    /// Times the system had no socket to give (out of files or memory).
    pub accept_errors: u64,
}

/// The live form of [`ConnectionCounts`].
#[derive(Debug, Default)]
pub struct Counters {
    open: AtomicU64,
    accepted: AtomicU64,
    refused_full: AtomicU64,
    refused_address: AtomicU64,
    handshakes_failed: AtomicU64,
    slow_heads: AtomicU64,
    slow_readers: AtomicU64,
    rested: AtomicU64,
    broken: AtomicU64,
    accept_errors: AtomicU64,
}

impl Counters {
    /// The numbers of this moment.
    pub fn read(&self) -> ConnectionCounts {
        ConnectionCounts {
            open: self.open.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            refused_full: self.refused_full.load(Relaxed),
            refused_address: self.refused_address.load(Relaxed),
            handshakes_failed: self.handshakes_failed.load(Relaxed),
            slow_heads: self.slow_heads.load(Relaxed),
            slow_readers: self.slow_readers.load(Relaxed),
            rested: self.rested.load(Relaxed),
            broken: self.broken.load(Relaxed),
            accept_errors: self.accept_errors.load(Relaxed),
        }
    }

    pub(super) fn handshake_failed(&self) {
        self.handshakes_failed.fetch_add(1, Relaxed);
    }

    pub(super) fn accept_failed(&self) {
        self.accept_errors.fetch_add(1, Relaxed);
    }

    pub(super) fn ended(&self, how: Ended) {
        match how {
            Ended::Well | Ended::Cut(Fault::Lingering) => return,
            Ended::Broken => &self.broken,
            Ended::Rested => &self.rested,
            Ended::Cut(Fault::Header) => &self.slow_heads,
            Ended::Cut(Fault::Stalled) => &self.slow_readers,
        }
        .fetch_add(1, Relaxed);
    }
}

impl Connections {
    pub(super) fn new(config: &ServeConfig) -> Arc<Self> {
        Arc::new(Self {
            most: affordable(config.max_connections, open_file_limit()),
            most_per_origin: config.max_connections_per_address,
            seated: Mutex::default(),
            counters: Arc::default(),
        })
    }

    pub(super) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Takes a seat for a caller from this address.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Slot, Full> {
        let origin = origin(address);
        let mut seated = self.seated.lock().unwrap_or_else(PoisonError::into_inner);
        if seated.all >= self.most {
            self.counters.refused_full.fetch_add(1, Relaxed);
            return Err(Full::House);
        }
        if seated
            .by_origin
            .get(&origin)
            .is_some_and(|count| *count >= self.most_per_origin)
        {
            self.counters.refused_address.fetch_add(1, Relaxed);
            return Err(Full::Origin);
        }
        *seated.by_origin.entry(origin).or_default() += 1;
        seated.all += 1;
        self.counters.accepted.fetch_add(1, Relaxed);
        self.counters.open.fetch_add(1, Relaxed);
        Ok(Slot {
            connections: Arc::clone(self),
            origin,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut seated = self
            .connections
            .seated
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        seated.all = seated.all.saturating_sub(1);
        if let Some(count) = seated.by_origin.get_mut(&self.origin) {
            *count = count.saturating_sub(1);
            // An empty entry must go, or a walk through the address space fills the memory.
            if *count == 0 {
                seated.by_origin.remove(&self.origin);
            }
        }
        self.connections.counters.open.fetch_sub(1, Relaxed);
    }
}

/// Whom an address stands for: an IPv6 customer commands a whole /64, so that is one origin.
fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// As many connections as asked for, unless they would use up the process's files.
fn affordable(wanted: usize, files: Option<usize>) -> usize {
    let Some(files) = files else { return wanted };
    let most = files.saturating_sub(FILES_KEPT).max(files / 2);
    if most < wanted {
        tracing::warn!(
            wanted,
            allowed = most,
            open_files = files,
            "fewer connections than configured: raise the open-file limit (ulimit -n, LimitNOFILE) or lower server.max_connections"
        );
    }
    wanted.min(most)
}

/// The soft limit of open files; `None` where the system does not tell or sets none.
fn open_file_limit() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Connections, Full, affordable, origin};
    use crate::serve::ServeConfig;
    use std::net::IpAddr;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv6_network_and_a_mapped_ipv4_address_are_one_origin_each() {
        assert_eq!(origin(ip("2001:db8:1:2:3::4")), origin(ip("2001:db8:1:2:ffff::")));
        assert_ne!(origin(ip("2001:db8:1:2::4")), origin(ip("2001:db8:1:3::4")));
        assert_eq!(origin(ip("::ffff:192.0.2.7")), ip("192.0.2.7"));
    }

    #[test]
    fn a_seat_given_back_is_free_again() {
        let config = ServeConfig {
            max_connections: 2,
            max_connections_per_address: 1,
            ..ServeConfig::default()
        };
        let connections = Connections::new(&config);
        let first = connections.admit(ip("192.0.2.1")).unwrap();
        assert_eq!(connections.admit(ip("192.0.2.1")).unwrap_err(), Full::Origin);
        let _second = connections.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(connections.admit(ip("192.0.2.3")).unwrap_err(), Full::House);
        drop(first);
        let _third = connections.admit(ip("192.0.2.1")).unwrap();
        let counts = connections.counters().read();
        assert_eq!((counts.open, counts.accepted), (2, 3));
        assert_eq!((counts.refused_full, counts.refused_address), (1, 1));
    }

    #[test]
    fn connections_leave_files_for_the_rest_of_the_process() {
        assert_eq!(affordable(4096, Some(1024)), 896);
        assert_eq!(affordable(4096, Some(100)), 50);
        assert_eq!(affordable(4096, Some(1_000_000)), 4096);
        assert_eq!(affordable(4096, None), 4096);
    }
}
