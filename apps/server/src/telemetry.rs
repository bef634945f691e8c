//! The log: structured, on standard error. Standard output belongs to the start-up message and to the
//! console senders of SMS and mail.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

/// Libraries that describe every byte they move. They stay at `info` unless `log.level` names them, so
/// that `debug` shows what this server does, and no header or body gets into the log by the way.
const CHATTY: [&str; 9] = [
    "h2",
    "hyper",
    "hyper_util",
    "mongodb",
    "redis",
    "rustls",
    "sqlx",
    "tokio_rustls",
    "tower",
];

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` cannot be read.
    #[error("`log.level` cannot be understood: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody else was faster.
    #[error("the log is already running")]
    AlreadyRunning,
}

/// Starts the log for the whole process; call it once.
///
/// # Errors
/// A level that cannot be understood, or a second call.
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder().parse(directives(&log.level))?;
    let terminal = io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A log that cannot be written is lost; complaining about it on the same stream could panic.
        .log_internal_errors(false);
    let started = if in_json(log.format, terminal) {
        builder
            .json()
            .flatten_event(true)
            .with_writer(io::stderr)
            .finish()
            .try_init()
    } else {
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        builder
            .with_ansi(colour)
            .with_writer(OneLine(io::stderr))
            .finish()
            .try_init()
    };
    started.map_err(|_| TelemetryError::AlreadyRunning)
}

fn in_json(format: LogFormat, terminal: bool) -> bool {
    match format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    }
}

/// `level`, with the chatty libraries held back where it does not name them.
fn directives(level: &str) -> String {
    let named = |library: &str| {
        level
            .split(',')
            .filter_map(|part| part.split_once('='))
            .any(|(target, _)| target.trim() == library)
    };
    let held = ["debug", "trace"];
    let loud = level
        .split(',')
        .any(|part| held.contains(&part.trim().to_ascii_lowercase().as_str()));
    let caps = CHATTY
        .iter()
        .filter(|library| loud && !named(library))
        .map(|library| format!(",{library}=info"));
    std::iter::once(level.to_owned()).chain(caps).collect()
}

/// Keeps every event on one line: a line break inside a value would let a stranger forge an entry
/// (OWASP ASVS 5.0, 16.4.1). JSON escapes them itself.
#[derive(Clone, Copy)]
struct OneLine<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for OneLine<M> {
    type Writer = OneLine<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        OneLine(self.0.make_writer())
    }
}

impl<W: Write> Write for OneLine<W> {
    /// The formatter hands over one whole event at a time.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let body = event.strip_suffix(b"\n").unwrap_or(event);
        if body.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            let mut flat: Vec<u8> = Vec::with_capacity(event.len() + 16);
            for byte in body {
                match byte {
                    b'\n' => flat.extend(b"\\n"),
                    b'\r' => flat.extend(b"\\r"),
                    other => flat.push(*other),
                }
            }
            flat.extend(event.strip_prefix(body).unwrap_or_default());
            self.0.write_all(&flat)?;
        } else {
            self.0.write_all(event)?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_text_for_people_and_json_for_machines() {
        assert!(!in_json(LogFormat::Auto, true) && in_json(LogFormat::Auto, false));
        assert!(!in_json(LogFormat::Text, false) && in_json(LogFormat::Json, true));
    }

    #[test]
    fn chatty_libraries_stay_quiet_until_they_are_named() {
        assert_eq!(directives("info"), "info");
        assert!(directives("debug").contains(",h2=info"));
        let named = directives("trace,h2=debug");
        assert!(named.contains("h2=debug") && !named.contains("h2=info") && named.contains(",hyper=info"));
        assert!(EnvFilter::builder().parse(named).is_ok());
    }

    #[test]
    fn a_line_break_in_a_value_forges_no_line() {
        let mut out = OneLine(Vec::new());
        out.write_all(b"login of eve\r\nINFO login of admin\n").unwrap();
        out.write_all(b"plain\n").unwrap();
        assert_eq!(
            String::from_utf8(out.0).unwrap(),
            "login of eve\\r\\nINFO login of admin\nplain\n"
        );
    }
}
