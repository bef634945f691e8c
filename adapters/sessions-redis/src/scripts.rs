//! What Redis does in one step: Lua scripts, each for the keys of one slot.

use std::sync::LazyLock;

use domain::limits::Quota;
use domain::time::{Lifetime, Timestamp};
use redis::{Cmd, Script, Value, cmd};

use crate::error::Fault;
use crate::fleet::{Fleet, Repeat};

/// Lives longer than this, some 35,000 years, are for ever: Redis would refuse the longest ones.
const LONGEST: u64 = 1 << 50;

macro_rules! scripts {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(static $name: LazyLock<Code> = LazyLock::new(|| Code::new(include_str!($file)));)+
    };
}

scripts! {
    READ = "scripts/read.lua",
    WRITE = "scripts/write.lua",
    REPLACE = "scripts/replace.lua",
    CLAIM = "scripts/claim.lua",
    RESTAMP = "scripts/restamp.lua",
    TOUCH = "scripts/touch.lua",
    INDEX = "scripts/index.lua",
    TAKE = "scripts/take.lua",
    GIVE_BACK = "scripts/give_back.lua",
}

/// A script and the hash Redis knows it by.
struct Code {
    source: &'static str,
    hash: String,
}

impl Code {
    fn new(source: &'static str) -> Self {
        let hash = Script::new(source).get_hash().to_owned();
        Self { source, hash }
    }

    fn command(&self, in_full: bool, keys: &[String], arguments: &[String]) -> Cmd {
        let mut command = if in_full { cmd("EVAL") } else { cmd("EVALSHA") };
        command.arg(if in_full { self.source } else { &self.hash });
        command.arg(keys.len()).arg(keys).arg(arguments);
        command
    }
}

/// Whose stamp a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// The serving server's: nothing was lost since it was written.
    Own,
    /// Another's: it came out of a copy of the data, which may be older than what happened since.
    Foreign,
    /// Nobody's: somebody is about to end or take it.
    Claimed,
}

/// A record as it was read.
pub(crate) struct Found {
    pub stamp: Stamp,
    pub record: Vec<u8>,
    /// The stamp of the server that was asked.
    pub own: Vec<u8>,
}

/// What became of a flow that was to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replaced {
    Yes,
    No,
    /// It carries a foreign stamp: first find out whether it was taken.
    AskFirst,
}

/// How long Redis keeps a record, in the form its scripts take: 0 for ever.
pub(crate) fn life_in_redis(life: Option<Lifetime>, grace: Lifetime) -> String {
    life.map(|life| life.as_millis().saturating_add(grace.as_millis()))
        .filter(|millis| *millis < LONGEST)
        .map_or(0, |millis| millis.max(1))
        .to_string()
}

impl Fleet {
    async fn script(
        &self,
        code: &Code,
        keys: &[String],
        arguments: &[String],
        repeat: Repeat,
    ) -> Result<Value, Fault> {
        let at = keys.first().map_or("", String::as_str);
        let deadline = self.deadline();
        let by_hash = code.command(false, keys, arguments);
        match self.call_until(deadline, at, &by_hash, repeat).await {
            Err(fault) if fault.is_no_script() => {
                // It was not run, so running it is no repetition.
                let in_full = code.command(true, keys, arguments);
                self.call_until(deadline, at, &in_full, repeat).await
            }
            answer => answer,
        }
    }

    /// The record under a key.
    pub async fn read(&self, key: &str) -> Result<Option<Found>, Fault> {
        match self.script(&READ, &[key.to_owned()], &[], Repeat::Once).await? {
            Value::Nil => Ok(None),
            Value::Array(parts) => {
                let Ok(
                    [
                        Value::BulkString(stamp),
                        Value::BulkString(record),
                        Value::BulkString(own),
                    ],
                ) = <[Value; 3]>::try_from(parts)
                else {
                    return Err(Fault::Garbled("a record"));
                };
                let stamp = match stamp.as_slice() {
                    b"own" => Stamp::Own,
                    b"foreign" => Stamp::Foreign,
                    _ => Stamp::Claimed,
                };
                Ok(Some(Found { stamp, record, own }))
            }
            _ => Err(Fault::Garbled("a record")),
        }
    }

    /// Keeps a record. Twice is once.
    pub async fn write(&self, key: &str, record: String, life: String) -> Result<(), Fault> {
        self.script(&WRITE, &[key.to_owned()], &[record, life], Repeat::Once)
            .await?;
        Ok(())
    }

    /// Replaces a record that is there and not about to go.
    pub async fn replace(&self, key: &str, record: String, life: String) -> Result<Replaced, Fault> {
        match self
            .script(&REPLACE, &[key.to_owned()], &[record, life], Repeat::Once)
            .await?
        {
            Value::Int(0) => Ok(Replaced::No),
            Value::Int(1) => Ok(Replaced::Yes),
            _ => Ok(Replaced::AskFirst),
        }
    }

    /// Hands a record over and makes it unbelievable.
    pub async fn claim(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        match self.script(&CLAIM, &[key.to_owned()], &[], Repeat::Once).await? {
            Value::Nil => Ok(None),
            Value::BulkString(record) => Ok(Some(record)),
            _ => Err(Fault::Garbled("a claimed record")),
        }
    }

    /// Gives a record the stamp of the server it was read from, and says whether both are still the same.
    pub async fn restamp(&self, key: &str, found: &Found) -> Result<bool, Fault> {
        let [record, own] =
            [&found.record, &found.own].map(|part| String::from_utf8_lossy(part).into_owned());
        let answer = self
            .script(&RESTAMP, &[key.to_owned()], &[record, own], Repeat::Once)
            .await?;
        Ok(answer == Value::Int(1))
    }

    /// Writes into a session when it was last used, unless it is gone, about to end, or was used later.
    pub async fn touch(&self, key: &str, at: Timestamp) -> Result<(), Fault> {
        let at = at.as_millis().to_string();
        self.script(&TOUCH, &[key.to_owned()], &[at], Repeat::Once)
            .await?;
        Ok(())
    }

    /// Deletes a key, and says whether it was there.
    pub async fn delete(&self, key: &str) -> Result<bool, Fault> {
        let answer = self.call(key, cmd("DEL").arg(key), Repeat::Never).await?;
        Ok(answer == Value::Int(1))
    }

    /// Deletes a key where no other server may be the master by then: what was deleted at a master of before may be at the next.
    pub async fn delete_for_good(&self, key: &str) -> Result<(), Fault> {
        let before = self.map().version;
        self.delete(key).await?;
        if self.is_in_doubt() || self.map().version != before {
            return Err(Fault::Unsure);
        }
        Ok(())
    }

    /// Puts a token into the index of a user.
    pub async fn enlist(&self, index: &str, token: String, life: String) -> Result<(), Fault> {
        self.script(&INDEX, &[index.to_owned()], &[token, life], Repeat::Once)
            .await?;
        Ok(())
    }

    /// Takes tokens out of the index of a user.
    pub async fn delist(&self, index: &str, tokens: &[String]) -> Result<(), Fault> {
        self.call(index, cmd("ZREM").arg(index).arg(tokens), Repeat::Once)
            .await?;
        Ok(())
    }

    /// The tokens in the index of a user; there may be some of records that are gone.
    pub async fn listed(&self, index: &str) -> Result<Vec<String>, Fault> {
        let answer = self
            .call(index, cmd("ZRANGE").arg(index).arg(0).arg(-1), Repeat::Once)
            .await?;
        redis::from_redis_value(answer).map_err(|_| Fault::Garbled("an index"))
    }

    /// Takes one try from counters of one slot, or says how long to wait, and for which of them. With `only_ask` nothing is taken.
    pub async fn take(
        &self,
        counters: &[(String, Quota)],
        now: i64,
        only_ask: bool,
    ) -> Result<Option<(Lifetime, usize)>, Fault> {
        let mode = if only_ask { "ask" } else { "take" };
        let mut arguments = vec![now.to_string(), mode.to_owned()];
        for (_, quota) in counters {
            arguments.extend(quota_to_take(*quota));
        }
        let keys: Vec<String> = counters.iter().map(|(key, _)| key.clone()).collect();
        let Value::BulkString(wait) = self.script(&TAKE, &keys, &arguments, Repeat::Never).await? else {
            return Err(Fault::Garbled("a verdict"));
        };
        if wait.is_empty() {
            return Ok(None);
        }
        let wait = std::str::from_utf8(&wait).ok().and_then(|text| {
            let (millis, number) = text.split_once(' ')?;
            let (millis, number): (u64, usize) = (millis.parse().ok()?, number.parse().ok()?);
            Some((Lifetime::from_millis(millis), number.checked_sub(1)?))
        });
        wait.map(Some).ok_or(Fault::Garbled("a wait"))
    }

    /// Gives one try back to counters of one slot.
    pub async fn give_back(&self, counters: &[(String, Quota)]) -> Result<(), Fault> {
        let arguments: Vec<String> = counters
            .iter()
            .flat_map(|(_, quota)| match quota {
                Quota::Rate { burst, per } => {
                    ["rate".to_owned(), burst.to_string(), per.as_millis().to_string()]
                }
                Quota::Lockout { pardons, .. } => [
                    "lockout".to_owned(),
                    u8::from(*pardons).to_string(),
                    String::new(),
                ],
            })
            .collect();
        let keys: Vec<String> = counters.iter().map(|(key, _)| key.clone()).collect();
        self.script(&GIVE_BACK, &keys, &arguments, Repeat::Never).await?;
        Ok(())
    }
}

fn quota_to_take(quota: Quota) -> [String; 5] {
    let (kind, numbers) = match quota {
        Quota::Rate { burst, per } => ("rate", [burst.into(), per.as_millis(), 0, 0]),
        Quota::Lockout {
            free,
            wait,
            max_wait,
            forget,
            pardons: _,
        } => {
            let millis = [wait.as_millis(), max_wait.as_millis(), forget.as_millis()];
            let [wait, max_wait, forget] = millis;
            ("lockout", [free.into(), wait, max_wait, forget])
        }
    };
    let [a, b, c, d] = numbers.map(|number: u64| number.to_string());
    [kind.to_owned(), a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_never_forgets_early() {
        let grace = Lifetime::from_secs(10);
        let life = |life| life_in_redis(life, grace);
        assert_eq!(life(Some(Lifetime::from_secs(5))), "15000");
        assert_eq!(life(Some(Lifetime::from_millis(u64::MAX))), "0");
        assert_eq!(life(None), "0");
        assert_eq!(life_in_redis(Some(Lifetime::ZERO), Lifetime::ZERO), "1");
    }
}
