//! Codes by text message: through the gateway, once, or with a reason why not.

use std::time::{Duration, Instant};

use e2e::{Client, Counterparty, PASSWORD, Person, Portcullis, Reply, Setup};
use serde_json::{Value, json};

use crate::two_factor::{EMPLOYEES, type_code};

const NUMBER: &str = "+491701234567";

/// A server that sends its codes by this gateway.
fn by(gateway: &Counterparty) -> Setup {
    by_with(gateway, "ABCDEF0123456789")
}

fn by_with(gateway: &Counterparty, secret: &str) -> Setup {
    let lines = format!(
        "[sms]\nkind = \"nexmo\"\napi_key = \"abcd1234\"\napi_secret = \"{secret}\"\nfrom = \"Portcullis\"\nbase_url = \"{}\"",
        gateway.address()
    );
    Portcullis::setup().config(&lines).config(EMPLOYEES)
}

/// Somebody who gets codes at this number.
async fn employee(client: &Client, name: &str, number: &str) -> Person {
    let email = format!("{name}@example.com");
    let person = json!({ "email": email, "password": PASSWORD, "phone": number });
    let id = client.post("/api/Employees", person).await.expect(200).at("id");
    Person {
        pool: "/api/Employees".to_owned(),
        id,
        email,
        password: PASSWORD.to_owned(),
    }
}

async fn ask_for_code(client: &Client, person: &Person) -> Reply {
    let body = json!({ "email": person.email, "password": person.password });
    client.post("/api/Employees/requestCode", body).await
}

/// What the gateway took, all of it.
async fn taken(gateway: &Counterparty) -> Vec<Value> {
    let told = gateway.tell("messages", &json!({})).await;
    told.as_array().unwrap().clone()
}

async fn attempts(gateway: &Counterparty) -> usize {
    gateway
        .tell("attempts", &json!({}))
        .await
        .as_array()
        .unwrap()
        .len()
}

/// What comes, once so many messages were taken.
async fn taken_once_there_are(gateway: &Counterparty, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let messages = taken(gateway).await;
        if messages.len() >= count {
            return messages;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "only {messages:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn code_in(message: &Value) -> String {
    let text = message["text"].as_str().unwrap();
    text.rsplit(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_that_came_by_the_gateway_logs_in() {
    let gateway = Counterparty::sms().await;
    let server = by(&gateway).start().await;
    let client = server.client();
    let ann = employee(&client, "ann", NUMBER).await;
    ask_for_code(&client, &ann).await.expect(200).done();
    let messages = taken(&gateway).await;
    assert_eq!(messages.len(), 1, "it is taken before the answer: {messages:?}");
    let (message, code) = (&messages[0], code_in(&messages[0]));
    assert_eq!(message["to"], "491701234567");
    assert_eq!(message["from"], "Portcullis");
    assert_eq!(message["text"], format!("Your verification code is {code}"));
    type_code(&client, &ann, &*code).await.expect(200).done();
    assert_eq!(server.console().codes_in_all(), 0, "nothing is on the console");
    let log = server.log().text();
    assert!(!log.contains(&code) && !log.contains("1701234567"));
}

#[tokio::test]
async fn a_number_is_confirmed_by_the_gateway() {
    let gateway = Counterparty::sms().await;
    let server = by(&gateway).start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let me = client.with(&client.log_in(&ann).await);
    let number = json!({ "phone": NUMBER, "currentPassword": PASSWORD });
    me.patch(&ann.path(), number).await.expect(200).done();
    let asking = format!("{}/phone/send-code", ann.path());
    me.post(&asking, json!({})).await.expect(200).done();
    let code = code_in(&taken(&gateway).await[0]);
    let confirming = format!("{}/phone/confirm", ann.path());
    let confirmed = me.post(&confirming, json!({ "code": code })).await.expect(200);
    assert_eq!(confirmed.json()["phoneConfirmed"], true);
}

#[tokio::test]
async fn a_throttled_code_arrives_and_arrives_once() {
    let gateway = Counterparty::sms().await;
    let server = by(&gateway).start().await;
    let client = server.client();
    let ann = employee(&client, "ann", NUMBER).await;
    for fault in ["status-1", "http-429", "status-5"] {
        gateway.tell("forget", &json!({})).await;
        gateway.tell(&format!("fault?name={fault}"), &json!({})).await;
        ask_for_code(&client, &ann).await.expect(200).done();
        let messages = taken_once_there_are(&gateway, 1).await;
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(taken(&gateway).await.len(), 1, "{fault}");
        assert_eq!(attempts(&gateway).await, 2, "{fault}");
        let code = code_in(&messages[0]);
        type_code(&client, &ann, &*code).await.expect(200).done();
    }
}

#[tokio::test]
async fn a_code_in_doubt_is_not_sent_again_and_another_may_be_asked_for() {
    let gateway = Counterparty::sms().await;
    let server = by(&gateway).start().await;
    let client = server.client();
    let ann = employee(&client, "ann", NUMBER).await;
    for fault in [
        "drop&taken=1",
        "html&taken=1",
        "http-502&taken=1",
        "partial&taken=1",
    ] {
        gateway.tell("forget", &json!({})).await;
        gateway.tell(&format!("fault?name={fault}"), &json!({})).await;
        ask_for_code(&client, &ann).await.expect(200).done();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(
            (taken(&gateway).await.len(), attempts(&gateway).await),
            (1, 1),
            "{fault}"
        );
    }
    ask_for_code(&client, &ann).await.expect(200).done();
    let messages = taken_once_there_are(&gateway, 2).await;
    type_code(&client, &ann, code_in(&messages[1]))
        .await
        .expect(200)
        .done();
}

#[tokio::test]
async fn a_number_that_cannot_be_reached_is_told() {
    let gateway = Counterparty::sms().await;
    let server = by(&gateway).start().await;
    let client = server.client();
    // Unroutable, barred, deactivated; a number that no network has.
    for (name, number) in [
        ("ann", "+491701230006"),
        ("bob", "+491701230007"),
        ("eve", "+491701230033"),
        ("kim", "+447700900123"),
    ] {
        let person = employee(&client, name, number).await;
        let refused = ask_for_code(&client, &person).await;
        refused.refused(422, "PHONE_UNREACHABLE");
        assert!(!refused.text.contains(&number[6..]));
    }
    assert_eq!(taken(&gateway).await, Vec::<Value>::new());
    assert_eq!(attempts(&gateway).await, 3);
}

#[tokio::test]
async fn a_gateway_that_refuses_us_is_for_the_operator() {
    let gateway = Counterparty::sms().await;
    let server = by_with(&gateway, "another-secret").start().await;
    let client = server.client();
    let ann = employee(&client, "ann", NUMBER).await;
    for _ in 0..2 {
        let refused = ask_for_code(&client, &ann).await.expect(503);
        assert!(!refused.header("retry-after").is_empty());
        assert!(!refused.text.contains("credentials"), "strangers need not know");
    }
    let log = server.log();
    log.wait("the audit event", 0, |line| {
        line.contains("message.carrier_refused").then_some(())
    })
    .await;
    let alarms = log
        .lines()
        .into_iter()
        .filter(|line| line.contains("somebody has to look"));
    assert_eq!(alarms.count(), 1, "one for both");
    assert!(!log.text().contains("another-secret"));
}

#[tokio::test]
async fn no_power_cut_sends_a_code_twice() {
    let gateway = Counterparty::sms().await;
    // Longer than a claim holds: it is not void when it is found.
    let mut server = by(&gateway).config("code_lifetime = 300").start().await;
    let client = server.client();
    let ann = employee(&client, "ann", NUMBER).await;
    // Taken, and the answer never comes.
    gateway.tell("fault?name=slow&taken=1", &json!({})).await;
    let asking = client.request("POST", "/api/Employees/requestCode");
    let asking = asking.json(&json!({ "email": ann.email, "password": PASSWORD }));
    let waiting = tokio::spawn(async move { client.try_send(asking).await.is_err() });
    let sent = taken_once_there_are(&gateway, 1).await;
    server.kill();
    assert!(waiting.await.unwrap(), "no answer either");
    let server = server.same_setup().start().await;
    // Whoever took the message may be on it for a minute; then it is found, and given up.
    let begun = Instant::now();
    while !server.log().text().contains("in_doubt") {
        assert!(begun.elapsed() < Duration::from_secs(100), "nobody found it");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(attempts(&gateway).await, 1);
    // The code itself is as good as it was.
    let client = server.client();
    type_code(&client, &ann, code_in(&sent[0]))
        .await
        .expect(200)
        .done();
}

#[tokio::test]
async fn a_code_that_was_not_taken_survives_a_power_cut() {
    let gateway = Counterparty::sms().await;
    let mut server = by(&gateway).start().await;
    let client = server.client();
    let ann = employee(&client, "ann", NUMBER).await;
    gateway.tell("fault?name=status-1&times=2", &json!({})).await;
    ask_for_code(&client, &ann).await.expect(200).done();
    server.kill();
    gateway.tell("fault?name=none", &json!({})).await;
    let server = server.same_setup().start().await;
    let messages = taken_once_there_are(&gateway, 1).await;
    let client = server.client();
    type_code(&client, &ann, code_in(&messages[0]))
        .await
        .expect(200)
        .done();
    assert_eq!(taken(&gateway).await.len(), 1);
}

/// Somebody who earns by text messages to a far country (SMS pumping) has a budget, which nobody elsewhere pays for.
#[tokio::test]
async fn codes_to_one_country_use_up_that_countrys_budget_alone() {
    let gateway = Counterparty::sms().await;
    let budget = "[limits.code_sends_per_country]\nburst = 3\nper_seconds = 3600";
    let server = by(&gateway).config(budget).limited().start().await;
    for n in 0..5 {
        let client = server.client_from(&format!("127.0.1.{}", n + 1));
        let person = employee(&client, &format!("pump{n}"), &format!("+34612345{n}78")).await;
        let asked = ask_for_code(&client, &person).await;
        assert_eq!(asked.status, if n < 3 { 200 } else { 429 }, "{n}: {}", asked.text);
    }
    let client = server.client();
    let ann = employee(&client, "ann", NUMBER).await;
    ask_for_code(&client, &ann).await.expect(200).done();
    assert_eq!(taken(&gateway).await.len(), 4);
}

#[tokio::test]
async fn what_nexmo_cannot_do_without_is_named() {
    for (lines, told) in [
        (
            "",
            "`sms.api_key`: is missing: `nexmo` cannot do without it, nor without `sms.api_secret`, nor without `sms.from`",
        ),
        ("api_key = \"k\"\napi_secret = \"s\"", "`sms.from`: is missing"),
        (
            "api_key = \"k\"\napi_secret = \"s\"\nfrom = \"A name that is too long\"",
            "`sms.from`: a sender is",
        ),
    ] {
        let config = format!("[sms]\nkind = \"nexmo\"\n{lines}");
        let setup = Portcullis::setup().config(&config);
        let (status, output) = setup.run(&["check-config"]).await;
        assert!(!status.success() && output.contains(told), "{output}");
    }
}
