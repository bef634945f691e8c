//! Documents that are no documents, and those that cost more than they are worth. All through the port, as they would come.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ports::IdentityProvider as _;
use domain::ports::ProviderFault::SamlMalformed;
use std::time::{Duration, Instant};

use crate::support::{answer, config, fault, fault_of, provider, signed, with};

#[tokio::test]
async fn any_dtd_is_refused() {
    let internal = "<!DOCTYPE r [<!ENTITY x \"admin\">]>";
    let external = "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let parameter = "<!DOCTYPE r [<!ENTITY % x SYSTEM \"http://127.0.0.1:9/x\"> %x;]>";
    let mut laughs = "<!DOCTYPE r [<!ENTITY l0 \"lol\">".to_owned();
    for level in 1..10 {
        let below = format!("&l{};", level - 1).repeat(10);
        laughs = format!("{laughs}<!ENTITY l{level} \"{below}\">");
    }
    laughs.push_str("]>");
    for dtd in ["<!DOCTYPE r>", internal, external, parameter, &laughs] {
        assert_eq!(
            fault(&format!("{dtd}{}", signed())).await,
            SamlMalformed,
            "{dtd:.60}"
        );
    }
    let named = with(&signed(), "ann@example.com", "&x;");
    assert_eq!(fault(&format!("{internal}{named}")).await, SamlMalformed);
    assert_eq!(fault(&named).await, SamlMalformed);
}

#[tokio::test]
async fn what_is_too_deep_or_too_large_is_refused() {
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    assert_eq!(fault(&deep).await, SamlMalformed);
    let within = with(&signed(), "<saml:Subject>", &format!("<saml:Subject>{deep}"));
    assert_eq!(fault(&within).await, SamlMalformed);
    assert_eq!(
        fault(&format!("{}{}", signed(), " ".repeat(400_000))).await,
        SamlMalformed
    );
    let mut huge = answer("");
    huge.params[0].1 = "QUFB".repeat(13_000_000);
    assert_eq!(fault_of(provider(config()).complete(&huge).await), SamlMalformed);
}

#[tokio::test]
async fn what_is_no_xml_is_refused() {
    for text in [
        "",
        "<",
        "<a",
        "null",
        "{}",
        "\u{feff}",
        "<a></b>",
        "<a b='1' b='2'/>",
        "<x:a/>",
    ] {
        assert_eq!(fault(text).await, SamlMalformed, "{text}");
    }
    for text in ["", "*", "AAA", "AA==A", "////", "PGEvPg"] {
        let mut odd = answer("");
        odd.params[0].1 = text.to_owned();
        assert_eq!(
            fault_of(provider(config()).complete(&odd).await),
            SamlMalformed,
            "{text}"
        );
    }
    // UTF-16 is not guessed at.
    let wide: Vec<u8> = signed().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut utf16 = answer("");
    utf16.params[0].1 = STANDARD.encode(wide);
    assert_eq!(fault_of(provider(config()).complete(&utf16).await), SamlMalformed);
}

#[tokio::test]
async fn white_space_in_base64_is_what_forms_make_of_it() {
    let mut folded = answer("");
    let text = STANDARD.encode(signed());
    let lines: Vec<String> = text
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    folded.params[0].1 = lines.join("\r\n");
    assert!(provider(config()).complete(&folded).await.is_ok());
}

/// Digests are computed before anybody knows whether the signature holds: what that costs is bounded by what is parsed.
#[tokio::test]
async fn the_dearest_document_is_judged_in_time() {
    let declared: Vec<String> = (0..120).map(|number| format!(" xmlns:n{number}='u'")).collect();
    let declared = declared.concat();
    let open: String = format!("<x{declared}>").repeat(8);
    let many = format!("{open}{}{}", "<n1:a/>".repeat(7_000), "</x>".repeat(8));
    let dear = with(&signed(), "<saml:Subject>", &format!("<saml:Subject>{many}"));
    let begun = Instant::now();
    assert_eq!(fault(&dear).await, SamlMalformed);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
