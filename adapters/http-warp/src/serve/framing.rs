//! Which HTTP/1.1 framing is refused: one reading of every request, or none.
//!
//! hyper is lenient where RFC 9112 lets a recipient be: it takes a bare LF for a line end, drops
//! Content-Length beside Transfer-Encoding, folds equal Content-Lengths into one. A proxy in front that reads
//! the same bytes differently is a request smuggler's tool, so we follow the framing in parallel and refuse
//! whatever has two readings (RFC 9112 §2.2, §5.2, §6.1, §6.3). This never *accepts* anything: what passes
//! here still has to pass hyper.

/// As much of a line as is needed to judge it; the longest we look into is a Content-Length.
const LINE_KEPT: usize = 256;

/// Follows the requests of one connection and stops at the first ambiguity.
#[derive(Debug, Default)]
pub(super) struct Framing {
    place: Place,
    facts: HeadFacts,
    line: OpenLine,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before a request line; empty lines are skipped (RFC 9112 §2.2).
    #[default]
    Start,
    Head,
    Body(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailer,
}

/// What the head said about the body so far.
#[derive(Clone, Copy, Debug, Default)]
struct HeadFacts {
    length: Option<u64>,
    chunked: bool,
    host: bool,
}

/// A line of which an earlier read brought only the beginning.
#[derive(Debug, Default)]
struct OpenLine {
    kept: Vec<u8>,
    seen: usize,
    last: u8,
}

/// A finished line: its beginning without the line end, and whether that is all of it.
struct Line<'a> {
    text: &'a [u8],
    whole: bool,
}

/// The bytes have two readings.
#[derive(Debug, PartialEq, Eq)]
struct Ambiguous;

impl Framing {
    /// Reads on. `Err` holds the index of the byte with which the request became ambiguous; everything
    /// before it may be handed on, nothing from it on.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += match &mut self.place {
                Place::Body(left) | Place::ChunkData(left) => {
                    let taken = skip(left, rest.len());
                    self.leave_data();
                    taken
                }
                _ => self.follow_line(rest).map_err(|into| at + into)?,
            };
        }
        Ok(())
    }

    /// Reads to the end of the line, or of what is there, and tells how far that was.
    fn follow_line(&mut self, rest: &[u8]) -> Result<usize, usize> {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            self.line.extend(rest);
            return Ok(rest.len());
        };
        let (text, _) = rest.split_at(end);
        self.end_line(text).map_err(|Ambiguous| end)?;
        Ok(end + 1)
    }

    /// Whether a request head has begun and not ended.
    pub(super) fn in_head(&self) -> bool {
        self.place == Place::Head || (self.place == Place::Start && self.line.seen > 0)
    }

    /// Whether a request has begun and not ended, be it in its head or in its body.
    pub(super) fn in_request(&self) -> bool {
        self.place != Place::Start || self.line.seen > 0
    }

    fn leave_data(&mut self) {
        match self.place {
            Place::Body(0) => self.place = Place::Start,
            Place::ChunkData(0) => self.place = Place::ChunkEnd,
            _ => {}
        }
    }

    fn end_line(&mut self, text: &[u8]) -> Result<(), Ambiguous> {
        if self.line.seen == 0 {
            // Kept or not, a line is judged alike however its bytes arrived.
            let whole = text.len() <= LINE_KEPT;
            let text = text.strip_suffix(b"\r").ok_or(Ambiguous)?;
            return self.judge(&Line { text, whole });
        }
        self.line.extend(text);
        let OpenLine { kept, seen, last } = std::mem::take(&mut self.line);
        if last != b'\r' {
            return Err(Ambiguous);
        }
        let whole = seen == kept.len();
        let text = kept.strip_suffix(b"\r").filter(|_| whole).unwrap_or(&kept);
        self.judge(&Line { text, whole })
    }

    fn judge(&mut self, line: &Line<'_>) -> Result<(), Ambiguous> {
        self.place = match self.place {
            Place::Start | Place::Trailer if line.text.is_empty() => Place::Start,
            Place::Start => {
                self.facts = HeadFacts::default();
                Place::Head
            }
            Place::Head if line.text.is_empty() => self.facts.body(),
            Place::Head => {
                self.facts.note(line)?;
                Place::Head
            }
            Place::ChunkSize => match chunk_size(line)? {
                0 => Place::Trailer,
                size => Place::ChunkData(size),
            },
            Place::ChunkEnd if line.text.is_empty() => Place::ChunkSize,
            Place::ChunkEnd => return Err(Ambiguous),
            Place::Trailer => Place::Trailer,
            data @ (Place::Body(_) | Place::ChunkData(_)) => data,
        };
        Ok(())
    }
}

impl HeadFacts {
    /// Takes in one field line, judging only the fields that frame or route the message.
    fn note(&mut self, line: &Line<'_>) -> Result<(), Ambiguous> {
        // A folded line belongs to the field above for some readers and to nobody for others.
        if matches!(line.text.first(), Some(b' ' | b'\t')) {
            return Err(Ambiguous);
        }
        let mut parts = line.text.splitn(2, |byte| *byte == b':');
        let name = parts.next().unwrap_or_default();
        let value = parts.next().unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = line.whole.then(|| decimal(value)).flatten().ok_or(Ambiguous)?;
            let first = self.length.replace(length).is_none();
            first && !self.chunked
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let first = !std::mem::replace(&mut self.chunked, true);
            first && self.length.is_none() && line.whole && value.eq_ignore_ascii_case(b"chunked")
        } else if name.eq_ignore_ascii_case(b"host") {
            !std::mem::replace(&mut self.host, true)
        } else {
            true
        }
        .then_some(())
        .ok_or(Ambiguous)
    }

    fn body(self) -> Place {
        match self.length {
            _ if self.chunked => Place::ChunkSize,
            Some(length) if length > 0 => Place::Body(length),
            _ => Place::Start,
        }
    }
}

impl OpenLine {
    fn extend(&mut self, bytes: &[u8]) {
        let room = LINE_KEPT.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
        self.seen += bytes.len();
        self.last = bytes.last().copied().unwrap_or(self.last);
    }
}

/// Counts `left` down by what is there, and tells how many bytes that were.
fn skip(left: &mut u64, there: usize) -> usize {
    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(there);
    *left = left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
    taken
}

/// Digits and nothing else: no sign, no list, no blank (RFC 9110 §8.6).
fn decimal(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit).then_some(value)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The size of the next chunk; extensions are ignored, blanks before them are not excused (RFC 9112 §7.1).
fn chunk_size(line: &Line<'_>) -> Result<u64, Ambiguous> {
    let size = line.text.split(|byte| *byte == b';').next().unwrap_or_default();
    let hex = size
        .iter()
        .all(u8::is_ascii_hexdigit)
        .then_some(size)
        .ok_or(Ambiguous)?;
    let hex = std::str::from_utf8(hex).map_err(|_| Ambiguous)?;
    u64::from_str_radix(hex, 16).map_err(|_| Ambiguous)
}

#[cfg(test)]
mod tests {
    use super::Framing;

    /// Follows the text as one read and again byte by byte; both must agree on the offending byte.
    fn first_fault(text: &str) -> Option<usize> {
        let at_once = Framing::default().follow(text.as_bytes()).err();
        let mut framing = Framing::default();
        let dripped = (0..text.len()).find(|at| framing.follow(&text.as_bytes()[*at..=*at]).is_err());
        assert_eq!(at_once, dripped, "one read and many reads differ on {text:?}");
        at_once
    }

    fn post(fields: &str, body: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
    }

    #[test]
    fn plain_requests_pass_one_after_another() {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let sized = post("Content-Length: 5\r\n", "a\nb\r\n");
        let chunked = post(
            "Transfer-Encoding: Chunked\r\n",
            "3;x=y\r\n\n\n\n\r\n0\r\nTrailer: t\r\n\r\n",
        );
        assert_eq!(
            first_fault(&format!("{get}{sized}\r\n{chunked}{get}{sized}")),
            None
        );
    }

    #[test]
    fn a_request_is_over_with_its_last_byte() {
        let mut framing = Framing::default();
        framing
            .follow(post("Content-Length: 2\r\n", "a").as_bytes())
            .unwrap();
        assert!(framing.in_request() && !framing.in_head());
        framing.follow(b"b").unwrap();
        assert!(!framing.in_request());
        framing.follow(b"G").unwrap();
        assert!(framing.in_head());
    }

    #[test]
    fn two_announcements_of_the_length_are_refused() {
        for fields in [
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\ncontent-length: 1\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ] {
            assert!(first_fault(&post(fields, "")).is_some(), "{fields:?}");
        }
    }

    #[test]
    fn odd_lengths_and_encodings_are_refused() {
        for fields in [
            "Content-Length: +1\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: 0x1\r\n",
            "Content-Length: \r\n",
            "Content-Length: 99999999999999999999999\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: \r\n",
        ] {
            assert!(first_fault(&post(fields, "")).is_some(), "{fields:?}");
        }
        let endless = format!("Content-Length: {}1\r\n", "0".repeat(400));
        assert!(first_fault(&post(&endless, "")).is_some());
    }

    #[test]
    fn bare_line_feeds_folded_lines_and_second_hosts_are_refused() {
        assert_eq!(first_fault("GET / HTTP/1.1\nHost: a\r\n\r\n"), Some(14));
        assert_eq!(first_fault("\nGET / HTTP/1.1\r\n\r\n"), Some(0));
        assert!(first_fault(&post("X: 1\r\n 2\r\n", "")).is_some());
        assert!(first_fault(&post("X: 1\r\n\tContent-Length: 2\r\n", "")).is_some());
        assert!(first_fault(&post("host: b\r\n", "")).is_some());
    }

    #[test]
    fn odd_chunks_are_refused() {
        for body in [
            "+1\r\n",
            "1 \r\n",
            "\r\n",
            "1\nx",
            "1\r\nxy\r\n",
            "11111111111111111\r\n",
        ] {
            let text = post("Transfer-Encoding: chunked\r\n", body);
            assert!(first_fault(&text).is_some(), "{body:?}");
        }
    }

    #[test]
    fn a_long_line_in_pieces_is_no_fault() {
        let text = post(&format!("Cookie: {}\r\n", "c".repeat(2000)), "");
        assert_eq!(first_fault(&text), None);
    }
}
