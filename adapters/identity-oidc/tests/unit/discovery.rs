use serde_json::json;

use super::*;
use crate::IssuerRule;

const ISSUER: &str = "https://issuer.example/realm";

fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://issuer.example/authorize",
        "token_endpoint": "https://issuer.example/token",
        "userinfo_endpoint": "https://issuer.example/userinfo",
        "jwks_uri": "https://keys.example/jwks",
    })
}

fn read_with(document: &Value, config: &OidcConfig) -> Result<Metadata, String> {
    let issuers = Issuers::new(&config.issuer, &IssuerRule::Exact).unwrap();
    read(document, config, &issuers).map_err(|error| error.to_string())
}

fn with(name: &str, value: Value) -> Value {
    let mut document = document();
    document[name] = value;
    document
}

#[test]
fn a_document_gives_the_endpoints() {
    let read = read_with(&document(), &OidcConfig::generic(ISSUER, "web")).unwrap();
    assert_eq!(read.token, "https://issuer.example/token");
    assert_eq!(read.jwks, "https://keys.example/jwks");
    assert!(!read.names_itself && !read.secret_in_body);
}

#[test]
fn what_is_configured_goes_before_what_is_found() {
    let config = OidcConfig {
        token_endpoint: Some("https://other.example/token".to_owned()),
        ..OidcConfig::generic(ISSUER, "web")
    };
    let read = read_with(&with("token_endpoint", json!("ftp://bad")), &config).unwrap();
    assert_eq!(read.token, "https://other.example/token");
}

#[test]
fn a_document_that_will_not_do_is_refused() {
    let config = OidcConfig::generic(ISSUER, "web");
    for (name, value) in [
        ("issuer", json!("https://issuer.example/realm/")),
        ("issuer", json!("https://evil.example")),
        ("issuer", json!(null)),
        ("token_endpoint", json!("http://issuer.example/token")),
        ("token_endpoint", json!("http://127.0.0.1/token")),
        ("token_endpoint", json!("https://ann@issuer.example/token")),
        ("token_endpoint", json!(null)),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("authorization_endpoint", json!("https://issuer.example/#a")),
        (
            "authorization_endpoint",
            json!("https://issuer.example/a\r\nset-cookie: a=b"),
        ),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("jwks_uri", json!(["https://issuer.example/jwks"])),
        ("userinfo_endpoint", json!("http://localhost/userinfo")),
    ] {
        let error = read_with(&with(name, value.clone()), &config).unwrap_err();
        assert!(error.starts_with("DISCOVERY_INVALID"), "{name} {value}: {error}");
    }
    assert!(read_with(&json!([]), &config).is_err());
}

#[test]
fn a_plain_issuer_on_this_machine_may_have_plain_endpoints_there() {
    let issuer = "http://127.0.0.1:9";
    let config = OidcConfig::generic(issuer, "web");
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": "http://127.0.0.1:9/a",
        "token_endpoint": "http://localhost:9/t",
        "jwks_uri": "http://[::1]:9/j",
    });
    assert!(read_with(&document, &config).is_ok());
    document["token_endpoint"] = json!("http://192.168.0.1/t");
    assert!(read_with(&document, &config).is_err());
}

#[test]
fn it_is_told_how_the_provider_answers_and_is_asked() {
    let config = OidcConfig::generic(ISSUER, "web");
    let mut told = with("authorization_response_iss_parameter_supported", json!(true));
    told["token_endpoint_auth_methods_supported"] = json!(["client_secret_post", "none"]);
    let read = read_with(&told, &config).unwrap();
    assert!(read.names_itself && read.secret_in_body);
    told["token_endpoint_auth_methods_supported"] = json!(["client_secret_post", "client_secret_basic"]);
    assert!(!read_with(&told, &config).unwrap().secret_in_body);
}

#[test]
fn nothing_is_discovered_where_all_is_given() {
    let mut config = OidcConfig {
        authorization_endpoint: Some("https://a.example/a".to_owned()),
        token_endpoint: Some("https://a.example/t".to_owned()),
        jwks_uri: Some("https://a.example/j".to_owned()),
        ..OidcConfig::generic(ISSUER, "web")
    };
    assert_eq!(configured(&config), None);
    config.userinfo = UserInfo::Never;
    assert!(configured(&config).is_some());
}

#[test]
fn the_document_is_below_the_issuer() {
    assert_eq!(
        address("https://a.example"),
        "https://a.example/.well-known/openid-configuration"
    );
    assert_eq!(
        address("https://a.example/b/"),
        "https://a.example/b/.well-known/openid-configuration"
    );
}
