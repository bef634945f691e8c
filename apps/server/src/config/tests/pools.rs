//! `[users.<Plural>]`.

use super::*;

#[test]
fn a_variable_finds_its_pool_whatever_the_case() {
    let config = load_with(
        "[users.ShopOwners]\nttl = 1\n[users.Far-Away]\n",
        &[
            ("PORTCULLIS__USERS__SHOPOWNERS__TTL", "5"),
            ("PORTCULLIS__USERS__FAR_AWAY__TTL", "6"),
            ("PORTCULLIS__USERS__EMPLOYEES__TTL", "7"),
            ("PORTCULLIS__USERS__USERS__TTL", "8"),
        ],
    );
    let config = config.unwrap().config;
    let ttls: Vec<_> = ["ShopOwners", "Far-Away", "Employees", "Users"]
        .map(|name| pool(&config, name).ttl)
        .into();
    assert_eq!((ttls, config.users.len()), (vec![5, 6, 7, 8], 4));
}

#[test]
fn the_first_pool_is_users_whatever_else_there_is() {
    for text in ["[users.Admins]\n", "[users.Admins]\n[users.Users]\nttl = 5\n"] {
        let config = config(text);
        let names: Vec<&str> = config.users.iter().map(|pool| pool.plural.as_str()).collect();
        assert_eq!(names, ["Users", "Admins"]);
    }
    let config = config("[users.Admins]\n[users.Users]\nenabled = false\n");
    assert_eq!(config.users.len(), 1);
}

#[test]
fn acls_are_written_as_loopback_writes_them() {
    let text = "[[users.Employees.acls]]\nprincipalType = \"ROLE\"\nprincipalId = \"$everyone\"\n\
                permission = \"ALLOW\"\nproperty = [\"requestCode\", \"loginWithCode\"]\n\
                [[users.Employees.acls]]\nprincipalType = \"USER\"\nprincipalId = 7\npermission = \"DENY\"\n\
                accessType = \"WRITE\"\n";
    let in_file = config(text);
    let acls = &pool(&in_file, "Employees").acls;
    assert_eq!((acls[0].property.len(), acls[0].access_type.as_str()), (2, "*"));
    assert_eq!(
        (acls[1].principal_id.as_str(), acls[1].property.as_slice()),
        ("7", &["*".to_owned()][..])
    );
    let json = r#"[{"principalType":"ROLE","principalId":"$everyone","permission":"ALLOW",
                    "property":["requestCode","loginWithCode"]},
                   {"principalType":"USER","principalId":7,"permission":"DENY","accessType":"WRITE"}]"#;
    let in_env = config_of(&[("PORTCULLIS__USERS__EMPLOYEES__ACLS", json)]);
    assert_eq!(&pool(&in_env, "Employees").acls, acls);
}

#[test]
fn a_careless_acl_is_refused() {
    let error =
        errors("[[users.Users.acls]]\nprincipalType = \"ROLE\"\npermission = \"PERMIT\"\nrole = \"x\"\n");
    assert!(
        error.contains("line 1: `users.Users.acls[1].principalId` is missing"),
        "{error}"
    );
    assert!(
        error.contains("line 3: `users.Users.acls[1].permission` must be one of ALLOW, DENY"),
        "{error}"
    );
    assert!(
        error.contains("line 4: unknown key `users.Users.acls[1].role`"),
        "{error}"
    );
    refused(
        "[users.Users]\nacls = [1]",
        "portcullis.toml, line 2: `users.Users.acls` must hold objects, but one is a number",
    );
}

#[test]
fn another_pool_joins_the_built_in_one_unless_that_is_switched_off() {
    assert_eq!(config("[users.Employees]\n").users.len(), 2);
    let alone = config("[users.Employees]\n[users.Users]\nenabled = false\n");
    assert_eq!(
        alone
            .users
            .iter()
            .map(|pool| pool.plural.as_str())
            .collect::<Vec<_>>(),
        ["Employees"]
    );
    let error = errors("[users.Users]\nenabled = false\n");
    assert!(error.contains("nobody could log in"), "{error}");
}

#[test]
fn pools_have_distinct_and_plain_names() {
    let error = errors("[users.users]\nttl = 5");
    assert!(
        error.contains("line 1: `users.users` and `users.Users` are the same name"),
        "{error}"
    );
    assert!(errors("[users.A-b]\n[users.a_B]").contains("are the same name"));
    for wrong in [
        "1st",
        "\"\"",
        "\"a b\"",
        "\"a/b\"",
        "\"Nutzer\u{e4}\"",
        &"x".repeat(65),
    ] {
        assert!(
            errors(&format!("[users.{wrong}]")).contains("must start with a letter"),
            "{wrong}"
        );
    }
    assert!(errors("[users.roles]").contains("belongs to another model"));
    assert!(errors("[users.People]\nmodel_name = \"User\"").contains("are both called `User`"));
}

#[test]
fn a_lower_maximum_alone_bounds_the_defaults_below_it() {
    let users = &config("[users.Users]\nmax_ttl = 3600\n").users;
    assert_eq!(
        (users[0].max_ttl, users[0].ttl, users[0].code_token_ttl),
        (3600, 3600, 3600)
    );
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let says = |keys: &str, sentence: &str| {
        let error = errors(&format!("[users.Users]\n{keys}"));
        assert!(error.contains(sentence), "{error}");
    };
    says(
        "hide_existing = true",
        "`users.Users.hide_existing` needs `email_verification_required = true`",
    );
    says(
        "ttl = 100\nmax_ttl = 99\ncode_token_ttl = 1",
        "line 2: `users.Users.ttl` is longer than `max_ttl` (99)",
    );
    says(
        "max_ttl = 1209600\ncode_token_ttl = 1209601",
        "line 3: `users.Users.code_token_ttl` is longer",
    );
    says(
        "code_lifetime = 61\npending_login_lifetime = 60",
        "line 2: `users.Users.code_lifetime` is longer",
    );
    says("acl_error_status = 402", "must be 401, 403 or 404");
    says(
        "second_factor = \"maybe\"",
        "must be one of optional, off, required, but is `maybe`",
    );
    says("password_min_length = 7", "must be between 8 and 64, but is 7");
    says("password_max_length = 127", "must be between 128 and 4096");
    says("realm_delimiter = \"@\"", "must not hold `@`");
    let fine =
        "[users.Users]\nhide_existing = true\nemail_verification_required = true\nacl_error_status = 404";
    assert_eq!(pool(&config(fine), "Users").acl_error_status, 404);
}
