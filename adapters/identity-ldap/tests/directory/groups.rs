//! Which groups they bring.

use e2e::Counterparty;
use identity_ldap::{GroupSearch, LdapConfig, Nesting, Scope};
use serde_json::json;

use crate::support::{check, plain, searched};

const GROUPS: &str = "ou=groups,dc=example,dc=test";

async fn groups_of(name: &str, url: &str, groups: GroupSearch) -> Vec<String> {
    let config = LdapConfig {
        groups,
        ..searched(url)
    };
    let arrival = check(&config, name, &format!("{name}-pass")).await.unwrap();
    assert_eq!(arrival.raw["_groups"], json!(arrival.groups));
    let short = arrival.groups.iter().filter(|group| !group.contains('='));
    let short: Vec<String> = short.cloned().collect();
    for group in &short {
        let whole = format!("cn={group},{GROUPS}");
        assert!(
            arrival.groups.contains(&whole),
            "both names: {:?}",
            arrival.groups
        );
    }
    assert_eq!(arrival.groups.len(), 2 * short.len());
    short
}

fn searching(filter: &str) -> GroupSearch {
    GroupSearch {
        base: Some(GROUPS.to_owned()),
        filter: Some(filter.to_owned()),
        ..GroupSearch::default()
    }
}

#[tokio::test]
async fn groups_come_from_the_entry_and_from_a_search() {
    let slapd = Counterparty::slapd(&[]).await;
    let url = plain(&slapd);
    let cases = [
        ("alice", GroupSearch::default(), vec!["admins", "staff"]),
        ("bob", GroupSearch::default(), vec!["staff"]),
        (
            "alice",
            searching("(memberUid={{username}})"),
            vec!["admins", "shell", "staff"],
        ),
        ("carol", searching("(member={{dn}})"), vec!["staff"]),
        ("bob", searching("(memberUid={{username}})"), vec!["staff"]),
    ];
    for (name, groups, expected) in cases {
        assert_eq!(
            groups_of(name, &url, groups.clone()).await,
            expected,
            "{groups:?}"
        );
    }
}

#[tokio::test]
async fn another_attribute_may_stand_for_the_name() {
    let slapd = Counterparty::slapd(&[]).await;
    let groups = GroupSearch {
        dn_property: "uid".to_owned(),
        scope: Scope::One,
        ..searching("(memberUid={{dn}})")
    };
    assert_eq!(
        groups_of("alice", &plain(&slapd), groups).await,
        ["admins", "shell", "staff"]
    );
}

#[tokio::test]
async fn groups_in_groups_are_found_and_a_ring_of_them_ends() {
    let slapd = Counterparty::slapd(&[]).await;
    let url = plain(&slapd);
    let cases = [
        (0, vec!["admins", "staff"]),
        (1, vec!["admins", "nested", "staff"]),
        (2, vec!["admins", "nested", "ring", "staff"]),
        (50, vec!["admins", "nested", "ring", "staff"]),
    ];
    for (depth, expected) in cases {
        for filter in [
            None,
            Some("(member={{dn}})"),
            Some("(&(cn=*)(memberUid={{username}})(cn=none))"),
        ] {
            let groups = GroupSearch {
                filter: filter.map(str::to_owned),
                nesting: Nesting::Search { depth },
                ..GroupSearch::default()
            };
            assert_eq!(
                groups_of("alice", &url, groups).await,
                expected,
                "{depth} {filter:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_name_in_a_group_search_is_the_directorys_spelling() {
    let slapd = Counterparty::slapd(&[]).await;
    let config = LdapConfig {
        groups: searching("(memberUid={{username}})"),
        ..searched(&plain(&slapd))
    };
    let arrival = check(&config, "ALICE", "alice-pass").await.unwrap();
    assert!(
        arrival.groups.contains(&"shell".to_owned()),
        "{:?}",
        arrival.groups
    );
}
