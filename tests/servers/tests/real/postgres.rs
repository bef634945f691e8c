use std::thread;

use servers::{Certificate, Postgres};

use crate::processes::none_are_left;

#[test]
fn it_starts_answers_and_is_gone() {
    let server = Postgres::start();
    let [one, other] = [server.create_database(), server.create_database()];
    assert_ne!(one, other);
    server.query(&one, "CREATE TABLE facts (fact text)");
    assert_eq!(server.query(&one, "SELECT count(*) FROM facts"), "0");
    drop(server);
    none_are_left();
}

#[test]
fn a_restart_keeps_port_and_data() {
    let mut server = Postgres::start();
    let (port, database) = (server.port(), server.create_database());
    server.query(&database, "CREATE TABLE facts AS SELECT 7 AS fact");
    server.restart();
    assert_eq!(server.port(), port);
    assert_eq!(server.query(&database, "SELECT fact FROM facts"), "7");
}

#[test]
fn what_was_committed_is_there_after_a_kill() {
    let mut server = Postgres::setup().durable().start();
    let database = server.create_database();
    server.query(&database, "CREATE TABLE facts AS SELECT 7 AS fact");
    server.kill();
    none_are_left();
    server.restart();
    assert_eq!(server.query(&database, "SELECT fact FROM facts"), "7");
}

#[test]
fn a_frozen_one_does_not_answer_and_goes_on_later() {
    let mut server = Postgres::start();
    server.freeze();
    thread::scope(|scope| {
        let asking = scope.spawn(|| server.query("postgres", "SELECT 7"));
        thread::sleep(std::time::Duration::from_millis(300));
        assert!(!asking.is_finished());
        // Not through the handle, which waits for its answer: as anybody could.
        for pid in crate::processes::below(std::process::id()) {
            std::process::Command::new("kill")
                .arg("-CONT")
                .arg(pid.to_string())
                .status()
                .unwrap();
        }
        assert_eq!(asking.join().unwrap(), "7");
    });
    server.freeze();
    server.thaw();
    assert_eq!(server.query("postgres", "SELECT 8"), "8");
    server.freeze();
    drop(server);
    none_are_left();
}

#[test]
fn a_promoted_standby_has_what_was_acknowledged() {
    let mut server = Postgres::setup().durable().start();
    let database = server.create_database();
    server.query(&database, "CREATE TABLE facts (fact int)");
    let standby = server.standby();
    server.wait_for_standby();
    for fact in 0..20 {
        server.query(&database, &format!("INSERT INTO facts VALUES ({fact})"));
    }
    server.kill();
    assert_eq!(standby.query("postgres", "SELECT pg_is_in_recovery()"), "t");
    standby.promote();
    assert_eq!(standby.query(&database, "SELECT count(*) FROM facts"), "20");
    standby.query(&database, "INSERT INTO facts VALUES (20)");
    drop((server, standby));
    none_are_left();
}

#[test]
fn without_a_standby_a_commit_waits_if_it_shall() {
    let server = Postgres::start();
    let mut standby = server.standby();
    server.wait_for_standby();
    standby.kill();
    thread::scope(|scope| {
        let writing = scope.spawn(|| server.query("postgres", "CREATE TABLE facts (fact int)"));
        thread::sleep(std::time::Duration::from_millis(300));
        assert!(!writing.is_finished());
        server.go_ahead_of_standby();
        writing.join().unwrap();
    });
}

#[test]
fn with_tls_nothing_goes_in_clear() {
    let certificate = Certificate::new();
    let server = Postgres::setup().tls(&certificate).start();
    let database = server.create_database();
    let over = |options: &str| {
        let url = format!(
            "{}?{options}&sslrootcert={}",
            server.url(&database),
            certificate.authority().display()
        );
        let asked = std::process::Command::new("psql")
            .args([&url, "--command=SELECT 1"])
            .output();
        asked.unwrap().status.success()
    };
    assert!(over("sslmode=verify-full"));
    assert!(!over("sslmode=disable"));
}
