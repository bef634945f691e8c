//! Entries of `providers.json`, and what most stories here do with them.

use e2e::{Browser, Counterparty, Page, Person, Portcullis, Reply};
use serde_json::{Map, Value, json};

/// A file of these entries.
pub fn file<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.into_iter().map(|(name, entry)| (name.to_owned(), entry));
    Value::Object(entries.collect::<Map<_, _>>())
}

/// An entry with further keys.
pub fn with(mut entry: Value, more: &Value) -> Value {
    let more = more.as_object().expect("keys").clone();
    entry.as_object_mut().expect("an entry").extend(more);
    entry
}

/// The same, answering in JSON: what programs and most of these stories want.
pub fn json_entry(entry: Value) -> Value {
    with(entry, &json!({ "json": true }))
}

/// An entry that links.
pub fn linking(entry: Value) -> Value {
    with(entry, &json!({ "link": true }))
}

/// An entry for the certified OpenID provider.
pub fn panva(party: &Counterparty, client: &str) -> Value {
    json!({
        "provider": "panva", "module": "passport-openidconnect", "authScheme": "OpenID Connect", "issuer": party.address(),
        "clientID": client, "clientSecret": format!("{client}-secret"), "scope": ["openid", "email", "profile"],
    })
}

/// An entry for one issuer of the misbehaving OpenID provider.
pub fn evil(party: &Counterparty, tenant: &str) -> Value {
    json!({
        "provider": "evil", "module": "passport-openidconnect", "authScheme": "OpenID Connect",
        "issuer": party.at(&format!("/{tenant}")), "clientID": "evil-client", "clientSecret": "evil-secret",
        "scope": ["openid", "email", "profile"],
    })
}

/// An entry for the Facebook look-alike.
pub fn facebook(party: &Counterparty) -> Value {
    json!({
        "provider": "facebook", "module": "passport-facebook", "clientID": "social-client", "clientSecret": "social-secret",
        "authorizationURL": party.at("/facebook/v26.0/dialog/oauth"),
        "tokenURL": party.at("/facebook/v26.0/oauth/access_token"), "profileURL": party.at("/facebook/v26.0/me"),
        "scope": ["email"], "profileFields": ["id", "displayName", "name", "emails", "photos"],
    })
}

/// An entry for the GitHub look-alike.
pub fn github(party: &Counterparty) -> Value {
    json!({
        "provider": "github", "module": "passport-github2", "clientID": "social-client", "clientSecret": "social-secret",
        "authorizationURL": party.at("/github/login/oauth/authorize"),
        "tokenURL": party.at("/github/login/oauth/access_token"), "userProfileURL": party.at("/github/user"),
        "userEmailURL": party.at("/github/user/emails"), "scope": ["read:user", "user:email"],
    })
}

/// An entry for the OAuth 2.0 look-alike of X.
pub fn x(party: &Counterparty) -> Value {
    json!({
        "provider": "x", "module": "passport-x-oauth2", "clientID": "social-client", "clientSecret": "social-secret",
        "authorizationURL": party.at("/x/i/oauth2/authorize"), "tokenURL": party.at("/x/2/oauth2/token"),
        "userProfileURL": party.at("/x/2/users/me"), "scope": ["users.read", "tweet.read", "users.email", "offline.access"],
    })
}

/// An entry for the LinkedIn look-alike.
pub fn linkedin(party: &Counterparty) -> Value {
    json!({
        "provider": "linkedin", "module": "passport-linkedin-oauth2", "clientID": "social-client",
        "clientSecret": "social-secret", "issuer": party.at("/linkedin/oauth"), "scope": ["openid", "profile", "email"],
    })
}

/// An entry for the OAuth 1.0a server.
pub fn twitter(party: &Counterparty) -> Value {
    json!({
        "provider": "twitter", "authScheme": "oauth", "module": "passport-twitter",
        "consumerKey": "consumer-key", "consumerSecret": "consumer-secret",
        "requestTokenURL": party.at("/oauth/request_token"), "accessTokenURL": party.at("/oauth/access_token"),
        "userAuthorizationURL": party.at("/oauth/authenticate"),
        "userProfileURL": party.at("/1.1/account/verify_credentials.json"),
    })
}

/// A server with these entries.
pub async fn server(entries: Value) -> Portcullis {
    Portcullis::setup().providers(&entries).start().await
}

/// Somebody who logged in, as a program sees it.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The access token.
    pub token: String,
    /// The id.
    pub user: String,
}

/// Where the provider would send this browser back to: everything is done but that last step.
pub async fn callback(server: &Portcullis, browser: &mut Browser, entry: &str) -> String {
    let home = server.at("/");
    browser
        .follow_until(&server.at(&format!("/auth/{entry}")), |url| {
            url.starts_with(&home)
        })
        .await
}

/// The same for an entry that links.
pub async fn link_callback(server: &Portcullis, browser: &mut Browser, entry: &str) -> String {
    let home = server.at("/");
    browser
        .follow_until(&server.at(&format!("/link/{entry}")), |url| {
            url.starts_with(&home)
        })
        .await
}

/// Goes to an entry that answers in JSON, in a browser of its own.
pub async fn visit(server: &Portcullis, entry: &str) -> Reply {
    let mut browser = server.browser().as_program();
    browser.open(&server.at(&format!("/auth/{entry}"))).await.reply
}

/// Logs in by an entry that answers in JSON.
pub async fn arrive(server: &Portcullis, entry: &str) -> Arrived {
    arrived(&visit(server, entry).await.expect(200))
}

/// What such an answer holds.
#[track_caller]
pub fn arrived(reply: &Reply) -> Arrived {
    let (token, user) = (reply.at("access_token"), reply.at("userId"));
    assert_eq!(token.len(), 64, "no access token in {}", reply.text);
    Arrived { token, user }
}

/// Logs a person in by password, in a browser.
pub async fn log_in_by_page(server: &Portcullis, person: &Person) -> Browser {
    let mut browser = server.browser();
    let page = browser.open(&server.at("/login")).await.expect(200);
    let fields = [
        ("identifier", person.email.as_str()),
        ("password", &person.password),
    ];
    let page = browser.submit(&page, "/login", &fields).await;
    assert!(
        browser.is_logged_in(),
        "no session at {}: {}",
        page.url,
        page.reply.text
    );
    browser
}

/// Links an account elsewhere to whoever is logged in.
pub async fn link(server: &Portcullis, browser: &mut Browser, entry: &str) -> Page {
    browser.open(&server.at(&format!("/link/{entry}"))).await
}

/// Starts to link in the name of a token; gives the provider's address, to be opened in the same browser.
pub async fn begin_link(server: &Portcullis, browser: &Browser, entry: &str, token: &str) -> Reply {
    browser
        .peek_with(&server.at(&format!("/link/{entry}")), token)
        .await
}

/// Somebody's linked accounts.
pub async fn identities(server: &Portcullis, who: &Arrived) -> Vec<Value> {
    list(server, who, "identities").await
}

/// Somebody's grants.
pub async fn credentials(server: &Portcullis, who: &Arrived) -> Vec<Value> {
    list(server, who, "credentials").await
}

async fn list(server: &Portcullis, who: &Arrived, what: &str) -> Vec<Value> {
    let path = format!("/api/Users/{}/{what}", who.user);
    let reply = server.client().with(&who.token).get(&path).await.expect(200);
    reply.json().as_array().cloned().expect("a list")
}

/// Somebody's own record.
pub async fn record(server: &Portcullis, who: &Arrived) -> Value {
    let path = format!("/api/Users/{}", who.user);
    server
        .client()
        .with(&who.token)
        .get(&path)
        .await
        .expect(200)
        .json()
}

/// Asks for a token of a provider that still works.
pub async fn fresh(server: &Portcullis, who: &Arrived, which: &str) -> Reply {
    let path = format!("/api/Users/{}/credentials/{which}/token", who.user);
    server.client().with(&who.token).post(&path, json!({})).await
}

/// Puts other parameters into a callback's address.
pub fn altered(callback: &str, change: impl Fn(&mut Vec<(String, String)>)) -> String {
    let mut url = reqwest::Url::parse(callback).expect("an address");
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    change(&mut pairs);
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url.into()
}

/// A parameter of an address.
pub fn parameter(url: &str, name: &str) -> String {
    let url = reqwest::Url::parse(url).expect("an address");
    let value = url.query_pairs().find(|(key, _)| key == name);
    value.map(|(_, value)| value.into_owned()).unwrap_or_default()
}
