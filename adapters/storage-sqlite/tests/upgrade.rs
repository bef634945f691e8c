//! A database of the first schema comes through with everything in it, however often the server is stopped on the way.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use conformance::sample::{
    at, blank, device, flow, full_user, identity, key, linked, message, plain_session, session, with_email,
};
use domain::access::AccessState;
use domain::audit::{Actor, AuditEvent, AuditKind, AuditQuery};
use domain::flow_record::{FlowBody, FlowKind, FlowRecord};
use domain::limits::{LimitKey, Quota, Verdict};
use domain::outbox::{Lane, Settled};
use domain::ports::{
    AccessStore, AuditLog, FlowStore, LookupKey, Outbox, RateLimiter, RoleMembers, SessionStore, Tombstones,
    UserStore,
};
use domain::time::Lifetime;
use domain::tombstone::Tombstone;
use domain::user::User;
use rusqlite::{Connection, params};
use storage_sqlite::{Migrated, SqliteConfig, SqliteStore, migrate};
use tempfile::TempDir;

const FIRST: &str = include_str!("../migrations/0001_initial.sql");
const SECOND: &str = include_str!("../migrations/0002_identities.sql");
const THIRD: &str = include_str!("../migrations/0003_tombstones.sql");
const FOURTH: &str = include_str!("../migrations/0004_factors.sql");

/// The newest version.
const NEWEST: u32 = 6;
/// A client's address as earlier versions wrote it down.
const ADDRESS: &str = "192.0.2.7";

/// Set for the child process alone.
const DATABASE: &str = "STORAGE_SQLITE_UPGRADED_DATABASE";

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    (directory, path)
}

/// A database as the first version left it behind.
fn first_version(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection.execute_batch(FIRST).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE schema_migrations (
                version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied INTEGER NOT NULL
             ) STRICT;
             INSERT INTO schema_migrations VALUES (1, 'initial', 1);
             PRAGMA user_version = 1;",
        )
        .unwrap();
    let mark = i32::from_be_bytes(*b"Port");
    connection.pragma_update(None, "application_id", mark).unwrap();
    connection
}

/// A user of the first version: nothing was known of accounts elsewhere, nor of factors.
fn unlinked(user: User) -> User {
    User {
        identities: Arc::default(),
        credentials: Arc::default(),
        factors: Arc::default(),
        devices: Arc::default(),
        mappings: Arc::default(),
        disabled: None,
        ..user
    }
}

fn insert_user(connection: &Connection, user: &User) {
    let attributes = serde_json::Value::Object(user.attributes.as_map().clone());
    connection
        .prepare_cached(
            "INSERT INTO users VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )
        .unwrap()
        .execute(params![
            user.key.pool.as_str(),
            user.key.id.as_str(),
            user.revision.number().cast_signed(),
            user.realm,
            user.username.as_ref().map(|name| name.as_str().to_owned()),
            user.username_key(),
            user.email.as_ref().map(|email| email.as_str().to_owned()),
            user.email_key(),
            user.email_verified,
            user.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            user.factor_phone.as_ref().map(|phone| phone.as_str().to_owned()),
            user.password.as_ref().map(|hash| hash.as_str().to_owned()),
            attributes.to_string(),
            user.session_epoch.number(),
            user.spared_session.as_ref().map(|id| id.as_str().to_owned()),
            user.created.as_millis(),
            user.modified.as_millis(),
        ])
        .unwrap();
}

fn insert_flow(connection: &Connection, flow: &FlowRecord, body: &str) {
    connection
        .prepare_cached("INSERT INTO flows VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .unwrap()
        .execute(params![
            flow.id.as_bytes(),
            flow.pool.as_str(),
            flow.user.as_ref().map(|id| id.as_str().to_owned()),
            flow.kind().name(),
            flow.created.as_millis(),
            flow.expires.as_millis(),
            body,
        ])
        .unwrap();
}

/// What the first version kept of each kind.
struct Kept {
    users: Vec<User>,
    flows: Vec<FlowRecord>,
    event: AuditEvent,
}

const QUOTA: Quota = Quota::Rate {
    burst: 5,
    per: Lifetime::from_secs(50),
};

/// A counter that has nothing left.
fn counter() -> LimitKey {
    LimitKey::new("login", &["ann"])
}

fn kept() -> Kept {
    let full = unlinked(full_user(&key("Users", "Zoë")));
    let bare = blank(&key("Employees", "Zoë"));
    let kinds = [
        FlowKind::PendingLogin,
        FlowKind::ConfirmPhone,
        FlowKind::ConfirmEmail,
        FlowKind::ResetPassword,
    ];
    let mut flows: Vec<FlowRecord> = kinds
        .into_iter()
        .map(|kind| flow(&full.key, kind, kind.name()))
        .collect();
    flows.push(flow(&bare.key, FlowKind::ConfirmEmail, "another"));
    Kept {
        users: vec![full, bare],
        flows,
        event: AuditEvent {
            at: at(0),
            kind: AuditKind::LoggedIn,
            user: Some(key("Users", "Zoë")),
            actor: Actor::Client,
            network: None,
            request: None,
            detail: None,
        },
    }
}

/// The body as the first version wrote it, without the fields that came later; and what it means today.
fn as_first_written(flow: &FlowRecord) -> (FlowRecord, String) {
    let mut body = serde_json::to_value(&flow.body).unwrap();
    let fields = body.as_object_mut().unwrap();
    fields.shift_remove("first");
    fields.shift_remove("link");
    fields.shift_remove("refresh");
    let meant: FlowBody = serde_json::from_value(body.clone()).unwrap();
    let meant = FlowRecord {
        body: meant,
        ..flow.clone()
    };
    (meant, body.to_string())
}

/// Fills every table of the first schema.
fn fill(connection: &Connection, kept: &Kept) {
    for user in &kept.users {
        insert_user(connection, user);
        let open = plain_session(&user.key, &user.key.to_string());
        connection
            .execute(
                "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, 3600000, ?7, '[\"pwd\",\"sms\"]')",
                params![
                    open.token.as_bytes(),
                    open.id.as_str(),
                    user.key.pool.as_str(),
                    user.key.id.as_str(),
                    open.epoch.number(),
                    open.created.as_millis(),
                    at(3600).as_millis(),
                ],
            )
            .unwrap();
    }
    for flow in &kept.flows {
        insert_flow(connection, flow, &as_first_written(flow).1);
    }
    connection
        .execute(
            "INSERT INTO counters VALUES (?1, ?2, 0, ?2)",
            params![counter().as_str(), at(50).as_millis()],
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO audit (at, kind, pool, user_id, address) VALUES (?1, ?2, 'Users', 'Zoë', ?3)",
            params![kept.event.at.as_millis(), kept.event.kind.name(), ADDRESS],
        )
        .unwrap();
}

/// That everything of the first version is there, and that what is new can be done with it.
async fn assert_intact(store: &SqliteStore, kept: &Kept) {
    for user in &kept.users {
        let found = UserStore::find(store, &user.key).await.unwrap();
        assert_eq!(found.as_ref(), Some(user));
        let open = plain_session(&user.key, &user.key.to_string());
        let found = SessionStore::find(store, &open.token).await.unwrap();
        assert_eq!(found, Some(open));
    }
    let full = &kept.users[0];
    let email = LookupKey::Email(full.email_key().unwrap());
    let found = store.find_by(&full.key.pool, &email).await.unwrap();
    assert_eq!(found.as_ref(), Some(full));
    for flow in &kept.flows {
        let (meant, _) = as_first_written(flow);
        let found = FlowStore::find(store, &flow.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&meant));
        let owner = flow.user_key().unwrap();
        let listed = FlowStore::list(store, &owner, flow.kind()).await.unwrap();
        assert_eq!(listed, [meant]);
    }
    let found = AuditLog::find(store, &AuditQuery::default(), None, 9).await;
    assert_eq!(
        found.unwrap().events.as_slice(),
        std::slice::from_ref(&kept.event)
    );
}

/// That links, flows of nobody and cascades work on what came through.
async fn assert_usable(store: &SqliteStore, kept: &Kept) {
    let full = &kept.users[0];
    let next = User {
        identities: Arc::new(vec![identity("google", "1")]),
        ..full.changed(at(1))
    };
    store.commit(&next, full.revision).await.unwrap();
    let text = LookupKey::Identity(next.identities[0].key.to_text());
    let found = store.find_by(&full.key.pool, &text).await.unwrap();
    assert_eq!(found.as_ref(), Some(&next));
    store.delete(&next.key, next.revision).await.unwrap();
    for flow in &kept.flows {
        let found = FlowStore::find(store, &flow.id).await.unwrap();
        assert_eq!(found.is_some(), !flow.is_of(&full.key), "the cascade still works");
    }
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(&SqliteConfig::new(path)).unwrap()
}

fn assert_sound(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let said: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(said, "ok");
    let violations: u32 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(violations, 0);
}

#[test]
fn a_database_of_the_first_version_comes_through_with_everything_in_it() {
    let (_directory, path) = place();
    let kept = kept();
    let connection = first_version(&path);
    fill(&connection, &kept);
    connection.close().unwrap();
    let done = migrate(&path).unwrap();
    assert_eq!(done, Migrated { from: 1, to: NEWEST });
    assert_sound(&path);
    conformance::run(async {
        let store = open(&path);
        assert_intact(&store, &kept).await;
        let verdict = RateLimiter::take(&store, &[(counter(), QUOTA)], at(0)).await;
        assert!(matches!(verdict.unwrap(), Verdict::Denied { .. }));
        assert_usable(&store, &kept).await;
    });
    assert_sound(&path);
}

/// The migration has done all of its work and reached the disk with it, but was not committed when the power failed.
#[test]
fn a_database_left_before_the_last_word_of_the_migration_starts_it_again() {
    let (directory, path) = place();
    let kept = kept();
    let connection = first_version(&path);
    fill(&connection, &kept);
    // So small a cache that the unfinished migration reaches the disk before its commit.
    connection.pragma_update(None, "cache_size", 1).unwrap();
    connection
        .execute_batch(&format!("BEGIN IMMEDIATE; {SECOND}"))
        .unwrap();
    let copy = directory.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    fs::copy(path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    assert_eq!(migrate(&copy).unwrap(), Migrated { from: 1, to: NEWEST });
    conformance::run(async {
        let store = open(&copy);
        assert_intact(&store, &kept).await;
        assert_usable(&store, &kept).await;
    });
    assert_sound(&copy);
}

#[test]
fn a_database_of_the_second_version_learns_of_tombstones() {
    let (_directory, path) = place();
    let kept = kept();
    let connection = first_version(&path);
    fill(&connection, &kept);
    connection.execute_batch(SECOND).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    connection.close().unwrap();
    assert_eq!(migrate(&path).unwrap(), Migrated { from: 2, to: NEWEST });
    assert_sound(&path);
    conformance::run(async {
        let store = open(&path);
        assert_intact(&store, &kept).await;
        let spent = Tombstone::of_flow(&kept.flows[0]);
        assert!(!store.is_buried(&spent.token).await.unwrap());
        assert!(store.bury(&spent).await.unwrap());
        assert!(store.is_buried(&spent.token).await.unwrap());
        assert_usable(&store, &kept).await;
    });
}

/// That factors, devices, touches and messages work on what came through.
async fn assert_new_things_work(store: &SqliteStore, kept: &Kept) {
    let before = &kept.users[0];
    let next = User {
        factors: full_user(&before.key).factors,
        devices: Arc::new(vec![device("new")]),
        ..before.changed(at(1))
    };
    store.commit(&next, before.revision).await.unwrap();
    let found = UserStore::find(store, &next.key).await.unwrap();
    assert_eq!(found.as_ref(), Some(&next));
    let open = plain_session(&next.key, &next.key.to_string());
    store.touch(&open.token, at(9)).await.unwrap();
    let found = SessionStore::find(store, &open.token).await.unwrap();
    assert_eq!(found.unwrap().last_used, Some(at(9)));
    let new = session(&next.key, "new");
    store.open(&new).await.unwrap();
    let listed = SessionStore::list(store, Some(&next.key), None, 9).await.unwrap();
    assert_eq!(listed.sessions.len(), 2);
    assert!(listed.sessions.contains(&new));
    Outbox::put(store, &message(&next.key, "1")).await.unwrap();
    let claimed = store
        .claim(Lane::People, at(0), Lifetime::from_secs(30), 9)
        .await
        .unwrap();
    assert!(store.settle(&claimed[0].id, 1, Settled::Done).await.unwrap());
}

#[test]
fn a_database_of_the_third_version_learns_of_factors_and_forgets_addresses() {
    let (_directory, path) = place();
    let kept = kept();
    let connection = first_version(&path);
    fill(&connection, &kept);
    connection.execute_batch(SECOND).unwrap();
    connection.execute_batch(THIRD).unwrap();
    for _ in 0..500 {
        let sql = "INSERT INTO audit (at, kind, address, detail) VALUES (0, 'login.failed', ?1, 'x')";
        connection.execute(sql, [ADDRESS]).unwrap();
    }
    connection.pragma_update(None, "user_version", 3).unwrap();
    connection.close().unwrap();
    assert_eq!(migrate(&path).unwrap(), Migrated { from: 3, to: NEWEST });
    assert_sound(&path);
    conformance::run(async {
        let store = open(&path);
        let query = AuditQuery {
            user: Some(key("Users", "Zoë")),
            ..AuditQuery::default()
        };
        let found = AuditLog::find(&store, &query, None, 9).await.unwrap();
        assert_eq!(found.events.as_slice(), std::slice::from_ref(&kept.event));
        assert_eq!(AuditLog::purge(&store, at(0)).await.unwrap(), 500);
        assert_intact(&store, &kept).await;
        assert_new_things_work(&store, &kept).await;
        store.close().await.unwrap();
    });
    assert_sound(&path);
    let connection = Connection::open(&path).unwrap();
    let left = "SELECT count(*) FROM pragma_table_info('audit') WHERE name = 'address'";
    assert_eq!(connection.query_row(left, [], |row| row.get::<_, u32>(0)), Ok(0));
}

#[test]
fn a_database_of_the_fourth_version_learns_of_roles() {
    let (_directory, path) = place();
    let kept = kept();
    let connection = first_version(&path);
    fill(&connection, &kept);
    for step in [SECOND, THIRD, FOURTH] {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "user_version", 4).unwrap();
    connection.close().unwrap();
    assert_eq!(migrate(&path).unwrap(), Migrated { from: 4, to: NEWEST });
    assert_sound(&path);
    conformance::run(async {
        let store = open(&path);
        assert_intact(&store, &kept).await;
        let nothing = AccessState::default();
        assert_eq!(store.read_access(None).await.unwrap(), Some(nothing.clone()));
        let access = conformance::access_store::full();
        store.commit_access(&access, nothing.revision).await.unwrap();
        assert_eq!(store.read_access(Some(access.revision)).await.unwrap(), None);
        let before = &kept.users[0];
        let mut next = before.changed(at(1));
        next.mappings = full_user(&before.key).mappings;
        store.commit(&next, before.revision).await.unwrap();
        let (pool, role) = (&next.key.pool, &next.mappings[0].role);
        assert_eq!(store.count_members(pool, role).await.unwrap(), 1);
        store.close().await.unwrap();
    });
    assert_sound(&path);
}

/// Whether a text stands anywhere in a file.
fn holds(path: &Path, text: &str) -> bool {
    let bytes = fs::read(path).unwrap();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn the_addresses_of_old_events_are_not_left_in_the_file() {
    let (_directory, path) = place();
    let connection = first_version(&path);
    connection.execute_batch(SECOND).unwrap();
    connection.execute_batch(THIRD).unwrap();
    for number in 0..500 {
        let sql = "INSERT INTO audit (at, kind, address, detail) VALUES (?1, 'login.failed', ?2, 'x')";
        connection.execute(sql, params![number, ADDRESS]).unwrap();
    }
    connection.pragma_update(None, "user_version", 3).unwrap();
    connection.close().unwrap();
    assert!(holds(&path, ADDRESS));
    migrate(&path).unwrap();
    assert!(!holds(&path, ADDRESS));
    let log = path.with_extension("db-wal");
    assert!(!log.exists() || !holds(&log, ADDRESS));
}

/// Not a test of its own: the process that the next one kills.
#[test]
#[ignore = "run as a child process by a_process_killed_while_it_migrates_loses_nothing"]
fn migrates_until_it_is_killed() {
    if let Some(path) = std::env::var_os(DATABASE) {
        migrate(Path::new(&path)).unwrap();
    }
}

fn migrating(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "migrates_until_it_is_killed", "--ignored"])
        .env(DATABASE, path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn version(path: &Path) -> u32 {
    let connection = Connection::open(path).unwrap();
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

#[test]
fn a_process_killed_while_it_migrates_loses_nothing() {
    const FLOWS: usize = 20_000;
    let (directory, path) = place();
    let kept = kept();
    let connection = first_version(&path);
    fill(&connection, &kept);
    let ann = with_email("ann", "ann@example.com");
    insert_user(&connection, &ann);
    connection.execute_batch("BEGIN").unwrap();
    for number in 0..FLOWS {
        let flow = flow(&ann.key, FlowKind::ConfirmEmail, &format!("many-{number}"));
        insert_flow(&connection, &flow, &as_first_written(&flow).1);
    }
    connection.execute_batch("COMMIT").unwrap();
    connection.close().unwrap();
    let mut unfinished = 0;
    for (round, millis) in [1, 10, 20, 40, 60, 80, 120, 160, 240, 400]
        .into_iter()
        .enumerate()
    {
        let copy = directory.path().join(format!("{round}.db"));
        fs::copy(&path, &copy).unwrap();
        let mut child = migrating(&copy);
        std::thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = version(&copy);
        assert!((1..=NEWEST).contains(&found), "version {found}");
        unfinished += u32::from(found < NEWEST);
        assert_eq!(
            migrate(&copy).unwrap(),
            Migrated {
                from: found,
                to: NEWEST
            }
        );
        conformance::run(async {
            let store = open(&copy);
            assert_intact(&store, &kept).await;
            let many = FlowStore::list(&store, &ann.key, FlowKind::ConfirmEmail).await;
            assert_eq!(many.unwrap().len(), FLOWS);
            store
                .create(&linked("new", vec![identity("google", "1")]))
                .await
                .unwrap();
        });
        assert_sound(&copy);
    }
    assert!(unfinished > 0, "nobody was killed before the end");
}
