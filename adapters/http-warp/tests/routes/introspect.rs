//! `POST /oauth/introspect` (RFC 7662).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::application::{ApplicationDetails, KeyType};
use domain::audit::Actor;
use domain::service::ApplicationChange;
use serde_json::json;

use crate::site::{Answer, EMAIL, Site};

struct Client {
    id: String,
    keys: Vec<(KeyType, String)>,
}

async fn client(site: &Site) -> Client {
    let made = site
        .services
        .create_application("api", ApplicationDetails::default(), &Actor::Operator);
    let (application, keys) = made.await.unwrap();
    let keys = keys.each().map(|(kind, key)| (kind, key.expose().to_owned()));
    Client {
        id: application.id.to_string(),
        keys: keys.collect(),
    }
}

impl Client {
    fn basic(&self, kind: KeyType) -> String {
        let key = &self.keys.iter().find(|(known, _)| *known == kind).unwrap().1;
        format!("Basic {}", STANDARD.encode(format!("{}:{key}", self.id)))
    }
}

async fn ask(site: &Site, authorization: &str, form: &str) -> Answer {
    let request = site
        .ask_site("POST", "/oauth/introspect")
        .header("authorization", authorization)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    Site::answer(request).await
}

#[tokio::test]
async fn a_live_token_says_whose_it_is_until_it_ends() {
    let site = Site::open().await;
    let (_, id, token) = site.ann().await;
    let client = client(&site).await;
    let form = format!("token={token}&token_type_hint=access_token");
    for kind in [KeyType::RestApiKey, KeyType::MasterKey] {
        let told = ask(&site, &client.basic(kind), &form).await.ok().body;
        assert_eq!(told["active"], true);
        assert_eq!(
            (&told["sub"], &told["email"], &told["pool"]),
            (&json!(id), &json!(EMAIL), &json!("Users"))
        );
        assert_eq!(told["token_type"], "Bearer");
        assert!(told["exp"].as_i64() > told["iat"].as_i64());
        assert_eq!(told["amr"], json!(["pwd"]));
    }
    site.give("Users", &id, "clerk").await;
    let told = ask(&site, &client.basic(KeyType::RestApiKey), &form).await.ok();
    assert_eq!(told.body["roles"], json!(["clerk"]));
    site.call("POST", "/Users/logout", &token, json!({})).await.void();
    let told = ask(&site, &client.basic(KeyType::RestApiKey), &form).await.ok();
    assert_eq!(told.body, json!({"active": false}));
}

#[tokio::test]
async fn whatever_is_no_live_token_is_told_alike() {
    let site = Site::open().await;
    let client = client(&site).await;
    for token in ["unknown".to_owned(), "x".repeat(5000), "%00".to_owned()] {
        let told = ask(
            &site,
            &client.basic(KeyType::MasterKey),
            &format!("token={token}"),
        )
        .await;
        assert_eq!(told.ok().body, json!({"active": false}));
    }
    let missing = ask(&site, &client.basic(KeyType::MasterKey), "tokn=x").await;
    assert_eq!(missing.status, 400);
}

#[tokio::test]
async fn who_cannot_prove_an_application_learns_nothing() {
    let site = Site::open().await;
    let (_, _, token) = site.ann().await;
    let client = client(&site).await;
    let form = format!("token={token}");
    let wrong = format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", client.id, "0".repeat(40)))
    );
    let public = [KeyType::ClientKey, KeyType::JavaScriptKey, KeyType::WindowsKey];
    let mut tried: Vec<String> = public.map(|kind| client.basic(kind)).to_vec();
    tried.extend([
        wrong,
        token.clone(),
        format!("Bearer {token}"),
        "Basic ?".to_owned(),
        String::new(),
    ]);
    for authorization in tried {
        let refused = ask(&site, &authorization, &form).await;
        assert_eq!(refused.status, 401, "{authorization}");
        assert_eq!(refused.body["error"], "invalid_client");
        assert!(refused.header("www-authenticate").starts_with("Basic"));
    }
    let disabled = ApplicationChange {
        enabled: Some(false),
        ..ApplicationChange::default()
    };
    let id = domain::id::ApplicationId::new(client.id.as_str());
    let changed = site.services.change_application(&id, &disabled, &Actor::Operator);
    changed.await.unwrap().unwrap();
    let refused = ask(&site, &client.basic(KeyType::MasterKey), &form).await;
    assert_eq!(refused.status, 401);
}

#[tokio::test]
async fn id_and_key_may_stand_in_the_form_or_in_our_headers() {
    let site = Site::open().await;
    let (_, _, token) = site.ann().await;
    let client = client(&site).await;
    let key = &client
        .keys
        .iter()
        .find(|(kind, _)| *kind == KeyType::MasterKey)
        .unwrap()
        .1;
    let form = format!("token={token}&client_id={}&client_secret={key}", client.id);
    let in_form = site
        .ask_site("POST", "/oauth/introspect")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    assert_eq!(Site::answer(in_form).await.ok().body["active"], true);
    let in_headers = site
        .ask_site("POST", "/oauth/introspect")
        .header("x-application-id", &client.id)
        .header("x-application-key", key)
        .json(&json!({"token": token}));
    assert_eq!(Site::answer(in_headers).await.ok().body["active"], true);
}
