//! A server that says whatever it is told to, in BER that is written here byte by byte.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Bind { name: String, password: String },
    Search { base: String, whole: Vec<u8> },
    StartTls,
    Unbind,
    Other,
}

/// A question, on which connection it came, and by which number.
#[derive(Clone, Debug)]
pub struct Question {
    pub connection: usize,
    pub id: u8,
    pub asked: Asked,
    /// What else the message held: its controls.
    pub controls: Vec<u8>,
}

type Answers = dyn Fn(&Question) -> Vec<u8> + Send + Sync;

pub struct Responder {
    pub url: String,
    heard: Arc<Mutex<Vec<Question>>>,
}

impl Responder {
    /// Says what `answers` gives; hangs up when that is nothing.
    pub async fn start(answers: impl Fn(&Question) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ldap://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (noted, answers): (_, Arc<Answers>) = (Arc::clone(&heard), Arc::new(answers));
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, connection, noted.clone(), answers.clone()));
                connection += 1;
            }
        });
        Self { url, heard }
    }

    pub fn heard(&self) -> Vec<Question> {
        self.heard.lock().unwrap().clone()
    }

    /// The names and passwords that were tried.
    pub fn binds(&self) -> Vec<(String, String)> {
        let heard = self.heard().into_iter();
        let binds = heard.filter_map(|question| match question.asked {
            Asked::Bind { name, password } => Some((name, password)),
            _ => None,
        });
        binds.collect()
    }
}

async fn converse(
    mut stream: TcpStream,
    connection: usize,
    heard: Arc<Mutex<Vec<Question>>>,
    answers: Arc<Answers>,
) {
    while let Some((id, asked, controls)) = question(&mut stream).await {
        let question = Question {
            connection,
            id,
            asked,
            controls,
        };
        let answer = answers(&question);
        let last = answer.is_empty() || question.asked == Asked::Unbind;
        heard.lock().unwrap().push(question);
        if last || stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn question(stream: &mut TcpStream) -> Option<(u8, Asked, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.ok()?;
    let mut length = usize::from(head[1]);
    if length > 0x80 {
        let mut bytes = vec![0; length - 0x80];
        stream.read_exact(&mut bytes).await.ok()?;
        length = bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let parts = elements(&body);
    let (id, (tag, operation)) = (parts[0].1[0], &parts[1]);
    let inside = if *tag == 0x42 {
        Vec::new()
    } else {
        elements(operation)
    };
    let text = |at: usize| String::from_utf8(inside[at].1.clone()).unwrap();
    let asked = match tag {
        0x60 => Asked::Bind {
            name: text(1),
            password: text(2),
        },
        0x63 => Asked::Search {
            base: text(0),
            whole: operation.clone(),
        },
        0x77 => Asked::StartTls,
        0x42 => Asked::Unbind,
        _ => Asked::Other,
    };
    let controls = parts.get(2).map(|(_, controls)| controls.clone());
    Some((id, asked, controls.unwrap_or_default()))
}

fn elements(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let [tag, length, rest @ ..] = bytes {
        let (length, rest) = if *length < 0x80 {
            (usize::from(*length), rest)
        } else {
            let (count, rest) = rest.split_at(usize::from(*length) - 0x80);
            let length = count.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            (length, rest)
        };
        found.push((*tag, rest[..length].to_vec()));
        bytes = &rest[length..];
    }
    found
}

/// An element of any length.
pub fn element(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag, 0x84];
    out.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    out.extend(body);
    out
}

/// A message around an operation.
pub fn message(id: u8, tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let operation = element(tag, &parts.concat());
    element(0x30, &[vec![2, 1, id], operation].concat())
}

/// The end of an operation.
pub fn result(id: u8, tag: u8, code: u8, text: &str) -> Vec<u8> {
    let parts = [vec![10, 1, code], vec![4, 0], element(4, text.as_bytes())];
    message(id, tag, &parts)
}

pub fn bound(id: u8, code: u8, text: &str) -> Vec<u8> {
    result(id, 0x61, code, text)
}

pub fn done(id: u8, code: u8) -> Vec<u8> {
    result(id, 0x65, code, "")
}

pub fn entry(id: u8, name: &str, attributes: &[(&str, &[u8])]) -> Vec<u8> {
    let attributes: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(name, value)| {
            let values = element(0x31, &element(4, value));
            element(0x30, &[element(4, name.as_bytes()), values].concat())
        })
        .collect();
    let attributes = element(0x30, &attributes.concat());
    message(id, 0x64, &[element(4, name.as_bytes()), attributes])
}

/// The end of a part of a search, and where the next one begins (RFC 2696).
pub fn part(id: u8, code: u8, cookie: &[u8]) -> Vec<u8> {
    let end = element(0x65, &[vec![10, 1, code], vec![4, 0], vec![4, 0]].concat());
    let value = element(0x30, &[vec![2, 1, 0], element(4, cookie)].concat());
    let control = [element(4, b"1.2.840.113556.1.4.319"), element(4, &value)].concat();
    let controls = element(0xa0, &element(0x30, &control));
    element(0x30, &[vec![2, 1, id], end, controls].concat())
}

/// A reference to another server.
pub fn reference(id: u8, url: &str) -> Vec<u8> {
    message(id, 0x73, &[element(4, url.as_bytes())])
}
