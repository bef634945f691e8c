//! The move from LoopBack 3: a real application of its own is filled over its own REST API, imported, and stopped; its clients notice
//! nothing.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{Client, Counterparty, PASSWORD, Portcullis, Setup};
use serde_json::{Value, json};

use crate::moving::{done, refused};
use crate::providers::entries::file;

/// Where a LoopBack application keeps its data, for itself alone.
pub struct Place {
    /// For LoopBack.
    pub theirs: String,
    /// For the import.
    pub ours: String,
    _folder: tempfile::TempDir,
}

impl Place {
    pub fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("loopback.json");
        Self {
            theirs: format!("memory:{}", path.display()),
            ours: path.display().to_string(),
            _folder: folder,
        }
    }

    /// A database beside others.
    pub fn database(variable: &str) -> Self {
        let server = std::env::var(variable);
        let server =
            server.unwrap_or_else(|_| panic!("{variable} names no server: just with postgres,mongo …"));
        let mut url: url::Url = server.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().file_name().unwrap().to_str().unwrap();
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("loopback_{}", name.to_lowercase());
        if url.scheme().starts_with("postgres") {
            let create = format!("CREATE DATABASE {name}");
            let made = Command::new("psql")
                .args(["-qX", &server, "-c", &create])
                .status();
            assert!(made.unwrap().success());
        }
        url.set_path(&name);
        Self {
            theirs: url.to_string(),
            ours: url.to_string(),
            _folder: folder,
        }
    }
}

/// What the clients of the application remember.
struct Remembered {
    /// Her id, of the type that LoopBack gave it.
    ann: Value,
    token: String,
    bob: Value,
    role: Value,
    token_of_bob: String,
    application: String,
    key: String,
}

fn id(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn fill(party: &Counterparty) -> Remembered {
    let loopback = Client::of(party.address());
    let ann = json!({
        "email": "Ann@example.com", "username": "ann", "password": PASSWORD, "colour": "red", "address": {"city": "Ulm"},
    });
    let ann = loopback.post("/api/users", ann).await.expect(200).json();
    let name = json!({ "email": "Ann@example.com", "password": PASSWORD });
    let token = loopback.post("/api/users/login", name).await.expect(200).at("id");
    let bob = json!({ "logins": [{
        "provider": "facebook", "scheme": "oAuth 2.0",
        "profile": { "provider": "facebook", "id": "1001", "username": "bob", "displayName": "Bob" },
        "credentials": { "accessToken": "clear-access", "refreshToken": "clear-refresh" },
    }]});
    let bob = party.tell("passport", &bob).await[0].clone();
    let role = json!({ "name": "auditor" });
    let role = loopback.post("/api/Roles", role).await.expect(200).json();
    let given = json!({ "principalType": "USER", "principalId": id(&ann["id"]), "roleId": role["id"] });
    loopback.post("/api/RoleMappings", given).await.expect(200).done();
    let auditing = json!({
        "model": "Order", "property": "*", "accessType": "READ", "permission": "AUDIT", "principalType": "ROLE",
        "principalId": "auditor",
    });
    loopback.post("/api/ACLs", auditing).await.expect(200).done();
    let shop = json!({ "name": "shop" });
    let shop = loopback.post("/api/Applications", shop).await.expect(200).json();
    let client = json!({
        "appId": shop["id"], "provider": "facebook", "authScheme": "oAuth 2.0",
        "credentials": { "clientID": "shop-client", "clientSecret": "clear-secret" },
    });
    party.tell("application", &client).await;
    Remembered {
        ann: ann["id"].clone(),
        token,
        bob: bob["userId"].clone(),
        role: role["id"].clone(),
        token_of_bob: id(&bob["token"]),
        application: id(&shop["id"]),
        key: id(&shop["restApiKey"]),
    }
}

fn providers() -> Value {
    file([(
        "facebook-login",
        json!({
            "provider": "facebook", "module": "passport-facebook", "clientID": "social-client",
            "clientSecret": "social-secret", "scope": ["email"],
        }),
    )])
}

/// What LoopBack's memory connector writes comes a moment later.
async fn written(place: &Place) {
    let begun = Instant::now();
    while place.theirs.starts_with("memory:")
        && !std::fs::read_to_string(&place.ours).is_ok_and(|text| text.contains("shop-client"))
    {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn nobody_notices(place: Place) {
    let party = Counterparty::loopback3(&place.theirs).await;
    let theirs = fill(&party).await;
    written(&place).await;
    let target = Portcullis::setup().providers(&providers());
    let import = ["import", "loopback", "--from", &place.ours];

    let dry = done(&target, &[&import[..], &["--dry-run"]].concat()).await;
    for told in [
        "would be written: 6",
        "note invented_email: 1",
        "note alarm_or_audit: 1",
        "note default_deny",
    ] {
        assert!(dry.contains(told), "{told}: {dry}");
    }
    assert!(!dry.contains("CONFLICT") && !dry.contains("clear-"), "{dry}");
    let said = done(&target, &[&import[..], &["--out", "all.jsonl"]].concat()).await;
    assert!(
        said.contains("verified: 2 users, 1 application, 2 sessions"),
        "{said}"
    );
    let kept = std::fs::read_to_string(target.home().join("all.jsonl")).unwrap();
    for secret in ["clear-", &theirs.token, &theirs.token_of_bob, &theirs.key] {
        assert!(!kept.contains(secret), "nothing is in clear");
    }
    let again = done(&target, &import).await;
    assert!(
        again.contains("written: 0; there already and the same: 6"),
        "{again}"
    );
    drop(party);

    clients_go_on(&target, &theirs).await;
}

/// Everything that the application's clients remember opens what it opened.
async fn clients_go_on(target: &Setup, theirs: &Remembered) {
    let server = target.start().await;
    let client = server.client();
    let ann = client
        .with(&theirs.token)
        .get(&format!("/api/users/{}", id(&theirs.ann)))
        .await;
    let ann = ann.expect(200).json();
    assert_eq!(ann["id"], theirs.ann, "the same, and of the same type");
    assert_eq!(
        (&ann["colour"], &ann["address"]["city"]),
        (&json!("red"), &json!("Ulm"))
    );
    let login = json!({ "email": "Ann@example.com", "password": PASSWORD });
    let opened = client.post("/api/users/login?include=user", login).await;
    let opened = opened.expect(200).json();
    assert_eq!(
        (&opened["userId"], &opened["user"]["id"]),
        (&theirs.ann, &theirs.ann)
    );
    let check = async |token: &str, role: &str| {
        let reply = client.with(token).get(&format!("/auth/check?role={role}")).await;
        reply.status
    };
    assert!(check(&theirs.token, "auditor").await < 300);
    assert_eq!(check(&theirs.token, "admin").await, 403);
    assert_eq!(check(&theirs.token_of_bob, "auditor").await, 403);
    let accounts = format!("/api/users/{}/identities", id(&theirs.bob));
    let accounts = client
        .with(&theirs.token_of_bob)
        .get(&accounts)
        .await
        .expect(200)
        .json();
    assert_eq!(accounts[0]["externalId"], "1001");
    assert_eq!(accounts[0]["userId"], theirs.bob);
    for command in [
        &["role", "create", "admin"][..],
        &["role", "grant", "admin", "ann@example.com"],
    ] {
        done(&server.same_setup(), command).await;
    }
    let role = json!({ "where": { "id": theirs.role } }).to_string();
    let ann = client.with(&theirs.token);
    let roles = ann
        .get(&format!("/api/Roles?filter={role}"))
        .await
        .expect(200)
        .json();
    assert_eq!(roles[0]["id"], theirs.role);
    let held = format!("/api/RoleMappings?filter[where][roleId]={}", id(&theirs.role));
    let held = ann.get(&held).await.expect(200).json();
    assert_eq!(
        (&held[0]["roleId"], &held[0]["principalId"]),
        (&theirs.role, &json!(id(&theirs.ann))),
        "whose it is, is a text in LoopBack, too"
    );
    let shop = json!({ "id": theirs.application, "key": theirs.key });
    let shop = client
        .post("/api/Applications/authenticate", shop)
        .await
        .expect(200);
    assert!(shop.text.contains("restApiKey"), "{}", shop.text);
}

#[tokio::test]
async fn nobody_notices_the_move_from_a_memory_file() {
    nobody_notices(Place::file()).await;
}

#[tokio::test]
async fn nobody_notices_the_move_from_postgresql() {
    nobody_notices(Place::database("POSTGRES_URL")).await;
}

#[tokio::test]
async fn nobody_notices_the_move_from_mongodb() {
    nobody_notices(Place::database("MONGODB_URL")).await;
}

#[tokio::test]
async fn conflicts_are_told_and_nothing_is_written_until_they_may_be_left_out() {
    let place = Place::file();
    let user = |id: u32, email: &str, hash: &str| {
        let row = json!({ "id": id, "email": email, "password": hash });
        (id.to_string(), Value::String(row.to_string()))
    };
    let fine = "$2a$10$uPblDSJjkngFHJ54liMzyOsfSuyimXrScu3f0k31WTWH3PfZB2V2q";
    let users: serde_json::Map<String, Value> = [
        user(1, "ann@example.com", fine),
        user(2, "ANN@example.com", fine),
        user(3, "eve@example.com", "md5:5f4dcc3b5aa765d61d8327deb882cf99"),
    ]
    .into_iter()
    .collect();
    let gone = json!({ "id": 1, "provider": "google", "externalId": "7", "userId": 99 }).to_string();
    let all = json!({ "ids": {}, "models": { "Employee": users, "UserIdentity": { "1": gone } } });
    std::fs::write(&place.ours, all.to_string()).unwrap();
    let target = Portcullis::setup();
    let import = ["import", "loopback", "--from", &place.ours];
    let said = refused(&target, &import).await;
    for told in [
        "CONFLICT same_email: 1",
        "user 2, as user 1",
        "CONFLICT unknown_hash: 1",
        "note orphaned_identity: 1",
        "nothing was written",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let said = done(&target, &[&import[..], &["--leave-out"]].concat()).await;
    assert!(said.contains("verified: 2 users"), "{said}");
}
