//! One connection to a server: one request at a time, and nothing read that was not asked for.
//!
//! What a server may send is bounded before it is read: the length of a message, of all messages of a search, their number. Every
//! trouble ends the connection, so that no late answer is ever taken for another request's.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::ber::{self, Malformed};
use crate::entry::Entry;
use crate::message::{self, Outcome, Query, Response};
use crate::server::{Address, Security};

/// Longest message that is read, in bytes.
const LONGEST_MESSAGE: usize = 4 * 1024 * 1024;
/// Most bytes that are read for one request.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;
/// How much is read at once, in bytes.
const PIECE: usize = 16 * 1024;

/// Why a connection is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody there, hung up, not believed, or not speaking LDAP.
    Broken(String),
    /// The server will not go on in TLS.
    NoTls(String),
}

impl Trouble {
    /// The same with the place it happened at.
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::Broken(why) => Self::Broken(format!("{place}: {why}")),
            Self::NoTls(why) => Self::NoTls(format!("{place}: {why}")),
        }
    }
}

impl From<Malformed> for Trouble {
    fn from(_: Malformed) -> Self {
        Self::Broken("what it sends is not LDAP".to_owned())
    }
}

fn broken(what: &str) -> impl FnOnce(io::Error) -> Trouble {
    move |error| Trouble::Broken(format!("{what}: {error}"))
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// A connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    /// What was read and not looked at yet.
    ahead: Vec<u8>,
    last: u32,
    server: usize,
}

impl Connection {
    /// Opens one, with TLS as far as the address has it.
    pub async fn open(address: &Address, tls: Option<Arc<ClientConfig>>) -> Result<Self, Trouble> {
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await;
        let stream = stream.map_err(broken("no connection"))?;
        stream.set_nodelay(true).map_err(broken("no connection"))?;
        match address.security {
            Security::Plain => Ok(Self::on(Box::new(stream))),
            Security::Tls => Self::in_tls(stream, address, tls).await,
            Security::Upgraded => {
                let stream = upgraded(stream).await?;
                Self::in_tls(stream, address, tls).await
            }
        }
    }

    fn on(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            ahead: Vec::new(),
            last: 0,
            server: 0,
        }
    }

    async fn in_tls(
        stream: TcpStream,
        address: &Address,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, Trouble> {
        let name = ServerName::try_from(address.host.clone());
        let (Some(tls), Ok(name)) = (tls, name) else {
            return Err(Trouble::Broken(
                "TLS: this address has no name to verify".to_owned(),
            ));
        };
        let stream = TlsConnector::from(tls).connect(name, stream).await;
        Ok(Self::on(Box::new(stream.map_err(broken("TLS"))?)))
    }

    /// The same, known to lead to that server.
    #[must_use]
    pub fn leading_to(mut self, server: usize) -> Self {
        self.server = server;
        self
    }

    /// Which server it goes to.
    pub const fn server(&self) -> usize {
        self.server
    }

    fn next_id(&mut self) -> u32 {
        // Zero is the server's own (RFC 4511 section 4.1.1.1), and a connection never lives for two thousand million requests.
        self.last = (self.last % 0x7fff_ffff) + 1;
        self.last
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.stream.write_all(bytes).await.map_err(broken("lost"))?;
        self.stream.flush().await.map_err(broken("lost"))
    }

    /// The next answer to the request `id`, and how many bytes it had.
    async fn receive(&mut self, id: u32) -> Result<(Response, usize), Trouble> {
        let length = loop {
            match ber::measure(&self.ahead)? {
                Some(length) if length > LONGEST_MESSAGE => {
                    return Err(Trouble::Broken(format!("a message of {length} bytes")));
                }
                Some(length) if length <= self.ahead.len() => break length,
                _ => self.read_more().await?,
            }
        };
        let bytes: Vec<u8> = self.ahead.drain(..length).collect();
        let message = message::read(&bytes)?;
        if message.id == id {
            return Ok((message.response, length));
        }
        Err(Trouble::Broken(match message.response {
            Response::Extended(outcome) if message.id == 0 => format!("it hangs up (code {})", outcome.code),
            _ => "it answers what was not asked".to_owned(),
        }))
    }

    async fn read_more(&mut self) -> Result<(), Trouble> {
        let had = self.ahead.len();
        self.ahead.reserve(PIECE);
        let read = self
            .stream
            .read_buf(&mut self.ahead)
            .await
            .map_err(broken("lost"))?;
        if read == 0 || self.ahead.len() == had {
            return Err(Trouble::Broken("it hung up".to_owned()));
        }
        Ok(())
    }

    /// Tries a name and a password. Neither may be empty: that would be a request to be nobody in particular.
    pub async fn bind(&mut self, name: &str, password: &str) -> Result<Outcome, Trouble> {
        let id = self.next_id();
        self.send(&message::bind(id, name, password)).await?;
        match self.receive(id).await? {
            (Response::Bound(outcome), _) => Ok(outcome),
            _ => Err(Malformed.into()),
        }
    }

    /// Searches. What is elsewhere is not looked for there.
    pub async fn search(&mut self, query: &Query) -> Result<(Vec<Entry>, Outcome), Trouble> {
        let id = self.next_id();
        self.send(&message::search(id, query)).await?;
        let most = usize::try_from(query.most).unwrap_or(usize::MAX);
        let (mut entries, mut left) = (Vec::new(), LONGEST_ANSWER);
        loop {
            let (response, length) = self.receive(id).await?;
            left = left.saturating_sub(length);
            match response {
                Response::Entry(entry) => entries.push(entry),
                Response::Reference => {}
                Response::Done(outcome) => return Ok((entries, outcome)),
                _ => return Err(Malformed.into()),
            }
            if entries.len() > most || left == 0 {
                return Err(Trouble::Broken("it sends more than was asked for".to_owned()));
            }
        }
    }

    /// Says goodbye, as far as anybody listens.
    pub async fn close(mut self) {
        let id = self.next_id();
        if self.send(&message::unbind(id)).await.is_ok() {
            let _ = self.stream.shutdown().await;
        }
    }
}

/// The same stream, after the server said that TLS may begin (RFC 4511 section 4.14). Read byte by byte, so that nothing that was
/// sent in the clear behind the answer is ever taken for what was said in TLS.
async fn upgraded(mut stream: TcpStream) -> Result<TcpStream, Trouble> {
    const ID: u32 = 1;
    /// Longest answer to so small a question, in bytes.
    const LONGEST: usize = 4_096;
    let asked = stream.write_all(&message::start_tls(ID)).await;
    asked.map_err(broken("lost"))?;
    let mut bytes = Vec::new();
    while ber::measure(&bytes)?.is_none_or(|length| length > bytes.len()) {
        if bytes.len() >= LONGEST {
            return Err(Malformed.into());
        }
        bytes.push(stream.read_u8().await.map_err(broken("lost"))?);
    }
    let message = message::read(&bytes)?;
    match message.response {
        Response::Extended(outcome) if message.id == ID && outcome.code == 0 => Ok(stream),
        Response::Extended(outcome) => Err(Trouble::NoTls(format!(
            "it refuses to go on in TLS (code {})",
            outcome.code
        ))),
        _ => Err(Malformed.into()),
    }
}
