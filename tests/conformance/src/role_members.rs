//! The cases of [`RoleMembers`], in a store that keeps users as well.

use std::sync::Arc;

use domain::access::RoleMapping;
use domain::id::{RoleId, RoleMappingId, UserId, UserKey};
use domain::ports::{PortError, RoleMembers, UserStore};
use domain::user::User;

use crate::Fixture;
use crate::sample::{at, blank, key, pool};

/// Runs every case of [`domain::ports::RoleMembers`] against a fixture.
#[macro_export]
macro_rules! role_members {
    ($fixture:ident) => {
        $crate::cases!(
            role_members,
            $fixture,
            [
                nobody_has_a_role_that_was_given_to_nobody,
                members_are_those_of_the_pool_who_have_the_role,
                members_give_everyone_exactly_once_in_order_of_id,
                a_commit_that_takes_a_role_away_is_followed_at_once,
                a_refused_commit_gives_nothing,
                who_is_deleted_is_a_member_no_more,
                a_mapping_names_its_holder,
            ]
        );
    };
}

/// Runs cases against a store that plays both roles.
pub trait MemberStore: UserStore + RoleMembers + 'static {}

impl<S: UserStore + RoleMembers + 'static> MemberStore for S {}

fn mapping(holder: &UserKey, role: &str) -> RoleMapping {
    RoleMapping {
        id: RoleMappingId::new(format!("{holder} is {role}")),
        role: RoleId::new(role),
        created: at(5),
    }
}

fn user(pool: &str, id: &str, roles: &[&str]) -> User {
    let key = key(pool, id);
    let mappings = roles.iter().map(|role| mapping(&key, role)).collect();
    User {
        mappings: Arc::new(mappings),
        ..blank(&key)
    }
}

async fn add<S: MemberStore>(store: &Fixture<S>, user: &User) {
    UserStore::create(&*store.port, user).await.unwrap();
}

async fn members<S: MemberStore>(store: &Fixture<S>, in_pool: &str, role: &str) -> Vec<String> {
    let (pool, role) = (pool(in_pool), RoleId::new(role));
    let all = store.port.members(&pool, &role, None, 100).await.unwrap();
    let count = store.port.count_members(&pool, &role).await.unwrap();
    assert_eq!(count, all.len() as u64);
    for (id, by) in &all {
        assert_eq!(
            *by,
            mapping(&UserKey::new(pool.clone(), id.clone()), role.as_str())
        );
    }
    all.into_iter().map(|(id, _)| id.as_str().to_owned()).collect()
}

pub async fn nobody_has_a_role_that_was_given_to_nobody<S: MemberStore>(store: &Fixture<S>) {
    add(store, &user("Users", "ann", &[])).await;
    assert!(members(store, "Users", "admin").await.is_empty());
    let nobody = store
        .port
        .holder_of(&RoleMappingId::new("no such"))
        .await
        .unwrap();
    assert_eq!(nobody, None);
}

pub async fn members_are_those_of_the_pool_who_have_the_role<S: MemberStore>(store: &Fixture<S>) {
    add(store, &user("Users", "ann", &["admin", "clerk"])).await;
    add(store, &user("Users", "bob", &["clerk"])).await;
    add(store, &user("Employees", "ann", &["admin"])).await;
    assert_eq!(members(store, "Users", "admin").await, ["ann"]);
    assert_eq!(members(store, "Users", "clerk").await, ["ann", "bob"]);
    assert_eq!(members(store, "Employees", "admin").await, ["ann"]);
    assert!(members(store, "Employees", "clerk").await.is_empty());
    assert!(members(store, "Users", "Admin").await.is_empty());
}

pub async fn members_give_everyone_exactly_once_in_order_of_id<S: MemberStore>(store: &Fixture<S>) {
    for number in [4, 2, 0, 3, 1] {
        add(store, &user("Users", &format!("u{number}"), &["clerk"])).await;
    }
    let (pool, role) = (pool("Users"), RoleId::new("clerk"));
    let mut found: Vec<UserId> = Vec::new();
    loop {
        let after = found.last().cloned();
        let page = store.port.members(&pool, &role, after, 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|(id, _)| id));
    }
    let names: Vec<&str> = found.iter().map(UserId::as_str).collect();
    assert_eq!(names, ["u0", "u1", "u2", "u3", "u4"]);
}

pub async fn a_commit_that_takes_a_role_away_is_followed_at_once<S: MemberStore>(store: &Fixture<S>) {
    let ann = user("Users", "ann", &["admin", "clerk"]);
    add(store, &ann).await;
    let mut next = ann.changed(at(9));
    Arc::make_mut(&mut next.mappings).remove(0);
    store.port.commit(&next, ann.revision).await.unwrap();
    assert!(members(store, "Users", "admin").await.is_empty());
    assert_eq!(members(store, "Users", "clerk").await, ["ann"]);
    let gone = store
        .port
        .holder_of(&mapping(&ann.key, "admin").id)
        .await
        .unwrap();
    assert_eq!(gone, None);
    let found = UserStore::find(&*store.port, &ann.key).await.unwrap();
    assert_eq!(found.map(|user| user.mappings), Some(next.mappings));
}

pub async fn a_refused_commit_gives_nothing<S: MemberStore>(store: &Fixture<S>) {
    let ann = user("Users", "ann", &[]);
    add(store, &ann).await;
    let with = User {
        mappings: Arc::new(vec![mapping(&ann.key, "admin")]),
        ..ann.changed(at(9))
    };
    let answer = store.port.commit(&with, ann.revision.next()).await;
    assert!(matches!(answer, Err(PortError::Stale)));
    assert!(members(store, "Users", "admin").await.is_empty());
}

pub async fn who_is_deleted_is_a_member_no_more<S: MemberStore>(store: &Fixture<S>) {
    let ann = user("Users", "ann", &["admin"]);
    add(store, &ann).await;
    store.port.delete(&ann.key, ann.revision).await.unwrap();
    assert!(members(store, "Users", "admin").await.is_empty());
    let gone = store
        .port
        .holder_of(&mapping(&ann.key, "admin").id)
        .await
        .unwrap();
    assert_eq!(gone, None);
}

pub async fn a_mapping_names_its_holder<S: MemberStore>(store: &Fixture<S>) {
    for (in_pool, id) in [("Users", "ann"), ("Employees", "ann"), ("Users", "bob")] {
        let user = user(in_pool, id, &["admin"]);
        add(store, &user).await;
        let holder = store
            .port
            .holder_of(&mapping(&user.key, "admin").id)
            .await
            .unwrap();
        assert_eq!(holder, Some(user.key));
    }
}
