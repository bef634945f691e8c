//! `[limits]`: how often anybody may guess, send or sign up.

use super::read::Reader;

/// Longest span a limit may look back over: 31 days, in seconds.
const LONGEST: u64 = 2_678_400;

/// All limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `false` lifts every limit: for tests alone.
    pub enabled: bool,
    /// Failed logins from one client address.
    pub login_per_address: Rate,
    /// Failed logins to one account from one client address.
    pub login_per_account_and_address: Lockout,
    /// Failed logins to one account from anywhere.
    pub login_per_account: Lockout,
    /// Failed logins to all accounts of a pool, but for those from known devices; none for no such limit.
    pub login_per_pool: Option<Rate>,
    /// Accounts made from one client address.
    pub sign_up_per_address: Rate,
    /// Codes sent to one account.
    pub code_sends_per_account: Rate,
    /// Codes sent at the wish of one client address.
    pub code_sends_per_address: Rate,
    /// Codes sent to one number.
    pub code_sends_per_number: Rate,
    /// Codes sent to the numbers of one country.
    pub code_sends_per_country: Rate,
    /// Codes sent in all.
    pub code_sends_per_day: Rate,
    /// Wrong codes for one account.
    pub code_tries_per_account: Lockout,
    /// Wrong codes from one client address.
    pub code_tries_per_address: Rate,
    /// Mails to one account.
    pub mail_per_account: Rate,
    /// Mails at the wish of one client address.
    pub mail_per_address: Rate,
    /// Reset, confirm and verify tokens tried from one client address.
    pub token_tries_per_address: Rate,
    /// People sent to providers from one client address.
    pub authorizations_per_address: Rate,
    /// Calls of one application with its key.
    pub calls_per_application: Rate,
}

/// A leaky bucket: `burst` at once, and as many again over `per_seconds`, drop by drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Size of the bucket.
    pub burst: u64,
    /// Seconds in which an empty bucket is full again.
    pub per_seconds: u64,
}

/// A waiting time that doubles with every further failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// Failures without a wait.
    pub free: u64,
    /// First wait, in seconds.
    pub wait_seconds: u64,
    /// Longest wait, in seconds.
    pub max_wait_seconds: u64,
    /// Seconds without a failure after which all are forgotten.
    pub forget_seconds: u64,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            enabled: reader.flag("enabled", true),
            login_per_address: rate(reader, "login_per_address", 20, 900),
            login_per_account_and_address: lockout(reader, "login_per_account_and_address", (8, 30, 900)),
            login_per_account: lockout(reader, "login_per_account", (50, 60, 3600)),
            login_per_pool: maybe_rate(reader, "login_per_pool", 3000, 300),
            sign_up_per_address: rate(reader, "sign_up_per_address", 100, 3600),
            code_sends_per_account: rate(reader, "code_sends_per_account", 5, 600),
            code_sends_per_address: rate(reader, "code_sends_per_address", 15, 600),
            code_sends_per_number: rate(reader, "code_sends_per_number", 8, 3600),
            code_sends_per_country: rate(reader, "code_sends_per_country", 1000, 3600),
            code_sends_per_day: rate(reader, "code_sends_per_day", 10_000, 86_400),
            code_tries_per_account: lockout(reader, "code_tries_per_account", (10, 60, 3600)),
            code_tries_per_address: rate(reader, "code_tries_per_address", 20, 900),
            mail_per_account: rate(reader, "mail_per_account", 3, 3600),
            mail_per_address: rate(reader, "mail_per_address", 20, 3600),
            token_tries_per_address: rate(reader, "token_tries_per_address", 60, 900),
            authorizations_per_address: rate(reader, "authorizations_per_address", 120, 600),
            calls_per_application: rate(reader, "calls_per_application", 6000, 60),
        }
    }
}

fn rate(reader: &mut Reader, key: &str, burst: u64, per_seconds: u64) -> Rate {
    reader.section(key, |reader| Rate {
        burst: reader.number("burst", burst, 1..=1_000_000),
        per_seconds: reader.number("per_seconds", per_seconds, 1..=LONGEST),
    })
}

/// A rate that a burst of 0 switches off.
fn maybe_rate(reader: &mut Reader, key: &str, burst: u64, per_seconds: u64) -> Option<Rate> {
    let rate = reader.section(key, |reader| Rate {
        burst: reader.number("burst", burst, 0..=1_000_000),
        per_seconds: reader.number("per_seconds", per_seconds, 1..=LONGEST),
    });
    (rate.burst > 0).then_some(rate)
}

/// `defaults`: free failures, first wait, longest wait.
fn lockout(reader: &mut Reader, key: &str, defaults: (u64, u64, u64)) -> Lockout {
    reader.section(key, |reader| {
        let (free, wait, max_wait) = defaults;
        let lockout = Lockout {
            // NIST SP 800-63B, section 3.2.2: at most 100 failures in a row.
            free: reader.number("free", free, 1..=100),
            wait_seconds: reader.number("wait_seconds", wait, 1..=LONGEST),
            max_wait_seconds: reader.number("max_wait_seconds", max_wait, 1..=LONGEST),
            forget_seconds: reader.number("forget_seconds", 86_400, 1..=LONGEST),
        };
        if lockout.wait_seconds > lockout.max_wait_seconds {
            reader.refuse("wait_seconds", "is longer than `max_wait_seconds`");
        }
        if lockout.max_wait_seconds > lockout.forget_seconds {
            reader.refuse(
                "forget_seconds",
                "is shorter than `max_wait_seconds`: a wait would outlive its reason",
            );
        }
        lockout
    })
}
