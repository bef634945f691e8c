//! LoopBack's ACL: rules match by property, access type and principal; the most exact match wins, DENY wins a tie.

/// What kind of access a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessType {
    /// Looks at data.
    Read,
    /// Changes data.
    Write,
    /// Does something.
    Execute,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Let it pass.
    Allow,
    /// Refuse it.
    Deny,
}

/// What a rule is about: a role, or one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalType {
    /// A role, dynamic (`$owner`) or named.
    Role,
    /// One user, by id.
    User,
}

/// One access rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclRule {
    /// What kind of principal `principal` names.
    pub principal_type: PrincipalType,
    /// The role or user id.
    pub principal: String,
    /// What it says.
    pub permission: Permission,
    /// The methods it is about; empty for all.
    pub properties: Vec<String>,
    /// The access it is about; none for every kind.
    pub access: Option<AccessType>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The id of the logged-in user, in the pool that is asked.
    pub user: Option<&'a str>,
    /// Whether the record asked for is the caller's own.
    pub owner: bool,
    /// Named roles of the caller.
    pub roles: &'a [String],
}

/// What is asked: a method by LoopBack's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method (`findById`).
    pub property: &'a str,
    /// What kind of access it is.
    pub access: AccessType,
}

/// The access rules every pool starts with: LoopBack's for its `User` model, the two code calls of the two-factor article, the
/// calls about one's own phone, factors and sessions, and those about accounts elsewhere: ending a way to a provider is for everyone, for
/// whoever holds its code has proven something; what it left is for its owner. So are the calls whose token, link or passkey is the
/// proof.
pub fn default_rules() -> Vec<AclRule> {
    let everyone = |permission, properties: &[&str]| rule("$everyone", permission, properties);
    vec![
        everyone(Permission::Deny, &[]),
        everyone(Permission::Allow, OPEN),
        // A reset token is the authority for this call; it is no session, so no role could stand for it.
        everyone(Permission::Allow, &["setPassword"]),
        rule("$owner", Permission::Allow, OWNERS),
        rule("$authenticated", Permission::Allow, &["changePassword"]),
    ]
}

/// For everyone: what is proven by the call itself.
const OPEN: &[&str] = &[
    "create",
    "login",
    "logout",
    "verify",
    "confirm",
    "resetPassword",
    "requestCode",
    "loginWithCode",
    "resendCode",
    "enrolTotp",
    "passkeyOptions",
    "loginWithPasskey",
    "requestLink",
    "loginWithLink",
    "refresh",
    "revertEmail",
    "exchange",
    "join",
    "sendJoinCode",
    "declineJoin",
];

/// For the owner of a record alone.
const OWNERS: &[&str] = &[
    "deleteById",
    "findById",
    "patchAttributes",
    "replaceById",
    "sendPhoneCode",
    "confirmPhone",
    "__get__identities",
    "__findById__identities",
    "__count__identities",
    "__destroyById__identities",
    "__get__credentials",
    "__findById__credentials",
    "__count__credentials",
    "__destroyById__credentials",
    "freshToken",
    "getFactors",
    "addTotp",
    "confirmTotp",
    "makeRecoveryCodes",
    "newPasskeyOptions",
    "addPasskey",
    "renameFactor",
    "removeFactor",
    "forgetDevices",
    "stepUp",
    "sendStepUpCode",
    "stepUpOptions",
    "getSessions",
    "endSession",
    "endOtherSessions",
];

fn rule(role: &str, permission: Permission, properties: &[&str]) -> AclRule {
    AclRule {
        principal_type: PrincipalType::Role,
        principal: role.to_owned(),
        permission,
        properties: properties.iter().map(|name| (*name).to_owned()).collect(),
        access: None,
    }
}

/// Decides one request. Without any matching rule it is refused.
///
/// Matches are scored as LoopBack does: an exact property before a wildcard, an exact access type before a wildcard, a user before
/// a role, a named role before `$owner`, before `$authenticated`, before `$everyone`. Among the best, DENY wins; the order of the
/// rules never matters.
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
fn score(rule: &AclRule, request: Request<'_>, caller: Caller<'_>) -> Option<(u8, u8, u8)> {
    let property = if rule.properties.is_empty() {
        2
    } else if rule.properties.iter().any(|name| name == request.property) {
        3
    } else {
        return None;
    };
    let access = match rule.access {
        Some(access) if access == request.access => 3,
        // LoopBack: a rule for EXECUTE is a rule for calling the method, whatever the method does.
        None | Some(AccessType::Execute) => 2,
        Some(_) => return None,
    };
    Some((property, access, principal_score(rule, caller)?))
}

fn principal_score(rule: &AclRule, caller: Caller<'_>) -> Option<u8> {
    let (applies, score) = match (rule.principal_type, rule.principal.as_str()) {
        (PrincipalType::User, id) => (caller.user == Some(id), 10),
        (PrincipalType::Role, "$everyone") => (true, 1),
        (PrincipalType::Role, "$authenticated") => (caller.user.is_some(), 2),
        (PrincipalType::Role, "$unauthenticated") => (caller.user.is_none(), 2),
        (PrincipalType::Role, "$owner") => (caller.owner, 4),
        (PrincipalType::Role, name) => (caller.roles.iter().any(|role| role == name), 5),
    };
    applies.then_some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: Caller<'_> = Caller {
        user: None,
        owner: false,
        roles: &[],
    };
    const OWNER: Caller<'_> = Caller {
        user: Some("1"),
        owner: true,
        roles: &[],
    };
    const OTHER: Caller<'_> = Caller {
        user: Some("2"),
        owner: false,
        roles: &[],
    };

    fn asks(property: &str, caller: Caller<'_>) -> Permission {
        decide(
            &default_rules(),
            Request {
                property,
                access: AccessType::Execute,
            },
            caller,
        )
    }

    #[test]
    fn the_default_rules_are_loopbacks() {
        for open in [
            "create",
            "login",
            "logout",
            "verify",
            "confirm",
            "resetPassword",
            "requestCode",
            "loginWithCode",
            "exchange",
            "join",
            "sendJoinCode",
            "declineJoin",
        ] {
            assert_eq!(asks(open, STRANGER), Permission::Allow, "{open}");
        }
        for own in ["findById", "patchAttributes", "replaceById", "deleteById"] {
            assert_eq!(asks(own, OWNER), Permission::Allow, "{own}");
            assert_eq!(asks(own, OTHER), Permission::Deny, "{own}");
            assert_eq!(asks(own, STRANGER), Permission::Deny, "{own}");
        }
        assert_eq!(asks("changePassword", OTHER), Permission::Allow);
        assert_eq!(asks("changePassword", STRANGER), Permission::Deny);
        for closed in ["find", "count", "upsert", "anything"] {
            assert_eq!(asks(closed, OWNER), Permission::Deny, "{closed}");
        }
    }

    #[test]
    fn linked_accounts_and_their_grants_are_their_owners_alone() {
        for verb in ["get", "findById", "count", "destroyById"] {
            for relation in ["identities", "credentials"] {
                let own = format!("__{verb}__{relation}");
                assert_eq!(asks(&own, OWNER), Permission::Allow, "{own}");
                assert_eq!(asks(&own, OTHER), Permission::Deny, "{own}");
                assert_eq!(asks(&own, STRANGER), Permission::Deny, "{own}");
            }
        }
        assert_eq!(asks("freshToken", OWNER), Permission::Allow);
        assert_eq!(asks("freshToken", OTHER), Permission::Deny);
        for closed in [
            "__create__identities",
            "__updateById__credentials",
            "__delete__identities",
        ] {
            assert_eq!(asks(closed, OWNER), Permission::Deny, "{closed}");
        }
    }

    #[test]
    fn factors_and_sessions_are_their_owners_alone() {
        for own in [
            "getFactors",
            "addTotp",
            "addPasskey",
            "removeFactor",
            "stepUp",
            "getSessions",
            "endSession",
        ] {
            assert_eq!(asks(own, OWNER), Permission::Allow, "{own}");
            assert_eq!(asks(own, OTHER), Permission::Deny, "{own}");
            assert_eq!(asks(own, STRANGER), Permission::Deny, "{own}");
        }
        for open in ["loginWithPasskey", "loginWithLink", "refresh", "revertEmail"] {
            assert_eq!(asks(open, STRANGER), Permission::Allow, "{open}");
        }
    }

    #[test]
    fn deny_wins_a_tie_in_either_order() {
        let allow = rule("$everyone", Permission::Allow, &["find"]);
        let deny = rule("$everyone", Permission::Deny, &["find"]);
        let request = Request {
            property: "find",
            access: AccessType::Read,
        };
        assert_eq!(decide([&allow, &deny], request, STRANGER), Permission::Deny);
        assert_eq!(decide([&deny, &allow], request, STRANGER), Permission::Deny);
    }

    #[test]
    fn a_more_exact_rule_wins_over_a_broader_one() {
        let all = rule("$everyone", Permission::Deny, &[]);
        let one = rule("$authenticated", Permission::Allow, &["find"]);
        let request = Request {
            property: "find",
            access: AccessType::Read,
        };
        assert_eq!(decide([&all, &one], request, OTHER), Permission::Allow);
        assert_eq!(decide([&all, &one], request, STRANGER), Permission::Deny);
    }

    #[test]
    fn a_rule_for_another_access_type_does_not_match() {
        let read = AclRule {
            access: Some(AccessType::Read),
            ..rule("$everyone", Permission::Allow, &[])
        };
        let request = |access| Request {
            property: "x",
            access,
        };
        assert_eq!(
            decide([&read], request(AccessType::Read), STRANGER),
            Permission::Allow
        );
        assert_eq!(
            decide([&read], request(AccessType::Write), STRANGER),
            Permission::Deny
        );
    }
}
