//! `GET /auth/check` with a rule, and `POST /api/acl/check`: what others may ask before they serve a request.

use domain::access::{AccessType, AclRow, Permission, PrincipalType};
use domain::audit::Actor;
use domain::id::AclId;
use domain::policy::SecondFactor;
use domain::service::Services;
use serde_json::{Value, json};

use crate::site::{Answer, EMAIL, Site};

async fn check(site: &Site, rule: &str, token: &str) -> Answer {
    let request = site.ask_site("GET", &format!("/auth/check{rule}"));
    Site::answer(request.header("authorization", token)).await
}

/// Stores `MODEL property ACCESS PERMISSION principal`, a role unless it says `USER:id`.
async fn rule(services: &Services, text: &str) -> AclId {
    let words: Vec<&str> = text.split(' ').collect();
    let some = |word: &str| (word != "*").then(|| word.to_owned());
    let (principal_type, principal) = match words[4].split_once(':') {
        Some((_, id)) => (PrincipalType::User, id),
        None => (PrincipalType::Role, words[4]),
    };
    let row = AclRow {
        id: services.draw_rule_id(),
        model: some(words[0]),
        property: some(words[1]),
        access: AccessType::parse(words[2]),
        permission: if words[3] == "ALLOW" {
            Permission::Allow
        } else {
            Permission::Deny
        },
        principal_type,
        principal: principal.to_owned(),
    };
    services.put_rule(&row, Actor::Operator).await.unwrap();
    row.id
}

#[tokio::test]
async fn a_role_opens_from_when_it_is_given_until_it_is_taken() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    check(&site, "", &token).await.ok();
    check(&site, "?role=clerk", &token).await.is(403, "ACCESS_DENIED");
    check(&site, "?role=clerk", "unknown")
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    let mapping = site.give("Users", &id, "clerk").await;
    let let_in = check(&site, "?role=clerk", &token).await.ok();
    assert_eq!(let_in.header("x-user-id"), id);
    assert_eq!(let_in.header("x-user-roles"), "clerk");
    check(&site, "?role=boss,clerk", &token).await.ok();
    check(&site, "?role=clerk&role=boss", &token)
        .await
        .is(403, "ACCESS_DENIED");
    assert!(site.services.take_role(&mapping, Actor::Operator).await.unwrap());
    check(&site, "?role=clerk", &token).await.is(403, "ACCESS_DENIED");
    assert_eq!(check(&site, "", &token).await.ok().header("x-user-roles"), "");
}

#[tokio::test]
async fn a_session_that_ended_is_401_whatever_is_asked() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    site.give("Users", &id, "clerk").await;
    check(&site, "?role=clerk", &token).await.ok();
    site.call("POST", "/Users/logout", &token, json!({})).await.void();
    check(&site, "?role=clerk", &token)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn rules_decide_about_models_of_other_services() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    let asks = |owner: &str| format!("?acl=Order:findById:READ&owner={owner}");
    check(&site, &asks(&id), &token).await.is(403, "ACCESS_DENIED");
    rule(&site.services, "Order findById READ ALLOW $owner").await;
    check(&site, &asks(&id), &token).await.ok();
    check(&site, &asks("somebody"), &token)
        .await
        .is(403, "ACCESS_DENIED");
    check(&site, "?acl=Order:findById:READ", &token)
        .await
        .is(403, "ACCESS_DENIED");
    check(&site, "?acl=Order:deleteById:WRITE", &token)
        .await
        .is(403, "ACCESS_DENIED");
    let denied = rule(&site.services, &format!("Order * * DENY USER:{id}")).await;
    // A user before a role, but the method before the user, as in LoopBack.
    check(&site, &asks(&id), &token).await.ok();
    site.services.delete_rule(&denied, Actor::Operator).await.unwrap();
    let denied = rule(&site.services, &format!("Order findById READ DENY USER:{id}")).await;
    check(&site, &asks(&id), &token).await.is(403, "ACCESS_DENIED");
    site.services.delete_rule(&denied, Actor::Operator).await.unwrap();
    check(&site, &asks(&id), &token).await.ok();
}

#[tokio::test]
async fn what_a_guard_cannot_read_opens_nothing() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    site.give("Users", &id, "admin").await;
    for odd in [
        "?role=",
        "?rol=admin",
        "?role=admin&x=1",
        "?acl=Order",
        "?acl=Order:find",
        "?acl=*:find:READ",
        "?owner=1",
        "?pool=Nobody",
        "?role=$everyone",
    ] {
        assert_eq!(check(&site, odd, &token).await.status, 400, "{odd}");
    }
}

#[tokio::test]
async fn ids_of_one_pool_are_not_those_of_another() {
    let site = Site::with(|users, _| users.second_factor = SecondFactor::Off).await;
    let (_, id, token) = site.ann().await;
    rule(&site.services, "Order find READ ALLOW $owner").await;
    let asks = |pool: &str| format!("?acl=Order:find:READ&owner={id}{pool}");
    check(&site, &asks(""), &token).await.ok();
    check(&site, &asks("&pool=Users"), &token).await.ok();
    // A session of the other pool is none here.
    check(&site, &asks("&pool=Employees"), &token)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
}

async fn decisions(site: &Site, token: &str, questions: &Value) -> Vec<String> {
    let answer = site
        .call("POST", "/acl/check", token, questions.clone())
        .await
        .ok();
    let all = answer.body.as_array().unwrap().clone();
    all.iter()
        .map(|one| one["permission"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn many_things_are_decided_at_once_for_whoever_calls() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    for text in [
        "Order find READ ALLOW $authenticated",
        "Order findById READ ALLOW $owner",
        "Order findById READ ALLOW $related",
        "Order create WRITE ALLOW clerk",
        "Order count READ ALLOW $everyone",
    ] {
        rule(&site.services, text).await;
    }
    let questions = json!([
        {"model": "Order", "property": "find", "accessType": "READ"},
        {"model": "Order", "property": "findById", "accessType": "READ", "owner": id},
        {"model": "Order", "property": "findById", "accessType": "READ", "owner": "x", "related": id},
        {"model": "Order", "property": "findById", "accessType": "READ", "id": id},
        {"model": "Order", "property": "create", "accessType": "WRITE"},
        {"model": "Order", "property": "count", "accessType": "READ"},
        {"model": "User", "property": "findById", "accessType": "READ", "id": id},
        {"model": "User", "property": "findById", "accessType": "READ", "id": 7},
        {"model": "Role", "property": "find", "accessType": "READ"},
    ]);
    let (yes, no) = ("ALLOW", "DENY");
    assert_eq!(
        decisions(&site, &token, &questions).await,
        [yes, yes, yes, no, no, yes, yes, no, no]
    );
    assert_eq!(
        decisions(&site, "", &questions).await,
        [no, no, no, no, no, yes, no, no, no]
    );
    site.give("Users", &id, "clerk").await;
    assert_eq!(decisions(&site, &token, &questions).await[4], yes);
    let answer = site.call("POST", "/acl/check", &token, questions).await.ok();
    assert_eq!(
        answer.body[0],
        json!({"model": "Order", "property": "find", "accessType": "READ", "permission": "ALLOW"})
    );
}

#[tokio::test]
async fn questions_that_cannot_be_read_are_refused_as_a_whole() {
    let site = Site::open().await;
    let (_, _, token) = site.ann().await;
    let sound = json!({"model": "Order", "property": "find", "accessType": "READ"});
    for odd in [
        json!({}),
        json!([1]),
        json!([{"model": "Order"}]),
        json!([sound, {"model": "Order", "property": "*", "accessType": "READ"}]),
        json!([{"model": "Order", "property": "find", "accessType": "*"}]),
        json!([{"model": {"a": 1}, "property": "find", "accessType": "READ"}]),
        json!([{"model": "Order", "property": "find", "accessType": "READ", "pool": "Nobody"}]),
        Value::Array(vec![sound.clone(); 101]),
    ] {
        assert_eq!(site.call("POST", "/acl/check", &token, odd).await.status, 400);
    }
    let full = Value::Array(vec![sound; 100]);
    assert_eq!(decisions(&site, &token, &full).await.len(), 100);
    let login = json!({"email": EMAIL, "password": "wrong"});
    site.post("/Users/login", login).await.is(401, "LOGIN_FAILED");
}
