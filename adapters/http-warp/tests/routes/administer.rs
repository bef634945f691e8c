//! What administrators may: applications and their keys, and the users of their own pool.

use std::time::Duration;

use domain::access::{AclRule, Permission, PrincipalType};
use domain::policy::SecondFactor;
use serde_json::{Value, json};

use crate::site::{EMAIL, Site};

const KEYS: [&str; 5] = [
    "clientKey",
    "javaScriptKey",
    "restApiKey",
    "windowsKey",
    "masterKey",
];

fn text<'r>(record: &'r Value, name: &str) -> &'r str {
    record[name].as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_application_is_made_read_changed_and_deleted_and_its_keys_are_shown_once() {
    let site = Site::open().await;
    let (admin, token) = site.admin("Users").await;
    let asked = json!({"name": "shop", "description": "sells", "callbackUrls": ["https://shop.example/back"],
        "pushSettings": {"apns": {}}});
    let made = site.call("POST", "/Applications", &token, asked).await.ok().body;
    for key in KEYS {
        assert_eq!(text(&made, key).len(), 40, "{key}");
    }
    assert_eq!(
        (text(&made, "owner"), text(&made, "status")),
        (admin.as_str(), "sandbox")
    );
    assert_eq!(made["authenticationEnabled"], true);
    let path = format!("/Applications/{}", text(&made, "id"));
    let read = site.get(&path, &token).await.ok();
    assert_eq!(read.body["pushSettings"], json!({"apns": {}}));
    for key in KEYS {
        assert!(read.body.get(key).is_none() && !read.text.contains(text(&made, key)));
    }
    let listed = site
        .get("/Applications?filter[where][name]=shop", &token)
        .await
        .ok()
        .body;
    assert_eq!(listed, json!([read.body]));
    assert_eq!(
        site.get("/Applications/count", &token).await.ok().body,
        json!({"count": 1})
    );
    let change = json!({"name": "the shop", "description": null});
    let changed = site.call("PATCH", &path, &token, change).await.ok().body;
    assert_eq!(text(&changed, "name"), "the shop");
    assert!(changed.get("description").is_none() && changed.get("callbackUrls").is_some());
    let replaced = site
        .call("PUT", &path, &token, json!({"name": "shop"}))
        .await
        .ok()
        .body;
    assert!(replaced.get("callbackUrls").is_none());
    let refused = site.call("PUT", &path, &token, json!({})).await;
    assert_eq!(refused.status, 422);
    let gone = site.call("DELETE", &path, &token, json!({})).await.ok().body;
    assert_eq!(gone, json!({"count": 1}));
    site.get(&path, &token).await.is(404, "MODEL_NOT_FOUND");
    let resets = format!("{path}/resetKeys");
    site.call("POST", &resets, &token, json!({}))
        .await
        .is(404, "MODEL_NOT_FOUND");
}

#[tokio::test]
async fn an_application_says_who_it_is_by_any_of_its_keys_until_they_are_reset() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let registered = json!({"owner": "somebody", "name": "shop"});
    let made = site
        .call("POST", "/Applications/register", &token, registered)
        .await
        .ok()
        .body;
    assert_eq!(text(&made, "owner"), "somebody");
    let id = text(&made, "id");
    let ask = |key: &str| site.post("/Applications/authenticate", json!({"id": id, "key": key}));
    for kind in KEYS {
        let known = ask(text(&made, kind)).await.ok();
        assert_eq!(known.body["keyType"], kind);
        assert_eq!(known.body["application"]["id"], id);
        assert!(
            KEYS.iter()
                .all(|key| known.body["application"].get(key).is_none())
        );
    }
    for (id, key) in [
        (id, "wrong"),
        ("wrong", text(&made, "masterKey")),
        (id, ""),
        ("", ""),
    ] {
        let refused = site
            .post("/Applications/authenticate", json!({"id": id, "key": key}))
            .await;
        refused.is(401, "APPLICATION_REFUSED");
    }
    let odd = site
        .post("/Applications/authenticate", json!({"id": id, "key": {"neq": 1}}))
        .await;
    assert_eq!(odd.status, 400);
    let path = format!("/Applications/{id}");
    let reset = site
        .call("POST", &format!("{path}/resetKeys"), &token, json!({}))
        .await
        .ok()
        .body;
    for kind in KEYS {
        assert_ne!(text(&reset, kind), text(&made, kind));
        ask(text(&made, kind)).await.is(401, "APPLICATION_REFUSED");
    }
    ask(text(&reset, "restApiKey")).await.ok();
    let off = json!({"authenticationEnabled": false});
    let disabled = site.call("PATCH", &path, &token, off).await.ok().body;
    assert_eq!(disabled["authenticationEnabled"], false);
    ask(text(&reset, "restApiKey"))
        .await
        .is(401, "APPLICATION_REFUSED");
    let on = json!({"authenticationEnabled": true});
    site.call("PATCH", &path, &token, on).await.ok();
    ask(text(&reset, "restApiKey")).await.ok();
}

#[tokio::test]
async fn guessing_keys_is_slowed_down() {
    let site = Site::open().await;
    let mut statuses = Vec::new();
    for _ in 0..200 {
        let guess = json!({"id": "shop", "key": "guess"});
        let answer = site.post("/Applications/authenticate", guess).await;
        statuses.push(answer.status);
        if answer.status == 429 {
            break;
        }
    }
    assert_eq!(statuses.last(), Some(&429));
    site.later(Duration::from_hours(1));
    let again = json!({"id": "shop", "key": "guess"});
    site.post("/Applications/authenticate", again)
        .await
        .is(401, "APPLICATION_REFUSED");
}

#[tokio::test]
async fn an_admin_finds_the_users_of_the_pool() {
    let site = Site::open().await;
    let (admin, token) = site.admin("Users").await;
    let (path, ann, _) = site.ann().await;
    let ids = |body: &Value| -> Vec<String> {
        let all = body.as_array().unwrap().iter();
        all.map(|user| text(user, "id").to_owned()).collect()
    };
    let all = site.get("/Users", &token).await.ok().body;
    let listed = ids(&all);
    let mut both = [admin, ann.clone()];
    both.sort();
    assert_eq!(listed, both, "in the order of their ids");
    let [first, second] = &both;
    assert!(!all.to_string().contains("password"));
    for (query, expected) in [
        ("?filter[limit]=1", vec![first]),
        ("?filter[limit]=1&filter[skip]=1", vec![second]),
        ("?filter[skip]=2", vec![]),
        ("?filter[where][email]=ANN@example.com", vec![]),
        ("?filter[where][email]=ann@example.com", vec![&ann]),
        ("?filter[where][email]=nobody@example.com", vec![]),
    ] {
        let found = site.get(&format!("/Users{query}"), &token).await.ok().body;
        assert_eq!(ids(&found).iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let by_id = site
        .get(&format!("/Users?filter[where][id]={ann}"), &token)
        .await
        .ok();
    assert_eq!(ids(&by_id.body), std::slice::from_ref(&ann));
    let one = site
        .get("/Users/findOne?filter[where][email]=ann@example.com", &token)
        .await;
    assert_eq!(text(&one.ok().body, "id"), ann);
    site.get("/Users/findOne?filter[where][email]=x@example.com", &token)
        .await
        .is(404, "MODEL_NOT_FOUND");
    for (query, count) in [("", 2), ("?where[email]=ann@example.com", 1), ("?where[id]=x", 0)] {
        let counted = site.get(&format!("/Users/count{query}"), &token).await.ok().body;
        assert_eq!(counted, json!({ "count": count }), "{query}");
    }
    assert_eq!(text(&site.get(&path, &token).await.ok().body, "email"), EMAIL);
    let exists = site.get(&format!("{path}/exists"), &token).await.ok().body;
    assert_eq!(exists, json!({"exists": true}));
    for odd in [
        "?filter[where][colour]=red",
        "?filter[where][email][neq]=x",
        "?filter[order]=email",
        "?filter[limit]=100000",
        "?filter[skip]=999999999",
    ] {
        assert_eq!(
            site.get(&format!("/Users{odd}"), &token).await.status,
            400,
            "{odd}"
        );
    }
}

#[tokio::test]
async fn an_admin_shuts_a_user_out_lets_them_in_and_deletes_them() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let (path, _, anns) = site.ann().await;
    let set = |disabled: bool| site.call("PATCH", &path, &token, json!({ "disabled": disabled }));
    assert_eq!(set(true).await.ok().body["disabled"], true);
    site.get(&path, &anns).await.is(401, "AUTHORIZATION_REQUIRED");
    let login = json!({"email": EMAIL, "password": crate::site::PASSWORD});
    assert_eq!(site.post("/Users/login", login).await.status, 401);
    assert!(set(false).await.ok().body.get("disabled").is_none());
    let anns = site.log_in("Users", EMAIL).await;
    for odd in [
        json!({"email": "no address"}),
        json!({"password": "correct horse battery 2"}),
        json!({"phone": "+491701234567"}),
        json!({"realm": "elsewhere"}),
        json!({"disabled": true, "emailVerified": true}),
    ] {
        assert_eq!(site.call("PATCH", &path, &token, odd).await.status, 422);
    }
    assert_eq!(
        site.get(&path, &anns).await.ok().body["email"],
        EMAIL,
        "nothing was changed"
    );
    let gone = site.call("DELETE", &path, &token, json!({})).await.ok().body;
    assert_eq!(gone, json!({"count": 1}));
    site.get(&path, &anns).await.is(401, "AUTHORIZATION_REQUIRED");
    site.get(&path, &token).await.is(404, "MODEL_NOT_FOUND");
    let gone = site.call("DELETE", &path, &token, json!({})).await.ok().body;
    assert_eq!(gone, json!({"count": 0}));
}

#[tokio::test]
async fn nobody_else_finds_counts_shuts_out_or_deletes_anybody() {
    let employees = |_: &mut _, employees: &mut domain::policy::PoolPolicy, _: &mut _| {
        employees.second_factor = SecondFactor::Off;
    };
    let site = Site::wired_with(employees).await;
    let (_, admin_elsewhere) = site.admin("Employees").await;
    let (path, _, _) = site.ann().await;
    site.sign_up("Users", "ben@example.com").await;
    let ben = site.log_in("Users", "ben@example.com").await;
    for token in [ben.as_str(), admin_elsewhere.as_str(), ""] {
        for (method, path, body) in [
            ("GET", "/Users", json!({})),
            ("GET", "/Users/count", json!({})),
            ("GET", "/Users/findOne", json!({})),
            ("GET", path.as_str(), json!({})),
            ("GET", &format!("{path}/exists"), json!({})),
            ("PATCH", &path, json!({"disabled": true})),
            ("PUT", &path, json!({"email": "x@example.com"})),
            ("DELETE", &path, json!({})),
        ] {
            let answer = site.call(method, path, token, body).await;
            answer.is(401, "AUTHORIZATION_REQUIRED");
        }
    }
    site.log_in("Users", EMAIL).await;
}

#[tokio::test]
async fn an_operator_may_shut_what_admins_may() {
    let rule = AclRule {
        model: None,
        principal_type: PrincipalType::Role,
        principal: "admin".to_owned(),
        permission: Permission::Deny,
        properties: vec!["deleteById".to_owned()],
        access: None,
    };
    let site = Site::with(|users, _| users.acls.push(rule)).await;
    let (_, token) = site.admin("Users").await;
    let (path, _, _) = site.ann().await;
    site.call("DELETE", &path, &token, json!({}))
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    site.get(&path, &token).await.ok();
}

#[tokio::test]
async fn a_rule_that_opens_everything_lists_nobody_to_those_who_do_not_administer() {
    let rule = AclRule {
        model: None,
        principal_type: PrincipalType::Role,
        principal: "$authenticated".to_owned(),
        permission: Permission::Allow,
        properties: Vec::new(),
        access: None,
    };
    let site = Site::with(|users, _| users.acls.push(rule)).await;
    let (path, _, anns) = site.ann().await;
    for closed in [
        "/Users",
        "/Users/count",
        "/Users/findOne",
        &format!("{path}/exists"),
    ] {
        site.get(closed, &anns).await.is(401, "AUTHORIZATION_REQUIRED");
    }
}
