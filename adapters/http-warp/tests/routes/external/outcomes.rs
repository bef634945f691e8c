//! What a way leads to: a code, a join, a page, the team's own place.

use domain::secret::Secret;
use http_warp::LegacyCookies;
use serde_json::{Value, json};

use super::{VERIFIER, begin, challenged, come_back, sent, who};
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

/// Ann with a confirmed address, and a join offered to somebody who came by a provider: her id, and the offer.
async fn offered(site: &Site) -> (String, Value) {
    let (path, id, _) = site.ann().await;
    site.post(&format!("{path}/verify"), json!({})).await.void();
    let confirm = format!("/Users/confirm?uid={id}&token={}", site.mailbox.of_link("token"));
    Site::answer(site.ask("GET", &confirm)).await.void();
    let (_, answer) = back_as_program(site, "/auth/json", "ann@").await;
    let details = &answer["error"]["details"];
    assert_eq!(details["methods"], json!(["password", "email"]));
    (id, json!({"join": details["join"]}))
}

#[tokio::test]
async fn a_join_is_also_proven_by_a_mailed_code() {
    let site = Site::open().await;
    let (ann, mut join) = offered(&site).await;
    site.post("/Users/join/send-code", join.clone()).await.void();
    let mail = site.mailbox.text();
    assert!(mail.contains(EMAIL));
    let mut words = mail.split(|letter: char| !letter.is_ascii_digit());
    join["code"] = words.rfind(|word| word.len() == 6).unwrap().into();
    let joined = site.post("/Users/join?include=user", join.clone()).await.ok();
    assert_eq!(
        (&joined.body["userId"], &joined.body["user"]["id"]),
        (&json!(ann), &json!(ann))
    );
    site.post("/Users/join", join).await.is(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn whoever_declines_a_join_stays_somebody_else() {
    let site = Site::open().await;
    let (ann, join) = offered(&site).await;
    site.post("/Employees/join/decline", join.clone())
        .await
        .is(401, "LOGIN_FAILED");
    let apart = site.post("/Users/join/decline", join.clone()).await.ok();
    assert_ne!(apart.body["userId"], json!(ann));
    let (status, answer) = back_as_program(&site, "/auth/json", "ann@").await;
    assert_eq!((status, &answer["userId"]), (200, &apart.body["userId"]));
    site.post("/Users/join", join).await.is(400, "");
}

#[tokio::test]
async fn a_join_goes_on_to_the_program_that_began_the_way() {
    let site = Site::open().await;
    let (ann, _) = offered(&site).await;
    let (status, answer) = back_as_program(&site, &challenged("/auth/json"), "ann@").await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (409, &json!("ACCOUNT_EXISTS"))
    );
    let join = json!({"join": answer["error"]["details"]["join"], "password": PASSWORD});
    let joined = site.post("/Users/join", join).await.ok();
    assert!(
        joined.body.get("id").is_none(),
        "the token is for whoever has the verifier"
    );
    let fetch = json!({"code": joined.body["code"], "code_verifier": VERIFIER});
    let fetched = site.post("/Users/exchange", fetch).await.ok();
    assert_eq!(fetched.body["userId"], ann);
}

#[tokio::test]
async fn se_06_every_cookie_is_out_of_reach_of_script_other_sites_and_plain_text() {
    let site = Site::with(|_, settings| {
        settings.public_url = "https://login.example.com".to_owned();
        settings.legacy_cookies = Some(LegacyCookies {
            secret: Secret::new("keyboard cat"),
            write: true,
        });
    })
    .await;
    site.sign_up("Users", EMAIL).await;
    let browser = Browser::new(&site);
    let mut lines = Vec::new();
    let start = browser.get("/auth/facebook").await.is(302);
    let state = sent(&start, "state");
    let back = browser
        .get(&format!("/auth/facebook/callback?code=bob&state={state}"))
        .await;
    let join = come_back(&browser, "/auth/facebook", "ann@").await;
    for page in [start, back, join, come_back(&browser, "/auth/staff", "bob").await] {
        let set = page.headers.get_all("set-cookie").iter();
        lines.extend(set.map(|line| line.to_str().unwrap().to_owned()));
    }
    for name in ["-auth-", "=", "-csrf=", "-join=", "-pending="] {
        let name = format!("__Host-portcullis{name}");
        assert!(
            lines.iter().any(|line| line.starts_with(&name)),
            "{name}: {lines:?}"
        );
    }
    for line in lines {
        let legacy = line.starts_with("access_token=") || line.starts_with("userId=");
        assert!(legacy || line.starts_with("__Host-"), "{line}");
        for flag in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(line.contains(flag), "{line}");
        }
        assert!(!line.contains("Domain"), "{line}");
    }
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
