//! Limits on everything that can be guessed or made expensive: pure arithmetic over two stored numbers.
//!
//! A try is taken *before* it is judged, atomically, in the store; a success gives its own try back. So sixty guesses sent at one
//! instant are not sixty guesses judged, and nobody's success wipes out anybody's failures.

mod bucket;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::time::{Lifetime, Timestamp};

pub use bucket::Bucket;

/// Where a request came from, in one canonical spelling: IPv4-mapped addresses as IPv4, IPv6 by its /64.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientAddress(String);

impl ClientAddress {
    /// The canonical form of an address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(v4.to_string()),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self(format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"))
            }
        }
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The wider network: the first two numbers of an IPv4 address, the first three groups of an IPv6 one. People move within it.
    pub fn network(&self) -> String {
        let (separator, parts) = if self.0.contains(':') { (':', 3) } else { ('.', 2) };
        let wide: Vec<&str> = self.0.split(separator).take(parts).collect();
        wide.join(&separator.to_string())
    }
}

/// Names one counter. Made of what is counted and for whom; the "for whom" is hashed, so that no store of counters lists
/// addresses or names, and no key grows with its input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitKey(String);

impl LimitKey {
    /// The counter of `what` for `whom`.
    pub fn new(what: &str, whom: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in whom {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest: [u8; 32] = hash.finalize().into();
        let half = digest
            .first_chunk()
            .map_or(0, |bytes: &[u8; 16]| u128::from_be_bytes(*bytes));
        Self(format!("{what}:{half:032x}"))
    }

    /// The key's text, for stores.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How much of something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// A bucket that holds `burst` tries and refills completely over `per`.
    Rate {
        /// Tries at once.
        burst: u32,
        /// Time in which an empty bucket fills.
        per: Lifetime,
    },
    /// `free` tries, then one at a time with a wait that doubles from `wait` up to `max_wait`. Forgotten after `forget` without
    /// a try. The end of a wait frees one try, not all of them again.
    Lockout {
        /// Tries before the first wait.
        free: u32,
        /// The first wait.
        wait: Lifetime,
        /// The longest wait.
        max_wait: Lifetime,
        /// Quiet time after which all tries are forgotten.
        forget: Lifetime,
        /// Whether a success wipes the counter: right for one account at one place, whose owner has just shown up; wrong for an
        /// account seen from everywhere, where the owner's success says nothing about a stranger's failures.
        pardons: bool,
    },
}

/// The stored state of one counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// Rate: milliseconds of credit used up, as the moment the bucket is full again. Lockout: the moment of the last try.
    pub mark: i64,
    /// Lockout: tries so far. Rate: unused.
    pub count: u32,
}

/// What a counter says to a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Taken: go on and judge it.
    Allowed,
    /// Not taken, not counted: come back later.
    Denied {
        /// How much later.
        retry_after: Lifetime,
        /// Which of the counters that said no has the longest wait, where that is told.
        by: Option<Bucket>,
    },
}

impl Verdict {
    /// A no of some counter.
    pub const fn denied(retry_after: Lifetime) -> Self {
        Self::Denied {
            retry_after,
            by: None,
        }
    }

    /// The same as the counter of this key said it; the key's text will do.
    #[must_use]
    pub fn by(self, key: &str) -> Self {
        match self {
            Self::Allowed => self,
            Self::Denied { retry_after, .. } => Self::Denied {
                retry_after,
                by: Bucket::of(key),
            },
        }
    }

    /// The stricter of two verdicts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Denied { retry_after: a, .. }, Self::Denied { retry_after: b, .. }) => {
                if b > a {
                    other
                } else {
                    self
                }
            }
            (denied @ Self::Denied { .. }, Self::Allowed) | (Self::Allowed, denied) => denied,
        }
    }
}

impl Quota {
    /// Takes one try from a counter (absent ones start at [`Tries::default`]). On a denial the counter is unchanged, so a storm
    /// of denied tries never prolongs a wait.
    pub fn take(self, tries: Tries, now: Timestamp) -> (Tries, Verdict) {
        match self {
            Self::Rate { burst, per } => take_from_bucket(tries, now, burst, per),
            Self::Lockout {
                free,
                wait,
                max_wait,
                forget,
                pardons: _,
            } => {
                // A last try in the future comes from a clock that was set back since.
                let tries = Tries {
                    mark: tries.mark.min(now.as_millis()),
                    ..tries
                };
                let tries = if now.since(Timestamp::from_millis(tries.mark)) >= forget {
                    Tries::default()
                } else {
                    tries
                };
                let pause = pause_after(tries.count, free, wait, max_wait);
                let waited = now.since(Timestamp::from_millis(tries.mark));
                if waited < pause {
                    let retry_after = Lifetime::from_millis(pause.as_millis() - waited.as_millis());
                    return (tries, Verdict::denied(retry_after));
                }
                (
                    Tries {
                        mark: now.as_millis(),
                        count: tries.count.saturating_add(1),
                    },
                    Verdict::Allowed,
                )
            }
        }
    }

    /// Gives back one try that turned out right; all of them where a success pardons.
    pub fn give_back(self, tries: Tries) -> Tries {
        match self {
            Self::Rate { burst, per } => Tries {
                mark: tries.mark.saturating_sub(interval(burst, per)),
                ..tries
            },
            Self::Lockout { pardons: true, .. } => Tries::default(),
            Self::Lockout { pardons: false, .. } => Tries {
                count: tries.count.saturating_sub(1),
                ..tries
            },
        }
    }

    /// The same quota with nothing in it to pardon: what gives back a try that was never judged.
    #[must_use]
    pub fn without_pardon(self) -> Self {
        match self {
            Self::Lockout {
                free,
                wait,
                max_wait,
                forget,
                ..
            } => Self::Lockout {
                free,
                wait,
                max_wait,
                forget,
                pardons: false,
            },
            rate @ Self::Rate { .. } => rate,
        }
    }

    /// The moment from which a counter says no more than an absent one would: stores may drop it then.
    pub fn forgotten_at(self, tries: Tries) -> Timestamp {
        match self {
            Self::Rate { .. } => Timestamp::from_millis(tries.mark),
            Self::Lockout { forget, .. } => Timestamp::from_millis(tries.mark).plus(forget),
        }
    }
}

/// Generic cell rate algorithm: one number, the moment at which the bucket will be full again.
fn take_from_bucket(tries: Tries, now: Timestamp, burst: u32, per: Lifetime) -> (Tries, Verdict) {
    let step = interval(burst, per);
    let room = step.saturating_mul(i64::from(burst.max(1)));
    // A mark further ahead than the bucket is deep comes from a clock that was set back since: it must not lock anybody out.
    let credible = tries.mark <= now.as_millis().saturating_add(room);
    let mark = if credible { tries.mark } else { now.as_millis() };
    let full_again = mark.max(now.as_millis()).saturating_add(step);
    let over = full_again.saturating_sub(now.as_millis()).saturating_sub(room);
    if over > 0 {
        return (tries, Verdict::denied(Lifetime::from_millis(over.unsigned_abs())));
    }
    (
        Tries {
            mark: full_again,
            ..tries
        },
        Verdict::Allowed,
    )
}

/// Milliseconds in which one try grows back; at least one, rounded up so that no window ever holds a try too many.
fn interval(burst: u32, per: Lifetime) -> i64 {
    i64::try_from(per.as_millis().div_ceil(u64::from(burst.max(1))))
        .unwrap_or(i64::MAX)
        .max(1)
}

fn pause_after(count: u32, free: u32, wait: Lifetime, max_wait: Lifetime) -> Lifetime {
    count
        .checked_sub(free)
        .map_or(Lifetime::ZERO, |beyond| wait.doubled(beyond).min(max_wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Quota = Quota::Rate {
        burst: 3,
        per: Lifetime::from_secs(30),
    };
    const LOCKOUT: Quota = Quota::Lockout {
        free: 2,
        wait: Lifetime::from_secs(10),
        max_wait: Lifetime::from_secs(60),
        forget: Lifetime::from_secs(3600),
        pardons: false,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000 + seconds * 1000)
    }

    fn denied(seconds: u64) -> Verdict {
        Verdict::denied(Lifetime::from_secs(seconds))
    }

    /// Takes tries at the given seconds and returns the verdicts.
    fn verdicts(quota: Quota, seconds: &[i64]) -> Vec<Verdict> {
        let mut tries = Tries::default();
        let mut said = Vec::new();
        for second in seconds {
            let (after, verdict) = quota.take(tries, at(*second));
            tries = after;
            said.push(verdict);
        }
        said
    }

    #[test]
    fn a_bucket_allows_its_burst_and_then_one_at_a_time() {
        use Verdict::Allowed;
        assert_eq!(
            verdicts(RATE, &[0, 0, 0, 0, 9, 10, 10]),
            [
                Allowed,
                Allowed,
                Allowed,
                denied(10),
                denied(1),
                Allowed,
                denied(10)
            ]
        );
    }

    #[test]
    fn a_wait_frees_one_try_and_then_doubles() {
        use Verdict::Allowed;
        assert_eq!(
            verdicts(LOCKOUT, &[0, 0, 0, 10, 10, 29, 30, 31]),
            [
                Allowed,
                Allowed,
                denied(10),
                Allowed,
                denied(20),
                denied(1),
                Allowed,
                denied(39)
            ]
        );
    }

    #[test]
    fn a_denied_storm_does_not_prolong_the_wait() {
        let storm: Vec<i64> = [0, 0].into_iter().chain(0..10).chain([10]).collect();
        assert_eq!(verdicts(LOCKOUT, &storm).last(), Some(&Verdict::Allowed));
    }

    #[test]
    fn quiet_is_forgotten() {
        let (tries, _) = LOCKOUT.take(
            Tries {
                mark: at(0).as_millis(),
                count: 50,
            },
            at(3600),
        );
        assert_eq!(tries.count, 1);
    }

    #[test]
    fn a_success_gives_back_its_own_try_only() {
        let mut tries = Tries::default();
        for _ in 0..2 {
            tries = LOCKOUT.take(tries, at(0)).0;
        }
        assert_eq!(LOCKOUT.give_back(tries).count, 1);
        let after = RATE.give_back(RATE.take(Tries::default(), at(0)).0);
        assert_eq!(RATE.take(after, at(0)).0, RATE.take(Tries::default(), at(0)).0);
    }

    #[test]
    fn a_success_wipes_a_counter_that_pardons() {
        let Quota::Lockout {
            free,
            wait,
            max_wait,
            forget,
            ..
        } = LOCKOUT
        else {
            unreachable!()
        };
        let quota = Quota::Lockout {
            free,
            wait,
            max_wait,
            forget,
            pardons: true,
        };
        assert_eq!(
            quota.give_back(Tries {
                mark: at(0).as_millis(),
                count: 9
            }),
            Tries::default()
        );
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        for quota in [RATE, LOCKOUT] {
            let ahead = quota.take(Tries::default(), at(86_400)).0;
            assert_eq!(quota.take(ahead, at(0)).1, Verdict::Allowed);
        }
    }

    #[test]
    fn one_host_has_one_address_in_every_spelling() {
        let of = |text: &str| ClientAddress::of(text.parse().unwrap());
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }

    #[test]
    fn people_move_within_their_network() {
        let of = |text: &str| ClientAddress::of(text.parse().unwrap()).network();
        assert_eq!(of("192.0.2.1"), "192.0");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1");
    }

    #[test]
    fn a_key_hides_and_bounds_whom_it_counts() {
        let key = LimitKey::new("login", &["ann@example.com", &"x".repeat(9000)]);
        assert!(!key.as_str().contains("ann"));
        assert!(key.as_str().len() < 60);
        assert_ne!(LimitKey::new("a", &["bc", "d"]), LimitKey::new("a", &["b", "cd"]));
    }

    #[test]
    fn of_two_noes_the_longer_is_told_and_who_said_it() {
        let of = |bucket: Bucket, seconds| denied(seconds).by(LimitKey::new(bucket.name(), &["x"]).as_str());
        let (address, account) = (of(Bucket::LoginAddress, 5), of(Bucket::LoginAccount, 9));
        assert_eq!(address.and(account), account);
        assert_eq!(account.and(address), account);
        assert_eq!(address.and(Verdict::Allowed), address);
        let Verdict::Denied { by, .. } = account else {
            panic!("a no")
        };
        assert_eq!(by, Some(Bucket::LoginAccount));
        assert_eq!(Verdict::Allowed.by("login-account:1"), Verdict::Allowed);
        assert_eq!(denied(5).by("something else:1"), denied(5));
    }
}
