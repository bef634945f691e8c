//! What mail servers do wrong, and what becomes of the mail.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::time::{Duration, Instant};

use common::{config_of, mailer_at, mailer_of, send};
use domain::ports::{Delivery, PortError};
use e2e::MailServer;
use mail_smtp::SmtpMailer;
use serde_json::Value;

const ADA: &str = "ada@example.com";

fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let headers = mail["headers"].as_array().unwrap();
    headers
        .iter()
        .find(|header| header[0] == name)
        .map_or("", |header| header[1].as_str().unwrap())
}

fn is_unavailable(answer: &Result<Delivery, PortError>) -> bool {
    matches!(answer, Err(error) if error.may_pass())
}

#[tokio::test]
async fn a_mail_goes_out_encrypted_and_logged_in_and_says_what_it_is() {
    let server = MailServer::start().await;
    for url in [
        format!("smtp://mailer:mailer-secret@localhost:{}", server.port()),
        format!("smtps://mailer:mailer-secret@127.0.0.1:{}", server.tls_port()),
    ] {
        assert_eq!(
            send(&mailer_at(&server, &url), 1, ADA).await.unwrap(),
            Delivery::Sent,
            "{url}"
        );
    }
    for mail in server.mails().await {
        assert_eq!(
            (mail["tls"].as_bool(), mail["login"].as_str()),
            (Some(true), Some("mailer"))
        );
        assert_eq!(
            (mail["from"].as_str(), header(&mail, "To")),
            (Some("noreply@example.com"), ADA)
        );
        assert_eq!(header(&mail, "From"), "Example <noreply@example.com>");
        assert_eq!(header(&mail, "Message-ID"), "<message-1@example.com>");
        assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
        assert_eq!(mail["subject"], "Bitte bestätigen Sie Ihre E-Mail-Adresse");
        for form in ["text", "html"] {
            assert!(mail[form].as_str().unwrap().contains("token=number-1"), "{form}");
        }
    }
}

#[tokio::test]
async fn a_greylisted_mail_is_delivered_once_by_a_later_try() {
    let server = MailServer::start().await;
    let mailer = mailer_of(&server);
    server.fault("greylist", 1).await;
    let first = send(&mailer, 1, ADA).await.unwrap();
    assert_eq!(
        first,
        Delivery::NotNow {
            retry_after: None,
            reason: "deferred"
        }
    );
    assert!(server.mails().await.is_empty());
    assert_eq!(send(&mailer, 1, ADA).await.unwrap(), Delivery::Sent);
    assert_eq!(server.mails().await.len(), 1);
}

#[tokio::test]
async fn a_lasting_no_tells_the_mailbox_from_the_operator() {
    let server = MailServer::start().await;
    let mailer = mailer_of(&server);
    for (fault, expected) in [
        ("reject", Delivery::Unreachable { reason: "mailbox" }),
        ("relay-denied", Delivery::Refused { reason: "policy" }),
        ("sender-refused", Delivery::Refused { reason: "sender" }),
        ("reject-data", Delivery::Refused { reason: "content" }),
    ] {
        server.fault(fault, 1).await;
        assert_eq!(send(&mailer, 1, ADA).await.unwrap(), expected, "{fault}");
    }
    assert!(server.mails().await.is_empty());
    assert_eq!(
        send(&mailer, 1, ADA).await.unwrap(),
        Delivery::Sent,
        "nothing of it lasts"
    );
    let bounced = send(&mailer, 2, "bounce@example.com").await.unwrap();
    assert_eq!(bounced, Delivery::Unreachable { reason: "mailbox" });
}

#[tokio::test]
async fn a_line_that_breaks_before_the_text_was_told_sent_nothing() {
    let server = MailServer::start().await;
    server.fault("drop", 1).await;
    let answer = send(&mailer_of(&server), 1, ADA).await;
    assert!(is_unavailable(&answer), "{answer:?}");
    assert!(server.mails().await.is_empty());
}

#[tokio::test]
async fn a_line_that_was_closed_while_it_lay_idle_costs_nothing() {
    let server = MailServer::start().await;
    let mailer = mailer_of(&server);
    assert_eq!(send(&mailer, 1, ADA).await.unwrap(), Delivery::Sent);
    server.fault("drop", 1).await;
    assert_eq!(send(&mailer, 2, ADA).await.unwrap(), Delivery::Sent);
    assert_eq!(server.mails().await.len(), 2);
}

#[tokio::test]
async fn a_line_that_breaks_after_the_text_leaves_doubt_and_the_same_message_id() {
    let server = MailServer::start().await;
    let mailer = mailer_of(&server);
    server.fault("drop-data", 1).await;
    assert_eq!(send(&mailer, 1, ADA).await.unwrap(), Delivery::Unknown);
    assert_eq!(send(&mailer, 1, ADA).await.unwrap(), Delivery::Sent);
    let mails = server.mails_to(ADA, 2).await;
    assert_eq!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
}

#[tokio::test]
async fn a_slow_server_is_not_waited_for_without_end() {
    let server = MailServer::start().await;
    server.fault("slow", 1).await;
    let url = format!("smtp://localhost:{}", server.port());
    let mut config = config_of(&server, &url);
    assert!(
        config.patience < Duration::from_secs(30),
        "what the port asks for"
    );
    config.patience = Duration::from_secs(2);
    let begun = Instant::now();
    let answer = send(&SmtpMailer::open(&config).unwrap(), 1, ADA).await;
    assert_eq!(answer.unwrap(), Delivery::Unknown);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_and_nobody_logs_in() {
    let server = MailServer::start().await;
    server.fault("no-starttls", -1).await;
    let answer = send(&mailer_of(&server), 1, ADA).await;
    assert!(is_unavailable(&answer), "{answer:?}");
    assert!(server.mails().await.is_empty());
}

#[tokio::test]
async fn a_server_that_wants_tls_refuses_who_speaks_without() {
    let server = MailServer::start().await;
    server.fault("tls-required", -1).await;
    let plain = format!("smtp://localhost:{}?starttls=off", server.port());
    let answer = send(&mailer_at(&server, &plain), 1, ADA).await.unwrap();
    assert_eq!(
        answer,
        Delivery::Refused {
            reason: "credentials"
        }
    );
    assert_eq!(send(&mailer_of(&server), 1, ADA).await.unwrap(), Delivery::Sent);
    server.fault("", 0).await;
    assert_eq!(
        send(&mailer_at(&server, &plain), 2, ADA).await.unwrap(),
        Delivery::Sent
    );
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_is_refused() {
    for certificate in ["wrong-host", "untrusted", "expired"] {
        let server = MailServer::showing(certificate).await;
        for url in [
            format!("smtp://mailer:mailer-secret@localhost:{}", server.port()),
            format!("smtps://mailer:mailer-secret@localhost:{}", server.tls_port()),
        ] {
            let answer = send(&mailer_at(&server, &url), 1, ADA).await;
            assert!(is_unavailable(&answer), "{certificate}: {answer:?}");
        }
        assert!(server.mails().await.is_empty(), "{certificate}");
    }
}

#[tokio::test]
async fn an_authority_nobody_named_is_not_trusted() {
    let server = MailServer::start().await;
    let mut config = config_of(&server, &format!("smtp://localhost:{}", server.port()));
    config.ca_file = None;
    let answer = send(&SmtpMailer::open(&config).unwrap(), 1, ADA).await;
    assert!(is_unavailable(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_wrong_password_is_the_operators_affair_and_in_no_answer() {
    let server = MailServer::start().await;
    let url = format!("smtp://mailer:hunter2@localhost:{}", server.port());
    let answer = send(&mailer_at(&server, &url), 1, ADA).await.unwrap();
    assert_eq!(
        answer,
        Delivery::Refused {
            reason: "credentials"
        }
    );
    server.fault("auth-fail", 1).await;
    let mailer = mailer_of(&server);
    assert_eq!(
        send(&mailer, 1, ADA).await.unwrap(),
        Delivery::Refused {
            reason: "credentials"
        }
    );
    assert_eq!(send(&mailer, 1, ADA).await.unwrap(), Delivery::Sent);
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let server = MailServer::start().await;
    server.fault("no-smtputf8", -1).await;
    let mailer = mailer_of(&server);
    let answer = send(&mailer, 1, "zoë@bücher.example").await.unwrap();
    assert_eq!(
        answer,
        Delivery::Unreachable {
            reason: "no_smtputf8"
        }
    );
    assert_eq!(
        send(&mailer, 2, "ada@bücher.example").await.unwrap(),
        Delivery::Sent
    );
    let mails = server.mails_to("ada@xn--bcher-kva.example", 1).await;
    assert_eq!(header(&mails[0], "To"), "ada@xn--bcher-kva.example");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let server = MailServer::start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for url in [
        format!("smtp://127.0.0.1:{free}"),
        format!("smtps://127.0.0.1:{free}"),
    ] {
        let answer = send(&mailer_at(&server, &url), 1, ADA).await;
        assert!(is_unavailable(&answer), "{answer:?}");
    }
}

#[tokio::test]
async fn answers_put_in_front_of_tls_are_not_believed() {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    let server = MailServer::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Somebody on the way, who cannot break TLS but can speak before it begins.
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut heard = String::new();
        stream.write_all(b"220 mail.test\r\n").await.unwrap();
        stream.read_line(&mut heard).await.unwrap();
        stream
            .write_all(b"250-mail.test\r\n250 STARTTLS\r\n")
            .await
            .unwrap();
        stream.read_line(&mut heard).await.unwrap();
        stream
            .write_all(b"220 go ahead\r\n250-injected\r\n250 AUTH LOGIN\r\n")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
    });
    let begun = Instant::now();
    let answer = send(&mailer_at(&server, &format!("smtp://localhost:{port}")), 1, ADA).await;
    assert!(is_unavailable(&answer), "{answer:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "the handshake fails at once"
    );
}

#[test]
fn what_cannot_be_used_is_said_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let url = domain::secret::Secret::new("smtp://localhost");
    let config = mail_smtp::SmtpConfig::parse(&url).unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    let broken = folder.path().join("templates");
    std::fs::create_dir_all(broken.join("de")).unwrap();
    std::fs::write(broken.join("de/verify_email.txt"), "A\n\n{{ lnik }}").unwrap();
    let with = |change: &dyn Fn(&mut mail_smtp::SmtpConfig)| {
        let mut config = config.clone();
        change(&mut config);
        let error = SmtpMailer::open(&config).unwrap_err();
        (error.key(), error.to_string())
    };
    assert_eq!(with(&|config| config.from = "nobody".to_owned()).0, "mail.from");
    assert_eq!(
        with(&|config| config.ca_file = Some(folder.path().join("gone.pem"))).0,
        "mail.ca_file"
    );
    let (key, why) = with(&|config| config.ca_file = Some(empty.clone()));
    assert!(key == "mail.ca_file" && why.contains("no certificate"), "{why}");
    let (key, why) = with(&|config| config.templates_dir = Some(broken.clone()));
    assert!(
        key == "mail.templates_dir" && why.contains("de/verify_email.txt, line 3"),
        "{why}"
    );
}
