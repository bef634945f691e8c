use std::process::Command;
use std::time::{Duration, Instant};

use servers::{Certificate, Redis, RedisCluster, Sentinel};

use crate::processes::{eventually, none_are_left};

#[test]
fn it_starts_answers_and_is_gone() {
    let server = Redis::start();
    assert_eq!(server.ask(&["SET", "a", "1"]), "OK");
    assert_eq!(server.ask(&["GET", "a"]), "1");
    drop(server);
    none_are_left();
}

#[test]
fn it_forgets_everything_unless_it_shall_keep_it() {
    let mut quick = Redis::start();
    let mut durable = Redis::setup().durable().start();
    for server in [&mut quick, &mut durable] {
        let port = server.port();
        server.ask(&["SET", "a", "1"]);
        server.kill();
        server.restart();
        assert_eq!(server.port(), port);
    }
    assert_eq!(quick.ask(&["GET", "a"]), "");
    assert_eq!(durable.ask(&["GET", "a"]), "1");
    durable.restart_empty();
    assert_eq!(durable.ask(&["GET", "a"]), "");
}

#[test]
fn a_paused_one_answers_late_and_a_frozen_one_when_thawed() {
    let mut server = Redis::start();
    let since = Instant::now();
    server.pause(Duration::from_millis(400));
    server.ask(&["GET", "a"]);
    assert!(since.elapsed() >= Duration::from_millis(390));
    server.freeze();
    server.thaw();
    assert_eq!(server.ask(&["PING"]), "PONG");
    server.freeze();
    drop(server);
    none_are_left();
}

/// What anybody is told who comes by this address.
fn told(url: &str, options: &[&str]) -> String {
    let asked = Command::new("redis-cli")
        .args(["-u", url, "--no-auth-warning"])
        .args(options)
        .arg("PING")
        .output();
    String::from_utf8_lossy(&asked.unwrap().stdout).trim().to_owned()
}

#[test]
fn passwords_and_users_are_asked_for() {
    let closed = Redis::setup().password("secret").start();
    assert_eq!(told(&closed.url(), &[]), "PONG");
    assert_ne!(told(&format!("redis://127.0.0.1:{}", closed.port()), &[]), "PONG");
    assert_eq!(closed.replica().ask(&["PING"]), "PONG");

    let listed = Redis::setup()
        .users("user app on >secret ~portcullis:* &* +@all")
        .start();
    assert_eq!(
        told(&format!("redis://app:secret@127.0.0.1:{}", listed.port()), &[]),
        "PONG"
    );
    assert_ne!(told(&listed.url(), &[]), "PONG");
    assert_eq!(listed.ask(&["PING"]), "PONG");
}

#[test]
fn with_tls_nothing_goes_in_clear() {
    let certificate = Certificate::new();
    let server = Redis::setup().tls(&certificate).start();
    let authority = certificate.authority().display().to_string();
    assert_eq!(told(&server.url(), &["--cacert", &authority]), "PONG");
    assert_ne!(told(&format!("redis://127.0.0.1:{}", server.port()), &[]), "PONG");
}

#[test]
fn a_replica_has_what_its_master_has() {
    let master = Redis::start();
    let replica = master.replica();
    master.ask(&["SET", "a", "1"]);
    eventually("the replica has it", || replica.ask(&["GET", "a"]) == "1");
}

#[test]
fn a_cluster_shares_the_keys_and_finds_itself_again() {
    let mut cluster = RedisCluster::start();
    let first = cluster.urls().remove(0);
    let set = |key: &str| {
        let asked = Command::new("redis-cli")
            .args(["-c", "-u", &first, "SET", key, "1"])
            .output();
        String::from_utf8_lossy(&asked.unwrap().stdout).trim().to_owned()
    };
    for key in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(set(key), "OK");
    }
    let sizes: Vec<String> = cluster.nodes().iter().map(|node| node.ask(&["DBSIZE"])).collect();
    assert!(sizes.iter().all(|size| size != "0"), "{sizes:?}");
    let last = cluster.nodes().last_mut().unwrap();
    last.kill();
    last.restart();
    cluster.wait_until_whole();
    drop(cluster);
    none_are_left();
}

#[test]
fn a_replica_takes_the_place_of_a_lost_master() {
    let mut cluster = RedisCluster::with_replicas();
    assert_eq!(cluster.urls().len(), 6);
    cluster.nodes().first_mut().unwrap().kill();
    eventually("another is master", || {
        let nodes = cluster_nodes(&cluster);
        nodes
            .lines()
            .filter(|line| line.contains("master") && !line.contains("fail"))
            .count()
            == 3
    });
    cluster.wait_until_whole();
}

fn cluster_nodes(cluster: &RedisCluster) -> String {
    let asked = Command::new("redis-cli")
        .args(["-u", &cluster.urls().remove(1), "CLUSTER", "NODES"])
        .output();
    String::from_utf8_lossy(&asked.unwrap().stdout).into_owned()
}

#[test]
fn sentinels_put_the_replica_in_the_masters_place_and_back() {
    let mut watched = Sentinel::start(3);
    let first = watched.master_port();
    assert_eq!(first, watched.servers()[0].port());
    watched.failover();
    let second = watched.master_port();
    assert_eq!(second, watched.servers()[1].port());
    assert_eq!(watched.current_master().ask(&["SET", "a", "1"]), "OK");

    watched.hold_for_gone_after(Duration::from_secs(10));
    watched.servers()[0].restart();
    eventually("the old master follows the new", || {
        told_by(first, &["GET", "a"]) == "1"
    });
    drop(watched);
    none_are_left();
}

fn told_by(port: u16, command: &[&str]) -> String {
    let asked = Command::new("redis-cli")
        .args(["-p", &port.to_string()])
        .args(command)
        .output();
    String::from_utf8_lossy(&asked.unwrap().stdout).trim().to_owned()
}
