//! Moves between real stores, by their ports.

mod following;
mod going_on;
mod moving;
mod refusing;

use std::io::{BufReader, Cursor};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use conformance::access_store::full;
use conformance::sample;
use domain::access::AccessState;
use domain::application::Application;
use domain::id::PoolName;
use domain::outbox::OutboxMessage;
use domain::ports::Clock;
use domain::session::{Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::User;
use serde_json::json;
use storage_memory::MemoryStore;
use storage_sqlite::{SqliteConfig, SqliteStore};
use tempfile::TempDir;

use super::progress::Silent;
use super::*;

/// A clock that is put forward by hand.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        sample::at(self.0.load(Ordering::Relaxed))
    }
}

/// A store, ten seconds after the samples were made.
struct Place {
    stores: Stores,
    hands: Arc<Hands>,
    _folder: Option<TempDir>,
}

fn hands() -> Arc<Hands> {
    Arc::new(Hands(AtomicI64::new(10)))
}

fn in_memory() -> Place {
    let (store, hands) = (Arc::new(MemoryStore::default()), hands());
    let stores = Stores {
        access: Arc::<MemoryStore>::clone(&store),
        users: Arc::<MemoryStore>::clone(&store),
        applications: Arc::<MemoryStore>::clone(&store),
        sessions: Some(Arc::new(sessions_memory::MemorySessions::default())),
        outbox: Arc::<MemoryStore>::clone(&store),
        tombstones: store,
        clock: Arc::<Hands>::clone(&hands),
    };
    Place {
        stores,
        hands,
        _folder: None,
    }
}

fn on_disk() -> Place {
    let (folder, hands) = (tempfile::tempdir().unwrap(), hands());
    let store = SqliteStore::open(&SqliteConfig::new(folder.path().join("a.db"))).unwrap();
    let store = Arc::new(store);
    let stores = Stores {
        access: Arc::<SqliteStore>::clone(&store),
        users: Arc::<SqliteStore>::clone(&store),
        applications: Arc::<SqliteStore>::clone(&store),
        sessions: Some(Arc::<SqliteStore>::clone(&store) as _),
        outbox: Arc::<SqliteStore>::clone(&store),
        tombstones: store,
        clock: Arc::<Hands>::clone(&hands),
    };
    Place {
        stores,
        hands,
        _folder: Some(folder),
    }
}

fn header() -> Header {
    Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        made: "2026-11-22T04:00:00.000Z".to_owned(),
        by: "0.1.0".to_owned(),
        store: "memory".to_owned(),
        sessions: "memory".to_owned(),
        pools: vec![PoolName::new("Users"), PoolName::new("Members")],
    }
}

/// A live session of a user.
fn session_of(user: &User, text: &str) -> Session {
    Session {
        epoch: user.session_epoch,
        ..sample::session(&user.key, text)
    }
}

/// Users of two pools, applications and sessions of several kinds, with everything filled that can be.
fn people() -> (Vec<User>, Vec<Application>, Vec<Session>) {
    // Somebody who is kept out has no session.
    let full = |pool: &str| User {
        disabled: None,
        ..sample::full_user(&sample::key(pool, "0 full"))
    };
    let mut users = vec![
        full("Users"),
        full("Members"),
        sample::blank(&sample::key("Users", "blank")),
        sample::with_username("named", "zoë"),
    ];
    let more =
        (0..6).map(|number| sample::with_email(&format!("u{number}"), &format!("u{number}@example.com")));
    users.extend(more);
    let applications = vec![sample::full_application("a"), sample::application("b")];
    let mut sessions: Vec<Session> = users
        .iter()
        .map(|user| session_of(user, &user.key.to_string()))
        .collect();
    sessions.push(Session {
        life: TokenLife::Eternal,
        ..session_of(&users[2], "eternal")
    });
    (users, applications, sessions)
}

async fn put_all(place: &Place, users: &[User], applications: &[Application], sessions: &[Session]) {
    for user in users {
        place.stores.users.create(user).await.unwrap();
    }
    for application in applications {
        place
            .stores
            .applications
            .create_application(application)
            .await
            .unwrap();
    }
    for session in sessions {
        place.sessions().open(session).await.unwrap();
    }
}

async fn put_access(place: &Place, access: &AccessState) {
    let nothing = AccessState::default().revision;
    place.stores.access.commit_access(access, nothing).await.unwrap();
}

async fn filled(place: Place) -> Place {
    let (users, applications, sessions) = people();
    put_all(&place, &users, &applications, &sessions).await;
    put_access(&place, &full()).await;
    for message in mails(&users) {
        place.stores.outbox.put(&message).await.unwrap();
    }
    place
}

/// A mail to each user, one of which was tried already.
fn mails(users: &[User]) -> Vec<OutboxMessage> {
    let mail = |user: &User| sample::message(&user.key, &format!("mail to {}", user.key));
    let mut mails: Vec<OutboxMessage> = users.iter().map(mail).collect();
    mails[0].attempts = 3;
    mails[0].settled = 3;
    mails
}

impl Place {
    fn sessions(&self) -> &dyn domain::ports::SessionStore {
        &**self.stores.sessions.as_ref().unwrap()
    }

    async fn exported(&self) -> String {
        let (bytes, _) = export(&self.stores, &header(), Vec::new(), &Silent)
            .await
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    async fn import(&self, file: &str, way: Way) -> (Report, Verified) {
        let checked = checked(file).unwrap();
        let report = import(&self.stores, reading(file), &checked, way, &Silent)
            .await
            .unwrap();
        let verified = verify(&self.stores, reading(file), &checked, &report, &Silent)
            .await
            .unwrap();
        (report, verified)
    }
}

fn reading(file: &str) -> Reading<BufReader<Cursor<Vec<u8>>>> {
    Reading::open(BufReader::new(Cursor::new(file.as_bytes().to_vec()))).unwrap()
}

fn checked(file: &str) -> Result<Checked, TransferError> {
    checked_bytes(file.as_bytes())
}

fn checked_bytes(file: &[u8]) -> Result<Checked, TransferError> {
    check(Reading::open(file)?, 0, &Silent)
}

/// The lines of records, in an order that is the same for all stores.
fn records(file: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = file.lines().skip(1).collect();
    lines.pop();
    lines.sort_unstable();
    lines
}

/// An hour and a second later, when sessions of an hour are over.
fn let_an_hour_pass(place: &Place) {
    place.hands.0.store(3_601, Ordering::Relaxed);
}

fn an_attribute(user: &User, name: &str, value: &serde_json::Value) -> User {
    let mut attributes = user.attributes.as_map().clone();
    attributes.insert(name.to_owned(), json!(value));
    User {
        attributes: domain::user::Attributes::restore(attributes),
        ..user.clone()
    }
}

const HOUR: Lifetime = Lifetime::from_secs(3600);
