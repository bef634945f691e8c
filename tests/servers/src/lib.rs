//! Real servers for the tests, on 127.0.0.1, on ports of their own, in temporary folders: PostgreSQL, Redis, a server of MongoDB's
//! protocol, HAProxy.
//!
//! **One for a whole run.** The program `servers` starts them once and tells the tests by variables where they are:
//!
//! ```text
//! servers with postgres,redis,redis-cluster,mongo -- cargo nextest run --workspace
//! ```
//!
//! A fixture asks [`env`] for its variable and takes a database or a prefix of its own there:
//!
//! ```no_run
//! let url = servers::env("POSTGRES_URL", "storage-postgres");
//! ```
//!
//! | Variable | What it holds |
//! |---|---|
//! | `POSTGRES_URL` | a superuser's URL of a database from which others are made: `postgres://postgres@127.0.0.1:PORT/postgres` |
//! | `REDIS_URL` | `redis://127.0.0.1:PORT` |
//! | `REDIS_CLUSTER_URL` | `redis-cluster://127.0.0.1:PORT,127.0.0.1:PORT,127.0.0.1:PORT` |
//! | `MONGODB_URL` | no database in it: `mongodb://127.0.0.1:PORT/?directConnection=true` |
//!
//! A variable that is set already stays as it is, and nothing is started for it: so the tests run on any server there is.
//! Without the variable a test fails with a sentence. It is never skipped.
//!
//! **One for a test.** What kills, freezes, restarts or promotes takes a server for itself:
//!
//! ```no_run
//! use servers::Postgres;
//!
//! let mut server = Postgres::setup().durable().start();
//! let url = server.url(&server.create_database());
//! server.kill();
//! server.restart(); // the same port and data
//! let standby = server.standby();
//! server.wait_for_standby(); // from here on what is acknowledged is there too
//! server.kill();
//! standby.promote();
//! ```
//!
//! Everything blocks. A server ends with its value: by its handle alone, never by its name; and where the system can do it
//! (Linux), also when the test is killed. What cannot go on panics with a sentence that says what to do.

#![expect(
    clippy::panic,
    reason = "a harness that cannot go on fails the test, and says why"
)]

mod balancer;
mod home;
pub mod mongo;
mod port;
pub mod postgres;
mod process;
mod program;
pub mod redis;
mod tls;
mod trouble;

pub use balancer::Balancer;
pub use mongo::Mongo;
pub use postgres::Postgres;
pub use redis::{Redis, RedisCluster, Sentinel};
pub use tls::Certificate;
pub use trouble::Trouble;

/// Where the server of this run is.
///
/// # Panics
/// When nobody said so: with the sentence that tells how the tests of `package` are run.
#[track_caller]
pub fn env(variable: &str, package: &str) -> String {
    match std::env::var(variable) {
        Ok(url) if !url.is_empty() => url,
        _ => panic!(
            "{variable} is not set: run `just conformance {package}`, which starts the server, or name one in {variable}"
        ),
    }
}
