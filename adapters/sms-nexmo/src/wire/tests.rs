use super::*;

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    let mut answer = Response::new(body.as_bytes().to_vec());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

fn said(parts: &[&str]) -> Verdict {
    let body = format!(
        r#"{{"message-count":"{}","messages":[{}]}}"#,
        parts.len(),
        parts.join(",")
    );
    judge(&answer(200, &body))
}

fn status(number: u8) -> String {
    format!(r#"{{"status":"{number}","error-text":"whatever"}}"#)
}

const TAKEN: &str = r#"{"to":"491701234567","message-id":"0C1","status":"0","remaining-balance":"1.0","message-price":"0.03"}"#;

fn form(text: &str, life: Lifetime) -> Vec<(String, String)> {
    let (api_key, api_secret) = (Secret::new("key"), Secret::new("s&c=t"));
    let form = Form {
        api_key: &api_key,
        api_secret: &api_secret,
        from: "My Shop",
        to: "491701234567",
        text,
        id: &MessageId::new("m-1"),
        life,
    };
    form_urlencoded::parse(form.encoded().as_bytes())
        .into_owned()
        .collect()
}

fn value<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

#[test]
fn the_form_says_who_to_whom_and_what() {
    let form = form("Your verification code is 1", Lifetime::from_secs(300));
    for (name, expected) in [
        ("api_key", "key"),
        ("api_secret", "s&c=t"),
        ("from", "My Shop"),
        ("to", "491701234567"),
        ("text", "Your verification code is 1"),
        ("client-ref", "m-1"),
        ("ttl", "300000"),
    ] {
        assert_eq!(value(&form, name), Some(expected));
    }
    assert_eq!(value(&form, "type"), None);
}

#[test]
fn a_text_beyond_the_alphabet_is_marked() {
    for (text, marked) in [("您的验证码是 1", true), ("código", true), ("Bestätigung", false)] {
        let form = form(text, Lifetime::from_secs(60));
        assert_eq!(value(&form, "type"), marked.then_some("unicode"), "{text}");
        assert_eq!(value(&form, "text"), Some(text));
    }
}

#[test]
fn the_networks_patience_stays_within_what_the_gateway_takes() {
    for (life, ttl) in [
        (0, "20000"),
        (19, "20000"),
        (21, "21000"),
        (9_999_999, "604800000"),
    ] {
        assert_eq!(value(&form("x", Lifetime::from_secs(life)), "ttl"), Some(ttl));
    }
}

#[test]
fn every_status_is_one_of_four_things() {
    assert_eq!(said(&[TAKEN]).delivery, Delivery::Sent);
    for number in 1..=40 {
        let verdict = said(&[&status(number)]);
        match number {
            1 | 5 | 10 => assert!(matches!(verdict.delivery, Delivery::NotNow { .. }), "{number}"),
            6 | 7 | 33 => assert!(
                matches!(verdict.delivery, Delivery::Unreachable { .. }),
                "{number}"
            ),
            _ => assert!(matches!(verdict.delivery, Delivery::Refused { .. }), "{number}"),
        }
        let is_refused = matches!(verdict.delivery, Delivery::Refused { .. });
        assert_eq!(verdict.alarm.is_some(), is_refused, "{number}");
    }
}

#[test]
fn a_throttling_says_how_long() {
    let throttled = |text: &str| {
        let part = format!(r#"{{"status":"1","error-text":"{text}"}}"#);
        match said(&[&part]).delivery {
            Delivery::NotNow {
                retry_after,
                reason: "throttled",
            } => retry_after.map(Lifetime::as_millis),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        throttled("Throughput Rate Exceeded - please wait [ 978 ] and retry"),
        Some(978)
    );
    assert_eq!(throttled("please wait [978] and retry"), Some(978));
    assert_eq!(
        throttled("please wait [ 99999999999 ] and retry"),
        Some(3_600_000)
    );
    for without in [
        "Throttled",
        "[ soon ]",
        "[ -1 ]",
        "] 5 [",
        "",
        "[ 99999999999999999999999 ]",
    ] {
        assert_eq!(throttled(without), None, "{without}");
    }
}

#[test]
fn a_message_that_went_in_part_is_never_sent_again() {
    for other in [1, 5, 6, 9, 33] {
        assert_eq!(said(&[TAKEN, &status(other)]).delivery, Delivery::Unknown);
        assert_eq!(said(&[&status(other), TAKEN, TAKEN]).delivery, Delivery::Unknown);
    }
    assert_eq!(
        said(&[TAKEN, &status(9)]).alarm,
        Some("credit"),
        "it is told all the same"
    );
    assert_eq!(said(&[TAKEN, TAKEN]).delivery, Delivery::Sent);
}

#[test]
fn where_nothing_went_the_worst_counts() {
    let worst = |parts: &[u8]| {
        let parts: Vec<String> = parts.iter().map(|number| status(*number)).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        said(&parts).delivery
    };
    assert_eq!(worst(&[1, 6]), Delivery::Unreachable { reason: "unroutable" });
    assert_eq!(worst(&[9, 1]), Delivery::Refused { reason: "credit" });
    assert_eq!(
        worst(&[6, 4]),
        Delivery::Refused {
            reason: "credentials"
        }
    );
    assert!(matches!(worst(&[1, 5]), Delivery::NotNow { .. }));
}

#[test]
fn statuses_of_http_are_told_apart() {
    let delivery = |status| judge(&answer(status, "{}")).delivery;
    for (status, reason) in [(429, "throttled"), (503, "overloaded")] {
        assert_eq!(
            delivery(status),
            Delivery::NotNow {
                retry_after: None,
                reason
            }
        );
    }
    for status in [400, 401, 402, 403, 404, 420, 301, 302] {
        assert!(matches!(delivery(status), Delivery::Refused { .. }), "{status}");
    }
    for status in [408, 500, 502, 504, 599] {
        assert_eq!(delivery(status), Delivery::Unknown, "{status}");
    }
    let mut busy = answer(503, "");
    busy.headers_mut().insert(RETRY_AFTER, "7".parse().unwrap());
    let wait = Some(Lifetime::from_secs(7));
    assert_eq!(
        judge(&busy).delivery,
        Delivery::NotNow {
            retry_after: wait,
            reason: "overloaded"
        }
    );
}

#[test]
fn an_answer_that_says_nothing_leaves_it_open() {
    for body in [
        "",
        "<html>Bad gateway</html>",
        "[]",
        "{}",
        "null",
        r#"{"message-count":"0","messages":[]}"#,
        r#"{"message-count":"2","messages":[{"status":"0"}]}"#,
        r#"{"message-count":"1","messages":[{"status":"yes"}]}"#,
        r#"{"message-count":"1","messages":[{"status":-1}]}"#,
        r#"{"message-count":"1","messages":[{}]}"#,
    ] {
        assert_eq!(
            judge(&answer(200, body)),
            Verdict {
                delivery: Delivery::Unknown,
                alarm: None
            },
            "{body}"
        );
    }
    let bare = r#"{"message-count":1,"messages":[{"status":0}]}"#;
    assert_eq!(
        judge(&answer(200, bare)).delivery,
        Delivery::Sent,
        "numbers may stand without quotes"
    );
    assert_eq!(judge(&answer(202, bare)).delivery, Delivery::Sent);
}
