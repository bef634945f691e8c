//! The cases of [`ApplicationStore`].

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::application::Application;
use domain::id::ApplicationId;
use domain::ports::{ApplicationStore, PortError, UniqueKey};
use domain::user::Revision;

use crate::sample::{application, at, full_application};
use crate::{Fixture, race};

/// Runs every case of [`domain::ports::ApplicationStore`] against a fixture.
#[macro_export]
macro_rules! application_store {
    ($fixture:ident) => {
        $crate::cases!(
            application_store,
            $fixture,
            [
                find_returns_what_was_stored_field_by_field,
                ids_are_compared_byte_by_byte,
                create_refuses_a_taken_id,
                of_racing_creates_of_one_id_exactly_one_wins,
                commit_replaces_every_field,
                commit_can_empty_every_field,
                a_stale_commit_does_nothing,
                a_commit_of_an_application_that_is_gone_is_stale,
                of_racing_commits_of_one_revision_exactly_one_wins,
                a_stale_delete_does_nothing,
                a_deleted_application_is_gone,
                list_gives_every_application_exactly_once_in_order_of_id,
                list_keeps_to_its_limit,
            ]
        );
    };
}

type Store = Fixture<dyn ApplicationStore>;

fn is_stale(answer: &Result<(), PortError>) -> bool {
    matches!(answer, Err(PortError::Stale))
}

fn is_taken(answer: &Result<(), PortError>) -> bool {
    matches!(answer, Err(PortError::Duplicate(UniqueKey::Id)))
}

async fn create(store: &Store, application: &Application) {
    store.port.create_application(application).await.unwrap();
}

async fn stored(store: &Store, application: &Application) -> Option<Application> {
    store.port.find_application(&application.id).await.unwrap()
}

pub async fn find_returns_what_was_stored_field_by_field(store: &Store) {
    let (bare, full) = (application("bare"), full_application("full"));
    for application in [&bare, &full] {
        create(store, application).await;
        assert_eq!(stored(store, application).await.as_ref(), Some(application));
    }
    let listed = store.port.list_applications(None, 9).await.unwrap();
    assert_eq!(listed, [bare, full]);
}

pub async fn ids_are_compared_byte_by_byte(store: &Store) {
    create(store, &application("Éa")).await;
    for near in ["éa", "E\u{301}a", "Éa ", "É", "É_", "Éa\0", ""] {
        assert_eq!(stored(store, &application(near)).await, None, "{near:?}");
    }
    create(store, &application("éa")).await;
}

pub async fn create_refuses_a_taken_id(store: &Store) {
    let first = full_application("1");
    create(store, &first).await;
    let refused = store.port.create_application(&application("1")).await;
    assert!(is_taken(&refused), "{refused:?}");
    assert_eq!(stored(store, &first).await, Some(first));
}

pub async fn of_racing_creates_of_one_id_exactly_one_wins(store: &Store) {
    let named = |number: usize| Application {
        name: number.to_string(),
        ..application("1")
    };
    let answers = race(16, |number| {
        let (port, made) = (Arc::clone(&store.port), named(number));
        async move { port.create_application(&made).await }
    })
    .await;
    let winner = answers.iter().position(Result::is_ok).expect("somebody wins");
    assert_eq!(answers.iter().filter(|answer| is_taken(answer)).count(), 15);
    let winner = named(winner);
    assert_eq!(stored(store, &winner).await, Some(winner));
}

/// Makes `before`, commits `after` over it and expects to find it.
async fn replace(store: &Store, before: &Application, after: &Application) {
    create(store, before).await;
    assert_eq!(stored(store, before).await.as_ref(), Some(before));
    let committed = store.port.commit_application(after, before.revision).await;
    committed.unwrap();
    assert_eq!(stored(store, after).await.as_ref(), Some(after));
}

pub async fn commit_replaces_every_field(store: &Store) {
    replace(store, &application("1"), &full_application("1")).await;
}

pub async fn commit_can_empty_every_field(store: &Store) {
    replace(store, &full_application("1"), &application("1")).await;
}

pub async fn a_stale_commit_does_nothing(store: &Store) {
    let first = application("1");
    create(store, &first).await;
    let second = first.changed(at(1));
    let committed = store.port.commit_application(&second, first.revision).await;
    committed.unwrap();
    let late = Application {
        name: "late".to_owned(),
        ..first.changed(at(2))
    };
    for revision in [first.revision, Revision::new(7), Revision::new(u64::MAX)] {
        let answer = store.port.commit_application(&late, revision).await;
        assert!(is_stale(&answer), "{answer:?}");
    }
    assert_eq!(stored(store, &first).await, Some(second));
}

pub async fn a_commit_of_an_application_that_is_gone_is_stale(store: &Store) {
    let shop = application("1");
    let next = shop.changed(at(1));
    let answer = store.port.commit_application(&next, shop.revision).await;
    assert!(is_stale(&answer), "never there: {answer:?}");
    create(store, &shop).await;
    let deleted = store.port.delete_application(&shop.id, shop.revision).await;
    deleted.unwrap();
    let answer = store.port.commit_application(&next, shop.revision).await;
    assert!(is_stale(&answer), "deleted: {answer:?}");
    assert_eq!(stored(store, &shop).await, None);
}

pub async fn of_racing_commits_of_one_revision_exactly_one_wins(store: &Store) {
    let mut shop = application("1");
    create(store, &shop).await;
    for _round in 0..5 {
        let answers = race(16, |number| {
            let port = Arc::clone(&store.port);
            let (mut next, expected) = (shop.changed(at(1)), shop.revision);
            next.name = number.to_string();
            async move { port.commit_application(&next, expected).await }
        })
        .await;
        let winner = answers.iter().position(Result::is_ok).expect("somebody wins");
        assert_eq!(answers.iter().filter(|answer| is_stale(answer)).count(), 15);
        let after = stored(store, &shop).await.unwrap();
        assert_eq!(after.name, winner.to_string());
        assert_eq!(after.revision, shop.revision.next());
        shop = after;
    }
}

pub async fn a_stale_delete_does_nothing(store: &Store) {
    let shop = application("1");
    create(store, &shop).await;
    let answer = store
        .port
        .delete_application(&shop.id, shop.revision.next())
        .await;
    assert!(is_stale(&answer), "{answer:?}");
    assert_eq!(stored(store, &shop).await, Some(shop));
}

pub async fn a_deleted_application_is_gone(store: &Store) {
    let shop = full_application("1");
    create(store, &shop).await;
    let deleted = store.port.delete_application(&shop.id, shop.revision).await;
    deleted.unwrap();
    assert_eq!(stored(store, &shop).await, None);
    assert_eq!(store.port.list_applications(None, 9).await.unwrap(), []);
    let again = store.port.delete_application(&shop.id, shop.revision).await;
    assert!(is_stale(&again), "{again:?}");
    create(store, &application("1")).await;
}

pub async fn list_gives_every_application_exactly_once_in_order_of_id(store: &Store) {
    const APPLICATIONS: usize = 100;
    // 7 is no divisor of the count, so every number comes once, out of order.
    for number in 0..APPLICATIONS {
        create(store, &application(&(number * 7 % APPLICATIONS).to_string())).await;
    }
    let mut listed: Vec<ApplicationId> = Vec::new();
    loop {
        let page = store.port.list_applications(listed.last().cloned(), 7).await;
        let page = page.unwrap();
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        listed.extend(page.into_iter().map(|application| application.id));
    }
    assert!(listed.is_sorted(), "in the order of the ids");
    assert_eq!(listed.len(), APPLICATIONS);
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), APPLICATIONS);
}

pub async fn list_keeps_to_its_limit(store: &Store) {
    for id in ["2", "1", "ü", "Z"] {
        create(store, &application(id)).await;
    }
    for (after, limit, expected) in [
        (None, usize::MAX, &["1", "2", "Z", "ü"][..]),
        (None, 2, &["1", "2"]),
        (Some("15"), 2, &["2", "Z"]),
        (Some("ü"), 9, &[]),
        (None, 0, &[]),
    ] {
        let after = after.map(ApplicationId::new);
        let listed = store.port.list_applications(after, limit).await.unwrap();
        let ids: Vec<&str> = listed.iter().map(|application| application.id.as_str()).collect();
        assert_eq!(ids, expected);
    }
}
