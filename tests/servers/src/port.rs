//! Ports that are free now and stay ours while a server is down.
//!
//! A server that is killed and started again needs its old port. So the ports are taken below the range from which the system
//! gives ports to outgoing connections (any of those could sit on it meanwhile), and a locked file tells the other processes of
//! the same run that one is taken, whether anybody listens on it or not.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::path::PathBuf;

use crate::trouble::Trouble;

/// A node of a Redis cluster talks to the others on its port and this much.
const BUS: u16 = 10_000;
/// Lowest port to take; its second port is above it.
const LOWEST: u16 = 10_240;
const TRIES: usize = 2_000;

/// A port of this process, until it is dropped.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _ours: File,
}

impl Port {
    /// A free one.
    pub fn take() -> Result<Self, Trouble> {
        Self::search(listens_nowhere)
    }

    /// A free one with a free one [`BUS`] above it.
    pub fn take_with_bus() -> Result<Self, Trouble> {
        Self::search(|number| listens_nowhere(number) && listens_nowhere(number + BUS))
    }

    pub fn number(&self) -> u16 {
        self.number
    }

    fn search(free: impl Fn(u16) -> bool) -> Result<Self, Trouble> {
        let locks = folder()?;
        let highest = first_ephemeral().saturating_sub(BUS).max(LOWEST + 1_000);
        for _ in 0..TRIES {
            let chance = RandomState::new().hash_one(0_u8) % u64::from(highest - LOWEST);
            let number = LOWEST + u16::try_from(chance).unwrap_or_default();
            let Ok(file) = File::create(locks.join(number.to_string())) else {
                continue;
            };
            if file.try_lock().is_ok() && free(number) {
                return Ok(Self { number, _ours: file });
            }
        }
        Err(Trouble::new("no free port was found on 127.0.0.1"))
    }
}

fn listens_nowhere(number: u16) -> bool {
    TcpListener::bind(("127.0.0.1", number)).is_ok()
}

/// Where the locks are: one folder for all runs of one person.
fn folder() -> Result<PathBuf, Trouble> {
    let name = format!("portcullis-ports-{}", rustix::process::getuid().as_raw());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder)
        .map_err(|error| Trouble::new(format!("{} cannot be made: {error}", folder.display())))?;
    Ok(folder)
}

/// From here the system gives ports to outgoing connections.
fn first_ephemeral() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let first = range
        .split_whitespace()
        .next()
        .and_then(|first| first.parse().ok());
    first.unwrap_or(32_768)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_to_one_at_a_time() {
        let ports: Vec<Port> = (0..50).map(|_| Port::take().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 50);
    }

    #[test]
    fn no_outgoing_connection_can_sit_on_it() {
        let port = Port::take_with_bus().unwrap();
        assert!(port.number() >= LOWEST);
        assert!(port.number() + BUS < first_ephemeral().max(LOWEST + 1_000 + BUS));
    }
}
