//! Access rules against LoopBack's own arithmetic: every rule that applies is a number, and the greatest decides.

use domain::access::{AccessType, AclRule, Caller, Permission, PrincipalType, Request, decide};
use domain::id::RoleName;
use proptest::prelude::*;
use proptest::sample::select;

const MODELS: [&str; 3] = ["*", "Order", "Invoice"];
const PROPERTIES: [&str; 3] = ["*", "find", "create"];
const ACCESS: [&str; 5] = ["*", "READ", "REPLICATE", "WRITE", "EXECUTE"];
const PRINCIPALS: [(PrincipalType, &str); 11] = [
    (PrincipalType::User, "1"),
    (PrincipalType::User, "2"),
    (PrincipalType::App, "1"),
    (PrincipalType::App, "2"),
    (PrincipalType::Role, "$everyone"),
    (PrincipalType::Role, "$authenticated"),
    (PrincipalType::Role, "$unauthenticated"),
    (PrincipalType::Role, "$related"),
    (PrincipalType::Role, "$owner"),
    (PrincipalType::Role, "clerk"),
    (PrincipalType::Role, "admin"),
];

/// A rule in LoopBack's words.
#[derive(Clone, Copy, Debug)]
struct Row {
    model: &'static str,
    property: &'static str,
    access: &'static str,
    principal: (PrincipalType, &'static str),
    permission: Permission,
}

impl Row {
    fn rule(self) -> AclRule {
        let named = |text: &str| (text != "*").then(|| text.to_owned());
        AclRule {
            model: named(self.model),
            principal_type: self.principal.0,
            principal: self.principal.1.to_owned(),
            permission: self.permission,
            properties: named(self.property).into_iter().collect(),
            access: AccessType::parse(self.access),
        }
    }
}

/// Somebody who asks for something.
#[derive(Clone, Debug)]
struct Asking {
    user: Option<&'static str>,
    application: Option<&'static str>,
    owner: bool,
    related: bool,
    roles: Vec<RoleName>,
    model: &'static str,
    property: &'static str,
    access: AccessType,
}

impl Asking {
    fn decided(&self, rows: &[Row]) -> Permission {
        let rules: Vec<AclRule> = rows.iter().map(|row| row.rule()).collect();
        let request = Request {
            model: self.model,
            property: self.property,
            access: self.access,
        };
        let caller = Caller {
            user: self.user,
            application: self.application,
            owner: self.owner,
            related: self.related,
            roles: &self.roles,
        };
        decide(&rules, request, caller)
    }

    /// Whether somebody is who a rule is about.
    fn is(&self, (kind, name): (PrincipalType, &str)) -> bool {
        match (kind, name) {
            (PrincipalType::User, id) => self.user == Some(id),
            (PrincipalType::App, id) => self.application == Some(id),
            (PrincipalType::Role, "$everyone") => true,
            (PrincipalType::Role, "$authenticated") => self.user.is_some(),
            (PrincipalType::Role, "$unauthenticated") => self.user.is_none(),
            (PrincipalType::Role, "$related") => self.related,
            (PrincipalType::Role, "$owner") => self.owner,
            (PrincipalType::Role, name) => self.roles.contains(&RoleName::new(name)),
        }
    }

    /// LoopBack's number of a rule: a digit for each thing compared, base four, and base eight for roles. None for one that is about
    /// something else.
    fn number(&self, row: Row) -> Option<u32> {
        let mut number = 0;
        for (rule, asked) in [
            (row.model, self.model),
            (row.property, self.property),
            (row.access, self.access.word()),
        ] {
            let equal = rule == asked || rule == "EXECUTE" || (rule == "WRITE" && asked == "REPLICATE");
            number = number * 4
                + match (equal, rule) {
                    (true, _) => 3,
                    (false, "*") => 2,
                    (false, _) => return None,
                };
        }
        number = number * 4
            + match row.principal.0 {
                PrincipalType::User => 4,
                PrincipalType::App => 3,
                PrincipalType::Role => 2,
            };
        number = number * 8
            + match row.principal {
                (PrincipalType::Role, "$everyone") => 1,
                (PrincipalType::Role, "$authenticated" | "$unauthenticated") => 2,
                (PrincipalType::Role, "$related") => 3,
                (PrincipalType::Role, "$owner") => 4,
                (PrincipalType::Role, _) => 5,
                _ => 0,
            };
        number = number * 4 + if row.permission == Permission::Deny { 3 } else { 0 };
        self.is(row.principal).then_some(number)
    }

    fn by_number(&self, rows: &[Row]) -> Permission {
        let best = rows
            .iter()
            .filter_map(|row| Some((self.number(*row)?, row.permission)));
        best.max_by_key(|(number, _)| *number)
            .map_or(Permission::Deny, |(_, permission)| permission)
    }
}

fn row() -> impl Strategy<Value = Row> {
    (
        select(&MODELS[..]),
        select(&PROPERTIES[..]),
        select(&ACCESS[..]),
        select(&PRINCIPALS[..]),
        select(&[Permission::Allow, Permission::Deny][..]),
    )
        .prop_map(|(model, property, access, principal, permission)| Row {
            model,
            property,
            access,
            principal,
            permission,
        })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec(row(), 0..12)
}

fn asking() -> impl Strategy<Value = Asking> {
    (
        select(&[None, Some("1"), Some("3")][..]),
        select(&[None, Some("1")][..]),
        any::<(bool, bool, bool)>(),
        select(&["Order", "Other"][..]),
        select(&["find", "count"][..]),
        select(&AccessType::ALL[..]),
    )
        .prop_map(
            |(user, application, (owner, related, clerk), model, property, access)| Asking {
                user,
                application,
                owner: owner && user.is_some(),
                related: related && user.is_some(),
                roles: if clerk && user.is_some() {
                    vec![RoleName::new("clerk")]
                } else {
                    Vec::new()
                },
                model,
                property,
                access,
            },
        )
}

proptest! {
    #![proptest_config(properties::cases(512))]

    #[test]
    fn the_rules_decide_as_loopbacks_numbers_do(rows in rows(), asking in asking()) {
        prop_assert_eq!(asking.decided(&rows), asking.by_number(&rows));
    }

    #[test]
    fn the_order_of_the_rules_never_matters(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        asking in asking(),
    ) {
        prop_assert_eq!(asking.decided(&rows), asking.decided(&shuffled));
    }

    #[test]
    fn one_more_deny_opens_nothing_and_one_more_allow_shuts_nothing(rows in rows(), one in row(), asking in asking()) {
        let before = asking.decided(&rows);
        let mut more = rows;
        more.push(one);
        match one.permission {
            Permission::Deny => prop_assert!(asking.decided(&more) >= before),
            Permission::Allow => prop_assert!(asking.decided(&more) <= before),
        }
    }

    #[test]
    fn without_a_rule_that_applies_the_answer_is_no(rows in rows(), asking in asking()) {
        let others: Vec<Row> = rows.into_iter().filter(|row| asking.number(*row).is_none()).collect();
        prop_assert_eq!(asking.decided(&others), Permission::Deny);
    }
}
