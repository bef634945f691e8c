//! The cases of [`AccessStore`].

use std::sync::Arc;

use domain::access::{AccessState, AccessType, AclRow, Permission, PrincipalType, Role, RoleMapping};
use domain::id::{AclId, RoleId, RoleMappingId, RoleName};
use domain::ports::{AccessStore, PortError};
use domain::user::Revision;

use crate::sample::at;
use crate::{Fixture, race};

/// Runs every case of [`domain::ports::AccessStore`] against a fixture.
#[macro_export]
macro_rules! access_store {
    ($fixture:ident) => {
        $crate::cases!(
            access_store,
            $fixture,
            [
                a_new_store_has_no_roles_and_no_rules,
                what_was_stored_comes_back_field_by_field,
                whoever_knows_the_record_hears_nothing_new,
                a_stale_change_does_nothing,
                a_change_of_what_was_never_stored_is_stale,
                of_racing_changes_of_one_revision_exactly_one_wins,
                a_record_of_many_roles_and_rules_is_one_record,
            ]
        );
    };
}

type Store = Fixture<dyn AccessStore>;

/// A record with everything in it.
pub fn full() -> AccessState {
    let mapping = |id: &str, role: &str| RoleMapping {
        id: RoleMappingId::new(id),
        role: RoleId::new(role),
        created: at(7),
    };
    let roles = vec![
        Role {
            id: RoleId::new("1"),
            name: RoleName::new("admin"),
            description: Some("May \u{1f511} everything".to_owned()),
            mappings: vec![mapping("9", "2")],
            created: at(1),
            modified: at(2),
        },
        Role {
            id: RoleId::new("2"),
            name: RoleName::new("clerk, of orders"),
            description: None,
            mappings: Vec::new(),
            created: at(3),
            modified: at(3),
        },
    ];
    let row = |id: &str, access, permission, principal_type| AclRow {
        id: AclId::new(id),
        model: Some("Order".to_owned()),
        property: None,
        access,
        permission,
        principal_type,
        principal: "1".to_owned(),
    };
    let bare = AclRow {
        model: None,
        property: Some("find".to_owned()),
        ..row("a", None, Permission::Deny, PrincipalType::Role)
    };
    AccessState {
        revision: Revision::default().next(),
        roles: Arc::new(roles),
        rows: Arc::new(vec![
            bare,
            row(
                "b",
                Some(AccessType::Replicate),
                Permission::Allow,
                PrincipalType::App,
            ),
            row(
                "c",
                Some(AccessType::Execute),
                Permission::Allow,
                PrincipalType::User,
            ),
        ]),
    }
}

async fn stored(store: &Store) -> AccessState {
    store.port.read_access(None).await.unwrap().unwrap()
}

async fn store_full(store: &Store) -> AccessState {
    let state = full();
    store
        .port
        .commit_access(&state, Revision::default())
        .await
        .unwrap();
    state
}

pub async fn a_new_store_has_no_roles_and_no_rules(store: &Store) {
    assert_eq!(stored(store).await, AccessState::default());
    assert_eq!(
        store.port.read_access(Some(Revision::default())).await.unwrap(),
        None
    );
}

pub async fn what_was_stored_comes_back_field_by_field(store: &Store) {
    let state = store_full(store).await;
    assert_eq!(stored(store).await, state);
    let emptied = AccessState {
        revision: state.revision.next(),
        ..AccessState::default()
    };
    store.port.commit_access(&emptied, state.revision).await.unwrap();
    assert_eq!(stored(store).await, emptied);
}

pub async fn whoever_knows_the_record_hears_nothing_new(store: &Store) {
    let state = store_full(store).await;
    assert_eq!(store.port.read_access(Some(state.revision)).await.unwrap(), None);
    let older = store.port.read_access(Some(Revision::default())).await.unwrap();
    assert_eq!(older, Some(state));
}

pub async fn a_stale_change_does_nothing(store: &Store) {
    let state = store_full(store).await;
    let next = AccessState {
        revision: state.revision.next(),
        ..AccessState::default()
    };
    let answer = store.port.commit_access(&next, Revision::default()).await;
    assert!(matches!(answer, Err(PortError::Stale)));
    assert_eq!(stored(store).await, state);
}

pub async fn a_change_of_what_was_never_stored_is_stale(store: &Store) {
    let answer = store.port.commit_access(&full(), Revision::new(1)).await;
    assert!(matches!(answer, Err(PortError::Stale)));
    assert_eq!(stored(store).await, AccessState::default());
}

pub async fn of_racing_changes_of_one_revision_exactly_one_wins(store: &Store) {
    for expected in [Revision::default(), Revision::default().next()] {
        let answers = race(8, |racer| {
            let port = Arc::clone(&store.port);
            let mut next = full();
            next.revision = expected.next();
            let rows = Arc::make_mut(&mut next.rows);
            rows.truncate(1);
            if let Some(row) = rows.first_mut() {
                row.principal = racer.to_string();
            }
            async move { port.commit_access(&next, expected).await }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for answer in answers.iter().filter(|answer| answer.is_err()) {
            assert!(matches!(answer, Err(PortError::Stale)));
        }
        let winner = answers.iter().position(Result::is_ok).unwrap();
        assert_eq!(
            stored(store).await.rows.first().unwrap().principal,
            winner.to_string()
        );
    }
}

pub async fn a_record_of_many_roles_and_rules_is_one_record(store: &Store) {
    let mut state = full();
    for number in 0..5_000 {
        let mut row = state.rows.first().unwrap().clone();
        row.id = AclId::new(format!("row {number}"));
        Arc::make_mut(&mut state.rows).push(row);
    }
    store
        .port
        .commit_access(&state, Revision::default())
        .await
        .unwrap();
    assert_eq!(stored(store).await, state);
}
