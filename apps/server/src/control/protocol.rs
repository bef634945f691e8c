//! What goes over the control socket: one line of JSON in, one line of JSON out.

use std::time::Duration;

use domain::secret::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::app::{AppAnswer, AppCommand};
use super::audit::{AuditAnswer, AuditCommand};
use super::execute::Refusal;
use super::keys::{KeysAnswer, KeysCommand};
use super::role::{RoleAnswer, RoleCommand};
use super::user::{UserAnswer, UserCommand};

/// Which form of commands and answers this is. A binary that was replaced under a running server must not guess.
pub const PROTOCOL: u32 = 1;
/// Longest command, in bytes.
pub const MAX_COMMAND: usize = 64 * 1024;
/// Longest answer, in bytes.
pub const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// Longest wait for the other side to say or take its line.
pub const LINE_WAIT: Duration = Duration::from_secs(10);
/// Longest time for a command that touches a few records.
pub const SHORT_WORK: Duration = Duration::from_mins(1);

/// What a server can be told to do, by family.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Command {
    /// The server's keys.
    Keys(KeysCommand),
    /// Client applications.
    App(AppCommand),
    /// Roles, and who has them.
    Role(RoleCommand),
    /// Users and their sessions.
    User(UserCommand),
    /// The audit log.
    Audit(AuditCommand),
}

impl Command {
    /// Longest time it may take; none for work that grows with the store.
    pub const fn time_limit(&self) -> Option<Duration> {
        match self {
            Self::Keys(KeysCommand::Rotate { .. } | KeysCommand::Reseal { .. }) => None,
            Self::Keys(_) | Self::App(_) | Self::Role(_) | Self::User(_) | Self::Audit(_) => Some(SHORT_WORK),
        }
    }
}

/// What was done, by family.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// The server's keys.
    Keys(KeysAnswer),
    /// Client applications.
    App(AppAnswer),
    /// Roles, and who has them.
    Role(RoleAnswer),
    /// Users and their sessions.
    User(UserAnswer),
    /// The audit log.
    Audit(AuditAnswer),
}

/// The line in.
#[derive(Serialize, Deserialize)]
pub struct Request {
    protocol: u32,
    command: Command,
}

/// As much of a request as every form of it has.
#[derive(Deserialize)]
struct Head {
    protocol: u32,
}

impl Request {
    /// Asks for something in today's form.
    pub const fn new(command: Command) -> Self {
        Self {
            protocol: PROTOCOL,
            command,
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// The sentence for whoever sent it.
    pub fn read(line: &[u8]) -> Result<Command, Refusal> {
        let head: Head =
            serde_json::from_slice(line).map_err(|_| Refusal::new("that is no command of Portcullis"))?;
        if head.protocol != PROTOCOL {
            return Err(Refusal::new(
                "the running server is of another version than this program: restart the server",
            ));
        }
        // The parser's own words could quote a secret.
        let request: Self = serde_json::from_slice(line)
            .map_err(|_| Refusal::new("the running server does not know this command: restart the server"))?;
        Ok(request.command)
    }
}

/// The line out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reply {
    /// It was done.
    Done(Answer),
    /// It was not: why, in a sentence.
    Refused(String),
}

impl From<Result<Answer, Refusal>> for Reply {
    fn from(result: Result<Answer, Refusal>) -> Self {
        match result {
            Ok(answer) => Self::Done(answer),
            Err(refusal) => Self::Refused(refusal.to_string()),
        }
    }
}

/// A secret on its way between two processes of one user. `Debug` hides it, dropping it wipes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden(Secret);

impl Hidden {
    /// Hides a text.
    pub fn new(text: &str) -> Self {
        Self(Secret::new(text))
    }

    /// The text itself. Never log it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<&Secret> for Hidden {
    fn from(secret: &Secret) -> Self {
        Self(secret.clone())
    }
}

impl From<Hidden> for Secret {
    fn from(hidden: Hidden) -> Self {
        hidden.0
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        Request::read(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_command_survives_its_line() {
        let line = serde_json::to_vec(&Request::new(Command::Keys(KeysCommand::Rotate {
            forget_old: true,
        })))
        .unwrap();
        assert!(!line.contains(&b'\n'));
        assert_eq!(
            Request::read(&line).unwrap(),
            Command::Keys(KeysCommand::Rotate { forget_old: true })
        );
    }

    #[test]
    fn another_version_is_told_apart_from_nonsense() {
        assert!(refusal("hello").contains("no command"));
        assert!(refusal("[]").contains("no command"));
        assert!(refusal(r#"{"protocol":2,"command":{"dance":{}}}"#).contains("another version"));
        assert!(refusal(r#"{"protocol":1,"command":{"dance":{}}}"#).contains("does not know"));
    }

    #[test]
    fn a_refused_line_is_not_quoted() {
        let line = r#"{"protocol":1,"command":{"app":{"hunter2":1}}}"#;
        assert!(!refusal(line).contains("hunter2"));
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", Hidden::new("hunter2")).contains("hunter2"));
    }
}
