//! `/api/Roles`, `/api/RoleMappings`, `/api/ACLs`: LoopBack's records, for administrators alone.

use domain::application::ApplicationDetails;
use domain::audit::Actor;
use domain::policy::SecondFactor;
use serde_json::{Value, json};

use crate::site::Site;

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

fn encoded(filter: &Value) -> String {
    form(&filter.to_string())
}

fn form(text: &str) -> String {
    let mut query = reqwest::Url::parse("http://x/").unwrap();
    query.query_pairs_mut().append_pair("x", text);
    query.query().unwrap().trim_start_matches("x=").to_owned()
}

#[tokio::test]
async fn a_role_is_made_read_changed_and_deleted() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let made = site
        .call(
            "POST",
            "/Roles",
            &token,
            json!({"name": "auditor", "description": "d"}),
        )
        .await
        .ok()
        .body;
    assert_eq!(
        (&made["name"], &made["description"]),
        (&json!("auditor"), &json!("d"))
    );
    assert_eq!(made["created"], made["modified"]);
    let path = format!("/Roles/{}", id(&made));
    assert_eq!(site.get(&path, &token).await.ok().body, made);
    let all = site.get("/roles/", &token).await.ok().body;
    let names: Vec<_> = all.as_array().unwrap().iter().map(|role| &role["name"]).collect();
    assert_eq!(names, ["admin", "auditor"]);
    let wanted = encoded(&json!({"where": {"name": "auditor"}, "fields": ["id"]}));
    let found = site
        .get(&format!("/Roles?filter={wanted}"), &token)
        .await
        .ok()
        .body;
    assert_eq!(found, json!([{"id": made["id"]}]));
    let found = site
        .get("/Roles/findOne?filter[where][name]=auditor", &token)
        .await;
    assert_eq!(found.ok().body, made);
    site.get("/Roles/findOne?filter[where][name]=x", &token)
        .await
        .is(404, "MODEL_NOT_FOUND");
    let count = site.get("/Roles/count?where[name]=auditor", &token).await;
    assert_eq!(count.ok().body, json!({"count": 1}));
    let changed = site
        .call("PATCH", &path, &token, json!({"description": null}))
        .await
        .ok()
        .body;
    assert_eq!(
        (&changed["name"], changed.get("description")),
        (&json!("auditor"), None)
    );
    let changed = site
        .call("PUT", &path, &token, json!({"name": "checker"}))
        .await
        .ok();
    assert_eq!(changed.body["name"], "checker");
    assert_eq!(
        site.get(&format!("{path}/exists"), &token).await.ok().body,
        json!({"exists": true})
    );
    let gone = site.call("DELETE", &path, &token, json!({})).await.ok();
    assert_eq!(gone.body, json!({"count": 1}));
    site.get(&path, &token).await.is(404, "MODEL_NOT_FOUND");
    let gone = site.call("DELETE", &path, &token, json!({})).await.ok();
    assert_eq!(gone.body, json!({"count": 0}));
}

#[tokio::test]
async fn a_role_that_will_not_do_is_refused_in_loopbacks_words() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    for (body, property, code) in [
        (json!({}), "name", "presence"),
        (json!({"name": ""}), "name", "presence"),
        (json!({"name": "admin"}), "name", "uniqueness"),
        (json!({"name": "$owner"}), "name", "custom.name"),
        (json!({"name": "x", "id": "7"}), "id", "absence"),
    ] {
        let refused = site.call("POST", "/Roles", &token, body.clone()).await;
        assert_eq!(refused.status, 422, "{body}");
        let error = &refused.body["error"];
        assert_eq!(error["name"], "ValidationError", "{body}");
        assert_eq!(error["details"]["context"], "Role");
        assert_eq!(error["details"]["codes"][property][0], code, "{body}");
    }
    for body in [json!({"name": {"a": 1}}), json!({"name": ["a"]}), json!([1])] {
        assert_eq!(site.call("POST", "/Roles", &token, body).await.status, 400);
    }
    let long = json!({"name": "ok", "description": "x".repeat(2000)});
    assert_eq!(site.call("POST", "/Roles", &token, long).await.status, 400);
}

#[tokio::test]
async fn roles_are_given_listed_and_taken() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let (_, ann, anns) = site.ann().await;
    let role = site
        .call("POST", "/Roles", &token, json!({"name": "clerk"}))
        .await
        .ok()
        .body;
    let role_path = format!("/Roles/{}", id(&role));
    let body = json!({"principalType": "USER", "principalId": ann, "roleId": role["id"]});
    let mapping = site
        .call("POST", "/RoleMappings", &token, body.clone())
        .await
        .ok()
        .body;
    assert_eq!(
        mapping,
        json!({"id": mapping["id"], "principalType": "USER", "principalId": ann, "roleId": role["id"]})
    );
    let again = site.call("POST", "/RoleMappings", &token, body).await.ok().body;
    assert_eq!(again, mapping, "nobody has a role twice");
    let path = format!("/RoleMappings/{}", id(&mapping));
    assert_eq!(site.get(&path, &token).await.ok().body, mapping);
    assert_eq!(site.get(&format!("{path}/role"), &token).await.ok().body, role);
    let only = json!([mapping]);
    for asked in [
        json!({"where": {"roleId": role["id"]}}),
        json!({"where": {"principalType": "USER", "principalId": ann}}),
        json!({"where": {"and": [{"principalId": ann}, {"roleId": role["id"]}]}}),
    ] {
        let listed = site
            .get(&format!("/RoleMappings?filter={}", encoded(&asked)), &token)
            .await;
        assert_eq!(listed.ok().body, only, "{asked}");
    }
    let counted = site.get("/RoleMappings/count", &token).await.ok().body;
    assert_eq!(
        counted,
        json!({"count": 2}),
        "the administrator's own is one, too"
    );
    let principals = format!("{role_path}/principals");
    assert_eq!(site.get(&principals, &token).await.ok().body, only);
    let counted = site.get(&format!("{principals}/count"), &token).await.ok().body;
    assert_eq!(counted, json!({"count": 1}));
    let is_clerk = || {
        site.ask_site("GET", "/auth/check?role=clerk")
            .header("authorization", &anns)
    };
    Site::answer(is_clerk()).await.ok();
    let gone = site.call("DELETE", &path, &token, json!({})).await.ok();
    assert_eq!(gone.body, json!({"count": 1}));
    Site::answer(is_clerk()).await.is(403, "ACCESS_DENIED");
    let given = json!({"principalType": "User", "principalId": ann});
    let given = site.call("POST", &principals, &token, given).await.ok().body;
    Site::answer(is_clerk()).await.ok();
    let below = format!("{principals}/{}", id(&given));
    assert_eq!(site.get(&below, &token).await.ok().body, given);
    site.call("DELETE", &below, &token, json!({})).await.void();
    site.call("DELETE", &below, &token, json!({}))
        .await
        .is(404, "MODEL_NOT_FOUND");
    Site::answer(is_clerk()).await.is(403, "ACCESS_DENIED");
}

#[tokio::test]
async fn roles_of_applications_of_roles_and_of_another_pool_have_their_types() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let employee = site.sign_up("Employees", "eve@example.com").await;
    let (application, _) = site
        .services
        .create_application("shop", ApplicationDetails::default(), &Actor::Operator)
        .await
        .unwrap();
    let made = |name: &str| json!({ "name": name });
    let clerk = site.call("POST", "/Roles", &token, made("clerk")).await.ok().body;
    let boss = site.call("POST", "/Roles", &token, made("boss")).await.ok().body;
    for (kind, principal) in [
        ("Employee", employee.as_str()),
        ("APP", application.id.as_str()),
        ("ROLE", boss["id"].as_str().unwrap()),
    ] {
        let body = json!({"principalType": kind, "principalId": principal, "roleId": clerk["id"]});
        let mapping = site.call("POST", "/RoleMappings", &token, body).await.ok().body;
        assert_eq!(
            (&mapping["principalType"], &mapping["principalId"]),
            (&json!(kind), &json!(principal))
        );
        let path = format!("/RoleMappings/{}", id(&mapping));
        assert_eq!(site.get(&path, &token).await.ok().body, mapping);
        site.call("DELETE", &path, &token, json!({})).await.ok();
        site.get(&path, &token).await.is(404, "MODEL_NOT_FOUND");
    }
    for (body, property) in [
        (
            json!({"principalId": employee, "roleId": clerk["id"]}),
            "principalId",
        ),
        (
            json!({"principalType": "Employee", "principalId": employee, "roleId": "x"}),
            "principalId",
        ),
        (
            json!({"principalType": "Robot", "principalId": "1", "roleId": clerk["id"]}),
            "principalType",
        ),
        (
            json!({"principalType": "USER", "roleId": clerk["id"]}),
            "principalId",
        ),
        (
            json!({"principalType": "USER", "principalId": employee}),
            "roleId",
        ),
    ] {
        let refused = site.call("POST", "/RoleMappings", &token, body.clone()).await;
        assert_eq!(refused.status, 422, "{body}");
        assert!(
            refused.body["error"]["details"]["codes"].get(property).is_some(),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_stored_rule_opens_and_shuts_at_once() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let (_, _, anns) = site.ann().await;
    let rule = json!({"model": "Role", "property": "find", "accessType": "READ",
        "permission": "ALLOW", "principalType": "ROLE", "principalId": "$authenticated"});
    site.get("/Roles", &anns).await.is(401, "AUTHORIZATION_REQUIRED");
    let made = site.call("POST", "/ACLs", &token, rule).await.ok().body;
    site.get("/Roles", &anns).await.ok();
    site.get("/Roles/count", &anns)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    site.get("/Roles", "nobody")
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    let path = format!("/ACLs/{}", id(&made));
    let patched = site
        .call("PATCH", &path, &token, json!({"permission": "DENY"}))
        .await
        .ok()
        .body;
    assert_eq!(patched["property"], "find");
    site.get("/Roles", &anns).await.is(401, "AUTHORIZATION_REQUIRED");
    let whole = json!({"model": "Role", "permission": "ALLOW", "principalType": "USER", "principalId": 7});
    let replaced = site.call("PUT", &path, &token, whole).await.ok().body;
    assert_eq!(
        (
            &replaced["property"],
            &replaced["accessType"],
            &replaced["principalId"]
        ),
        (&json!("*"), &json!("*"), &json!("7"))
    );
    assert_eq!(site.get("/ACLs", &token).await.ok().body, json!([replaced]));
    let gone = site.call("DELETE", &path, &token, json!({})).await.ok();
    assert_eq!(gone.body, json!({"count": 1}));
    assert_eq!(
        site.get("/ACLs/count", &token).await.ok().body,
        json!({"count": 0})
    );
}

#[tokio::test]
async fn a_rule_with_a_word_that_is_not_loopbacks_is_refused() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let sound =
        json!({"model": "Order", "permission": "ALLOW", "principalType": "ROLE", "principalId": "clerk"});
    site.call("POST", "/ACLs", &token, sound.clone()).await.ok();
    for (property, odd) in [
        ("model", json!(null)),
        ("permission", json!("allow")),
        ("permission", json!("ALARM")),
        ("permission", json!(null)),
        ("principalType", json!("GROUP")),
        ("principalId", json!("")),
        ("accessType", json!("read")),
    ] {
        let mut body = sound.clone();
        body[property] = odd.clone();
        let refused = site.call("POST", "/ACLs", &token, body).await;
        assert_eq!(refused.status, 422, "{property} {odd}");
        assert!(refused.body["error"]["details"]["codes"].get(property).is_some());
    }
    assert_eq!(
        site.get("/ACLs/count", &token).await.ok().body,
        json!({"count": 1})
    );
}

/// Every call of these models, with a body that would do something.
fn every_call() -> Vec<(&'static str, &'static str)> {
    let mut calls = Vec::new();
    for model in ["Roles", "RoleMappings", "ACLs"] {
        for (method, below) in [
            ("GET", ""),
            ("POST", ""),
            ("GET", "/findOne"),
            ("GET", "/count"),
            ("GET", "/1"),
            ("GET", "/1/exists"),
            ("DELETE", "/1"),
        ] {
            calls.push((method, format!("/{model}{below}").leak() as &str));
        }
    }
    calls.extend([
        ("PATCH", "/Roles/1"),
        ("PUT", "/Roles/1"),
        ("POST", "/Roles/1/replace"),
        ("GET", "/Roles/1/principals"),
        ("POST", "/Roles/1/principals"),
        ("GET", "/Roles/1/principals/count"),
        ("DELETE", "/Roles/1/principals/2"),
        ("GET", "/RoleMappings/1/role"),
        ("PATCH", "/ACLs/1"),
        ("PUT", "/ACLs/1"),
    ]);
    calls
}

#[tokio::test]
async fn nobody_but_an_administrator_of_the_right_pool_gets_in() {
    let site = Site::with(|_, _| {}).await;
    let (_, id, token) = site.ann().await;
    // Whoever administers employees does not administer the server.
    let employee = site.sign_up("Employees", "eve@example.com").await;
    site.give("Employees", &employee, "admin").await;
    site.give("Users", &id, "clerk").await;
    for (method, path) in every_call() {
        for caller in [token.as_str(), "nobody", ""] {
            let answer = site.call(method, path, caller, json!({})).await;
            answer.is(401, "AUTHORIZATION_REQUIRED");
        }
    }
    let (_, admin) = site.admin("Users").await;
    for (method, path) in every_call() {
        let answer = site.call(method, path, &admin, json!({})).await;
        assert!(
            ![401, 403].contains(&answer.status),
            "{method} {path}: {}",
            answer.text
        );
        assert!(answer.status < 500, "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_admin_of_another_pool_administers_nothing_of_the_server() {
    let site = Site::wired_with(|_, employees, _| employees.second_factor = SecondFactor::Off).await;
    let (_, token) = site.admin("Employees").await;
    for (method, path) in every_call() {
        let answer = site.call(method, path, &token, json!({})).await;
        answer.is(401, "AUTHORIZATION_REQUIRED");
    }
    // Their own pool they do.
    let other = site.sign_up("Employees", "eve@example.com").await;
    site.get(&format!("/Employees/{other}"), &token).await.ok();
    let ann = site.sign_up("Users", "ann@example.com").await;
    site.get(&format!("/Users/{ann}"), &token)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn what_is_no_call_of_theirs_is_not_there() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    for (method, path) in [
        ("PUT", "/Roles"),
        ("POST", "/Roles/update"),
        ("PATCH", "/RoleMappings/1"),
    ] {
        let answer = site.call(method, path, &token, json!({})).await;
        assert_eq!(answer.status, 404, "{method} {path}");
        assert!(answer.message().starts_with("Shared class \""), "{}", answer.text);
    }
    let odd = site.get("/Roles?filter=x", &token).await;
    assert_eq!((odd.status, odd.message()), (400, "Value is not an object."));
}
