//! What a mailer is told: which server, how, and in whose name.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::secret::Secret;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::templates::TemplateError;

/// Port for mail that is handed in (RFC 6409 section 3.1).
const SUBMISSION: u16 = 587;
/// The same in TLS from the first byte on (RFC 8314 section 7.3).
const SUBMISSIONS: u16 = 465;
/// How long a letter may take: less than the port allows, so that it is us who decide what an unanswered letter means.
const PATIENCE: Duration = Duration::from_secs(25);

/// Why a mailer cannot be made. Quotes no password.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The address of the server.
    #[error("{0}")]
    Url(&'static str),
    /// The sender of the mails.
    #[error("must be a mail address, perhaps with a name, such as `Example <noreply@example.com>`")]
    From,
    /// The authorities to trust.
    #[error("{}: {reason}", file.display())]
    Authorities {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be used here at all.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The words.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl SmtpError {
    /// The key of `[mail]` that is to blame.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Url(_) | Self::Tls(_) => "mail.url",
            Self::From => "mail.from",
            Self::Authorities { .. } => "mail.ca_file",
            Self::Template(_) => "mail.templates_dir",
        }
    }
}

/// How a mailer is set up. `Debug` shows no password.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// The mail server's name or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is made private.
    pub privacy: Privacy,
    /// Who we are there; none for a server that asks nobody.
    pub login: Option<Login>,
    /// Authorities to trust instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// The sender of all mails, `Name <address>` or an address alone.
    pub from: String,
    /// What the service is called in the mails.
    pub service_name: String,
    /// Templates in place of the built-in ones.
    pub templates_dir: Option<PathBuf>,
    /// How long a letter may take, from the first byte to the last.
    pub patience: Duration,
}

/// How the way to a mail server is made private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// TLS from the first byte on.
    Tls,
    /// STARTTLS, without which nothing is sent (RFC 3207).
    StartTls,
    /// None: on this machine alone.
    None,
}

/// Who we are at a mail server.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

impl SmtpConfig {
    /// Reads `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS; `?starttls=off` on this machine alone) or `smtps://…`.
    ///
    /// # Errors
    /// [`SmtpError::Url`], a sentence without any part of the address.
    pub fn parse(text: &Secret) -> Result<Self, SmtpError> {
        let url = Url::parse(text.expose()).map_err(|_| SmtpError::Url(FORM))?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(SmtpError::Url(FORM))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !is_name(&host) || !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(SmtpError::Url(FORM));
        }
        let (privacy, port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Privacy::Tls, SUBMISSIONS),
            ("smtp", None | Some("starttls=required")) => (Privacy::StartTls, SUBMISSION),
            ("smtp", Some("starttls=off")) if is_here(&host) => (Privacy::None, SUBMISSION),
            ("smtp", Some("starttls=off")) => return Err(SmtpError::Url(IN_CLEAR)),
            _ => return Err(SmtpError::Url(FORM)),
        };
        Ok(Self {
            port: url.port().unwrap_or(port),
            login: login(&url)?,
            host,
            privacy,
            ca_file: None,
            from: "noreply@localhost".to_owned(),
            service_name: "Portcullis".to_owned(),
            templates_dir: None,
            patience: PATIENCE,
        })
    }

    /// The authorities' certificates; none where the system's count.
    pub(crate) fn authorities(&self) -> Result<Option<Vec<u8>>, SmtpError> {
        let read = |file: &PathBuf| std::fs::read(file).map_err(|error| refused(file, error.to_string()));
        self.ca_file.as_ref().map(read).transpose()
    }
}

pub(crate) fn refused(file: &Path, reason: String) -> SmtpError {
    SmtpError::Authorities {
        file: file.to_owned(),
        reason,
    }
}

const FORM: &str = "must look like `smtp://USER:PASSWORD@HOST:PORT` or `smtps://USER:PASSWORD@HOST:PORT`, with `%40` for an `@` in \
     the name and the like; the only option is `?starttls=off`";
const IN_CLEAR: &str = "has `starttls=off`, which is for mail servers on this machine alone: links and passwords would cross the \
     network in clear text";

fn login(url: &Url) -> Result<Option<Login>, SmtpError> {
    let decoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| SmtpError::Url(FORM))
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, Some(password)) if !user.is_empty() && !password.is_empty() => Ok(Some(Login {
            user: decoded(user)?,
            password: Secret::new(decoded(password)?),
        })),
        _ => Err(SmtpError::Url("must name both a user and a password, or neither")),
    }
}

fn is_name(host: &str) -> bool {
    host.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'))
}

/// This machine (RFC 6761 section 6.3 for the name).
fn is_here(host: &str) -> bool {
    let name = host.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<SmtpConfig, SmtpError> {
        SmtpConfig::parse(&Secret::new(url))
    }

    #[test]
    fn an_address_names_the_server_the_way_and_the_login() {
        let read = parse("smtp://mailer%40example.com:p%3Ass@mail.example.com").unwrap();
        assert_eq!((read.host.as_str(), read.port), ("mail.example.com", 587));
        assert_eq!(read.privacy, Privacy::StartTls);
        let login = read.login.unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.expose()),
            ("mailer@example.com", "p:ss")
        );
        let read = parse("smtps://mail.example.com").unwrap();
        assert_eq!((read.port, read.privacy), (465, Privacy::Tls));
        let read = parse("smtps://[::1]:2525/").unwrap();
        assert_eq!((read.host.as_str(), read.port), ("::1", 2525));
    }

    #[test]
    fn clear_text_is_for_this_machine_alone() {
        for here in ["localhost", "mail.localhost", "127.0.0.1", "[::1]"] {
            let read = parse(&format!("smtp://{here}:25?starttls=off")).unwrap();
            assert_eq!(read.privacy, Privacy::None, "{here}");
        }
        for there in ["mail.example.com", "10.0.0.7", "localhost.example.com"] {
            let error = parse(&format!("smtp://{there}:25?starttls=off")).unwrap_err();
            assert!(error.to_string().contains("clear text"), "{there}");
        }
    }

    #[test]
    fn what_is_no_such_address_is_refused_and_not_quoted() {
        for wrong in [
            "smtp://",
            "smtp:mail.example.com",
            "smtp://hunter2@mail.example.com",
            "smtp://:hunter2@mail.example.com",
            "smtp://me:hunter2@mail.example.com/inbox",
            "smtp://me:hunter2@mail.example.com?tls=no",
            "smtps://me:hunter2@mail.example.com?starttls=off",
            "smtp://me:hunter2@mail.example.com#x",
            "smtp://me:hunter2@mail example.com",
            "smtp://me:%ff@mail.example.com",
            "http://me:hunter2@mail.example.com",
        ] {
            let error = parse(wrong).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{wrong}: {error}");
            assert_eq!(error.key(), "mail.url");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let read = parse("smtp://me:hunter2@mail.example.com").unwrap();
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
