//! Who somebody is, in each provider's dialect.

use crate::support::{
    FakeProvider, REDIRECT, TOKEN, VERIFIER, client, code_of, json, provider, reply, with_code,
};
use domain::identity::{ProfileEmail, ProviderClient};
use domain::ports::{AuthorizationResponse, IdentityProvider as _};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_oauth2::OAuth2Config;

fn email(value: &str, verified: bool) -> ProfileEmail {
    ProfileEmail {
        value: value.to_owned(),
        verified,
    }
}

const OCTOCAT: &str = r#"{"login":"octocat","id":9007199254740993,"name":"Octo Cat","email":null,
    "avatar_url":"https://example.com/a.png","html_url":"https://github.com/octocat"}"#;

async fn github(emails: &'static str, token: &'static str) -> FakeProvider {
    FakeProvider::start(move |heard| match heard.path() {
        "/token" => reply(200, "application/x-www-form-urlencoded", token),
        "/me" => json(OCTOCAT),
        _ if emails.is_empty() => reply(404, "application/json", "{}"),
        _ => json(emails),
    })
    .await
}

const FORM: &str = "access_token=at&scope=read%3Auser%2Cuser%3Aemail&token_type=bearer";

#[tokio::test]
async fn github_tells_the_primary_verified_address_and_every_digit() {
    let emails = r#"[{"email":"other@example.com","primary":false,"verified":true},
        {"email":"octo@example.com","primary":true,"verified":true}]"#;
    let fake = github(emails, FORM).await;
    let github = provider(fake.moved(OAuth2Config::github(client(), vec![])));
    let arrival = github.complete(&with_code()).await.unwrap();
    assert_eq!(arrival.issuer, fake.base);
    assert_eq!(arrival.subject, "9007199254740993");
    assert_eq!(arrival.profile.username.as_deref(), Some("octocat"));
    assert_eq!(arrival.profile.display_name.as_deref(), Some("Octo Cat"));
    assert_eq!(arrival.profile.emails, [email("octo@example.com", true)]);
    assert_eq!(arrival.profile.photos, ["https://example.com/a.png"]);
    assert_eq!(arrival.raw["login"], "octocat");
    let tokens = arrival.tokens.unwrap();
    assert_eq!(tokens.scopes.unwrap(), ["read:user", "user:email"]);
    assert_eq!(tokens.expires, None);
    let asked = &fake.heard("/token")[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.header("accept"), Some("application/json"));
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "very-secret-code"),
        ("code_verifier", VERIFIER),
        ("redirect_uri", REDIRECT),
        ("client_id", "our id"),
        ("client_secret", "our-secret"),
    ] {
        assert_eq!(asked.field(name).as_deref(), Some(value), "{name}");
    }
    let me = &fake.heard("/me")[0];
    assert_eq!(me.header("authorization"), Some("Bearer at"));
    assert!(me.header("user-agent").is_some());
}

#[tokio::test]
async fn an_operator_need_not_take_the_providers_word_on_addresses() {
    let emails = r#"[{"email":"octo@example.com","primary":true,"verified":true}]"#;
    let fake = github(emails, FORM).await;
    let distrusting = OAuth2Config {
        email_trusted: Some(false),
        ..fake.moved(OAuth2Config::github(client(), vec![]))
    };
    let arrival = provider(distrusting).complete(&with_code()).await.unwrap();
    assert_eq!(arrival.profile.emails, [email("octo@example.com", false)]);
}

#[tokio::test]
async fn github_vouches_for_no_other_address() {
    let unverified = r#"[{"email":"octo@example.com","primary":true,"verified":false},
        {"email":"other@example.com","primary":false,"verified":true}]"#;
    for (emails, expected) in [
        (unverified, vec![email("octo@example.com", false)]),
        ("[]", vec![]),
        ("", vec![]),
    ] {
        let fake = github(emails, FORM).await;
        let github = provider(fake.moved(OAuth2Config::github(client(), vec![])));
        let arrival = github.complete(&with_code()).await.unwrap();
        assert_eq!(arrival.profile.emails, expected, "{emails}");
    }
}

#[tokio::test]
async fn addresses_that_were_not_granted_are_not_asked_for() {
    let fake = github("[]", "access_token=at&scope=&token_type=bearer").await;
    let github = provider(fake.moved(OAuth2Config::github(client(), vec![])));
    let arrival = github.complete(&with_code()).await.unwrap();
    assert_eq!(arrival.tokens.unwrap().scopes, Some(vec![]));
    assert_eq!(fake.heard("/emails").len(), 0);
}

const ANN: &str = r#"{"id":"10158","name":"Ann Example","first_name":"Ann","last_name":"Example",
    "email":"ann\u0040example.com","picture":{"data":{"url":"https://example.com/p.png"}}}"#;

#[tokio::test]
async fn facebook_is_asked_with_proof_and_fields() {
    let fake = FakeProvider::with_profile(ANN).await;
    let config = OAuth2Config {
        profile_fields: vec!["displayName".to_owned(), "gender".to_owned()],
        ..fake.moved(OAuth2Config::facebook("v24.0", client(), vec![]))
    };
    let arrival = provider(config.clone()).complete(&with_code()).await.unwrap();
    assert_eq!(arrival.subject, "10158");
    assert_eq!(arrival.profile.name.given_name.as_deref(), Some("Ann"));
    // Facebook says nothing about the address: it is not vouched for.
    assert_eq!(arrival.profile.emails, [email("ann@example.com", false)]);
    assert_eq!(arrival.profile.photos, ["https://example.com/p.png"]);
    let asked = &fake.heard("/me")[0];
    let fields = asked.query("fields").unwrap();
    assert_eq!(
        fields,
        "id,name,first_name,middle_name,last_name,email,picture,gender"
    );
    let own = asked.query("appsecret_proof").unwrap();
    assert_eq!(own.len(), 64);
    assert_eq!(asked.query("access_token"), None);

    let theirs = AuthorizationResponse {
        client: Some(ProviderClient {
            client_id: "theirs".to_owned(),
            client_secret: Some(Secret::new("their-secret")),
        }),
        ..with_code()
    };
    let trusting = OAuth2Config {
        email_trusted: Some(true),
        ..config
    };
    let arrival = provider(trusting).complete(&theirs).await.unwrap();
    assert_eq!(arrival.profile.emails, [email("ann@example.com", true)]);
    assert_ne!(fake.heard("/me")[1].query("appsecret_proof").unwrap(), own);
    let bought = &fake.heard("/token")[1];
    assert_eq!(bought.field("client_secret").as_deref(), Some("their-secret"));
}

#[tokio::test]
async fn a_field_facebook_has_given_up_does_not_stop_a_login() {
    let fake = FakeProvider::start(|heard| match heard.query("fields") {
        None => json(TOKEN),
        Some(fields) if fields.contains("timezone") => {
            let error =
                r#"{"error":{"message":"(#100) nonexisting field","type":"OAuthException","code":100}}"#;
            reply(400, "application/json", error)
        }
        Some(_) => json(ANN),
    })
    .await;
    let config = OAuth2Config {
        profile_fields: vec!["timezone".to_owned()],
        ..fake.moved(OAuth2Config::facebook("v24.0", client(), vec![]))
    };
    let arrival = provider(config).complete(&with_code()).await.unwrap();
    assert_eq!(arrival.subject, "10158");
    assert_eq!(fake.heard("/me").len(), 2);
}

#[tokio::test]
async fn the_graphs_errors_are_no_profile() {
    for (code, told) in [
        (190, "USERINFO_INVALID"),
        (100, "USERINFO_INVALID"),
        (4, "unavailable"),
    ] {
        let fake = FakeProvider::start(move |heard| match heard.path() {
            "/token" => json(TOKEN),
            _ => json(&format!(
                r#"{{"id":"1","error":{{"message":"at","code":{code}}}}}"#
            )),
        })
        .await;
        let facebook = provider(fake.moved(OAuth2Config::facebook("v24.0", client(), vec![])));
        let error = facebook.complete(&with_code()).await.unwrap_err();
        assert_eq!(code_of(&error), told, "{code}");
    }
}

#[tokio::test]
async fn x_speaks_under_data_to_whoever_knows_the_basics() {
    let body = r#"{"data":{"id":"1400000000000000001","name":"Ann","username":"ann",
        "profile_image_url":"https://example.com/p.png","confirmed_email":"ann@example.com"}}"#;
    let fake = FakeProvider::with_profile(body).await;
    let x = provider(fake.moved(OAuth2Config::x(client(), vec![])));
    let arrival = x.complete(&with_code()).await.unwrap();
    assert_eq!(arrival.subject, "1400000000000000001");
    assert_eq!(arrival.profile.username.as_deref(), Some("ann"));
    assert_eq!(arrival.profile.emails, [email("ann@example.com", true)]);
    let asked = &fake.heard("/token")[0];
    // "our+id:our-secret", as RFC 6749 section 2.3.1 encodes it
    assert_eq!(
        asked.header("authorization"),
        Some("Basic b3VyK2lkOm91ci1zZWNyZXQ=")
    );
    assert_eq!(
        (asked.field("client_id"), asked.field("client_secret")),
        (None, None)
    );
    let fields = fake.heard("/me")[0].query("user.fields").unwrap();
    assert_eq!(fields, "confirmed_email,profile_image_url");
}

#[tokio::test]
async fn google_is_understood_in_both_its_shapes() {
    for body in [
        r#"{"sub":"108","name":"Ann","email":"ann@example.com","email_verified":true}"#,
        r#"{"id":"108","name":"Ann","email":"ann@example.com","verified_email":true}"#,
        r#"{"sub":"108","id":"7","name":"Ann","email":"ann@example.com","email_verified":"true"}"#,
    ] {
        let fake = FakeProvider::with_profile(body).await;
        let google = provider(fake.moved(OAuth2Config::google_legacy(client(), vec![])));
        let arrival = google.complete(&with_code()).await.unwrap();
        assert_eq!(arrival.subject, "108");
        assert_eq!(arrival.profile.emails, [email("ann@example.com", true)]);
    }
}

#[tokio::test]
async fn linkedin_hears_no_verifier() {
    let body = r#"{"sub":"782bbtaQ","given_name":"Ann","email":"ann@example.com","email_verified":false,
        "locale":{"country":"US"}}"#;
    let fake = FakeProvider::with_profile(body).await;
    let linkedin = provider(fake.moved(OAuth2Config::linkedin(client(), vec![])));
    let arrival = linkedin.complete(&with_code()).await.unwrap();
    assert_eq!(arrival.subject, "782bbtaQ");
    assert_eq!(arrival.profile.emails, [email("ann@example.com", false)]);
    assert_eq!(fake.heard("/token")[0].field("code_verifier"), None);
}

#[tokio::test]
async fn any_other_provider_is_read_widely() {
    let body = r#"{"id":7,"login":"ann","name":"Ann","email":"ann@example.com"}"#;
    let fake = FakeProvider::with_profile(body).await;
    let config = OAuth2Config {
        custom_headers: vec![("X-Api-Key".to_owned(), "k".to_owned())],
        ..fake.generic()
    };
    let arrival = provider(config).complete(&with_code()).await.unwrap();
    assert_eq!(
        (arrival.subject.as_str(), arrival.issuer.as_str()),
        ("7", fake.base.as_str())
    );
    assert_eq!(arrival.profile.username.as_deref(), Some("ann"));
    assert_eq!(arrival.profile.emails, [email("ann@example.com", false)]);
    let tokens = arrival.tokens.unwrap();
    assert_eq!(tokens.expires, Some(Timestamp::from_millis(1_060_000)));
    for path in ["/token", "/me"] {
        assert_eq!(fake.heard(path)[0].header("x-api-key"), Some("k"), "{path}");
    }
}

#[tokio::test]
async fn a_public_client_sends_its_id_alone() {
    let fake = FakeProvider::with_profile(r#"{"id":"1"}"#).await;
    let config = OAuth2Config {
        client_secret: None,
        ..fake.generic()
    };
    provider(config).complete(&with_code()).await.unwrap();
    let asked = &fake.heard("/token")[0];
    assert_eq!(asked.field("client_id").as_deref(), Some("our id"));
    assert_eq!(
        (asked.field("client_secret"), asked.header("authorization")),
        (None, None)
    );
}
