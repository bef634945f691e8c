//! `[users.<Plural>]`: the pools of users, each on its own.

use std::collections::BTreeMap;

use super::acl::Acl;
use super::env::fold_pool;
use super::lives::Lives;
use super::read::Reader;
use super::safety::Safety;

/// The pool that exists without being configured.
const BUILT_IN: &str = "Users";

/// Names LoopBack gives to other models: their paths below `/api` are not for users.
const RESERVED: [&str; 8] = [
    "AccessTokens",
    "ACLs",
    "Applications",
    "ApplicationCredentials",
    "RoleMappings",
    "Roles",
    "UserCredentials",
    "UserIdentities",
];

/// Longest lifetime of any token: a hundred years, in seconds.
const CENTURY: u64 = 3_155_695_200;

/// One pool of users: LoopBack's model settings in snake case, and ours.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "LoopBack's model settings are switches"
)]
pub struct UserPool {
    /// Name in the path: `/api/<plural>`.
    pub plural: String,
    /// Name in messages, and of the model.
    pub model_name: String,
    /// Lifetime of an access token when the login names none, in seconds.
    pub ttl: u64,
    /// Longest lifetime a login may ask for, in seconds.
    pub max_ttl: u64,
    /// Lifetime of a password reset token, in seconds.
    pub reset_password_token_ttl: u64,
    /// Lifetime of a contact verification token, in seconds.
    pub verify_token_ttl: u64,
    /// Login and reset need a verified e-mail.
    pub email_verification_required: bool,
    /// Login and reset need a realm.
    pub realm_required: bool,
    /// Separates realm and name in one field, `realm:name`.
    pub realm_delimiter: Option<String>,
    /// `A@x` and `a@x` are two addresses.
    pub case_sensitive_email: bool,
    /// A login may ask for `ttl: -1`.
    pub allow_eternal_tokens: bool,
    /// PATCH and PUT may not carry a password.
    pub reject_password_changes_via_patch_or_replace: bool,
    /// Status of an ACL refusal for holders of a token: 401, 403 or 404.
    pub acl_error_status: u16,
    /// Second factors, other ways in, and what asks for a fresh proof.
    pub safety: Safety,
    /// How long sessions live, beside the settings that LoopBack has.
    pub lives: Lives,
    /// Lifetime of a code, in seconds.
    pub code_lifetime: u64,
    /// Lifetime of the token that `loginWithCode` gives, in seconds.
    pub code_token_ttl: u64,
    /// Time between a right password and its code, in seconds.
    pub pending_login_lifetime: u64,
    /// Age of a login that still counts as fresh for a sensitive change, in seconds.
    pub fresh_login: u64,
    /// Sign-up never tells that an address is taken.
    pub hide_existing: bool,
    /// Shortest password, in characters.
    pub password_min_length: u64,
    /// Longest password, in characters.
    pub password_max_length: u64,
    /// Rules added to the built-in ones.
    pub acls: Vec<Acl>,
}

/// Reads all pools; those with `enabled = false` are checked and then dropped.
pub(super) fn read(reader: &mut Reader) -> Vec<UserPool> {
    let mut names = reader.names();
    // First, wherever the file has it: the first pool is where people go who name none, and must not change with a new one.
    names.retain(|name| name != BUILT_IN);
    names.insert(0, BUILT_IN.to_owned());
    let mut pools = Vec::new();
    let mut seen = BTreeMap::from([(fold_pool(BUILT_IN), BUILT_IN.to_owned())]);
    for name in names {
        let pool = reader.section_as(&name, "<Plural>", |reader| UserPool::read(reader, &name));
        if let Err(message) = check_name(&name, &mut seen) {
            reader.refuse(&name, message);
        }
        pools.extend(pool);
    }
    check_models(reader, &pools);
    if pools.is_empty() {
        reader.refuse(
            BUILT_IN,
            "is switched off and there is no other pool: nobody could log in",
        );
    }
    pools
}

impl UserPool {
    fn read(reader: &mut Reader, plural: &str) -> Option<Self> {
        let enabled = reader.flag("enabled", true);
        let max_ttl = reader.number("max_ttl", 31_556_926, 1..=CENTURY);
        // A default gives way to a lower maximum, as LoopBack's `maxTTL` bounds its `ttl`; a chosen number above it is an error.
        let mut life = |key, default: u64| {
            reader.number_shown(key, &default.to_string(), default.min(max_ttl), 1..=CENTURY)
        };
        let (ttl, code_token_ttl) = (life("ttl", 1_209_600), life("code_token_ttl", 86_400));
        let pool = Self {
            plural: plural.to_owned(),
            model_name: reader
                .maybe_parsed("model_name", "singular", model)
                .unwrap_or_else(|| singular(plural)),
            ttl,
            max_ttl,
            reset_password_token_ttl: reader.number("reset_password_token_ttl", 900, 1..=86_400),
            verify_token_ttl: reader.number("verify_token_ttl", 86_400, 1..=2_678_400),
            email_verification_required: reader.flag("email_verification_required", false),
            realm_required: reader.flag("realm_required", false),
            realm_delimiter: reader.maybe_parsed("realm_delimiter", "none", delimiter),
            case_sensitive_email: reader.flag("case_sensitive_email", false),
            allow_eternal_tokens: reader.flag("allow_eternal_tokens", false),
            reject_password_changes_via_patch_or_replace: reader
                .flag("reject_password_changes_via_patch_or_replace", false),
            acl_error_status: status(reader),
            safety: Safety::read(reader),
            lives: Lives::read(reader, max_ttl),
            // OWASP ASVS 5.0, 6.5.5: a code sent out of band lives ten minutes at most.
            code_lifetime: reader.number("code_lifetime", 60, 1..=600),
            code_token_ttl,
            pending_login_lifetime: reader.number("pending_login_lifetime", 600, 1..=3600),
            fresh_login: reader.number("fresh_login", 300, 0..=86_400),
            hide_existing: reader.flag("hide_existing", false),
            // NIST SP 800-63B, section 3.1.1.2: never fewer than 8, and 64 must be possible.
            password_min_length: reader.number("password_min_length", 8, 8..=64),
            password_max_length: reader.number("password_max_length", 256, 128..=4096),
            acls: reader.sections("acls", Acl::read),
        };
        pool.check(reader);
        enabled.then_some(pool)
    }

    /// Settings that contradict each other.
    fn check(&self, reader: &mut Reader) {
        if self.ttl > self.max_ttl {
            reader.refuse("ttl", format!("is longer than `max_ttl` ({})", self.max_ttl));
        }
        if self.code_token_ttl > self.max_ttl {
            reader.refuse(
                "code_token_ttl",
                format!("is longer than `max_ttl` ({})", self.max_ttl),
            );
        }
        if self.code_lifetime > self.pending_login_lifetime {
            reader.refuse(
                "code_lifetime",
                "is longer than `pending_login_lifetime`: nobody could use such a code",
            );
        }
        if self.hide_existing && !self.email_verification_required {
            let message = "needs `email_verification_required = true`: otherwise whoever signs up learns that an \
                           address is taken by trying to log in";
            reader.refuse("hide_existing", message);
        }
    }
}

fn check_name(name: &str, seen: &mut BTreeMap<String, String>) -> Result<(), String> {
    check_word(name)?;
    if let Some(taken) = RESERVED.iter().find(|taken| taken.eq_ignore_ascii_case(name)) {
        return Err(format!(
            "cannot be a pool: `/api/{taken}` belongs to another model"
        ));
    }
    let other = seen.entry(fold_pool(name)).or_insert_with(|| name.to_owned());
    if other == name {
        return Ok(());
    }
    Err(format!(
        "and `users.{other}` are the same name to a router or an environment variable: choose another"
    ))
}

/// Paths, messages and roles name the pool, so a name is plain ASCII.
fn check_word(name: &str) -> Result<(), String> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let goes_on = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if starts && goes_on && name.len() <= 64 {
        return Ok(());
    }
    Err("must start with a letter and hold only letters, digits, `_` and `-`, 64 at most".to_owned())
}

fn check_models(reader: &mut Reader, pools: &[UserPool]) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for pool in pools {
        if let Some(other) = seen.insert(fold_pool(&pool.model_name), &pool.plural) {
            let model = &pool.model_name;
            reader.refuse(
                &pool.plural,
                format!("and `users.{other}` are both called `{model}`: set `model_name`"),
            );
        }
    }
}

fn model(text: &str) -> Result<String, String> {
    check_word(text).map(|()| text.to_owned())
}

fn delimiter(text: &str) -> Result<String, String> {
    if text.contains('@') || text.chars().any(char::is_alphanumeric) {
        return Err(format!(
            "must not hold `@`, letters or digits, which addresses have themselves, but is `{text}`"
        ));
    }
    Ok(text.to_owned())
}

fn status(reader: &mut Reader) -> u16 {
    let status = reader.number("acl_error_status", 401, 401..=404);
    match status {
        403 => 403,
        404 => 404,
        402 => {
            reader.refuse("acl_error_status", "must be 401, 403 or 404, but is 402");
            401
        }
        _ => 401,
    }
}

/// Users → User, Companies → Company, Addresses → Address; what is no plural stays.
fn singular(plural: &str) -> String {
    let cut = |ending: usize| {
        plural
            .get(..plural.len().saturating_sub(ending))
            .unwrap_or(plural)
            .to_owned()
    };
    let lower = plural.to_ascii_lowercase();
    let ends = |ending: &str| lower.len() > ending.len() && lower.ends_with(ending);
    if ends("ies") {
        return cut(3) + "y";
    }
    if ["sses", "xes", "ches", "shes"].into_iter().any(ends) {
        return cut(2);
    }
    if ends("s") && !ends("ss") {
        cut(1)
    } else {
        plural.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::singular;

    #[test]
    fn a_model_is_called_by_the_singular_of_its_plural() {
        let pairs = [
            ("Users", "User"),
            ("Employees", "Employee"),
            ("Companies", "Company"),
            ("Addresses", "Address"),
            ("Boxes", "Box"),
            ("Staff", "Staff"),
            ("Boss", "Boss"),
            ("S", "S"),
        ];
        for (plural, expected) in pairs {
            assert_eq!(singular(plural), expected);
        }
    }
}
