//! Reading a file to its end before anything is done with it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use domain::id::{PoolName, RoleId};
use domain::time::Timestamp;
use domain::tombstone::Tombstone;

use super::error::TransferError;
use super::frame::{End, Header};
use super::progress::{Progress, Unit};
use super::reading::Reading;
use super::record::Record;
use super::tally::Tallies;

/// Most ids of keys that are remembered: a key file holds sixteen at most.
const KEYS: usize = 64;
/// Most unknown roles that are remembered.
const UNKNOWN_ROLES: usize = 64;

/// A file that is whole, and what is in it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its first line.
    pub header: Header,
    /// Its last line, which agrees with all between.
    pub end: End,
    /// What its records add up to as this version writes them: the same as its last line says, unless another program wrote it.
    pub expected: Tallies,
    /// The pools it has users of.
    pub pools: BTreeSet<PoolName>,
    /// The ids of the keys that sealed values name, and how many values each sealed.
    pub keys: BTreeMap<String, u64>,
    /// Roles that somebody in it was given and that are not in it, and how often: such a mapping gives nothing.
    pub unknown_roles: BTreeMap<RoleId, u64>,
    /// When the last of its sessions is over for good; none where one is eternal.
    pub sessions_until: Option<Timestamp>,
    /// When the last of its messages is void.
    pub messages_until: Timestamp,
}

impl Checked {
    /// How many records there are.
    pub const fn records(&self) -> u64 {
        self.expected.count()
    }
}

/// Reads a file of `length` bytes, and judges it.
///
/// # Errors
/// It is no export, or of a newer version, or was cut or changed; the sentence names the line.
pub fn check<R: BufRead>(
    mut reading: Reading<R>,
    length: u64,
    progress: &dyn Progress,
) -> Result<Checked, TransferError> {
    progress.begin("checking the file", Unit::Bytes, Some(length));
    let mut expected = Tallies::default();
    let (mut keys, mut pools) = (BTreeMap::new(), BTreeSet::new());
    let (mut roles, mut unknown_roles) = (BTreeSet::new(), BTreeMap::new());
    let mut until = Some(Timestamp::from_millis(i64::MIN));
    let mut messages_until = Timestamp::from_millis(i64::MIN);
    while let Some(record) = reading.record()? {
        let line = record.to_line().map_err(|error| TransferError::Line {
            line: reading.line(),
            why: error.to_string(),
        })?;
        expected.of(record.kind()).add(line.as_bytes());
        note_keys(&mut keys, &record);
        // Roles stand before everybody who has one.
        if let Record::Access(access) = &record {
            roles.extend(access.roles.iter().map(|role| role.id.clone()));
        }
        note_roles(&roles, &mut unknown_roles, &record);
        if let Record::User(user) = &record
            && !pools.contains(&user.key.pool)
        {
            pools.insert(user.key.pool.clone());
        }
        if let Record::Session(session) = &record {
            // None stands for never, which is later than all.
            until = until
                .zip(Tombstone::of_session(session).until)
                .map(|(one, other)| one.max(other));
        }
        if let Record::Message(message) = &record {
            messages_until = messages_until.max(message.expires);
        }
        progress.at(reading.position());
    }
    progress.end();
    let Some(end) = reading.end().cloned() else {
        return Err(TransferError::Refused("the file has no last line".to_owned()));
    };
    Ok(Checked {
        header: reading.header().clone(),
        end,
        expected,
        pools,
        keys,
        unknown_roles,
        sessions_until: until,
        messages_until,
    })
}

fn note_keys(keys: &mut BTreeMap<String, u64>, record: &Record) {
    for sealed in record.sealed() {
        let id = seal_local::key_id_of(sealed).unwrap_or_else(|| "that cannot be told".to_owned());
        if keys.len() < KEYS || keys.contains_key(&id) {
            *keys.entry(id).or_default() += 1;
        }
    }
}

fn note_roles(known: &BTreeSet<RoleId>, unknown: &mut BTreeMap<RoleId, u64>, record: &Record) {
    for role in record.roles() {
        if !known.contains(role) && (unknown.len() < UNKNOWN_ROLES || unknown.contains_key(role)) {
            *unknown.entry(role.clone()).or_default() += 1;
        }
    }
}
