//! Services that hear what happens to users: signed, again until they took it, and nobody waits for them.

use std::time::{Duration, Instant};

use e2e::{Counterparty, MailServer, Portcullis, Setup};
use serde_json::{Value, json};

/// What the specification uses as its example.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Longer than a claim holds that a killed server leaves behind.
const PATIENCE: Duration = Duration::from_secs(100);

fn telling(service: &Counterparty, events: &[&str]) -> Setup {
    Portcullis::setup().config(&webhook("shop", service, SECRET, events))
}

fn webhook(name: &str, service: &Counterparty, secret: &str, events: &[&str]) -> String {
    let url = format!("{}/hooks", service.address());
    format!(
        "[[webhooks]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = \"{secret}\"\nevents = {}\n",
        json!(events)
    )
}

async fn heard(service: &Counterparty) -> Vec<Value> {
    let told = service.tell("heard", &json!({})).await;
    told.as_array().expect("a list").clone()
}

/// All it heard, once it heard so much.
async fn once_heard(service: &Counterparty, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let heard = heard(service).await;
        if heard.len() >= count {
            return heard;
        }
        assert!(begun.elapsed() < PATIENCE, "it heard {heard:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn kinds(heard: &[Value]) -> Vec<&str> {
    heard
        .iter()
        .filter_map(|heard| heard["body"]["type"].as_str())
        .collect()
}

#[tokio::test]
async fn what_happens_to_users_is_told_signed_and_without_anything_of_theirs() {
    let service = Counterparty::hooks(SECRET).await;
    let events = ["user.*", "login.succeeded", "session.ended"];
    let setup = telling(&service, &events);
    let server = setup.start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    client
        .with(&token)
        .post(&ann.of_pool("logout"), json!({}))
        .await
        .expect(204)
        .done();
    let (status, said) = setup.run(&["user", "disable", &ann.id]).await;
    assert!(status.success(), "{said}");

    let heard = once_heard(&service, 4).await;
    let mut told = kinds(&heard);
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "login.succeeded",
            "session.ended",
            "user.disabled",
            "user.signed_up"
        ]
    );
    for event in &heard {
        assert_eq!(event["believed"], json!(true), "{event}");
        assert_eq!(
            (&event["body"]["data"]["user"], &event["body"]["data"]["pool"]),
            (&json!(ann.id), &json!("Users"))
        );
        let text = event.to_string();
        assert!(!text.contains(&ann.email) && !text.contains(&token), "{text}");
    }
    let by = |kind: &str| {
        let found = heard.iter().find(|event| event["body"]["type"] == kind);
        found.expect("it was told")["body"]["data"]["actor"]["kind"].clone()
    };
    assert_eq!(
        (by("login.succeeded"), by("user.disabled")),
        (json!("client"), json!("operator"))
    );
    assert!(!server.log().text().contains(&SECRET[6..]));
}

#[tokio::test]
async fn an_event_is_told_again_under_its_name_until_it_is_taken() {
    let service = Counterparty::hooks(SECRET).await;
    service.tell("says", &json!({ "status": 500, "times": 2 })).await;
    let server = telling(&service, &["user.signed_up"]).start().await;
    let ann = server.client().sign_up("ann").await;
    let heard = once_heard(&service, 3).await;
    for event in &heard {
        assert_eq!(
            (&event["id"], &event["believed"]),
            (&heard[0]["id"], &json!(true))
        );
        assert_eq!(event["body"]["data"]["user"], json!(ann.id));
    }
    let at = |place: usize| heard[place]["at"].as_i64().expect("a time");
    assert!(
        at(1) - at(0) >= 5_000 && at(2) - at(1) >= 10_000,
        "the waits grow: {heard:?}"
    );
    assert_ne!(heard[0]["timestamp"], heard[1]["timestamp"], "signed anew");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(once_heard(&service, 3).await.len(), 3, "and then no more");
}

#[tokio::test]
async fn an_event_survives_a_power_cut_and_goes_to_a_service_that_was_away() {
    let service = Counterparty::hooks(SECRET).await;
    service.tell("says", &json!({ "status": 0 })).await;
    let server = telling(&service, &["user.signed_up"]).start().await;
    let ann = server.client().sign_up("ann").await;
    // It is on the line when the power goes.
    once_heard(&service, 1).await;
    let server = server.kill_and_restart().await;
    service.tell("says", &json!({ "status": 204 })).await;
    let heard = once_heard(&service, 2).await;
    assert_eq!(heard[0]["id"], heard[1]["id"]);
    assert_eq!(heard[1]["body"]["data"]["user"], json!(ann.id));
    drop(server);
}

#[tokio::test]
async fn a_service_that_hangs_holds_up_neither_logins_nor_mails() {
    let service = Counterparty::hooks(SECRET).await;
    service.tell("says", &json!({ "status": 0 })).await;
    let mails = MailServer::start().await;
    let setup = telling(&service, &["user.signed_up"]).config(&mails.config());
    let server = setup.start().await;
    let client = server.client();
    // More than there are hands.
    for count in 0..12 {
        client.sign_up(&format!("user{count}")).await;
    }
    once_heard(&service, 8).await;
    let begun = Instant::now();
    let ann = client.sign_up("ann").await;
    drop(client.log_in(&ann).await);
    client
        .post("/api/Users/reset", json!({ "email": ann.email }))
        .await
        .expect(204)
        .done();
    drop(mails.mails_to(&ann.email, 1).await);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_service_that_hangs_takes_no_hands_from_another() {
    let (hangs, hears) = (
        Counterparty::hooks(SECRET).await,
        Counterparty::hooks(SECRET).await,
    );
    hangs.tell("says", &json!({ "status": 0 })).await;
    let events = ["user.signed_up"];
    let both = webhook("hangs", &hangs, SECRET, &events) + &webhook("hears", &hears, SECRET, &events);
    let server = Portcullis::with(&both).await;
    let client = server.client();
    // Were each waited for, eight at a time, it would take longer than we have patience.
    for count in 0..150 {
        client.sign_up(&format!("user{count}")).await;
    }
    assert_eq!(once_heard(&hears, 150).await.len(), 150);
}

#[tokio::test]
async fn while_a_secret_is_exchanged_the_service_may_know_either() {
    let new = "whsec_bmV3ZXN0LXNlY3JldC1vZi10aGUtc2hvcC0x";
    let (knows_old, knows_new) = (Counterparty::hooks(SECRET).await, Counterparty::hooks(new).await);
    let both = |name, service| {
        let lines = webhook(name, service, new, &["user.signed_up"]);
        format!("{lines}former_secret = \"{SECRET}\"\n")
    };
    let lines = both("old", &knows_old) + &both("new", &knows_new);
    let server = Portcullis::with(&lines).await;
    server.client().sign_up("ann").await;
    for service in [&knows_old, &knows_new] {
        assert_eq!(once_heard(service, 1).await[0]["believed"], json!(true));
    }
}

#[tokio::test]
async fn the_command_line_lists_them_and_tries_one() {
    let service = Counterparty::hooks(SECRET).await;
    let setup = telling(&service, &["identity.*"]);
    let (status, said) = setup.run(&["webhook", "list"]).await;
    assert!(
        status.success() && said.contains("shop") && said.contains("identity.linked"),
        "{said}"
    );
    assert!(!said.contains(&SECRET[6..]));
    let (status, said) = setup.run(&["webhook", "test", "shop"]).await;
    assert!(status.success(), "{said}");
    let heard = once_heard(&service, 1).await;
    assert_eq!(
        (kinds(&heard), &heard[0]["believed"]),
        (vec!["webhook.test"], &json!(true))
    );
    service.tell("says", &json!({ "status": 401 })).await;
    let (status, said) = setup.run(&["webhook", "test", "shop"]).await;
    assert!(!status.success() && said.contains("refused"), "{said}");
    let (status, said) = setup.run(&["webhook", "test", "shpo"]).await;
    assert!(!status.success() && said.contains("shop"), "{said}");
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_with_a_sentence() {
    let line = |key: &str, value: &str| {
        let mut lines = vec![
            ("name", "\"shop\"".to_owned()),
            ("url", "\"https://shop.example/hooks\"".to_owned()),
            ("secret", format!("\"{SECRET}\"")),
        ];
        lines.retain(|(name, _)| *name != key);
        let lines = lines.iter().map(|(name, value)| format!("{name} = {value}\n"));
        format!("[[webhooks]]\n{}{value}\n", lines.collect::<String>())
    };
    for (key, value, hint) in [
        ("url", "url = \"http://shop.example/\"", "https"),
        ("url", "", "missing"),
        ("secret", "", "missing"),
        ("secret", "secret = \"hunter2\"", "openssl rand"),
        ("events", "events = [\"user.sign_up\"]", "user.signed_up"),
        (
            "events",
            "events = [\"message.sent\"]",
            "each would cause the next",
        ),
        ("events", "events = [\"login.failed\"]", "who exists"),
        ("name", "name = \"my shop\"", "hyphens"),
    ] {
        let setup = Portcullis::setup().config(&line(key, value));
        let (status, said) = setup.run(&["check-config"]).await;
        assert!(!status.success() && said.contains(hint), "{key}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    let two = line("", "") + &line("", "");
    let (status, said) = Portcullis::setup().config(&two).run(&["check-config"]).await;
    assert!(!status.success() && said.contains("twice"), "{said}");
    let (status, said) = Portcullis::setup()
        .config(&line("", "pool = \"Staff\""))
        .run(&["check-config"])
        .await;
    assert!(!status.success() && said.contains("Staff"), "{said}");
}
