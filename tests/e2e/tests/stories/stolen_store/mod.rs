//! Somebody has all that the stores hold, but not the key file: no second factor, no token of a provider, no session.

mod dump;
mod household;
mod search;

use std::time::{Duration, Instant};

use e2e::{Client, Counterparty, MailServer, PASSWORD, Person, Portcullis, in_link};
use serde_json::json;

use crate::factors::app_code;
use household::{Household, VERIFIER, log_in_by_app};
use search::{Haystack, hashes, hex};

/// So many of the longest words of a copy are tried at every door.
const WORDS: usize = 150;

/// What anybody may read in a copy: without it the search would prove nothing.
const PLAIN: [&str; 8] = [
    "ann@example.com",
    "benjamin@example.com",
    "carol@example.test",
    "+447700900123",
    "alice",
    "Printer",
    "$argon2id$",
    "pending_login",
];

#[tokio::test]
async fn whoever_copied_the_stores_finds_no_secret_in_them() {
    let mut house = Household::new().await;
    house.server.kill();
    let copy = Haystack::of(&dump::of(&house.server.same_setup()).await);
    for plain in PLAIN {
        assert!(copy.holds(plain), "{plain} is not in the copy, so it is none");
    }
    assert!(
        copy.betrays("ann@example.com").is_some(),
        "the search finds nothing"
    );
    for (what, token) in &house.seen.live {
        assert!(copy.knows(token), "the copy does not know {what}, so it is none");
    }
    assert!(
        house.seen.secrets.len() > 50 && house.seen.codes.len() > 4,
        "{}",
        house.seen.secrets.len()
    );
    let found = house.seen.secrets.iter().filter_map(|(what, secret)| {
        let spelling = copy.betrays(secret)?;
        Some(format!("{what}, {secret}, as {spelling}"))
    });
    let codes = house.seen.codes.iter();
    let codes = codes.filter(|(_, code)| copy.betrays_code(code));
    let found: Vec<String> = found
        .chain(codes.map(|(what, code)| format!("{what}, {code}")))
        .collect();
    assert!(found.is_empty(), "in the copy stand\n{}", found.join("\n"));
}

/// The statuses of every door at which a word of the copy may be shown.
async fn doors(client: &Client, ann: &Person, word: &str) -> Vec<(&'static str, u16)> {
    let new = json!({ "newPassword": "the thief was here" });
    let bearer = client.with(word);
    let confirm = format!("/api/Users/confirm?uid={}&token={word}", ann.id);
    let mut answers = vec![
        ("session", bearer.get(&ann.path()).await),
        ("reset", bearer.post("/api/Users/reset-password", new).await),
        ("verification", client.get(&confirm).await),
    ];
    for (call, body) in [
        ("refresh", json!({ "refreshToken": word })),
        ("loginWithLink", json!({ "token": word })),
        ("revertEmail", json!({ "token": word })),
        (
            "loginWithCode",
            json!({ "challenge": word, "twofactor": "000000" }),
        ),
        (
            "loginWithPasskey",
            json!({ "ceremony": word, "credential": { "id": word } }),
        ),
        ("exchange", json!({ "code": word, "code_verifier": VERIFIER })),
        ("join/decline", json!({ "join": word })),
    ] {
        answers.push((call, client.post(&ann.of_pool(call), body).await));
    }
    let request = client.request("GET", "/auth/check");
    let request = request.header("Cookie", format!("portcullis={word}"));
    answers.push(("cookie", client.send(request).await));
    answers
        .into_iter()
        .map(|(door, reply)| (door, reply.status))
        .collect()
}

async fn nothing_opens(client: &Client, ann: &Person, words: &[String]) {
    for word in words {
        for (door, status) in doors(client, ann, word).await {
            assert!((400..=401).contains(&status), "{word} at {door}: {status}");
        }
    }
}

/// Whoever says it is a device that Ann trusts still needs a second factor.
async fn no_device_is_trusted(client: &Client, ann: &Person, token: &str) {
    for word in hashes(token).into_iter().filter(|word| word.is_ascii()) {
        let request = client.request("POST", "/api/Users/login");
        let request = request.header("X-Device-Token", word);
        let body = json!({ "email": ann.email, "password": PASSWORD });
        let reply = client.send(request.json(&body)).await;
        reply.refused(401, "SECOND_FACTOR_REQUIRED");
    }
}

/// What only the key opens: not even who knows the rest gets it out of a copy at a server of their own.
async fn the_key_is_missing(house: &Household, thief: &Client) {
    let ann = &house.ann;
    let by_app = log_in_by_app(thief, ann, &app_code(&house.app, 1)).await;
    assert!(
        by_app.status >= 400,
        "an app's secret was opened: {}",
        by_app.text
    );
    let body = json!({ "challenge": house.seen.token("challenge"), "twofactor": house.code });
    let by_code = thief.post("/api/Users/loginWithCode", body).await;
    by_code.refused(401, "LOGIN_FAILED");
    for entry in ["mine", "bird"] {
        let path = format!("{}/credentials/{entry}/token", ann.path());
        let session = thief.with(house.seen.token("session"));
        let token = session.post(&path, json!({})).await;
        assert!(
            token.status >= 400,
            "a provider's token was opened: {}",
            token.text
        );
    }
}

/// With the key everything is as it was.
async fn all_is_well(house: &mut Household) {
    let (client, ann) = (house.server.client(), house.ann.clone());
    assert!(client.opens(house.seen.token("session"), &ann).await);
    let token = |what: &str| house.seen.token(what).to_owned();
    let path = format!("{}/credentials/mine/token", ann.path());
    let session = client.with(&token("session"));
    session.post(&path, json!({})).await.expect(200).done();
    let body = json!({ "challenge": token("challenge"), "twofactor": house.code });
    for (call, body, status) in [
        ("refresh", json!({ "refreshToken": token("refresh") }), 200),
        ("loginWithCode", body, 200),
        (
            "exchange",
            json!({ "code": token("exchange"), "code_verifier": VERIFIER }),
            200,
        ),
        ("revertEmail", json!({ "token": token("way back") }), 204),
    ] {
        let reply = client.post(&ann.of_pool(call), body).await;
        assert_eq!(reply.status, status, "{call}: {}", reply.text);
    }
    let by_app = log_in_by_app(&client, &ann, &app_code(&house.app, 1)).await;
    by_app.expect(200).done();
    house.key.log_in(&client, &ann).await.expect(200).done();
    let reset = json!({ "newPassword": "another long password" });
    client
        .with(&token("reset"))
        .post("/api/Users/reset-password", reset)
        .await
        .expect(204)
        .done();
}

#[tokio::test]
async fn what_the_stores_hold_opens_nothing_under_any_key() {
    let mut house = Household::new().await;
    house.server.kill();
    let own = house.server.same_setup();
    let copy = Haystack::of(&dump::of(&own).await);
    let mut words = copy.words(WORDS);
    assert!(words.len() > 40, "{words:?}");
    for (_, token) in &house.seen.live {
        words.extend(hashes(token).into_iter().filter(|word| word.is_ascii()));
    }
    let elsewhere = own
        .clone()
        .variable("PORTCULLIS__SECRETS__KEY_FILE", "elsewhere/thief.key");
    let mut thief = elsewhere.start().await;
    let client = thief.client();
    nothing_opens(&client, &house.ann, &words).await;
    no_device_is_trusted(&client, &house.ann, house.seen.token("device")).await;
    the_key_is_missing(&house, &client).await;
    thief.kill();
    house.server = own.start().await;
    let client = house.server.client();
    nothing_opens(&client, &house.ann, &words).await;
    no_device_is_trusted(&client, &house.ann, house.seen.token("device")).await;
    all_is_well(&mut house).await;
}

/// Waits until a counterparty has what it was kept from.
async fn once<T>(mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(100), "it never came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn sms(gateway: &Counterparty) -> Option<String> {
    let messages = gateway.tell("messages", &json!({})).await;
    let text = messages.get(0)?.get("text")?.as_str()?;
    text.rsplit(' ').next().map(str::to_owned)
}

#[tokio::test]
async fn messages_that_wait_for_their_carrier_are_sealed() {
    let (mailbox, gateway) = (MailServer::start().await, Counterparty::sms().await);
    let sms_config = format!(
        "[sms]\nkind = \"nexmo\"\napi_key = \"abcd1234\"\napi_secret = \"ABCDEF0123456789\"\nfrom = \"Portcullis\"\nbase_url = \"{}\"",
        gateway.address()
    );
    let pools = "[users.Users]\nmagic_link = true\n[users.Employees]\nsecond_factor = \"required\"\ncode_lifetime = 600";
    let setup = Portcullis::setup().config(&mailbox.config()).config(&sms_config);
    let server = setup.config(pools).start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    mailbox.fault("greylist", -1).await;
    gateway.tell("fault?name=status-1&times=1000", &json!({})).await;
    let reset = json!({ "email": ann.email });
    client.post("/api/Users/reset", reset).await.expect(204).done();
    let eve = json!({ "email": "eve@example.com", "password": PASSWORD, "phone": "+491701234567" });
    client.post("/api/Employees", eve).await.expect(200).done();
    let ask = json!({ "email": "eve@example.com", "password": PASSWORD });
    let waiting = tokio::spawn(async move { client.post("/api/Employees/requestCode", ask).await });
    once(async || {
        let attempts = gateway.tell("attempts", &json!({})).await;
        attempts.as_array().filter(|made| made.len() > 1).map(|_| ())
    })
    .await;
    assert!(mailbox.mails().await.is_empty() && sms(&gateway).await.is_none());
    let copy = Haystack::of(&dump::of(&server.same_setup()).await);

    mailbox.fault("", 0).await;
    gateway.tell("fault?name=none", &json!({})).await;
    let code = once(async || sms(&gateway).await).await;
    assert!(matches!(waiting.await.unwrap().status, 200 | 503));
    let mails = mailbox.mails_to(&ann.email, 1).await;
    let text = mails[0]["text"].as_str().unwrap();
    let link = text.split_whitespace().find(|word| word.contains("/reset?"));
    let token = in_link(link.unwrap(), "token");
    assert!(
        copy.knows(&token) && copy.holds("eve@example.com"),
        "it is no copy"
    );
    assert_eq!(copy.betrays(&token), None);
    assert!(!copy.betrays_code(&code));
    for word in ["/reset?", "Choose a new password", "verification code is"] {
        assert!(!copy.holds(word) && !copy.holds(&hex(word.as_bytes())), "{word}");
    }
}
