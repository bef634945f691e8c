//! Who waits, and whose turn it is: two lines, so that a flood of sign-ups keeps nobody from logging in.

use std::collections::VecDeque;

use super::Job;

/// How many verifications may overtake a waiting hash before it is its turn.
const OVERTAKEN: usize = 3;
/// New hashes may take one place in this many.
const HASH_SHARE: usize = 3;

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A password compared with a stored hash: somebody comes back. Goes first.
    Verify,
    /// A new hash: a sign-up or a changed password. Anybody can ask for many, so it has a share of the places only.
    Hash,
}

/// The jobs that wait, each kind in the order it came.
#[derive(Default)]
pub struct Lines {
    verifying: VecDeque<Box<dyn Job>>,
    hashing: VecDeque<Box<dyn Job>>,
    /// Verifications that went before the first waiting hash.
    overtaken: usize,
}

impl Lines {
    /// Jobs of both kinds.
    pub fn len(&self) -> usize {
        self.verifying.len() + self.hashing.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.verifying.is_empty() && self.hashing.is_empty()
    }

    /// Whether a job of this kind finds no place, of `queue` and of `free` threads that will soon take somebody.
    pub fn are_full(&self, kind: Kind, queue: usize, free: usize) -> bool {
        let is_full = self.len() >= queue.saturating_add(free);
        let no_share = || {
            let share = (queue / HASH_SHARE).max(1);
            // Verifications go first: a thread one of them will take is not free for a hash.
            self.hashing.len() >= share.saturating_add(free.saturating_sub(self.verifying.len()))
        };
        is_full || (kind == Kind::Hash && no_share())
    }

    /// Jobs that are begun before one of this kind that came now, as long as nobody else comes.
    pub fn ahead(&self, kind: Kind) -> usize {
        let (verifying, hashing) = (self.verifying.len(), self.hashing.len());
        match kind {
            Kind::Verify => verifying + hashing.min((verifying + self.overtaken) / OVERTAKEN),
            Kind::Hash => {
                let overtaking = (OVERTAKEN * (hashing + 1)).saturating_sub(self.overtaken);
                hashing + verifying.min(overtaking)
            }
        }
    }

    /// Puts a job at the end of its line.
    pub fn push(&mut self, kind: Kind, job: Box<dyn Job>) {
        self.line(kind).push_back(job);
    }

    /// Drops the newest job of a kind.
    pub fn give_up_newest(&mut self, kind: Kind) {
        self.line(kind).pop_back();
    }

    /// Drops every job nobody waits for any more.
    pub fn drop_abandoned(&mut self) {
        self.verifying.retain(|job| !job.is_abandoned());
        self.hashing.retain(|job| !job.is_abandoned());
    }

    /// Drops every job.
    pub fn clear(&mut self) {
        self.verifying.clear();
        self.hashing.clear();
    }

    /// Takes the next job somebody still waits for: a verification, but a hash when none waits or enough went before it.
    pub fn take(&mut self) -> Option<Box<dyn Job>> {
        skip_abandoned(&mut self.verifying);
        skip_abandoned(&mut self.hashing);
        if self.hashing.is_empty() {
            self.overtaken = 0;
            return self.verifying.pop_front();
        }
        if self.verifying.is_empty() || self.overtaken >= OVERTAKEN {
            self.overtaken = 0;
            return self.hashing.pop_front();
        }
        self.overtaken += 1;
        self.verifying.pop_front()
    }

    const fn line(&mut self, kind: Kind) -> &mut VecDeque<Box<dyn Job>> {
        match kind {
            Kind::Verify => &mut self.verifying,
            Kind::Hash => &mut self.hashing,
        }
    }
}

/// Drops jobs from the front until there is one somebody waits for.
fn skip_abandoned(line: &mut VecDeque<Box<dyn Job>>) {
    while line.pop_front_if(|job| job.is_abandoned()).is_some() {}
}
