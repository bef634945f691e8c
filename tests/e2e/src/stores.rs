//! Which stores the servers of the stories run on: the same stories pass on every bundle.
//!
//! `$E2E_BUNDLE` says which: `embedded` (as without it), `classic` (MongoDB and Redis) or `modern` (PostgreSQL and Redis). The
//! servers themselves stand in `$POSTGRES_URL`, `$MONGODB_URL` and `$REDIS_URL`; `just e2e-on modern` starts them.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A place of one server's own in the stores that all share.
pub struct Stores {
    variables: Vec<(&'static str, String)>,
    /// A database to drop, and whom to tell.
    database: Option<(String, String)>,
}

impl Stores {
    /// A place in the stores of the bundle that is tried.
    pub fn of_the_bundle() -> Self {
        let name = fresh_name();
        match std::env::var("E2E_BUNDLE").as_deref() {
            Err(_) | Ok("" | "embedded") => Self::nowhere(),
            Ok("classic") => {
                let url = with_database(&server("MONGODB_URL"), &name);
                Self::beside_redis(&name, url)
            }
            Ok("modern") => Self::modern(&name),
            Ok(other) => panic!("E2E_BUNDLE={other}: there are embedded, classic and modern"),
        }
    }

    /// None: the server keeps everything in its own folder.
    const fn nowhere() -> Self {
        Self {
            variables: Vec::new(),
            database: None,
        }
    }

    fn modern(name: &str) -> Self {
        let maintenance = server("POSTGRES_URL");
        psql(&maintenance, &format!("CREATE DATABASE {name}"));
        let url = with_database(&maintenance, name);
        let mut stores = Self::beside_redis(name, url);
        stores.database = Some((maintenance, name.to_owned()));
        stores
    }

    fn beside_redis(name: &str, storage: String) -> Self {
        Self {
            variables: vec![
                ("PORTCULLIS__STORAGE__URL", storage),
                ("PORTCULLIS__SESSIONS__URL", server("REDIS_URL")),
                ("PORTCULLIS__SESSIONS__PREFIX", format!("{name}:")),
            ],
            database: None,
        }
    }

    /// What the server must be told about it, where its configuration does not choose by itself.
    pub fn variables_beside(&self, config: &str) -> impl Iterator<Item = (&'static str, &String)> {
        let chosen = [("[storage]", "__STORAGE__"), ("[sessions]", "__SESSIONS__")];
        let chosen = chosen.map(|(section, part)| config.contains(section).then_some(part));
        let variables = self.variables.iter().map(|(name, value)| (*name, value));
        variables.filter(move |(name, _)| !chosen.iter().flatten().any(|part| name.contains(part)))
    }

    /// Whether the server keeps everything in its own folder.
    pub const fn are_own_files(&self) -> bool {
        self.variables.is_empty()
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        if let Some((maintenance, name)) = &self.database {
            psql(
                maintenance,
                &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            );
        }
    }
}

/// A name that no other test takes, fit for a database and for a prefix of keys.
fn fresh_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |it| it.as_nanos());
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("e2e_{now:x}_{:x}_{number}", std::process::id())
}

fn server(variable: &str) -> String {
    let url = std::env::var(variable);
    url.unwrap_or_else(|_| {
        panic!("{variable} is not set: run the stories by `just e2e-on BUNDLE`, which starts the servers")
    })
}

/// The address with another database in it.
fn with_database(url: &str, name: &str) -> String {
    let (place, options) = url
        .split_once('?')
        .map_or((url, None), |(place, options)| (place, Some(options)));
    let host = place.find("://").map_or(0, |at| at + 3);
    let end = place
        .get(host..)
        .and_then(|rest| rest.find('/'))
        .map_or(place.len(), |at| host + at);
    let base = place.get(..end).unwrap_or(place);
    options.map_or_else(
        || format!("{base}/{name}"),
        |options| format!("{base}/{name}?{options}"),
    )
}

fn psql(url: &str, statement: &str) {
    let said = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--set",
            "ON_ERROR_STOP=1",
            "--command",
            statement,
            url,
        ])
        .output()
        .expect("psql is installed: bash tests/setup");
    assert!(
        said.status.success(),
        "{statement}: {}",
        String::from_utf8_lossy(&said.stderr)
    );
}
