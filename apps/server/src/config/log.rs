//! `[log]`: what goes to standard error.

use super::read::Reader;

/// The words a level may be, from quiet to loud.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Settings of the log.
#[derive(Clone, Debug)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// A level, or directives such as `info,http_warp=debug`.
    pub level: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Log {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        Self {
            format: reader.choice("format", ("auto", LogFormat::Auto), &formats),
            level: reader.parsed("level", "info", "info".to_owned(), level),
        }
    }
}

/// Checked here because the filter itself takes a mistyped level for the name of a module.
fn level(text: &str) -> Result<String, String> {
    let is_level = |word: &str| LEVELS.contains(&word.trim().to_ascii_lowercase().as_str());
    let fine = text.split(',').all(|part| match part.split_once('=') {
        Some((target, level)) => {
            let module = target.trim();
            !module.is_empty()
                && module
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
                && is_level(level)
        }
        None => is_level(part),
    });
    if fine {
        return Ok(text.to_owned());
    }
    Err(format!(
        "must be one of {}, or a list such as `info,http_warp=debug`, but is `{text}`",
        LEVELS.join(", ")
    ))
}
