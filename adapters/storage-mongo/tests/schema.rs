//! Opening: many at once, what is not ours, what is too new, and the indexes that come of it.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::{Database, behind};
use conformance::race;
use conformance::sample::{at, key, with_email};
use domain::access::RoleMapping;
use domain::audit::AuditQuery;
use domain::id::{RoleId, RoleMappingId};
use domain::ports::{AuditLog, RoleMembers, UserStore};
use domain::secret::Secret;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use storage_mongo::{Migrated, MongoConfig, MongoStore, OpenError, migrate};

#[test]
fn twenty_nodes_open_one_new_database_at_once() {
    conformance::run(async {
        let database = Database::fresh();
        let config = database.config();
        let stores = race(20, move |_| {
            let config = config.clone();
            async move { MongoStore::open(&config).await.unwrap() }
        })
        .await;
        for (number, store) in stores.iter().enumerate() {
            let user = with_email(&number.to_string(), &format!("ann{number}@example.com"));
            store.create(&user).await.unwrap();
        }
        assert_eq!(
            migrate(&database.config()).await.unwrap(),
            Migrated { from: 3, to: 3 }
        );
    });
}

#[test]
fn a_migration_says_what_it_did() {
    conformance::run(async {
        let database = Database::fresh();
        let config = database.config();
        assert_eq!(migrate(&config).await.unwrap(), Migrated { from: 0, to: 3 });
        assert_eq!(migrate(&config).await.unwrap(), Migrated { from: 3, to: 3 });
    });
}

#[test]
fn a_migration_that_was_broken_off_is_completed() {
    conformance::run(async {
        let database = Database::fresh();
        let behind = behind(&database.url(), database.name()).await;
        let schema = behind.collection::<Document>("schema");
        schema
            .insert_one(doc! { "_id": "portcullis", "version": 0, "oldest": 0 })
            .await
            .unwrap();
        behind.create_collection("users").await.unwrap();
        assert_eq!(
            migrate(&database.config()).await.unwrap(),
            Migrated { from: 0, to: 3 }
        );
    });
}

/// As a node of version 2 leaves it: its users were never given a role, and nothing leads to those who are.
#[test]
fn a_database_from_before_there_were_roles_learns_the_way_to_their_members() {
    conformance::run(async {
        let database = Database::fresh();
        let store = MongoStore::open(&database.config()).await.unwrap();
        let ann = with_email("ann", "ann@example.com");
        store.create(&ann).await.unwrap();
        let behind = behind(&database.url(), database.name()).await;
        let users = behind.collection::<Document>("users");
        let held = doc! { "$unset": { "roles": "", "mappings": "", "record.mappings": "" } };
        users.update_many(doc! {}, held).await.unwrap();
        for index in ["roles", "mappings"] {
            users.drop_index(index).await.unwrap();
        }
        let schema = behind.collection::<Document>("schema");
        let before = doc! { "$set": { "version": 2 } };
        schema
            .update_one(doc! { "_id": "portcullis" }, before)
            .await
            .unwrap();
        let migrated = migrate(&database.config()).await.unwrap();
        assert_eq!(migrated, Migrated { from: 2, to: 3 });
        let indexes = users.list_index_names().await.unwrap();
        assert!(
            ["roles", "mappings"]
                .iter()
                .all(|name| indexes.iter().any(|made| made == name)),
            "{indexes:?}"
        );
        assert_eq!(
            UserStore::find(&store, &ann.key).await.unwrap(),
            Some(ann.clone())
        );
        let clerk = RoleId::new("clerk");
        assert_eq!(store.count_members(&ann.key.pool, &clerk).await.unwrap(), 0);
        let mut next = ann.changed(at(1));
        Arc::make_mut(&mut next.mappings).push(RoleMapping {
            id: RoleMappingId::new("1"),
            role: clerk.clone(),
            created: at(1),
        });
        store.commit(&next, ann.revision).await.unwrap();
        assert_eq!(store.count_members(&ann.key.pool, &clerk).await.unwrap(), 1);
    });
}

/// As a node of version 1 leaves it.
#[test]
fn a_database_of_the_first_version_is_brought_along_and_forgets_addresses() {
    conformance::run(async {
        let database = Database::fresh();
        let behind = behind(&database.url(), database.name()).await;
        let schema = behind.collection::<Document>("schema");
        let first = doc! { "_id": "portcullis", "version": 1, "oldest": 1 };
        schema.insert_one(first).await.unwrap();
        let audit = behind.collection::<Document>("audit");
        let event = |id: &str| {
            let record = doc! {
                "at": 5_i64, "kind": "login.succeeded", "pool": "Users", "user": "ann", "address": "192.0.2.7",
            };
            audit.insert_one(doc! { "_id": id, "at": 5_i64, "record": record })
        };
        event("1").await.unwrap();
        let store = MongoStore::open(&database.config()).await.unwrap();
        let addresses = || audit.count_documents(doc! { "record.address": { "$exists": true } });
        assert_eq!(addresses().await.unwrap(), 0);
        // A node of that version beside: its events are found at once, and forget where from at the next migration.
        event("2").await.unwrap();
        let query = AuditQuery {
            user: Some(key("Users", "ann")),
            ..AuditQuery::default()
        };
        let page = AuditLog::find(&store, &query, None, 9).await.unwrap();
        assert_eq!(page.events.len(), 2);
        let migrated = migrate(&database.config()).await.unwrap();
        assert_eq!(migrated, Migrated { from: 3, to: 3 });
        assert_eq!(addresses().await.unwrap(), 0);
        assert_eq!(AuditLog::find(&store, &query, None, 9).await.unwrap(), page);
    });
}

#[test]
fn a_database_of_something_else_is_refused_and_left_alone() {
    conformance::run(async {
        let database = Database::fresh();
        let behind = behind(&database.url(), database.name()).await;
        let theirs = behind.collection::<Document>("users");
        theirs.insert_one(doc! { "name": "theirs" }).await.unwrap();
        let refused = MongoStore::open(&database.config()).await.err().unwrap();
        assert!(
            matches!(&refused, OpenError::Foreign { collection, .. } if collection == "users"),
            "{refused}"
        );
        assert!(refused.to_string().contains(database.name()), "{refused}");
        assert_eq!(behind.list_collection_names().await.unwrap(), ["users"]);
    });
}

#[test]
fn a_newer_schema_is_used_while_its_floor_allows_it_and_refused_then() {
    conformance::run(async {
        let database = Database::fresh();
        migrate(&database.config()).await.unwrap();
        let behind = behind(&database.url(), database.name()).await;
        let schema = behind.collection::<Document>("schema");
        let set = |version: i32, oldest: i32| {
            let newer = doc! { "$set": { "version": version, "oldest": oldest } };
            schema.update_one(doc! { "_id": "portcullis" }, newer)
        };
        set(4, 1).await.unwrap();
        assert_eq!(
            migrate(&database.config()).await.unwrap(),
            Migrated { from: 4, to: 4 }
        );
        set(5, 4).await.unwrap();
        let refused = MongoStore::open(&database.config()).await.err().unwrap();
        assert!(
            matches!(
                refused,
                OpenError::NewerSchema {
                    needed: 4,
                    known: 3,
                    ..
                }
            ),
            "{refused}"
        );
    });
}

#[test]
fn what_must_be_unique_is_and_what_is_void_is_dropped() {
    conformance::run(async {
        let database = Database::fresh();
        migrate(&database.config()).await.unwrap();
        let behind = behind(&database.url(), database.name()).await;
        let mut indexes = BTreeMap::new();
        for collection in [
            "users",
            "sessions",
            "flows",
            "counters",
            "tombstones",
            "audit",
            "outbox",
        ] {
            let made = behind
                .collection::<Document>(collection)
                .list_indexes()
                .await
                .unwrap();
            for index in made.try_collect::<Vec<_>>().await.unwrap() {
                let options = index.options.unwrap();
                indexes.insert(format!("{collection}.{}", options.name.clone().unwrap()), options);
            }
        }
        for name in ["email_key", "username_key", "identity_keys"] {
            let options = &indexes[&format!("users.{name}")];
            assert_eq!(options.unique, Some(true), "{name}");
            assert!(options.collation.is_none(), "{name} is compared byte by byte");
            let filter = options.partial_filter_expression.as_ref().unwrap();
            assert_eq!(*filter, doc! { name: { "$exists": true } });
        }
        for way_to_members in ["roles", "mappings"] {
            assert!(indexes.contains_key(&format!("users.{way_to_members}")));
        }
        for collection in ["sessions", "flows", "counters", "tombstones", "outbox"] {
            let options = &indexes[&format!("{collection}.drop_at")];
            assert_eq!(options.expire_after, Some(Duration::ZERO), "{collection}");
        }
    });
}

#[test]
fn a_database_that_is_not_there_gets_a_sentence_in_time() {
    conformance::run(async {
        // Nobody listens there.
        let url = "mongodb://ann:hunter2@127.0.0.1:9/portcullis";
        let mut config = MongoConfig::new(Secret::new(url));
        config.patience = Duration::from_secs(3);
        let began = std::time::Instant::now();
        let refused = MongoStore::open(&config).await.err().unwrap();
        assert!(began.elapsed() < Duration::from_secs(9));
        let said = refused.to_string();
        assert!(said.starts_with("no database answered within"), "{said}");
        assert!(said.contains("127.0.0.1:9"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(!format!("{refused:?}").contains("hunter2"));
    });
}
