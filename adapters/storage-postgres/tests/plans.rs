//! How the database goes about what it is asked.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod place;

use conformance::sample::{application, at, event, flow, full_user, key, message, session, token};
use domain::audit::{AuditKind, AuditQuery};
use domain::flow_record::FlowKind;
use domain::id::{RoleId, UserId, UserKey};
use domain::limits::{LimitKey, Quota};
use domain::outbox::{Lane, Settled};
use domain::ports::{
    ApplicationStore, AuditLog, FlowStore, LookupKey, Outbox, RateLimiter, RoleMembers, SessionStore,
    Tombstones, UserStore,
};
use domain::time::Lifetime;
use domain::tombstone::Tombstone;
use place::Database;
use sqlx::{Connection as _, PgConnection};
use storage_postgres::PostgresStore;

/// How often whole tables were read so far.
async fn whole_tables_read(database: &Database) -> i64 {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let count = "SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_user_tables \
                 WHERE relname <> 'portcullis_migrations'";
    sqlx::query_scalar(count)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

async fn ask_everything(store: &PostgresStore) {
    let ann = full_user(&key("Users", "ann"));
    let pool = &ann.key.pool;
    let kind = FlowKind::ResetPassword;
    store.create(&ann).await.unwrap();
    UserStore::find(store, &ann.key).await.unwrap();
    let identity = ann.identities.first().unwrap().key.to_text();
    let keys = [
        LookupKey::Email(ann.email_key().unwrap()),
        LookupKey::Username(ann.username_key().unwrap()),
        LookupKey::Identity(identity),
    ];
    for by in keys {
        assert!(store.find_by(pool, &by).await.unwrap().is_some());
    }
    UserStore::list(store, pool, None, 9).await.unwrap();
    UserStore::list(store, pool, Some(&ann.key.id), 9).await.unwrap();
    store.commit(&ann.changed(at(1)), ann.revision).await.unwrap();
    store.open(&session(&ann.key, "a")).await.unwrap();
    SessionStore::find(store, &token("a")).await.unwrap();
    store.touch(&token("a"), at(9)).await.unwrap();
    let page = SessionStore::list(store, None, None, 1).await.unwrap();
    let next = page.next.as_ref();
    SessionStore::list(store, None, next, 1).await.unwrap();
    SessionStore::list(store, Some(&ann.key), None, 9).await.unwrap();
    SessionStore::list(store, Some(&ann.key), next, 9).await.unwrap();
    store.end(&token("a")).await.unwrap();
    SessionStore::end_all(store, &ann.key, None).await.unwrap();
    FlowStore::put(store, &flow(&ann.key, kind, "f")).await.unwrap();
    store.replace(&flow(&ann.key, kind, "f")).await.unwrap();
    FlowStore::find(store, &token("f")).await.unwrap();
    FlowStore::list(store, &ann.key, kind).await.unwrap();
    FlowStore::take(store, &token("f")).await.unwrap();
    FlowStore::end_all(store, &ann.key, kind).await.unwrap();
    let quota = Quota::Rate {
        burst: 9,
        per: Lifetime::from_secs(9),
    };
    let asked = [(LimitKey::new("a", &[]), quota), (LimitKey::new("b", &[]), quota)];
    RateLimiter::take(store, &asked, at(0)).await.unwrap();
    store.give_back(&asked, at(0)).await.unwrap();
    store.create_application(&application("a")).await.unwrap();
    let shop = store
        .find_application(&application("a").id)
        .await
        .unwrap()
        .unwrap();
    store.list_applications(None, 9).await.unwrap();
    store.list_applications(Some(shop.id.clone()), 9).await.unwrap();
    store.delete_application(&shop.id, shop.revision).await.unwrap();
    ask_about_roles(store, &ann.key).await;
    store.append(&event(AuditKind::LoggedIn, "ann")).await.unwrap();
    find_events(store).await;
    send_messages(store, &ann.key).await;
    let ended = Tombstone {
        token: token("a"),
        until: Some(at(0)),
    };
    store.bury(&ended).await.unwrap();
    store.is_buried(&token("a")).await.unwrap();
    purge_everything(store).await;
    store.delete(&ann.key, ann.changed(at(1)).revision).await.unwrap();
}

async fn ask_about_roles(store: &PostgresStore, user: &UserKey) {
    let role = RoleId::new("clerk");
    let members = |after| store.members(&user.pool, &role, after, 9);
    let page = members(None).await.unwrap();
    members(Some(UserId::new("a"))).await.unwrap();
    store.count_members(&user.pool, &role).await.unwrap();
    let (_, mapping) = page.first().unwrap();
    store.holder_of(&mapping.id).await.unwrap();
}

async fn find_events(store: &PostgresStore) {
    let event = event(AuditKind::LoggedIn, "ann");
    let all = AuditQuery::default();
    let queries = [
        AuditQuery {
            user: event.user.clone(),
            ..all.clone()
        },
        AuditQuery {
            request: event.request.clone(),
            ..all.clone()
        },
        AuditQuery {
            since: Some(at(-9)),
            until: Some(at(9)),
            ..all.clone()
        },
        AuditQuery {
            network: event.network.clone(),
            kinds: vec![event.kind],
            ..all.clone()
        },
        all,
    ];
    for query in queries {
        let page = AuditLog::find(store, &query, None, 1).await.unwrap();
        assert_eq!(page.events, std::slice::from_ref(&event));
        AuditLog::find(store, &query, page.next.as_ref(), 9)
            .await
            .unwrap();
    }
}

async fn send_messages(store: &PostgresStore, user: &UserKey) {
    for id in ["a", "b"] {
        Outbox::put(store, &message(user, id)).await.unwrap();
    }
    let hold = Lifetime::from_secs(9);
    let claimed = store.claim(Lane::People, at(0), hold, 9).await.unwrap();
    let again = Settled::Again { due: at(0) };
    for (message, how) in claimed.iter().zip([Settled::Done, again]) {
        assert!(store.settle(&message.id, 1, how).await.unwrap());
    }
    let page = Outbox::list(store, None, 1).await.unwrap();
    Outbox::list(store, page.next.as_ref(), 1).await.unwrap();
}

async fn purge_everything(store: &PostgresStore) {
    SessionStore::purge(store, at(9_999)).await.unwrap();
    FlowStore::purge(store, at(9_999)).await.unwrap();
    RateLimiter::purge(store, at(9_999)).await.unwrap();
    AuditLog::purge(store, at(9_999)).await.unwrap();
    Tombstones::purge(store, at(9_999)).await.unwrap();
    Outbox::purge(store, at(999_999)).await.unwrap();
}

#[test]
fn no_statement_ever_reads_a_whole_table() {
    conformance::run(async {
        let database = Database::fresh().await;
        // Making the indexes reads the empty tables. What is counted is known once a connection is closed.
        let store = PostgresStore::open(&database.config()).await.unwrap();
        store.close().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let before = whole_tables_read(&database).await;
        let store = PostgresStore::open(&database.config()).await.unwrap();
        ask_everything(&store).await;
        store.close().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(whole_tables_read(&database).await, before);
    });
}
