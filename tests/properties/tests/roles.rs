//! Who has which role, against a list of pairs: giving, taking and deleting in any order, to users, applications and roles.
#![cfg(test)]

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::access::{Held, Principal, RoleMapping};
use domain::application::ApplicationDetails;
use domain::audit::{Actor, AuditKind};
use domain::flow::sign_up::NewUser;
use domain::id::{PoolName, RoleId, RoleMappingId, RoleName, UserKey};
use domain::policy::{AccessPolicy, Policy, PoolPolicy};
use domain::secret::MacKey;
use domain::service::Services;
use domain::time::Lifetime;
use properties::cases;
use properties::system::{origin, typed_password, unlimited};
use properties::world::{World, run};
use proptest::prelude::*;

const ROLES: usize = 4;

/// Two users of different pools, an application, and four roles, any of which may have another.
struct Office {
    world: Arc<World>,
    services: Services,
    roles: Vec<RoleId>,
    principals: Vec<Principal>,
}

fn office() -> Office {
    let pools = ["Users", "Employees"].map(|name| {
        let name = PoolName::new(name);
        (name.clone(), PoolPolicy::new(name, "User"))
    });
    let policy = Policy {
        pools: pools.clone().into(),
        limits: unlimited(),
        public_url: "http://localhost:3000".to_owned(),
        service_name: "Example".to_owned(),
        language: "en".to_owned(),
        audit_life: Lifetime::from_secs(86_400),
        access: AccessPolicy::default(),
    };
    let world = World::new(11, true);
    let services = Services::new(world.ports(), policy, MacKey::new([7; 32]));
    let mut principals: Vec<Principal> = pools
        .iter()
        .map(|(_, pool)| {
            let form = NewUser {
                username: Some("ann".to_owned()),
                email: Some("ann@example.com".to_owned()),
                password: Some(typed_password(0)),
                ..NewUser::default()
            };
            let user = run(services.sign_up(pool, form, &origin(0))).expect("a new user");
            Principal::User(user.key)
        })
        .collect();
    let (application, _) =
        run(services.create_application("shop", ApplicationDetails::default(), &Actor::Operator))
            .expect("a new application");
    principals.push(Principal::Application(application.id));
    let roles: Vec<RoleId> = (0..ROLES)
        .map(|n| {
            let name = RoleName::new(format!("role {n}"));
            let role = run(services.create_role(&name, None, Actor::Operator)).expect("a new role");
            role.id
        })
        .collect();
    principals.extend(roles.iter().cloned().map(Principal::Role));
    Office {
        world,
        services,
        roles,
        principals,
    }
}

impl Office {
    fn give(&self, principal: usize, role: usize) -> Option<RoleMapping> {
        let (principal, role) = (&self.principals[principal], &self.roles[role]);
        run(self.services.give_role(principal, role, Actor::Operator)).expect("the stores answer")
    }

    fn take(&self, id: &RoleMappingId) -> bool {
        run(self.services.take_role(id, Actor::Operator)).expect("the stores answer")
    }

    fn of_role(&self, role: usize) -> Vec<Held> {
        run(self.services.principals_of(&self.roles[role], usize::MAX)).expect("the stores answer")
    }

    fn held(&self, principal: usize) -> Vec<RoleMapping> {
        let held = run(self.services.mappings_of(&self.principals[principal])).expect("the stores answer");
        held.unwrap_or_default()
    }

    fn user(&self, principal: usize) -> &UserKey {
        match &self.principals[principal] {
            Principal::User(key) => key,
            other => panic!("{other:?} is no user"),
        }
    }

    fn names(&self, principal: usize) -> BTreeSet<String> {
        let user = self.world.contents().users[self.user(principal)].clone();
        let names = run(self.services.roles_of(&user)).expect("the stores answer");
        names.into_iter().map(String::from).collect()
    }

    fn audited(&self) -> Vec<AuditKind> {
        self.world.contents().audited_since(0)
    }
}

/// What somebody does.
#[derive(Clone, Copy, Debug)]
enum Move {
    Give { principal: usize, role: usize },
    Take { principal: usize, role: usize },
    DeleteRole(usize),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let principals = 0..3 + ROLES;
    let one = prop_oneof![
        6 => (principals.clone(), 0..ROLES).prop_map(|(principal, role)| Move::Give { principal, role }),
        3 => (principals, 0..ROLES).prop_map(|(principal, role)| Move::Take { principal, role }),
        1 => (0..ROLES).prop_map(Move::DeleteRole),
    ];
    proptest::collection::vec(one, 1..24)
}

/// The dumb side: pairs of principal and role, and which roles are there.
#[derive(Default)]
struct Pairs {
    held: BTreeSet<(usize, usize)>,
    gone: BTreeSet<usize>,
}

impl Pairs {
    fn is_there(&self, principal: usize) -> bool {
        principal < 3 || !self.gone.contains(&(principal - 3))
    }

    fn names(&self, principal: usize) -> BTreeSet<String> {
        let mut roles: BTreeSet<usize> = BTreeSet::new();
        loop {
            let more: BTreeSet<usize> = self
                .held
                .iter()
                .filter(|(holder, role)| {
                    let by_role = *holder >= 3 && roles.contains(&(holder - 3));
                    (*holder == principal || by_role) && !self.gone.contains(role)
                })
                .map(|(_, role)| *role)
                .collect();
            if more.is_subset(&roles) {
                return roles.iter().map(|role| format!("role {role}")).collect();
            }
            roles.extend(more);
        }
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn who_has_which_role_is_what_was_given_and_not_taken(moves in moves()) {
        let office = office();
        let mut pairs = Pairs::default();
        for step in moves {
            match step {
                Move::Give { principal, role } => {
                    let given = office.give(principal, role);
                    let possible = !pairs.gone.contains(&role) && pairs.is_there(principal);
                    prop_assert_eq!(given.is_some(), possible);
                    if possible {
                        pairs.held.insert((principal, role));
                    }
                }
                Move::Take { principal, role } => {
                    let role_id = &office.roles[role];
                    let mapping = office.held(principal).into_iter().find(|held| held.role == *role_id);
                    let taken = mapping.as_ref().is_some_and(|held| office.take(&held.id));
                    let had = pairs.is_there(principal) && pairs.held.remove(&(principal, role));
                    prop_assert_eq!(taken, had);
                    if let Some(mapping) = mapping {
                        prop_assert!(!office.take(&mapping.id), "a mapping is taken once");
                    }
                }
                Move::DeleteRole(role) => {
                    let id = &office.roles[role];
                    let deleted = run(office.services.delete_role(id, Actor::Operator)).expect("the stores answer");
                    prop_assert_eq!(deleted, pairs.gone.insert(role));
                    // What roles have of it goes with it; what is left with users and applications gives nothing.
                    pairs.held.retain(|(holder, given)| *holder < 3 || *given != role);
                }
            }
            for user in 0..2 {
                prop_assert_eq!(office.names(user), pairs.names(user));
            }
            for role in (0..ROLES).filter(|role| !pairs.gone.contains(role)) {
                let listed = office.of_role(role);
                let expected = pairs.held.iter().filter(|(holder, given)| *given == role && pairs.is_there(*holder));
                let expected: Vec<&Principal> = expected.map(|(holder, _)| &office.principals[*holder]).collect();
                prop_assert_eq!(listed.len(), expected.len());
                for held in &listed {
                    prop_assert!(expected.contains(&&held.principal));
                    let found = run(office.services.find_mapping(&held.mapping.id)).expect("the stores answer");
                    prop_assert_eq!(found.as_ref(), Some(held));
                }
                let count = run(office.services.count_principals(&office.roles[role])).expect("the stores answer");
                prop_assert_eq!(count, u64::try_from(listed.len()).expect("few"));
            }
        }
    }
}

#[test]
fn a_role_is_given_once_and_both_are_written_down_with_whoever_did_it() {
    let office = office();
    for principal in 0..4 {
        let first = office.give(principal, 1).expect("given");
        assert_eq!(office.give(principal, 1), Some(first.clone()), "{principal}");
        let before = office.audited();
        assert!(office.take(&first.id), "{principal}");
        assert!(!office.take(&first.id), "{principal}");
        assert_eq!(
            &office.audited()[before.len()..],
            [AuditKind::RoleTaken],
            "{principal}"
        );
    }
    let given = office.audited();
    let given = given.iter().filter(|kind| **kind == AuditKind::RoleGiven);
    assert_eq!(given.count(), 4);
    let contents = office.world.contents();
    let about = contents
        .audit
        .iter()
        .filter(|event| event.kind == AuditKind::RoleTaken);
    let users: Vec<_> = about.filter_map(|event| event.user.clone()).collect();
    assert_eq!(users, [office.user(0).clone(), office.user(1).clone()]);
}

#[test]
fn nobody_is_given_a_role_that_is_not_there_and_nobody_unknown_is_given_one() {
    let office = office();
    let unknown = RoleId::new("unknown");
    let give = |principal: &Principal, role: &RoleId| {
        run(office.services.give_role(principal, role, Actor::Operator)).expect("the stores answer")
    };
    for principal in &office.principals {
        assert_eq!(give(principal, &unknown), None);
    }
    for stranger in [
        Principal::User(UserKey {
            pool: PoolName::new("Users"),
            id: domain::id::UserId::new("nobody"),
        }),
        Principal::Application(domain::id::ApplicationId::new("nothing")),
        Principal::Role(unknown),
    ] {
        assert_eq!(give(&stranger, &office.roles[0]), None);
        let held = run(office.services.mappings_of(&stranger)).expect("the stores answer");
        assert_eq!(held, None);
    }
    assert!(!office.take(&RoleMappingId::new("none")));
}

#[test]
fn an_id_of_one_pool_is_given_nothing_in_another() {
    let office = office();
    let stranger = UserKey {
        pool: PoolName::new("Employees"),
        id: office.user(0).id.clone(),
    };
    let given = run(office
        .services
        .give_role(&Principal::User(stranger), &office.roles[0], Actor::Operator));
    assert_eq!(given.expect("the stores answer"), None);
    assert!(office.names(1).is_empty());
}

#[test]
fn roles_and_rules_are_listed_in_the_order_they_were_made() {
    let office = office();
    let roles = run(office.services.roles()).expect("the stores answer");
    let ids: Vec<_> = roles.iter().map(|role| &role.id).collect();
    assert_eq!(ids, office.roles.iter().collect::<Vec<_>>());
    assert!(
        run(office.services.rules())
            .expect("the stores answer")
            .is_empty()
    );
}

#[test]
fn long_lists_of_members_are_read_to_their_end() {
    let office = office();
    let pool = office
        .services
        .pool(&PoolName::new("Users"))
        .expect("a pool")
        .clone();
    let role = &office.roles[0];
    for n in 0..403 {
        let form = NewUser {
            username: Some(format!("user {n}")),
            email: Some(format!("user{n}@example.com")),
            password: Some(typed_password(0)),
            ..NewUser::default()
        };
        let user = run(office.services.sign_up(&pool, form, &origin(0))).expect("a new user");
        let principal = Principal::User(user.key);
        let given = office.services.give_role(&principal, role, Actor::Operator);
        run(given).expect("the stores answer").expect("given");
    }
    let listed = |limit| run(office.services.principals_of(role, limit)).expect("the stores answer");
    let all = listed(usize::MAX);
    assert_eq!(all.len(), 403);
    for limit in [0, 1, 200, 201, 400] {
        assert_eq!(listed(limit), all[..limit]);
    }
}
