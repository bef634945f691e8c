use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use servers::{Balancer, Postgres};

use crate::processes::{eventually, none_are_left};

/// A node that says its name, and whether it is ready.
struct Node {
    port: u16,
    ready: Arc<AtomicBool>,
}

impl Node {
    fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ready = Arc::new(AtomicBool::new(true));
        let state = Arc::clone(&ready);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                answer(client, name, state.load(Ordering::SeqCst));
            }
        });
        Self { port, ready }
    }
}

fn answer(mut client: TcpStream, name: &str, ready: bool) {
    let mut request = [0; 4096];
    if client.read(&mut request).is_err() {
        return;
    }
    let checked = request.starts_with(b"GET /readyz ");
    let status = if checked && !ready {
        "503 Service Unavailable"
    } else {
        "200 OK"
    };
    let length = name.len();
    let _ = write!(
        client,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{name}"
    );
}

fn asked(balancer: &Balancer) -> String {
    let mut server = TcpStream::connect(balancer.address()).unwrap();
    server
        .write_all(b"GET / HTTP/1.1\r\nhost: all\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut reply = String::new();
    server.read_to_string(&mut reply).unwrap();
    reply.rsplit("\r\n\r\n").next().unwrap().to_owned()
}

#[test]
fn it_asks_in_turn_whoever_is_ready() {
    let [one, other] = [Node::start("one"), Node::start("other")];
    let mut balancer = Balancer::start(&[one.port, other.port]);
    let four: Vec<String> = (0..4).map(|_| asked(&balancer)).collect();
    for name in ["one", "other"] {
        assert_eq!(four.iter().filter(|reply| *reply == name).count(), 2, "{four:?}");
    }
    other.ready.store(false, Ordering::SeqCst);
    eventually("the other is left out", || {
        (0..8).all(|_| asked(&balancer) == "one")
    });
    other.ready.store(true, Ordering::SeqCst);
    eventually("the other is asked again", || asked(&balancer) == "other");
    balancer.stop();
    none_are_left();
}

#[test]
fn a_promoted_standby_is_found_under_the_same_address() {
    let mut server = Postgres::start();
    let standby = server.standby();
    let balancer = Balancer::first_of(&[server.port(), standby.port()]);
    let recovers = || {
        let url = format!("postgres://postgres@{}/postgres", balancer.address());
        let asked = std::process::Command::new("psql")
            .args([&url, "-Atc", "SELECT pg_is_in_recovery()"])
            .output();
        String::from_utf8_lossy(&asked.unwrap().stdout).trim().to_owned()
    };
    assert_eq!(recovers(), "f");
    server.kill();
    eventually("the standby answers", || recovers() == "t");
    standby.promote();
    assert_eq!(recovers(), "f");
}
