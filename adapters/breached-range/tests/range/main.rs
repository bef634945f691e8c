//! What leaves the machine, and what becomes of answers that are none.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod server;

use std::time::{Duration, Instant};

use breached_range::BreachedRange;
use domain::credential::Password;
use domain::ports::{BreachedPasswords as _, PortError};
use outbound_http::OutboundConfig;
use server::RangeServer;

async fn ask(list: &BreachedRange, password: &str) -> Result<bool, PortError> {
    list.is_breached(&Password::typed(password)).await
}

#[tokio::test]
async fn five_characters_of_a_hash_leave_the_machine_and_nothing_else() {
    let server = RangeServer::start().await;
    assert!(ask(&server.list(), "hunter2hunter2").await.unwrap());
    let log = server.log().await;
    assert_eq!(log.len(), 1);
    let path = log[0]["path"].as_str().unwrap();
    let prefix = path.strip_prefix("/range/").unwrap();
    assert!(
        prefix.len() == 5 && prefix.chars().all(|c| c.is_ascii_hexdigit()),
        "{path}"
    );
    assert_eq!(log[0]["query"], "");
    assert_eq!(log[0]["headers"]["Add-Padding"], "true");
    assert!(!log[0].to_string().contains("hunter2"));
}

#[tokio::test]
async fn an_answer_that_is_no_range_is_an_outage() {
    let server = RangeServer::start().await;
    let list = server.list();
    for fault in ["refused", "html", "empty", "hangup", "redirect"] {
        server.misbehave(fault).await;
        let answer = ask(&list, "hunter2hunter2").await;
        assert!(
            matches!(answer, Err(PortError::Unavailable { .. })),
            "{fault}: {answer:?}"
        );
    }
    server.misbehave("").await;
    assert!(ask(&list, "hunter2hunter2").await.unwrap());
}

#[tokio::test]
async fn nobody_waits_longer_than_two_seconds() {
    let server = RangeServer::start().await;
    server.misbehave("slow").await;
    let begun = Instant::now();
    assert!(ask(&server.list(), "hunter2hunter2").await.is_err());
    let waited = begun.elapsed();
    assert!(
        waited > Duration::from_millis(1_500) && waited < Duration::from_secs(10),
        "{waited:?}"
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_an_outage_that_may_pass() {
    let list = BreachedRange::open("http://127.0.0.1:1/range", OutboundConfig::default()).unwrap();
    assert!(ask(&list, "hunter2hunter2").await.unwrap_err().may_pass());
}

#[test]
fn hashes_are_asked_for_in_clear_on_this_machine_alone() {
    let open = |url: &str| BreachedRange::open(url, OutboundConfig::default());
    assert!(open("https://ranges.example/range").is_ok());
    assert!(open("http://localhost:8080/range").is_ok());
    for bad in [
        "http://ranges.example/range",
        "ranges.example",
        "https://me:pass@ranges.example/",
        "",
    ] {
        assert!(open(bad).is_err(), "{bad}");
    }
}
