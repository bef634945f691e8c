//! XRDS: the document by which an identifier says who may speak for it (Yadis 1.0, XRI Resolution 2.0).

use roxmltree::{Document, Node, ParsingOptions};

/// Longest document read, in bytes.
const LONGEST: usize = 64 * 1024;

/// Most nodes in one: elements, texts, comments.
const MOST_NODES: u32 = 4096;

/// Deepest element looked at, the root counted.
const DEEPEST: usize = 8;

const XRDS: &str = "xri://$xrds";
const XRD: &str = "xri://$xrd*($v*2.0)";

/// A provider's own identifier: the person is chosen there (section 7.3.2.1.1).
pub const SERVER: &str = "http://specs.openid.net/auth/2.0/server";

/// A person's identifier (section 7.3.2.1.2).
pub const SIGNON: &str = "http://specs.openid.net/auth/2.0/signon";

/// One `Service`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What it does.
    pub types: Vec<String>,
    /// Where, the preferred first.
    pub uris: Vec<String>,
    /// By what name the provider knows the person.
    pub local_id: Option<String>,
}

impl Service {
    /// Whether it is of that type.
    pub fn is(&self, kind: &str) -> bool {
        self.types.iter().any(|given| given == kind)
    }
}

/// The services of the final `XRD`, the preferred first. None if it is no such document: not XML in UTF-8, with a DTD, too large,
/// too deep, or of another kind.
pub fn parse(body: &[u8]) -> Option<Vec<Service>> {
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| text.len() <= LONGEST)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options).ok()?;
    let root = document.root_element();
    if !root.has_tag_name((XRDS, "XRDS")) || is_too_deep(root) {
        return None;
    }
    let last = root.children().rfind(|node| node.has_tag_name((XRD, "XRD")))?;
    let services = last.children().filter(|node| node.has_tag_name((XRD, "Service")));
    Some(by_priority(services).into_iter().map(service).collect())
}

fn is_too_deep(root: Node<'_, '_>) -> bool {
    // The document itself is an ancestor too.
    let is_deep = |node: Node<'_, '_>| node.is_element() && node.ancestors().nth(DEEPEST + 1).is_some();
    root.descendants().any(is_deep)
}

/// By the attribute `priority`: the smallest first, none last, equals in their order.
fn by_priority<'a, 'input: 'a>(nodes: impl Iterator<Item = Node<'a, 'input>>) -> Vec<Node<'a, 'input>> {
    let mut nodes: Vec<_> = nodes.collect();
    nodes.sort_by_key(|node| {
        let priority = node.attribute("priority");
        let priority = priority.and_then(|text| text.parse::<u32>().ok());
        (priority.is_none(), priority)
    });
    nodes
}

fn service(node: Node<'_, '_>) -> Service {
    let named = |name: &'static str| node.children().filter(move |node| node.has_tag_name((XRD, name)));
    Service {
        types: named("Type").filter_map(text).collect(),
        uris: by_priority(named("URI")).into_iter().filter_map(text).collect(),
        local_id: by_priority(named("LocalID")).into_iter().find_map(text),
    }
}

/// The text of an element that holds nothing else. A comment would cut it in two, and readers differ on which half counts.
fn text(node: Node<'_, '_>) -> Option<String> {
    let mut children = node.children();
    let (only, more) = (children.next()?, children.next());
    let text = only.text().filter(|_| only.is_text() && more.is_none())?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn xrds(inner: &str) -> String {
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD>{inner}</XRD></xrds:XRDS>"#
        )
    }

    fn uris(inner: &str) -> Vec<String> {
        let services = parse(xrds(inner).as_bytes()).unwrap();
        services.into_iter().flat_map(|service| service.uris).collect()
    }

    #[test]
    fn services_come_by_their_priority() {
        let inner = "<Service><URI>https://d/</URI></Service>
            <Service priority='20'><URI>https://c/</URI></Service>
            <Service priority='10'><URI priority='5'>https://b/</URI><URI priority='0'> https://a/ </URI></Service>
            <Service priority='-1'><URI>https://e/</URI></Service>";
        assert_eq!(
            uris(inner),
            [
                "https://a/",
                "https://b/",
                "https://c/",
                "https://d/",
                "https://e/"
            ]
        );
    }

    #[test]
    fn types_and_the_local_name_are_read() {
        let inner = format!(
            "<Service><Type>{SIGNON}</Type><Type>http://openid.net/signon/1.1</Type><URI>https://op/</URI><LocalID>https://op/ann</LocalID></Service>"
        );
        let services = parse(xrds(&inner).as_bytes()).unwrap();
        assert_eq!(services.len(), 1);
        assert!(services[0].is(SIGNON) && !services[0].is(SERVER));
        assert_eq!(services[0].local_id.as_deref(), Some("https://op/ann"));
    }

    #[test]
    fn only_the_final_description_counts() {
        let document = r#"<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)">
            <XRD><Service><URI>https://old/</URI></Service></XRD><XRD><Service><URI>https://new/</URI></Service></XRD></xrds:XRDS>"#;
        assert_eq!(parse(document.as_bytes()).unwrap()[0].uris, ["https://new/"]);
    }

    #[test]
    fn what_is_in_another_namespace_or_deeper_down_is_nothing() {
        let foreign = "<Service xmlns='urn:other'><URI>https://evil/</URI></Service><Extra><Service><URI>https://evil/</URI></Service></Extra>";
        assert_eq!(uris(foreign), Vec::<String>::new());
        let mixed =
            "<Service><URI>https://good<!-- x -->.evil/</URI><URI><b/>https://evil/</URI><URI/></Service>";
        assert_eq!(uris(mixed), Vec::<String>::new());
    }

    #[test]
    fn a_document_that_is_none_is_refused() {
        let good = xrds("");
        assert!(parse(good.as_bytes()).is_some());
        assert!(parse(format!("\u{feff}{good}").as_bytes()).is_some());
        let declared = good.replace(
            "<xrds:XRDS",
            "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xrds:XRDS",
        );
        let bare = good.replace("<xrds:XRDS", "<!DOCTYPE x><xrds:XRDS");
        let laughs = good.replace(
            "<xrds:XRDS",
            "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]><xrds:XRDS",
        );
        let entity = xrds("<Service><URI>&e;</URI></Service>");
        let huge = xrds(&" ".repeat(LONGEST));
        let many = xrds(&"<a/>".repeat(8000));
        let deep = xrds(&format!("{}{}", "<a>".repeat(2000), "</a>".repeat(2000)));
        let deeper = xrds(&"<a>".repeat(9000));
        let other = good.replace("xri://$xrds", "xri://$other");
        for bad in [
            &declared, &bare, &laughs, &entity, &huge, &many, &deep, &deeper, &other,
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:.200}");
        }
        assert_eq!(parse(b"\xff\xfe<\0x\0/\0>\0"), None);
        assert_eq!(parse(b"<html></html>"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn depth_is_counted_along_every_branch() {
        let nest = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(xrds(&format!("<b/>{}<b/>{}", nest(6), nest(6))).as_bytes()).is_some());
        assert!(parse(xrds(&format!("<b/>{}<b/>{}", nest(6), nest(7))).as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            parse(&bytes);
        }

        #[test]
        fn a_document_with_something_changed_is_read_or_refused(at in 0_usize..400, with in ".{0,12}") {
            let mut text = xrds(&format!("<Service priority='1'><Type>{SERVER}</Type><URI>https://op/</URI></Service>"));
            let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
            text.insert_str(at, &with);
            if let Some(services) = parse(text.as_bytes()) {
                prop_assert!(services.len() <= 2);
            }
        }
    }
}
