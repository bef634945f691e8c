//! What a store that keeps users *and* their sessions and flows must do when a user goes.

use std::sync::Arc;

use domain::flow_record::FlowKind;
use domain::ports::{FlowStore, PortError, SessionStore, UserStore};

use crate::sample::{blank, flow, flow_of_nobody, key, session};
use crate::{Fixture, race};

/// Runs every case of a store that is [`UserStore`](domain::ports::UserStore),
/// [`SessionStore`](domain::ports::SessionStore) and [`FlowStore`](domain::ports::FlowStore) in one.
#[macro_export]
macro_rules! user_deletion {
    ($fixture:ident) => {
        $crate::cases!(
            user_deletion,
            $fixture,
            [
                delete_removes_the_sessions_and_flows_of_the_user_alone,
                a_refused_delete_removes_no_session,
                nothing_is_opened_for_a_user_who_is_gone,
                a_session_that_races_with_the_deletion_does_not_outlive_it,
                a_flow_of_nobody_outlives_every_user,
            ]
        );
    };
}

/// Runs cases against a store that plays all three roles.
pub trait WholeStore: UserStore + SessionStore + FlowStore + 'static {}

impl<S: UserStore + SessionStore + FlowStore + 'static> WholeStore for S {}

pub async fn delete_removes_the_sessions_and_flows_of_the_user_alone<S: WholeStore>(store: &Fixture<S>) {
    let owners = [key("Users", "ann"), key("Users", "bob"), key("Employees", "ann")];
    for owner in &owners {
        let name = owner.to_string();
        UserStore::create(&*store.port, &blank(owner)).await.unwrap();
        store.port.open(&session(owner, &name)).await.unwrap();
        store
            .port
            .put(&flow(owner, FlowKind::PendingLogin, &name))
            .await
            .unwrap();
        let found = SessionStore::find(&*store.port, &session(owner, &name).token).await;
        assert!(found.unwrap().is_some());
    }
    let ann = blank(&owners[0]);
    store.port.delete(&ann.key, ann.revision).await.unwrap();
    for (owner, stays) in owners.iter().zip([false, true, true]) {
        let id = session(owner, &owner.to_string()).token;
        let session = SessionStore::find(&*store.port, &id).await.unwrap();
        assert_eq!(session.is_some(), stays, "session of {owner}");
        let flow = FlowStore::find(&*store.port, &id).await.unwrap();
        assert_eq!(flow.is_some(), stays, "flow of {owner}");
    }
}

pub async fn a_refused_delete_removes_no_session<S: WholeStore>(store: &Fixture<S>) {
    let ann = blank(&key("Users", "ann"));
    store.port.create(&ann).await.unwrap();
    let open = session(&ann.key, "a");
    store.port.open(&open).await.unwrap();
    let answer = store.port.delete(&ann.key, ann.revision.next()).await;
    assert!(matches!(answer, Err(PortError::Stale)), "{answer:?}");
    let found = SessionStore::find(&*store.port, &open.token).await.unwrap();
    assert_eq!(found, Some(open));
}

pub async fn nothing_is_opened_for_a_user_who_is_gone<S: WholeStore>(store: &Fixture<S>) {
    let ann = key("Users", "ann");
    let opened = store.port.open(&session(&ann, "a")).await;
    assert!(matches!(opened, Err(PortError::Stale)), "{opened:?}");
    let put = store.port.put(&flow(&ann, FlowKind::ResetPassword, "a")).await;
    assert!(matches!(put, Err(PortError::Stale)), "{put:?}");
}

pub async fn a_session_that_races_with_the_deletion_does_not_outlive_it<S: WholeStore>(store: &Fixture<S>) {
    for round in 0..20 {
        let ann = blank(&key("Users", &round.to_string()));
        store.port.create(&ann).await.unwrap();
        race(4, |number| {
            let (port, ann) = (Arc::clone(&store.port), ann.clone());
            async move {
                if number == 2 {
                    return port.delete(&ann.key, ann.revision).await.unwrap();
                }
                let open = session(&ann.key, &format!("{round}-{number}"));
                let opened = port.open(&open).await;
                assert!(matches!(opened, Ok(()) | Err(PortError::Stale)), "{opened:?}");
                let _early = SessionStore::find(&*port, &open.token).await.unwrap();
            }
        })
        .await;
        for number in 0..4 {
            let token = session(&ann.key, &format!("{round}-{number}")).token;
            let found = SessionStore::find(&*store.port, &token).await.unwrap();
            assert_eq!(found, None, "round {round}");
        }
    }
}

pub async fn a_flow_of_nobody_outlives_every_user<S: WholeStore>(store: &Fixture<S>) {
    let ann = blank(&key("Users", "ann"));
    UserStore::create(&*store.port, &ann).await.unwrap();
    let nobodys = flow_of_nobody("Users", FlowKind::Authorization, "a");
    store.port.put(&nobodys).await.unwrap();
    store.port.delete(&ann.key, ann.revision).await.unwrap();
    let found = FlowStore::find(&*store.port, &nobodys.id).await.unwrap();
    assert_eq!(found, Some(nobodys));
}
