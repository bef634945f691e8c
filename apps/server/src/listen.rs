//! Opens the port, and says clearly why it could not.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use crate::config::Listen;

/// Linux's number for "address family not supported": the standard library has no stable name for it.
const EAFNOSUPPORT: i32 = 97;
/// How often to look for a port that is free on every address.
const FREE_PORT_TRIES: u32 = 8;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The port is taken.
    #[error("port {port} is already in use on {ip}: stop the other program (another Portcullis?) or change `server.listen`", port = .0.port(), ip = .0.ip())]
    InUse(SocketAddr),
    /// Low ports need a privilege.
    #[error("not allowed to listen on {0}: ports below 1024 need a privilege")]
    Forbidden(SocketAddr),
    /// The name means nothing here.
    #[error("`server.listen` names {0}, which is no address of this machine: {1}")]
    Unknown(String, #[source] io::Error),
    /// Anything else.
    #[error("cannot listen on {0}: {1}")]
    Io(SocketAddr, #[source] io::Error),
}

impl ListenError {
    fn of(address: SocketAddr, error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::AddrInUse => Self::InUse(address),
            ErrorKind::PermissionDenied => Self::Forbidden(address),
            _ => Self::Io(address, error),
        }
    }
}

/// Opens every address that `listen` means, at least one, ready for the runtime (non-blocking).
///
/// `localhost` means 127.0.0.1 and ::1, an empty host every interface; an address family that the
/// machine does not have is passed over. With port 0 all get the port that the first one got.
///
/// # Errors
/// A sentence for the operator; a taken port is always an error, also on one of two addresses.
pub fn open(listen: &Listen) -> Result<Vec<TcpListener>, ListenError> {
    let hosts = addresses(listen)?;
    // A port that the system chose on one address may by chance be taken on the other: choose again.
    let mut tries = if listen.port == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match open_all(listen, &hosts) {
            Err(ListenError::InUse(_)) if tries > 0 => {}
            result => return result,
        }
    }
}

fn open_all(listen: &Listen, hosts: &[IpAddr]) -> Result<Vec<TcpListener>, ListenError> {
    let mut port = listen.port;
    let mut opened: Vec<TcpListener> = Vec::new();
    let mut absent = io::Error::from(ErrorKind::AddrNotAvailable);
    for host in hosts {
        let address = SocketAddr::new(*host, port);
        match bind(address) {
            Ok((listener, bound)) => {
                port = bound;
                opened.push(listener);
            }
            Err(error) if is_absent(&error) => absent = error,
            // A listener on `::` takes IPv4 as well: 0.0.0.0 is for machines without IPv6.
            Err(error)
                if error.kind() == ErrorKind::AddrInUse && host.is_unspecified() && !opened.is_empty() => {}
            Err(error) => return Err(ListenError::of(address, error)),
        }
    }
    if opened.is_empty() {
        Err(ListenError::Unknown(listen.to_string(), absent))
    } else {
        Ok(opened)
    }
}

/// The machine does not have the address, or not the whole family.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

fn bind(address: SocketAddr) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

fn addresses(listen: &Listen) -> Result<Vec<IpAddr>, ListenError> {
    let host = listen.host.as_str();
    if host.is_empty() {
        return Ok(vec![Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let found = (host, 0)
        .to_socket_addrs()
        .map_err(|error| ListenError::Unknown(listen.to_string(), error))?;
    let mut found: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(host: &str, port: u16) -> Listen {
        Listen {
            host: host.to_owned(),
            port,
        }
    }

    fn places(opened: &[TcpListener]) -> Vec<SocketAddr> {
        opened
            .iter()
            .map(|listener| listener.local_addr().unwrap())
            .collect()
    }

    #[test]
    fn localhost_is_both_loopback_addresses_on_one_port() {
        let places = places(&open(&listen("localhost", 0)).unwrap());
        assert!(
            places
                .iter()
                .all(|place| place.ip().is_loopback() && place.port() == places[0].port())
        );
        assert_eq!(places[0].ip(), IpAddr::from(Ipv4Addr::LOCALHOST));
    }

    #[test]
    fn a_taken_port_is_called_by_its_number() {
        let taken = open(&listen("127.0.0.1", 0)).unwrap();
        let port = places(&taken)[0].port();
        for host in ["127.0.0.1", "localhost"] {
            let error = open(&listen(host, port)).unwrap_err().to_string();
            assert!(
                error.contains(&format!("port {port} is already in use")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_foreign_address_is_refused() {
        // TEST-NET-1 (RFC 5737) is nobody's.
        assert!(matches!(
            open(&listen("192.0.2.1", 0)),
            Err(ListenError::Unknown(..))
        ));
    }
}
