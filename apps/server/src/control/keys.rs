//! Changing the server's keys while it serves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Operated;
use super::execute::Refusal;
use crate::keys::{KeyRing, Rotation};

/// How many generations a rotation leaves: the new one, and the one before for what is under way.
const KEPT: usize = 2;
/// Most passes over the store when nothing at all may stay under an old key.
const PASSES: usize = 10;
/// By then whatever was sealed before a new key came is stored.
const SETTLED: Duration = Duration::from_secs(1);

/// What can be done to the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum KeysCommand {
    /// Make a new key, seal everything under it, forget what is older than the one before. For one node.
    Rotate {
        /// Forget the one before as well.
        forget_old: bool,
    },
    /// Make a new key that only opens for now, so that every node can know it before one seals with it.
    Add,
    /// Seal with this key from now on.
    Use {
        /// Which.
        id: String,
    },
    /// Take over the file as it is now: somebody brought one with further keys, or another order.
    Reload,
    /// Seal everything under the newest key, forget what is older than the one before.
    Reseal {
        /// Forget the one before as well.
        forget_old: bool,
    },
}

/// What was done to the keys.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeysAnswer {
    /// Everything is sealed under the newest.
    Rotated(Rotated),
    /// These are in use now.
    InUse(InUse),
}

/// What a rotation did. Ids only, no key.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// Id of the new key.
    pub newest: String,
    /// Ids of the older keys that stay in the file.
    pub kept: Vec<String>,
    /// Ids of the keys that are gone.
    pub dropped: Vec<String>,
    /// Users and applications looked at.
    pub records: u64,
    /// Values sealed under the new key.
    pub values: u64,
}

/// The keys a server works with. Ids only.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InUse {
    /// The one that seals.
    pub newest: String,
    /// Those that only open.
    pub others: Vec<String>,
    /// The one that was made just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<String>,
}

/// Carries a command out.
///
/// # Errors
/// Why not, for whoever asked.
pub async fn execute(command: KeysCommand, operated: &Operated) -> Result<KeysAnswer, Refusal> {
    match command {
        KeysCommand::Rotate { forget_old } => rotate(operated, forget_old).await.map(KeysAnswer::Rotated),
        KeysCommand::Reseal { forget_old } => seal_on(operated, forget_old).await.map(KeysAnswer::Rotated),
        KeysCommand::Add => add(operated).map(KeysAnswer::InUse),
        KeysCommand::Use { id } => promote(operated, &id).map(KeysAnswer::InUse),
        KeysCommand::Reload => reload(operated).map(KeysAnswer::InUse),
    }
}

/// Every step is durable before the next, and none drops what is needed: whoever stops half-way runs it again. Until then old values
/// open under old keys, which stay in the file.
async fn rotate(operated: &Operated, forget_old: bool) -> Result<Rotated, Refusal> {
    let rotation = operated.keys.begin_rotation().map_err(refusal)?;
    let added = rotation.add().map_err(refusal)?;
    operated.keys.exchange(&added).map_err(refusal)?;
    tracing::info!(key = added.newest().id(), "a new key seals from now on");
    seal_all(operated, &rotation, &added, forget_old).await
}

async fn seal_on(operated: &Operated, forget_old: bool) -> Result<Rotated, Refusal> {
    let rotation = operated.keys.begin_rotation().map_err(refusal)?;
    let keys = rotation.current().map_err(refusal)?;
    operated.keys.exchange(&keys).map_err(refusal)?;
    seal_all(operated, &rotation, &keys, forget_old).await
}

/// Seals everything under the newest key, then forgets what nothing needs.
async fn seal_all(
    operated: &Operated,
    rotation: &Rotation,
    before: &KeyRing,
    forget_old: bool,
) -> Result<Rotated, Refusal> {
    let newest = before.newest().id().to_owned();
    let (records, values) = reseal(operated, forget_old).await.map_err(|why| {
        let more = "nothing is lost and no key was dropped: run it again";
        Refusal::new(format!(
            "key {newest} is in use, but not everything is sealed under it yet ({why}); {more}"
        ))
    })?;
    let kept = rotation
        .keep_only(if forget_old { 1 } else { KEPT })
        .map_err(refusal)?;
    operated.keys.exchange(&kept).map_err(refusal)?;
    let kept = older(&kept);
    let dropped: Vec<String> = older(before)
        .into_iter()
        .filter(|id| !kept.contains(id))
        .collect();
    tracing::info!(
        key = newest,
        records,
        values,
        dropped = dropped.len(),
        "the keys were rotated"
    );
    Ok(Rotated {
        newest,
        kept,
        dropped,
        records,
        values,
    })
}

fn add(operated: &Operated) -> Result<InUse, Refusal> {
    let rotation = operated.keys.begin_rotation().map_err(refusal)?;
    let (keys, added) = rotation.prepare().map_err(refusal)?;
    operated.keys.exchange(&keys).map_err(refusal)?;
    tracing::info!(key = added, "a new key is known and seals nothing yet");
    Ok(InUse {
        added: Some(added),
        ..in_use(&keys)
    })
}

fn promote(operated: &Operated, id: &str) -> Result<InUse, Refusal> {
    let rotation = operated.keys.begin_rotation().map_err(refusal)?;
    let keys = rotation.promote(id).map_err(refusal)?;
    operated.keys.exchange(&keys).map_err(refusal)?;
    tracing::info!(key = id, "this key seals from now on");
    Ok(in_use(&keys))
}

fn reload(operated: &Operated) -> Result<InUse, Refusal> {
    let keys = operated.keys.begin_rotation().map_err(refusal)?;
    let keys = keys.current().map_err(refusal)?;
    operated.keys.exchange(&keys).map_err(refusal)?;
    tracing::info!(
        key = keys.newest().id(),
        keys = keys.count(),
        "the key file was read again"
    );
    Ok(in_use(&keys))
}

/// Seals everything under the newest key. `all`: until a pass finds nothing to do, some time later, because a value that was sealed
/// just before the new key came may be stored just behind the first pass.
async fn reseal(operated: &Operated, all: bool) -> Result<(u64, u64), Refusal> {
    let first = operated.services.reseal().await?;
    let mut values = first.values;
    if !all {
        return Ok((first.records, values));
    }
    for _ in 0..PASSES {
        tokio::time::sleep(SETTLED).await;
        let more = operated.services.reseal().await?.values;
        values += more;
        if more == 0 {
            return Ok((first.records, values));
        }
    }
    Err(Refusal::new("values under older keys kept coming"))
}

fn in_use(keys: &KeyRing) -> InUse {
    InUse {
        newest: keys.newest().id().to_owned(),
        others: older(keys),
        added: None,
    }
}

fn older(keys: &KeyRing) -> Vec<String> {
    keys.iter().skip(1).map(|key| key.id().to_owned()).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn refusal(error: crate::keys::KeyError) -> Refusal {
    Refusal::new(error.to_string())
}
