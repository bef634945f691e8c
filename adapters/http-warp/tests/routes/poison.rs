//! Every kind of value in every known place of every open call: whatever comes, the fault is the client's and the site lives.

use serde_json::{Value, json};

use crate::site::{EMAIL, PASSWORD, Site};

const FIELDS: [&str; 18] = [
    "email",
    "username",
    "password",
    "realm",
    "phone",
    "mobile",
    "ttl",
    "include",
    "id",
    "twofactor",
    "code",
    "challenge",
    "currentPassword",
    "oldPassword",
    "newPassword",
    "emailVerified",
    "__proto__",
    "anything",
];

fn poisons() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1e308),
        json!(""),
        json!("\u{0}"),
        json!("\u{202e}\u{200b}"),
        json!("' OR 1=1; --"),
        json!("x".repeat(10_000)),
        json!([]),
        json!([[EMAIL]]),
        json!({}),
        json!({"inq": [EMAIL]}),
        json!({"constructor": {"prototype": {"polluted": true}}}),
    ]
}

#[tokio::test]
async fn no_value_in_any_place_is_a_fault_of_ours() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let calls = [
        ("POST", "/Users".to_owned()),
        ("POST", "/Users/login".to_owned()),
        ("POST", "/Users/requestCode".to_owned()),
        ("POST", "/Users/loginWithCode".to_owned()),
        ("POST", "/Users/reset".to_owned()),
        ("POST", "/Users/reset-password".to_owned()),
        ("POST", "/Users/change-password".to_owned()),
        ("PATCH", path.clone()),
        ("PUT", path.clone()),
        ("POST", format!("{path}/phone/confirm")),
        ("POST", format!("{path}/verify")),
    ];
    let mut caller = 0_u32;
    for (method, path) in &calls {
        for field in FIELDS {
            for poison in poisons() {
                let mut body = json!({"email": EMAIL, "password": PASSWORD, "newPassword": "short"});
                body[field] = poison;
                // A new caller each time, so that no limit hides the answer.
                caller += 1;
                let address = std::net::Ipv4Addr::from(0x0a00_0000 + caller).to_string();
                let request = site.ask(method, path).header("x-forwarded-for", address);
                let answer = Site::answer(request.header("authorization", &token).json(&body)).await;
                assert!(answer.status < 500, "{method} {path} {field}: {}", answer.text);
            }
        }
    }
    site.get(&path, &token).await.ok();
}

#[tokio::test]
async fn no_value_in_a_call_about_accounts_elsewhere_is_a_fault_of_ours() {
    let site = Site::open().await;
    let calls = ["exchange", "join", "join/send-code", "join/decline"];
    let mut caller = 0_u32;
    for call in calls {
        for field in ["code", "code_verifier", "join", "password"] {
            for poison in poisons() {
                let mut body = json!({"code": "x", "code_verifier": "x", "join": "x"});
                body[field] = poison;
                caller += 1;
                let address = std::net::Ipv4Addr::from(0x0a00_0000 + caller).to_string();
                let answer = site.post_from(&address, &format!("/Users/{call}"), body).await;
                assert!(
                    (400..500).contains(&answer.status),
                    "{call} {field}: {}",
                    answer.text
                );
            }
        }
    }
}

#[tokio::test]
async fn no_query_is_a_fault_of_ours() {
    let site = Site::open().await;
    let (path, _, token) = site.ann().await;
    let queries = [
        "filter=%00",
        "filter=%ff",
        "filter[",
        "filter]",
        "filter[fields",
        "filter[fields][",
        "filter[fields]]=1",
        "filter[fields][a][b]=1",
        "filter[where][$where]=while(1)",
        "access_token[]=x",
        "access_token=%ff",
        "%",
        "&&&=&=",
        "uid[$ne]=1&token[$ne]=1",
        "uid=%00&token=%00",
        "uid=1&token=1&redirect=%ff",
        "uid=1&token=1&redirect=%0d%0aX:y",
    ];
    for query in queries {
        for place in [path.as_str(), "/Users/confirm", "/Users/me"] {
            let answer = site.get(&format!("{place}?{query}"), &token).await;
            assert!(answer.status < 500, "{place}?{query}: {}", answer.text);
        }
        let login = json!({"email": EMAIL, "password": PASSWORD});
        assert!(
            site.post(&format!("/Users/login?{query}"), login).await.status < 500,
            "{query}"
        );
    }
}
