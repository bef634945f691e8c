//! The cases of [`AuditLog`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::audit::{Actor, AuditEvent, AuditKind, AuditQuery, NetworkHash};
use domain::id::ApplicationId;
use domain::origin::RequestId;
use domain::ports::AuditLog;

use crate::sample::{at, event, key, network, pool};
use crate::{Fixture, race};

/// Runs every case of [`domain::ports::AuditLog`] against a fixture.
#[macro_export]
macro_rules! audit_log {
    ($fixture:ident) => {
        $crate::cases!(
            audit_log,
            $fixture,
            [
                events_come_back_field_by_field_newest_first,
                every_kind_comes_back,
                every_actor_comes_back,
                a_detail_comes_back_as_it_was,
                a_page_holds_no_more_than_it_is_asked_for,
                pages_give_every_event_once_newest_first,
                pages_give_what_was_there_once_while_more_is_appended,
                find_gives_the_events_of_one_pool,
                find_gives_the_events_of_one_user,
                find_gives_the_events_of_some_kinds,
                find_gives_the_events_from_one_network,
                find_gives_the_events_of_one_request,
                find_gives_the_events_of_a_span_of_time,
                find_gives_what_fits_everything_that_is_asked,
                what_fits_is_found_behind_much_that_does_not,
                the_order_of_one_caller_is_kept,
                purge_drops_what_is_older_and_nothing_else,
            ]
        );
    };
}

type Log = Fixture<dyn AuditLog>;

async fn append(log: &Log, event: &AuditEvent) {
    log.port.append(event).await.unwrap();
}

/// Reads every page of what fits.
async fn found_by(log: &Log, query: &AuditQuery, limit: usize) -> Vec<AuditEvent> {
    let mut events = Vec::new();
    let mut after = None;
    for _page in 0..100_000 {
        let page = log.port.find(query, after.as_ref(), limit).await.unwrap();
        assert!(page.events.len() <= limit, "a page of {}", page.events.len());
        events.extend(page.events);
        if page.next.is_none() {
            return events;
        }
        after = page.next;
    }
    panic!("a listing without an end");
}

/// All events, newest first.
async fn all(log: &Log) -> Vec<AuditEvent> {
    found_by(log, &AuditQuery::default(), 999).await
}

pub async fn events_come_back_field_by_field_newest_first(log: &Log) {
    assert_eq!(all(log).await, []);
    let first = event(AuditKind::LoggedIn, "Zoë");
    let nobody = AuditEvent {
        user: None,
        ..event(AuditKind::LoginFailed, "")
    };
    let by_itself = AuditEvent {
        actor: Actor::Server,
        network: None,
        request: None,
        detail: None,
        at: at(-5),
        ..event(AuditKind::SessionsEnded, "ann")
    };
    let odd = AuditEvent {
        network: Some(NetworkHash::restore("")),
        request: Some(RequestId::new("Zoë's \"request\" \\ 李雷\u{1f600}")),
        ..first.clone()
    };
    for event in [&first, &nobody, &by_itself, &odd] {
        append(log, event).await;
    }
    assert_eq!(
        all(log).await,
        [odd, by_itself, nobody, first],
        "the order of arrival, not of the clock"
    );
}

pub async fn every_kind_comes_back(log: &Log) {
    for kind in AuditKind::ALL {
        append(log, &event(*kind, "ann")).await;
    }
    let mut kinds: Vec<AuditKind> = all(log).await.iter().map(|event| event.kind).collect();
    kinds.reverse();
    assert_eq!(kinds, AuditKind::ALL);
}

pub async fn every_actor_comes_back(log: &Log) {
    let actors = [
        Actor::Client,
        Actor::Application(ApplicationId::new("00112233445566778899aabbccddeeff")),
        Actor::Application(ApplicationId::new("Zoë's \"shop\" \\")),
        Actor::Operator,
        Actor::Server,
    ];
    for actor in &actors {
        let done = AuditEvent {
            actor: actor.clone(),
            ..event(AuditKind::ProfileChanged, "ann")
        };
        append(log, &done).await;
    }
    let mut found: Vec<Actor> = all(log).await.into_iter().map(|event| event.actor).collect();
    found.reverse();
    assert_eq!(found, actors);
}

pub async fn a_detail_comes_back_as_it_was(log: &Log) {
    let details = [
        None,
        Some(""),
        Some("google-login"),
        Some("Zoë's \"entry\" \\ 李雷\u{1f600}"),
    ];
    let told = details.map(|detail| AuditEvent {
        detail: detail.map(str::to_owned),
        ..event(AuditKind::ProviderRefused, "ann")
    });
    for event in &told {
        append(log, event).await;
    }
    let mut found = all(log).await;
    found.reverse();
    assert_eq!(found, told);
}

pub async fn a_page_holds_no_more_than_it_is_asked_for(log: &Log) {
    for number in 0..5 {
        append(log, &event(AuditKind::LoggedIn, &number.to_string())).await;
    }
    let everything = AuditQuery::default();
    let two = log.port.find(&everything, None, 2).await.unwrap();
    assert_eq!(
        two.events,
        [event(AuditKind::LoggedIn, "4"), event(AuditKind::LoggedIn, "3")]
    );
    assert!(two.next.is_some(), "there is more");
    let whole = log.port.find(&everything, None, usize::MAX).await.unwrap();
    assert_eq!(whole.events.len(), 5);
}

pub async fn pages_give_every_event_once_newest_first(log: &Log) {
    let mut expected: Vec<AuditEvent> = (0..101)
        .map(|number| AuditEvent {
            // The clock is no help: many are of one moment, and some of an earlier one.
            at: at(number % 3),
            ..event(AuditKind::LoggedIn, &number.to_string())
        })
        .collect();
    for event in &expected {
        append(log, event).await;
    }
    expected.reverse();
    for limit in [1, 7, 100, 101, 102] {
        let found = found_by(log, &AuditQuery::default(), limit).await;
        assert_eq!(found, expected, "{limit} at a time");
    }
    let later = AuditQuery {
        since: Some(at(1)),
        ..AuditQuery::default()
    };
    expected.retain(|event| event.at >= at(1));
    for limit in [1, 7, 99] {
        assert_eq!(found_by(log, &later, limit).await, expected, "{limit} at a time");
    }
}

pub async fn pages_give_what_was_there_once_while_more_is_appended(log: &Log) {
    let mut expected: Vec<AuditEvent> = (0..60)
        .map(|number| event(AuditKind::LoggedIn, &number.to_string()))
        .collect();
    for event in &expected {
        append(log, event).await;
    }
    expected.reverse();
    let stop = Arc::new(AtomicBool::new(false));
    let appenders: Vec<_> = (0..3)
        .map(|_| {
            let (port, stopped) = (Arc::clone(&log.port), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stopped.load(Ordering::SeqCst) {
                    port.append(&event(AuditKind::LoginFailed, "new")).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for limit in [3, 17] {
        let mut found = found_by(log, &AuditQuery::default(), limit).await;
        found.retain(|event| event.kind == AuditKind::LoggedIn);
        assert_eq!(found, expected, "{limit} at a time");
    }
    stop.store(true, Ordering::SeqCst);
    for appender in appenders {
        appender.await.unwrap();
    }
}

/// Appends a medley of events, and compares what is found with what fits.
async fn assert_finds(log: &Log, query: AuditQuery, count: usize) {
    let kinds = [
        AuditKind::LoggedIn,
        AuditKind::LoginFailed,
        AuditKind::UserDeleted,
    ];
    let users = [
        None,
        Some(key("Users", "ann")),
        Some(key("Users", "Ann")),
        Some(key("Employees", "ann")),
    ];
    let mut expected = Vec::new();
    for number in 0..24_usize {
        let told = AuditEvent {
            at: at(i64::try_from(number / 2).unwrap()),
            kind: kinds[number % 3],
            user: users[number % 4].clone(),
            network: (number % 5 > 0).then(|| network(u8::from(number % 5 > 2))),
            request: (number % 7 > 0).then(|| RequestId::new(format!("request-{}", number % 7))),
            ..event(AuditKind::LoggedIn, "")
        };
        append(log, &told).await;
        expected.push(told);
    }
    expected.retain(|event| query.fits(event));
    expected.reverse();
    assert_eq!(expected.len(), count, "the sample has some that fit");
    for limit in [1, 4, 99] {
        assert_eq!(found_by(log, &query, limit).await, expected, "{limit} at a time");
    }
}

pub async fn find_gives_the_events_of_one_pool(log: &Log) {
    let query = AuditQuery {
        pool: Some(pool("Users")),
        ..AuditQuery::default()
    };
    assert_finds(log, query, 12).await;
}

pub async fn find_gives_the_events_of_one_user(log: &Log) {
    let query = AuditQuery {
        user: Some(key("Users", "ann")),
        ..AuditQuery::default()
    };
    assert_finds(log, query, 6).await;
}

pub async fn find_gives_the_events_of_some_kinds(log: &Log) {
    let query = AuditQuery {
        kinds: vec![AuditKind::UserDeleted, AuditKind::LoggedIn, AuditKind::CodeSent],
        ..AuditQuery::default()
    };
    assert_finds(log, query, 16).await;
}

pub async fn find_gives_the_events_from_one_network(log: &Log) {
    let query = AuditQuery {
        network: Some(network(1)),
        ..AuditQuery::default()
    };
    assert_finds(log, query, 9).await;
}

pub async fn find_gives_the_events_of_one_request(log: &Log) {
    let query = AuditQuery {
        request: Some(RequestId::new("request-2")),
        ..AuditQuery::default()
    };
    assert_finds(log, query, 4).await;
}

pub async fn find_gives_the_events_of_a_span_of_time(log: &Log) {
    let query = AuditQuery {
        since: Some(at(3)),
        until: Some(at(7)),
        ..AuditQuery::default()
    };
    assert_finds(log, query, 8).await;
}

pub async fn find_gives_what_fits_everything_that_is_asked(log: &Log) {
    let query = AuditQuery {
        pool: Some(pool("Users")),
        user: Some(key("Users", "ann")),
        kinds: vec![AuditKind::LoginFailed, AuditKind::UserDeleted],
        network: Some(network(1)),
        request: None,
        since: Some(at(1)),
        until: Some(at(99)),
    };
    assert_finds(log, query, 1).await;
    let never = AuditQuery {
        pool: Some(pool("Employees")),
        user: Some(key("Users", "ann")),
        ..AuditQuery::default()
    };
    assert_eq!(found_by(log, &never, 9).await, []);
}

pub async fn what_fits_is_found_behind_much_that_does_not(log: &Log) {
    let (old, new) = (
        event(AuditKind::LoggedIn, "old"),
        event(AuditKind::LoggedIn, "new"),
    );
    append(log, &old).await;
    for number in 0..300 {
        append(log, &event(AuditKind::LoginFailed, &number.to_string())).await;
    }
    append(log, &new).await;
    let query = AuditQuery {
        kinds: vec![AuditKind::LoggedIn],
        ..AuditQuery::default()
    };
    for limit in [1, 2, 9] {
        let found = found_by(log, &query, limit).await;
        assert_eq!(found, [new.clone(), old.clone()], "{limit} at a time");
    }
}

pub async fn the_order_of_one_caller_is_kept(log: &Log) {
    race(4, |caller| {
        let port = Arc::clone(&log.port);
        async move {
            for number in 0..50 {
                let line = event(AuditKind::LoggedIn, &format!("{caller}-{number}"));
                port.append(&line).await.unwrap();
            }
        }
    })
    .await;
    let users = all(log).await.into_iter().filter_map(|event| event.user);
    let mut ids: Vec<String> = users.map(|user| user.id.as_str().to_owned()).collect();
    ids.reverse();
    assert_eq!(ids.len(), 200, "each once");
    for caller in 0..4 {
        let prefix = format!("{caller}-");
        let mine: Vec<&String> = ids.iter().filter(|id| id.starts_with(&prefix)).collect();
        let expected: Vec<String> = (0..50).map(|number| format!("{prefix}{number}")).collect();
        assert!(mine.into_iter().eq(&expected), "caller {caller}");
    }
}

pub async fn purge_drops_what_is_older_and_nothing_else(log: &Log) {
    for moment in [-9, 0, 9] {
        append(
            log,
            &AuditEvent {
                at: at(moment),
                ..event(AuditKind::LoggedIn, "ann")
            },
        )
        .await;
    }
    assert_eq!(log.port.purge(at(0)).await.unwrap(), 1);
    let left: Vec<_> = all(log).await.iter().map(|event| event.at).collect();
    assert_eq!(left, [at(9), at(0)]);
    assert_eq!(log.port.purge(at(0)).await.unwrap(), 0);
}
