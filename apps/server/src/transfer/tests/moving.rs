//! Everything comes along, what is dead does not, and nothing is overwritten.

use domain::access::RoleMapping;
use domain::id::{RoleId, RoleMappingId};
use domain::secret::Token;
use domain::tombstone::Tombstone;
use domain::user::SessionEpoch;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[tokio::test]
async fn from_store_to_store_to_store_everything_stays_the_same() {
    let first = filled(in_memory()).await;
    let file = first.exported().await;
    for next in [in_memory(), on_disk()] {
        let (report, verified) = next.import(&file, Way::WriteFirst).await;
        let checked = checked(&file).unwrap();
        assert_eq!(
            (report.new, report.present, report.conflicts),
            (checked.records(), 0, 0)
        );
        assert!(verified.is_complete(&checked), "{verified:?}");
        assert_eq!(verified.found, checked.end.tallies());
        let again = next.exported().await;
        assert_eq!(records(&again), records(&file));
        assert_eq!(
            super::checked(&again).unwrap().end.tallies(),
            checked.end.tallies()
        );
    }
}

#[tokio::test]
async fn many_pages_come_whole() {
    let first = on_disk();
    let users: Vec<User> = (0..1_001)
        .map(|number| sample::with_email(&format!("{number}"), &format!("{number}@example.com")))
        .collect();
    let sessions: Vec<Session> = users
        .iter()
        .map(|user| session_of(user, user.id().as_str()))
        .collect();
    put_all(&first, &users, &[], &sessions).await;
    let file = first.exported().await;
    let second = on_disk();
    let (report, verified) = second.import(&file, Way::LookFirst).await;
    assert_eq!(report.new, 2_002);
    assert!(verified.is_complete(&checked(&file).unwrap()));
    assert_eq!(records(&second.exported().await), records(&file));
}

#[tokio::test]
async fn sessions_that_open_nothing_do_not_travel() {
    let place = in_memory();
    let (ann, bob) = (
        sample::with_email("ann", "ann@example.com"),
        sample::key("Users", "bob"),
    );
    let live = session_of(&ann, "live");
    let over = Session {
        life: TokenLife::Finite(Lifetime::from_secs(9)),
        ..session_of(&ann, "over")
    };
    let ended = Session {
        epoch: SessionEpoch::new(77),
        ..session_of(&ann, "ended by a new password")
    };
    let of_nobody = sample::session(&bob, "of nobody");
    put_all(&place, &[ann], &[], &[live, over, ended, of_nobody]).await;
    let file = place.exported().await;
    assert_eq!(checked(&file).unwrap().end.sessions.count, 1);
    assert!(file.contains("session-live"));
}

#[tokio::test]
async fn no_token_and_nothing_in_clear_is_in_a_file() {
    let place = filled(in_memory()).await;
    let file = place.exported().await;
    let token = Token::presented("Users/u1");
    assert!(file.contains(&token.hash().to_text()));
    assert!(!file.contains(&format!("\"token\":\"{}\"", token.expose())));
}

#[tokio::test]
async fn what_is_there_and_the_same_is_left_and_what_differs_is_told() {
    let file = filled(in_memory()).await.exported().await;
    let target = on_disk();
    let (users, _, _) = people();
    let other = an_attribute(&users[4], "colour", &json!("blue"));
    let same_address = domain::user::User {
        key: sample::key("Users", "somebody else"),
        ..users[5].clone()
    };
    put_all(
        &target,
        &[users[3].clone(), other.clone(), same_address.clone()],
        &[],
        &[],
    )
    .await;
    for way in [Way::LookOnly, Way::WriteFirst, Way::LookFirst] {
        let (report, verified) = target.import(&file, way).await;
        assert_eq!(report.conflicts, 2, "{report:?}");
        let told = report.examples.join("\n");
        assert!(
            told.contains("user Users/u0: another record of this id is there"),
            "{told}"
        );
        assert!(
            told.contains("user Users/u1: its e-mail address is another user's there"),
            "{told}"
        );
        assert!(!told.contains('@'), "ids alone: {told}");
        assert_eq!(
            (report.new == 0, report.not_opened),
            (way == Way::LookFirst, 11),
            "{way:?}: {report:?}"
        );
        assert_eq!(report.messages_left_out, 10);
        assert!(!verified.is_complete(&checked(&file).unwrap()));
        if way != Way::LookOnly {
            // A user, their sessions and the mails, which wait until users agree.
            assert_eq!((verified.different, verified.missing), (1, 21), "{verified:?}");
        }
    }
    for kept in [other, same_address] {
        assert_eq!(target.stores.users.find(&kept.key).await.unwrap(), Some(kept));
    }
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_counts_what_would_be() {
    let file = filled(in_memory()).await.exported().await;
    let target = on_disk();
    let (report, _) = target.import(&file, Way::LookOnly).await;
    assert_eq!(
        (report.new, report.conflicts),
        (checked(&file).unwrap().records(), 0)
    );
    assert_eq!(records(&target.exported().await), Vec::<&str>::new());
    let (report, _) = target.import(&file, Way::WriteFirst).await;
    assert_eq!(report.present, 0);
}

#[tokio::test]
async fn who_logged_out_after_the_move_is_not_logged_in_by_a_second_one() {
    let file = filled(in_memory()).await.exported().await;
    let target = on_disk();
    target.import(&file, Way::WriteFirst).await;
    let token = sample::token("Users/u1");
    assert!(target.sessions().end(&token).await.unwrap());
    let (report, verified) = target.import(&file, Way::WriteFirst).await;
    assert!(report.handed_over);
    assert_eq!((report.new, report.ended, report.conflicts), (0, 1, 0));
    assert!(verified.is_complete(&checked(&file).unwrap()));
    assert_eq!(target.sessions().find(&token).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_that_was_ended_here_is_not_opened() {
    let file = filled(in_memory()).await.exported().await;
    let target = in_memory();
    let token = sample::token("Users/u1");
    let stone = Tombstone { token, until: None };
    assert!(target.stores.tombstones.bury(&stone).await.unwrap());
    let (report, verified) = target.import(&file, Way::WriteFirst).await;
    assert_eq!((report.ended, report.conflicts), (1, 0));
    assert!(verified.is_complete(&checked(&file).unwrap()));
    assert_eq!(target.sessions().find(&token).await.unwrap(), None);
}

#[tokio::test]
async fn sessions_that_ran_out_on_the_way_are_left_out_and_no_fault() {
    let file = filled(in_memory()).await.exported().await;
    let target = on_disk();
    let_an_hour_pass(&target);
    let (report, verified) = target.import(&file, Way::WriteFirst).await;
    assert_eq!((report.expired, verified.excused), (10, 10));
    assert!(verified.is_complete(&checked(&file).unwrap()));
}

#[tokio::test]
async fn where_nothing_keeps_sessions_the_rest_comes_along() {
    let file = filled(in_memory()).await.exported().await;
    let mut target = on_disk();
    target.stores.sessions = None;
    let (report, verified) = target.import(&file, Way::WriteFirst).await;
    assert_eq!((report.not_opened, verified.excused), (11, 11));
    assert!(verified.is_complete(&checked(&file).unwrap()));
}

#[tokio::test]
async fn the_mark_of_a_file_goes_when_its_last_session_is_over() {
    let place = in_memory();
    let ann = sample::with_email("ann", "ann@example.com");
    let session = session_of(&ann, "one");
    put_all(
        &place,
        std::slice::from_ref(&ann),
        &[],
        std::slice::from_ref(&session),
    )
    .await;
    let until = checked(&place.exported().await).unwrap().sessions_until;
    assert_eq!(until, Tombstone::of_session(&session).until);
    assert!(until.is_some_and(|until| until > sample::at(0).plus(HOUR)));
    let eternal = Session {
        life: TokenLife::Eternal,
        ..session_of(&ann, "two")
    };
    put_all(&place, &[], &[], &[eternal]).await;
    assert_eq!(checked(&place.exported().await).unwrap().sessions_until, None);
}

#[tokio::test]
async fn the_keys_that_sealed_values_name_are_told() {
    let place = in_memory();
    let key = seal_local::SealKey::new("00000000000000aa", [7; 32]);
    let sealer = seal_local::LocalSealer::new(vec![key]).unwrap();
    let binding = domain::ports::SealBinding {
        kind: "user-credential",
        owner: vec!["Users".to_owned()],
    };
    let secret = domain::secret::Secret::new("a refresh token");
    let tokens = domain::ports::Sealer::seal(&sealer, &secret, &binding)
        .await
        .unwrap();
    let mut user = sample::linked("ann", vec![sample::identity("facebook", "1")]);
    let mut credential = sample::credential("facebook");
    credential.tokens = tokens;
    user.credentials = Arc::new(vec![credential]);
    put_all(&place, &[user], &[], &[]).await;
    let (bytes, written) = export(&place.stores, &header(), Vec::new(), &Silent)
        .await
        .unwrap();
    assert_eq!(written.keys().iter().collect::<Vec<_>>(), ["00000000000000aa"]);
    let checked = checked_bytes(&bytes).unwrap();
    assert_eq!(checked.keys, [("00000000000000aa".to_owned(), 1)].into());
    assert!(!String::from_utf8(bytes).unwrap().contains("a refresh token"));
}

/// Anything a client may keep with a user.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("a number", |it| it.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Export, import and export again give the same lines, whatever is in the store and whatever of it is there already.
    #[test]
    fn what_is_exported_is_what_was_imported(
        kept in prop::collection::vec((anything(), any::<bool>(), any::<u64>(), 0..3_usize), 1..12)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (first, second) = (in_memory(), on_disk());
            for (number, (value, is_there, revision, sessions)) in kept.iter().enumerate() {
                let name = format!("u{number}");
                let mut user = sample::with_email(&name, &format!("{name}@example.com"));
                user.revision = domain::user::Revision::new(*revision);
                let user = an_attribute(&user, "kept", value);
                let sessions: Vec<Session> =
                    (0..*sessions).map(|nth| session_of(&user, &format!("{name} {nth}"))).collect();
                put_all(&first, std::slice::from_ref(&user), &[], &sessions).await;
                if *is_there {
                    put_all(&second, &[user], &[], sessions.get(1..).unwrap_or_default()).await;
                }
            }
            let file = first.exported().await;
            let (report, verified) = second.import(&file, Way::WriteFirst).await;
            assert_eq!(report.conflicts, 0, "{report:?}");
            assert!(verified.is_complete(&checked(&file).unwrap()), "{verified:?}");
            assert_eq!(records(&second.exported().await), records(&file));
        });
    }
}

/// What is lost or sent twice is somebody's notice that their password was changed.
#[tokio::test]
async fn mails_that_wait_come_along_once() {
    let first = filled(in_memory()).await;
    let file = first.exported().await;
    assert_eq!(checked(&file).unwrap().end.messages.count, 10);
    let second = on_disk();
    second.import(&file, Way::WriteFirst).await;
    // One is tried, and one is sent.
    let now = second.stores.clock.now();
    let claimed = second
        .stores
        .outbox
        .claim(domain::outbox::Lane::People, now, HOUR, 2)
        .await
        .unwrap();
    let sent = &claimed[0];
    let settled = second
        .stores
        .outbox
        .settle(&sent.id, sent.attempts, domain::outbox::Settled::Done)
        .await;
    assert!(settled.unwrap());
    let (again, verified) = second.import(&file, Way::WriteFirst).await;
    assert_eq!((again.new, again.conflicts, again.messages_left_out), (0, 0, 2));
    assert!(verified.is_complete(&checked(&file).unwrap()), "{verified:?}");
    let left = second.stores.outbox.list(None, 99).await.unwrap();
    assert_eq!(left.messages.len(), 9);
}

#[tokio::test]
async fn codes_and_what_is_void_stay_behind() {
    let place = in_memory();
    let ann = sample::with_email("ann", "ann@example.com");
    put_all(&place, std::slice::from_ref(&ann), &[], &[]).await;
    let mail = sample::message(&ann.key, "mail");
    let code = OutboxMessage {
        channel: domain::outbox::Channel::Sms,
        ..sample::message(&ann.key, "code")
    };
    let event = OutboxMessage {
        channel: domain::outbox::Channel::Webhook,
        ..sample::message(&ann.key, "event")
    };
    let void = OutboxMessage {
        expires: sample::at(9),
        ..sample::message(&ann.key, "void")
    };
    let elsewhere = sample::message(&sample::key("Gone", "ann"), "elsewhere");
    for message in [&mail, &event, &code, &void, &elsewhere] {
        place.stores.outbox.put(message).await.unwrap();
    }
    let file = place.exported().await;
    assert_eq!(checked(&file).unwrap().end.messages.count, 2);
    assert!(file.contains(r#"{"message":{"#), "{file}");
    let next = in_memory();
    next.import(&file, Way::LookFirst).await;
    let there = next.stores.outbox.list(None, 9).await.unwrap();
    assert_eq!(there.messages, [event, mail]);
    // A day later nothing of it is of use.
    let late = in_memory();
    late.hands.0.store(86_401, Ordering::Relaxed);
    let (report, verified) = late.import(&file, Way::WriteFirst).await;
    assert_eq!((report.new, report.messages_left_out), (1, 2));
    assert!(verified.is_complete(&checked(&file).unwrap()), "{verified:?}");
}

#[tokio::test]
async fn a_file_without_mails_reads_as_one_of_before() {
    let place = in_memory();
    let (users, applications, sessions) = people();
    put_all(&place, &users, &applications, &sessions).await;
    let file = place.exported().await;
    assert!(!file.contains("messages"), "{file}");
    let (report, _) = on_disk().import(&file, Way::WriteFirst).await;
    assert_eq!(report.conflicts, 0);
}

#[tokio::test]
async fn other_roles_and_rules_are_left_as_they_are_and_no_session_is_opened_under_them() {
    let file = filled(in_memory()).await.exported().await;
    let target = on_disk();
    let other = AccessState {
        rows: Arc::default(),
        ..full()
    };
    put_access(&target, &other).await;
    for way in [Way::LookOnly, Way::WriteFirst, Way::LookFirst] {
        let (report, verified) = target.import(&file, way).await;
        assert_eq!((report.conflicts, report.not_opened), (1, 11), "{report:?}");
        assert_eq!(report.examples, ["roles and rules: others are there"]);
        assert!(!verified.is_complete(&checked(&file).unwrap()));
    }
    let found = target.stores.access.read_access(None).await.unwrap();
    assert_eq!(found, Some(other));
}

#[tokio::test]
async fn a_file_from_before_there_were_roles_leaves_those_that_are_there() {
    let first = in_memory();
    let ann = sample::with_email("ann", "ann@example.com");
    put_all(&first, &[ann], &[], &[]).await;
    let file = first.exported().await;
    assert!(!file.contains("access"), "{file}");
    let target = on_disk();
    put_access(&target, &full()).await;
    let (report, verified) = target.import(&file, Way::WriteFirst).await;
    assert_eq!((report.new, report.conflicts), (1, 0));
    assert!(verified.is_complete(&checked(&file).unwrap()));
}

#[tokio::test]
async fn a_role_that_was_given_and_is_not_in_the_file_is_told() {
    let place = in_memory();
    let given = |role: &str| RoleMapping {
        id: RoleMappingId::new(format!("to {role}")),
        role: RoleId::new(role),
        created: sample::at(1),
    };
    let ann = domain::user::User {
        mappings: Arc::new(vec![given("1"), given("gone")]),
        ..sample::with_email("ann", "ann@example.com")
    };
    let shop = Application {
        mappings: vec![given("2"), given("gone")],
        ..sample::application("shop")
    };
    put_all(&place, &[ann], &[shop], &[]).await;
    put_access(&place, &full()).await;
    let told = checked(&place.exported().await).unwrap().unknown_roles;
    assert_eq!(told.into_iter().collect::<Vec<_>>(), [(RoleId::new("gone"), 2)]);
}
