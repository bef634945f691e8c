//! A second server that follows a first one, and can take its place.

use super::{Postgres, Trouble, home, or_fail};
use crate::port::Port;
use crate::process::wait_until;

/// The name under which a standby is known to the server it follows.
const NAME: &str = "standby";

impl Postgres {
    /// A copy of this server that follows it from now on, and answers reading statements.
    ///
    /// What is acknowledged here may not be there yet: see [`Postgres::wait_for_standby`].
    ///
    /// # Panics
    /// When it cannot be copied or started.
    #[must_use]
    #[track_caller]
    pub fn standby(&self) -> Self {
        or_fail(self.try_standby())
    }

    fn try_standby(&self) -> Result<Self, Trouble> {
        let home = home::folder_of("standby", self.account)?;
        let mut standby = Self {
            home,
            account: self.account,
            port: Port::take()?,
            options: self.options.clone(),
            process: None,
        };
        let whence = format!(
            "host={} port={} user={} application_name={NAME}",
            self.home.path().display(),
            self.port(),
            super::USER
        );
        self.program("pg_basebackup")?
            .arg("-D")
            .arg(standby.data())
            .args(["-d", &whence, "-X", "stream", "-c", "fast", "-R", "--no-sync"])
            .output()?;
        standby.launch()?;
        Ok(standby)
    }

    /// From now on a commit here is acknowledged only after the standby has it too; waits until the standby is there.
    ///
    /// While no standby follows, commits wait.
    ///
    /// # Panics
    /// When no standby follows.
    #[track_caller]
    pub fn wait_for_standby(&self) {
        self.query(
            "postgres",
            &format!("ALTER SYSTEM SET synchronous_standby_names = '{NAME}'"),
        );
        self.query("postgres", "SELECT pg_reload_conf()");
        let follows = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        or_fail(wait_until("the standby follows", || {
            self.try_query("postgres", follows)
                .is_ok_and(|count| count == "1")
        }));
    }

    /// From now on a commit here is acknowledged without the standby.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    pub fn go_ahead_of_standby(&self) {
        self.query("postgres", "ALTER SYSTEM SET synchronous_standby_names = ''");
        self.query("postgres", "SELECT pg_reload_conf()");
    }

    /// Makes this standby a server that takes writes, and waits until it does. End the other one before.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn promote(&self) {
        let promoted = self.query("postgres", "SELECT pg_promote(true, 60)");
        assert_eq!(promoted, "t", "the standby was promoted in time");
        self.go_ahead_of_standby();
    }
}
