//! Sentinels: servers that watch a master, and put a replica in its place when it is gone.

use std::time::Duration;

use super::{Port, Process, Redis, Trouble, home, or_fail};
use crate::process::wait_until;
use tempfile::TempDir;

/// The name under which the sentinels know the master.
const NAME: &str = "tests";

/// A master, a replica of it, and sentinels that watch both; all on 127.0.0.1, ended with this value.
pub struct Sentinel {
    /// The master of the beginning, then its replica.
    servers: Vec<Redis>,
    sentinels: Vec<Watcher>,
}

struct Watcher {
    port: Port,
    _process: Process,
    _home: TempDir,
}

impl Sentinel {
    /// With so many sentinels, most of which must agree.
    ///
    /// # Panics
    /// With a sentence when they cannot be started.
    #[track_caller]
    pub fn start(sentinels: usize) -> Self {
        or_fail(Self::try_start(sentinels))
    }

    fn try_start(count: usize) -> Result<Self, Trouble> {
        let master = Redis::setup().try_start()?;
        let replica = master.try_replica()?;
        let quorum = count / 2 + 1;
        let sentinels: Result<Vec<Watcher>, Trouble> =
            (0..count).map(|_| Watcher::of(master.port(), quorum)).collect();
        let watched = Self {
            servers: vec![master, replica],
            sentinels: sentinels?,
        };
        wait_until("the sentinels know each other and the replica", || {
            watched.all_known()
        })?;
        Ok(watched)
    }

    /// Where they are: `redis-sentinel://` with all sentinels and the master's name.
    pub fn url(&self) -> String {
        let sentinels: Vec<String> = self
            .sentinels
            .iter()
            .map(|sentinel| format!("127.0.0.1:{}", sentinel.port.number()))
            .collect();
        format!("redis-sentinel://{}/{NAME}", sentinels.join(","))
    }

    /// The port of the master, as the sentinels have it.
    ///
    /// # Panics
    /// When no sentinel answers.
    #[track_caller]
    pub fn master_port(&self) -> u16 {
        or_fail(
            self.master()
                .ok_or_else(|| Trouble::new("no sentinel names a master")),
        )
    }

    /// The two servers, the master of the beginning first: to kill, freeze and restart them.
    pub fn servers(&mut self) -> &mut [Redis] {
        &mut self.servers
    }

    /// The one that is master now.
    ///
    /// # Panics
    /// When no sentinel answers.
    #[track_caller]
    pub fn current_master(&mut self) -> &mut Redis {
        let port = self.master_port();
        let found = self.servers.iter_mut().find(|server| server.port() == port);
        or_fail(found.ok_or_else(|| Trouble::new("the sentinels name a stranger")))
    }

    /// Kills the master and waits until the other is master and takes writes. What was written last may be lost with it.
    /// `restart` of the killed one makes it a replica.
    ///
    /// # Panics
    /// When the sentinels put nobody in its place.
    #[track_caller]
    pub fn failover(&mut self) {
        let before = self.master_port();
        self.current_master().kill();
        or_fail(wait_until("another is master", || {
            let now = self.master();
            now != Some(before)
                && self.servers.iter().any(|server| {
                    Some(server.port()) == now
                        && server
                            .try_ask(&["ROLE"])
                            .is_ok_and(|role| role.starts_with("master"))
                })
        }));
    }

    /// Lets a server be silent for so long before the sentinels hold it for gone. At first it is half a second, so that a fail-over is
    /// quick; on a busy machine they then hold a server that lives for gone now and then, and begin each time anew to wait until
    /// it is steady enough to be made a replica.
    ///
    /// # Panics
    /// When a sentinel refuses.
    #[track_caller]
    pub fn hold_for_gone_after(&self, silence: Duration) {
        let silence = silence.as_millis().to_string();
        let set = ["SENTINEL", "SET", NAME, "down-after-milliseconds", &silence];
        for sentinel in &self.sentinels {
            let said = or_fail(sentinel.ask(&set));
            assert_eq!(said, "OK", "a sentinel refused a setting");
        }
    }

    fn master(&self) -> Option<u16> {
        self.sentinels.iter().find_map(|sentinel| {
            let answer = sentinel
                .ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME])
                .ok()?;
            answer.lines().nth(1)?.parse().ok()
        })
    }

    fn all_known(&self) -> bool {
        let others = format!("num-other-sentinels\n{}\n", self.sentinels.len() - 1);
        self.sentinels.iter().all(|sentinel| {
            let known = sentinel.ask(&["SENTINEL", "MASTER", NAME]).unwrap_or_default() + "\n";
            known.contains("num-slaves\n1\n") && known.contains(&others)
        })
    }
}

impl Watcher {
    fn of(master: u16, quorum: usize) -> Result<Self, Trouble> {
        let home = home::folder("sentinel")?;
        let port = Port::take()?;
        // It writes what it learns into its file, so the settings stand there and not on the command line.
        let settings = format!(
            "port {}\nbind 127.0.0.1\ndir {}\nsentinel monitor {NAME} 127.0.0.1 {master} {quorum}\n\
             sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 3000\n",
            port.number(),
            home.path().display()
        );
        let file = home.path().join("sentinel.conf");
        home::write(&file, &settings)?;
        let program = super::Program::named("redis-server")?
            .ends_with_us("KILL")
            .arg(&file)
            .arg("--sentinel");
        let process = Process::start(&program, &home.path().join("log"))?;
        let process =
            process.ready_when(|| ask(port.number(), &["PING"]).is_ok_and(|pong| pong == "PONG"))?;
        Ok(Self {
            port,
            _process: process,
            _home: home,
        })
    }

    fn ask(&self, command: &[&str]) -> Result<String, Trouble> {
        ask(self.port.number(), command)
    }
}

fn ask(port: u16, command: &[&str]) -> Result<String, Trouble> {
    let client = super::Program::named("redis-cli")?
        .args(["-h", "127.0.0.1", "-p"])
        .arg(port.to_string());
    Ok(client.args(command).output()?.trim_end().to_owned())
}
