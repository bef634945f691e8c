//! The cases of [`AuditLog`].

use std::sync::Arc;

use domain::audit::{AuditEvent, AuditKind};
use domain::limits::ClientAddress;
use domain::ports::AuditLog;

use crate::sample::{at, key};
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
                a_detail_comes_back_as_it_was,
                latest_gives_no_more_than_it_is_asked_for,
                the_order_of_one_caller_is_kept,
                purge_drops_what_is_older_and_nothing_else,
            ]
        );
    };
}

type Log = Fixture<dyn AuditLog>;

fn event(kind: AuditKind, id: &str) -> AuditEvent {
    AuditEvent {
        at: at(0),
        kind,
        user: Some(key("Users", id)),
        address: Some(ClientAddress::of([192, 0, 2, 7].into())),
        detail: Some("google-login".to_owned()),
    }
}

async fn append(log: &Log, event: &AuditEvent) {
    log.port.append(event).await.unwrap();
}

pub async fn events_come_back_field_by_field_newest_first(log: &Log) {
    assert_eq!(log.port.latest(9).await.unwrap(), []);
    let first = event(AuditKind::LoggedIn, "Zoë");
    let nobody = AuditEvent {
        user: None,
        ..event(AuditKind::LoginFailed, "")
    };
    let by_itself = AuditEvent {
        address: None,
        detail: None,
        at: at(-5),
        ..event(AuditKind::SessionsEnded, "ann")
    };
    let v6 = AuditEvent {
        address: Some(ClientAddress::of([0x2001, 0xdb8, 1, 2, 3, 4, 5, 6].into())),
        ..first.clone()
    };
    for event in [&first, &nobody, &by_itself, &v6] {
        append(log, event).await;
    }
    assert_eq!(
        log.port.latest(9).await.unwrap(),
        [v6, by_itself, nobody, first],
        "the order of arrival, not of the clock"
    );
}

pub async fn every_kind_comes_back(log: &Log) {
    for kind in AuditKind::ALL {
        append(log, &event(*kind, "ann")).await;
    }
    let mut kinds: Vec<AuditKind> = log
        .port
        .latest(999)
        .await
        .unwrap()
        .iter()
        .map(|event| event.kind)
        .collect();
    kinds.reverse();
    assert_eq!(kinds, AuditKind::ALL);
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
    let mut latest = log.port.latest(9).await.unwrap();
    latest.reverse();
    assert_eq!(latest, told);
}

pub async fn latest_gives_no_more_than_it_is_asked_for(log: &Log) {
    for number in 0..5 {
        append(log, &event(AuditKind::LoggedIn, &number.to_string())).await;
    }
    assert_eq!(log.port.latest(0).await.unwrap(), []);
    let two = log.port.latest(2).await.unwrap();
    assert_eq!(
        two,
        [event(AuditKind::LoggedIn, "4"), event(AuditKind::LoggedIn, "3")]
    );
    assert_eq!(log.port.latest(usize::MAX).await.unwrap().len(), 5);
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
    let mut ids: Vec<String> = log
        .port
        .latest(999)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|event| event.user)
        .map(|user| user.id.as_str().to_owned())
        .collect();
    ids.reverse();
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
    let left: Vec<_> = log
        .port
        .latest(9)
        .await
        .unwrap()
        .iter()
        .map(|event| event.at)
        .collect();
    assert_eq!(left, [at(9), at(0)]);
    assert_eq!(log.port.purge(at(0)).await.unwrap(), 0);
}
