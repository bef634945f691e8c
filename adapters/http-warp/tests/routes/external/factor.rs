//! Programs between a provider and a code: nothing is attached before the code is right.

use serde_json::{Value, json};

use super::{VERIFIER, challenged, come_back};
use crate::browser::Browser;
use crate::site::{Answer, EMAIL, PASSWORD, Site};

/// Ann of the pool with a second factor, with a session of her own to look by.
async fn employee(site: &Site) -> String {
    site.sign_up("Employees", EMAIL).await;
    let credentials = json!({"email": EMAIL, "password": PASSWORD});
    let asked = site.post("/Employees/requestCode", credentials).await.ok();
    let typed = json!({"challenge": asked.body["challenge"], "twofactor": site.console.code()});
    let token = site.post("/Employees/loginWithCode", typed).await.ok();
    token.body["id"].as_str().unwrap().to_owned()
}

async fn linked(site: &Site, token: &str) -> Value {
    let count = site.get("/Employees/me/identities/count", token).await.ok();
    count.body["count"].clone()
}

/// Ann comes by a provider with her address and proves her account here by its password.
async fn proven(site: &Site, door: &str) -> Answer {
    let page = come_back(&Browser::new(site), door, "ann@").await.is(409);
    assert_eq!(page.set_cookie("portcullis-join"), "", "programs use no page");
    let offer: Value = serde_json::from_str(&page.text).unwrap();
    let join = json!({"join": offer["error"]["details"]["join"], "password": PASSWORD});
    site.post("/Employees/join", join).await
}

/// Ends a login by its code: before it nothing is attached, afterwards the account is.
async fn ends_by_code(site: &Site, look: &str, due: Answer) {
    let details = due.is(401, "SECOND_FACTOR_REQUIRED").body["error"]["details"].clone();
    let mut names: Vec<&String> = details.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["challenge", "enrols", "methods"]);
    assert_eq!(details["methods"], json!(["sms"]));
    assert_eq!(linked(site, look).await, 0);
    let code = site.console.code();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let typed = |code: &str| json!({"challenge": details["challenge"], "twofactor": code});
    let refused = site.post("/Employees/loginWithCode", typed(wrong)).await;
    refused.is(401, "LOGIN_FAILED");
    assert_eq!(linked(site, look).await, 0);
    let token = site.post("/Employees/loginWithCode", typed(&code)).await.ok();
    assert_eq!(linked(site, token.body["id"].as_str().unwrap()).await, 1);
    let again = site.post("/Employees/loginWithCode", typed(&code)).await;
    again.is(401, "LOGIN_FAILED");
}

#[tokio::test]
async fn a_join_by_a_program_is_attached_by_the_code_alone() {
    let site = Site::open().await;
    let look = employee(&site).await;
    let due = proven(&site, "/auth/staffjson").await;
    ends_by_code(&site, &look, due).await;
}

#[tokio::test]
async fn a_session_that_is_fetched_waits_for_the_code_too() {
    let site = Site::open().await;
    let look = employee(&site).await;
    let joined = proven(&site, &challenged("/auth/staffjson")).await.ok();
    assert_eq!(linked(&site, &look).await, 0);
    let fetch = json!({"code": joined.body["code"], "code_verifier": VERIFIER});
    let due = site.post("/Employees/exchange", fetch).await;
    ends_by_code(&site, &look, due).await;
}

#[tokio::test]
async fn whoever_is_new_and_never_types_the_code_finds_the_way_again() {
    let site = Site::open().await;
    for _ in 0..2 {
        let page = come_back(&Browser::new(&site), "/auth/staffjson", "bob")
            .await
            .is(401);
        assert!(page.text.contains("SECOND_FACTOR_REQUIRED"), "{}", page.text);
        assert_eq!(page.set_cookie("portcullis-pending"), "", "programs use no page");
    }
    let last = come_back(&Browser::new(&site), "/auth/staffjson", "bob").await;
    let answer: Value = serde_json::from_str(&last.text).unwrap();
    let challenge = &answer["error"]["details"]["challenge"];
    let typed = json!({"challenge": challenge, "twofactor": site.console.code()});
    site.post("/Employees/loginWithCode", typed).await.ok();
}
