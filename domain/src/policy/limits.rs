//! How much may be tried: which counters each try takes from, and how much each holds.

use crate::id::{ApplicationId, DeviceId, PoolName, UserKey};
use crate::limits::{Bucket, ClientAddress, LimitKey, Quota};
use crate::origin::Origin;
use crate::ports::Once;
use crate::time::{Lifetime, Timestamp};
use crate::user::{FactorKind, Phone, User};

/// How much may be tried. Every number is a configuration key.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Whether anything is limited at all.
    pub enabled: bool,
    /// Failed password tries from one address, over all accounts.
    pub login_per_address: Quota,
    /// Failed password tries on one account from one address.
    pub login_per_account_and_address: Quota,
    /// Failed password tries on one account from everywhere but its known devices, each of which has as many of its own.
    pub login_per_account: Quota,
    /// Failed password tries on all accounts of a pool, from everywhere but their known devices; none for as many as there are.
    pub login_per_pool: Option<Quota>,
    /// New users from one address.
    pub sign_up_per_address: Quota,
    /// Codes sent to one account.
    pub code_sends_per_account: Quota,
    /// Codes sent for one address.
    pub code_sends_per_address: Quota,
    /// Codes sent to one number, whoever asks.
    pub code_sends_per_number: Quota,
    /// Codes sent to the numbers of one country calling code.
    pub code_sends_per_country: Quota,
    /// Codes sent in all.
    pub code_sends_per_day: Quota,
    /// Failed codes on one account: each kind of second factor has a budget of its own.
    pub code_tries_per_account: Quota,
    /// Failed codes from one address.
    pub code_tries_per_address: Quota,
    /// Mails to one account.
    pub mail_per_account: Quota,
    /// Mails caused by one address.
    pub mail_per_address: Quota,
    /// Failed reset and verification tokens from one address.
    pub token_tries_per_address: Quota,
    /// People sent to providers from one address.
    pub authorizations_per_address: Quota,
    /// Calls of one application with its key, from everywhere.
    pub calls_per_application: Quota,
}

/// Tries one pending login has, whatever the other limits say.
pub const TRIES_PER_CODE: u32 = 5;

/// Pending logins one account may have at once; the oldest gives way.
pub const PENDING_LOGINS_PER_ACCOUNT: usize = 3;

const fn rate(burst: u32, seconds: u64) -> Quota {
    Quota::Rate {
        burst,
        per: Lifetime::from_secs(seconds),
    }
}

const fn lockout(free: u32, wait: u64, max_wait: u64, pardons: bool) -> Quota {
    Quota::Lockout {
        free,
        wait: Lifetime::from_secs(wait),
        max_wait: Lifetime::from_secs(max_wait),
        forget: Lifetime::from_secs(86_400),
        pardons,
    }
}

/// Giving back by this quota leaves nothing of a counter, whatever it counted by.
const WIPED: Quota = lockout(1, 1, 1, true);

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            login_per_address: rate(20, 900),
            login_per_account_and_address: lockout(8, 30, 900, true),
            login_per_account: lockout(50, 60, 3600, false),
            login_per_pool: Some(rate(3000, 300)),
            sign_up_per_address: rate(100, 3600),
            code_sends_per_account: rate(5, 600),
            code_sends_per_address: rate(15, 600),
            code_sends_per_number: rate(8, 3600),
            code_sends_per_country: rate(1000, 3600),
            code_sends_per_day: rate(10_000, 86_400),
            code_tries_per_account: lockout(10, 60, 3600, false),
            code_tries_per_address: rate(20, 900),
            mail_per_account: rate(3, 3600),
            mail_per_address: rate(20, 3600),
            token_tries_per_address: rate(60, 900),
            authorizations_per_address: rate(120, 600),
            calls_per_application: rate(6000, 60),
        }
    }
}

/// The kinds of mail that have a budget of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailBudget {
    /// Verification mails.
    Verify,
    /// Reset mails.
    Reset,
    /// Mails that a sign-up causes.
    SignUp,
    /// Codes to join an account elsewhere with a user.
    Join,
    /// Links to log in with.
    MagicLink,
    /// Telling an old address that there is a new one.
    EmailChange,
}

impl MailBudget {
    const fn bucket(self) -> Bucket {
        match self {
            Self::Verify => Bucket::MailVerify,
            Self::Reset => Bucket::MailReset,
            Self::SignUp => Bucket::MailSignUp,
            Self::Join => Bucket::MailJoin,
            Self::MagicLink => Bucket::MailMagicLink,
            Self::EmailChange => Bucket::MailEmailChange,
        }
    }
}

/// How long a proof that counts once is remembered: longer than any adapter takes one ([`Once::until`]).
pub const ONCE: Lifetime = Lifetime::from_secs(86_400);

/// Counters to take from together.
pub type Asked = Vec<(LimitKey, Quota)>;

/// The same counters for giving back a try that was never judged: nothing is pardoned by it.
pub fn unjudged(taken: &Asked) -> Asked {
    taken
        .iter()
        .map(|(key, quota)| (key.clone(), quota.without_pardon()))
        .collect()
}

impl Limits {
    fn ask(&self, counters: Asked) -> Asked {
        if self.enabled { counters } else { Vec::new() }
    }

    /// A password try on an account, named by its id where it exists and by what was typed where it does not.
    ///
    /// `device` is one that its owner logged in from before and that proved it by its token: it is judged by its own counter, so that
    /// no stranger's guesses, however many, shut an owner out of the places they always log in from (ASVS 6.1.1).
    pub fn password_try(
        &self,
        pool: &PoolName,
        account: &str,
        address: &ClientAddress,
        device: Option<&DeviceId>,
    ) -> Asked {
        let (pool, from) = (pool.as_str(), address.as_str());
        let mut counters = vec![
            (key(Bucket::LoginAddress, &[from]), self.login_per_address),
            (
                key(Bucket::LoginAccountAddress, &[pool, account, from]),
                self.login_per_account_and_address,
            ),
        ];
        if let Some(device) = device {
            let known = key(Bucket::LoginAccountDevice, &[pool, account, device.as_str()]);
            counters.push((known, self.login_per_account));
        } else {
            let strange = key(Bucket::LoginAccount, &[pool, account]);
            counters.push((strange, self.login_per_account));
            counters.extend(
                self.login_per_pool
                    .map(|quota| (key(Bucket::LoginPool, &[pool]), quota)),
            );
        }
        self.ask(counters)
    }

    /// Every counter of failed tries that stands on an account and can be named, to be wiped: those of its password from everywhere, from
    /// `origin` and from its known devices, and those of its second factors. Counters of single other addresses fade by themselves.
    pub fn of_account(&self, user: &User, origin: &Origin) -> Asked {
        let (pool, account) = (user.key.pool.as_str(), user.key.id.as_str());
        let from = origin.address.as_str();
        let mut keys = vec![
            key(Bucket::LoginAccount, &[pool, account]),
            key(Bucket::LoginAccountAddress, &[pool, account, from]),
        ];
        let devices = user.devices.iter();
        keys.extend(devices.map(|it| key(Bucket::LoginAccountDevice, &[pool, account, it.id.as_str()])));
        let of_factors = [
            Bucket::CodeTry,
            Bucket::TotpTry,
            Bucket::RecoveryTry,
            Bucket::PasskeyTry,
            Bucket::ConfirmPhoneTry,
            Bucket::EnrolTry,
            Bucket::JoinCodeTry,
        ];
        keys.extend(of_factors.map(|bucket| account_key(bucket, &user.key)));
        self.ask(keys.into_iter().map(|key| (key, WIPED)).collect())
    }

    /// A new user.
    pub fn sign_up(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            key(Bucket::SignUp, &[address.as_str()]),
            self.sign_up_per_address,
        )])
    }

    /// A code to be sent, to a number where there is one: whoever makes us send to costly numbers empties the budgets of that number,
    /// that country and that day, and no other.
    pub fn code_send(&self, user: &UserKey, address: &ClientAddress, phone: Option<&Phone>) -> Asked {
        let mut counters = vec![
            (account_key(Bucket::CodeSend, user), self.code_sends_per_account),
            (
                key(Bucket::CodeSendAddress, &[address.as_str()]),
                self.code_sends_per_address,
            ),
        ];
        if let Some(phone) = phone {
            counters.push((
                key(Bucket::CodeSendNumber, &[phone.as_str()]),
                self.code_sends_per_number,
            ));
            counters.push((
                key(Bucket::CodeSendCountry, &[phone.country_code()]),
                self.code_sends_per_country,
            ));
            counters.push((key(Bucket::CodeSendDay, &[]), self.code_sends_per_day));
        }
        self.ask(counters)
    }

    /// A second factor tried by someone who reaches a flow of that user: the account's budget for that kind is at stake, and no other
    /// kind's.
    pub fn factor_try(&self, kind: FactorKind, user: &UserKey) -> Asked {
        let what = match kind {
            FactorKind::Sms => Bucket::CodeTry,
            FactorKind::Totp => Bucket::TotpTry,
            FactorKind::Recovery => Bucket::RecoveryTry,
            FactorKind::Passkey => Bucket::PasskeyTry,
        };
        self.ask(vec![(account_key(what, user), self.code_tries_per_account)])
    }

    /// A code typed for a phone number that is to be confirmed. Its own budget: who knows the password may not shut the second factor.
    pub fn confirm_phone_try(&self, user: &UserKey) -> Asked {
        self.ask(vec![(
            account_key(Bucket::ConfirmPhoneTry, user),
            self.code_tries_per_account,
        )])
    }

    /// The first code of an authenticator app that is being added.
    pub fn enrol_try(&self, user: &UserKey) -> Asked {
        self.ask(vec![(
            account_key(Bucket::EnrolTry, user),
            self.code_tries_per_account,
        )])
    }

    /// An authenticator that is asked for a login from an address: each leaves an unfinished flow behind.
    pub fn passkey_call(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            key(Bucket::PasskeyCall, &[address.as_str()]),
            self.authorizations_per_address,
        )])
    }

    /// A mailed code typed to join an account elsewhere with a user. It has a budget of its own: whoever can make an offer to a user
    /// (a provider that vouches for nothing is enough) must not be able to shut that user's second factor.
    pub fn join_code_try(&self, user: &UserKey) -> Asked {
        self.ask(vec![(
            account_key(Bucket::JoinCodeTry, user),
            self.code_tries_per_account,
        )])
    }

    /// A code typed without a challenge: it spends the address's budget, whomever it names.
    pub fn code_try_from(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            key(Bucket::CodeTryAddress, &[address.as_str()]),
            self.code_tries_per_address,
        )])
    }

    /// The tries of one flow's code. Never switched off: it is what makes six digits enough.
    pub fn tries_of_one_code(flow: &str, life: Lifetime) -> Asked {
        let quota = Quota::Lockout {
            free: TRIES_PER_CODE,
            wait: life,
            max_wait: life,
            forget: life,
            pardons: false,
        };
        vec![(key(Bucket::Code, &[flow]), quota)]
    }

    /// A mail of one kind caused from an address to an account, named as in [`Limits::password_try`]. Each kind has its own budget
    /// per account: whoever asks for one kind cannot stop another.
    pub fn mail(&self, kind: MailBudget, pool: &PoolName, account: &str, address: &ClientAddress) -> Asked {
        self.ask(vec![
            (
                key(kind.bucket(), &[pool.as_str(), account]),
                self.mail_per_account,
            ),
            (
                key(Bucket::MailAddress, &[address.as_str()]),
                self.mail_per_address,
            ),
        ])
    }

    /// A mail that was asked for from an address and goes to nobody.
    pub fn mail_to_nobody(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            key(Bucket::MailAddress, &[address.as_str()]),
            self.mail_per_address,
        )])
    }

    /// Somebody to be sent to a provider: each leaves an unfinished flow behind.
    pub fn authorization(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            key(Bucket::Authorization, &[address.as_str()]),
            self.authorizations_per_address,
        )])
    }

    /// A proof that counts once. Never switched off. The counters are shared by all nodes and taken atomically: that is all it needs.
    ///
    /// The wait is a lockout's, and the same whenever the proof is shown: a bucket would refill for a node whose clock is behind, and a
    /// wait until the proof is over would be shorter each time it is shown.
    ///
    /// Whose proof it is, its issuer says: shown at another entry, of another pool too, it is the same.
    pub fn once(issuer: &str, once: &Once, now: Timestamp) -> Asked {
        let wait = once.until.since(now).max(ONCE);
        let quota = Quota::Lockout {
            free: 1,
            wait,
            max_wait: wait,
            forget: wait,
            pardons: false,
        };
        vec![(key(Bucket::Once, &[issuer, &once.id]), quota)]
    }

    /// A call of an application that proved itself.
    pub fn application_call(&self, id: &ApplicationId) -> Asked {
        self.ask(vec![(
            key(Bucket::ApplicationCall, &[id.as_str()]),
            self.calls_per_application,
        )])
    }

    /// A reset or verification token presented.
    pub fn token_try(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            key(Bucket::TokenTry, &[address.as_str()]),
            self.token_tries_per_address,
        )])
    }
}

fn key(bucket: Bucket, whom: &[&str]) -> LimitKey {
    LimitKey::new(bucket.name(), whom)
}

fn account_key(bucket: Bucket, user: &UserKey) -> LimitKey {
    key(bucket, &[user.pool.as_str(), user.id.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;
    use crate::limits::Verdict;

    #[test]
    fn a_counter_that_says_no_is_known_by_its_bucket() {
        let (limits, pool) = (Limits::default(), PoolName::new("Users"));
        let user = UserKey::new(pool.clone(), UserId::new("1"));
        let address = ClientAddress::of("127.0.0.1".parse().unwrap());
        let phone = Phone::parse("+491701234567");
        let asked = [
            limits.password_try(&pool, "1", &address, None),
            limits.code_send(&user, &address, phone.as_ref()),
            limits.mail(MailBudget::Reset, &pool, "1", &address),
        ];
        let said: Vec<&str> = asked
            .iter()
            .flatten()
            .map(
                |(key, _)| match Verdict::denied(Lifetime::ZERO).by(key.as_str()) {
                    Verdict::Denied { by: Some(bucket), .. } => bucket.name(),
                    nameless => panic!("{key:?}: {nameless:?}"),
                },
            )
            .collect();
        let expected = "login-address login-account-address login-account login-pool code-send code-send-address \
                        code-send-number code-send-country code-send-day mail-reset mail-address";
        assert_eq!(said, expected.split_ascii_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn wrong_codes_of_a_join_shut_no_second_factor() {
        let (limits, user) = (
            Limits::default(),
            UserKey::new(PoolName::new("Users"), UserId::new("1")),
        );
        let [(join, _)] = &limits.join_code_try(&user)[..] else {
            panic!("one budget")
        };
        assert!(
            limits
                .factor_try(FactorKind::Sms, &user)
                .iter()
                .all(|(factor, _)| factor != join)
        );
    }

    #[test]
    fn strangers_count_against_each_other_and_never_against_a_known_device() {
        let (limits, pool) = (Limits::default(), PoolName::new("Users"));
        let address = ClientAddress::of("127.0.0.1".parse().unwrap());
        let keys = |device: Option<&DeviceId>| -> Vec<String> {
            let asked = limits.password_try(&pool, "1", &address, device);
            asked.iter().map(|(key, _)| key.as_str().to_owned()).collect()
        };
        let (mine, other) = (DeviceId::new("a"), DeviceId::new("b"));
        let (strange, known) = (keys(None), keys(Some(&mine)));
        let named = |keys: &[String], what: &str| keys.iter().any(|key| key.starts_with(&format!("{what}:")));
        assert!(named(&strange, "login-account") && named(&strange, "login-pool"));
        assert!(!named(&known, "login-account") && !named(&known, "login-pool"));
        assert!(named(&known, "login-account-device"));
        assert_ne!(known, keys(Some(&other)));
    }

    #[test]
    fn switched_off_limits_still_count_the_tries_of_a_code() {
        let limits = Limits {
            enabled: false,
            ..Limits::default()
        };
        let address = ClientAddress::of("127.0.0.1".parse().unwrap());
        assert!(limits.sign_up(&address).is_empty());
        assert!(!Limits::tries_of_one_code("flow", Lifetime::from_secs(600)).is_empty());
    }

    #[test]
    fn a_proof_counts_once_whenever_and_by_whatever_clock_it_is_shown_again() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let once = Once {
            id: "a".to_owned(),
            until: at(3600),
        };
        let take = |tries, now| {
            let [(_, quota)] = &Limits::once("realm", &once, now)[..] else {
                panic!("one counter")
            };
            quota.take(tries, now)
        };
        let (tries, first) = take(crate::limits::Tries::default(), at(0));
        assert_eq!(first, Verdict::Allowed);
        for shown in [-600, -1, 0, 1, 1800, 3599, 3601, 80_000] {
            assert_ne!(take(tries, at(shown)).1, Verdict::Allowed, "after {shown} s");
        }
        let key = |issuer| Limits::once(issuer, &once, at(0))[0].0.clone();
        assert_ne!(key("realm"), key("other"));
    }
}
