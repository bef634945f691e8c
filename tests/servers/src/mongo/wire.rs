//! As much of MongoDB's protocol as it takes to ask a server whether it is there, and to give it its first user.
//!
//! A message is OP_MSG with one section, a document of BSON.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::trouble::Trouble;

const OP_MSG: i32 = 2013;
const HEADER: usize = 16;
/// No answer is longer.
const MOST: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(10);
/// `ok: 1.0`, as it stands in every answer to something done.
const DONE: &[u8] = b"\x01ok\0\0\0\0\0\0\0\xf0\x3f";

enum Value<'a> {
    Int(i32),
    Text(&'a str),
    List(&'a [Value<'a>]),
    Document(&'a [(&'a str, Value<'a>)]),
}

pub(crate) fn says_hello(port: u16) -> bool {
    done(port, &[("hello", Value::Int(1)), ("$db", Value::Text("admin"))]).unwrap_or(false)
}

/// A user who may do everything; the server must not ask for one yet.
pub(crate) fn create_user(port: u16, name: &str, password: &str) -> Result<(), Trouble> {
    let role = [("role", Value::Text("root")), ("db", Value::Text("admin"))];
    let command = [
        ("createUser", Value::Text(name)),
        ("pwd", Value::Text(password)),
        ("roles", Value::List(&[Value::Document(&role)])),
        ("$db", Value::Text("admin")),
    ];
    match done(port, &command) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Trouble::new("the MongoDB server refused its first user")),
        Err(error) => Err(Trouble::new(format!(
            "the MongoDB server did not take its first user: {error}"
        ))),
    }
}

fn done(port: u16, command: &[(&str, Value<'_>)]) -> std::io::Result<bool> {
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    server.set_read_timeout(Some(PATIENCE))?;
    server.write_all(&message(command))?;
    let mut header = [0; HEADER];
    server.read_exact(&mut header)?;
    let [a, b, c, d, ..] = header;
    let length = usize::try_from(i32::from_le_bytes([a, b, c, d])).unwrap_or_default();
    let mut answer = vec![0; length.min(MOST).saturating_sub(HEADER)];
    server.read_exact(&mut answer)?;
    Ok(answer.windows(DONE.len()).any(|window| window == DONE))
}

fn message(command: &[(&str, Value<'_>)]) -> Vec<u8> {
    let document = document(command);
    // Behind the header: four bytes of flags, one of the kind of section.
    let length = HEADER + 5 + document.len();
    let mut message = Vec::with_capacity(length);
    for number in [size(length), 1, 0, OP_MSG, 0] {
        message.extend(number.to_le_bytes());
    }
    message.push(0);
    message.extend(document);
    message
}

fn document(fields: &[(&str, Value<'_>)]) -> Vec<u8> {
    let mut inside = Vec::new();
    for (name, value) in fields {
        let (kind, bytes) = encoded(value);
        inside.push(kind);
        inside.extend(name.bytes().chain([0]));
        inside.extend(bytes);
    }
    let mut document = size(inside.len() + 5).to_le_bytes().to_vec();
    document.extend(inside);
    document.push(0);
    document
}

fn encoded(value: &Value<'_>) -> (u8, Vec<u8>) {
    match value {
        Value::Int(number) => (0x10, number.to_le_bytes().to_vec()),
        Value::Text(text) => {
            let mut bytes = size(text.len() + 1).to_le_bytes().to_vec();
            bytes.extend(text.bytes().chain([0]));
            (0x02, bytes)
        }
        Value::Document(fields) => (0x03, document(fields)),
        // A list is a document whose names are the places; ours have one entry at most.
        Value::List(values) => (0x04, values.first().map_or_else(|| document(&[]), only_entry)),
    }
}

fn only_entry(value: &Value<'_>) -> Vec<u8> {
    let (kind, bytes) = encoded(value);
    let mut list = size(bytes.len() + 8).to_le_bytes().to_vec();
    list.extend([kind, b'0', 0]);
    list.extend(bytes);
    list.push(0);
    list
}

fn size(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_what_the_specification_of_bson_shows() {
        let hello = document(&[("hello", Value::Text("world"))]);
        assert_eq!(hello, b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0");
    }

    #[test]
    fn a_list_of_one_has_the_place_for_a_name() {
        let list = document(&[("a", Value::List(&[Value::Int(7)]))]);
        assert_eq!(list, b"\x14\0\0\0\x04a\0\x0c\0\0\0\x100\0\x07\0\0\0\0\0");
    }
}
