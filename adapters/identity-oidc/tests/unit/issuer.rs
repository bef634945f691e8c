use serde_json::json;

use super::*;

const WORK: &str = "11111111-2222-3333-4444-555555555555";

fn tenants(tenant: &str) -> Issuers {
    let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
    Issuers::new(&issuer, &IssuerRule::MicrosoftTenant).unwrap()
}

fn of(tid: &str) -> String {
    format!("https://login.microsoftonline.com/{tid}/v2.0")
}

fn claims(iss: &str, tid: Option<&str>) -> Claims {
    let value = json!({"iss": iss, "tid": tid});
    Claims(value.as_object().unwrap().clone())
}

fn judged(tenant: &str, iss: &str, tid: Option<&str>, discovered: Option<&str>) -> Result<String, Fault> {
    let judged = tenants(tenant).judge(&claims(iss, tid), discovered);
    judged.map_err(|error| match error {
        ProviderError::Refused { fault, .. } => fault,
        ProviderError::Unavailable(reason) => panic!("{reason}"),
    })
}

#[test]
fn the_issuer_is_bound_to_the_tenant_of_the_token() {
    assert_eq!(judged("common", &of(WORK), Some(WORK), None), Ok(of(WORK)));
    for (iss, tid) in [
        (of(WORK), None),
        (of(WORK), Some(PERSONAL)),
        (of("common"), Some("common")),
        (of("{tenantid}"), Some("{tenantid}")),
        (of(WORK).replace("https://", "http://"), Some(WORK)),
        (of(WORK).replace(".com", ".com.evil.example"), Some(WORK)),
        (format!("https://evil.example/{WORK}/v2.0"), Some(WORK)),
        (format!("{}/", of(WORK)), Some(WORK)),
        (format!("https://sts.windows.net/{WORK}/"), Some(WORK)),
        (of("x/../y"), Some("x/../y")),
    ] {
        assert_eq!(
            judged("common", &iss, tid, None),
            Err(Fault::IdTokenIssuer),
            "{iss}"
        );
    }
}

#[test]
fn a_tenant_that_was_not_meant_is_refused() {
    let other = "99999999-2222-3333-4444-555555555555";
    let cases = [
        ("common", PERSONAL, None, true),
        ("organizations", WORK, None, true),
        ("organizations", PERSONAL, None, false),
        ("consumers", PERSONAL, None, true),
        ("consumers", WORK, None, false),
        (WORK, WORK, None, true),
        (WORK, other, None, false),
        ("work.example", WORK, Some(WORK), true),
        ("work.example", WORK, Some(other), false),
        ("work.example", WORK, None, false),
    ];
    for (tenant, tid, discovered, good) in cases {
        let expected = if good {
            Ok(of(tid))
        } else {
            Err(Fault::TenantRefused)
        };
        assert_eq!(
            judged(tenant, &of(tid), Some(tid), discovered),
            expected,
            "{tenant} {tid}"
        );
    }
}

#[test]
fn a_document_speaks_for_its_issuer_alone() {
    let named = Issuers::new(
        "https://issuer.example",
        &IssuerRule::Aliases(vec!["issuer".to_owned()]),
    )
    .unwrap();
    assert!(named.judge_document("https://issuer.example").is_ok());
    for other in ["https://issuer.example/", "issuer", "https://evil.example", ""] {
        assert!(named.judge_document(other).is_err(), "{other}");
    }
    let document = |tenant: &str, issuer: &str| tenants(tenant).judge_document(&of(issuer)).ok();
    assert_eq!(document("common", PLACEHOLDER), Some(None));
    assert_eq!(document("organizations", PLACEHOLDER), Some(None));
    assert_eq!(document("consumers", PERSONAL), Some(Some(PERSONAL.to_owned())));
    assert_eq!(document("work.example", WORK), Some(Some(WORK.to_owned())));
    assert_eq!(document(WORK, WORK), Some(Some(WORK.to_owned())));
    assert_eq!(document(WORK, PERSONAL), None);
    assert_eq!(document("common", WORK), None);
    assert_eq!(document("consumers", WORK), None);
}

#[test]
fn other_names_of_an_issuer_lead_to_the_one_that_is_kept() {
    let rule = IssuerRule::Aliases(vec!["accounts.google.com".to_owned()]);
    let google = Issuers::new("https://accounts.google.com", &rule).unwrap();
    for iss in ["https://accounts.google.com", "accounts.google.com"] {
        let kept = google.judge(&claims(iss, None), None).unwrap();
        assert_eq!(kept, "https://accounts.google.com");
        assert!(google.admits_response(iss));
    }
    assert!(
        google
            .judge(&claims("http://accounts.google.com", None), None)
            .is_err()
    );
}

#[test]
fn a_response_may_name_a_tenant() {
    assert!(tenants("common").admits_response(&of(WORK)));
    assert!(tenants(WORK).admits_response(&of(WORK)));
    assert!(!tenants(WORK).admits_response(&of(PERSONAL)));
    assert!(!tenants("common").admits_response("https://evil.example"));
}

#[test]
fn an_issuer_without_a_tenant_is_not_microsofts() {
    for bad in [
        "https://login.microsoftonline.com",
        "https://login.microsoftonline.com//v2.0",
        "/v2.0",
        "",
    ] {
        assert!(Issuers::new(bad, &IssuerRule::MicrosoftTenant).is_err(), "{bad}");
    }
}
