use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use servers::{Certificate, Mongo};

use crate::processes::none_are_left;

#[test]
fn it_starts_answers_restarts_and_is_gone() {
    let mut server = Mongo::start();
    let port = server.port();
    assert!(server.answers());
    assert_eq!(
        server.url("db"),
        format!("mongodb://127.0.0.1:{port}/db?directConnection=true")
    );
    server.restart();
    assert_eq!(server.port(), port);
    assert!(server.answers());
    server.kill();
    assert!(!server.answers());
    server.restart();
    server.freeze();
    server.thaw();
    assert!(server.answers());
    drop(server);
    none_are_left();
}

#[test]
fn a_durable_one_comes_back_after_a_kill() {
    let mut server = Mongo::setup().durable().start();
    server.kill();
    server.restart();
    assert!(server.answers());
}

#[test]
fn one_with_a_user_asks_who_comes() {
    let server = Mongo::setup().user("app", "secret").start();
    let url = server.url("db");
    assert!(url.starts_with("mongodb://app:secret@127.0.0.1:"), "{url}");
    assert!(
        url.ends_with("/db?directConnection=true&authSource=admin"),
        "{url}"
    );
    // Anybody may say hello.
    assert!(server.answers());
}

#[test]
fn one_with_tls_does_not_answer_in_clear() {
    let certificate = Certificate::new();
    let server = Mongo::setup().tls(&certificate).start();
    assert!(!server.answers());
    let mut plain = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    plain.write_all(&[0; 32]).unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(answer.len() < 16, "an alert at most: {answer:?}");
}
