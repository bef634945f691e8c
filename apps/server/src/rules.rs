//! Configuration to rules: plain data to the domain's own types. A mapping, no decisions.

use std::collections::BTreeMap;

use domain::access::{AccessType, AclRule, Permission, PrincipalType};
use domain::audit::AuditKind;
use domain::credential::PasswordRules;
use domain::id::{PoolName, WebhookName};
use domain::limits::Quota;
use domain::policy::{
    AccessPolicy, AclErrorStatus, Limits, Policy, PoolPolicy, SecondFactor, SensitiveAct, SignedTokens,
};
use domain::time::Lifetime;
use domain::user::FactorKind;
use domain::webhook::Webhook;

use crate::config::{self, Acl, Config, Lockout, ModelAcl, Rate, UserPool};

/// The rules the configuration describes, for a server reached at `public_url`.
pub fn policy(config: &Config, public_url: String) -> Policy {
    let pools: BTreeMap<_, _> = config
        .users
        .iter()
        .map(|pool| (PoolName::new(&pool.plural), pool_policy(pool, config)))
        .collect();
    Policy {
        pools,
        limits: limits(&config.limits),
        public_url,
        service_name: config.server.service_name.clone(),
        language: config.server.language.clone(),
        audit_life: Lifetime::from_secs(config.audit.keep_days * 86_400),
        access: AccessPolicy {
            admin_pool: config.access.admin_pool.as_ref().map(PoolName::new),
            acls: config.access.acls.iter().filter_map(model_rule).collect(),
            signed_tokens: (!config.jwt.audiences.is_empty()).then(|| SignedTokens {
                audiences: config.jwt.audiences.clone(),
                life: Lifetime::from_secs(config.jwt.lifetime),
            }),
            webhooks: config.webhooks.iter().map(webhook).collect(),
        },
    }
}

fn webhook(webhook: &config::Webhook) -> Webhook {
    Webhook {
        name: WebhookName::new(&webhook.name),
        kinds: named(&webhook.events, AuditKind::named),
        pool: webhook.pool.as_ref().map(PoolName::new),
    }
}

fn pool_policy(pool: &UserPool, config: &Config) -> PoolPolicy {
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
        code_life: Lifetime::from_secs(pool.code_lifetime),
        code_token_ttl: Lifetime::from_secs(pool.code_token_ttl),
        pending_login_life: Lifetime::from_secs(pool.pending_login_lifetime),
        fresh_login: Lifetime::from_secs(pool.fresh_login),
        hide_existing: pool.hide_existing,
        password: PasswordRules {
            min: whole(pool.password_min_length),
            max: whole(pool.password_max_length),
        },
        context_words: config.passwords.context_words.clone(),
        acls: pool
            .acls
            .iter()
            .filter_map(|acl| rule(acl, Some(&pool.model_name)))
            .collect(),
        ..kept_safe(pool)
    }
}

/// The rest of a pool's rules.
fn kept_safe(pool: &UserPool) -> PoolPolicy {
    let (safety, lives) = (&pool.safety, &pool.lives);
    PoolPolicy {
        second_factor: match safety.second_factor {
            config::SecondFactor::Off => SecondFactor::Off,
            config::SecondFactor::Optional => SecondFactor::Optional,
            config::SecondFactor::Required => SecondFactor::Required,
        },
        factor_kinds: named(&safety.second_factor_kinds, FactorKind::named),
        trust_device: unless_zero(safety.trust_device),
        passkey_login: safety.passkey_login,
        magic_link: safety.magic_link,
        magic_link_life: Lifetime::from_secs(safety.magic_link_ttl),
        step_up: named(&safety.step_up, SensitiveAct::named),
        notices: safety.notices,
        revert_email_life: Lifetime::from_secs(safety.revert_email_ttl),
        idle_timeout: unless_zero(lives.idle_timeout),
        page_ttl: Lifetime::from_secs(lives.page_ttl),
        access_token_ttl: Lifetime::from_secs(lives.access_token_ttl),
        refresh_token_ttl: Lifetime::from_secs(lives.refresh_token_ttl),
        refresh_token_max_ttl: Lifetime::from_secs(lives.refresh_token_max_ttl),
        refresh_grace: Lifetime::from_secs(lives.refresh_grace),
        ..PoolPolicy::new(PoolName::new(&pool.plural), &pool.model_name)
    }
}

/// Words were checked where the configuration was read.
fn named<T>(words: &[String], named: fn(&str) -> Option<T>) -> Vec<T> {
    words.iter().filter_map(|word| named(word)).collect()
}

fn unless_zero(seconds: u64) -> Option<Lifetime> {
    (seconds > 0).then(|| Lifetime::from_secs(seconds))
}

/// A rule that names its model itself.
fn model_rule(named: &ModelAcl) -> Option<AclRule> {
    rule(
        &named.acl,
        Some(named.model.as_str()).filter(|model| *model != "*"),
    )
}

/// A rule about a model, or about every one. The reader let no other words through; were there one, the rule would be left out, never
/// widened.
fn rule(acl: &Acl, model: Option<&str>) -> Option<AclRule> {
    let principal_type = match acl.principal_type.as_str() {
        "ROLE" => PrincipalType::Role,
        "USER" => PrincipalType::User,
        "APP" => PrincipalType::App,
        _ => return None,
    };
    let access = match acl.access_type.as_str() {
        "*" => None,
        word => Some(AccessType::parse(word)?),
    };
    let all = acl.property.iter().any(|name| name == "*");
    Some(AclRule {
        model: model.map(str::to_owned),
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
        login_per_pool: limits.login_per_pool.as_ref().map(rate),
        sign_up_per_address: rate(&limits.sign_up_per_address),
        code_sends_per_account: rate(&limits.code_sends_per_account),
        code_sends_per_address: rate(&limits.code_sends_per_address),
        code_sends_per_number: rate(&limits.code_sends_per_number),
        code_sends_per_country: rate(&limits.code_sends_per_country),
        code_sends_per_day: rate(&limits.code_sends_per_day),
        code_tries_per_account: lockout(&limits.code_tries_per_account, false),
        code_tries_per_address: rate(&limits.code_tries_per_address),
        mail_per_account: rate(&limits.mail_per_account),
        mail_per_address: rate(&limits.mail_per_address),
        token_tries_per_address: rate(&limits.token_tries_per_address),
        authorizations_per_address: rate(&limits.authorizations_per_address),
        calls_per_application: rate(&limits.calls_per_application),
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
