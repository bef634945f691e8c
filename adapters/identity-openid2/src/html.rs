//! What the head of an HTML page says (section 7.3.3, Yadis 1.0 section 6.2.5).

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

/// As much of a page as is looked at, in bytes: the head stands at its beginning.
const LOOKED_AT: usize = 128 * 1024;

/// Longest address taken from a page, in bytes.
const LONGEST: usize = 2048;

/// What the head says, as far as it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `link rel="openid2.provider"`.
    pub provider: Option<String>,
    /// `link rel="openid2.local_id"`.
    pub local_id: Option<String>,
    /// `meta http-equiv="X-XRDS-Location"`.
    pub xrds_location: Option<String>,
}

/// Elements of the head that hold text.
const TEXTUAL: [&[u8]; 4] = [b"title", b"style", b"script", b"noscript"];

/// Elements of the head that are empty, and the two around it.
const PLAIN: [&[u8]; 5] = [b"html", b"head", b"meta", b"link", b"base"];

/// Reads the head as a browser's tokenizer would: comments, scripts and texts are none of its elements. At the first thing that
/// does not belong there the head is over, because from there on a page shows what its readers wrote. Of each thing the first counts.
pub fn head(page: &[u8]) -> Head {
    let mut found = Head::default();
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let beginning = page.get(..LOOKED_AT).unwrap_or(page);
    let mut within: Option<Vec<u8>> = None;
    for token in Tokenizer::new_with_emitter(beginning, emitter) {
        let Ok(token) = token;
        match (&within, token) {
            (Some(name), Token::EndTag(tag)) if *tag.name == *name => within = None,
            (Some(_), _) | (None, Token::Comment(_) | Token::Doctype(_) | Token::Error(_)) => {}
            (None, Token::StartTag(tag)) if TEXTUAL.contains(&tag.name.as_slice()) => {
                within = Some(tag.name.to_vec());
            }
            (None, Token::StartTag(tag)) if PLAIN.contains(&tag.name.as_slice()) => note(&mut found, &tag),
            (None, Token::String(text)) if text.value.iter().all(u8::is_ascii_whitespace) => {}
            (None, Token::String(_) | Token::StartTag(_) | Token::EndTag(_)) => break,
        }
    }
    found
}

fn note(found: &mut Head, tag: &StartTag<()>) {
    if tag.name.as_slice() == b"link" {
        let relations = attribute(tag, b"rel").unwrap_or_default();
        for relation in relations.split_ascii_whitespace() {
            if relation.eq_ignore_ascii_case("openid2.provider") {
                keep(&mut found.provider, attribute(tag, b"href"));
            } else if relation.eq_ignore_ascii_case("openid2.local_id") {
                keep(&mut found.local_id, attribute(tag, b"href"));
            }
        }
    } else if tag.name.as_slice() == b"meta" {
        let header = attribute(tag, b"http-equiv").unwrap_or_default();
        if header.eq_ignore_ascii_case("X-XRDS-Location") {
            keep(&mut found.xrds_location, attribute(tag, b"content"));
        }
    }
}

fn keep(place: &mut Option<String>, value: Option<&str>) {
    let value = value
        .map(str::trim)
        .filter(|value| !value.is_empty() && value.len() <= LONGEST);
    if place.is_none() {
        *place = value.map(str::to_owned);
    }
}

fn attribute<'a>(tag: &'a StartTag<()>, name: &[u8]) -> Option<&'a str> {
    let (_, value) = tag
        .attributes
        .iter()
        .find(|(given, _)| given.as_slice() == name)?;
    std::str::from_utf8(value.value.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINK: &str = r#"<link rel="openid2.provider" href="https://evil.example/">"#;

    fn provider(page: &str) -> Option<String> {
        head(page.as_bytes()).provider
    }

    #[test]
    fn the_head_names_provider_local_name_and_document() {
        let page = r#"<!DOCTYPE html><!-- a --><HTML lang=en>
            <head><meta charset="utf-8"><title>Ann <link rel="openid2.provider" href="https://evil.example/"></title>
            <script>let a = "</head>";</script><style>a{}</style><noscript><link rel="openid2.provider" href="https://evil.example/"></noscript>
            <meta HTTP-EQUIV="x-xrds-location" content=" https://ann.example/xrds ">
            <LINK REL='openid.server  OpenID2.Provider' HREF='https://op.example/?a=b&amp;c=d'><link rel=openid2.local_id href=https://op.example/ann>
            <link rel="openid2.provider" href="https://second.example/"></head><body></body></html>"#;
        let found = head(page.as_bytes());
        assert_eq!(found.provider.as_deref(), Some("https://op.example/?a=b&c=d"));
        assert_eq!(found.local_id.as_deref(), Some("https://op.example/ann"));
        assert_eq!(found.xrds_location.as_deref(), Some("https://ann.example/xrds"));
    }

    #[test]
    fn what_only_looks_like_a_link_of_the_head_is_none() {
        for page in [
            format!("<head><!-- {LINK} --></head>"),
            format!("<head></head><body>{LINK}"),
            format!("<head></head>{LINK}"),
            format!("<body>{LINK}"),
            format!("<p>{LINK}"),
            format!("Hello {LINK}"),
            format!("<head><script>document.write('{LINK}')</script>"),
            format!("<head><script/>{LINK}"),
            format!("<head><script><!--<script>{LINK}</script>{LINK}"),
            format!("<head><title>{LINK}</title>"),
            format!("<head><style>{LINK}</style>"),
            format!("<head><noscript>{LINK}</noscript>"),
            format!("<head><template>{LINK}</template>"),
            format!("<head><template></template>{LINK}"),
            format!("<head><textarea>{LINK}</textarea>"),
            format!("<head><iframe>{LINK}</iframe>"),
            format!("<head><noframes>{LINK}</noframes>"),
            format!("<head><plaintext>{LINK}"),
            format!("<head><svg>{LINK}</svg>"),
            format!("<head><meta content='{}'>", LINK.replace('\'', "")),
            "<head><link rel=\"openid.server\" href=\"https://evil.example/\">".to_owned(),
            "<head><link rel=\"xopenid2.provider\" href=\"https://evil.example/\">".to_owned(),
            "<head><link rel=\"openid2.provider\">".to_owned(),
            "<head><link rel=\"a\" rel=\"openid2.provider\" href=\"https://evil.example/\">".to_owned(),
        ] {
            assert_eq!(provider(&page), None, "{page}");
        }
    }

    #[test]
    fn what_stands_too_far_down_is_not_looked_at() {
        let padding = |size: usize| format!("<head><!--{}-->{LINK}", "a".repeat(size));
        assert!(provider(&padding(LOOKED_AT / 2)).is_some());
        assert_eq!(provider(&padding(LOOKED_AT)), None);
        assert_eq!(
            provider(&format!(
                "<link rel=openid2.provider href=https://{}/>",
                "a".repeat(LONGEST)
            )),
            None
        );
        assert_eq!(
            head(b"<link rel=openid2.provider href=https://\xff\xfe/>").local_id,
            None
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            head(&bytes);
        }

        #[test]
        fn pieces_of_pages_in_any_order_are_read(pieces in prop::collection::vec(prop::sample::select(vec![
            "<", ">", "</", "<!--", "-->", "<head>", "</head>", "<script>", "</script>", "<title>", "</title>", "\"", "'", "=",
            "<link rel=openid2.provider href=https://a/>", "<body>", "&amp;", "&#0;", "<![CDATA[", "]]>", "\0", "é", " ", "<meta ",
        ]), 0..60)) {
            head(pieces.concat().as_bytes());
        }

        #[test]
        fn nothing_after_the_body_began_counts(text in "[^<&]{1,40}") {
            prop_assume!(!text.trim_ascii().is_empty());
            prop_assert_eq!(provider(&format!("<body>{text}{LINK}")), None);
            prop_assert_eq!(provider(&format!("<head></head>{text}{LINK}")), None);
        }
    }
}
