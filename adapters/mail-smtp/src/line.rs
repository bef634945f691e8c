//! One conversation with a mail server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Privacy, SmtpConfig, SmtpError, refused};
use crate::letter::Letter;
use crate::stream::LineByLine;
use crate::trouble::{Stage, Trouble};

/// How long a server may take to answer the telephone.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a good-bye may take.
const QUIT: Duration = Duration::from_secs(1);

/// How a server is reached.
pub struct Way {
    host: String,
    port: u16,
    security: Security,
    login: Option<Credentials>,
    hello: ClientId,
}

enum Security {
    Wrapped(TlsParameters),
    Upgraded(TlsParameters),
    None,
}

impl Way {
    /// Makes ready to connect.
    ///
    /// # Errors
    /// [`SmtpError`]: authorities that cannot be used.
    pub fn new(config: &SmtpConfig) -> Result<Self, SmtpError> {
        let login = config.login.as_ref();
        Ok(Self {
            host: config.host.clone(),
            port: config.port,
            security: match config.privacy {
                Privacy::Tls => Security::Wrapped(tls(config)?),
                Privacy::StartTls => Security::Upgraded(tls(config)?),
                Privacy::None => Security::None,
            },
            login: login
                .map(|login| Credentials::new(login.user.clone(), login.password.expose().to_owned())),
            hello: ClientId::default(),
        })
    }

    /// A line to the server, secured and logged in.
    ///
    /// # Errors
    /// [`Trouble`]
    pub async fn open(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let mut line = match &self.security {
            Security::Wrapped(tls) => {
                let place = (self.host.as_str(), self.port);
                let opened = AsyncSmtpConnection::connect_tokio1(
                    place,
                    Some(CONNECT),
                    &self.hello,
                    Some(tls.clone()),
                    None,
                );
                opened.await.map_err(|error| Trouble::of(Stage::Hello, &error))?
            }
            Security::Upgraded(tls) => {
                let mut line = self.open_plain().await?;
                if !line.can_starttls() {
                    return Err(Trouble::broken(
                        Stage::Hello,
                        "the mail server offers no STARTTLS",
                    ));
                }
                let upgraded = line.starttls(tls.clone(), &self.hello).await;
                upgraded.map_err(|error| Trouble::of(Stage::Hello, &error))?;
                line
            }
            Security::None => self.open_plain().await?,
        };
        if let Some(login) = &self.login {
            let logged_in = line.auth(&[Mechanism::Plain, Mechanism::Login], login).await;
            logged_in.map_err(|error| Trouble::of(Stage::Login, &error))?;
        }
        Ok(line)
    }

    async fn open_plain(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let place = (self.host.as_str(), self.port);
        let broken = |why: &dyn std::fmt::Display| Trouble::broken(Stage::Hello, why);
        let connected = timeout(CONNECT, TcpStream::connect(place)).await;
        let stream = connected
            .map_err(|_| broken(&"the mail server does not answer"))?
            .map_err(|error| broken(&error))?;
        let stream = Box::new(LineByLine::new(stream));
        let greeted = AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await;
        greeted.map_err(|error| Trouble::of(Stage::Hello, &error))
    }
}

fn tls(config: &SmtpConfig) -> Result<TlsParameters, SmtpError> {
    let mut builder: TlsParametersBuilder = TlsParameters::builder(config.host.clone());
    if let (Some(pem), Some(file)) = (config.authorities()?, &config.ca_file) {
        let none = || refused(file, "there is no certificate in it".to_owned());
        if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
            return Err(none());
        }
        let authorities = Certificate::from_pem(&pem).map_err(|_| none())?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(authorities);
        return builder.build().map_err(|error| refused(file, error.to_string()));
    }
    builder.build().map_err(|error| SmtpError::Tls(error.to_string()))
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Hands a letter over. `told` says from when on the server may have it.
///
/// # Errors
/// [`Trouble`]; the line is of no use then.
pub async fn hand_over(
    line: &mut AsyncSmtpConnection,
    letter: &Letter,
    told: &AtomicBool,
) -> Result<(), Trouble> {
    let knows = |extension| line.server_info().supports_feature(extension);
    let mut options = Vec::new();
    if letter.wants_utf8 {
        if !knows(Extension::SmtpUtfEight) {
            return Err(Trouble::NoUtf8);
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !letter.bytes.is_ascii() && knows(Extension::EightBitMime) {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = line.command(Mail::new(Some(letter.from.clone()), options)).await;
    from.map_err(|error| Trouble::of(Stage::Sender, &error))?;
    let to = line.command(Rcpt::new(letter.to.clone(), Vec::new())).await;
    to.map_err(|error| Trouble::of(Stage::Receiver, &error))?;
    let data = line.command(Data).await;
    data.map_err(|error| Trouble::of(Stage::Data, &error))?;
    told.store(true, Ordering::Relaxed);
    let taken = line.message(&letter.bytes).await;
    taken.map_err(|error| Trouble::of(Stage::Text, &error))?;
    Ok(())
}

/// Says good-bye, if that is still of use.
pub async fn close(mut line: AsyncSmtpConnection) {
    let _ = timeout(QUIT, line.quit()).await;
}
