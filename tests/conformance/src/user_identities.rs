//! What every [`UserStore`] must do about accounts elsewhere: one account, one user of a pool.

use std::sync::Arc;

use domain::id::{PoolName, RoleName};
use domain::identity::{Identity, MAX_LINKS, Profile};
use domain::ports::{LookupKey, PortError, UniqueKey, UserStore};
use domain::user::{Email, User};

use crate::sample::{at, blank, credential, full_user, identity, key, linked, pool, with_email};
use crate::{Fixture, race};

/// Runs every case about identities of [`domain::ports::UserStore`] against a fixture.
#[macro_export]
macro_rules! user_identities {
    ($fixture:ident) => {
        $crate::cases!(
            user_identities,
            $fixture,
            [
                a_user_is_found_by_each_of_their_identities,
                an_identity_is_found_in_its_own_pool_alone,
                equal_identities_live_in_different_pools,
                create_refuses_a_taken_identity_and_names_it,
                of_racing_creates_of_one_identity_exactly_one_wins,
                a_commit_refuses_a_taken_identity_and_leaves_row_and_keys_untouched,
                of_racing_links_of_one_identity_exactly_one_wins,
                a_refused_link_undoes_nobody_elses,
                a_stale_link_claims_nothing,
                identity_keys_are_compared_byte_by_byte,
                many_users_without_identities_coexist,
                an_unlinked_identity_is_free,
                the_identities_of_a_deleted_user_are_free,
                identities_change_hands_in_one_commit_each,
                a_change_of_something_else_keeps_the_identities,
                what_a_provider_says_anew_is_stored,
                as_many_accounts_as_may_be_linked_are_found,
                a_find_after_a_link_never_sees_the_user_before_it,
            ]
        );
    };
}

type Store = Fixture<dyn UserStore>;

fn is_taken(answer: &Result<(), PortError>) -> bool {
    matches!(answer, Err(PortError::Duplicate(UniqueKey::Identity)))
}

async fn stored(store: &Store, user: &User) -> Option<User> {
    store.port.find(&user.key).await.unwrap()
}

async fn by_text(store: &Store, pool: &PoolName, text: &str) -> Option<User> {
    let key = LookupKey::Identity(text.to_owned());
    store.port.find_by(pool, &key).await.unwrap()
}

/// Who of the pool `Users` holds an identity.
async fn holder(store: &Store, identity: &Identity) -> Option<User> {
    by_text(store, &pool("Users"), &identity.key.to_text()).await
}

/// The user's next state, with these identities.
fn relinked(user: &User, identities: Vec<Identity>) -> User {
    User {
        identities: Arc::new(identities),
        ..user.changed(at(1))
    }
}

pub async fn a_user_is_found_by_each_of_their_identities(store: &Store) {
    let full = full_user(&key("Users", "full"));
    store.port.create(&full).await.unwrap();
    store.port.create(&blank(&key("Users", "blank"))).await.unwrap();
    assert_eq!(full.identities.len(), 2);
    for identity in full.identities.iter() {
        assert_eq!(holder(store, identity).await.as_ref(), Some(&full));
    }
    let email = full.email_key().unwrap();
    assert_eq!(by_text(store, &pool("Users"), &email).await, None);
}

pub async fn an_identity_is_found_in_its_own_pool_alone(store: &Store) {
    let (held, other) = (identity("google", "1"), identity("google", "2"));
    let ann = linked("ann", vec![held.clone()]);
    store.port.create(&ann).await.unwrap();
    assert_eq!(holder(store, &other).await, None);
    let text = held.key.to_text();
    for elsewhere in ["Employees", "users", ""] {
        assert_eq!(by_text(store, &pool(elsewhere), &text).await, None, "{elsewhere}");
    }
}

pub async fn equal_identities_live_in_different_pools(store: &Store) {
    let user = full_user(&key("Users", "1"));
    let employee = full_user(&key("Employees", "2"));
    store.port.create(&user).await.unwrap();
    store.port.create(&employee).await.unwrap();
    let text = user.identities[0].key.to_text();
    for expected in [&user, &employee] {
        let found = by_text(store, &expected.key.pool, &text).await;
        assert_eq!(found.as_ref(), Some(expected));
    }
    store.port.delete(&user.key, user.revision).await.unwrap();
    let left = by_text(store, &employee.key.pool, &text).await;
    assert_eq!(left, Some(employee));
}

pub async fn create_refuses_a_taken_identity_and_names_it(store: &Store) {
    let (taken, free) = (identity("google", "1"), identity("google", "2"));
    let ann = linked("ann", vec![taken.clone()]);
    store.port.create(&ann).await.unwrap();
    let bob = linked("bob", vec![free.clone(), taken]);
    let refused = store.port.create(&bob).await;
    assert!(is_taken(&refused), "{refused:?}");
    assert_eq!(stored(store, &bob).await, None, "the refused left nothing");
    assert_eq!(holder(store, &free).await, None, "not even a key");
    let bob = linked("bob", vec![free]);
    store.port.create(&bob).await.unwrap();
    assert_eq!(
        store.port.list(&pool("Users"), None, 9).await.unwrap(),
        [ann, bob]
    );
}

pub async fn of_racing_creates_of_one_identity_exactly_one_wins(store: &Store) {
    for round in 0..5 {
        let subject = round.to_string();
        let answers = race(16, |number| {
            let port = Arc::clone(&store.port);
            let user = linked(&format!("{round}-{number}"), vec![identity("google", &subject)]);
            async move { port.create(&user).await }
        })
        .await;
        let winner = answers.iter().position(Result::is_ok).expect("somebody wins");
        assert_eq!(answers.iter().filter(|answer| is_taken(answer)).count(), 15);
        let found = holder(store, &identity("google", &subject)).await.unwrap();
        assert_eq!(found.key, key("Users", &format!("{round}-{winner}")));
    }
    assert_eq!(store.port.list(&pool("Users"), None, 99).await.unwrap().len(), 5);
}

pub async fn a_commit_refuses_a_taken_identity_and_leaves_row_and_keys_untouched(store: &Store) {
    let (taken, old, new) = (
        identity("google", "1"),
        identity("google", "2"),
        identity("google", "3"),
    );
    let ann = linked("ann", vec![taken.clone()]);
    let bob = User {
        identities: Arc::new(vec![old.clone()]),
        ..with_email("bob", "bob@example.com")
    };
    for user in [&ann, &bob] {
        store.port.create(user).await.unwrap();
        assert_eq!(
            stored(store, user).await.as_ref(),
            Some(user),
            "read, and perhaps kept"
        );
    }
    let mut next = relinked(&bob, vec![new.clone(), taken.clone()]);
    next.email = Email::parse("new@example.com", false);
    let refused = store.port.commit(&next, bob.revision).await;
    assert!(is_taken(&refused), "{refused:?}");
    assert_eq!(stored(store, &bob).await.as_ref(), Some(&bob));
    assert_eq!(holder(store, &old).await.as_ref(), Some(&bob));
    assert_eq!(holder(store, &new).await, None);
    assert_eq!(holder(store, &taken).await.as_ref(), Some(&ann));
    let email = LookupKey::Email("bob@example.com".to_owned());
    let found = store.port.find_by(&pool("Users"), &email).await.unwrap();
    assert_eq!(found.as_ref(), Some(&bob));
    store
        .port
        .create(&with_email("3", "new@example.com"))
        .await
        .unwrap();
    store.port.create(&linked("4", vec![new])).await.unwrap();
    let next = relinked(&bob, vec![old, identity("google", "4")]);
    store.port.commit(&next, bob.revision).await.unwrap();
}

pub async fn of_racing_links_of_one_identity_exactly_one_wins(store: &Store) {
    let mut users: Vec<User> = (0..16)
        .map(|number| linked(&number.to_string(), Vec::new()))
        .collect();
    for user in &users {
        store.port.create(user).await.unwrap();
    }
    for round in 0..5 {
        let wanted = identity("google", &round.to_string());
        let nexts: Vec<User> = users
            .iter()
            .map(|user| {
                let mut links = user.identities.to_vec();
                links.push(wanted.clone());
                relinked(user, links)
            })
            .collect();
        let answers = race(16, |number| {
            let port = Arc::clone(&store.port);
            let (next, expected) = (nexts[number].clone(), users[number].revision);
            async move { port.commit(&next, expected).await }
        })
        .await;
        let winner = answers.iter().position(Result::is_ok).expect("somebody wins");
        assert_eq!(answers.iter().filter(|answer| is_taken(answer)).count(), 15);
        users[winner] = nexts[winner].clone();
        assert_eq!(holder(store, &wanted).await.as_ref(), Some(&users[winner]));
        for user in &users {
            assert_eq!(stored(store, user).await.as_ref(), Some(user));
        }
    }
}

/// Half of the racers want an account that is taken, half one of their own: those who fail in one transaction with those who do
/// not take nothing of theirs along.
pub async fn a_refused_link_undoes_nobody_elses(store: &Store) {
    let taken = identity("google", "taken");
    store
        .port
        .create(&linked("holder", vec![taken.clone()]))
        .await
        .unwrap();
    let users: Vec<User> = (0..32)
        .map(|number| linked(&number.to_string(), Vec::new()))
        .collect();
    for user in &users {
        store.port.create(user).await.unwrap();
    }
    let nexts: Vec<User> = users
        .iter()
        .enumerate()
        .map(|(number, user)| {
            let own = identity("google", &number.to_string());
            let links = if number % 2 == 0 {
                vec![own]
            } else {
                vec![own, taken.clone()]
            };
            relinked(user, links)
        })
        .collect();
    let answers = race(32, |number| {
        let port = Arc::clone(&store.port);
        let (next, expected) = (nexts[number].clone(), users[number].revision);
        async move { port.commit(&next, expected).await }
    })
    .await;
    for (number, answer) in answers.iter().enumerate() {
        let wins = number % 2 == 0;
        assert_eq!(answer.is_ok(), wins, "{number}: {answer:?}");
        assert!(wins || is_taken(answer), "{number}: {answer:?}");
        let expected = if wins { &nexts[number] } else { &users[number] };
        assert_eq!(stored(store, expected).await.as_ref(), Some(expected));
        let held = holder(store, &identity("google", &number.to_string())).await;
        assert_eq!(held.is_some(), wins, "{number}");
    }
}

pub async fn a_stale_link_claims_nothing(store: &Store) {
    let (taken, free) = (identity("google", "1"), identity("google", "2"));
    store
        .port
        .create(&linked("ann", vec![taken.clone()]))
        .await
        .unwrap();
    let bob = linked("bob", Vec::new());
    store.port.create(&bob).await.unwrap();
    let second = bob.changed(at(1));
    store.port.commit(&second, bob.revision).await.unwrap();
    for wanted in [taken, free.clone()] {
        let late = relinked(&bob, vec![wanted]);
        let answer = store.port.commit(&late, bob.revision).await;
        assert!(matches!(answer, Err(PortError::Stale)), "{answer:?}");
    }
    assert_eq!(holder(store, &free).await, None);
    assert_eq!(stored(store, &bob).await, Some(second));
}

pub async fn identity_keys_are_compared_byte_by_byte(store: &Store) {
    let ann = linked("ann", vec![identity("google", "Éa1 ")]);
    store.port.create(&ann).await.unwrap();
    let near = [
        "éa1 ",
        "E\u{301}a1 ",
        "Éa1",
        "Éa1  ",
        "ÉA1 ",
        "Éa_ ",
        "%",
        "Éa01 ",
    ];
    for (number, near) in near.into_iter().enumerate() {
        assert_eq!(holder(store, &identity("google", near)).await, None, "{near:?}");
        let other = linked(&number.to_string(), vec![identity("google", near)]);
        store.port.create(&other).await.unwrap();
        assert_eq!(holder(store, &identity("google", near)).await, Some(other));
    }
    let text = ann.identities[0].key.to_text();
    for near in [
        text.to_uppercase(),
        format!("{text}\0"),
        format!(" {text}"),
        String::new(),
    ] {
        assert_eq!(by_text(store, &pool("Users"), &near).await, None, "{near:?}");
    }
    assert_eq!(holder(store, &identity("Google", "Éa1 ")).await, None);
    assert_eq!(holder(store, &ann.identities[0]).await, Some(ann));
}

pub async fn many_users_without_identities_coexist(store: &Store) {
    for number in 0..20 {
        let user = linked(&number.to_string(), Vec::new());
        store.port.create(&user).await.unwrap();
        store
            .port
            .commit(&relinked(&user, Vec::new()), user.revision)
            .await
            .unwrap();
    }
    assert_eq!(store.port.list(&pool("Users"), None, 99).await.unwrap().len(), 20);
}

pub async fn an_unlinked_identity_is_free(store: &Store) {
    let (kept, freed) = (identity("google", "1"), identity("google", "2"));
    let ann = linked("ann", vec![kept.clone(), freed.clone()]);
    store.port.create(&ann).await.unwrap();
    let next = relinked(&ann, vec![kept.clone()]);
    store.port.commit(&next, ann.revision).await.unwrap();
    assert_eq!(holder(store, &freed).await, None);
    let bob = linked("bob", vec![freed.clone()]);
    store.port.create(&bob).await.unwrap();
    assert_eq!(holder(store, &freed).await, Some(bob));
    assert_eq!(holder(store, &kept).await, Some(next));
}

pub async fn the_identities_of_a_deleted_user_are_free(store: &Store) {
    let held = identity("google", "1");
    let ann = linked("ann", vec![held.clone()]);
    store.port.create(&ann).await.unwrap();
    let refused = store.port.delete(&ann.key, ann.revision.next()).await;
    assert!(matches!(refused, Err(PortError::Stale)), "{refused:?}");
    assert_eq!(holder(store, &held).await.as_ref(), Some(&ann));
    store.port.delete(&ann.key, ann.revision).await.unwrap();
    assert_eq!(holder(store, &held).await, None);
    let bob = linked("bob", vec![held.clone()]);
    store.port.create(&bob).await.unwrap();
    assert_eq!(holder(store, &held).await, Some(bob));
}

pub async fn identities_change_hands_in_one_commit_each(store: &Store) {
    let (first, second) = (identity("google", "1"), identity("google", "2"));
    let ann = linked("ann", vec![first.clone()]);
    let bob = linked("bob", Vec::new());
    store.port.create(&ann).await.unwrap();
    store.port.create(&bob).await.unwrap();
    let ann_next = relinked(&ann, vec![second.clone()]);
    store.port.commit(&ann_next, ann.revision).await.unwrap();
    let bob_next = relinked(&bob, vec![first.clone()]);
    store.port.commit(&bob_next, bob.revision).await.unwrap();
    assert_eq!(holder(store, &first).await, Some(bob_next));
    assert_eq!(holder(store, &second).await, Some(ann_next));
}

pub async fn a_change_of_something_else_keeps_the_identities(store: &Store) {
    let links = vec![identity("google", "1"), identity("google", "2")];
    let mut ann = linked("ann", links.clone());
    store.port.create(&ann).await.unwrap();
    for number in 0..3 {
        let mut next = ann.changed(at(number));
        next.email = Email::parse(&format!("ann{number}@example.com"), false);
        next.credentials = Arc::new(vec![credential("google-link")]);
        store.port.commit(&next, ann.revision).await.unwrap();
        ann = next;
        for link in &links {
            assert_eq!(holder(store, link).await.as_ref(), Some(&ann));
        }
    }
    // The same accounts in another order are the same accounts.
    let turned = relinked(&ann, links.iter().rev().cloned().collect());
    store.port.commit(&turned, ann.revision).await.unwrap();
    assert_eq!(stored(store, &ann).await, Some(turned));
}

pub async fn what_a_provider_says_anew_is_stored(store: &Store) {
    let ann = linked("ann", vec![identity("google", "1")]);
    store.port.create(&ann).await.unwrap();
    assert_eq!(stored(store, &ann).await.as_ref(), Some(&ann));
    let told = Identity {
        profile: Profile {
            display_name: Some("Ann".to_owned()),
            ..Profile::default()
        },
        roles: vec![RoleName::new("staff")],
        modified: at(5),
        ..ann.identities[0].clone()
    };
    let next = relinked(&ann, vec![told.clone()]);
    store.port.commit(&next, ann.revision).await.unwrap();
    assert_eq!(stored(store, &ann).await.as_ref(), Some(&next));
    assert_eq!(holder(store, &told).await, Some(next));
}

pub async fn as_many_accounts_as_may_be_linked_are_found(store: &Store) {
    let links: Vec<Identity> = (0..MAX_LINKS)
        .map(|number| identity("google", &number.to_string()))
        .collect();
    let ann = linked("ann", links.clone());
    store.port.create(&ann).await.unwrap();
    for link in &links {
        assert_eq!(holder(store, link).await.as_ref(), Some(&ann));
    }
    let half: Vec<Identity> = links.iter().step_by(2).cloned().collect();
    let next = relinked(&ann, half);
    store.port.commit(&next, ann.revision).await.unwrap();
    for (number, link) in links.iter().enumerate() {
        let stays = number % 2 == 0;
        assert_eq!(holder(store, link).await.is_some(), stays, "{number}");
    }
}

pub async fn a_find_after_a_link_never_sees_the_user_before_it(store: &Store) {
    let mut ann = linked("ann", Vec::new());
    store.port.create(&ann).await.unwrap();
    for round in 0..50 {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (port, key) = (Arc::clone(&store.port), ann.key.clone());
                tokio::spawn(async move { port.find(&key).await.unwrap().unwrap().revision })
            })
            .collect();
        let link = identity("google", &round.to_string());
        let next = relinked(&ann, vec![link.clone()]);
        store.port.commit(&next, ann.revision).await.unwrap();
        assert_eq!(stored(store, &ann).await.as_ref(), Some(&next));
        assert_eq!(holder(store, &link).await.as_ref(), Some(&next));
        for reader in readers {
            assert!(reader.await.unwrap() >= ann.revision);
        }
        assert_eq!(stored(store, &ann).await.as_ref(), Some(&next));
        ann = next;
    }
}
