use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use domain::ports::{Negotiator as _, ProviderError, ProviderFault};
use domain::time::Lifetime;
use identity_kerberos::{Addresses, Worker};

use crate::support::{Kdc, SERVICE, fault, now, rewrapped};

#[tokio::test]
async fn a_ticket_says_who_it_is_and_the_browser_knows_us_too() {
    let kdc = Kdc::start();
    let realm = kdc.realm();
    realm.ready().await.unwrap();
    kdc.log_in("alice", "alice-krb", &[]);
    for browser in [
        kdc.browser("alice", SERVICE),
        kdc.program("alice", SERVICE),
        kdc.trusting("alice", SERVICE),
    ] {
        let taken = realm.accept(&browser.token, now()).await.unwrap();
        assert_eq!(taken.arrival.issuer, "kerberos:TEST.LOCALHOST");
        assert_eq!(taken.arrival.subject, "alice@TEST.LOCALHOST");
        assert_eq!(taken.arrival.profile.username.as_deref(), Some("alice"));
        assert!(browser.takes_us(&taken.reply.unwrap()));
    }
}

#[tokio::test]
async fn the_answer_to_one_browser_satisfies_no_other() {
    let kdc = Kdc::start();
    let realm = kdc.realm();
    kdc.log_in("alice", "alice-krb", &[]);
    let (one, two) = (kdc.browser("alice", SERVICE), kdc.browser("alice", SERVICE));
    let taken = realm.accept(&one.token, now()).await.unwrap();
    assert!(!two.takes_us(&taken.reply.unwrap()));
}

#[tokio::test]
async fn a_showing_of_a_ticket_is_the_same_however_it_is_wrapped() {
    let kdc = Kdc::start();
    let realm = kdc.realm();
    let token = kdc.token();
    let once = async |token: &[u8]| realm.accept(token, now()).await.unwrap().arrival.once.unwrap();
    let first = once(&token).await;
    assert_eq!(once(&token).await.id, first.id);
    assert_eq!(first.id.len(), 64);
    let apart = first.until.since(now());
    assert!(
        apart > Lifetime::from_secs(600) && apart < Lifetime::from_secs(700),
        "{apart:?}"
    );

    for token in rewrapped(&token) {
        assert_eq!(once(&token).await.id, first.id);
    }
    assert_ne!(once(&kdc.browser("alice", SERVICE).shown()).await.id, first.id);
}

/// Each octet in turn: what the token says of itself may change, who it is may not.
#[tokio::test]
async fn a_changed_token_is_refused_or_the_same() {
    let kdc = Kdc::start();
    let realm = kdc.realm();
    let token = kdc.token();
    let first = realm.accept(&token, now()).await.unwrap().arrival;
    for place in (0..token.len()).step_by(3).chain(token.len() - 40..token.len()) {
        let mut changed = token.clone();
        changed[place] ^= 0x01;
        match realm.accept(&changed, now()).await {
            Ok(same) => {
                assert_eq!(same.arrival.subject, first.subject, "octet {place}");
                assert_eq!(
                    same.arrival.once.unwrap().id,
                    first.once.as_ref().unwrap().id,
                    "octet {place}"
                );
            }
            Err(ProviderError::Refused { fault, .. }) => assert!(
                [
                    ProviderFault::TicketMalformed,
                    ProviderFault::TicketRefused,
                    ProviderFault::NtlmRefused
                ]
                .contains(&fault),
                "octet {place}: {fault:?}"
            ),
            Err(ProviderError::Unavailable(why)) => panic!("octet {place}: {why}"),
        }
    }
}

#[tokio::test]
async fn a_ticket_for_another_service_is_refused() {
    let kdc = Kdc::start();
    kdc.log_in("alice", "alice-krb", &[]);
    let realm = kdc.realm();
    // The first two are in our keytab, the last is not.
    for service in ["HTTP/idp.test", "host/localhost", "HTTP/other.test"] {
        let token = kdc.browser("alice", &format!("{service}@TEST.LOCALHOST")).shown();
        assert_eq!(
            fault(realm.accept(&token, now()).await),
            ProviderFault::TicketRefused,
            "{service}"
        );
    }
    let both = kdc.realm_with(|config| config.services.push("HTTP@idp.test".to_owned()));
    let token = kdc.browser("alice", "HTTP/idp.test@TEST.LOCALHOST").shown();
    assert!(both.accept(&token, now()).await.is_ok());
}

#[tokio::test]
async fn a_ticket_by_another_kdc_of_the_same_name_is_refused() {
    let (ours, theirs) = (Kdc::start(), Kdc::start());
    let realm = ours.realm();
    assert_eq!(
        fault(realm.accept(&theirs.token(), now()).await),
        ProviderFault::TicketRefused
    );
}

#[tokio::test]
async fn a_ticket_that_is_shown_too_late_is_refused() {
    let kdc = Kdc::start();
    let strict = kdc.settings("clockskew = 1");
    let strict = kdc.realm_with(|config| config.krb5_conf = Some(strict));
    let token = kdc.token();
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    assert_eq!(
        fault(strict.accept(&token, now()).await),
        ProviderFault::TicketRefused
    );
    assert!(kdc.realm().accept(&token, now()).await.is_ok());
}

#[tokio::test]
async fn what_the_core_calls_now_counts() {
    let kdc = Kdc::start();
    let realm = kdc.realm();
    let tomorrow = now().plus(Lifetime::from_secs(2 * 86_400));
    assert_eq!(
        fault(realm.accept(&kdc.token(), tomorrow).await),
        ProviderFault::TicketRefused
    );
}

#[tokio::test]
async fn a_browser_whose_clock_is_ten_minutes_ahead_is_refused() {
    let kdc = Kdc::start();
    let realm = kdc.realm();
    // With this one in the cache the KDC, which minds clocks too, is not asked any more.
    assert!(realm.accept(&kdc.token(), now()).await.is_ok());
    // The library keeps with the tickets how far the KDC's clock was from its own: seconds and microseconds in the file's head.
    let mut cache = OpenOptions::new().write(true).open(kdc.cache("alice")).unwrap();
    cache.seek(SeekFrom::Start(8)).unwrap();
    cache.write_all(&600_i32.to_be_bytes()).unwrap();
    let token = kdc.browser("alice", SERVICE).shown();
    assert_eq!(
        fault(realm.accept(&token, now()).await),
        ProviderFault::TicketRefused
    );
}

#[tokio::test]
async fn the_same_name_in_another_realm_is_somebody_else() {
    let kdc = Kdc::start();
    kdc.log_in("alice@OTHER.LOCALHOST", "alice-other", &[]);
    let token = kdc.browser("alice@OTHER.LOCALHOST", SERVICE).shown();
    assert_eq!(
        fault(kdc.realm().accept(&token, now()).await),
        ProviderFault::RealmRefused
    );
    let trusting = kdc.realm_with(|config| {
        config.realms = vec!["OTHER.LOCALHOST".to_owned()];
        config.addresses = Some(Addresses {
            domain: "example.com".to_owned(),
            trusted: true,
        });
    });
    let arrival = trusting.accept(&token, now()).await.unwrap().arrival;
    assert_eq!(arrival.issuer, "kerberos:OTHER.LOCALHOST");
    assert_eq!(arrival.subject, "alice@OTHER.LOCALHOST");
    assert_eq!(arrival.profile.username.as_deref(), Some("alice@OTHER.LOCALHOST"));
    assert_eq!(arrival.profile.emails, []);
}

#[tokio::test]
async fn instances_are_refused_unless_they_are_named() {
    let kdc = Kdc::start();
    kdc.log_in("root/admin", "admin-krb", &[]);
    let token = kdc.browser("root/admin", SERVICE).shown();
    assert_eq!(
        fault(kdc.realm().accept(&token, now()).await),
        ProviderFault::TicketRefused
    );
    let allowing = kdc.realm_with(|config| config.instances = vec!["admin".to_owned()]);
    let arrival = allowing.accept(&token, now()).await.unwrap().arrival;
    assert_eq!(arrival.subject, "root/admin@TEST.LOCALHOST");
}

#[tokio::test]
async fn tickets_are_judged_at_once() {
    let kdc = Kdc::start();
    let realm = std::sync::Arc::new(kdc.realm_with(|config| config.max_concurrent = 3));
    let token = kdc.token();
    let asked = (0..40).map(|_| {
        let (realm, token) = (std::sync::Arc::clone(&realm), token.clone());
        tokio::spawn(async move { realm.accept(&token, now()).await.unwrap().arrival.subject })
    });
    for subject in asked.collect::<Vec<_>>() {
        assert_eq!(subject.await.unwrap(), "alice@TEST.LOCALHOST");
    }
}

#[tokio::test]
async fn without_a_key_or_a_worker_it_is_unavailable() {
    let kdc = Kdc::start();
    let token = kdc.token();
    let elsewhere = |config: &mut identity_kerberos::KerberosConfig| {
        config.keytab = kdc.file("krb5.conf");
    };
    let no_worker = |program: &'static str| {
        kdc.realm_with(move |config| {
            config.timeout = Lifetime::from_millis(500);
            config.worker = Worker {
                program: program.into(),
                arguments: vec!["60".to_owned()],
            };
        })
    };
    let begun = Instant::now();
    for realm in [
        kdc.realm_with(elsewhere),
        no_worker("/nonexistent"),
        no_worker("/bin/true"),
        no_worker("/bin/echo"),
        no_worker("/bin/sleep"),
    ] {
        for refused in [realm.ready().await.err(), realm.accept(&token, now()).await.err()] {
            assert!(
                matches!(refused, Some(ProviderError::Unavailable(_))),
                "{refused:?}"
            );
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
    let other = kdc.realm_with(|config| config.keytab = kdc.file("other.keytab"));
    assert!(other.ready().await.is_err(), "its keys are for another service");
}

#[tokio::test]
async fn what_keeps_tickets_from_being_taken_is_said_before_anybody_shows_one() {
    let kdc = Kdc::start();
    let (empty, broken) = (kdc.file("empty"), kdc.file("broken.conf"));
    std::fs::write(&empty, "").unwrap();
    std::fs::write(&broken, "[libdefaults").unwrap();
    let keytab = |path: PathBuf| kdc.realm_with(|config| config.keytab = path);
    let cases = [
        (
            keytab(kdc.file("other.keytab")),
            "HTTP/localhost@TEST.LOCALHOST: ",
        ),
        (keytab(kdc.file("other.keytab")), "no key for our service"),
        (
            kdc.realm_with(|config| config.services.push("HTTP/missing.test".to_owned())),
            "HTTP/missing.test@TEST.LOCALHOST",
        ),
        (keytab(empty), "no file of keys"),
        (keytab(kdc.file("")), "server's user can read"),
        (
            kdc.realm_with(|config| config.krb5_conf = Some(broken)),
            "krb5Conf",
        ),
    ];
    for (realm, words) in cases {
        let said = realm.ready().await.unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
}
