//! An export into a file: beside its place until it is whole, and taken up again where it stopped.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{BufReader, BufWriter, ErrorKind, Seek as _, SeekFrom};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::error::TransferError;
use super::export::{Position, Sink, Written, export_from};
use super::frame::{Header, Line};
use super::progress::Progress;
use super::reading::{Course, Lines, Raw};
use super::record::Record;
use super::stores::Stores;

/// For the eyes of whoever exports: password hashes and personal data.
const OURS: u32 = 0o600;

/// How an export into a file went.
#[derive(Debug)]
pub struct Exported {
    /// What is in the file.
    pub written: Written,
    /// How many records were there already from before; none where it began anew.
    pub resumed: Option<u64>,
}

/// Exports into a file, which is there with its last line or not at all: until then everything stands in `FILE.part`.
///
/// # Errors
/// The file is there already, or there is a part that nobody asked to resume, or that is of another store; a store does not
/// answer; the disk is full.
pub async fn export_to(
    stores: &Stores,
    header: &Header,
    target: &Path,
    resume: bool,
    progress: &dyn Progress,
) -> Result<Exported, TransferError> {
    if fs::symlink_metadata(target).is_ok() {
        return Err(TransferError::Refused(format!(
            "{} is there already: name another file, or remove it",
            target.display()
        )));
    }
    let path = part_of(target);
    let file = open(&path, resume)?;
    let left = if resume {
        take_up(&file, &path, header)?
    } else {
        Left::default()
    };
    let out = BufWriter::new(cut(file, left.length, &path)?);
    let resumed = left.position.is_some().then(|| left.written.tallies.count());
    let (sink, position) = match left.position {
        Some(position) => (Sink::resume(out, left.written), position),
        None => (Sink::begin(out, header)?, Position::START),
    };
    let (out, written) = export_from(stores, &header.pools, sink, position, progress).await?;
    let file = out
        .into_inner()
        .map_err(|error| TransferError::file("writing")(error.into_error()))?;
    keep(&file, &path, target)?;
    Ok(Exported { written, resumed })
}

/// Where the unfinished file stands.
pub fn part_of(target: &Path) -> PathBuf {
    let mut name = OsString::from(target);
    name.push(".part");
    PathBuf::from(name)
}

/// Opens the part for this process alone.
fn open(path: &Path, resume: bool) -> Result<File, TransferError> {
    let failed = |source| TransferError::File {
        what: format!("opening {}", path.display()),
        source,
    };
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(resume)
        .create_new(!resume)
        .truncate(false)
        .mode(OURS)
        .open(path);
    let file = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => TransferError::Refused(format!(
            "{} is an export that was not finished: go on with --resume, or remove it",
            path.display()
        )),
        _ => failed(error),
    })?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let why = format!("{} is being written by another process", path.display());
            return Err(TransferError::Refused(why));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_permissions(Permissions::from_mode(OURS))
        .map_err(failed)?;
    Ok(file)
}

/// What of a part can be used.
#[derive(Default)]
struct Left {
    /// Its first so many bytes.
    length: u64,
    /// What stands in them.
    written: Written,
    /// Where it goes on; none where it has to begin anew.
    position: Option<Position>,
}

/// Reads what is there, up to where it broke off: a line that is cut or unreadable, and all behind it, is written again.
fn take_up(file: &File, path: &Path, header: &Header) -> Result<Left, TransferError> {
    let mut lines = Lines::new(BufReader::new(file));
    let mut course = Course::default();
    let mut left = Left::default();
    let mut before_sessions = None;
    let reading = || TransferError::file(format!("reading {}", path.display()));
    while lines.advance().map_err(reading())? {
        let Raw::Whole(bytes) = lines.current() else { break };
        let (tallies, section) = (course.tallies, course.section);
        let Ok(line) = course.take(bytes, &lines.hasher()) else {
            course.tallies = tallies;
            course.section = section;
            break;
        };
        match line {
            Line::Header(found) => {
                same_source(&found, header, path)?;
                left.position = Some(Position::START);
            }
            Line::Record(Record::Session(_) | Record::Message(_)) => {
                before_sessions.get_or_insert((lines.before(), lines.hasher(), tallies));
            }
            Line::Record(record) => {
                left.written.note_keys(&record);
                left.position = Some(behind(&record, header));
            }
            // Killed between its last line and its name: that line is written again.
            Line::End(_) => break,
        }
    }
    let here = (lines.before(), lines.hasher(), course.tallies);
    let sessions_begun = before_sessions.is_some();
    (left.length, left.written.hasher, left.written.tallies) = before_sessions.unwrap_or(here);
    if sessions_begun {
        left.position = Some(Position::Sessions);
    }
    Ok(left)
}

fn behind(record: &Record, header: &Header) -> Position {
    match record {
        Record::Access(_) => Position::Users(0, None),
        Record::User(user) => {
            let pool = header.pools.iter().position(|pool| *pool == user.key.pool);
            Position::Users(pool.unwrap_or(0), Some(user.key.id.clone()))
        }
        Record::Application(application) => Position::Applications(Some(application.id.clone())),
        Record::Session(_) | Record::Message(_) => Position::Sessions,
    }
}

/// An export goes on from the store it was begun from, as far as can be told, or not at all.
fn same_source(found: &Header, header: &Header, path: &Path) -> Result<(), TransferError> {
    let of = |header: &Header| {
        (
            header.store.clone(),
            header.sessions.clone(),
            header.pools.clone(),
        )
    };
    if of(found) == of(header) {
        return Ok(());
    }
    Err(TransferError::Refused(format!(
        "{} was begun with another store or other pools: use that configuration, or remove the file",
        path.display()
    )))
}

fn cut(mut file: File, length: u64, path: &Path) -> Result<File, TransferError> {
    file.set_len(length)
        .and_then(|()| file.seek(SeekFrom::Start(length)))
        .map_err(TransferError::file(format!("writing {}", path.display())))?;
    Ok(file)
}

/// Gives the whole file its name, durably.
fn keep(file: &File, path: &Path, target: &Path) -> Result<(), TransferError> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    file.sync_all()
        .and_then(|()| fs::rename(path, target))
        .and_then(|()| File::open(folder.unwrap_or(Path::new(".")))?.sync_all())
        .map_err(TransferError::file(format!("finishing {}", target.display())))
}
