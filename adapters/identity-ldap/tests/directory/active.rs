//! The primary group, which Active Directory names in no `memberOf`.

use e2e::Counterparty;
use identity_ldap::{GroupSearch, LdapConfig, Nesting};

use crate::responder::{Asked, Question, Responder, bound, done, entry};
use crate::support::{check, plain, searched};

const ANN: &str = "CN=Ann,OU=People,DC=example,DC=test";
const USERS: &str = "CN=Domain Users,CN=Users,DC=example,DC=test";
const STAFF: &str = "CN=Staff,OU=Groups,DC=example,DC=test";
/// `S-1-5-21-1-2-3-1104`, and the domain's group 513.
const OWN_SID: [u8; 28] = [
    1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0x50, 4, 0, 0,
];
const USERS_SID: [u8; 28] = [
    1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1, 2, 0, 0,
];

fn active(url: &str) -> LdapConfig {
    let groups = GroupSearch {
        nesting: Nesting::ActiveDirectory,
        ..GroupSearch::default()
    };
    LdapConfig {
        groups,
        ..searched(url)
    }
}

async fn groups(config: &LdapConfig, name: &str) -> Vec<String> {
    let arrival = check(config, name, &format!("{name}-pass")).await.unwrap();
    arrival
        .groups
        .into_iter()
        .filter(|group| !group.contains('='))
        .collect()
}

#[tokio::test]
async fn the_primary_group_is_found_by_its_security_identifier() {
    let slapd = Counterparty::slapd(&[]).await;
    let mut config = active(&plain(&slapd));
    let expected = ["Domain Users", "admins", "staff"];
    assert_eq!(groups(&config, "alice").await, expected);
    // What is needed is read, whatever else is.
    config.search_attributes = vec!["cn".to_owned()];
    assert_eq!(groups(&config, "alice").await, expected);
    assert_eq!(groups(&config, "bob").await, ["staff"], "he has none");
    // Elsewhere nobody asks for it.
    config.groups.nesting = Nesting::Search { depth: 5 };
    let nested = groups(&config, "alice").await;
    assert!(!nested.contains(&expected[0].to_owned()), "{nested:?}");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Active Directory: Ann's primary group is in another one, as the rule for chains finds out.
fn directory(question: &Question) -> Vec<u8> {
    let id = question.id;
    let found = match &question.asked {
        Asked::Bind { .. } => return bound(id, 0, ""),
        Asked::Search { whole, .. } if contains(whole, b"1.2.840.113556.1.4.1941") => {
            let primary = contains(whole, USERS.as_bytes()) && contains(whole, ANN.as_bytes());
            primary.then(|| entry(id, STAFF, &[("cn", b"Staff")]))
        }
        Asked::Search { whole, .. } if contains(whole, &USERS_SID) => {
            Some(entry(id, USERS, &[("cn", b"Domain Users")]))
        }
        Asked::Search { whole, .. } if contains(whole, b"uid") => {
            let own = [
                ("objectGUID", &[7; 16][..]),
                ("objectSid", &OWN_SID),
                ("primaryGroupID", b"513"),
            ];
            Some(entry(id, ANN, &own))
        }
        _ => None,
    };
    [found.unwrap_or_default(), done(id, 0)].concat()
}

#[tokio::test]
async fn whoever_is_in_a_primary_group_is_in_the_groups_it_is_in() {
    let responder = Responder::start(directory).await;
    assert_eq!(
        groups(&active(&responder.url), "ann").await,
        ["Domain Users", "Staff"]
    );
}
