//! What a way leads to: a code, a join, a page, the team's own place.

use serde_json::{Value, json};

use super::{begin, come_back, who};
use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

async fn back_as_program(site: &Site, path: &str, code: &str) -> (u16, Value) {
    let page = come_back(&Browser::new(site), path, code).await;
    (page.status, serde_json::from_str(&page.text).unwrap())
}

#[tokio::test]
async fn an_entry_for_programs_answers_with_the_token_and_sets_no_session() {
    let site = Site::open().await;
    let page = come_back(&Browser::new(&site), "/auth/json", "ann").await.is(200);
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.set_cookie("portcullis"), "");
    let answer: Value = serde_json::from_str(&page.text).unwrap();
    let me = site
        .get("/Users/me", answer["access_token"].as_str().unwrap())
        .await
        .ok();
    assert_eq!(me.body["id"], answer["userId"]);
}

#[tokio::test]
async fn a_failure_is_told_to_programs_as_an_error_object() {
    let site = Site::open().await;
    let (status, answer) = back_as_program(&site, "/auth/json", "refused").await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (401, &json!("TOKEN_REQUEST_REFUSED"))
    );
    let (status, answer) = back_as_program(&site, "/auth/json", "nobody").await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (401, &json!("SUBJECT_MISSING"))
    );
    let (status, answer) = back_as_program(&site, "/auth/json", "down").await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (502, &json!("PROVIDER_UNAVAILABLE"))
    );
    let browser = Browser::new(&site);
    let state = begin(&browser, "/auth/facebook").await;
    let request = browser
        .request(
            "GET",
            &format!("/auth/facebook/callback?error=access_denied&state={state}"),
        )
        .header("accept", "application/json");
    let answer = Site::answer(request).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn people_are_told_on_a_page_or_at_the_entrys_own_place() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = come_back(&browser, "/auth/facebook", "refused").await.is(401);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(
        page.text.contains("href=\"/auth/facebook\""),
        "a way to start again: {}",
        page.text
    );
    come_back(&browser, "/auth/facebook", "down").await.is(502);
    let page = come_back(&browser, "/auth/google", "refused").await.is(302);
    assert_eq!(page.location(), "/failed?from=google&error=TOKEN_REQUEST_REFUSED");
    assert_eq!(page.set_cookie("portcullis"), "");
}

#[tokio::test]
async fn a_way_never_begun_here_is_told_here_and_nowhere_else() {
    let site = Site::open().await;
    let page = Browser::new(&site)
        .get("/auth/google/callback?code=ann&state=made-up")
        .await;
    assert_eq!(page.is(401).location(), "");
}

#[tokio::test]
async fn a_due_second_factor_comes_before_the_session() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = come_back(&browser, "/auth/staff", "ann").await.is(302);
    assert!(page.location().starts_with("/two-factor?"), "{}", page.location());
    assert_eq!(page.set_cookie("portcullis"), "");
    assert_ne!(page.set_cookie("portcullis-pending"), "");
    let page = browser
        .fill(page.location(), "/two-factor", &[("code", &site.console.code())])
        .await
        .is(303);
    assert_ne!(page.set_cookie("portcullis"), "");
    let (status, answer) = back_as_program(&site, "/auth/staffjson", "bob").await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (401, &json!("SECOND_FACTOR_REQUIRED"))
    );
    let details = &answer["error"]["details"];
    assert_eq!(details["methods"], json!(["sms"]));
    let code = json!({"challenge": details["challenge"], "code": site.console.code()});
    site.post("/Employees/loginWithCode", code).await.ok();
}

#[tokio::test]
async fn ph_03_an_equal_address_joins_nobody_until_both_sides_are_proven() {
    let site = Site::open().await;
    let (_, ann, _) = site.ann().await;
    let browser = Browser::new(&site);
    let page = come_back(&browser, "/auth/facebook", "ann@").await.is(302);
    assert_eq!((page.location(), page.set_cookie("portcullis")), ("/join", ""));
    let kept = page.set_cookie("portcullis-join");
    assert!(kept.contains("; HttpOnly; SameSite=Lax; Max-Age="), "{kept}");
    let (status, answer) = back_as_program(&site, "/auth/json", "ann@").await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (409, &json!("ACCOUNT_EXISTS"))
    );
    let join = answer["error"]["details"]["join"].clone();
    let wrong = json!({"join": join, "password": "not hers at all"});
    site.post("/Users/join", wrong).await.is(401, "LOGIN_FAILED");
    let right = json!({"join": join, "password": PASSWORD});
    let joined = site.post("/Users/join", right).await.ok();
    assert_eq!(joined.body["userId"], ann);
    let (status, answer) = back_as_program(&site, "/auth/json", "ann@").await;
    assert_eq!((status, &answer["userId"]), (200, &json!(ann)));
}

#[tokio::test]
async fn a_join_is_also_proven_by_a_mailed_code_or_declined() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    site.post(&format!("{path}/verify"), json!({})).await.void();
    let confirm = format!(
        "/Users/confirm?uid={}&token={}",
        &path[7..],
        site.mailbox.of_link("token")
    );
    Site::answer(site.ask("GET", &confirm)).await.void();
    drop(token);
    let (_, answer) = back_as_program(&site, "/auth/json", "ann@").await;
    let join = json!({"join": answer["error"]["details"]["join"]});
    assert!(
        answer["error"]["details"]["methods"]
            .as_array()
            .unwrap()
            .contains(&json!("email"))
    );
    site.post("/Users/join/send-code", join.clone()).await.void();
    assert!(site.mailbox.text().contains(EMAIL));
    let apart = site.post("/Users/join/decline", join.clone()).await.ok();
    assert_ne!(json!(path[7..]), apart.body["userId"]);
    site.post("/Users/join", join).await.is(400, "");
}

#[tokio::test]
async fn what_the_provider_said_raw_is_shown_to_nobody() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    come_back(&browser, "/auth/facebook", "ann@").await.is(302);
    let token = browser.cookie("portcullis").unwrap();
    for path in ["/Users/me", "/Users/me/identities", "/Users/me/credentials"] {
        let answer = site.get(path, &token).await.ok();
        for secret in ["internals of the provider", "first-ann", "refresh-ann", "tokens"] {
            assert!(!answer.text.contains(secret), "{path}: {}", answer.text);
        }
    }
    assert!(!who(&site, &browser).await.is_empty());
}
