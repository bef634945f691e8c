//! Reading a file line by line, judging all of it on the way: only what ends in order was read whole.

use std::io::{self, BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use super::error::TransferError;
use super::frame::{End, FOREIGN, Header, Line, read_header, read_line};
use super::record::Record;
use super::tally::{Kind, Tallies};

/// Longest line that is read, in bytes: more than any store keeps in one record, and little enough for memory.
const MAX_LINE: u64 = 16 * 1024 * 1024;

/// One line as it came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Raw<'a> {
    /// A whole one, without its end.
    Whole(&'a [u8]),
    /// The file ends within it.
    Half,
    /// It is longer than any.
    TooLong,
}

/// Lines, numbered and hashed.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
    before: u64,
    hasher: Sha256,
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            number: 0,
            before: 0,
            hasher: Sha256::new(),
        }
    }

    /// Goes on to the next line; false at the end of the file.
    pub fn advance(&mut self) -> io::Result<bool> {
        self.hasher.update(&self.buffer);
        self.before += length(&self.buffer);
        self.buffer.clear();
        self.number += 1;
        let mut line = (&mut self.input).take(MAX_LINE);
        line.read_until(b'\n', &mut self.buffer).map(|read| read > 0)
    }

    /// The line that came last.
    pub fn current(&self) -> Raw<'_> {
        match self.buffer.strip_suffix(b"\n") {
            Some(whole) => Raw::Whole(whole),
            None if length(&self.buffer) >= MAX_LINE => Raw::TooLong,
            None => Raw::Half,
        }
    }

    /// The number of the line that came last, counted from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// How many bytes stand before it.
    pub const fn before(&self) -> u64 {
        self.before
    }

    /// The hash of those bytes, to go on from.
    pub fn hasher(&self) -> Sha256 {
        self.hasher.clone()
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The order lines come in, and what they add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    pub header: Option<Header>,
    pub section: Option<Kind>,
    pub tallies: Tallies,
    pub end: Option<End>,
}

impl Course {
    /// Judges a line where it stands.
    pub fn take(&mut self, bytes: &[u8], hasher: &Sha256) -> Result<Line, String> {
        if self.end.is_some() {
            return Err("something stands behind the last line".to_owned());
        }
        let Some(header) = &self.header else {
            let header = read_header(bytes)?;
            self.header = Some(header.clone());
            return Ok(Line::Header(header));
        };
        let line = read_line(bytes);
        match &line {
            Ok(Line::Header(_)) => return Err("a second header".to_owned()),
            Ok(Line::Record(record)) => {
                fits(record, header, self.section)?;
                self.section = Some(record.kind());
                self.tallies.of(record.kind()).add(bytes);
            }
            Ok(Line::End(end)) => {
                agrees(end, &self.tallies, hasher)?;
                self.end = Some(end.clone());
            }
            Err(_) => {}
        }
        line
    }
}

fn fits(record: &Record, header: &Header, section: Option<Kind>) -> Result<(), String> {
    let kind = record.kind();
    if let Some(section) = section.filter(|section| *section > kind) {
        return Err(format!(
            "a line of the kind `{}` behind one of the kind `{}`",
            kind.name(),
            section.name()
        ));
    }
    let pool = match record {
        Record::User(user) => &user.key.pool,
        Record::Session(session) => &session.user.pool,
        Record::Message(message) => &message.user.pool,
        Record::Access(_) | Record::Application(_) => return Ok(()),
    };
    if header.pools.contains(pool) {
        Ok(())
    } else {
        let pool = pool.as_str().escape_debug();
        Err(format!("the header does not name the pool `{pool}`"))
    }
}

/// What the last line says must be what was read.
fn agrees(end: &End, read: &Tallies, hasher: &Sha256) -> Result<(), String> {
    let told = end.tallies();
    let pairs = [
        ("roles and rules", told.access, read.access),
        ("users", told.users, read.users),
        ("applications", told.applications, read.applications),
        ("sessions", told.sessions, read.sessions),
        ("messages", told.messages, read.messages),
    ];
    for (what, told, read) in pairs {
        if told.count != read.count {
            return Err(format!(
                "the last line counts {} {what}, but {} were read: lines are missing or were added",
                told.count, read.count
            ));
        }
        if told.digest != read.digest {
            return Err(format!(
                "the digest of the {what} is another: some of their lines were changed"
            ));
        }
    }
    if end.sha256 == hex(hasher) {
        Ok(())
    } else {
        Err("the digest of the file is another: its header or the order of its lines was changed".to_owned())
    }
}

/// The digits of a hash as far as it went.
pub(super) fn hex(hasher: &Sha256) -> String {
    let digest = hasher.clone().finalize();
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file that is read from its first line to its last.
pub struct Reading<R> {
    lines: Lines<R>,
    course: Course,
    header: Header,
    next: Option<Record>,
}

impl<R: BufRead> Reading<R> {
    /// Begins with the header.
    ///
    /// # Errors
    /// The file cannot be read, or is no export that this version knows.
    pub fn open(input: R) -> Result<Self, TransferError> {
        let mut lines = Lines::new(input);
        let mut course = Course::default();
        match step(&mut lines, &mut course)? {
            Line::Header(header) => Ok(Self {
                lines,
                course,
                header,
                next: None,
            }),
            Line::Record(_) | Line::End(_) => Err(at(1, FOREIGN)),
        }
    }

    /// The header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The next record; none behind the last, once the last line agreed with all of them.
    ///
    /// # Errors
    /// The file was cut or changed, or holds what this version does not know.
    pub fn record(&mut self) -> Result<Option<Record>, TransferError> {
        if let Some(record) = self.next.take() {
            return Ok(Some(record));
        }
        if self.course.end.is_some() {
            return Ok(None);
        }
        match step(&mut self.lines, &mut self.course)? {
            Line::Record(record) => Ok(Some(record)),
            Line::Header(_) | Line::End(_) => self.nothing_follows().map(|()| None),
        }
    }

    /// The next record, if it is of this kind.
    ///
    /// # Errors
    /// As [`Reading::record`].
    pub fn record_of(&mut self, kind: Kind) -> Result<Option<Record>, TransferError> {
        let record = self.record()?;
        if record.as_ref().is_none_or(|record| record.kind() == kind) {
            return Ok(record);
        }
        self.next = record;
        Ok(None)
    }

    /// The last line; none before it was read.
    pub const fn end(&self) -> Option<&End> {
        self.course.end.as_ref()
    }

    /// How many bytes were read.
    pub const fn position(&self) -> u64 {
        self.lines.before()
    }

    /// Where an error is that belongs to the record that came last.
    pub const fn line(&self) -> u64 {
        self.lines.number()
    }

    fn nothing_follows(&mut self) -> Result<(), TransferError> {
        if self.lines.advance().map_err(TransferError::file("reading"))? {
            return Err(at(self.lines.number(), "something stands behind the last line"));
        }
        Ok(())
    }
}

fn step<R: BufRead>(lines: &mut Lines<R>, course: &mut Course) -> Result<Line, TransferError> {
    const CUT: &str = "the file ends here, before its last line: it was cut, or its export was not finished";
    let there_is_more = lines.advance().map_err(TransferError::file("reading"))?;
    let number = lines.number();
    if !there_is_more {
        let why = if number == 1 { "the file is empty" } else { CUT };
        return Err(at(number, why));
    }
    let hasher = lines.hasher();
    match lines.current() {
        Raw::Whole(bytes) => course.take(bytes, &hasher).map_err(|why| at(number, why)),
        Raw::TooLong => Err(at(number, "the line is longer than 16 MiB")),
        Raw::Half if number == 1 => Err(at(number, FOREIGN)),
        Raw::Half => Err(at(number, CUT)),
    }
}

fn at(line: u64, why: impl Into<String>) -> TransferError {
    TransferError::Line {
        line,
        why: why.into(),
    }
}
