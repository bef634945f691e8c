use domain::identity::ProviderClient;
use domain::secret::Secret;

use super::*;

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        redirect_uri: "https://app.example/cb?a=b".to_owned(),
        state: Secret::new("st&ate"),
        nonce: Secret::new("n"),
        code_verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        client: None,
    }
}

#[test]
fn everything_that_binds_the_answer_is_asked_with() {
    let config = OidcConfig {
        scopes: vec![
            "email profile".to_owned(),
            "openid".to_owned(),
            "email".to_owned(),
        ],
        authorization_params: vec![("prompt".to_owned(), "select account".to_owned())],
        ..OidcConfig::generic("https://issuer.example", "web+1")
    };
    // The challenge is that of RFC 7636, appendix B.
    assert_eq!(
        address("https://issuer.example/a", &config, &request()),
        "https://issuer.example/a?response_type=code&client_id=web%2B1\
         &redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fa%3Db&scope=openid%20email%20profile&state=st%26ate&nonce=n\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256\
         &prompt=select%20account"
    );
}

#[test]
fn an_application_asks_as_itself() {
    let mut request = request();
    request.client = Some(ProviderClient {
        client_id: "app".to_owned(),
        client_secret: Some(Secret::new("app-secret")),
    });
    let config = OidcConfig::generic("https://issuer.example", "web");
    let url = address("https://issuer.example/a?tenant=1", &config, &request);
    assert!(
        url.starts_with("https://issuer.example/a?tenant=1&response_type=code&client_id=app&"),
        "{url}"
    );
    assert!(!url.contains("app-secret"));
}

#[test]
fn each_provider_is_asked_in_its_own_way() {
    let linkedin = address("https://l.example/", &OidcConfig::linkedin("web"), &request());
    assert!(!linkedin.contains("code_challenge"), "{linkedin}");
    assert!(linkedin.contains("nonce=n"), "{linkedin}");
    let apple = address("https://a.example/", &OidcConfig::apple("web"), &request());
    assert!(
        apple.contains("scope=openid%20name%20email") && apple.contains("response_mode=form_post"),
        "{apple}"
    );
    let bare = OidcConfig {
        scopes: Vec::new(),
        ..OidcConfig::microsoft("common", "web")
    };
    let microsoft = address("https://m.example/", &bare, &request());
    assert!(microsoft.contains("scope=openid%20profile&"), "{microsoft}");
}
