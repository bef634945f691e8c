//! Configuration to rules: plain data to the domain's own types. A mapping, no decisions.

use std::collections::BTreeMap;

use domain::access::{AccessType, AclRule, Permission, PrincipalType};
use domain::credential::PasswordRules;
use domain::id::PoolName;
use domain::limits::Quota;
use domain::policy::{AclErrorStatus, Limits, Policy, PoolPolicy, SecondFactor};
use domain::time::Lifetime;

use crate::config::{self, Acl, Config, Lockout, Rate, UserPool};

/// The rules the configuration describes, for a server reached at `public_url`.
pub fn policy(config: &Config, public_url: String) -> Policy {
    let pools: BTreeMap<_, _> = config
        .users
        .iter()
        .map(|pool| (PoolName::new(&pool.plural), pool_policy(pool)))
        .collect();
    Policy {
        pools,
        limits: limits(&config.limits),
        public_url,
        audit_life: Lifetime::from_secs(config.audit.keep_days * 86_400),
    }
}

fn pool_policy(pool: &UserPool) -> PoolPolicy {
    PoolPolicy {
        ttl: Lifetime::from_secs(pool.ttl),
        max_ttl: Lifetime::from_secs(pool.max_ttl),
        reset_password_token_ttl: Lifetime::from_secs(pool.reset_password_token_ttl),
        verify_token_ttl: Lifetime::from_secs(pool.verify_token_ttl),
        email_verification_required: pool.email_verification_required,
        realm_required: pool.realm_required,
        realm_delimiter: pool.realm_delimiter.clone(),
        case_sensitive_email: pool.case_sensitive_email,
        allow_eternal_tokens: pool.allow_eternal_tokens,
        reject_password_changes_via_patch_or_replace: pool.reject_password_changes_via_patch_or_replace,
        acl_error_status: match pool.acl_error_status {
            403 => AclErrorStatus::Forbidden,
            404 => AclErrorStatus::NotFound,
            _ => AclErrorStatus::Unauthorized,
        },
        second_factor: match pool.second_factor {
            config::SecondFactor::Off => SecondFactor::Off,
            config::SecondFactor::Optional => SecondFactor::Optional,
            config::SecondFactor::Required => SecondFactor::Required,
        },
        code_life: Lifetime::from_secs(pool.code_lifetime),
        code_token_ttl: Lifetime::from_secs(pool.code_token_ttl),
        pending_login_life: Lifetime::from_secs(pool.pending_login_lifetime),
        fresh_login: Lifetime::from_secs(pool.fresh_login),
        hide_existing: pool.hide_existing,
        password: PasswordRules {
            min: whole(pool.password_min_length),
            max: whole(pool.password_max_length),
        },
        acls: pool.acls.iter().filter_map(rule).collect(),
        ..PoolPolicy::new(PoolName::new(&pool.plural), &pool.model_name)
    }
}

/// A rule about applications, or about replication, matches nobody and nothing here yet: it is left out, never widened.
fn rule(acl: &Acl) -> Option<AclRule> {
    let principal_type = match acl.principal_type.as_str() {
        "ROLE" => PrincipalType::Role,
        "USER" => PrincipalType::User,
        _ => return None,
    };
    let access = match acl.access_type.as_str() {
        "*" => None,
        "READ" => Some(AccessType::Read),
        "WRITE" => Some(AccessType::Write),
        "EXECUTE" => Some(AccessType::Execute),
        _ => return None,
    };
    let all = acl.property.iter().any(|name| name == "*");
    Some(AclRule {
        principal_type,
        principal: acl.principal_id.clone(),
        permission: if acl.permission == "ALLOW" {
            Permission::Allow
        } else {
            Permission::Deny
        },
        properties: if all { Vec::new() } else { acl.property.clone() },
        access,
    })
}

fn limits(limits: &config::Limits) -> Limits {
    Limits {
        enabled: limits.enabled,
        login_per_address: rate(&limits.login_per_address),
        login_per_account_and_address: lockout(&limits.login_per_account_and_address, true),
        login_per_account: lockout(&limits.login_per_account, false),
        sign_up_per_address: rate(&limits.sign_up_per_address),
        code_sends_per_account: rate(&limits.code_sends_per_account),
        code_sends_per_address: rate(&limits.code_sends_per_address),
        code_tries_per_account: lockout(&limits.code_tries_per_account, false),
        code_tries_per_address: rate(&limits.code_tries_per_address),
        mail_per_account: rate(&limits.mail_per_account),
        mail_per_address: rate(&limits.mail_per_address),
        token_tries_per_address: rate(&limits.token_tries_per_address),
        authorizations_per_address: rate(&limits.authorizations_per_address),
    }
}

fn rate(rate: &Rate) -> Quota {
    Quota::Rate {
        burst: small(rate.burst),
        per: Lifetime::from_secs(rate.per_seconds),
    }
}

fn lockout(lockout: &Lockout, pardons: bool) -> Quota {
    Quota::Lockout {
        free: small(lockout.free),
        wait: Lifetime::from_secs(lockout.wait_seconds),
        max_wait: Lifetime::from_secs(lockout.max_wait_seconds),
        forget: Lifetime::from_secs(lockout.forget_seconds),
        pardons,
    }
}

/// Bounds are checked where the configuration is read; out of them the strictest reading holds.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(1)
}

fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
