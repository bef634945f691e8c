//! The keys themselves, and how they read as text.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::KeyFault;

/// Length of a key, in bytes.
pub const KEY_LENGTH: usize = 32;
/// Most keys one file holds: a rotation leaves two, one that was interrupted or is under way on several nodes three.
pub(super) const MAX_KEYS: usize = 16;

const FORMAT: &str = "portcullis-key";
const VERSION: &str = "1";
const ID_LENGTH: usize = 8;

/// One key of the server. `Debug` shows the id alone; dropping it wipes the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
}

impl ServerKey {
    /// Name of the key, not secret: sixteen hexadecimal digits, drawn at random with the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key itself. Never use it directly: derive one key per purpose.
    pub fn bytes(&self) -> &Zeroizing<[u8; KEY_LENGTH]> {
        &self.bytes
    }

    pub(super) fn draw() -> Result<Self, KeyFault> {
        let mut bytes = Zeroizing::new([0_u8; KEY_LENGTH]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| KeyFault::NoEntropy)?;
        Ok(Self {
            id: random_hex()?,
            bytes,
        })
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// All keys of a file, newest first; there is always one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    newest: ServerKey,
    older: Vec<ServerKey>,
}

impl KeyRing {
    /// The key for everything that is made from now on.
    pub fn newest(&self) -> &ServerKey {
        &self.newest
    }

    /// All keys, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &ServerKey> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    /// How many keys there are.
    pub fn count(&self) -> usize {
        1 + self.older.len()
    }

    /// The keys as the sealer takes them: the newest seals, all open.
    pub fn for_sealing(&self) -> Vec<seal_local::SealKey> {
        self.iter()
            .map(|key| seal_local::SealKey::new(key.id(), **key.bytes()))
            .collect()
    }

    /// The keys as the signer takes them: the newest signs.
    pub fn for_signing(&self) -> Vec<sign_local::SigningSeed> {
        self.iter()
            .map(|key| sign_local::SigningSeed::new(key.id(), **key.bytes()))
            .collect()
    }

    pub(super) fn of(newest: ServerKey) -> Self {
        Self {
            newest,
            older: Vec::new(),
        }
    }

    /// The same keys behind a newer one.
    pub(super) fn behind(self, newest: ServerKey) -> Self {
        let older = std::iter::once(self.newest).chain(self.older).collect();
        Self { newest, older }
    }

    /// The same keys with another behind the newest.
    pub(super) fn with_second(mut self, second: ServerKey) -> Self {
        self.older.insert(0, second);
        self
    }

    /// The same keys, that of this id in front; none where no key has it.
    pub(super) fn led_by(self, id: &str) -> Option<Self> {
        let mut all: Vec<ServerKey> = std::iter::once(self.newest).chain(self.older).collect();
        let place = all.iter().position(|key| key.id() == id)?;
        let newest = all.remove(place);
        Some(Self { newest, older: all })
    }

    /// The `generations` newest keys, one at least.
    pub(super) fn only(mut self, generations: usize) -> Self {
        self.older.truncate(generations.saturating_sub(1));
        self
    }

    pub(super) fn to_text(&self) -> Zeroizing<String> {
        // Room for all keys from the start: a text that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(32 + self.count() * 80));
        text.push_str(FORMAT);
        text.push(' ');
        text.push_str(VERSION);
        text.push('\n');
        for key in self.iter() {
            let encoded = Zeroizing::new(STANDARD.encode(key.bytes.as_slice()));
            for part in ["id ", &key.id, "\nkey ", &encoded, "\n"] {
                text.push_str(part);
            }
        }
        text
    }

    pub(super) fn from_text(text: &str) -> Result<Self, KeyFault> {
        let mut lines = text.lines().peekable();
        let version = lines
            .next()
            .and_then(|line| value(line, FORMAT))
            .ok_or(KeyFault::Broken("its first line is not `portcullis-key 1`"))?;
        if version != VERSION {
            return Err(KeyFault::Newer);
        }
        let newest = key(&mut lines, ["its second line holds no id", NO_FIRST_KEY])?;
        let mut older = Vec::new();
        while lines.peek().is_some() {
            older.push(key(&mut lines, [NO_FURTHER_ID, NO_FURTHER_KEY])?);
        }
        let ring = Self { newest, older };
        if ring.count() > MAX_KEYS {
            return Err(KeyFault::Broken("it holds more than 16 keys"));
        }
        let ids: std::collections::BTreeSet<&str> = ring.iter().map(ServerKey::id).collect();
        if ids.len() < ring.count() {
            return Err(KeyFault::Broken("two of its keys have the same id"));
        }
        Ok(ring)
    }
}

const NO_FIRST_KEY: &str = "its third line holds no key of 32 bytes in base64";
const NO_FURTHER_ID: &str = "behind its first key stands a line that is no id of another";
const NO_FURTHER_KEY: &str = "behind an id stands no key of 32 bytes in base64";

/// The next id and key, or the complaint about what stands there instead.
fn key<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    [no_id, no_key]: [&'static str; 2],
) -> Result<ServerKey, KeyFault> {
    let id = lines
        .next()
        .and_then(|line| value(line, "id"))
        .filter(|id| is_id(id))
        .ok_or(KeyFault::Broken(no_id))?;
    let bytes = lines
        .next()
        .and_then(|line| value(line, "key"))
        .and_then(decode_key)
        .ok_or(KeyFault::Broken(no_key))?;
    Ok(ServerKey {
        id: id.to_owned(),
        bytes,
    })
}

fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(' ')?;
    (found == name).then_some(value)
}

/// Sixteen hexadecimal digits by chance.
pub(super) fn random_hex() -> Result<String, KeyFault> {
    let mut bytes = [0_u8; ID_LENGTH];
    getrandom::fill(&mut bytes).map_err(|_| KeyFault::NoEntropy)?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

fn decode_key(encoded: &str) -> Option<Zeroizing<[u8; KEY_LENGTH]>> {
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    decoded.as_slice().try_into().ok().map(Zeroizing::new)
}

fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
