//! Switching over from LoopBack 3, and back: the source is followed while it goes on being used, and is as it was when it is needed again.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use e2e::{Client, Console, Counterparty, PASSWORD, Portcullis, Setup};
use serde_json::{Value, json};

use crate::migration::Place;
use crate::moving::{done, stop};

const PATIENCE: Duration = Duration::from_mins(1);

/// An import that follows its source.
struct Following {
    child: Child,
    said: Console,
    complained: Console,
    /// Lines that were waited for already.
    heard: usize,
}

impl Following {
    fn begin(setup: &Setup, place: &Place) -> Self {
        let arguments = [
            "import",
            "loopback",
            "--from",
            &place.ours,
            "--follow",
            "--every",
            "1",
        ];
        let mut child = setup.command(&arguments).spawn().unwrap();
        Self {
            said: Console::reading(child.stdout.take().unwrap()),
            complained: Console::reading(child.stderr.take().unwrap()),
            child,
            heard: 0,
        }
    }

    /// Waits until it has said something, after what was heard before.
    async fn hears(&mut self, what: &str) {
        let begun = Instant::now();
        loop {
            let lines = self.said.lines();
            let found = lines.iter().skip(self.heard).position(|line| line.contains(what));
            if let Some(at) = found {
                self.heard += at + 1;
                return;
            }
            let waited = begun.elapsed() < PATIENCE && self.child.try_wait().unwrap().is_none();
            assert!(waited, "{what}: {}\n{}", self.said.text(), self.complained.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stop(mut self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{}", self.complained.text());
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "it runs on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody of LoopBack's, and a token.
async fn person(loopback: &Client, name: &str) -> (Value, String) {
    let email = format!("{name}@example.com");
    let new = json!({ "email": email, "password": PASSWORD, "colour": "red" });
    let made = loopback.post("/api/users", new).await.expect(200).json();
    let login = json!({ "email": email, "password": PASSWORD });
    let token = loopback
        .post("/api/users/login", login)
        .await
        .expect(200)
        .at("id");
    (made["id"].clone(), token)
}

async fn everything_that_happens_there_comes_along(place: Place, signal: &str) {
    let party = Counterparty::loopback3(&place.theirs).await;
    let loopback = Client::of(party.address());
    let (ann, token_of_ann) = person(&loopback, "ann").await;
    let (_, token_of_carl) = person(&loopback, "carl").await;
    let (dora, _) = person(&loopback, "dora").await;
    // What LoopBack's memory connector writes comes a moment later.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let setup = Portcullis::setup();
    let mut following = Following::begin(&setup, &place);
    following
        .hears("verified: 3 users, 0 applications, 3 sessions")
        .await;

    let (ben, token_of_ben) = person(&loopback, "ben").await;
    following.hears("new").await;
    let green = json!({ "colour": "green" });
    let path = format!("/api/users/{ann}").replace('"', "");
    loopback
        .with(&token_of_ann)
        .patch(&path, green)
        .await
        .expect(200)
        .done();
    following.hears("1 changed").await;
    let out = loopback
        .with(&token_of_carl)
        .post("/api/users/logout", json!({}))
        .await;
    out.expect(204).done();
    following.hears("1 gone").await;
    let login = json!({ "email": "dora@example.com", "password": PASSWORD });
    let token_of_dora = loopback
        .post("/api/users/login", login)
        .await
        .expect(200)
        .at("id");
    following.hears("1 new").await;
    let path = format!("/api/users/{dora}").replace('"', "");
    loopback
        .with(&token_of_dora)
        .delete(&path)
        .await
        .expect(200)
        .done();
    following.hears("gone").await;
    drop(party);
    following.hears("nothing new").await;
    following.stop(signal).await;

    let held = [
        (ann, token_of_ann, "ann@example.com", "green"),
        (ben, token_of_ben, "ben@example.com", "red"),
    ];
    whoever_stayed_comes_in(setup, &place, &held, &token_of_carl).await;
}

/// Who has which token and record, and a token that was ended there; carl and dora are as they left.
async fn whoever_stayed_comes_in(
    setup: Setup,
    place: &Place,
    held: &[(Value, String, &str, &str)],
    ended: &str,
) {
    let server = setup.start().await;
    let client = server.client();
    for (id, token, email, colour) in held {
        let path = format!("/api/users/{id}").replace('"', "");
        let record = client.with(token).get(&path).await.expect(200).json();
        assert_eq!(
            (&record["email"], &record["colour"]),
            (&json!(email), &json!(colour))
        );
    }
    let carl = client.with(ended).get("/auth/check").await;
    assert_eq!(carl.status, 401, "who logged out there is logged out here");
    for (name, status) in [("ann", 200), ("carl", 200), ("dora", 401)] {
        let login = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
        let answer = client.post("/api/users/login", login).await;
        assert_eq!(answer.status, status, "{name}");
    }
    let setup = stop(server).await;
    let again = setup.run(&["import", "loopback", "--from", &place.ours]).await.1;
    assert!(
        again.contains("another record of this id is there"),
        "who logged in here stays: {again}"
    );
}

#[tokio::test]
async fn a_file_is_followed_until_the_switch_over() {
    everything_that_happens_there_comes_along(Place::file(), "-TERM").await;
}

#[tokio::test]
async fn postgresql_is_followed_until_the_switch_over() {
    everything_that_happens_there_comes_along(Place::database("POSTGRES_URL"), "-INT").await;
}

#[tokio::test]
async fn mongodb_is_followed_until_the_switch_over() {
    everything_that_happens_there_comes_along(Place::database("MONGODB_URL"), "-INT").await;
}

#[tokio::test]
async fn going_back_finds_loopback_as_it_was_left() {
    let place = Place::file();
    let party = Counterparty::loopback3(&place.theirs).await;
    let (ann, token) = person(&Client::of(party.address()), "ann").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(party);
    let left = std::fs::read(&place.ours).unwrap();
    let setup = Portcullis::setup();
    done(&setup, &["import", "loopback", "--from", &place.ours]).await;
    let server = setup.start().await;
    let here = server.client();
    let change = json!({ "oldPassword": PASSWORD, "newPassword": "a door of glass and brass" });
    let changed = here.with(&token).post("/api/users/change-password", change).await;
    changed.expect(204).done();
    let new = json!({ "email": "ben@example.com", "password": PASSWORD });
    here.post("/api/users", new).await.expect(200).done();
    stop(server).await;
    assert!(
        std::fs::read(&place.ours).unwrap() == left,
        "not a byte of it was touched"
    );

    let party = Counterparty::loopback3(&place.theirs).await;
    let back = Client::of(party.address());
    let path = format!("/api/users/{ann}").replace('"', "");
    let record = back.with(&token).get(&path).await.expect(200).json();
    assert_eq!(record["email"], "ann@example.com");
    let login = async |email: &str, password: &str| {
        let login = json!({ "email": email, "password": password });
        back.post("/api/users/login", login).await.status
    };
    assert_eq!(
        login("ann@example.com", PASSWORD).await,
        200,
        "the password of before"
    );
    // What the page says is lost on the way back, is.
    assert_eq!(login("ann@example.com", "a door of glass and brass").await, 401);
    assert_eq!(login("ben@example.com", PASSWORD).await, 401);
}
