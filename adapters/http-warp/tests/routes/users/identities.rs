//! `/Users/{id}/identities` and `/credentials`: seen, used and removed by their owner alone.

use serde_json::json;

use crate::external::logged_in;
use crate::site::{EMAIL, PASSWORD, Site};

/// Ann with a Facebook account, linked by logging in: her token.
async fn ann(site: &Site) -> String {
    logged_in(site, "/auth/facebook", "ann@")
        .await
        .cookie("portcullis")
        .unwrap()
}

#[tokio::test]
async fn an_identity_reads_as_loopbacks_without_its_secrets() {
    let site = Site::open().await;
    let token = ann(&site).await;
    let all = site.get("/Users/me/identities", &token).await.ok();
    let one = &all.body[0];
    assert_eq!(one["provider"], "facebook");
    assert_eq!(one["authScheme"], "oAuth 2.0");
    assert_eq!(one["externalId"], "ann");
    assert_eq!(
        one["profile"]["emails"],
        json!([{"value": EMAIL, "verified": true}])
    );
    assert_eq!(one["created"], "2026-11-21T19:06:12.795Z");
    assert!(one.get("credentials").is_none());
    assert_eq!(all.header("cache-control"), "no-store");
    let path = format!("/Users/me/identities/{}", one["id"].as_str().unwrap());
    assert_eq!(site.get(&path, &token).await.ok().body, *one);
    let count = site.get("/Users/me/identities/count", &token).await.ok();
    assert_eq!(count.body, json!({"count": 1}));
    site.get("/Users/me/identities/unknown", &token)
        .await
        .is(404, "LINK_UNKNOWN");
    let some = site
        .get("/Users/me/identities?filter[fields]=provider", &token)
        .await
        .ok();
    assert_eq!(some.body, json!([{"provider": "facebook"}]));
}

#[tokio::test]
async fn a_credential_tells_how_it_stands_and_nothing_secret() {
    let site = Site::open().await;
    let token = ann(&site).await;
    let all = site.get("/Users/me/credentials", &token).await.ok();
    let one = &all.body[0];
    assert_eq!(
        (&one["provider"], &one["entry"]),
        (&json!("facebook"), &json!("facebook-login"))
    );
    assert_eq!(
        (&one["status"], &one["scopes"]),
        (&json!("active"), &json!(["email"]))
    );
    assert_eq!(one["expires"], "2026-11-21T20:06:12.795Z");
    assert!(!all.text.contains("first-ann") && !all.text.contains("refresh-ann"));
    let path = format!("/Users/me/credentials/{}", one["id"].as_str().unwrap());
    assert_eq!(site.get(&path, &token).await.ok().body, *one);
    assert_eq!(
        site.get("/Users/me/credentials/count", &token).await.ok().body["count"],
        1
    );
    site.call("DELETE", &path, &token, json!({})).await.void();
    site.get(&path, &token).await.is(404, "LINK_UNKNOWN");
    assert_eq!(
        site.get("/Users/me/identities/count", &token).await.ok().body["count"],
        1
    );
}

#[tokio::test]
async fn a_fresh_token_is_handed_to_its_owner() {
    let site = Site::open().await;
    let token = ann(&site).await;
    for which in ["facebook", "facebook-login"] {
        let path = format!("/Users/me/credentials/{which}/token");
        let fresh = site.call("POST", &path, &token, json!({})).await.ok();
        assert_eq!(fresh.header("cache-control"), "no-store");
        assert_eq!(
            fresh.body,
            json!({
                "access_token": "first-ann", "token_type": "Bearer", "expires_in": 3600,
                "expires": "2026-11-21T20:06:12.795Z", "scope": "email", "provider": "facebook", "status": "active",
            })
        );
    }
    site.later(std::time::Duration::from_secs(3590));
    let fresh = site
        .call("POST", "/Users/me/credentials/facebook/token", &token, json!({}))
        .await
        .ok();
    assert_eq!(fresh.body["access_token"], "second-ann");
    assert!(!fresh.text.contains("refresh-ann"));
    site.call("POST", "/Users/me/credentials/google/token", &token, json!({}))
        .await
        .is(404, "LINK_UNKNOWN");
}

#[tokio::test]
async fn a_revoked_grant_says_so() {
    let site = Site::open().await;
    let browser = logged_in(&site, "/auth/facebook", "revoker").await;
    let token = browser.cookie("portcullis").unwrap();
    site.later(std::time::Duration::from_hours(1));
    for _ in 0..2 {
        site.call("POST", "/Users/me/credentials/facebook/token", &token, json!({}))
            .await
            .is(409, "CREDENTIAL_REVOKED");
    }
    let all = site.get("/Users/me/credentials", &token).await.ok();
    assert_eq!(all.body[0]["status"], "revoked");
}

#[tokio::test]
async fn nobody_but_the_owner_sees_or_touches_them() {
    let site = Site::open().await;
    let token = ann(&site).await;
    let me = site.get("/Users/me", &token).await.ok();
    let path = format!("/Users/{}", me.body["id"].as_str().unwrap());
    let bob = logged_in(&site, "/auth/facebook", "bob")
        .await
        .cookie("portcullis")
        .unwrap();
    let own = site.get("/Users/me/identities", &token).await.ok();
    let identity = own.body[0]["id"].as_str().unwrap().to_owned();
    for caller in [bob.as_str(), ""] {
        for (method, below) in [
            ("GET", "/identities".to_owned()),
            ("GET", "/identities/count".to_owned()),
            ("GET", format!("/identities/{identity}")),
            ("DELETE", format!("/identities/{identity}")),
            ("GET", "/credentials".to_owned()),
            ("DELETE", "/credentials/x".to_owned()),
            ("POST", "/credentials/facebook/token".to_owned()),
        ] {
            site.call(method, &format!("{path}{below}"), caller, json!({}))
                .await
                .is(401, "AUTHORIZATION_REQUIRED");
        }
    }
    site.call(
        "DELETE",
        &format!("/Users/me/identities/{identity}"),
        &bob,
        json!({}),
    )
    .await
    .is(404, "LINK_UNKNOWN");
}

#[tokio::test]
async fn collections_stay_closed_even_to_the_owner() {
    let site = Site::open().await;
    let token = ann(&site).await;
    for (method, below) in [
        ("POST", "identities"),
        ("DELETE", "identities"),
        ("PUT", "identities/x"),
        ("POST", "credentials"),
        ("DELETE", "credentials"),
        ("PUT", "credentials/x"),
    ] {
        site.call(method, &format!("/Users/me/{below}"), &token, json!({}))
            .await
            .is(401, "AUTHORIZATION_REQUIRED");
    }
}

#[tokio::test]
async fn the_last_way_in_stays() {
    let site = Site::open().await;
    let token = logged_in(&site, "/auth/facebook", "carl")
        .await
        .cookie("portcullis")
        .unwrap();
    let all = site.get("/Users/me/identities", &token).await.ok();
    let path = format!("/Users/me/identities/{}", all.body[0]["id"].as_str().unwrap());
    site.call("DELETE", &path, &token, json!({}))
        .await
        .is(409, "LAST_WAY_IN");
    site.get(&path, &token).await.ok();
}

#[tokio::test]
async fn an_unlinked_account_logs_in_as_somebody_else() {
    let site = Site::open().await;
    let (path, id, token) = site.ann().await;
    let browser = crate::browser::Browser::new(&site);
    let page = browser
        .send(
            browser
                .request("GET", "/link/google")
                .header("authorization", &token),
        )
        .await;
    let state = crate::external::sent(&page, "state");
    browser
        .get(&format!("/link/google/callback?code=x&state={state}"))
        .await
        .is(302);
    let all = site.get(&format!("{path}/identities"), &token).await.ok();
    let other = site.log_in("Users", EMAIL).await;
    let identity = format!("{path}/identities/{}", all.body[0]["id"].as_str().unwrap());
    site.call("DELETE", &identity, &token, json!({})).await.void();
    site.get("/Users/me", &other)
        .await
        .is(401, "AUTHORIZATION_REQUIRED");
    assert_eq!(
        site.get(&format!("{path}/credentials/count"), &token)
            .await
            .ok()
            .body["count"],
        0
    );
    let stranger = logged_in(&site, "/auth/google", "x").await;
    assert_ne!(crate::external::who(&site, &stranger).await, id);
    let again = site
        .post("/Users/login", json!({"email": EMAIL, "password": PASSWORD}))
        .await;
    again.ok();
}

#[tokio::test]
async fn loopbacks_clients_bring_the_token_in_a_header_or_where_configured_in_the_address() {
    for in_query in [true, false] {
        let site = Site::with(|_, settings| settings.query_token = in_query).await;
        let token = ann(&site).await;
        let me = site.get("/Users/me", &token).await.ok();
        let path = format!("/Users/{}/identities", me.body["id"].as_str().unwrap());
        let all = site.get(&path, &token).await.ok();
        assert_eq!(all.body[0]["provider"], "facebook");
        let asked = site.ask("GET", &format!("{path}?access_token={token}"));
        let answer = Site::answer(asked).await;
        assert_eq!(answer.status, if in_query { 200 } else { 401 }, "{}", answer.text);
        site.get(&path, "").await.is(401, "AUTHORIZATION_REQUIRED");
    }
}

#[tokio::test]
async fn a_filter_narrows_fields_and_never_fails_us() {
    let site = Site::open().await;
    let token = ann(&site).await;
    for below in ["identities", "credentials"] {
        for (filter, status) in [
            (r#"filter={"limit":1}"#, 200),
            (
                r#"filter={"where":{"provider":"facebook"},"order":"created DESC","skip":0}"#,
                200,
            ),
            ("filter[limit]=1&filter[skip]=0", 200),
            ("filter[where][provider]=facebook", 200),
            (r#"filter={"limit":1,"fields":["provider"]}"#, 200),
            (r#"filter={"include":"user"}"#, 200),
            ("filter=", 200),
            ("filter=garbage", 400),
            ("filter=[1]", 400),
            ("filter=%ff", 400),
            (r#"filter={"fields":7}"#, 400),
        ] {
            let answer = site.get(&format!("/Users/me/{below}?{filter}"), &token).await;
            assert_eq!(answer.status, status, "{below} {filter}: {}", answer.text);
            assert!(status == 400 || answer.body[0]["provider"] == "facebook");
        }
        let path = format!("/Users/me/{below}/count?where={{\"provider\":\"facebook\"}}");
        assert_eq!(site.get(&path, &token).await.ok().body["count"], 1);
    }
}
