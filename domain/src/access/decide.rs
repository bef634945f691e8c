//! LoopBack's ACL: rules match by model, property, access type and principal; the most exact match wins, DENY wins a tie.

use serde::{Deserialize, Serialize};

use crate::id::RoleName;

/// What kind of access a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AccessType {
    /// Looks at data.
    Read,
    /// Reads changes for a copy elsewhere. We have no such methods; services that we guard may.
    Replicate,
    /// Changes data.
    Write,
    /// Does something.
    Execute,
}

impl AccessType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Replicate, Self::Write, Self::Execute];

    /// LoopBack's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Replicate => "REPLICATE",
            Self::Write => "WRITE",
            Self::Execute => "EXECUTE",
        }
    }

    /// What LoopBack's word means; none for any other.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.word() == word)
    }

    /// Whether a rule about this access is one about that: calling a method is whatever it does, and whoever may write may replicate.
    const fn covers(self, asked: Self) -> bool {
        matches!(
            (self, asked),
            (Self::Execute, _)
                | (Self::Write, Self::Write | Self::Replicate)
                | (Self::Read, Self::Read)
                | (Self::Replicate, Self::Replicate)
        )
    }
}

/// What a rule says. The greater one wins a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Permission {
    /// Let it pass.
    Allow,
    /// Refuse it.
    Deny,
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PrincipalType {
    /// A role, dynamic (`$owner`) or named.
    Role,
    /// One application, by id.
    App,
    /// One user of the pool that is asked, by id.
    User,
}

/// One access rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclRule {
    /// The model it is about; none for every one.
    pub model: Option<String>,
    /// What kind of principal `principal` names.
    pub principal_type: PrincipalType,
    /// The role, or the id of the user or application.
    pub principal: String,
    /// What it says.
    pub permission: Permission,
    /// The methods it is about; empty for all.
    pub properties: Vec<String>,
    /// The access it is about; none for every kind.
    pub access: Option<AccessType>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The id of the logged-in user, in the pool that is asked.
    pub user: Option<&'a str>,
    /// The id of the application that called, by a key that is a secret.
    pub application: Option<&'a str>,
    /// Whether the record asked for is the caller's own.
    pub owner: bool,
    /// Whether the caller is named by the record asked for, without owning it.
    pub related: bool,
    /// Named roles of the caller, those of roles included.
    pub roles: &'a [RoleName],
}

/// What is asked: a method by LoopBack's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The model (`Users`, `Order`).
    pub model: &'a str,
    /// The method (`findById`).
    pub property: &'a str,
    /// What kind of access it is.
    pub access: AccessType,
}

/// How exactly a rule fits: by model, property, access, kind of principal, role. LoopBack adds the same up in digits.
type Score = (u8, u8, u8, u8, u8);

/// Fits by name.
const EXACT: u8 = 3;
/// Fits because it is about everything.
const WILDCARD: u8 = 2;

/// Decides one request. Without any matching rule it is refused.
///
/// Matches are scored as LoopBack does: an exact model, property and access type before a wildcard, in this order; then a user before
/// an application, before a role; a named role before `$owner`, `$related`, `$authenticated` and `$unauthenticated`, `$everyone`. Among
/// the best, DENY wins; the order of the rules never matters.
pub fn decide<'r>(
    rules: impl IntoIterator<Item = &'r AclRule>,
    request: Request<'_>,
    caller: Caller<'_>,
) -> Permission {
    rules
        .into_iter()
        .filter_map(|rule| score(rule, request, caller).map(|score| (score, rule.permission)))
        .max()
        .map_or(Permission::Deny, |(_, permission)| permission)
}

/// How exactly a rule fits; `None` when it does not.
fn score(rule: &AclRule, request: Request<'_>, caller: Caller<'_>) -> Option<Score> {
    let model = match rule.model.as_deref() {
        None => WILDCARD,
        Some(model) if model == request.model => EXACT,
        Some(_) => return None,
    };
    let property = if rule.properties.is_empty() {
        WILDCARD
    } else if rule.properties.iter().any(|name| name == request.property) {
        EXACT
    } else {
        return None;
    };
    let access = match rule.access {
        None => WILDCARD,
        Some(access) if access.covers(request.access) => EXACT,
        Some(_) => return None,
    };
    let (kind, of_role) = principal_score(rule, caller)?;
    Some((model, property, access, kind, of_role))
}

fn principal_score(rule: &AclRule, caller: Caller<'_>) -> Option<(u8, u8)> {
    let name = rule.principal.as_str();
    let (applies, score) = match rule.principal_type {
        PrincipalType::User => (caller.user == Some(name), (4, 0)),
        PrincipalType::App => (caller.application == Some(name), (3, 0)),
        PrincipalType::Role => {
            let (applies, score) = role_score(name, caller);
            (applies, (2, score))
        }
    };
    applies.then_some(score)
}

fn role_score(name: &str, caller: Caller<'_>) -> (bool, u8) {
    match name {
        "$everyone" => (true, 1),
        "$authenticated" => (caller.user.is_some(), 2),
        "$unauthenticated" => (caller.user.is_none(), 2),
        "$related" => (caller.related, 3),
        "$owner" => (caller.owner, 4),
        name => (caller.roles.iter().any(|role| role.as_str() == name), 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(permission: Permission, principal_type: PrincipalType, principal: &str) -> AclRule {
        AclRule {
            model: None,
            principal_type,
            principal: principal.to_owned(),
            permission,
            properties: Vec::new(),
            access: None,
        }
    }

    fn role(permission: Permission, name: &str) -> AclRule {
        rule(permission, PrincipalType::Role, name)
    }

    const FIND: Request<'_> = Request {
        model: "Order",
        property: "find",
        access: AccessType::Read,
    };

    fn everybody(roles: &[RoleName]) -> Caller<'_> {
        Caller {
            user: Some("1"),
            application: Some("shop"),
            owner: true,
            related: true,
            roles,
        }
    }

    /// Every way to name one caller, from the weakest to the strongest.
    const ORDER: [(PrincipalType, &str); 7] = [
        (PrincipalType::Role, "$everyone"),
        (PrincipalType::Role, "$authenticated"),
        (PrincipalType::Role, "$related"),
        (PrincipalType::Role, "$owner"),
        (PrincipalType::Role, "clerk"),
        (PrincipalType::App, "shop"),
        (PrincipalType::User, "1"),
    ];

    #[test]
    fn who_is_named_more_closely_is_heard() {
        let roles = [RoleName::new("clerk")];
        for (place, weaker) in ORDER.iter().enumerate() {
            for stronger in ORDER.iter().skip(place + 1) {
                for (said, against) in [
                    (Permission::Allow, Permission::Deny),
                    (Permission::Deny, Permission::Allow),
                ] {
                    let both = [
                        rule(against, weaker.0, weaker.1),
                        rule(said, stronger.0, stronger.1),
                    ];
                    assert_eq!(
                        decide(&both, FIND, everybody(&roles)),
                        said,
                        "{weaker:?} {stronger:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn model_goes_before_property_before_access_before_who() {
        let roles = [RoleName::new("clerk")];
        let user = |permission| rule(permission, PrincipalType::User, "1");
        let by_access = |permission| AclRule {
            access: Some(AccessType::Read),
            ..role(permission, "$everyone")
        };
        let by_property = |permission| AclRule {
            properties: vec!["find".to_owned()],
            ..role(permission, "$everyone")
        };
        let by_model = |permission| AclRule {
            model: Some("Order".to_owned()),
            ..role(permission, "$everyone")
        };
        let closer: [(&dyn Fn(Permission) -> AclRule, AclRule); 3] = [
            (&by_access, user(Permission::Deny)),
            (&by_property, by_access(Permission::Deny)),
            (
                &by_model,
                AclRule {
                    access: Some(AccessType::Read),
                    ..by_property(Permission::Deny)
                },
            ),
        ];
        for (rule, weaker) in closer {
            assert_eq!(
                decide([&rule(Permission::Allow), &weaker], FIND, everybody(&roles)),
                Permission::Allow
            );
        }
    }

    #[test]
    fn a_rule_of_another_model_method_or_person_says_nothing() {
        let roles = [RoleName::new("clerk")];
        let others = [
            AclRule {
                model: Some("order".to_owned()),
                ..role(Permission::Allow, "$everyone")
            },
            AclRule {
                properties: vec!["create".to_owned()],
                ..role(Permission::Allow, "$everyone")
            },
            role(Permission::Allow, "$unauthenticated"),
            role(Permission::Allow, "boss"),
            rule(Permission::Allow, PrincipalType::User, "2"),
            rule(Permission::Allow, PrincipalType::App, "1"),
        ];
        assert_eq!(decide(&others, FIND, everybody(&roles)), Permission::Deny);
    }

    #[test]
    fn deny_wins_a_tie_in_either_order() {
        let (allow, deny) = (
            role(Permission::Allow, "$everyone"),
            role(Permission::Deny, "$everyone"),
        );
        assert_eq!(decide([&allow, &deny], FIND, Caller::default()), Permission::Deny);
        assert_eq!(decide([&deny, &allow], FIND, Caller::default()), Permission::Deny);
    }

    #[test]
    fn execute_is_any_call_and_who_may_write_may_replicate() {
        let passes = |access, asked| {
            let rule = AclRule {
                access: Some(access),
                ..role(Permission::Allow, "$everyone")
            };
            decide(
                [&rule],
                Request {
                    access: asked,
                    ..FIND
                },
                Caller::default(),
            ) == Permission::Allow
        };
        for asked in AccessType::ALL {
            assert!(passes(AccessType::Execute, asked), "{asked:?}");
            assert!(passes(asked, asked), "{asked:?}");
            assert_eq!(AccessType::parse(asked.word()), Some(asked));
        }
        assert!(passes(AccessType::Write, AccessType::Replicate));
        assert!(!passes(AccessType::Replicate, AccessType::Write));
        assert!(!passes(AccessType::Read, AccessType::Write));
        assert!(!passes(AccessType::Read, AccessType::Execute));
    }
}
