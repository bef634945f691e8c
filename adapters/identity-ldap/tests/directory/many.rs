//! More groups than fit into one answer.

use domain::ports::ProviderFault as Fault;
use e2e::Counterparty;
use identity_ldap::{GroupSearch, LdapConfig, Nesting};

use crate::responder::{Asked, Question, Responder, bound, done, entry, part};
use crate::support::{ask, check, directory, fault, plain, searched};

const GROUPS: &str = "ou=groups,dc=example,dc=test";
const ANN: &str = "uid=ann,dc=example,dc=test";
/// What the server is let give of a search in parts, whatever it gives at once.
const IN_PARTS: &str = "size.soft=500 size.hard=500 size.prtotal=unlimited";

fn searching(url: &str) -> LdapConfig {
    let groups = GroupSearch {
        base: Some(GROUPS.to_owned()),
        filter: Some("(member={{dn}})".to_owned()),
        ..GroupSearch::default()
    };
    LdapConfig {
        groups,
        ..searched(url)
    }
}

#[tokio::test]
async fn more_groups_than_a_server_gives_at_once_are_read_in_parts() {
    let slapd = Counterparty::slapd(&[("MANY", "1200"), ("LIMIT", IN_PARTS)]).await;
    let arrival = check(&searching(&plain(&slapd)), "bob", "bob-pass")
        .await
        .unwrap();
    let short = arrival.groups.iter().filter(|group| !group.contains('='));
    assert_eq!(short.count(), 1_201);
}

#[tokio::test]
async fn whose_groups_a_server_will_not_tell_all_is_refused() {
    let slapd = Counterparty::slapd(&[("MANY", "600")]).await;
    let directory = directory(&searching(&plain(&slapd)));
    let refused = ask(&directory, "bob", "bob-pass").await;
    assert_eq!(fault(refused), Fault::DirectoryRefused);
    // Whose password is wrong hears of nothing else.
    assert_eq!(
        fault(ask(&directory, "bob", "wrong").await),
        Fault::DirectoryPassword
    );
    assert!(ask(&directory, "alice", "alice-pass").await.is_ok());
}

#[tokio::test]
async fn the_groups_of_many_groups_are_searched_for_together() {
    let slapd = Counterparty::slapd(&[("MANY", "130")]).await;
    let mut config = searching(&plain(&slapd));
    config.groups.nesting = Nesting::Search { depth: 3 };
    let arrival = check(&config, "bob", "bob-pass").await.unwrap();
    assert_eq!(arrival.groups.len(), 2 * 131);
    let searches = slapd
        .said()
        .lines()
        .filter(|line| line.contains(" SRCH base="))
        .count();
    // Himself, his groups in two parts, the groups of 131 groups.
    assert_eq!(searches, 1 + 2 + 3, "{}", slapd.said());
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn groups(id: u8, from: usize, count: usize) -> Vec<u8> {
    let one = |number| entry(id, &format!("cn=g{number},{GROUPS}"), &[]);
    (from..from + count).flat_map(one).collect()
}

/// A server with Ann, and what it says to the search for her groups.
async fn answering(answer: impl Fn(&Question) -> Vec<u8> + Send + Sync + 'static) -> Responder {
    Responder::start(move |question| match &question.asked {
        Asked::Bind { .. } => bound(question.id, 0, ""),
        Asked::Search { base, .. } if base == GROUPS => answer(question),
        Asked::Search { .. } => {
            let ann = entry(
                question.id,
                ANN,
                &[("entryUUID", b"1"), ("memberOf;range=0-1499", b"cn=first")],
            );
            [ann, done(question.id, 0)].concat()
        }
        _ => Vec::new(),
    })
    .await
}

#[tokio::test]
async fn each_part_is_asked_for_where_the_last_one_ended() {
    let responder = answering(|question| {
        let id = question.id;
        if contains(&question.controls, b"second") {
            [groups(id, 2, 1), part(id, 0, b"")].concat()
        } else if contains(&question.controls, b"first") {
            [groups(id, 1, 1), part(id, 0, b"second")].concat()
        } else {
            [groups(id, 0, 1), part(id, 0, b"first")].concat()
        }
    })
    .await;
    let arrival = check(&searching(&responder.url), "ann", "right").await.unwrap();
    for group in ["g0", "g1", "g2", "first"] {
        assert!(arrival.groups.contains(&group.to_owned()), "{:?}", arrival.groups);
    }
}

#[tokio::test]
async fn a_server_that_knows_no_parts_gives_all_at_once() {
    let responder = answering(|question| [groups(question.id, 0, 900), done(question.id, 0)].concat()).await;
    let arrival = check(&searching(&responder.url), "ann", "right").await.unwrap();
    assert_eq!(arrival.groups.len(), 2 * 901);
}

#[tokio::test]
async fn whoever_is_in_too_many_groups_is_refused() {
    let endless = answering(|question| {
        let from = usize::from(question.id) * 100;
        [groups(question.id, from, 100), part(question.id, 0, b"more")].concat()
    });
    let empty = answering(|question| part(question.id, 0, b"more"));
    let cut = answering(|question| [groups(question.id, 0, 3), part(question.id, 4, b"more")].concat());
    for responder in [endless.await, empty.await, cut.await] {
        let refused = check(&searching(&responder.url), "ann", "right").await;
        assert_eq!(fault(refused), Fault::DirectoryRefused);
        assert!(responder.heard().len() < 110);
    }
}

#[tokio::test]
async fn a_member_of_told_in_part_is_not_taken_for_all() {
    let responder = answering(|question| done(question.id, 0)).await;
    let mut config = searching(&responder.url);
    assert!(
        check(&config, "ann", "right").await.is_ok(),
        "the search finds the rest"
    );
    config.groups.filter = None;
    assert_eq!(
        fault(check(&config, "ann", "right").await),
        Fault::DirectoryRefused
    );
}
