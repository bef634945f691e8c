//! The rules every model starts with.

use super::{AclRule, Permission, PrincipalType};

/// The role whose holders administer.
pub const ADMIN: &str = "admin";

/// The access rules every pool starts with: LoopBack's for its `User` model, the two code calls of the two-factor article, the
/// calls about one's own phone, factors and sessions, and those about accounts elsewhere: ending a way to a provider is for everyone, for
/// whoever holds its code has proven something; what it left is for its owner. So are the calls whose token, link or passkey is the
/// proof. Whoever has the role `admin` may find, change and delete the users of their own pool.
pub fn default_rules(model: &str) -> Vec<AclRule> {
    let rule = |role, permission, properties| rule(model, role, permission, properties);
    vec![
        rule("$everyone", Permission::Deny, &[]),
        rule("$everyone", Permission::Allow, OPEN),
        // A reset token is the authority for this call; it is no session, so no role could stand for it.
        rule("$everyone", Permission::Allow, &["setPassword"]),
        rule("$owner", Permission::Allow, OWNERS),
        rule(
            "$authenticated",
            Permission::Allow,
            &["changePassword", "signToken"],
        ),
        rule(ADMIN, Permission::Allow, ADMINS),
    ]
}

/// The rules of the server's own models, such as `Role`: for administrators alone, but for what is proven by the call itself. They name
/// their model, so no rule about every model ever opens one.
pub fn server_rules(model: &str) -> Vec<AclRule> {
    let mut rules = vec![
        rule(model, "$everyone", Permission::Deny, &[]),
        rule(model, ADMIN, Permission::Allow, &[]),
    ];
    if model == "Application" {
        // The key that comes along is the proof.
        rules.push(rule(model, "$everyone", Permission::Allow, &["authenticate"]));
    }
    rules
}

/// For administrators, about anybody of their pool.
const ADMINS: &[&str] = &[
    "find",
    "findOne",
    "count",
    "exists",
    "findById",
    "patchAttributes",
    "deleteById",
    "impersonate",
    "invite",
    "mailPasswordLink",
    "unlock",
    "getSessions",
    "endSession",
    "endOtherSessions",
];

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

fn rule(model: &str, role: &str, permission: Permission, properties: &[&str]) -> AclRule {
    AclRule {
        model: Some(model.to_owned()),
        principal_type: PrincipalType::Role,
        principal: role.to_owned(),
        permission,
        properties: properties.iter().map(|name| (*name).to_owned()).collect(),
        access: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{AccessType, Caller, Request, decide};
    use crate::id::RoleName;

    const STRANGER: Caller<'_> = Caller {
        user: None,
        application: None,
        owner: false,
        related: false,
        roles: &[],
    };
    const OWNER: Caller<'_> = Caller {
        user: Some("1"),
        owner: true,
        ..STRANGER
    };
    const OTHER: Caller<'_> = Caller {
        user: Some("2"),
        ..STRANGER
    };

    fn asks(property: &str, caller: Caller<'_>) -> Permission {
        decide(
            &default_rules("Users"),
            Request {
                model: "Users",
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
    fn an_admin_reads_changes_and_deletes_users_and_does_nothing_else_for_them() {
        let roles = [RoleName::new(ADMIN)];
        let admin = Caller {
            roles: &roles,
            ..OTHER
        };
        for property in ADMINS {
            assert_eq!(asks(property, admin), Permission::Allow, "{property}");
        }
        for closed in [
            "getFactors",
            "stepUp",
            "freshToken",
            "__get__accessTokens",
            "updateAll",
        ] {
            assert_eq!(asks(closed, admin), Permission::Deny, "{closed}");
        }
        for closed in ["find", "count"] {
            assert_eq!(asks(closed, OWNER), Permission::Deny, "{closed}");
        }
    }

    #[test]
    fn the_servers_own_models_are_for_admins_and_no_rule_about_every_model_opens_them() {
        let roles = [RoleName::new(ADMIN)];
        let admin = Caller {
            roles: &roles,
            ..OTHER
        };
        let broad = AclRule {
            model: None,
            ..rule("", "$everyone", Permission::Allow, &["find", "authenticate"])
        };
        let asks = |model, property, caller| {
            let own = server_rules(model);
            let request = Request {
                model,
                property,
                access: AccessType::Read,
            };
            decide(own.iter().chain([&broad]), request, caller)
        };
        for model in ["Role", "RoleMapping", "ACL", "Application"] {
            assert_eq!(asks(model, "find", admin), Permission::Allow, "{model}");
            assert_eq!(asks(model, "find", OWNER), Permission::Deny, "{model}");
            assert_eq!(asks(model, "find", STRANGER), Permission::Deny, "{model}");
        }
        assert_eq!(asks("Application", "authenticate", STRANGER), Permission::Allow);
        assert_eq!(asks("Role", "authenticate", STRANGER), Permission::Deny);
    }
}
