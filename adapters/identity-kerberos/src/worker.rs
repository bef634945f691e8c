//! The worker: a process of its own around MIT's library.
//!
//! The library reads what strangers send, in C; it takes its settings from the environment, which a program with threads cannot change
//! safely; and it waits for a KDC as long as it likes. In a process that has no keys but those for tickets, an environment made for it,
//! and an end whenever the server wants it, none of that matters to the server.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext, ServerCtx};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::Error;
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_NT_KRB5_PRINCIPAL, OidSet};
use zeroize::Zeroizing;

use crate::wire::{Answer, Question, Stage, frame_length};

/// The argument by which the server's program knows that it is to be a worker.
pub const ARGUMENT: &str = "kerberos-worker";

/// Answers questions on standard input until it ends. To be called before anything else is read or started.
pub fn worker() -> ExitCode {
    match serve(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    while let Some(question) = next(input)? {
        let answer = answer(&question).unwrap_or_else(Fail::into_answer);
        output.write_all(&answer.to_frame())?;
        output.flush()?;
    }
    Ok(())
}

fn next(input: &mut impl Read) -> io::Result<Option<Question>> {
    let mut head = [0; 4];
    match input.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = frame_length(head).ok_or(io::ErrorKind::InvalidData)?;
    let mut frame = Zeroizing::new(vec![0; length]);
    input.read_exact(&mut frame)?;
    match Question::read(&frame) {
        Some(question) => Ok(Some(question)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// What went wrong, and where.
struct Fail {
    stage: Stage,
    major: u32,
    minor: u32,
}

impl Fail {
    /// Says of an error where it happened.
    fn at(stage: Stage) -> impl Fn(Error) -> Self {
        move |error| Self {
            stage,
            major: error.major.bits(),
            minor: error.minor,
        }
    }

    /// Something that has no number.
    const fn plainly(stage: Stage) -> Self {
        Self {
            stage,
            major: 0,
            minor: 0,
        }
    }

    fn into_answer(self) -> Answer {
        Answer::Failed {
            stage: self.stage,
            major: self.major,
            minor: self.minor,
        }
    }
}

fn answer(question: &Question) -> Result<Answer, Fail> {
    match question {
        Question::Keys { service } => {
            keys(Some(service))?;
            Ok(Answer::Keys)
        }
        Question::Ticket { token } => take(token, Stage::Ticket),
        Question::Password {
            person,
            service,
            password,
        } => {
            let password = str::from_utf8(password).map_err(|_| Fail::plainly(Stage::Password))?;
            prove(person, service, password)
        }
    }
}

fn kerberos(stage: Stage) -> Result<OidSet, Fail> {
    OidSet::singleton(GSS_MECH_KRB5).map_err(Fail::at(stage))
}

fn named(principal: &str, stage: Stage) -> Result<Name, Fail> {
    Name::new(principal.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL)).map_err(Fail::at(stage))
}

/// The keys of the keytab: of one service, or all. Looked up each time, so that a new key counts at once.
fn keys(service: Option<&str>) -> Result<Cred, Fail> {
    let name = match service {
        Some(service) => Some(named(service, Stage::Keys)?),
        None => None,
    };
    let mechanisms = kerberos(Stage::Keys)?;
    Cred::acquire(name.as_ref(), None, CredUsage::Accept, Some(&mechanisms)).map_err(Fail::at(Stage::Keys))
}

/// Takes a ticket by any of the keys, and says by whose.
fn take(token: &[u8], stage: Stage) -> Result<Answer, Fail> {
    let mut context = ServerCtx::new(Some(keys(None)?));
    let reply = context.step(token, None).map_err(Fail::at(stage))?;
    if !context.is_complete() {
        return Err(Fail::plainly(Stage::Unfinished));
    }
    let text = |name: Result<Name, Error>| {
        let shown = name
            .and_then(|name| name.display_name())
            .map_err(Fail::at(stage))?;
        String::from_utf8(shown.to_vec()).map_err(|_| Fail::plainly(stage))
    };
    let left = context.lifetime().map_err(Fail::at(stage))?;
    Ok(Answer::Taken {
        person: text(context.source_name())?,
        service: text(context.target_name())?,
        until: millis_in(left),
        reply: reply.map(|reply| reply.to_vec()),
    })
}

fn millis_in(left: Duration) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from((now + left).as_millis()).unwrap_or(i64::MAX)
}

/// Asks the KDC for a ticket by the password, with that for a ticket for our own service, and takes it: whoever made the last one knows
/// our key, so the answers came from the realm (otherwise anybody on the way could say yes to any password). What the KDC gave is kept
/// in this process's memory and dropped at the end.
fn prove(person: &str, service: &str, password: &str) -> Result<Answer, Fail> {
    let mechanisms = kerberos(Stage::Password)?;
    let name = named(person, Stage::Password)?;
    let granted = Cred::acquire_with_password(
        Some(&name),
        password,
        None,
        CredUsage::Initiate,
        Some(&mechanisms),
    )
    .map_err(Fail::at(Stage::Password))?;
    let target = named(service, Stage::Service)?;
    let mut context = ClientCtx::new(Some(granted), target, CtxFlags::empty(), Some(GSS_MECH_KRB5));
    let shown = context.step(None, None).map_err(Fail::at(Stage::Service))?;
    take(&shown.ok_or(Fail::plainly(Stage::Service))?, Stage::Proof)
}
