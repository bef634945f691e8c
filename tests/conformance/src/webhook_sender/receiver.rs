//! A service that hears webhooks: it remembers what it heard and answers what it is told to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The method.
    pub method: String,
    /// The path and query.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Heard {
    /// The value of a header, by its name in lower case; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value)
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub enum Says {
    /// A status and headers.
    Answer(u16, Vec<(&'static str, String)>),
    /// Nothing: it takes the request and hangs up.
    Nothing,
}

impl Says {
    /// A status alone.
    pub const fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new())
    }
}

#[derive(Debug)]
struct State {
    heard: Vec<Heard>,
    says: Says,
}

/// It ends with its process.
#[derive(Clone, Debug)]
pub struct Receiver {
    state: Arc<Mutex<State>>,
    port: u16,
}

impl Receiver {
    /// On a free port; says 204 until it is told otherwise.
    ///
    /// # Panics
    /// Where there is no free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State {
            heard: Vec::new(),
            says: Says::status(204),
        }));
        let kept = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&kept);
                thread::spawn(move || answer(stream, &state));
            }
        });
        Self { state, port }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it answers from now on.
    pub fn says(&self, says: Says) {
        locked(&self.state).says = says;
    }

    /// All it heard so far.
    pub fn heard(&self) -> Vec<Heard> {
        locked(&self.state).heard.clone()
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request a connection: whoever asks again connects again.
fn answer(mut stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut first = line.split(' ');
    let mut heard = Heard {
        method: first.next()?.to_owned(),
        path: first.next()?.to_owned(),
        ..Heard::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        heard.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = heard.header("content-length").parse().ok()?;
    heard.body = vec![0; length];
    reader.read_exact(&mut heard.body).ok()?;
    let says = {
        let mut state = locked(state);
        state.heard.push(heard);
        state.says.clone()
    };
    let Says::Answer(status, headers) = says else {
        return None;
    };
    let mut head = format!("HTTP/1.1 {status} So\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if status != 204 {
        head.push_str("Content-Length: 0\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()
}
