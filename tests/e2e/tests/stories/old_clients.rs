//! Clients of LoopBack 3 that nobody changed: another LoopBack application whose users are served elsewhere, by the remote connector.
//! What it is answered is held against what the real LoopBack answers it.

use e2e::{Counterparty, PASSWORD, Portcullis};
use serde_json::{Value, json};

use crate::moving::done;

/// The application, and what its code calls its user model with.
struct Application {
    party: Counterparty,
}

impl Application {
    async fn of(users_at: &str, id_type: &str) -> Self {
        Self {
            party: Counterparty::loopback3_remote(users_at, id_type).await,
        }
    }

    async fn call(&self, method: &str, args: Value, token: Option<&str>) -> Value {
        let call = json!({ "method": method, "args": args, "token": token });
        self.party.tell("call", &call).await
    }

    /// A method of one record.
    async fn of_record(&self, id: &Value, method: &str, args: Value, token: &str) -> Value {
        let call = json!({ "method": method, "args": args, "on": id, "token": token });
        self.party.tell("call", &call).await
    }
}

/// What an answer says besides ids, tokens and times, which are nobody's twice: sorted names and all else.
fn likeness(mut answer: Value) -> Value {
    const OWN: [&str; 4] = ["id", "userId", "created", "ttl"];
    fn strip(value: &mut Value) {
        let Some(object) = value.as_object_mut() else {
            return;
        };
        for (name, inner) in object.iter_mut() {
            if OWN.contains(&name.as_str()) && !inner.is_null() {
                *inner = json!("…");
            } else {
                strip(inner);
            }
        }
        // Sentences are for people, and ours says whether an address is verified from the first answer on.
        object.remove("message");
        object.remove("emailVerified");
    }
    strip(&mut answer);
    answer
}

/// Everything that the application does with a user, from the first day to the last.
async fn a_life(application: &Application) -> Vec<(&'static str, Value)> {
    let mut seen = Vec::new();
    let name = |password: &str| json!([{ "email": "ann@example.com", "password": password }]);
    let ann = json!([{ "email": "ann@example.com", "password": PASSWORD, "colour": "red" }]);
    let made = application.call("create", ann.clone(), None).await;
    let id = made["value"]["id"].clone();
    seen.push(("create", made));
    seen.push(("create again", application.call("create", ann, None).await));
    seen.push((
        "wrong password",
        application.call("login", name("wrong"), None).await,
    ));
    let login = application.call("login", name(PASSWORD), None).await;
    let opened = login["value"]["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(login["value"]["userId"], id, "{login}");
    seen.push(("login", login));
    let (token, held) = (opened.as_str(), Some(opened.as_str()));
    let one = json!([id]);
    seen.push((
        "findById of a stranger",
        application.call("findById", one.clone(), None).await,
    ));
    seen.push(("findById", application.call("findById", one.clone(), held).await));
    let fields = json!([id, { "fields": { "email": true } }]);
    seen.push((
        "findById, in part",
        application.call("findById", fields, held).await,
    ));
    let green = application
        .of_record(&id, "updateAttributes", json!([{ "colour": "green" }]), token)
        .await;
    seen.push(("updateAttributes", green));
    let whole = json!([id, { "email": "ann@example.com", "password": PASSWORD, "colour": "blue" }]);
    seen.push(("replaceById", application.call("replaceById", whole, held).await));
    seen.push((
        "find is closed",
        application.call("find", json!([{}]), held).await,
    ));
    seen.push((
        "count is closed",
        application.call("count", json!([{}]), held).await,
    ));
    seen.push(("logout", application.call("logout", json!([]), held).await));
    let after = application.call("findById", one.clone(), held).await;
    seen.push(("findById after logout", after));
    let again = application.call("login", name(PASSWORD), None).await;
    let again = again["value"]["id"].as_str().unwrap_or_default().to_owned();
    seen.push((
        "deleteById",
        application.call("deleteById", one, Some(&again)).await,
    ));
    let gone = application.call("login", name(PASSWORD), None).await;
    seen.push(("login, deleted", gone));
    seen
}

#[tokio::test]
async fn an_application_on_the_remote_connector_is_answered_as_by_loopback() {
    let loopback = Counterparty::loopback3("memory:").await;
    let of_loopback = Application::of(&loopback.at("/api"), "any").await;
    let expected = a_life(&of_loopback).await;
    let server = Portcullis::start().await;
    let ours = Application::of(&server.at("/api"), "any").await;
    let answered = a_life(&ours).await;
    let pairs = expected.into_iter().zip(answered);
    let pairs = pairs.map(|((what, theirs), (_, ours))| (what, likeness(theirs), likeness(ours)));
    let different: Vec<_> = pairs.filter(|(_, theirs, ours)| theirs != ours).collect();
    assert!(different.is_empty(), "{different:#?}");
}

/// Somebody whom LoopBack numbered, with a token of it.
const ANN: &str = r#"{
    "ids": { "user": 8, "accessToken": 2 },
    "models": {
        "user": { "7": "{\"email\":\"ann@example.com\",\"colour\":\"red\",\"password\":\"$2a$10$uPblDSJjkngFHJ54liMzyOsfSuyimXrScu3f0k31WTWH3PfZB2V2q\",\"id\":7}" },
        "accessToken": { "oldtokenoldtokenoldtokenoldtokenoldtokenoldtokenoldtokenoldtoken": "{\"id\":\"oldtokenoldtokenoldtokenoldtokenoldtokenoldtokenoldtokenoldtoken\",\"ttl\":-1,\"created\":\"2026-01-01T00:00:00.000Z\",\"userId\":7}" }
    }
}"#;

#[tokio::test]
async fn an_application_that_counts_its_users_knows_those_who_moved() {
    let setup = Portcullis::setup().config("[users.Users]\nallow_eternal_tokens = true");
    std::fs::write(setup.home().join("loopback.json"), ANN).unwrap();
    done(&setup, &["import", "loopback", "--from", "loopback.json"]).await;
    let server = setup.start().await;
    let application = Application::of(&server.at("/api"), "").await;
    let token = "oldtokenoldtokenoldtokenoldtokenoldtokenoldtokenoldtokenoldtoken";
    let held = Some(token);
    let ann = application.call("findById", json!([7]), held).await;
    assert_eq!(
        (&ann["value"]["id"], &ann["value"]["colour"]),
        (&json!(7), &json!("red")),
        "{ann}"
    );
    let green = application
        .of_record(
            &json!(7),
            "updateAttributes",
            json!([{ "colour": "green" }]),
            token,
        )
        .await;
    assert_eq!(green["value"]["colour"], "green", "{green}");
    let out = application.call("logout", json!([]), held).await;
    assert_eq!(out.get("error"), None, "{out}");
    let gone = application.call("findById", json!([7]), held).await;
    assert_eq!(gone["error"]["statusCode"], 401, "{gone}");
}
