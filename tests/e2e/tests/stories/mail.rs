//! Mail by a real mail server, in the receiver's language, whatever goes wrong on the way.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use e2e::{Client, MailServer, PASSWORD, Person, Portcullis};
use serde_json::{Value, json};

/// Signs somebody up who reads that language.
async fn reader_of(client: &Client, language: &str, name: &str) -> Person {
    let email = format!("{name}@example.com");
    let body = json!({ "email": email, "password": PASSWORD, "language": language });
    let reply = client.post("/api/Users", body).await.expect(200);
    Person {
        pool: "/api/Users".to_owned(),
        id: reply.at("id"),
        email,
        password: PASSWORD.to_owned(),
    }
}

async fn ask_for_reset(client: &Client, person: &Person) {
    let asked = client
        .post("/api/Users/reset", json!({ "email": person.email }))
        .await;
    asked.expect(204).done();
}

fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let headers = mail["headers"].as_array().unwrap();
    let found = headers.iter().find(|header| header[0] == name);
    found.and_then(|header| header[1].as_str()).unwrap_or_default()
}

fn text<'a>(mail: &'a Value, form: &str) -> &'a str {
    mail[form].as_str().unwrap()
}

#[tokio::test]
async fn a_verification_a_reset_and_a_notice_arrive_in_german() {
    let mailbox = MailServer::start().await;
    let server = Portcullis::with(&mailbox.config()).await;
    let client = server.client();
    let ann = reader_of(&client, "de-AT", "ann").await;
    client
        .post(&format!("{}/verify", ann.path()), json!({}))
        .await
        .expect(204)
        .done();
    mailbox.mails_to(&ann.email, 1).await;
    ask_for_reset(&client, &ann).await;
    mailbox.mails_to(&ann.email, 2).await;
    let change = json!({ "oldPassword": PASSWORD, "newPassword": "another long password" });
    let me = client.with(&client.log_in(&ann).await);
    me.post("/api/Users/change-password", change)
        .await
        .expect(204)
        .done();
    let changed = "Ihr Passwort wurde geändert";
    let expected = [
        "Bitte bestätigen Sie Ihre E-Mail-Adresse",
        "Neues Passwort wählen",
        changed,
    ];
    // A login from a device that is not known yet may tell as well.
    let mails = loop {
        let mails = mailbox.mails_to(&ann.email, 3).await;
        if mails.iter().any(|mail| mail["subject"] == changed) {
            break mails;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let subjects: Vec<&str> = mails.iter().map(|mail| text(mail, "subject")).collect();
    assert!(
        expected.iter().all(|subject| subjects.contains(subject)),
        "{subjects:?}"
    );
    for mail in &mails {
        assert_eq!(
            (mail["tls"].as_bool(), mail["login"].as_str()),
            (Some(true), Some("mailer"))
        );
        assert_eq!(mail["to"], json!([ann.email]));
        assert_eq!(header(mail, "From"), "Example <noreply@example.com>");
        assert!(text(mail, "html").contains("<html lang=\"de\">"), "{mail}");
        assert!(text(mail, "text").contains("Sie"), "{mail}");
    }
    for (mail, page) in [(&mails[0], "/verify?"), (&mails[1], "/reset?")] {
        let link = format!(
            "\n    {}{page}",
            server.address().replace("127.0.0.1", "localhost")
        );
        assert!(text(mail, "text").contains(&link), "{}", text(mail, "text"));
    }
    assert!(
        text(&mails[1], "text").contains("15 Minuten lang"),
        "{}",
        text(&mails[1], "text")
    );
    let log = server.log().text();
    assert!(
        !log.contains("token=") && !log.contains("mailer-secret"),
        "a link or a password is logged"
    );
}

#[tokio::test]
async fn a_greylisted_mail_arrives_later_and_once() {
    let mailbox = MailServer::start().await;
    let server = Portcullis::with(&mailbox.config()).await;
    let client = server.client();
    let ann = reader_of(&client, "en", "ann").await;
    mailbox.fault("greylist", 1).await;
    ask_for_reset(&client, &ann).await;
    let mails = mailbox.mails_to(&ann.email, 1).await;
    assert_eq!(mails[0]["subject"], "Choose a new password");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(mailbox.mails().await.len(), 1);
}

#[tokio::test]
async fn mails_in_the_outbox_survive_kill_9() {
    let mailbox = MailServer::start().await;
    let mut server = Portcullis::with(&mailbox.config()).await;
    let client = server.client();
    mailbox.fault("greylist", -1).await;
    let mut readers = Vec::new();
    for name in ["ann", "ben", "eve"] {
        let reader = reader_of(&client, "es", name).await;
        ask_for_reset(&client, &reader).await;
        readers.push(reader);
    }
    server.kill();
    assert!(mailbox.mails().await.is_empty());
    mailbox.fault("", 0).await;
    let _server = server.same_setup().start().await;
    let mut ids = BTreeSet::new();
    for reader in &readers {
        let mails = mailbox.mails_to(&reader.email, 1).await;
        assert_eq!(mails[0]["subject"], "Elige una contraseña nueva");
        ids.insert(header(&mails[0], "Message-ID").to_owned());
    }
    assert_eq!(
        (ids.len(), mailbox.mails().await.len()),
        (readers.len(), readers.len())
    );
}

#[tokio::test]
async fn a_mail_that_may_have_arrived_is_sent_again_under_the_same_name() {
    let mailbox = MailServer::start().await;
    let server = Portcullis::with(&mailbox.config()).await;
    let client = server.client();
    let ann = reader_of(&client, "zh", "ann").await;
    mailbox.fault("drop-data", 1).await;
    ask_for_reset(&client, &ann).await;
    let mails = mailbox.mails_to(&ann.email, 2).await;
    assert_eq!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
    assert_eq!(text(&mails[0], "text"), text(&mails[1], "text"));
    assert_eq!(mails[0]["subject"], "设置新密码");
}

#[tokio::test]
async fn how_long_a_mail_server_takes_tells_nobody_who_exists() {
    let mailbox = MailServer::start().await;
    let server = Portcullis::with(&mailbox.config()).await;
    let client = server.client();
    let ann = reader_of(&client, "en", "ann").await;
    mailbox.fault("slow", -1).await;
    let begun = Instant::now();
    for _ in 0..3 {
        ask_for_reset(&client, &ann).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn nothing_is_sent_to_a_mail_server_that_proves_nothing() {
    let mailbox = MailServer::showing("untrusted").await;
    let server = Portcullis::with(&mailbox.config()).await;
    let client = server.client();
    let ann = reader_of(&client, "en", "ann").await;
    ask_for_reset(&client, &ann).await;
    let noted = |line: &str| line.contains("the line to the mail server broke").then_some(());
    server.log().wait("the refusal", 0, noted).await;
    assert!(mailbox.mails().await.is_empty());
}

#[tokio::test]
async fn a_broken_template_is_found_before_the_server_starts() {
    let config = "[mail]\nurl = \"smtp://mailer:mailer-secret@localhost\"\ntemplates_dir = \"mail\"\n";
    let setup = Portcullis::setup().config(config);
    let folder = setup.home().join("mail/de");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("verify_email.txt"), "Hallo\n\n{{ lnik }}\n").unwrap();
    for command in [&["check-config"][..], &[]] {
        let (status, said) = setup.run(command).await;
        assert!(!status.success(), "{said}");
        assert!(said.contains("mail/de/verify_email.txt, line 3"), "{said}");
        assert!(!said.contains("mailer-secret"), "{said}");
    }
    std::fs::write(
        folder.join("verify_email.txt"),
        "Hallo von {{ service }}\n\n{{ link }}\n",
    )
    .unwrap();
    let (status, said) = setup.run(&["check-config"]).await;
    assert!(status.success(), "{said}");
}
