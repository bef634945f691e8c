//! Whom the store believes to be its server.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::PathBuf;

use servers::{Certificate, Postgres};
use storage_postgres::{OpenError, PostgresConfig, PostgresStore};

/// A server that insists on TLS, and what to know it by.
async fn guarded() -> (Postgres, Certificate, String) {
    let started = tokio::task::spawn_blocking(|| {
        let certificate = Certificate::new();
        let server = Postgres::setup().tls(&certificate).start();
        let name = server.create_database();
        (server, certificate, name)
    });
    started.await.unwrap()
}

fn at(host: &str, server: &Postgres, name: &str, rest: &str) -> PostgresConfig {
    PostgresConfig::new(format!(
        "postgres://postgres@{host}:{}/{name}{rest}",
        server.port()
    ))
}

fn trusting(authority: PathBuf, config: PostgresConfig) -> PostgresConfig {
    PostgresConfig {
        ca_file: Some(authority),
        ..config
    }
}

async fn refused(config: PostgresConfig) -> String {
    let refused = PostgresStore::open(&config).await.err().unwrap();
    assert!(matches!(refused, OpenError::Refused { .. }), "{refused}");
    refused.to_string()
}

#[test]
fn a_server_that_the_named_authority_vouches_for_is_believed() {
    conformance::run(async {
        let (server, certificate, name) = guarded().await;
        for host in ["127.0.0.1", "localhost"] {
            let config = trusting(certificate.authority(), at(host, &server, &name, ""));
            let store = PostgresStore::open(&config).await.unwrap();
            store.ready().await.unwrap();
        }
        let authority = certificate.authority().display().to_string();
        let by_address = format!("?sslmode=verify-full&sslrootcert={authority}");
        let config = at("localhost", &server, &name, &by_address);
        PostgresStore::open(&config).await.unwrap();
    });
}

#[test]
fn a_server_nobody_vouches_for_is_refused_at_once() {
    conformance::run(async {
        let (server, _, name) = guarded().await;
        let somebody_else = Certificate::new();
        let config = at("localhost", &server, &name, "");
        let said = refused(trusting(somebody_else.authority(), config)).await;
        assert!(said.contains("certificate"), "{said}");
        let said = refused(at("localhost", &server, &name, "?sslmode=verify-full")).await;
        assert!(said.contains("certificate"), "{said}");
    });
}

#[test]
fn a_server_by_another_name_is_refused() {
    conformance::run(async {
        let (server, certificate, name) = guarded().await;
        // Another address of this machine, which the certificate does not name.
        let config = at("127.0.0.2", &server, &name, "");
        let listens = tokio::net::TcpStream::connect(("127.0.0.2", server.port())).await;
        let Ok(_listens) = listens else {
            let forward = forward_to(server.port()).await;
            let url = format!("postgres://postgres@127.0.0.2:{forward}/{name}");
            let config = trusting(certificate.authority(), PostgresConfig::new(url));
            let said = refused(config).await;
            assert!(said.contains("certificate"), "{said}");
            return;
        };
        let said = refused(trusting(certificate.authority(), config)).await;
        assert!(said.contains("certificate"), "{said}");
    });
}

/// A port of 127.0.0.2 that leads to the server.
async fn forward_to(port: u16) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let here = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::spawn(async move {
                let _until_the_end = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    here
}

#[test]
fn a_server_that_insists_on_tls_refuses_a_store_without() {
    conformance::run(async {
        let (server, _, name) = guarded().await;
        let said = refused(at("localhost", &server, &name, "?sslmode=disable")).await;
        assert!(said.contains("pg_hba.conf"), "{said}");
    });
}
