use std::net::TcpListener;
use std::time::{Duration, Instant};

use domain::ports::{Negotiator as _, PasswordDirectory as _, ProviderError, ProviderFault};
use domain::time::Lifetime;

use crate::support::{Kdc, attempt, fault};

#[tokio::test]
async fn the_right_password_is_the_person() {
    let kdc = Kdc::start();
    let realm = kdc.realm();
    for name in ["alice", "alice@TEST.LOCALHOST", "alice@test.localhost"] {
        let arrival = realm.check(&attempt(name, "alice-krb")).await.unwrap();
        assert_eq!(arrival.issuer, "kerberos:TEST.LOCALHOST");
        assert_eq!(arrival.subject, "alice@TEST.LOCALHOST");
        assert_eq!(arrival.once, None);
    }
    let bob = realm.check(&attempt("bob", "bob-krb")).await.unwrap();
    assert_eq!(bob.subject, "bob@TEST.LOCALHOST");
}

#[tokio::test]
async fn what_is_wrong_is_told_to_nobody_apart() {
    let kdc = Kdc::start();
    let realm = kdc.realm();
    for (name, password) in [
        ("alice", "wrong"),
        ("alice", "bob-krb"),
        ("alice", "alice-krb "),
        ("alice", ""),
        ("alice", "alice-krb\0"),
        ("nobody", "alice-krb"),
        ("Alice", "alice-krb"),
        ("", "alice-krb"),
        ("alice@OTHER.LOCALHOST", "alice-other"),
        ("root/admin", "admin-krb"),
        (r"alice\@TEST.LOCALHOST", "alice-krb"),
        ("*", "alice-krb"),
        ("al*", "alice-krb"),
        ("HTTP/localhost", "alice-krb"),
    ] {
        let refused = realm.check(&attempt(name, password)).await;
        assert_eq!(
            fault(refused),
            ProviderFault::DirectoryPassword,
            "{name:?} {password:?}"
        );
    }
}

/// The KDC speaks of these before it looks at the password.
#[tokio::test]
async fn what_is_wrong_with_an_account_is_for_the_operator_alone() {
    let kdc = Kdc::start();
    let realm = kdc.realm();
    for (name, password) in [
        ("expired", "exp-krb"),
        ("mustchange", "needs-change"),
        ("barred", "barred-krb"),
    ] {
        for password in [password, "wrong"] {
            let fault = fault(realm.check(&attempt(name, password)).await);
            assert_eq!(fault, ProviderFault::DirectoryLocked, "{name}");
            assert!(!fault.may_be_told());
        }
    }
}

/// It has the realm's name and knows a password, perhaps because it made it up.
#[tokio::test]
async fn a_false_kdc_gains_nothing() {
    let (real, mut false_kdc) = (Kdc::start(), Kdc::start());
    let fooled = real.realm_with(|config| config.krb5_conf = Some(false_kdc.file("krb5.conf")));
    assert_eq!(
        fault(fooled.check(&attempt("alice", "alice-krb")).await),
        ProviderFault::KdcUnproven
    );
    // Nor one that does not know us at all.
    let stranger = real.realm_with(|config| {
        config.krb5_conf = Some(false_kdc.file("krb5.conf"));
        config.services = vec!["HTTP/nowhere.test".to_owned()];
    });
    assert_eq!(
        fault(stranger.check(&attempt("alice", "alice-krb")).await),
        ProviderFault::KdcUnproven
    );
    assert!(real.realm().check(&attempt("alice", "alice-krb")).await.is_ok());
    false_kdc.stop();
}

#[tokio::test]
async fn a_kdc_that_is_not_there_is_unavailable_and_asked_again() {
    let mut kdc = Kdc::start();
    let realm = kdc.realm_with(|config| config.timeout = Lifetime::from_secs(5));
    assert!(realm.check(&attempt("alice", "alice-krb")).await.is_ok());
    kdc.stop();
    let refused = realm.check(&attempt("alice", "alice-krb")).await;
    assert!(
        matches!(refused, Err(ProviderError::Unavailable(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_kdc_that_says_nothing_is_waited_for_so_long_and_no_longer() {
    let kdc = Kdc::start();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = kdc.settings_for("silent.conf", &silent.local_addr().unwrap().to_string());
    let realm = kdc.realm_with(|config| {
        config.krb5_conf = Some(settings);
        config.timeout = Lifetime::from_millis(700);
        config.max_concurrent = 1;
    });
    let begun = Instant::now();
    for _ in 0..2 {
        let refused = realm.check(&attempt("alice", "alice-krb")).await;
        assert!(
            matches!(refused, Err(ProviderError::Unavailable(_))),
            "{refused:?}"
        );
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(realm.ready().await.is_ok(), "tickets do not wait for it");
}

#[tokio::test]
async fn passwords_are_judged_only_where_they_may_be() {
    let kdc = Kdc::start();
    let realm = kdc.realm_with(|config| config.allow_passwords = false);
    let refused = realm.check(&attempt("alice", "alice-krb")).await;
    assert_eq!(fault(refused), ProviderFault::DirectoryRefused);
}

#[tokio::test]
async fn nothing_is_left_behind() {
    let kdc = Kdc::start();
    let files = || {
        let named = |folder: &str| {
            let found = std::fs::read_dir(folder).unwrap();
            let names = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.filter(|name| name.starts_with("krb5")).collect::<Vec<_>>()
        };
        [named("/tmp"), named("/var/tmp")].concat()
    };
    let before = files();
    let realm = kdc.realm();
    assert!(realm.check(&attempt("alice", "alice-krb")).await.is_ok());
    let left: Vec<String> = files()
        .into_iter()
        .filter(|name| !before.contains(name))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn other_realms_and_instances_may_if_they_are_named() {
    let kdc = Kdc::start();
    let realm = kdc.realm_with(|config| {
        config.realms = vec!["OTHER.LOCALHOST".to_owned()];
        config.instances = vec!["admin".to_owned()];
    });
    let theirs = realm
        .check(&attempt("alice@OTHER.LOCALHOST", "alice-other"))
        .await
        .unwrap();
    assert_eq!(theirs.subject, "alice@OTHER.LOCALHOST");
    let root = realm.check(&attempt("root/admin", "admin-krb")).await.unwrap();
    assert_eq!(root.subject, "root/admin@TEST.LOCALHOST");
    let refused = realm.check(&attempt("alice", "alice-other")).await;
    assert_eq!(fault(refused), ProviderFault::DirectoryPassword);
}
