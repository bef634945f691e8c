//! A Redis cluster: three masters share the keys.

use super::{Port, Program, Redis, Trouble, or_fail};
use crate::process::wait_until;

const MASTERS: usize = 3;

/// Three masters on 127.0.0.1, maybe with a replica each; ended with this value.
pub struct RedisCluster {
    /// The masters of the beginning, then their replicas.
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Three masters.
    ///
    /// # Panics
    /// With a sentence when they cannot be started.
    #[track_caller]
    pub fn start() -> Self {
        or_fail(Self::try_start())
    }

    /// Three masters and three replicas, one of which takes the place of a master that is gone.
    ///
    /// # Panics
    /// With a sentence when they cannot be started.
    #[track_caller]
    pub fn with_replicas() -> Self {
        or_fail(Self::try_start_with(1))
    }

    /// Three masters, or why there are none.
    pub fn try_start() -> Result<Self, Trouble> {
        Self::try_start_with(0)
    }

    fn try_start_with(replicas: usize) -> Result<Self, Trouble> {
        let count = MASTERS * (1 + replicas);
        let nodes: Result<Vec<Redis>, Trouble> = (0..count).map(|_| node()).collect();
        let cluster = Self { nodes: nodes? };
        Program::named("redis-cli")?
            .args(["--cluster", "create"])
            .args(
                cluster
                    .nodes
                    .iter()
                    .map(|node| format!("127.0.0.1:{}", node.port())),
            )
            .args([
                "--cluster-replicas".to_owned(),
                replicas.to_string(),
                "--cluster-yes".to_owned(),
            ])
            .output()?;
        wait_until("the cluster is whole", || cluster.is_whole(replicas > 0))?;
        Ok(cluster)
    }

    /// Where it is: `redis-cluster://` with all its nodes.
    pub fn url(&self) -> String {
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()))
            .collect();
        format!("redis-cluster://{}", nodes.join(","))
    }

    /// Where each node is, the masters of the beginning first: `redis://`.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// The nodes themselves, the masters of the beginning first: to kill, freeze and restart them.
    pub fn nodes(&mut self) -> &mut [Redis] {
        &mut self.nodes
    }

    /// Waits until every slot has a master again and every running node says so.
    ///
    /// # Panics
    /// When that does not come.
    #[track_caller]
    pub fn wait_until_whole(&self) {
        or_fail(wait_until("the cluster is whole", || self.is_whole(false)));
    }

    fn is_whole(&self, with_replicas: bool) -> bool {
        self.nodes
            .iter()
            .filter(|node| node.process.is_some())
            .all(|node| {
                let follows = || {
                    node.try_ask(&["INFO", "replication"])
                        .is_ok_and(|said| follows_or_leads(&said))
                };
                let info = node.try_ask(&["CLUSTER", "INFO"]).unwrap_or_default();
                info.contains("cluster_state:ok") && (!with_replicas || follows())
            })
    }
}

fn follows_or_leads(replication: &str) -> bool {
    replication.contains("master_link_status:up")
        || (replication.contains("role:master") && replication.contains("connected_slaves:1"))
}

/// A node keeps its own file of who is who in its folder, so a restarted one finds the others.
fn node() -> Result<Redis, Trouble> {
    Redis::setup()
        .option("cluster-enabled", "yes")
        .option("cluster-node-timeout", "2000")
        .try_start_on(Port::take_with_bus()?)
}
