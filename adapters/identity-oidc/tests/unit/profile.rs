use serde_json::json;

use super::*;

fn claims(value: Value) -> Claims {
    match value {
        Value::Object(map) => Claims(map),
        other => panic!("{other}"),
    }
}

#[test]
fn claims_become_a_profile() {
    let profile = profile_of(
        &claims(json!({
            "preferred_username": "ann", "name": "Ann B. Example", "given_name": "Ann", "middle_name": "B.",
            "family_name": "Example", "email": "ann@example.com", "email_verified": "true",
            "picture": "https://example.com/ann.png", "profile": "https://example.com/ann",
            "locale": {"language": "en", "country": "US"},
        })),
        EmailRule::Claim,
    );
    assert_eq!(profile.username.as_deref(), Some("ann"));
    assert_eq!(profile.display_name.as_deref(), Some("Ann B. Example"));
    assert_eq!(profile.name.given_name.as_deref(), Some("Ann"));
    assert_eq!(profile.name.middle_name.as_deref(), Some("B."));
    assert_eq!(profile.name.family_name.as_deref(), Some("Example"));
    assert_eq!(profile.vouched_email(false).unwrap().as_str(), "ann@example.com");
    assert_eq!(profile.photos, ["https://example.com/ann.png"]);
    assert_eq!(profile.profile_url.as_deref(), Some("https://example.com/ann"));
}

#[test]
fn what_makes_no_sense_is_left_out() {
    let profile = profile_of(
        &claims(json!({
            "name": ["Ann"], "nickname": "nick", "email": ["a@b.example"], "email_verified": true,
            "picture": "javascript:alert(1)", "profile": "data:text/html,x", "given_name": "a\u{0}b",
        })),
        EmailRule::Claim,
    );
    assert_eq!(profile.username.as_deref(), Some("nick"));
    assert_eq!(
        (profile.display_name, profile.name.given_name, profile.profile_url),
        (None, None, None)
    );
    assert!(profile.emails.is_empty() && profile.photos.is_empty());
}

#[test]
fn an_address_is_vouched_for_by_the_rule_alone() {
    let vouched = |rule, extra: Value| {
        let mut all = claims(json!({"email": "ann@example.com"}));
        all.0.extend(claims(extra).0);
        profile_of(&all, rule).vouched_email(false).is_some()
    };
    for truth in [json!(true), json!("true")] {
        assert!(vouched(EmailRule::Claim, json!({ "email_verified": truth })));
        assert!(vouched(EmailRule::DomainOwner, json!({ "xms_edov": truth })));
        assert!(!vouched(
            EmailRule::DomainOwner,
            json!({ "email_verified": truth })
        ));
        assert!(!vouched(EmailRule::Never, json!({ "email_verified": truth })));
    }
    assert!(vouched(EmailRule::DomainOwner, json!({"xms_edov": "1"})));
    assert!(vouched(EmailRule::Always, json!({})));
    for lie in [
        json!(false),
        json!("false"),
        json!("True"),
        json!(1),
        json!("1"),
        json!(["true"]),
        json!(null),
    ] {
        assert!(
            !vouched(EmailRule::Claim, json!({ "email_verified": lie })),
            "{lie}"
        );
    }
    assert!(
        !vouched(EmailRule::Claim, json!({})) && !vouched(EmailRule::DomainOwner, json!({"xms_edov": "0"}))
    );
}

#[test]
fn the_first_name_apple_sends_is_a_name_and_nothing_else() {
    let user =
        r#"{"name":{"firstName":" Ann ","lastName":"Example"},"email":"victim@example.com","sub":"x"}"#;
    let mut new = claims(json!({"sub": "1"}));
    add_first_name(&mut new, user);
    let named = json!({"sub": "1", "given_name": "Ann", "family_name": "Example", "name": "Ann Example"});
    assert_eq!(new, claims(named));
    let mut known = claims(json!({"name": "Signed"}));
    add_first_name(&mut known, user);
    assert_eq!(known.shown("name"), Some("Signed"));
    for none in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"name":"Ann"}"#,
        r#"{"name":{"firstName":1,"lastName":" "}}"#,
    ] {
        let mut same = claims(json!({"sub": "1"}));
        add_first_name(&mut same, none);
        assert_eq!(same, claims(json!({"sub": "1"})), "{none}");
    }
}
