//! Answers as Active Directory gives them, and answers that no directory should give.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::ports::{Arrival, ProviderError, ProviderFault as Fault};
use identity_ldap::{LdapConfig, LdapDirectory, fuzzing};
use proptest::prelude::*;

use crate::responder::{Asked, Question, Responder, bound, done, element, entry, message, reference, result};
use crate::support::{BASE, READER, ask, check, directory, fault, searched, unavailable};

const ANN: &str = "CN=Ann,OU=People,DC=example,DC=test";
const GUID: [u8; 16] = [
    0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
];

fn ann(id: u8) -> Vec<u8> {
    entry(
        id,
        ANN,
        &[("objectGUID", &GUID), ("sAMAccountName", b"ann"), ("cn", b"Ann")],
    )
}

/// A directory with Ann in it, where only our own account and `right` may bind.
fn well_behaved(question: &Question) -> Vec<u8> {
    let id = question.id;
    match &question.asked {
        Asked::Bind { name, password } if name == READER && password == "reader-secret" => bound(id, 0, ""),
        Asked::Bind { password, .. } if password == "right" => bound(id, 0, ""),
        Asked::Bind { .. } => bound(id, 49, ""),
        Asked::Search { whole, .. } if contains(whole, b"ann") => [ann(id), done(id, 0)].concat(),
        Asked::Search { .. } => done(id, 0),
        _ => Vec::new(),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// What comes of a log-in at a server that answers Ann's own bind, or the first search, in that way.
async fn when_tried(
    answer: impl Fn(u8) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Arrival, ProviderError> {
    let responder = Responder::start(move |question| match &question.asked {
        Asked::Bind { name, .. } if name == ANN => answer(question.id),
        _ => well_behaved(question),
    });
    check(&searched(&responder.await.url), "ann", "right").await
}

async fn when_searched(
    answer: impl Fn(u8) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Arrival, ProviderError> {
    let responder = Responder::start(move |question| match &question.asked {
        Asked::Search { .. } => answer(question.id),
        _ => well_behaved(question),
    });
    check(&searched(&responder.await.url), "ann", "right").await
}

#[tokio::test]
async fn active_directory_says_what_is_wrong_with_an_account() {
    for (code, expected) in [
        ("525", Fault::DirectoryPassword),
        ("52e", Fault::DirectoryPassword),
        ("530", Fault::DirectoryRestricted),
        ("531", Fault::DirectoryRestricted),
        ("532", Fault::DirectoryPasswordExpired),
        ("533", Fault::DirectoryDisabled),
        ("701", Fault::DirectoryAccountExpired),
        ("773", Fault::DirectoryMustChange),
        ("775", Fault::DirectoryLocked),
    ] {
        let text = format!(
            "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {code}, v3839\0"
        );
        let answer = when_tried(move |id| bound(id, 49, &text)).await;
        assert_eq!(fault(answer), expected, "{code}");
    }
}

#[tokio::test]
async fn somebody_of_active_directory_is_their_guid() {
    let arrival = when_tried(|id| bound(id, 0, "")).await.unwrap();
    assert_eq!(arrival.subject, "00112233-4455-6677-8899-aabbccddeeff");
}

#[tokio::test]
async fn other_answers_to_a_password_are_told_apart() {
    for (code, expected) in [
        (32, Fault::DirectoryPassword),
        (48, Fault::DirectoryPassword),
        (19, Fault::DirectoryLocked),
        (10, Fault::DirectoryRefused),
        (8, Fault::DirectoryRefused),
        // Unwilling, whatever the password: 389 Directory Server says so of disabled accounts.
        (53, Fault::DirectoryLocked),
        (255, Fault::DirectoryRefused),
    ] {
        let answer = when_tried(move |id| result(id, 0x61, code & 0x7f, "")).await;
        assert_eq!(fault(answer), expected, "{code}");
    }
    for code in [3, 51, 52] {
        unavailable(when_tried(move |id| bound(id, code, "")).await);
        unavailable(when_searched(move |id| done(id, code)).await);
    }
}

/// A direct bind as Active Directory has it; `owns` says whether the password opens the entry that the filter finds.
async fn by_principal(owns: bool) -> (Result<Arrival, ProviderError>, Vec<(String, String)>) {
    let responder = Responder::start(move |question| match &question.asked {
        Asked::Bind { name, .. } if name == ANN => bound(question.id, if owns { 0 } else { 49 }, ""),
        _ => well_behaved(question),
    })
    .await;
    let config = LdapConfig {
        search_filter: Some("(sAMAccountName={{username}})".to_owned()),
        ..LdapConfig::direct(&responder.url, BASE, "{{username}}@corp.example")
    };
    let answer = check(&config, "ann", "right").await;
    (answer, responder.binds())
}

#[tokio::test]
async fn an_entry_found_after_a_direct_bind_has_to_take_the_password_too() {
    let (answer, binds) = by_principal(true).await;
    assert_eq!(answer.unwrap().subject, "00112233-4455-6677-8899-aabbccddeeff");
    let expected = ["ann@corp.example", ANN].map(|name| (name.to_owned(), "right".to_owned()));
    assert_eq!(binds, expected);
    // The principal of one person and the account name of another.
    assert_eq!(fault(by_principal(false).await.0), Fault::DirectoryPassword);
}

#[tokio::test]
async fn a_search_that_finds_more_than_one_is_ambiguous_however_it_is_said() {
    let two = when_searched(|id| [ann(id), entry(id, "CN=Other", &[]), done(id, 0)].concat()).await;
    assert_eq!(fault(two), Fault::DirectoryAmbiguous);
    let cut = when_searched(|id| [ann(id), done(id, 4)].concat()).await;
    assert_eq!(fault(cut), Fault::DirectoryAmbiguous);
    let three = when_searched(|id| [ann(id), ann(id), ann(id), done(id, 0)].concat()).await;
    unavailable(three);
}

#[tokio::test]
async fn an_entry_without_a_name_is_never_bound_as() {
    let responder = Responder::start(|question| match &question.asked {
        Asked::Search { .. } => [
            entry(question.id, "", &[("objectGUID", &GUID)]),
            done(question.id, 0),
        ]
        .concat(),
        Asked::Bind { .. } => bound(question.id, 0, ""),
        _ => Vec::new(),
    })
    .await;
    for config in [
        searched(&responder.url),
        LdapConfig::direct(&responder.url, BASE, "{{username}}@corp.example"),
    ] {
        assert_eq!(
            fault(check(&config, "ann", "wrong").await),
            Fault::DirectoryRefused
        );
    }
    assert!(responder.binds().iter().all(|(name, _)| !name.is_empty()));
}

#[tokio::test]
async fn an_entry_without_an_id_is_nobody() {
    let answer = when_searched(|id| [entry(id, ANN, &[("cn", b"Ann")]), done(id, 0)].concat()).await;
    assert_eq!(fault(answer), Fault::SubjectMissing);
    let answer =
        when_searched(|id| [entry(id, ANN, &[("objectGUID", b"short")]), done(id, 0)].concat()).await;
    assert_eq!(fault(answer), Fault::SubjectMissing);
}

#[tokio::test]
async fn nobody_goes_where_a_referral_leads() {
    let there = Responder::start(well_behaved).await;
    let url = format!("{}/dc=example", there.url);
    let elsewhere = url.clone();
    let referred = move |id| {
        let referral = element(0xa3, &element(4, elsewhere.as_bytes()));
        message(id, 0x65, &[vec![10, 1, 10], vec![4, 0], vec![4, 0], referral])
    };
    assert_eq!(fault(when_searched(referred).await), Fault::DirectoryRefused);
    let continued = move |id| [reference(id, &url), done(id, 0)].concat();
    assert_eq!(fault(when_searched(continued).await), Fault::DirectoryPassword);
    assert!(there.heard().is_empty());
}

#[tokio::test]
async fn an_unknown_name_is_asked_about_as_often_as_a_wrong_password() {
    let mut asked = Vec::new();
    for name in ["ann", "bob"] {
        let responder = Responder::start(well_behaved).await;
        let answer = check(&searched(&responder.url), name, "wrong").await;
        assert_eq!(fault(answer), Fault::DirectoryPassword);
        let heard = responder.heard().into_iter();
        let kinds = heard.map(|question| (question.connection, std::mem::discriminant(&question.asked)));
        asked.push(kinds.collect::<Vec<_>>());
        // What somebody typed for nobody is shown to nobody.
        let typed = responder
            .binds()
            .iter()
            .filter(|(_, password)| password == "wrong")
            .count();
        assert_eq!(typed, usize::from(name == "ann"));
    }
    assert_eq!(asked[0], asked[1]);
}

#[tokio::test]
async fn nobodys_password_is_tried_on_a_connection_of_our_own_account() {
    let responder = Responder::start(well_behaved).await;
    let directory = directory(&searched(&responder.url));
    for password in ["right", "wrong", "right"] {
        let _ = ask(&directory, "ann", password).await;
    }
    let heard = responder.heard();
    let of_first: Vec<_> = heard.iter().filter(|question| question.connection == 0).collect();
    let binds = of_first
        .iter()
        .filter(|question| matches!(question.asked, Asked::Bind { .. }));
    assert_eq!(binds.count(), 1, "our own account's");
    assert_eq!(of_first.len(), 1 + 3, "and three searches");
    for question in heard {
        if let Asked::Bind { name, .. } = question.asked {
            assert_eq!(question.connection == 0, name == READER);
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_hears_nothing_but_the_wish_for_it() {
    let authority = crate::support::Authority::new();
    let refusing: fn(u8) -> Vec<u8> = |id| result(id, 0x78, 2, "");
    let speaking: fn(u8) -> Vec<u8> = |id| [result(id, 0x78, 0, ""), bound(id + 1, 0, "")].concat();
    let confused: fn(u8) -> Vec<u8> = |id| bound(id, 0, "");
    for (number, answer) in [refusing, speaking, confused].into_iter().enumerate() {
        let responder = Responder::start(move |question| match question.asked {
            Asked::StartTls => answer(question.id),
            _ => well_behaved(question),
        })
        .await;
        let config = LdapConfig {
            start_tls: true,
            ca: Some(authority.pem.clone()),
            ..searched(&responder.url)
        };
        let answer = check(&config, "ann", "right").await;
        if number == 0 {
            assert_eq!(fault(answer), Fault::DirectoryRefused);
        } else {
            unavailable(answer);
        }
        assert!(responder.binds().is_empty());
    }
}

/// What breaks those who trust what they read.
fn nonsense(id: u8) -> Vec<(&'static str, Vec<u8>)> {
    let nested = (0..100_000).fold(Vec::new(), |inner: Vec<u8>, _| {
        // Outermost last: written backwards, and cheap.
        let mut level = inner;
        let length = u32::try_from(level.len()).unwrap();
        level.extend(length.to_be_bytes().iter().rev());
        level.extend([0x84, 0x30]);
        level
    });
    let nested: Vec<u8> = nested.into_iter().rev().collect();
    vec![
        ("nesting", nested.clone()),
        ("nesting inside", message(id, 0x64, &[element(4, b"x"), nested])),
        ("a length of 4 GB", vec![0x30, 0x84, 255, 255, 255, 255]),
        ("a length of 5 MB", element(0x30, &vec![0; 5 * 1024 * 1024])),
        ("an indefinite length", vec![0x30, 0x80, 2, 1, id, 0, 0]),
        ("no LDAP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("another's answer", done(id + 1, 0)),
        (
            "a negative number",
            [&[0x30, 5, 2, 1, 255][..], &[0x42, 0]].concat(),
        ),
        ("a notice", result(0, 0x78, 52, "going")),
        ("an operation of ours", message(id, 0x63, &[])),
        ("an intermediate response", message(id, 0x79, &[])),
        ("a result without a code", message(id, 0x65, &[vec![4, 0]])),
        ("nothing in it", element(0x30, &[])),
        (
            "an entry without a list",
            message(id, 0x64, &[element(4, b"x"), vec![4, 0]]),
        ),
        (
            "a name that is no text",
            message(id, 0x64, &[element(4, b"\xff"), element(0x30, b"")]),
        ),
        ("half of it", done(id, 0)[..9].to_vec()),
        ("nothing at all", Vec::new()),
    ]
}

#[tokio::test]
async fn what_is_not_ldap_is_trouble_and_over_with_the_connection() {
    let count = nonsense(1).len();
    for at in 0..count {
        let searches = AtomicUsize::new(0);
        let responder = Responder::start(move |question| match question.asked {
            Asked::Search { .. } if searches.fetch_add(1, Ordering::SeqCst) == 0 => {
                let mut answer = nonsense(question.id).swap_remove(at).1;
                if answer.len() < 10 && !answer.is_empty() {
                    answer.extend([0; 32]);
                }
                answer
            }
            _ => well_behaved(question),
        })
        .await;
        let config = LdapConfig {
            timeout: std::time::Duration::from_secs(1),
            ..searched(&responder.url)
        };
        let directory = directory(&config);
        let what = nonsense(1).swap_remove(at).0;
        let first = ask(&directory, "ann", "right").await;
        assert!(
            matches!(first, Err(ProviderError::Unavailable(_))),
            "{what}: {first:?}"
        );
        assert!(ask(&directory, "ann", "right").await.is_ok(), "{what}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_has_one() {
    let endless = |id| reference(id, "ldap://127.0.0.1:1/").repeat(600_000);
    unavailable(when_searched(endless).await);
}

/// Plays the conversation of a log-in with some bytes changed.
async fn mutated(changes: Vec<(usize, u8)>) -> Result<Arrival, ProviderError> {
    let sent = Arc::new(Mutex::new(0));
    let responder = Responder::start(move |question| {
        let mut answer = well_behaved(question);
        let mut sent = sent.lock().unwrap();
        for (at, byte) in &changes {
            if let Some(here) = at.checked_sub(*sent).and_then(|at| answer.get_mut(at)) {
                *here ^= byte;
            }
        }
        *sent += answer.len();
        answer
    })
    .await;
    let config = LdapConfig {
        timeout: std::time::Duration::from_millis(60),
        ..searched(&responder.url)
    };
    check(&config, "ann", "wrong").await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_garbled_conversation_ends(changes in proptest::collection::vec((0_usize..260, 1_u8..), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Whatever it says, a code of success among it, it says it in time.
        let _ = runtime.block_on(mutated(changes));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>) {
        fuzzing::message(&bytes);
        fuzzing::value(&bytes);
    }

    #[test]
    fn no_changed_message_makes_a_reader_panic(at in 0_usize..200, byte: u8, cut in 0_usize..200) {
        for whole in [ann(1), bound(1, 49, "data 52e"), done(1, 0)] {
            let mut bytes = whole;
            if let Some(here) = bytes.get_mut(at) {
                *here = byte;
            }
            fuzzing::message(&bytes);
            bytes.truncate(cut);
            fuzzing::message(&bytes);
        }
    }

    #[test]
    fn no_name_gets_out_of_its_place(name in "[a-z]{1,8}") {
        prop_assert!(fuzzing::name(&name));
    }
}

#[tokio::test]
async fn ids_are_asked_for_by_name() {
    let responder = Responder::start(well_behaved).await;
    let directory: LdapDirectory = directory(&searched(&responder.url));
    ask(&directory, "ann", "right").await.unwrap();
    let heard = responder.heard().into_iter();
    let mut searches = heard.filter_map(|question| match question.asked {
        Asked::Search { base, whole } => Some((base, whole)),
        _ => None,
    });
    let (base, whole) = searches.next().unwrap();
    assert_eq!(base, BASE);
    for attribute in [&b"entryUUID"[..], b"objectGUID", b"memberOf", b"*"] {
        assert!(contains(&whole, attribute));
    }
}
