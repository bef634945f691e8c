//! Every number of the product, in one place: lifetimes, lengths, limits. Built once from configuration, never changed after.

mod limits;

pub use limits::{Asked, Limits, MailBudget, ONCE, PENDING_LOGINS_PER_ACCOUNT, TRIES_PER_CODE, unjudged};

use std::collections::BTreeMap;

use crate::access::AclRule;
use crate::credential::PasswordRules;
use crate::error::Denial;
use crate::id::PoolName;
use crate::session::TokenLife;
use crate::time::Lifetime;
use crate::user::{FactorKind, User};
use crate::webhook::Webhook;

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

/// What services beside the server may: who administers it, rules that belong to no pool, and what others are told.
#[derive(Clone, Debug, Default)]
pub struct AccessPolicy {
    /// The pool whose users may administer the server; none for the usual one, see [`Policy::admin_pool`].
    pub admin_pool: Option<PoolName>,
    /// Rules about models of the server and of services that it guards.
    pub acls: Vec<AclRule>,
    /// The access tokens that services check by themselves; none where none are made.
    pub signed_tokens: Option<SignedTokens>,
    /// The services that hear what happens to users.
    pub webhooks: Vec<Webhook>,
}

/// Whom signed access tokens are for, and how long they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTokens {
    /// The services they may be for, by the names those know themselves by; the first where a caller names none. Never empty.
    pub audiences: Vec<String>,
    /// How long one holds: nothing ends it earlier.
    pub life: Lifetime,
}

/// The pool that administers where none is named.
const USUAL_ADMIN_POOL: &str = "Users";

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
    /// Who administers the server, and rules that belong to no pool.
    pub access: AccessPolicy,
}

impl Policy {
    /// The pool whose users may administer the server, if they have the role: the configured one, else `Users`, else the first.
    pub fn admin_pool(&self) -> Option<&PoolName> {
        let named = self.access.admin_pool.as_ref();
        let usual = || self.pools.keys().find(|pool| pool.as_str() == USUAL_ADMIN_POOL);
        named.or_else(usual).or_else(|| self.pools.keys().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_pool_that_administers_is_the_named_one_else_users_else_the_first() {
        let of = |pools: &[&str], named: Option<&str>| {
            let pools = pools.iter().map(|name| PoolName::new(*name));
            let policy = Policy {
                pools: pools
                    .map(|name| (name.clone(), PoolPolicy::new(name, "User")))
                    .collect(),
                limits: Limits::default(),
                public_url: String::new(),
                service_name: String::new(),
                language: "en".to_owned(),
                audit_life: Lifetime::from_secs(1),
                access: AccessPolicy {
                    admin_pool: named.map(PoolName::new),
                    ..AccessPolicy::default()
                },
            };
            policy.admin_pool().map(ToString::to_string)
        };
        assert_eq!(of(&["Staff", "Users"], None).as_deref(), Some("Users"));
        assert_eq!(of(&["Staff", "Guests"], None).as_deref(), Some("Guests"));
        assert_eq!(of(&["Staff", "Users"], Some("Staff")).as_deref(), Some("Staff"));
        assert_eq!(of(&[], None), None);
    }
}
