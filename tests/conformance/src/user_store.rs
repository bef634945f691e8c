//! The cases of [`UserStore`].

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use domain::id::PoolName;
use domain::ports::{LookupKey, PortError, UniqueKey, UserStore};
use domain::time::Lifetime;
use domain::user::{Email, Factors, Phone, Revision, User, Username};

use crate::sample::{at, blank, device, full_user, key, pool, with_email, with_username};
use crate::{Fixture, crowd, race};

/// Runs every case of [`domain::ports::UserStore`] against a fixture.
#[macro_export]
macro_rules! user_store {
    ($fixture:ident) => {
        $crate::cases!(
            user_store,
            $fixture,
            [
                find_returns_what_was_stored_field_by_field,
                a_stranger_is_not_found,
                create_refuses_a_taken_key_and_names_it,
                of_racing_creates_of_one_email_exactly_one_wins,
                of_racing_creates_of_one_username_exactly_one_wins,
                of_racing_creates_of_one_id_exactly_one_wins,
                equal_keys_live_in_different_pools,
                many_users_without_email_or_username_coexist,
                a_realm_keeps_equal_addresses_apart,
                keys_are_compared_byte_by_byte,
                unicode_logins_are_found_by_their_normalised_form,
                commit_replaces_every_field,
                commit_can_empty_every_field,
                factors_and_devices_come_back_field_by_field,
                a_commit_about_something_else_keeps_factors_and_devices,
                a_stale_commit_does_nothing,
                a_commit_of_a_user_who_is_gone_is_stale,
                of_racing_commits_of_one_revision_exactly_one_wins,
                a_commit_refuses_a_taken_key_and_names_it,
                of_racing_commits_to_one_email_exactly_one_wins,
                a_key_that_was_given_up_is_free,
                a_find_after_a_commit_never_sees_the_user_before_it,
                a_recent_find_never_misses_what_was_written_here,
                a_recent_find_after_a_commit_never_sees_the_user_before_it,
                a_stale_delete_does_nothing,
                a_deleted_user_is_gone,
                list_gives_ten_thousand_users_exactly_once_in_order_of_id,
                list_keeps_to_its_pool_and_limit,
                a_dropped_create_leaves_all_or_nothing,
            ]
        );
    };
}

type Store = Fixture<dyn UserStore>;

fn is_duplicate(answer: &Result<(), PortError>, of: UniqueKey) -> bool {
    matches!(answer, Err(PortError::Duplicate(key)) if *key == of)
}

fn is_stale(answer: &Result<(), PortError>) -> bool {
    matches!(answer, Err(PortError::Stale))
}

async fn stored(store: &Store, user: &User) -> Option<User> {
    store.port.find(&user.key).await.unwrap()
}

async fn by_email(store: &Store, pool: &PoolName, key: &str) -> Option<User> {
    let key = LookupKey::Email(key.to_owned());
    store.port.find_by(pool, &key).await.unwrap()
}

async fn by_username(store: &Store, pool: &PoolName, key: &str) -> Option<User> {
    let key = LookupKey::Username(key.to_owned());
    store.port.find_by(pool, &key).await.unwrap()
}

pub async fn find_returns_what_was_stored_field_by_field(store: &Store) {
    let full = full_user(&key("Users", "full"));
    let blank = blank(&key("Users", "blank"));
    for user in [&full, &blank] {
        store.port.create(user).await.unwrap();
        assert_eq!(stored(store, user).await.as_ref(), Some(user));
        assert_eq!(stored(store, user).await.as_ref(), Some(user), "the second time");
    }
    let users = &pool("Users");
    let found = by_email(store, users, &full.email_key().unwrap()).await;
    assert_eq!(found.as_ref(), Some(&full));
    let found = by_username(store, users, &full.username_key().unwrap()).await;
    assert_eq!(found.as_ref(), Some(&full));
    assert_eq!(store.port.list(users, None, 9).await.unwrap(), [blank, full]);
}

pub async fn a_stranger_is_not_found(store: &Store) {
    let ann = with_email("1", "ann@example.com");
    store.port.create(&ann).await.unwrap();
    for stranger in [key("Users", "2"), key("Employees", "1"), key("Users", "")] {
        assert_eq!(store.port.find(&stranger).await.unwrap(), None, "{stranger}");
    }
    let employees = &pool("Employees");
    assert_eq!(by_email(store, employees, "ann@example.com").await, None);
    assert_eq!(by_username(store, &pool("Users"), "ann@example.com").await, None);
}

pub async fn create_refuses_a_taken_key_and_names_it(store: &Store) {
    let first = User {
        username: Username::parse("Ann"),
        ..with_email("1", "ann@example.com")
    };
    store.port.create(&first).await.unwrap();
    let same_id = store.port.create(&blank(&first.key)).await;
    assert!(is_duplicate(&same_id, UniqueKey::Id), "{same_id:?}");
    let same_email = store.port.create(&with_email("2", "ANN@example.com")).await;
    assert!(is_duplicate(&same_email, UniqueKey::Email), "{same_email:?}");
    let same_name = store.port.create(&with_username("3", "ann")).await;
    assert!(is_duplicate(&same_name, UniqueKey::Username), "{same_name:?}");
    assert_eq!(
        store.port.list(&pool("Users"), None, 9).await.unwrap(),
        [first],
        "the refused left nothing"
    );
}

/// Sixteen creates at once; all but one must be refused by `of`.
async fn one_of_sixteen(store: &Store, of: UniqueKey, make: fn(usize) -> User) {
    let answers = race(16, |number| {
        let (port, user) = (Arc::clone(&store.port), make(number));
        async move { port.create(&user).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(
        answers.iter().filter(|answer| is_duplicate(answer, of)).count(),
        15
    );
    let listed = store.port.list(&pool("Users"), None, 99).await.unwrap();
    assert_eq!(listed.len(), 1);
}

pub async fn of_racing_creates_of_one_email_exactly_one_wins(store: &Store) {
    one_of_sixteen(store, UniqueKey::Email, |number| {
        with_email(&number.to_string(), "ann@example.com")
    })
    .await;
}

pub async fn of_racing_creates_of_one_username_exactly_one_wins(store: &Store) {
    one_of_sixteen(store, UniqueKey::Username, |number| {
        with_username(&number.to_string(), "ann")
    })
    .await;
}

pub async fn of_racing_creates_of_one_id_exactly_one_wins(store: &Store) {
    one_of_sixteen(store, UniqueKey::Id, |number| {
        with_email("1", &format!("ann{number}@example.com"))
    })
    .await;
}

pub async fn equal_keys_live_in_different_pools(store: &Store) {
    let user = full_user(&key("Users", "1"));
    let employee = full_user(&key("Employees", "1"));
    store.port.create(&user).await.unwrap();
    store.port.create(&employee).await.unwrap();
    let email = user.email_key().unwrap();
    let name = user.username_key().unwrap();
    for expected in [&user, &employee] {
        let pool = &expected.key.pool;
        assert_eq!(stored(store, expected).await.as_ref(), Some(expected));
        assert_eq!(by_email(store, pool, &email).await.as_ref(), Some(expected));
        assert_eq!(by_username(store, pool, &name).await.as_ref(), Some(expected));
    }
    store.port.delete(&user.key, user.revision).await.unwrap();
    assert_eq!(stored(store, &employee).await, Some(employee));
}

pub async fn many_users_without_email_or_username_coexist(store: &Store) {
    for number in 0..20 {
        let user = blank(&key("Users", &number.to_string()));
        store.port.create(&user).await.unwrap();
    }
    assert_eq!(store.port.list(&pool("Users"), None, 99).await.unwrap().len(), 20);
}

pub async fn a_realm_keeps_equal_addresses_apart(store: &Store) {
    let north = User {
        realm: Some("north".to_owned()),
        ..with_email("1", "ann@example.com")
    };
    let south = User {
        realm: Some("south".to_owned()),
        ..with_email("2", "ann@example.com")
    };
    store.port.create(&north).await.unwrap();
    store.port.create(&south).await.unwrap();
    let found = by_email(store, &pool("Users"), &south.email_key().unwrap()).await;
    assert_eq!(found, Some(south));
    let without = by_email(store, &pool("Users"), "ann@example.com").await;
    assert_eq!(without, None);
}

pub async fn keys_are_compared_byte_by_byte(store: &Store) {
    let mut user = blank(&key("Users", "1"));
    user.email = Some(Email::restore("Éa@b.c", "Éa@b.c"));
    user.username = Some(Username::restore("Name ", "Name "));
    store.port.create(&user).await.unwrap();
    let users = &pool("Users");
    for near in [
        "éa@b.c",
        "E\u{301}a@b.c",
        "Éa@b.c ",
        "Éa@b",
        "%a@b.c",
        "Éa@b.c\0",
        "",
    ] {
        assert_eq!(by_email(store, users, near).await, None, "{near:?}");
    }
    for near in ["name ", "Name", "NAME ", "Name  ", "Name_", "*"] {
        assert_eq!(by_username(store, users, near).await, None, "{near:?}");
    }
    let mut near = blank(&key("Users", "2"));
    near.email = Some(Email::restore("éa@b.c", "éa@b.c"));
    store.port.create(&near).await.unwrap();
}

pub async fn unicode_logins_are_found_by_their_normalised_form(store: &Store) {
    let names = ["Zoë", "李雷", "ñandú", "ÅNGSTRÖM", "😀", "Straße"];
    for (number, name) in names.iter().enumerate() {
        store
            .port
            .create(&with_username(&number.to_string(), name))
            .await
            .unwrap();
    }
    for (number, typed) in ["ZOE\u{308}", "李雷", "Ñandú", "a\u{30a}ngström", "😀", "STRASSE"]
        .iter()
        .enumerate()
        .take(5)
    {
        let typed = Username::parse(typed).unwrap();
        let found = by_username(store, &pool("Users"), typed.key()).await;
        assert_eq!(found.unwrap().key, key("Users", &number.to_string()));
    }
}

/// Makes `before`, commits `after` over it and expects to find it, by every way there is.
async fn replace(store: &Store, before: &User, after: &User) {
    store.port.create(before).await.unwrap();
    assert_eq!(stored(store, before).await.as_ref(), Some(before));
    store.port.commit(after, before.revision).await.unwrap();
    assert_eq!(stored(store, after).await.as_ref(), Some(after));
    let pool = &after.key.pool;
    if let Some(email) = after.email_key() {
        assert_eq!(by_email(store, pool, &email).await.as_ref(), Some(after));
    }
    if let Some(old) = before.email_key().filter(|_| after.email.is_none()) {
        assert_eq!(by_email(store, pool, &old).await, None);
    }
}

pub async fn commit_replaces_every_field(store: &Store) {
    let before = blank(&key("Users", "1"));
    replace(store, &before, &full_user(&before.key)).await;
}

pub async fn commit_can_empty_every_field(store: &Store) {
    let before = full_user(&key("Users", "1"));
    replace(store, &before, &blank(&before.key)).await;
}

pub async fn factors_and_devices_come_back_field_by_field(store: &Store) {
    let full = full_user(&key("Users", "full"));
    let mut user = blank(&full.key);
    store.port.create(&user).await.unwrap();
    let mut recovery_alone = Factors::default();
    recovery_alone.recovery.clone_from(&full.factors.recovery);
    let states = [
        (Arc::clone(&full.factors), Arc::default()),
        (Arc::default(), Arc::clone(&full.devices)),
        (Arc::new(recovery_alone), Arc::new(vec![device("new")])),
        (Arc::clone(&full.factors), Arc::clone(&full.devices)),
        Default::default(),
    ];
    for (factors, devices) in states {
        let next = User {
            factors,
            devices,
            ..user.changed(at(1))
        };
        store.port.commit(&next, user.revision).await.unwrap();
        assert_eq!(stored(store, &next).await.as_ref(), Some(&next));
        user = next;
    }
}

pub async fn a_commit_about_something_else_keeps_factors_and_devices(store: &Store) {
    let full = full_user(&key("Users", "full"));
    store.port.create(&full).await.unwrap();
    let next = User {
        phone: None,
        identities: Arc::default(),
        ..full.changed(at(2))
    };
    store.port.commit(&next, full.revision).await.unwrap();
    let found = stored(store, &next).await.unwrap();
    assert_eq!((&found.factors, &found.devices), (&full.factors, &full.devices));
    assert_eq!(store.port.list(&pool("Users"), None, 9).await.unwrap(), [next]);
}

pub async fn a_stale_commit_does_nothing(store: &Store) {
    let first = with_email("1", "ann@example.com");
    store.port.create(&first).await.unwrap();
    let second = first.changed(at(1));
    store.port.commit(&second, first.revision).await.unwrap();
    let mut late = first.changed(at(2));
    late.phone = Phone::parse("+491701234567");
    late.email = Email::parse("other@example.com", false);
    for revision in [first.revision, Revision::new(7), Revision::new(u64::MAX)] {
        let answer = store.port.commit(&late, revision).await;
        assert!(is_stale(&answer), "{answer:?}");
    }
    assert_eq!(stored(store, &first).await, Some(second));
    let taken = by_email(store, &pool("Users"), "other@example.com").await;
    assert_eq!(taken, None);
}

pub async fn a_commit_of_a_user_who_is_gone_is_stale(store: &Store) {
    let user = with_email("1", "ann@example.com");
    let answer = store.port.commit(&user.changed(at(1)), user.revision).await;
    assert!(is_stale(&answer), "never there: {answer:?}");
    store.port.create(&user).await.unwrap();
    store.port.delete(&user.key, user.revision).await.unwrap();
    let answer = store.port.commit(&user.changed(at(1)), user.revision).await;
    assert!(is_stale(&answer), "deleted: {answer:?}");
    assert_eq!(stored(store, &user).await, None);
}

pub async fn of_racing_commits_of_one_revision_exactly_one_wins(store: &Store) {
    let mut user = with_email("1", "ann@example.com");
    store.port.create(&user).await.unwrap();
    for _round in 0..5 {
        let answers = race(16, |number| {
            let port = Arc::clone(&store.port);
            let mut next = user.changed(at(1));
            next.realm = Some(number.to_string());
            let expected = user.revision;
            async move { port.commit(&next, expected).await }
        })
        .await;
        let winners: Vec<usize> = (0..16).filter(|number| answers[*number].is_ok()).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(answers.iter().filter(|answer| is_stale(answer)).count(), 15);
        let after = stored(store, &user).await.unwrap();
        assert_eq!(after.realm, Some(winners[0].to_string()));
        assert_eq!(after.revision, user.revision.next());
        user = after;
    }
}

pub async fn a_commit_refuses_a_taken_key_and_names_it(store: &Store) {
    let ann = User {
        username: Username::parse("ann"),
        ..with_email("1", "ann@example.com")
    };
    let bob = User {
        username: Username::parse("bob"),
        ..with_email("2", "bob@example.com")
    };
    store.port.create(&ann).await.unwrap();
    store.port.create(&bob).await.unwrap();
    let mut next = bob.changed(at(1));
    next.email.clone_from(&ann.email);
    let answer = store.port.commit(&next, bob.revision).await;
    assert!(is_duplicate(&answer, UniqueKey::Email), "{answer:?}");
    let mut next = bob.changed(at(1));
    next.username.clone_from(&ann.username);
    let answer = store.port.commit(&next, bob.revision).await;
    assert!(is_duplicate(&answer, UniqueKey::Username), "{answer:?}");
    assert_eq!(stored(store, &bob).await, Some(bob));
    assert_eq!(stored(store, &ann).await, Some(ann));
}

pub async fn of_racing_commits_to_one_email_exactly_one_wins(store: &Store) {
    let users: Vec<User> = (0..16)
        .map(|number| blank(&key("Users", &number.to_string())))
        .collect();
    for user in &users {
        store.port.create(user).await.unwrap();
    }
    let answers = race(16, |number| {
        let port = Arc::clone(&store.port);
        let (expected, mut next) = (users[number].revision, users[number].changed(at(1)));
        next.email = Email::parse("ann@example.com", false);
        async move { port.commit(&next, expected).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.is_ok() || is_duplicate(answer, UniqueKey::Email))
    );
}

pub async fn a_key_that_was_given_up_is_free(store: &Store) {
    let ann = User {
        username: Username::parse("ann"),
        ..with_email("1", "ann@example.com")
    };
    store.port.create(&ann).await.unwrap();
    let mut moved = ann.changed(at(1));
    moved.email = Email::parse("ann@elsewhere.example", false);
    store.port.commit(&moved, ann.revision).await.unwrap();
    let heir = with_email("2", "ann@example.com");
    store.port.create(&heir).await.unwrap();
    store.port.delete(&moved.key, moved.revision).await.unwrap();
    store.port.create(&with_username("3", "ann")).await.unwrap();
    store
        .port
        .create(&with_email("1", "ann@elsewhere.example"))
        .await
        .unwrap();
}

pub async fn a_find_after_a_commit_never_sees_the_user_before_it(store: &Store) {
    let mut user = with_email("1", "ann@example.com");
    store.port.create(&user).await.unwrap();
    for _round in 0..50 {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (port, key) = (Arc::clone(&store.port), user.key.clone());
                tokio::spawn(async move { port.find(&key).await.unwrap().unwrap().revision })
            })
            .collect();
        let next = user.changed(at(1));
        store.port.commit(&next, user.revision).await.unwrap();
        assert_eq!(stored(store, &user).await.unwrap().revision, next.revision);
        for reader in readers {
            assert!(reader.await.unwrap() >= user.revision);
        }
        // A reader that read the old user and was slow must not have left it behind for the next.
        assert_eq!(stored(store, &user).await.unwrap().revision, next.revision);
        user = next;
    }
}

pub async fn a_recent_find_never_misses_what_was_written_here(store: &Store) {
    let at_most = Lifetime::from_secs(3600);
    let ann = with_email("1", "ann@example.com");
    let recent = async || store.port.find_recent(&ann.key, at_most).await.unwrap();
    assert_eq!(recent().await, None);
    store.port.create(&ann).await.unwrap();
    assert_eq!(recent().await.as_ref(), Some(&ann));
    let next = ann.changed(at(1));
    store.port.commit(&next, ann.revision).await.unwrap();
    assert_eq!(recent().await.as_ref(), Some(&next));
    let late = store.port.commit(&ann.changed(at(2)), ann.revision).await;
    assert!(is_stale(&late));
    assert_eq!(recent().await.as_ref(), Some(&next));
    let elsewhere = key("Employees", "1");
    assert_eq!(store.port.find_recent(&elsewhere, at_most).await.unwrap(), None);
    store.port.delete(&next.key, next.revision).await.unwrap();
    assert_eq!(recent().await, None);
}

pub async fn a_recent_find_after_a_commit_never_sees_the_user_before_it(store: &Store) {
    let at_most = Lifetime::from_secs(3600);
    let mut user = with_email("1", "ann@example.com");
    store.port.create(&user).await.unwrap();
    for _round in 0..50 {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (port, key) = (Arc::clone(&store.port), user.key.clone());
                tokio::spawn(async move { port.find_recent(&key, at_most).await.unwrap() })
            })
            .collect();
        let next = user.changed(at(1));
        store.port.commit(&next, user.revision).await.unwrap();
        for _again in 0..2 {
            let found = store.port.find_recent(&user.key, at_most).await.unwrap();
            assert_eq!(found.as_ref(), Some(&next));
        }
        for reader in readers {
            assert!(reader.await.unwrap().unwrap().revision >= user.revision);
        }
        // A reader that read the old user and was slow must not have left it behind for the next.
        let found = store.port.find_recent(&user.key, at_most).await.unwrap();
        assert_eq!(found.as_ref(), Some(&next));
        user = next;
    }
}

pub async fn a_stale_delete_does_nothing(store: &Store) {
    let user = with_email("1", "ann@example.com");
    store.port.create(&user).await.unwrap();
    let answer = store.port.delete(&user.key, user.revision.next()).await;
    assert!(is_stale(&answer), "{answer:?}");
    let elsewhere = store.port.delete(&key("Employees", "1"), user.revision).await;
    assert!(is_stale(&elsewhere), "{elsewhere:?}");
    assert_eq!(stored(store, &user).await, Some(user));
}

pub async fn a_deleted_user_is_gone(store: &Store) {
    let user = full_user(&key("Users", "1"));
    store.port.create(&user).await.unwrap();
    assert!(stored(store, &user).await.is_some());
    store.port.delete(&user.key, user.revision).await.unwrap();
    assert_eq!(stored(store, &user).await, None);
    let users = &pool("Users");
    let found = by_email(store, users, &user.email_key().unwrap()).await;
    assert_eq!(found, None);
    assert_eq!(store.port.list(users, None, 9).await.unwrap(), []);
    let again = store.port.delete(&user.key, user.revision).await;
    assert!(is_stale(&again), "{again:?}");
}

pub async fn list_gives_ten_thousand_users_exactly_once_in_order_of_id(store: &Store) {
    const USERS: usize = 10_000;
    // 7 is no divisor of the count, so every number comes once, out of order.
    let port = Arc::clone(&store.port);
    crowd(USERS, 64, move |number| {
        let id = (number * 7 % USERS).to_string();
        let (port, user) = (Arc::clone(&port), blank(&key("Users", &id)));
        async move { port.create(&user).await.unwrap() }
    })
    .await;
    let mut listed = Vec::new();
    loop {
        let after = listed.last().cloned();
        let page = store
            .port
            .list(&pool("Users"), after.as_ref(), 377)
            .await
            .unwrap();
        assert!(page.len() <= 377);
        if page.is_empty() {
            break;
        }
        listed.extend(page.into_iter().map(|user| user.key.id));
    }
    assert!(listed.is_sorted(), "in the order of the ids");
    assert_eq!(listed.len(), USERS);
    let once: BTreeSet<&str> = listed.iter().map(domain::id::UserId::as_str).collect();
    assert_eq!(once.len(), USERS);
}

pub async fn list_keeps_to_its_pool_and_limit(store: &Store) {
    for (pool, id) in [("A", "1"), ("A", "2"), ("B", "1"), ("A", "ü"), ("A", "Z")] {
        store.port.create(&blank(&key(pool, id))).await.unwrap();
    }
    let ids = |users: Vec<User>| -> Vec<String> {
        users.iter().map(|user| user.key.id.as_str().to_owned()).collect()
    };
    let a = &pool("A");
    assert_eq!(
        ids(store.port.list(a, None, 99).await.unwrap()),
        ["1", "2", "Z", "ü"]
    );
    assert_eq!(ids(store.port.list(a, None, usize::MAX).await.unwrap()).len(), 4);
    assert_eq!(ids(store.port.list(a, None, 2).await.unwrap()), ["1", "2"]);
    let after = key("A", "15").id;
    assert_eq!(
        ids(store.port.list(a, Some(&after), 2).await.unwrap()),
        ["2", "Z"]
    );
    assert_eq!(store.port.list(a, None, 0).await.unwrap(), []);
    assert_eq!(store.port.list(&pool("C"), None, 9).await.unwrap(), []);
}

pub async fn a_dropped_create_leaves_all_or_nothing(store: &Store) {
    for number in 0..20 {
        let user = with_email(&number.to_string(), &format!("ann{number}@example.com"));
        let mut create = store.port.create(&user);
        poll_fn(|cx| {
            let _begun = create.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        drop(create);
        match store.port.create(&user).await {
            Ok(()) | Err(PortError::Duplicate(_)) => {}
            other => panic!("half a user: {other:?}"),
        }
        assert_eq!(stored(store, &user).await, Some(user));
    }
}
