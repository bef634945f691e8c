//! `GET /Users/{id}`, and who may not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::access::{AclRule, Permission, PrincipalType};
use serde_json::json;

use crate::site::{EMAIL, Site};

#[tokio::test]
async fn the_owner_reads_their_record_by_id_and_as_me() {
    let site = Site::open().await;
    let (path, id, token) = site.ann().await;
    let expected = json!({"id": id, "email": EMAIL, "emailVerified": false});
    for path in [
        path.as_str(),
        "/Users/me",
        &format!("{path}/"),
        &path.replace("Users", "USERS"),
    ] {
        let read = site.get(path, &token).await.ok();
        assert_eq!(read.body, expected, "{path}");
        assert_eq!(read.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_token_is_taken_wherever_loopback_takes_it() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let base64 = STANDARD.encode(&token);
    let basic = site.ask("GET", &path).basic_auth("", Some(&token));
    let presented = [
        site.ask("GET", &path)
            .header("authorization", format!("Bearer {base64}")),
        site.ask("GET", &path).header("authorization", &token),
        site.ask("GET", &path)
            .header("authorization", format!("Bearer {token}")),
        site.ask("GET", &path).header("x-access-token", &token),
        site.ask("GET", &path)
            .header("cookie", format!("access_token={token}")),
        site.ask("GET", &format!("{path}?access_token={token}")),
        basic,
    ];
    for request in presented {
        Site::answer(request).await.ok();
    }
}

#[tokio::test]
async fn strangers_and_other_users_hear_the_same_about_any_id() {
    let site = Site::open().await;
    let (path, _, _) = site.ann().await;
    site.sign_up("Users", "bob@example.com").await;
    let bob = site.log_in("Users", "bob@example.com").await;
    let missing = "/Users/01938d3c-0000-7000-8000-000000000000".to_owned();
    for path in [path, missing, "/Users/1".to_owned(), "/Users/%00".to_owned()] {
        for token in [bob.as_str(), "", "null", "*"] {
            let refused = site.get(&path, token).await.is(401, "AUTHORIZATION_REQUIRED");
            assert_eq!(refused.message(), "Authorization Required");
        }
    }
    Site::answer(site.ask("GET", "/Users/me"))
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn a_cut_grown_or_recased_token_opens_nothing() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let swapped: String = token
        .chars()
        .map(|c| {
            if c.is_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    for odd in [&token[..63], &format!("{token}a"), &swapped] {
        site.get(&path, odd).await.is(401, "AUTHORIZATION_REQUIRED");
    }
    let twice = site
        .ask("GET", &path)
        .header("authorization", &token)
        .header("authorization", &token);
    Site::answer(twice).await.is(401, "AUTHORIZATION_REQUIRED");
}

#[tokio::test]
async fn a_token_of_one_pool_opens_no_other() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    site.sign_up("Employees", EMAIL).await;
    site.get(&format!("/Employees/{id}"), &token)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    site.get("/Employees/me", &token)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    site.call("POST", "/Employees/logout", &token, json!({}))
        .await
        .is(401, "");
    site.get("/Users/me", &token).await.ok();
}

#[tokio::test]
async fn fields_are_chosen_in_every_form_and_hidden_ones_are_not_there() {
    let site = Site::open().await;
    let (path, id, token) = site.ann().await;
    let both = json!({"id": id, "email": EMAIL});
    for (query, expected) in [
        (
            r#"filter={"fields":["id","email","password","verificationToken"]}"#,
            &both,
        ),
        (r#"filter={"fields":{"emailVerified":false}}"#, &both),
        ("filter[fields][0]=id&filter[fields][1]=email", &both),
        ("filter[fields]=email", &json!({"email": EMAIL})),
        ("filter[fields][email]=true", &json!({"email": EMAIL})),
        ("filter[fields]=password", &json!({})),
    ] {
        let read = site.get(&format!("{path}?{query}"), &token).await.ok();
        assert_eq!(&read.body, expected, "{query}");
    }
    for broken in [
        "filter=abc",
        "filter=[1]",
        "filter={}&filter={}",
        "filter=%7B%22where%22",
    ] {
        let refused = site.get(&format!("{path}?{broken}"), &token).await.is(400, "");
        assert_eq!(refused.message(), "Value is not an object.");
    }
    site.get(
        &format!("{path}?filter={{\"where\":{{\"$where\":\"while(1);\"}}}}"),
        &token,
    )
    .await
    .ok();
}

#[tokio::test]
async fn an_answer_is_json_or_406() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    for accept in ["text/html", "application/xml"] {
        let asked = site
            .ask("GET", &path)
            .header("authorization", &token)
            .header("accept", accept);
        Site::answer(asked).await.is(406, "");
    }
}

#[tokio::test]
async fn calls_about_other_peoples_records_are_closed_even_to_owners() {
    let site = Site::open().await;
    let (path, id, token) = site.ann().await;
    let closed = [
        ("GET", "/Users"),
        ("PUT", "/Users"),
        ("PATCH", "/Users"),
        ("GET", "/Users/findOne"),
        ("GET", "/Users/count"),
        ("POST", "/Users/replaceOrCreate"),
        ("POST", "/Users/update?where={}"),
        ("POST", "/Users/upsertWithWhere?where={}"),
        ("GET", "/Users/change-stream"),
        ("GET", &format!("{path}/exists")),
        ("GET", &format!("{path}/accessTokens")),
        ("POST", &format!("{path}/accessTokens")),
        ("DELETE", &format!("{path}/accessTokens")),
        ("GET", &format!("{path}/accessTokens/count")),
        ("PUT", &format!("{path}/accessTokens/1")),
    ];
    for (method, path) in closed {
        let answer = site
            .call(method, path, &token, json!({"id": id, "email": "x@y.z"}))
            .await;
        answer.is(401, "AUTHORIZATION_REQUIRED");
    }
    let head = Site::answer(site.ask("HEAD", &path).header("authorization", &token)).await;
    assert_eq!((head.status, head.text.as_str()), (401, ""));
    let unknown = site
        .call("GET", &format!("{path}/friends"), &token, json!({}))
        .await
        .is(404, "");
    assert!(
        unknown
            .message()
            .starts_with("Shared class \"User\" has no method handling GET /")
    );
    assert_eq!(
        site.get("/Nope", &token).await.is(404, "").message(),
        "There is no method to handle GET /Nope"
    );
    site.get(&path, &token).await.ok();
}

#[tokio::test]
async fn a_rule_that_opens_reading_opens_neither_writing_nor_secrets() {
    let rule = |principal: &str, property: &str| AclRule {
        model: None,
        principal_type: PrincipalType::Role,
        principal: principal.to_owned(),
        permission: Permission::Allow,
        properties: vec![property.to_owned()],
        access: None,
    };
    let acls = ["findById", "patchAttributes", "deleteById"].map(|property| rule("$everyone", property));
    let site = Site::with(|users, _| users.acls = acls.to_vec()).await;
    let (path, id, _) = site.ann().await;
    site.sign_up("Users", "bob@example.com").await;
    let bob = site.log_in("Users", "bob@example.com").await;
    let read = site.get(&path, &bob).await.ok();
    assert_eq!(
        read.body,
        json!({"id": id, "email": EMAIL, "emailVerified": false})
    );
    site.get("/Users/nobody", &bob).await.is(404, "MODEL_NOT_FOUND");
    // These act on the caller's own record, so they must not act at all under somebody else's id.
    site.call("PATCH", &path, &bob, json!({"colour": "red"}))
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    site.call("DELETE", &path, &bob, json!({}))
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    assert_eq!(site.get("/Users/me", &bob).await.ok().body.get("colour"), None);
}
