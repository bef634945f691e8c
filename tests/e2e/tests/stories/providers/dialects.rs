//! Each ready profile against a server that speaks its provider's dialect.

use e2e::Counterparty;
use serde_json::{Value, json};

use super::entries::{self, arrive, file, json_entry, visit, with};

#[tokio::test]
async fn github_gives_its_primary_address_if_it_is_verified() {
    let party = Counterparty::social().await;
    let server = entries::server(file([("github", json_entry(entries::github(&party)))])).await;
    let alice = arrive(&server, "github").await;
    let record = entries::record(&server, &alice).await;
    assert_eq!(record["email"], "alice@example.test");
    assert_eq!(record["username"], "github.alice");
    let identity = &entries::identities(&server, &alice).await[0];
    assert_eq!(identity["externalId"], "1001", "the number, which never changes");
    assert_eq!(identity["profile"]["username"], "alice");
    // She takes another name there: the number counts.
    party.person("alice", json!({ "login": "alice-2" })).await;
    assert_eq!(arrive(&server, "github").await.user, alice.user);
    // Nobody vouches for bob's primary address, and carol has none.
    for person in ["bob", "carol"] {
        party.next(person).await;
        let who = arrive(&server, "github").await;
        let email = entries::record(&server, &who).await["email"].clone();
        assert_ne!(email, "bob@example.test");
    }
    party.next("deny").await;
    visit(&server, "github").await.refused(401, "ACCESS_DENIED");
}

#[tokio::test]
async fn facebook_vouches_for_no_address_and_gives_ids_per_application() {
    let party = Counterparty::social().await;
    let second = with(
        entries::facebook(&party),
        &json!({ "clientID": "second-client", "clientSecret": "second-secret" }),
    );
    let believing = with(
        entries::facebook(&party),
        &json!({ "emailVerified": true, "provider": "facebook-believed" }),
    );
    let server = entries::server(file([
        ("facebook", json_entry(entries::facebook(&party))),
        ("second", json_entry(second)),
        ("believing", json_entry(believing)),
    ]))
    .await;
    let alice = arrive(&server, "facebook").await;
    let record = entries::record(&server, &alice).await;
    assert_eq!(record["email"], Value::Null);
    assert_eq!(record["username"], "facebook.10158000000000001");
    let identity = &entries::identities(&server, &alice).await[0];
    assert_eq!(identity["profile"]["emails"][0]["value"], "alice@example.test");
    assert!(
        party
            .log()
            .await
            .iter()
            .any(|line| line.starts_with("GET /facebook/v26.0/me 200"))
    );
    // The same person is another id to another application, and so another user.
    let other = arrive(&server, "second").await;
    assert_ne!(other.user, alice.user);
    assert_eq!(
        entries::identities(&server, &other).await[0]["externalId"],
        "10158000000001001"
    );
    // Only an operator can decide to believe it.
    let believed = arrive(&server, "believing").await;
    assert_eq!(
        entries::record(&server, &believed).await["email"],
        "alice@example.test"
    );
    party.next("deny").await;
    visit(&server, "facebook").await.refused(401, "ACCESS_DENIED");
}

#[tokio::test]
async fn x_is_logged_in_by_its_newer_protocol() {
    let party = Counterparty::social().await;
    let server = entries::server(file([("x", json_entry(entries::x(&party)))])).await;
    let alice = arrive(&server, "x").await;
    let identity = &entries::identities(&server, &alice).await[0];
    assert_eq!(identity["externalId"], "1400000000000000001");
    assert_eq!(identity["profile"]["username"], "alice");
    assert_eq!(
        entries::record(&server, &alice).await["email"],
        "alice@example.test"
    );
    entries::fresh(&server, &alice, "x").await.expect(200).done();
    party.next("deny").await;
    visit(&server, "x").await.refused(401, "ACCESS_DENIED");
}

#[tokio::test]
async fn linkedin_has_no_nonce_and_no_pkce_and_logs_in_all_the_same() {
    let party = Counterparty::social().await;
    let server = entries::server(file([("linkedin", json_entry(entries::linkedin(&party)))])).await;
    let alice = arrive(&server, "linkedin").await;
    assert_eq!(
        entries::identities(&server, &alice).await[0]["externalId"],
        "782bbtaQ"
    );
    assert_eq!(arrive(&server, "linkedin").await.user, alice.user);
    party.next("deny").await;
    let refused = visit(&server, "linkedin").await;
    assert_eq!(refused.status, 401);
    assert!(
        matches!(refused.code().as_str(), "ACCESS_DENIED" | "PROVIDER_ERROR"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn a_microsoft_account_is_of_the_tenant_its_token_names() {
    let party = Counterparty::evil_oidc().await;
    let entry = |tenant: &str| {
        json_entry(json!({
            "provider": "microsoft", "module": "passport-azure-ad", "strategy": "OIDCStrategy", "tenant": "common",
            "clientID": "evil-client", "clientSecret": "evil-secret", "scope": ["openid", "email", "profile"],
            "issuer": party.at(&format!("/{tenant}/common/v2.0")),
        }))
    };
    let server = entries::server(file([
        ("microsoft", entry("microsoft")),
        ("foreign", entry("microsoft-foreign-tenant")),
    ]))
    .await;
    let who = arrive(&server, "microsoft").await;
    let identity = &entries::identities(&server, &who).await[0];
    assert_eq!(
        identity["externalId"], "00000000-0000-0000-66f3-3332eca7ea81",
        "the object, not the pairwise subject"
    );
    assert_eq!(
        entries::record(&server, &who).await["email"],
        Value::Null,
        "addresses there are not verified"
    );
    assert_eq!(arrive(&server, "microsoft").await.user, who.user);
    // A token that names another tenant than its issuer is somebody's forgery.
    let refused = visit(&server, "foreign").await;
    assert_eq!(refused.status, 401);
    assert!(
        matches!(refused.code().as_str(), "ID_TOKEN_ISSUER" | "TENANT_REFUSED"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn apple_posts_its_answer_from_its_own_site_and_names_people_once() {
    // `localhost` is another site than 127.0.0.1: cookies stay behind when it posts, as with the real one.
    let party = Counterparty::evil_oidc_elsewhere().await;
    let (jwk, pem) = apple_key();
    party.tell("apple", &jwk).await;
    let apple = json!({
        "provider": "apple", "module": "passport-apple", "clientID": "com.example.web", "teamID": "TEAM123456",
        "keyID": "KEY1234567", "privateKey": pem, "issuer": party.at("/apple"), "scope": ["name", "email"],
    });
    let server = entries::server(file([
        ("apple", apple.clone()),
        ("apple-json", json_entry(apple)),
    ]))
    .await;
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/apple")).await.expect(200);
    page.came_by("/auth/account");
    assert!(browser.is_logged_in(), "{:?}", page.trail);
    let me = browser.peek("/api/Users/me").await.expect(200).json();
    assert_eq!(me["email"], "victim@example.test", "a boolean as text is one");
    assert_eq!(me["emailVerified"], true);
    // The name came with the first answer only, and is kept when it does not come again.
    let who = arrive(&server, "apple-json").await;
    assert_eq!(who.user, me["id"].as_str().unwrap());
    let profile = &entries::identities(&server, &who).await[0]["profile"];
    assert_eq!(profile["name"]["givenName"], "Appleseed", "{profile}");
}

/// A key for Apple's client secrets: the public half for the provider, the private one for the entry.
fn apple_key() -> (Value, String) {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let point = key.public_key_raw();
    let (x, y) = (&point[1..33], &point[33..65]);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) });
    (jwk, key.serialize_pem())
}

#[tokio::test]
async fn google_is_believed_as_an_openid_provider_and_at_addresses_of_old() {
    let party = Counterparty::evil_oidc().await;
    let google = |more: Value| {
        let entry = json!({
            "module": "passport-google-oauth", "strategy": "OAuth2Strategy",
            "clientID": "evil-client", "clientSecret": "evil-secret", "scope": ["email", "profile"],
        });
        json_entry(with(entry, &more))
    };
    let old = json!({
        "provider": "google-old", "authorizationURL": party.at("/old/authorize"), "tokenURL": party.at("/old/token"),
        "userProfileURL": party.at("/old/userinfo"),
    });
    let server = entries::server(file([
        (
            "google",
            google(json!({ "provider": "google", "issuer": party.at("/plain") })),
        ),
        (
            "forged",
            google(json!({ "provider": "google", "issuer": party.at("/wrong-iss") })),
        ),
        ("old", google(old)),
    ]))
    .await;
    let who = arrive(&server, "google").await;
    assert_eq!(entries::record(&server, &who).await["username"], "google.evil-1");
    visit(&server, "forged").await.refused(401, "ID_TOKEN_ISSUER");
    let claims =
        json!({ "sub": "old-1", "email": "old@example.test", "email_verified": true, "name": "Old" });
    party.claims("old", claims).await;
    let who = arrive(&server, "old").await;
    assert_eq!(entries::identities(&server, &who).await[0]["externalId"], "old-1");
}
