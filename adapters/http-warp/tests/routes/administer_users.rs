//! What administrators do to users over REST: inviting, correcting, ending sessions; and what was written down.

use std::time::Duration;

use serde_json::{Value, json};

use crate::site::{Answer, EMAIL, PASSWORD, Site};

fn text<'r>(record: &'r Value, name: &str) -> &'r str {
    record[name].as_str().unwrap_or_default()
}

async fn act(site: &Site, token: &str, path: &str, body: Value) -> Answer {
    site.call("POST", path, token, body).await
}

#[tokio::test]
async fn somebody_is_invited_and_sets_a_password_by_mail() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let asked = json!({"email": "carl@example.com", "username": "carl", "colour": "red"});
    let made = act(&site, &token, "/Users/invite", asked).await.ok().body;
    assert_eq!(
        (text(&made, "email"), text(&made, "colour")),
        ("carl@example.com", "red")
    );
    assert_eq!(made["emailVerified"], false);
    let link = site.mailbox.of_link("token");
    let set = json!({"newPassword": PASSWORD});
    site.call("POST", "/Users/reset-password", &link, set)
        .await
        .void();
    site.log_in("Users", "carl@example.com").await;
    let quiet = json!({"email": "dora@example.com", "mail": false, "emailVerified": true});
    let mailed = site.mailbox.text().len();
    let made = act(&site, &token, "/Users/invite", quiet).await.ok().body;
    assert_eq!(made["emailVerified"], true);
    assert_eq!(site.mailbox.text().len(), mailed, "nobody was written to");
    for odd in [
        json!({}),
        json!({"email": "carl@example.com"}),
        json!({"email": "erik@example.com", "password": PASSWORD}),
    ] {
        assert_eq!(act(&site, &token, "/Users/invite", odd).await.status, 422);
    }
}

#[tokio::test]
async fn a_link_is_mailed_again_and_failed_tries_are_forgiven() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let (path, _, _) = site.ann().await;
    act(&site, &token, &format!("{path}/password-link"), json!({}))
        .await
        .void();
    assert!(site.mailbox.of_link("token").len() > 60);
    let wrong = json!({"email": EMAIL, "password": "wrong"});
    loop {
        if site.post("/Users/login", wrong.clone()).await.status == 429 {
            break;
        }
    }
    act(&site, &token, &format!("{path}/unlock"), json!({}))
        .await
        .void();
    let right = json!({"email": EMAIL, "password": PASSWORD});
    site.post_from("198.51.100.7", "/Users/login", right).await.ok();
    for call in ["password-link", "unlock"] {
        let nobody = format!("/Users/nobody/{call}");
        act(&site, &token, &nobody, json!({}))
            .await
            .is(404, "MODEL_NOT_FOUND");
    }
}

#[tokio::test]
async fn sessions_of_anybody_are_seen_and_ended() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let (path, _, first) = site.ann().await;
    let second = site.log_in("Users", EMAIL).await;
    let sessions = format!("{path}/sessions");
    let seen = site.get(&sessions, &token).await.ok().body;
    let seen = seen.as_array().unwrap();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|session| session["current"] == false));
    let id = text(&seen[0], "id");
    let one = format!("{sessions}/{id}");
    site.call("DELETE", &one, &token, json!({})).await.void();
    let again = site.call("DELETE", &one, &token, json!({})).await;
    again.is(404, "SESSION_UNKNOWN");
    let mut alive = 0;
    for token in [&first, &second] {
        alive += u8::from(site.get(&path, token).await.status == 200);
    }
    assert_eq!(alive, 1);
    site.call("DELETE", &sessions, &token, json!({})).await.void();
    for token in [&first, &second] {
        assert_eq!(site.get(&path, token).await.status, 401);
    }
    site.get("/Users/me", &token).await.ok();
}

#[tokio::test]
async fn what_stands_in_a_record_is_corrected() {
    let site = Site::open().await;
    let (_, token) = site.admin("Users").await;
    let (path, _, anns) = site.ann().await;
    let correct = |body: Value| site.call("PATCH", &path, &token, body);
    let changed = correct(json!({"username": "ann", "colour": "red"}))
        .await
        .ok()
        .body;
    assert_eq!(
        (text(&changed, "username"), text(&changed, "colour")),
        ("ann", "red")
    );
    site.get(&path, &anns).await.ok();
    let own = json!({"phone": "+491701234567"});
    site.call("PATCH", &path, &anns, own).await.ok();
    let removed = correct(json!({"phone": null})).await.ok().body;
    assert!(removed.get("phone").is_none());
    assert_eq!(site.get(&path, &anns).await.status, 401, "their sessions end");
    correct(json!({"email": "root@example.com"})).await.is(422, "");
    let changed = correct(json!({"email": "anna@example.com", "emailVerified": true}))
        .await
        .ok();
    assert_eq!(text(&changed.body, "email"), "anna@example.com");
    assert_eq!(changed.body["emailVerified"], true);
    assert!(
        site.mailbox.text().contains("To: ann@example.com"),
        "the former address is told"
    );
    site.log_in("Users", "anna@example.com").await;
    site.later(Duration::from_hours(3));
    correct(json!({"colour": "blue"})).await.ok();
    correct(json!({"email": "evil@example.com"}))
        .await
        .is(403, "STEP_UP_REQUIRED");
}

#[tokio::test]
async fn nobody_else_does_any_of_that() {
    let site = Site::open().await;
    let (path, _, _) = site.ann().await;
    site.sign_up("Users", "ben@example.com").await;
    let ben = site.log_in("Users", "ben@example.com").await;
    for token in [ben.as_str(), ""] {
        for (method, path) in [
            ("POST", "/Users/invite".to_owned()),
            ("POST", format!("{path}/password-link")),
            ("POST", format!("{path}/unlock")),
            ("GET", format!("{path}/sessions")),
            ("DELETE", format!("{path}/sessions")),
            ("DELETE", format!("{path}/sessions/x")),
            ("PATCH", path.clone()),
            ("GET", "/AuditEvents".to_owned()),
        ] {
            let refused = site.call(method, &path, token, json!({})).await;
            refused.is(401, "AUTHORIZATION_REQUIRED");
        }
    }
}

#[tokio::test]
async fn the_audit_log_is_read_by_pool_user_kind_and_time_page_by_page() {
    let site = Site::open().await;
    let (boss, token) = site.admin("Users").await;
    let (path, ann, _) = site.ann().await;
    site.call("PATCH", &path, &token, json!({"colour": "red"}))
        .await
        .ok();
    let read = |query: &str| {
        let path = format!("/AuditEvents{query}");
        let (site, token) = (&site, &token);
        async move { site.get(&path, token).await }
    };
    let of_ann = read(&format!("?user={ann}")).await.ok().body;
    let kinds: Vec<&str> = of_ann["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| text(event, "kind"))
        .collect();
    assert_eq!(kinds, ["user.changed", "login.succeeded", "user.signed_up"]);
    assert_eq!(of_ann["events"][0]["actor"], format!("user:Users/{boss}"));
    let by_name = read(&format!("?user={EMAIL}&kind=user.changed&kind=role.given")).await;
    assert_eq!(by_name.ok().body["events"].as_array().map(Vec::len), Some(1));
    let mut all = Vec::new();
    let mut mark = String::new();
    loop {
        let page = read(&format!("?pool=Users&limit=2{mark}")).await.ok().body;
        all.extend(page["events"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => mark = format!("&after={next}"),
            None => break,
        }
    }
    let whole = read("?pool=Users").await.ok().body;
    assert_eq!(json!(all), whole["events"], "every event once, newest first");
    let at = text(&all[0], "at").to_owned();
    let since = read(&format!("?since={at}")).await.ok().body;
    let until = read(&format!("?pool=Users&until={at}")).await.ok().body;
    assert!(!since["events"].as_array().unwrap().is_empty());
    assert!(
        until["events"]
            .as_array()
            .unwrap()
            .iter()
            .all(|event| text(event, "at") < at.as_str())
    );
    for odd in [
        "?limit=0",
        "?limit=501",
        "?kind=nothing",
        "?pool=Nobodies",
        "?since=yesterday",
        "?filter[where][user]=x",
        "?use=x",
    ] {
        assert_eq!(read(odd).await.status, 400, "{odd}");
    }
}
