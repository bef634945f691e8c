//! The cases of [`FlowStore`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::flow_record::{FlowBody, FlowKind, FlowRecord, PasskeyCall, PasskeyPurpose};
use domain::id::UserKey;
use domain::ports::FlowStore;
use domain::time::Lifetime;
use domain::user::SessionEpoch;

use crate::sample::{at, flow, flow_of_nobody, key, token};
use crate::{Fixture, race};

/// Runs every case of [`domain::ports::FlowStore`] against a fixture.
#[macro_export]
macro_rules! flow_store {
    ($fixture:ident) => {
        $crate::cases!(
            flow_store,
            $fixture,
            [
                find_returns_what_was_stored_field_by_field,
                what_a_passkey_is_asked_for_comes_back,
                what_may_be_absent_stays_absent,
                an_unknown_token_finds_nothing,
                put_replaces_the_flow_of_the_same_id,
                replace_replaces_what_is_there,
                replace_does_not_make_what_is_not_there,
                replace_does_not_bring_a_taken_flow_back,
                a_replace_that_races_with_a_take_does_not_bring_it_back,
                take_hands_over_what_was_put_last,
                take_gives_to_exactly_one_of_fifty,
                an_expired_flow_is_found_until_it_is_purged,
                list_gives_one_kind_of_one_user_oldest_first,
                end_all_ends_one_kind_of_one_user,
                purge_drops_what_is_void_and_nothing_else,
                a_flow_of_nobody_is_kept_field_by_field,
                take_gives_a_flow_of_nobody_to_exactly_one_of_fifty,
                a_flow_of_nobody_is_purged_like_any_other,
                a_flow_of_nobody_belongs_to_no_user,
                a_flow_can_find_its_user,
                a_short_life_is_kept_to_its_end,
                a_flow_replaced_by_a_longer_one_lives_as_long_as_that,
            ]
        );
    };
}

type Store = Fixture<dyn FlowStore>;

const KINDS: [FlowKind; 13] = [
    FlowKind::PendingLogin,
    FlowKind::ConfirmPhone,
    FlowKind::ConfirmEmail,
    FlowKind::ResetPassword,
    FlowKind::Authorization,
    FlowKind::Exchange,
    FlowKind::Join,
    FlowKind::Passkey,
    FlowKind::EnrolTotp,
    FlowKind::MagicLink,
    FlowKind::RevertEmail,
    FlowKind::SetUp,
    FlowKind::Refresh,
];

async fn found(store: &Store, flow: &FlowRecord) -> Option<FlowRecord> {
    store.port.find(&flow.id).await.unwrap()
}

/// The same flow about something else.
fn altered(flow: &FlowRecord, address: &str) -> FlowRecord {
    FlowRecord {
        body: FlowBody::ConfirmEmail {
            address: address.to_owned(),
        },
        expires: at(700),
        ..flow.clone()
    }
}

pub async fn find_returns_what_was_stored_field_by_field(store: &Store) {
    let ann = store.owner("Users", "Zoë").await;
    for kind in KINDS {
        let flow = flow(&ann, kind, kind.name());
        store.port.put(&flow).await.unwrap();
        assert_eq!(found(store, &flow).await.as_ref(), Some(&flow));
        let listed = store.port.list(&ann, kind).await.unwrap();
        assert_eq!(listed.as_slice(), std::slice::from_ref(&flow));
        assert_eq!(store.port.take(&flow.id).await.unwrap(), Some(flow));
    }
}

/// Keeps a flow about that, and says what is found.
async fn kept(store: &Store, owner: &UserKey, body: FlowBody, text: &str) -> Option<FlowBody> {
    let begun = FlowRecord {
        body,
        ..flow(owner, FlowKind::ConfirmEmail, text)
    };
    store.port.put(&begun).await.unwrap();
    found(store, &begun).await.map(|found| found.body)
}

pub async fn what_a_passkey_is_asked_for_comes_back(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let register = PasskeyPurpose::Register {
        name: "Zoës Schlüssel".to_owned(),
        epoch: SessionEpoch::new(u32::MAX),
    };
    let (pending, session) = (token("pending"), token("session"));
    let purposes = [
        register,
        PasskeyPurpose::LogIn,
        PasskeyPurpose::SecondFactor { pending },
        PasskeyPurpose::StepUp { session },
    ];
    for (number, purpose) in purposes.into_iter().enumerate() {
        let state = "{\"challenge\":\"\u{0}\"}".to_owned();
        let body = FlowBody::Passkey(Box::new(PasskeyCall { state, purpose }));
        let found = kept(store, &ann, body.clone(), &number.to_string()).await;
        assert_eq!(found, Some(body));
    }
}

pub async fn what_may_be_absent_stays_absent(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for kind in KINDS {
        let mut body = flow(&ann, kind, kind.name()).body;
        match &mut body {
            FlowBody::MagicLink { return_to, .. } => *return_to = None,
            FlowBody::PendingLogin(pending) => (pending.code, pending.phone) = (None, None),
            FlowBody::Refresh(newest) => {
                (newest.used, newest.arrived, newest.agent) = (None, None, None);
            }
            _ => continue,
        }
        let found = kept(store, &ann, body.clone(), kind.name()).await;
        assert_eq!(found, Some(body), "{}", kind.name());
    }
}

pub async fn an_unknown_token_finds_nothing(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    store
        .port
        .put(&flow(&ann, FlowKind::ResetPassword, "a"))
        .await
        .unwrap();
    assert_eq!(store.port.find(&token("b")).await.unwrap(), None);
    assert_eq!(store.port.take(&token("b")).await.unwrap(), None);
}

pub async fn put_replaces_the_flow_of_the_same_id(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let first = flow(&ann, FlowKind::PendingLogin, "a");
    store.port.put(&first).await.unwrap();
    let second = altered(&first, "new");
    store.port.put(&second).await.unwrap();
    assert_eq!(found(store, &first).await.as_ref(), Some(&second));
    let old_kind = store.port.list(&ann, FlowKind::PendingLogin).await.unwrap();
    assert_eq!(old_kind, []);
    let new_kind = store.port.list(&ann, FlowKind::ConfirmEmail).await.unwrap();
    assert_eq!(new_kind, [second]);
}

pub async fn replace_replaces_what_is_there(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let first = flow(&ann, FlowKind::PendingLogin, "a");
    store.port.put(&first).await.unwrap();
    let second = altered(&first, "new");
    assert!(store.port.replace(&second).await.unwrap());
    assert_eq!(found(store, &first).await, Some(second));
}

pub async fn replace_does_not_make_what_is_not_there(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let absent = flow(&ann, FlowKind::PendingLogin, "a");
    assert!(!store.port.replace(&absent).await.unwrap());
    assert_eq!(found(store, &absent).await, None);
}

pub async fn replace_does_not_bring_a_taken_flow_back(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let flow = flow(&ann, FlowKind::PendingLogin, "a");
    store.port.put(&flow).await.unwrap();
    store.port.take(&flow.id).await.unwrap();
    assert!(!store.port.replace(&flow).await.unwrap());
    assert_eq!(found(store, &flow).await, None);
    assert_eq!(store.port.list(&ann, FlowKind::PendingLogin).await.unwrap(), []);
}

pub async fn a_replace_that_races_with_a_take_does_not_bring_it_back(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for round in 0..20 {
        let flow = flow(&ann, FlowKind::PendingLogin, &round.to_string());
        store.port.put(&flow).await.unwrap();
        let taken = race(8, |number| {
            let (port, flow) = (Arc::clone(&store.port), altered(&flow, &number.to_string()));
            async move {
                if number == 3 {
                    return port.take(&flow.id).await.unwrap().is_some();
                }
                port.replace(&flow).await.unwrap();
                false
            }
        })
        .await;
        assert_eq!(taken.iter().filter(|got| **got).count(), 1);
        assert_eq!(found(store, &flow).await, None, "round {round}");
    }
}

pub async fn take_hands_over_what_was_put_last(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let first = flow(&ann, FlowKind::ConfirmEmail, "a");
    store.port.put(&first).await.unwrap();
    let second = altered(&first, "new");
    store.port.replace(&second).await.unwrap();
    assert_eq!(store.port.take(&first.id).await.unwrap(), Some(second));
    assert_eq!(store.port.take(&first.id).await.unwrap(), None);
}

pub async fn take_gives_to_exactly_one_of_fifty(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for round in 0..5 {
        let flow = flow(&ann, FlowKind::ResetPassword, &round.to_string());
        store.port.put(&flow).await.unwrap();
        let taken = race(50, |_| {
            let (port, id) = (Arc::clone(&store.port), flow.id);
            async move { port.take(&id).await.unwrap() }
        })
        .await;
        let got: Vec<FlowRecord> = taken.into_iter().flatten().collect();
        assert_eq!(got, [flow]);
    }
}

pub async fn an_expired_flow_is_found_until_it_is_purged(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let old = FlowRecord {
        expires: at(-1_000_000_000),
        ..flow(&ann, FlowKind::ResetPassword, "old")
    };
    store.port.put(&old).await.unwrap();
    assert_eq!(found(store, &old).await.as_ref(), Some(&old));
    assert_eq!(store.port.purge(at(0)).await.unwrap(), store.purged(1));
    if !store.forgets_by_itself() {
        assert_eq!(found(store, &old).await, None);
        assert_eq!(store.port.take(&old.id).await.unwrap(), None);
    }
}

pub async fn list_gives_one_kind_of_one_user_oldest_first(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let bob = store.owner("Users", "bob").await;
    let other_ann = store.owner("Employees", "ann").await;
    let mut expected = Vec::new();
    // Put in an order that is neither that of their age nor of their ids.
    for age in [3, 1, 4, 2, 5] {
        let flow = FlowRecord {
            created: at(age),
            ..flow(&ann, FlowKind::PendingLogin, &age.to_string())
        };
        store.port.put(&flow).await.unwrap();
        expected.push(flow);
    }
    expected.sort_by_key(|flow| flow.created);
    for (owner, kind, text) in [
        (&ann, FlowKind::ResetPassword, "a"),
        (&bob, FlowKind::PendingLogin, "b"),
        (&other_ann, FlowKind::PendingLogin, "c"),
    ] {
        store.port.put(&flow(owner, kind, text)).await.unwrap();
    }
    let listed = store.port.list(&ann, FlowKind::PendingLogin).await.unwrap();
    assert_eq!(listed, expected);
    let none = store.port.list(&bob, FlowKind::ConfirmPhone).await.unwrap();
    assert_eq!(none, []);
}

pub async fn end_all_ends_one_kind_of_one_user(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let bob = store.owner("Users", "bob").await;
    let other_ann = store.owner("Employees", "ann").await;
    let ended = [
        flow(&ann, FlowKind::PendingLogin, "1"),
        flow(&ann, FlowKind::PendingLogin, "2"),
    ];
    let kept = [
        flow(&ann, FlowKind::ResetPassword, "3"),
        flow(&ann, FlowKind::ConfirmEmail, "4"),
        flow(&bob, FlowKind::PendingLogin, "5"),
        flow(&other_ann, FlowKind::PendingLogin, "6"),
    ];
    for flow in ended.iter().chain(&kept) {
        store.port.put(flow).await.unwrap();
    }
    store.port.end_all(&ann, FlowKind::PendingLogin).await.unwrap();
    store.port.end_all(&ann, FlowKind::ConfirmPhone).await.unwrap();
    for flow in ended {
        assert_eq!(found(store, &flow).await, None);
        assert!(!store.port.replace(&flow).await.unwrap());
    }
    for flow in kept {
        assert_eq!(found(store, &flow).await, Some(flow));
    }
}

pub async fn purge_drops_what_is_void_and_nothing_else(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let void = flow(&ann, FlowKind::PendingLogin, "void");
    let open = FlowRecord {
        expires: at(601),
        ..flow(&ann, FlowKind::PendingLogin, "open")
    };
    store.port.put(&void).await.unwrap();
    store.port.put(&open).await.unwrap();
    assert_eq!(store.port.purge(at(599)).await.unwrap(), 0);
    assert!(found(store, &void).await.is_some(), "not a moment early");
    let between = at(600).plus(Lifetime::from_millis(500));
    assert_eq!(store.port.purge(between).await.unwrap(), store.purged(1));
    // By the store's own clock, where that counts, it lives for another ten minutes.
    assert_eq!(found(store, &void).await.is_some(), store.forgets_by_itself());
    assert_eq!(found(store, &open).await.as_ref(), Some(&open));
    let listed = store.port.list(&ann, FlowKind::PendingLogin).await.unwrap();
    assert!(listed.contains(&open));
    assert_eq!(listed.contains(&void), store.forgets_by_itself());
}

pub async fn a_flow_of_nobody_is_kept_field_by_field(store: &Store) {
    for kind in KINDS {
        for pool in ["Users", "Zoë"] {
            let flow = flow_of_nobody(pool, kind, &format!("{pool} {}", kind.name()));
            store.port.put(&flow).await.unwrap();
            assert_eq!(found(store, &flow).await.as_ref(), Some(&flow));
            let changed = altered(&flow, "new");
            assert!(store.port.replace(&changed).await.unwrap());
            assert_eq!(store.port.take(&flow.id).await.unwrap(), Some(changed));
            assert!(!store.port.replace(&flow).await.unwrap());
        }
    }
}

pub async fn take_gives_a_flow_of_nobody_to_exactly_one_of_fifty(store: &Store) {
    for round in 0..5 {
        let flow = flow_of_nobody("Users", FlowKind::Authorization, &round.to_string());
        store.port.put(&flow).await.unwrap();
        let taken = race(50, |_| {
            let (port, id) = (Arc::clone(&store.port), flow.id);
            async move { port.take(&id).await.unwrap() }
        })
        .await;
        let got: Vec<FlowRecord> = taken.into_iter().flatten().collect();
        assert_eq!(got, [flow]);
    }
}

pub async fn a_flow_of_nobody_is_purged_like_any_other(store: &Store) {
    let void = flow_of_nobody("Users", FlowKind::Authorization, "void");
    let open = FlowRecord {
        expires: at(601),
        ..flow_of_nobody("Users", FlowKind::Authorization, "open")
    };
    store.port.put(&void).await.unwrap();
    store.port.put(&open).await.unwrap();
    assert_eq!(store.port.purge(at(599)).await.unwrap(), 0);
    let between = at(600).plus(Lifetime::from_millis(500));
    assert_eq!(store.port.purge(between).await.unwrap(), store.purged(1));
    assert_eq!(found(store, &void).await.is_some(), store.forgets_by_itself());
    assert_eq!(found(store, &open).await, Some(open));
}

pub async fn a_flow_of_nobody_belongs_to_no_user(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let nobodys = flow_of_nobody("Users", FlowKind::Authorization, "a");
    let anns = flow(&ann, FlowKind::Authorization, "b");
    store.port.put(&nobodys).await.unwrap();
    store.port.put(&anns).await.unwrap();
    let listed = store.port.list(&ann, FlowKind::Authorization).await.unwrap();
    assert_eq!(listed, [anns]);
    let unnamed = key("Users", "");
    let listed = store.port.list(&unnamed, FlowKind::Authorization).await.unwrap();
    assert_eq!(listed, []);
    for user in [&ann, &unnamed] {
        store.port.end_all(user, FlowKind::Authorization).await.unwrap();
    }
    assert_eq!(found(store, &nobodys).await, Some(nobodys));
}

/// A flow that began without a user may go on with one, and the other way round.
pub async fn a_flow_can_find_its_user(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    let nobodys = flow_of_nobody("Users", FlowKind::Join, "a");
    let anns = flow(&ann, FlowKind::Join, "a");
    store.port.put(&nobodys).await.unwrap();
    assert!(store.port.replace(&anns).await.unwrap());
    let listed = store.port.list(&ann, FlowKind::Join).await.unwrap();
    assert_eq!(listed, [anns]);
    store.port.put(&nobodys).await.unwrap();
    assert_eq!(store.port.list(&ann, FlowKind::Join).await.unwrap(), []);
    store.port.end_all(&ann, FlowKind::Join).await.unwrap();
    assert_eq!(found(store, &nobodys).await, Some(nobodys));
}

pub async fn a_short_life_is_kept_to_its_end(store: &Store) {
    const LIFE: Lifetime = Lifetime::from_millis(1_500);
    let ann = store.owner("Users", "ann").await;
    let lasting = flow(&ann, FlowKind::PendingLogin, "lasting");
    let short = FlowRecord {
        expires: at(0).plus(LIFE),
        ..flow(&ann, FlowKind::PendingLogin, "short")
    };
    let nobodys = FlowRecord {
        expires: at(0).plus(LIFE),
        ..flow_of_nobody("Users", FlowKind::Authorization, "nobody's")
    };
    let written = Instant::now();
    for flow in [&short, &nobodys, &lasting] {
        store.port.put(flow).await.unwrap();
    }
    for flow in [&short, &nobodys] {
        store
            .watch(written, LIFE.into(), async || found(store, flow).await.is_some())
            .await;
    }
    assert_eq!(store.port.purge(at(1)).await.unwrap(), 0, "not a moment early");
    assert_eq!(store.port.purge(at(2)).await.unwrap(), store.purged(2));
    for flow in [short, nobodys] {
        assert_eq!(found(store, &flow).await, None);
        assert_eq!(store.port.take(&flow.id).await.unwrap(), None);
        assert!(!store.port.replace(&flow).await.unwrap());
    }
    let listed = store.port.list(&ann, FlowKind::PendingLogin).await.unwrap();
    assert_eq!(listed, [lasting]);
}

pub async fn a_flow_replaced_by_a_longer_one_lives_as_long_as_that(store: &Store) {
    let ann = store.owner("Users", "ann").await;
    for (name, by_put) in [("put", true), ("replaced", false)] {
        let short = FlowRecord {
            expires: at(1),
            ..flow(&ann, FlowKind::PendingLogin, name)
        };
        let longer = FlowRecord {
            expires: at(600),
            ..short.clone()
        };
        store.port.put(&short).await.unwrap();
        if by_put {
            store.port.put(&longer).await.unwrap();
        } else {
            assert!(store.port.replace(&longer).await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!(store.port.purge(at(2)).await.unwrap(), 0);
        assert_eq!(found(store, &longer).await, Some(longer));
    }
}
