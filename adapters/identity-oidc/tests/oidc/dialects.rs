//! The ready profiles, each against a provider that speaks like the real one.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ports::{Arrival, IdentityProvider as _, ProviderError, ProviderFault as Fault};
use domain::secret::Secret;
use identity_oidc::{ClientSecret, IssuerRule, OidcConfig, UserInfo};
use serde_json::{Value, json};

use crate::idp::keys::TestKey;
use crate::idp::{Idp, Reply};
use crate::login::{self, config, fault, provider, response, with};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

async fn log_in(idp: &Idp, config: OidcConfig, changes: &Value) -> Result<Arrival, ProviderError> {
    idp.hand_out(&idp.key.sign(&with(&login::claims(idp), changes)));
    provider(config).complete(&response(&[("code", "c")])).await
}

/// The profile at our provider.
fn at(idp: &Idp, config: OidcConfig) -> OidcConfig {
    OidcConfig {
        issuer: idp.issuer.clone(),
        client_secret: ClientSecret::Fixed(Secret::new("web-secret")),
        ..config
    }
}

#[tokio::test]
async fn every_kind_of_key_logs_in() {
    for key in [TestKey::rsa("k"), TestKey::p384("k"), TestKey::ed25519("k")] {
        let idp = Idp::start_at("", key).await;
        let config = OidcConfig {
            userinfo: UserInfo::Never,
            ..config(&idp)
        };
        log_in(&idp, config, &json!({})).await.unwrap();
    }
}

#[tokio::test]
async fn google_has_one_issuer_under_two_names() {
    let idp = Idp::start().await;
    let short = idp.issuer.strip_prefix("http://").unwrap().to_owned();
    let google = || {
        let mut google = at(&idp, OidcConfig::google("web"));
        google.issuer_rule = IssuerRule::Aliases(vec![short.clone()]);
        google
    };
    let profile = json!({"iss": short, "email": "ann@gmail.com", "email_verified": true, "name": "Ann"});
    let arrival = log_in(&idp, google(), &profile).await.unwrap();
    assert_eq!(arrival.issuer, idp.issuer);
    assert!(arrival.profile.vouched_email(false).is_some());
    assert!(idp.heard("/userinfo").is_empty());

    let mut hosted = google();
    hosted
        .authorization_params
        .push(("hd".to_owned(), "work.example".to_owned()));
    let refused = log_in(&idp, hosted.clone(), &profile).await.unwrap_err();
    assert_eq!(fault(&refused), Fault::TenantRefused);
    let profile = with(&profile, &json!({"hd": "work.example"}));
    log_in(&idp, hosted, &profile).await.unwrap();
}

/// Microsoft's endpoint for `organizations`: its document names a template, its tokens the tenant.
async fn microsoft() -> (Idp, OidcConfig, String) {
    let idp = Idp::start_at("/organizations/v2.0", TestKey::rsa("m")).await;
    let template = idp.issuer.replace("organizations", "{tenantid}");
    let document = with(&idp.document(), &json!({ "issuer": template }));
    idp.reply("/.well-known/openid-configuration", Reply::json(&document));
    let config = at(&idp, OidcConfig::microsoft("organizations", "web"));
    (idp, config, template)
}

#[tokio::test]
async fn microsofts_issuer_is_that_of_the_tenant() {
    let (idp, config, template) = microsoft().await;
    let of = |tid: &str| template.replace("{tenantid}", tid);
    let said = json!({
        "iss": of(TENANT), "tid": TENANT, "oid": "o-1", "email": "ann@work.example", "email_verified": true,
        "preferred_username": "ann@work.example", "name": "Ann",
    });
    let arrival = log_in(&idp, config.clone(), &said).await.unwrap();
    assert_eq!((arrival.issuer, arrival.subject), (of(TENANT), "o-1".to_owned()));
    assert!(arrival.profile.vouched_email(false).is_none() && arrival.profile.any_email(false).is_some());
    for edov in [json!(true), json!("true"), json!("1")] {
        let said = with(&said, &json!({ "xms_edov": edov }));
        let arrival = log_in(&idp, config.clone(), &said).await.unwrap();
        assert!(arrival.profile.vouched_email(false).is_some());
    }
    let provider = provider(config.clone());
    let named = of(TENANT);
    let named_response = response(&[("code", "c"), ("iss", &named)]);
    provider.complete(&named_response).await.unwrap();
    let elsewhere = of("99999999-2222-3333-4444-555555555555");
    let named_response = response(&[("code", "c"), ("iss", &elsewhere)]);
    let refused = provider.complete(&named_response).await.unwrap_err();
    assert_eq!(fault(&refused), Fault::ResponseIssuer);
    for (changes, expected) in [
        (
            json!({"iss": of(PERSONAL), "tid": PERSONAL}),
            Fault::TenantRefused,
        ),
        (json!({"iss": of(PERSONAL)}), Fault::IdTokenIssuer),
        (json!({"tid": null}), Fault::IdTokenIssuer),
        (json!({"iss": template}), Fault::IdTokenIssuer),
        (json!({"oid": null}), Fault::SubjectMissing),
    ] {
        let refused = log_in(&idp, config.clone(), &with(&said, &changes))
            .await
            .unwrap_err();
        assert_eq!(fault(&refused), expected, "{changes}");
    }
}

#[tokio::test]
async fn apple_writes_its_booleans_as_text_and_the_name_once() {
    let idp = Idp::start().await;
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = STANDARD.encode(pair.to_pkcs8v1().unwrap().as_ref());
    let mut apple = at(&idp, OidcConfig::apple("web"));
    apple.client_secret = ClientSecret::Apple {
        team_id: "TEAM".to_owned(),
        key_id: "KEY".to_owned(),
        private_key_pem: Secret::new(format!(
            "-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----"
        )),
    };
    let said = json!({"iss": "https://account.apple.com", "email": "a@b.example", "email_verified": "true"});
    idp.hand_out(&idp.key.sign(&with(&login::claims(&idp), &said)));
    let user = r#"{"name":{"firstName":"Ann","lastName":"Example"},"email":"victim@example.com"}"#;
    let provider = provider(apple);
    let arrival = provider
        .complete(&response(&[("code", "c"), ("user", user)]))
        .await
        .unwrap();
    assert_eq!(arrival.issuer, idp.issuer);
    assert_eq!(arrival.profile.display_name.as_deref(), Some("Ann Example"));
    assert_eq!(
        arrival.profile.vouched_email(false).unwrap().as_str(),
        "a@b.example"
    );
    assert!(!arrival.raw.to_string().contains("victim"));
    let body = &idp.heard("/token")[0].body;
    assert!(body.contains("client_id=web&client_secret=eyJ"), "{body}");
    assert!(idp.heard("/userinfo").is_empty());
}

#[tokio::test]
async fn linkedin_has_neither_nonce_nor_verifier_nor_token_type() {
    let idp = Idp::start().await;
    let said = json!({"nonce": null, "email": "a@b.example", "email_verified": "true", "name": "Ann", "locale": "en_US"});
    let token = idp.key.sign(&with(&login::claims(&idp), &said));
    let answer = json!({"access_token": "at", "expires_in": 5_183_999, "scope": "email,openid,profile", "id_token": token});
    idp.reply("/token", Reply::json(&answer));
    let provider = provider(at(&idp, OidcConfig::linkedin("web")));
    let arrival = provider.complete(&response(&[("code", "c")])).await.unwrap();
    assert!(arrival.profile.vouched_email(false).is_some());
    assert_eq!(arrival.tokens.unwrap().scopes.unwrap().len(), 3);
    assert!(!idp.heard("/token")[0].body.contains("code_verifier"));
}
