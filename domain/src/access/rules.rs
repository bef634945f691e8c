//! Which access rules are about what: the built-in, the configured and the stored ones. Weighing them is [`decide`]'s.

use std::collections::BTreeMap;

use super::{AccessState, AclRow, AclRule, Caller, Permission, Request, decide, default_rules, server_rules};
use crate::id::PoolName;
use crate::policy::Policy;

/// The server's own models.
pub const SERVER_MODELS: [&str; 5] = ["Role", "RoleMapping", "ACL", "Application", "AuditEvent"];

/// The rules that do not change while a server runs: the built-in and the configured ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pools: BTreeMap<PoolName, Vec<AclRule>>,
    models: BTreeMap<&'static str, Vec<AclRule>>,
    /// Of every other model: those of services that we guard.
    others: Vec<AclRule>,
}

impl Rules {
    /// Those of a policy.
    pub fn new(policy: &Policy) -> Self {
        let acls = &policy.access.acls;
        let pools = policy.pools.values().map(|pool| {
            // Whatever stands with a pool is about its model.
            let own = pool.acls.iter().cloned().map(|rule| AclRule {
                model: rule.model.or_else(|| Some(pool.model.clone())),
                ..rule
            });
            let all = default_rules(&pool.model).into_iter().chain(own);
            (pool.name.clone(), all.chain(acls.iter().cloned()).collect())
        });
        let models = SERVER_MODELS.map(|model| {
            let all = server_rules(model).into_iter().chain(acls.iter().cloned());
            (model, all.collect())
        });
        Self {
            pools: pools.collect(),
            models: models.into(),
            others: acls.clone(),
        }
    }

    /// Those of a pool's calls.
    pub fn of_pool(&self, pool: &PoolName) -> &[AclRule] {
        self.pools.get(pool).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those about a model, whoever's it is; `asked` is the pool that is meant where several have a model of that name.
    pub fn about(&self, policy: &Policy, model: &str, asked: Option<&PoolName>) -> &[AclRule] {
        let mut pools = policy.pools.values().filter(|pool| pool.model == model);
        let pool = match asked {
            Some(asked) => pools.find(|pool| pool.name == *asked),
            None => pools.next(),
        };
        match pool {
            Some(pool) => self.of_pool(&pool.name),
            None => self.models.get(model).unwrap_or(&self.others),
        }
    }
}

/// Whether the rules, and the stored ones beside them, let a request pass.
pub fn permits(rules: &[AclRule], access: &AccessState, wants: Request<'_>, caller: Caller<'_>) -> bool {
    let about = |row: &&AclRow| row.model.as_deref().is_none_or(|model| model == wants.model);
    let stored: Vec<AclRule> = access.rows.iter().filter(about).map(AclRow::rule).collect();
    decide(rules.iter().chain(&stored), wants, caller) == Permission::Allow
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{AccessType, PrincipalType};
    use crate::id::AclId;
    use crate::policy::{AccessPolicy, Limits, PoolPolicy};
    use crate::time::Lifetime;

    fn rule(model: Option<&str>, property: &str) -> AclRule {
        AclRule {
            model: model.map(str::to_owned),
            principal_type: PrincipalType::Role,
            principal: "$everyone".to_owned(),
            permission: Permission::Allow,
            properties: vec![property.to_owned()],
            access: None,
        }
    }

    fn policy(own: &[AclRule], acls: &[AclRule]) -> Policy {
        let pools = ["Users", "Employees"].map(|name| {
            let mut pool = PoolPolicy::new(PoolName::new(name), name.trim_end_matches('s'));
            pool.acls = own.to_vec();
            (pool.name.clone(), pool)
        });
        Policy {
            pools: pools.into(),
            limits: Limits::default(),
            public_url: String::new(),
            service_name: String::new(),
            language: "en".to_owned(),
            audit_life: Lifetime::from_secs(1),
            access: AccessPolicy {
                acls: acls.to_vec(),
                ..AccessPolicy::default()
            },
        }
    }

    fn opens(policy: &Policy, model: &str, property: &str) -> bool {
        let rules = Rules::new(policy);
        let wants = Request {
            model,
            property,
            access: AccessType::Read,
        };
        let access = AccessState::default();
        permits(
            rules.about(policy, model, None),
            &access,
            wants,
            Caller::default(),
        )
    }

    #[test]
    fn a_pools_rule_is_about_its_own_model() {
        let policy = policy(&[rule(None, "find")], &[]);
        assert!(opens(&policy, "User", "find"));
        assert!(!opens(&policy, "Role", "find"));
        assert!(!opens(&policy, "Order", "find"));
    }

    #[test]
    fn a_rule_of_no_pool_reaches_the_model_it_names() {
        let policy = policy(&[], &[rule(Some("Order"), "find"), rule(Some("Role"), "count")]);
        assert!(opens(&policy, "Order", "find"));
        assert!(!opens(&policy, "Order", "count"));
        assert!(opens(&policy, "Role", "count"));
        assert!(!opens(&policy, "ACL", "count"));
        assert!(!opens(&policy, "User", "find"));
    }

    #[test]
    fn a_rule_about_every_model_opens_none_of_ours() {
        let policy = policy(&[], &[rule(None, "find")]);
        assert!(opens(&policy, "Order", "find"));
        for model in SERVER_MODELS.into_iter().chain(["User", "Employee"]) {
            assert!(!opens(&policy, model, "find"), "{model}");
        }
    }

    #[test]
    fn a_stored_rule_counts_for_the_model_it_is_about() {
        let policy = policy(&[], &[]);
        let rules = Rules::new(&policy);
        let row = |model: Option<&str>| AclRow {
            id: AclId::new("1"),
            model: model.map(str::to_owned),
            property: None,
            access: None,
            permission: Permission::Allow,
            principal_type: PrincipalType::App,
            principal: "shop".to_owned(),
        };
        let shop = Caller {
            application: Some("shop"),
            ..Caller::default()
        };
        for (about, caller, expected) in [
            (Some("Order"), shop, true),
            (None, shop, true),
            (Some("Invoice"), shop, false),
            (Some("Order"), Caller::default(), false),
        ] {
            let access = AccessState {
                rows: vec![row(about)].into(),
                ..AccessState::default()
            };
            let wants = Request {
                model: "Order",
                property: "find",
                access: AccessType::Read,
            };
            let own = rules.about(&policy, "Order", None);
            assert_eq!(permits(own, &access, wants, caller), expected, "{about:?}");
        }
    }
}
