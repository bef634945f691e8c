//! Applications as principals: rules and roles that name one count for whoever shows its key, in every place that rules are asked.

use domain::access::{AccessType, AclRow, Permission, Principal, PrincipalType};
use domain::application::{ApplicationDetails, KeyType};
use domain::audit::Actor;
use domain::id::{ApplicationId, RoleName};
use domain::service::ApplicationChange;
use serde_json::{Value, json};

use crate::site::{Answer, Site};

struct Program {
    id: ApplicationId,
    key: String,
    public_key: String,
}

async fn program(site: &Site) -> Program {
    let made = site
        .services
        .create_application("shop", ApplicationDetails::default(), &Actor::Operator);
    let (application, keys) = made.await.unwrap();
    let key = |wanted: KeyType| {
        let (_, key) = keys.each().find(|(kind, _)| *kind == wanted).unwrap();
        key.expose().to_owned()
    };
    Program {
        id: application.id,
        key: key(KeyType::RestApiKey),
        public_key: key(KeyType::ClientKey),
    }
}

/// Everything about a model, for one application.
async fn open_to(site: &Site, model: &str, principal_type: PrincipalType, principal: &str) {
    let row = AclRow {
        id: site.services.draw_rule_id(),
        model: Some(model.to_owned()),
        property: None,
        access: None,
        permission: Permission::Allow,
        principal_type,
        principal: principal.to_owned(),
    };
    site.services.put_rule(&row, Actor::Operator).await.unwrap();
}

async fn give(site: &Site, program: &Program, role: &str) {
    let role = RoleName::new(role);
    let role = site
        .services
        .create_role(&role, None, Actor::Operator)
        .await
        .unwrap();
    let principal = Principal::Application(program.id.clone());
    let given = site
        .services
        .give_role(&principal, &role.id, Actor::Operator)
        .await;
    assert!(given.unwrap().is_some());
}

/// A call with the application's key, and with somebody's token where there is one.
async fn ask(site: &Site, path: &str, program: &Program, key: &str, token: &str) -> Answer {
    let mut request = site
        .ask_site("GET", path)
        .header("x-application-id", program.id.as_str())
        .header("x-application-key", key);
    if !token.is_empty() {
        request = request.header("authorization", token);
    }
    Site::answer(request).await
}

#[tokio::test]
async fn a_rule_about_an_application_lets_it_through_a_proxy() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    let shop = program(&site).await;
    let rule = "/auth/check?acl=Order:find:READ";
    ask(&site, rule, &shop, &shop.key, "")
        .await
        .is(403, "ACCESS_DENIED");
    open_to(&site, "Order", PrincipalType::App, shop.id.as_str()).await;
    let alone = ask(&site, rule, &shop, &shop.key, "").await.ok();
    assert_eq!(alone.header("x-application-id"), shop.id.as_str());
    assert_eq!(
        (alone.header("x-user-id"), alone.header("x-user-roles")),
        ("", "")
    );
    let for_ann = ask(&site, rule, &shop, &shop.key, &token).await.ok();
    assert_eq!(for_ann.header("x-user-id"), id);
    assert_eq!(for_ann.header("x-application-id"), shop.id.as_str());
    let by_herself = site.ask_site("GET", rule).header("authorization", &token);
    Site::answer(by_herself).await.is(403, "ACCESS_DENIED");
}

#[tokio::test]
async fn whoever_says_to_be_an_application_proves_it_or_is_refused() {
    let site = Site::open().await;
    let (_, _, token) = site.ann().await;
    let shop = program(&site).await;
    open_to(&site, "Order", PrincipalType::App, shop.id.as_str()).await;
    let rule = "/auth/check?acl=Order:find:READ";
    for path in [rule, "/auth/check", "/api/Users/me", "/api/Roles"] {
        for key in ["", "wrong", &shop.public_key] {
            let answer = ask(&site, path, &shop, key, &token).await;
            assert_eq!(
                (answer.status, answer.code()),
                (401, "APPLICATION_REFUSED"),
                "{path} {key}"
            );
        }
    }
    ask(&site, rule, &shop, &shop.key, "").await.ok();
    let disabled = ApplicationChange {
        enabled: Some(false),
        ..ApplicationChange::default()
    };
    let changed = site
        .services
        .change_application(&shop.id, &disabled, &Actor::Operator);
    changed.await.unwrap();
    ask(&site, rule, &shop, &shop.key, "")
        .await
        .is(401, "APPLICATION_REFUSED");
}

#[tokio::test]
async fn an_application_is_nobody_who_is_logged_in() {
    let site = Site::open().await;
    let shop = program(&site).await;
    give(&site, &shop, "clerk").await;
    open_to(&site, "Order", PrincipalType::Role, "$authenticated").await;
    ask(&site, "/auth/check?role=clerk", &shop, &shop.key, "")
        .await
        .ok();
    for path in [
        "/auth/check",
        "/auth/check?pool=Users",
        "/auth/check?role=clerk&pool=Users",
    ] {
        ask(&site, path, &shop, &shop.key, "")
            .await
            .is(401, "AUTHORIZATION_REQUIRED");
    }
    ask(&site, "/auth/check?acl=Order:find:READ", &shop, &shop.key, "")
        .await
        .is(403, "ACCESS_DENIED");
}

#[tokio::test]
async fn its_roles_count_beside_the_users_and_are_not_written_down_as_theirs() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    let shop = program(&site).await;
    give(&site, &shop, "shopkeeper").await;
    site.give("Users", &id, "clerk").await;
    let both = "/auth/check?role=clerk&role=shopkeeper";
    let let_in = ask(&site, both, &shop, &shop.key, &token).await.ok();
    assert_eq!(let_in.header("x-user-roles"), "clerk");
    ask(&site, both, &shop, &shop.key, "")
        .await
        .is(403, "ACCESS_DENIED");
    let question = json!([{ "model": "Order", "property": "find", "accessType": "READ" }]);
    open_to(&site, "Order", PrincipalType::Role, "shopkeeper").await;
    let asked = async |key: Option<&str>| {
        let mut request = site.ask_site("POST", "/api/acl/check").json(&question);
        if let Some(key) = key {
            request = request
                .header("x-application-id", shop.id.as_str())
                .header("x-application-key", key);
        }
        Site::answer(request).await
    };
    assert_eq!(asked(Some(&shop.key)).await.ok().body[0]["permission"], "ALLOW");
    assert_eq!(asked(None).await.ok().body[0]["permission"], "DENY");
    asked(Some("wrong")).await.is(401, "APPLICATION_REFUSED");
}

#[tokio::test]
async fn an_application_with_the_role_admin_calls_the_servers_models_and_is_named_for_it() {
    let site = Site::open().await;
    let (_, ann, token) = site.ann().await;
    let shop = program(&site).await;
    ask(&site, "/api/Roles", &shop, &shop.key, "")
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    give(&site, &shop, "admin").await;
    ask(&site, "/api/Roles", &shop, &shop.key, "").await.ok();
    let new = site
        .ask_site("POST", "/api/Roles")
        .header("x-application-id", shop.id.as_str())
        .header("x-application-key", &shop.key)
        .json(&json!({ "name": "clerk" }));
    let made = Site::answer(new).await.ok();
    assert_eq!(made.body["name"], "clerk");
    // What administrators do to people, a person does: an application lends its office to nobody.
    for token in ["", token.as_str()] {
        for path in ["/api/Users", "/api/Users/count"] {
            ask(&site, path, &shop, &shop.key, token)
                .await
                .is(401, "AUTHORIZATION_REQUIRED");
        }
    }
    let own = ask(&site, &format!("/api/Users/{ann}"), &shop, &shop.key, &token)
        .await
        .ok();
    assert_eq!(own.body["id"], Value::from(ann));
}

#[tokio::test]
async fn a_rule_may_open_a_call_of_a_pool_to_one_application() {
    let site = Site::open().await;
    let shop = program(&site).await;
    let login = |program: &Program| {
        site.ask_site("POST", "/api/Users/login")
            .header("x-application-id", program.id.as_str())
            .header("x-application-key", &program.key)
            .json(&json!({ "email": "nobody@example.com", "password": "x" }))
    };
    let shut = AclRow {
        id: site.services.draw_rule_id(),
        model: Some("User".to_owned()),
        property: Some("login".to_owned()),
        access: Some(AccessType::Execute),
        permission: Permission::Deny,
        principal_type: PrincipalType::Role,
        principal: "$unauthenticated".to_owned(),
    };
    site.services.put_rule(&shut, Actor::Operator).await.unwrap();
    Site::answer(login(&shop)).await.is(401, "AUTHORIZATION_REQUIRED");
    let open = AclRow {
        id: site.services.draw_rule_id(),
        permission: Permission::Allow,
        principal_type: PrincipalType::App,
        principal: shop.id.to_string(),
        ..shut
    };
    site.services.put_rule(&open, Actor::Operator).await.unwrap();
    Site::answer(login(&shop)).await.is(401, "LOGIN_FAILED");
}
