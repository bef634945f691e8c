//! Passwords, users with few rights, and TLS.

use std::path::PathBuf;

use conformance::sample::{at, flow, key, session};
use domain::flow_record::FlowKind;
use domain::limits::{LimitKey, Quota, Verdict};
use domain::ports::{FlowStore, PortError, RateLimiter, SessionStore};
use domain::time::Lifetime;
use servers::{Certificate, Redis};
use sessions_redis::{OpenError, RedisSessions};

use crate::common::{config, durable, open, prefix, until};
use crate::take;

/// The rights that README.md says are enough, for the prefix of a test.
fn rights(prefix: &str) -> String {
    let readme = include_str!("../../README.md");
    let line = readme
        .lines()
        .find(|line| line.starts_with("user portcullis "))
        .unwrap();
    line.replace("~portcullis:*", &format!("~{prefix}*"))
}

/// Everything that is ever asked of Redis.
async fn use_all(node: &RedisSessions) {
    let ann = key("Users", "ann");
    let (one, two) = (session(&ann, "one"), session(&ann, "two"));
    node.open(&one).await.unwrap();
    node.open(&two).await.unwrap();
    assert_eq!(
        SessionStore::find(node, &one.token).await.unwrap().as_ref(),
        Some(&one)
    );
    assert_eq!(
        SessionStore::list(node, None, None, 9)
            .await
            .unwrap()
            .sessions
            .len(),
        2
    );
    assert!(node.end(&one.token).await.unwrap());
    assert_eq!(SessionStore::end_all(node, &ann, None).await.unwrap(), 1);
    let begun = flow(&ann, FlowKind::ResetPassword, "f");
    node.put(&begun).await.unwrap();
    assert!(node.replace(&begun).await.unwrap());
    assert_eq!(
        FlowStore::list(node, &ann, FlowKind::ResetPassword)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(take(node, &begun.id).await.unwrap(), Some(begun));
    let asked = [(
        LimitKey::new("a", &["b"]),
        Quota::Rate {
            burst: 1,
            per: Lifetime::from_secs(9),
        },
    )];
    assert_eq!(
        RateLimiter::take(node, &asked, at(0)).await.unwrap(),
        Verdict::Allowed
    );
    node.give_back(&asked, at(0)).await.unwrap();
    node.ready().await.unwrap();
    until("the cache", async || node.is_caching()).await;
}

#[test]
fn a_user_with_the_rights_that_the_readme_names_can_do_everything() {
    conformance::run(async {
        let prefix = prefix();
        let server = Redis::setup().users(&rights(&prefix)).start();
        let url = format!("redis://portcullis:a-long-secret@127.0.0.1:{}", server.port());
        let node = open(config(&url, &prefix), &durable()).await;
        use_all(&node).await;
        let refused = server.ask(&["ACL", "LOG"]);
        assert_eq!(refused, "", "nothing was refused");
        assert!(server.ask(&["DBSIZE"]).trim().parse::<u32>().unwrap() > 0);
    });
}

#[test]
fn a_wrong_password_is_an_outage_that_never_names_it() {
    conformance::run(async {
        let server = Redis::setup().password("right").start();
        let node = open(
            config(
                &format!("redis://:hunter2@127.0.0.1:{}", server.port()),
                &prefix(),
            ),
            &durable(),
        )
        .await;
        let error = node.ready().await.unwrap_err();
        assert!(matches!(error, PortError::Unavailable { .. }));
        let said = format!("{error} {error:?}");
        assert!(
            said.contains("WRONGPASS") || said.contains("assword authentication"),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
        let node = open(config(&server.url(), &prefix()), &durable()).await;
        use_all(&node).await;
    });
}

#[test]
fn a_server_that_knows_no_hello_brings_no_password_into_what_is_said() {
    conformance::run(async {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("more.conf");
        std::fs::write(&settings, "rename-command HELLO \"\"\n").unwrap();
        let server = Redis::setup()
            .password("hunter2")
            .option("include", settings.to_str().unwrap())
            .start();
        let node = open(config(&server.url(), &prefix()), &durable()).await;
        let error = node.ready().await.unwrap_err();
        assert!(matches!(error, PortError::Unavailable { .. }));
        let said = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
        assert!(said.contains("HELLO"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    });
}

#[test]
fn a_certificate_of_nobody_we_trust_is_refused() {
    conformance::run(async {
        let (certificate, other) = (Certificate::new(), Certificate::new());
        let server = Redis::setup().tls(&certificate).start();
        let mut trusting = config(&server.url(), &prefix());
        trusting.ca_file = Some(other.authority());
        let node = open(trusting, &durable()).await;
        assert!(matches!(node.ready().await, Err(PortError::Unavailable { .. })));
        let mut trusting = config(&server.url(), &prefix());
        trusting.ca_file = Some(certificate.authority());
        let node = open(trusting, &durable()).await;
        use_all(&node).await;
    });
}

#[test]
fn settings_that_can_never_work_are_refused_at_once() {
    conformance::run(async {
        let mut missing = config("rediss://127.0.0.1:1", &prefix());
        missing.ca_file = Some(PathBuf::from("/nowhere/ca.pem"));
        let error = RedisSessions::open(missing, durable()).await.err().unwrap();
        assert!(matches!(&error, OpenError::CaFile { .. }) && error.to_string().contains("/nowhere/ca.pem"));
        let mut plain = config("redis://127.0.0.1:1", &prefix());
        plain.ca_file = Some(PathBuf::from("/nowhere/ca.pem"));
        assert!(matches!(
            RedisSessions::open(plain, durable()).await.err(),
            Some(OpenError::Url(_))
        ));
        let braces = config("redis://127.0.0.1:1", "a{b}");
        assert!(matches!(
            RedisSessions::open(braces, durable()).await.err(),
            Some(OpenError::Prefix)
        ));
    });
}
