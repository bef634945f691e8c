//! Places on this site: where to go next, and links to our own pages.

/// Longest place worth returning to.
const LONGEST: usize = 1024;

/// Where people go who asked for no other place.
pub const HOME: &str = "/account";

/// Where the linked accounts stand.
pub const LINKED: &str = "/account#linked";

/// A place to return to, if it surely lies on this site. A browser reads `//host` and `/\host` as another site, drops tabs and
/// line ends first, and takes `\` for `/`; so none of these may stand in it at all.
pub fn local(text: &str) -> Option<&str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let rooted = text.starts_with('/') && !text.starts_with("//");
    (plain && rooted && text.len() <= LONGEST).then_some(text)
}

/// A link to a page of ours with these pairs; pairs without a value are left out.
pub fn url(path: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{path}{mark}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_site_is_a_place_to_return_to() {
        for good in [
            "/",
            "/account",
            "/a/b?c=d&e=%2F%2Fevil.example#f",
            "/a//b",
            "/@evil.example",
            "/?x=http://evil.example",
        ] {
            assert_eq!(local(good), Some(good));
        }
    }

    #[test]
    fn no_spelling_leads_off_this_site() {
        let long = format!("/{}", "a".repeat(LONGEST));
        let bad = [
            "",
            "account",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "/\t/evil.example",
            "\t//evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            " //evil.example",
            "/ /evil.example",
            "/\u{0}/evil.example",
            "/a\\..\\\\evil.example",
            "@evil.example",
            ".evil.example",
            "/ä",
            "/\u{2028}/evil.example",
            "/\u{ff0f}evil.example",
            &long,
        ];
        for text in bad {
            assert_eq!(local(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_link_keeps_only_what_has_a_value() {
        assert_eq!(url("/login", &[("pool", None)]), "/login");
        assert_eq!(
            url(
                "/login",
                &[("created", Some("1")), ("return_to", Some("/a?b=c&d"))]
            ),
            "/login?created=1&return_to=%2Fa%3Fb%3Dc%26d"
        );
    }
}
