//! Roles that follow what a provider says, and entries that make nobody a user.

use domain::error::Denial;
use domain::flow::Advanced;
use domain::flow::link::Proven;
use domain::flow::login::external::{External, ExternalEvent, Onward, Opening, step};
use domain::id::RoleName;
use domain::identity::{ProviderEntry, RoleRule, RoleSource};
use domain::user::User;

use crate::support::{
    Scene, ann, assert_refused, bob, entry, linked, profile, proven, sealed, sending, verified_ann,
};

fn rule(source: RoleSource, role: &str) -> RoleRule {
    RoleRule {
        source,
        role: RoleName::new(role),
    }
}

fn of_group(group: &str, role: &str) -> RoleRule {
    rule(RoleSource::Group(group.to_owned()), role)
}

fn of_value(path: &str, value: &str, role: &str) -> RoleRule {
    let (path, value) = (path.to_owned(), value.to_owned());
    rule(RoleSource::Value { path, value }, role)
}

/// Somebody of these groups, by an entry with these lines.
fn member(groups: &[&str], lines: Vec<RoleRule>) -> Proven {
    let by = ProviderEntry {
        roles: lines,
        ..entry("google")
    };
    Proven {
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        entry: by,
        ..proven("google", "7", profile("ann@example.com", true))
    }
}

/// Logs in whoever holds the account, and says what roles they have then.
fn roles_after(holder: User, proven: Proven) -> Vec<String> {
    let mut scene = Scene::new();
    let event = ExternalEvent::Arrived {
        proven: Box::new(proven),
        holder: Some(Box::new(holder)),
        onward: Onward::default(),
    };
    let Ok(Advanced {
        next: External::Seal(arriving),
        ..
    }) = step(External::Start, event, &mut scene.cx())
    else {
        panic!("not to be sealed");
    };
    let event = ExternalEvent::Sealed {
        sealed: Some(sealed("fresh")),
        sending: sending(),
    };
    match step(External::Seal(arriving), event, &mut scene.cx()) {
        Ok(Advanced {
            next: External::Done(Opening::LoggedIn(token)),
            ..
        }) => token.user.roles().into_iter().map(String::from).collect(),
        other => panic!("not logged in: {other:?}"),
    }
}

#[test]
fn a_group_gives_its_role_however_it_is_written() {
    let lines = vec![
        of_group("Admins", "admin"),
        of_group("staff", "staff"),
        of_group("other", "x"),
    ];
    let roles = roles_after(linked(ann(), &["7"]), member(&["ADMINS", "staff"], lines));
    assert_eq!(roles, ["admin", "staff"]);
}

#[test]
fn a_value_gives_its_role_letter_by_letter_wherever_it_stands() {
    let lines = vec![
        of_value("_json.department", "Sales", "sales"),
        of_value("_json.department", "sales", "x"),
        of_value("department", "Sales", "beside"),
        of_value("_json.teams", "blue", "blue"),
        of_value("_json.staff", "true", "staff"),
        of_value("_json.level", "7", "seventh"),
        of_value("_json.nothing.here", "7", "y"),
    ];
    let said = Proven {
        raw: serde_json::json!({"department": "Sales", "teams": ["red", "blue"], "staff": true, "level": 7}),
        ..member(&[], lines)
    };
    let roles = roles_after(linked(ann(), &["7"]), said);
    assert_eq!(roles, ["beside", "blue", "sales", "seventh", "staff"]);
}

#[test]
fn a_role_goes_with_its_group_at_the_next_log_in() {
    let mut holder = linked(ann(), &["7"]);
    std::sync::Arc::make_mut(&mut holder.identities)[0].roles = vec![RoleName::new("admin")];
    let roles = roles_after(holder, member(&["staff"], vec![of_group("admins", "admin")]));
    assert_eq!(roles, Vec::<String>::new());
}

#[test]
fn roles_of_several_accounts_are_one_list_without_doubles() {
    let mut holder = linked(ann(), &["7", "8"]);
    let names = |names: &[&str]| names.iter().map(|name| RoleName::new(*name)).collect::<Vec<_>>();
    std::sync::Arc::make_mut(&mut holder.identities)[0].roles = names(&["b", "a"]);
    std::sync::Arc::make_mut(&mut holder.identities)[1].roles = names(&["a", "c"]);
    assert_eq!(holder.roles(), names(&["a", "b", "c"]));
    assert_eq!(bob().roles(), names(&[]));
}

/// What comes of a newcomer by an entry that makes nobody a user.
fn knock(email_holder: Option<User>) -> domain::flow::Step<External> {
    let mut scene = Scene::new();
    let mut proven = member(&[], Vec::new());
    proven.entry.only_known_users = true;
    let event = ExternalEvent::Arrived {
        proven: Box::new(proven),
        holder: None,
        onward: Onward::default(),
    };
    let Ok(Advanced {
        next: External::LookUp(newcomer),
        ..
    }) = step(External::Start, event, &mut scene.cx())
    else {
        panic!("no newcomer");
    };
    let event = ExternalEvent::KeysLookedUp {
        email_holder: email_holder.map(Box::new),
        username_holder: None,
    };
    step(External::LookUp(newcomer), event, &mut scene.cx())
}

#[test]
fn an_entry_for_known_users_makes_nobody_a_user() {
    assert_refused(knock(None), &Denial::UserUnknown, &["provider.refused"]);
}

#[test]
fn an_entry_for_known_users_lets_them_prove_who_they_are() {
    match knock(Some(verified_ann())) {
        Ok(Advanced {
            next: External::Seal(arriving),
            ..
        }) => assert_eq!(arriving.user.key, ann().key),
        other => panic!("not to be proven: {other:?}"),
    }
}
