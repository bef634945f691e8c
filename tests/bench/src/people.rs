//! Users to bench with, made and logged in through the REST contract.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Fault;
use crate::script::Exchange;
use crate::wire::{self, Answer};

/// Hashing a password takes milliseconds, not seconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pool that a fresh server has.
const POOL: &str = "/api/Users";
/// Everybody's password.
pub const PASSWORD: &str = "a long enough passphrase";

/// A user with a live token.
#[derive(Clone, Debug)]
pub struct Person {
    id: String,
    token: String,
}

/// One kept-alive connection for everything that is not measured.
pub struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Result<Self, Fault> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
        })
    }

    /// Sends a request and gives the whole answer, which must be a 200.
    pub fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>, Fault> {
        self.stream.write_all(request)?;
        self.received.clear();
        let mut chunk = [0; 4096];
        let length = loop {
            if let Some(answer) = Answer::read(&self.received)? {
                break answer.length();
            }
            let got = self.stream.read(&mut chunk)?;
            if got == 0 {
                return Err("the server closed the connection".into());
            }
            self.received
                .extend_from_slice(chunk.get(..got).unwrap_or_default());
        };
        self.received.truncate(length);
        let answer = Answer::read(&self.received)?.ok_or("half an answer")?;
        if answer.head.status == 200 {
            Ok(answer)
        } else {
            let body = String::from_utf8_lossy(answer.body);
            Err(format!("the server answered {} {body}", answer.head.status).into())
        }
    }

    /// Signs a user up.
    pub fn sign_up(&mut self, name: &str) -> Result<(), Fault> {
        let body = json!({"email": email(name), "password": PASSWORD});
        self.ask(&wire::post(POOL, &body)).map(drop)
    }

    /// Logs a user in.
    pub fn log_in(&mut self, name: &str) -> Result<Person, Fault> {
        let answer: Value = serde_json::from_slice(self.ask(&login(name))?.body)?;
        let text = |key: &str| {
            let value = answer.get(key).and_then(Value::as_str).map(str::to_owned);
            value.ok_or_else(|| format!("a login was answered without {key}"))
        };
        Ok(Person {
            id: text("userId")?,
            token: text("id")?,
        })
    }

    /// Signs so many users up and logs them in.
    pub fn people(&mut self, count: u32) -> Result<Vec<Person>, Fault> {
        (0..count)
            .map(|number| {
                let name = format!("person{number}");
                self.sign_up(&name)?;
                self.log_in(&name)
            })
            .collect()
    }

    /// The exchange of a token check: the request with the answer it got just now.
    pub fn learn(&mut self, request: Vec<u8>) -> Result<Exchange, Fault> {
        let body = Some(self.ask(&request)?.body.to_vec());
        Ok(Exchange { request, body })
    }
}

impl Person {
    /// A read of one's own record.
    pub fn own_record(&self) -> Vec<u8> {
        wire::get(&format!("{POOL}/{}", self.id), Some(&self.token))
    }

    /// The check that reverse proxies make.
    pub fn auth_check(&self) -> Vec<u8> {
        wire::get("/auth/check", Some(&self.token))
    }
}

/// The address of a user.
pub fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// A login with the password.
pub fn login(name: &str) -> Vec<u8> {
    let body = json!({"email": email(name), "password": PASSWORD});
    wire::post(&format!("{POOL}/login"), &body)
}
