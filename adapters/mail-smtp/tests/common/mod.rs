//! What the tests against a real mail server share.

use std::time::Duration;

use domain::id::{MessageId, PoolName, UserId, UserKey};
use domain::message::{MailKind, MailMessage};
use domain::ports::{Delivery, Mailer, PortError};
use domain::secret::Secret;
use domain::user::Email;
use e2e::MailServer;
use mail_smtp::{SmtpConfig, SmtpMailer};

/// How a mailer is set up that trusts that server's authority, at that address of it.
pub fn config_of(server: &MailServer, url: &str) -> SmtpConfig {
    let mut config = SmtpConfig::parse(&Secret::new(url)).unwrap();
    config.ca_file = Some(server.ca_file());
    "Example <noreply@example.com>".clone_into(&mut config.from);
    "Example".clone_into(&mut config.service_name);
    config
}

/// A mailer by STARTTLS that logs in, as most are.
pub fn mailer_of(server: &MailServer) -> SmtpMailer {
    mailer_at(
        server,
        &format!("smtp://mailer:mailer-secret@localhost:{}", server.port()),
    )
}

/// A mailer at that address.
pub fn mailer_at(server: &MailServer, url: &str) -> SmtpMailer {
    let mut config = config_of(server, url);
    config.patience = Duration::from_secs(5);
    SmtpMailer::open(&config).unwrap()
}

/// Sends a mail; the same number names the same mail.
pub async fn send(mailer: &SmtpMailer, number: u32, to: &str) -> Result<Delivery, PortError> {
    let message = MailMessage {
        user: UserKey::new(PoolName::new("Users"), UserId::new("1")),
        to: Email::parse(to, true).unwrap(),
        kind: MailKind::VerifyEmail {
            link: Secret::new(format!("https://login.example.com/verify?token=number-{number}")),
        },
        language: "de".to_owned(),
    };
    mailer
        .send(&MessageId::new(format!("message-{number}")), &message)
        .await
}
