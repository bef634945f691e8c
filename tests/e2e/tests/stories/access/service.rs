//! A small service that believes what it is told of its callers, and says what that was.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

/// It ends with its process.
pub struct Service {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl Service {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = Arc::clone(&counter);
                thread::spawn(move || answer(stream, &counter));
            }
        });
        Self { port, requests }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many requests came to it.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// 200 with the path and every header, each with all of its values; names in lower case, underscores as hyphens, as many frameworks read
/// them.
fn answer(mut stream: TcpStream, counter: &AtomicUsize) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        let values = seen
            .entry(name.to_lowercase().replace('_', "-"))
            .or_insert_with(|| json!([]));
        values.as_array_mut()?.push(json!(value.trim()));
    }
    counter.fetch_add(1, Ordering::SeqCst);
    seen.insert("path".to_owned(), json!(first.split(' ').nth(1)?));
    let body = serde_json::to_string(&seen).ok()?;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).ok()
}
