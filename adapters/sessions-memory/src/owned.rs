//! Records under a token's hash that may belong to a user: found by either.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use domain::id::UserKey;
use domain::secret::TokenHash;

/// A record that may belong to a user.
pub(crate) trait Record {
    /// Where it is kept.
    fn token(&self) -> TokenHash;
    /// Whose it is; none while nobody is known.
    fn owner(&self) -> Option<UserKey>;
}

/// Records by token and by owner.
#[derive(Debug)]
pub(crate) struct Owned<R> {
    records: BTreeMap<TokenHash, R>,
    by_owner: BTreeMap<UserKey, BTreeSet<TokenHash>>,
}

impl<R> Default for Owned<R> {
    fn default() -> Self {
        Self {
            records: BTreeMap::new(),
            by_owner: BTreeMap::new(),
        }
    }
}

impl<R: Record> Owned<R> {
    /// Keeps a record; replaces the one under the same token.
    pub fn put(&mut self, record: R) {
        let token = record.token();
        self.take(&token);
        if let Some(owner) = record.owner() {
            self.by_owner.entry(owner).or_default().insert(token);
        }
        self.records.insert(token, record);
    }

    /// The record under a token.
    pub fn find(&self, token: &TokenHash) -> Option<&R> {
        self.records.get(token)
    }

    /// Changes the record under a token; neither its token nor its owner may change.
    pub fn change(&mut self, token: &TokenHash, change: impl FnOnce(&mut R)) {
        if let Some(record) = self.records.get_mut(token) {
            change(record);
        }
    }

    /// Removes the record under a token.
    pub fn take(&mut self, token: &TokenHash) -> Option<R> {
        let record = self.records.remove(token)?;
        if let Some(owner) = record.owner() {
            self.disown(&owner, token);
        }
        Some(record)
    }

    fn disown(&mut self, owner: &UserKey, token: &TokenHash) {
        if let Some(tokens) = self.by_owner.get_mut(owner) {
            tokens.remove(token);
            if tokens.is_empty() {
                self.by_owner.remove(owner);
            }
        }
    }

    /// The records whose tokens come after `after`, in the order of their tokens.
    pub fn beyond<'a>(&'a self, after: Option<&TokenHash>) -> impl Iterator<Item = &'a R> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.records.range::<TokenHash, _>((from, Bound::Unbounded));
        range.map(|(_, record)| record)
    }

    /// The same of one user's.
    pub fn beyond_of<'a>(
        &'a self,
        owner: &UserKey,
        after: Option<&TokenHash>,
    ) -> impl Iterator<Item = &'a R> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(*after));
        let tokens = self.by_owner.get(owner).into_iter();
        let tokens = tokens.flat_map(move |tokens| tokens.range((from, Bound::Unbounded)));
        tokens.filter_map(|token| self.records.get(token))
    }

    /// The records of one user.
    pub fn of<'a>(&'a self, owner: &UserKey) -> impl Iterator<Item = &'a R> {
        let tokens = self.by_owner.get(owner).into_iter().flatten();
        tokens.filter_map(|token| self.records.get(token))
    }

    /// Removes the records of one user that `goes` picks, and counts them.
    pub fn take_of(&mut self, owner: &UserKey, goes: impl Fn(&R) -> bool) -> u64 {
        let going: Vec<TokenHash> = self.of(owner).filter(|r| goes(r)).map(Record::token).collect();
        self.take_each(&going)
    }

    /// Removes all records that `goes` picks, and counts them.
    pub fn take_all(&mut self, goes: impl Fn(&R) -> bool) -> u64 {
        let all = self.records.values();
        let going: Vec<TokenHash> = all.filter(|r| goes(r)).map(Record::token).collect();
        self.take_each(&going)
    }

    fn take_each(&mut self, tokens: &[TokenHash]) -> u64 {
        let mut taken = 0;
        for token in tokens {
            taken += u64::from(self.take(token).is_some());
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::sample;
    use domain::session::Session;

    #[test]
    fn nothing_is_left_of_owners_without_records() {
        let mut owned = Owned::<Session>::default();
        let ann = sample::key("Users", "ann");
        for text in ["a", "b", "b"] {
            owned.put(sample::session(&ann, text));
        }
        assert_eq!(owned.of(&ann).count(), 2);
        owned.take(&sample::token("a"));
        assert_eq!(owned.take_all(|_| true), 1);
        assert!(owned.records.is_empty() && owned.by_owner.is_empty());
    }
}
