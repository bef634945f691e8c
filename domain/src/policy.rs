//! Every number of the product, in one place: lifetimes, lengths, limits. Built once from configuration, never changed after.

use std::collections::BTreeMap;

use crate::access::AclRule;
use crate::credential::PasswordRules;
use crate::error::Denial;
use crate::id::{DeviceId, PoolName, UserKey};
use crate::limits::{ClientAddress, LimitKey, Quota};
use crate::session::TokenLife;
use crate::time::Lifetime;
use crate::user::{FactorKind, Phone, User};

/// When a second factor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// Never; the calls for codes do not exist.
    Off,
    /// Of users who have one.
    Optional,
    /// Of everyone.
    Required,
}

/// What a token holder hears who may not do something: LoopBack's `aclErrorStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclErrorStatus {
    /// 401 `AUTHORIZATION_REQUIRED`, LoopBack's default.
    Unauthorized,
    /// 403 `ACCESS_DENIED`.
    Forbidden,
    /// 404 `MODEL_NOT_FOUND`.
    NotFound,
}

/// Something that changes who can get at an account, or hands out what only its owner may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SensitiveAct {
    /// Changing the e-mail address.
    Email,
    /// Changing the phone number.
    Phone,
    /// Changing the password.
    Password,
    /// Adding, removing or renaming second factors; making recovery codes.
    Factors,
    /// Linking an account elsewhere.
    Link,
    /// Unlinking one.
    Unlink,
    /// Handing out a provider's token.
    Reveal,
}

impl SensitiveAct {
    /// Every act.
    pub const ALL: [Self; 7] = [
        Self::Email,
        Self::Phone,
        Self::Password,
        Self::Factors,
        Self::Link,
        Self::Unlink,
        Self::Reveal,
    ];

    /// The name, as in configuration and audit events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Password => "password",
            Self::Factors => "factors",
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::Reveal => "reveal",
        }
    }

    /// The act of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }
}

/// The rules of one pool: LoopBack's model settings and ours.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one field per setting, as LoopBack names them"
)]
pub struct PoolPolicy {
    /// The pool's plural name, as in the path.
    pub name: PoolName,
    /// The model's name in messages (`User`).
    pub model: String,
    /// Life of a session when the login asks for none.
    pub ttl: Lifetime,
    /// Longest life a login may ask for.
    pub max_ttl: Lifetime,
    /// Life of a reset link.
    pub reset_password_token_ttl: Lifetime,
    /// Life of a verification link.
    pub verify_token_ttl: Lifetime,
    /// Whether an address must be verified before its owner may log in or reset.
    pub email_verification_required: bool,
    /// Whether users live in realms.
    pub realm_required: bool,
    /// What parts realm from name in a login (`one:ann@example.com`).
    pub realm_delimiter: Option<String>,
    /// Whether addresses differing by case are different.
    pub case_sensitive_email: bool,
    /// Whether a login may ask for a session without end.
    pub allow_eternal_tokens: bool,
    /// Whether `PATCH` and `PUT` refuse every password change.
    pub reject_password_changes_via_patch_or_replace: bool,
    /// What a refused token holder hears.
    pub acl_error_status: AclErrorStatus,
    /// When a second factor is asked for.
    pub second_factor: SecondFactor,
    /// Which kinds of second factor may be added. One that a user has stays good, whatever stands here: a changed rule must not open
    /// an account.
    pub factor_kinds: Vec<FactorKind>,
    /// How long a device may be trusted, so that no second factor is asked of it; none where devices are not.
    pub trust_device: Option<Lifetime>,
    /// Whether a passkey that verifies its user is a whole login.
    pub passkey_login: bool,
    /// Whether a mailed link is a first factor, in the place of a password.
    pub magic_link: bool,
    /// Life of such a link.
    pub magic_link_life: Lifetime,
    /// The acts that want a proof no older than [`PoolPolicy::fresh_login`].
    pub step_up: Vec<SensitiveAct>,
    /// Whether owners are told by mail what changed about their accounts.
    pub notices: bool,
    /// How long a changed e-mail address can be set back from the old one.
    pub revert_email_life: Lifetime,
    /// How long a session may lie unused; none for as long as it lives.
    pub idle_timeout: Option<Lifetime>,
    /// Life of a session begun on the pages without "keep me logged in".
    pub page_ttl: Lifetime,
    /// Life of an access token that a refresh token renews.
    pub access_token_ttl: Lifetime,
    /// How long a refresh token may lie unused.
    pub refresh_token_ttl: Lifetime,
    /// How long a login lives by refresh tokens at most.
    pub refresh_token_max_ttl: Lifetime,
    /// How long the answer to a refresh may be asked for again after its tokens were used.
    pub refresh_grace: Lifetime,
    /// Life of a code.
    pub code_life: Lifetime,
    /// Life of a session opened by `loginWithCode`.
    pub code_token_ttl: Lifetime,
    /// How long a login may wait for its code.
    pub pending_login_life: Lifetime,
    /// How recent a login must be to stand for a fresh proof.
    pub fresh_login: Lifetime,
    /// Whether sign-up hides that an address is taken.
    pub hide_existing: bool,
    /// What may be a password.
    pub password: PasswordRules,
    /// Words that no password may be made of, beside the service's name and the user's own.
    pub context_words: Vec<String>,
    /// Access rules on top of the built-in ones.
    pub acls: Vec<AclRule>,
}

impl PoolPolicy {
    /// LoopBack's defaults under ours, for a pool and its model name.
    pub fn new(name: PoolName, model: impl Into<String>) -> Self {
        Self {
            name,
            model: model.into(),
            ttl: Lifetime::from_secs(1_209_600),
            max_ttl: Lifetime::from_secs(31_556_926),
            reset_password_token_ttl: Lifetime::from_secs(900),
            verify_token_ttl: Lifetime::from_secs(86_400),
            email_verification_required: false,
            realm_required: false,
            realm_delimiter: None,
            case_sensitive_email: false,
            allow_eternal_tokens: false,
            reject_password_changes_via_patch_or_replace: false,
            acl_error_status: AclErrorStatus::Unauthorized,
            second_factor: SecondFactor::Optional,
            factor_kinds: FactorKind::ALL.to_vec(),
            trust_device: None,
            passkey_login: true,
            magic_link: false,
            magic_link_life: Lifetime::from_secs(600),
            step_up: SensitiveAct::ALL.to_vec(),
            notices: true,
            revert_email_life: Lifetime::from_secs(604_800),
            idle_timeout: None,
            page_ttl: Lifetime::from_secs(43_200),
            access_token_ttl: Lifetime::from_secs(900),
            refresh_token_ttl: Lifetime::from_secs(2_592_000),
            refresh_token_max_ttl: Lifetime::from_secs(31_536_000),
            refresh_grace: Lifetime::from_secs(30),
            code_life: Lifetime::from_secs(60),
            code_token_ttl: Lifetime::from_secs(86_400),
            pending_login_life: Lifetime::from_secs(600),
            fresh_login: Lifetime::from_secs(300),
            hide_existing: false,
            password: PasswordRules::default(),
            context_words: Vec::new(),
            acls: Vec::new(),
        }
    }

    /// The life a login gets that asks for `seconds`: the default for none or zero, never more than the maximum, −1 for ever
    /// only where the pool allows it.
    ///
    /// # Errors
    /// [`Denial::InvalidTtl`] for other negative numbers and for what is no number.
    pub fn session_life(&self, seconds: Option<f64>) -> Result<TokenLife, Denial> {
        match seconds {
            None => Ok(TokenLife::Finite(self.ttl)),
            Some(-1.0) if self.allow_eternal_tokens => Ok(TokenLife::Eternal),
            Some(asked) if asked.is_nan() || asked < 0.0 => Err(Denial::InvalidTtl),
            Some(asked) => Ok(TokenLife::Finite(self.bounded(asked))),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be within 0 and the maximum"
    )]
    fn bounded(&self, seconds: f64) -> Lifetime {
        let millis = seconds * 1000.0;
        if millis < 1.0 {
            self.ttl
        } else if millis >= self.max_ttl.as_secs_f64() * 1000.0 {
            self.max_ttl
        } else {
            Lifetime::from_millis(millis as u64)
        }
    }

    /// Whether this user's login needs a second factor.
    pub fn second_factor_is_due(&self, user: &User) -> bool {
        match self.second_factor {
            SecondFactor::Off => false,
            SecondFactor::Optional => user.has_second_factor(),
            SecondFactor::Required => true,
        }
    }

    /// Whether a second factor of that kind may be added here.
    pub fn takes(&self, kind: FactorKind) -> bool {
        self.second_factor != SecondFactor::Off && self.factor_kinds.contains(&kind)
    }
}

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
    const fn key(self) -> &'static str {
        match self {
            Self::Verify => "mail-verify",
            Self::Reset => "mail-reset",
            Self::SignUp => "mail-sign-up",
            Self::Join => "mail-join",
            Self::MagicLink => "mail-magic-link",
            Self::EmailChange => "mail-email-change",
        }
    }
}

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
            (LimitKey::new("login-address", &[from]), self.login_per_address),
            (
                LimitKey::new("login-account-address", &[pool, account, from]),
                self.login_per_account_and_address,
            ),
        ];
        if let Some(device) = device {
            let key = LimitKey::new("login-account-device", &[pool, account, device.as_str()]);
            counters.push((key, self.login_per_account));
        } else {
            let key = LimitKey::new("login-account", &[pool, account]);
            counters.push((key, self.login_per_account));
            counters.extend(
                self.login_per_pool
                    .map(|quota| (LimitKey::new("login-pool", &[pool]), quota)),
            );
        }
        self.ask(counters)
    }

    /// A new user.
    pub fn sign_up(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            LimitKey::new("sign-up", &[address.as_str()]),
            self.sign_up_per_address,
        )])
    }

    /// A code to be sent, to a number where there is one: whoever makes us send to costly numbers empties the budgets of that number,
    /// that country and that day, and no other.
    pub fn code_send(&self, user: &UserKey, address: &ClientAddress, phone: Option<&Phone>) -> Asked {
        let mut counters = vec![
            (account_key("code-send", user), self.code_sends_per_account),
            (
                LimitKey::new("code-send-address", &[address.as_str()]),
                self.code_sends_per_address,
            ),
        ];
        if let Some(phone) = phone {
            counters.push((
                LimitKey::new("code-send-number", &[phone.as_str()]),
                self.code_sends_per_number,
            ));
            counters.push((
                LimitKey::new("code-send-country", &[phone.country_code()]),
                self.code_sends_per_country,
            ));
            counters.push((LimitKey::new("code-send-day", &[]), self.code_sends_per_day));
        }
        self.ask(counters)
    }

    /// A second factor tried by someone who reaches a flow of that user: the account's budget for that kind is at stake, and no other
    /// kind's.
    pub fn factor_try(&self, kind: FactorKind, user: &UserKey) -> Asked {
        let what = match kind {
            FactorKind::Sms => "code-try",
            FactorKind::Totp => "totp-try",
            FactorKind::Recovery => "recovery-try",
            FactorKind::Passkey => "passkey-try",
        };
        self.ask(vec![(account_key(what, user), self.code_tries_per_account)])
    }

    /// A code typed for a phone number that is to be confirmed. Its own budget: who knows the password may not shut the second factor.
    pub fn confirm_phone_try(&self, user: &UserKey) -> Asked {
        self.ask(vec![(
            account_key("confirm-phone-try", user),
            self.code_tries_per_account,
        )])
    }

    /// The first code of an authenticator app that is being added.
    pub fn enrol_try(&self, user: &UserKey) -> Asked {
        self.ask(vec![(
            account_key("enrol-try", user),
            self.code_tries_per_account,
        )])
    }

    /// An authenticator that is asked for a login from an address: each leaves an unfinished flow behind.
    pub fn passkey_call(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            LimitKey::new("passkey-call", &[address.as_str()]),
            self.authorizations_per_address,
        )])
    }

    /// A mailed code typed to join an account elsewhere with a user. It has a budget of its own: whoever can make an offer to a user
    /// (a provider that vouches for nothing is enough) must not be able to shut that user's second factor.
    pub fn join_code_try(&self, user: &UserKey) -> Asked {
        self.ask(vec![(
            account_key("join-code-try", user),
            self.code_tries_per_account,
        )])
    }

    /// A code typed without a challenge: it spends the address's budget, whomever it names.
    pub fn code_try_from(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            LimitKey::new("code-try-address", &[address.as_str()]),
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
        vec![(LimitKey::new("code", &[flow]), quota)]
    }

    /// A mail of one kind caused from an address to an account, named as in [`Limits::password_try`]. Each kind has its own budget
    /// per account: whoever asks for one kind cannot stop another.
    pub fn mail(&self, kind: MailBudget, pool: &PoolName, account: &str, address: &ClientAddress) -> Asked {
        self.ask(vec![
            (
                LimitKey::new(kind.key(), &[pool.as_str(), account]),
                self.mail_per_account,
            ),
            (
                LimitKey::new("mail-address", &[address.as_str()]),
                self.mail_per_address,
            ),
        ])
    }

    /// A mail that was asked for from an address and goes to nobody.
    pub fn mail_to_nobody(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            LimitKey::new("mail-address", &[address.as_str()]),
            self.mail_per_address,
        )])
    }

    /// Somebody to be sent to a provider: each leaves an unfinished flow behind.
    pub fn authorization(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            LimitKey::new("authorization", &[address.as_str()]),
            self.authorizations_per_address,
        )])
    }

    /// A reset or verification token presented.
    pub fn token_try(&self, address: &ClientAddress) -> Asked {
        self.ask(vec![(
            LimitKey::new("token-try", &[address.as_str()]),
            self.token_tries_per_address,
        )])
    }
}

fn account_key(what: &str, user: &UserKey) -> LimitKey {
    LimitKey::new(what, &[user.pool.as_str(), user.id.as_str()])
}

/// Everything configured that decisions depend on.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The pools, by name.
    pub pools: BTreeMap<PoolName, PoolPolicy>,
    /// How much may be tried.
    pub limits: Limits,
    /// `scheme://host[:port]` of every link we send; no slash at its end.
    pub public_url: String,
    /// What the service is called in authenticator apps and messages.
    pub service_name: String,
    /// The language of messages to people of whom nothing else is known, as a primary subtag (`en`).
    pub language: String,
    /// How long audit events are kept.
    pub audit_life: Lifetime,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    fn pool() -> PoolPolicy {
        PoolPolicy::new(PoolName::new("Users"), "User")
    }

    fn seconds(life: Result<TokenLife, Denial>) -> f64 {
        match life {
            Ok(TokenLife::Finite(life)) => life.as_secs_f64(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "whole and half seconds are exact")]
    fn a_login_gets_the_life_it_asks_for_within_bounds() {
        let pool = pool();
        assert_eq!(seconds(pool.session_life(None)), 1_209_600.0);
        assert_eq!(seconds(pool.session_life(Some(0.0))), 1_209_600.0);
        assert_eq!(seconds(pool.session_life(Some(10.0))), 10.0);
        assert_eq!(seconds(pool.session_life(Some(1.5))), 1.5);
        assert_eq!(seconds(pool.session_life(Some(1e12))), 31_556_926.0);
        assert_eq!(seconds(pool.session_life(Some(f64::INFINITY))), 31_556_926.0);
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
    fn no_other_negative_life_and_no_eternity_unless_allowed() {
        let mut pool = pool();
        for bad in [-1.0, -5.0, f64::NAN] {
            assert!(matches!(pool.session_life(Some(bad)), Err(Denial::InvalidTtl)));
        }
        pool.allow_eternal_tokens = true;
        assert!(matches!(pool.session_life(Some(-1.0)), Ok(TokenLife::Eternal)));
        assert!(matches!(pool.session_life(Some(-5.0)), Err(Denial::InvalidTtl)));
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
}
