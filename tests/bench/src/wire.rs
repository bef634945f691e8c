//! Just enough HTTP/1.1 to talk to a server of ours: requests as bytes, answers told apart and compared byte by byte.

use std::fmt;

/// Answers are small; one that is larger is none of ours.
const LARGEST: usize = 1024 * 1024;

/// What an answer's head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Status code.
    pub status: u16,
    /// Bytes of the head, the empty line included.
    pub length: usize,
    /// Bytes of the body that follows.
    pub body: usize,
    /// Seconds after which the server wants to be asked again.
    pub retry_after: Option<u64>,
}

/// Not an answer that this client understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer is not understood: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// A whole answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// What the head says.
    pub head: Head,
    /// The head as it came, without the status line.
    pub fields: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The answer at the beginning of these bytes, when all of it is there.
    pub fn read(bytes: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let Some(head) = Head::read(bytes)? else {
            return Ok(None);
        };
        let (before, after) = bytes.split_at(head.length);
        let fields = before
            .iter()
            .position(|byte| *byte == b'\n')
            .and_then(|end| before.get(end + 1..))
            .unwrap_or_default();
        Ok(after.get(..head.body).map(|body| Self { head, fields, body }))
    }

    /// Bytes of the whole answer.
    pub fn length(&self) -> usize {
        self.head.length + self.head.body
    }

    /// The header fields, as sent.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        lines(self.fields)
    }
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some(length) = end_of_head(bytes) else {
            if bytes.len() > LARGEST {
                return Err(Malformed("the head does not end"));
            }
            return Ok(None);
        };
        let head = bytes.get(..length).unwrap_or_default();
        let status = status(head)?;
        let mut body = None;
        let mut retry_after = None;
        for (name, value) in lines(head).skip(1) {
            if name.eq_ignore_ascii_case(b"content-length") {
                let length = decimal(value).ok_or(Malformed("odd Content-Length"))?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                if body.replace(length).is_some() || length > LARGEST {
                    return Err(Malformed("odd Content-Length"));
                }
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                return Err(Malformed("the length is not told beforehand"));
            } else if name.eq_ignore_ascii_case(b"retry-after") {
                retry_after = decimal(value);
            }
        }
        let bodyless = matches!(status, 100..=199 | 204 | 304);
        let body = match body {
            _ if bodyless => 0,
            Some(length) => length,
            None => return Err(Malformed("no Content-Length")),
        };
        Ok(Some(Self {
            status,
            length,
            body,
            retry_after,
        }))
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|at| at + 4)
}

fn status(head: &[u8]) -> Result<u16, Malformed> {
    head.strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(decimal)
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (100..=599).contains(status))
        .ok_or(Malformed("no status line"))
}

fn lines(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
            let (name, value) = line.split_at(colon);
            (name, value.get(1..).unwrap_or_default().trim_ascii())
        })
}

fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// A GET with a token where LoopBack clients put it.
pub fn get(path: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = token.map_or(String::new(), |token| format!("Authorization: {token}\r\n"));
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n{authorization}\r\n")
        .into_bytes()
}

/// A POST of a JSON body.
pub fn post(path: &str, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        for end in 0..OK.len() {
            assert!(Answer::read(&OK[..end]).unwrap().is_none(), "{end}");
        }
        let answer = Answer::read(OK).unwrap().unwrap();
        assert_eq!((answer.head.status, answer.body), (200, b"hello".as_slice()));
        assert_eq!(answer.length(), OK.len());
    }

    #[test]
    fn the_next_answer_is_left_alone() {
        let two = [OK, OK].concat();
        let first = Answer::read(&two).unwrap().unwrap();
        assert_eq!(first.length(), OK.len());
        assert_eq!(first.body, b"hello");
    }

    #[test]
    fn fields_come_without_the_status_line_and_blanks() {
        let answer = Answer::read(OK).unwrap().unwrap();
        let fields: Vec<_> = answer.fields().collect();
        assert_eq!(
            fields,
            [
                (b"content-type".as_slice(), b"text/plain".as_slice()),
                (b"Content-Length".as_slice(), b"5".as_slice())
            ]
        );
    }

    #[test]
    fn an_answer_without_content_has_no_body() {
        let answer = Answer::read(b"HTTP/1.1 204 No Content\r\n\r\nHTTP")
            .unwrap()
            .unwrap();
        assert_eq!((answer.head.status, answer.body.len()), (204, 0));
    }

    #[test]
    fn a_busy_server_says_when_to_come_back() {
        let busy = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
        let answer = Answer::read(busy).unwrap().unwrap();
        assert_eq!((answer.head.status, answer.head.retry_after), (503, Some(1)));
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        for wrong in [
            "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 2x0 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
        ] {
            assert!(Answer::read(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_post_tells_the_length_of_its_body() {
        let request = String::from_utf8(post("/x", &serde_json::json!({"a": 1}))).unwrap();
        assert!(request.starts_with("POST /x HTTP/1.1\r\n") && request.ends_with("\r\n\r\n{\"a\":1}"));
        assert!(request.contains("Content-Length: 7\r\n"));
    }
}
