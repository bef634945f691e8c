use std::collections::HashMap;

use uppsala::{Document, NodeId, NodeKind, Parser};

use super::Node;

/// How much of a document is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Markup of any kind: tags, comments, sections.
    pub tags: usize,
    /// Elements within one another.
    pub depth: u32,
    /// Namespace declarations. Some providers (Keycloak, Okta) repeat two of them at every value of an attribute.
    pub declarations: usize,
    /// Namespace declarations in scope at an element, of all elements together: canonicalization looks at each of them.
    pub scopes: usize,
}

/// Attributes of one element.
const ATTRIBUTES: usize = 128;

/// A message of the protocol, after base64 and inflation: somebody in two thousand groups brings 300 KB.
pub const MESSAGE: Limits = Limits {
    bytes: 384 * 1024,
    tags: 8 * 1024,
    depth: 32,
    declarations: 8 * 1024,
    scopes: 64 * 1024,
};

/// A metadata document.
pub const METADATA: Limits = Limits {
    bytes: 1024 * 1024,
    tags: 32 * 1024,
    depth: 32,
    declarations: 4096,
    scopes: 256 * 1024,
};

/// Why a document is not read; says nothing of what was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeFault(pub &'static str);

/// The attributes that XML Signature resolves references by. bergshamra looks at them by local name alone.
const ID_NAMES: [&str; 4] = ["ID", "Id", "id", "AssertionID"];

/// A parsed document: the only tree there is of it. The signature is verified on this one, and this one is read.
#[derive(Debug)]
pub struct Tree {
    document: Document<'static>,
    root: NodeId,
}

impl Tree {
    /// Parses once, without any DTD.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, TreeFault> {
        scan(text, limits)?;
        let parser = Parser::new()
            .with_forbid_dtd(true)
            .with_forbid_entities(true)
            .with_max_entity_expansion(0)
            .with_max_depth(limits.depth);
        let document = parser.parse(text);
        let document = document.map_err(|_| TreeFault("it is no well-formed XML"))?;
        let declared = document.xml_declaration.as_ref();
        let encoding = declared.and_then(|declared| declared.encoding.as_deref());
        if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("utf-8")) {
            return Err(TreeFault("it is in another encoding than UTF-8"));
        }
        let root = document.document_element();
        let root = root.ok_or(TreeFault("there is no element in it"))?;
        let tree = Self {
            document: document.into_static(),
            root,
        };
        tree.judge_nodes()?;
        tree.judge_scopes(limits.scopes)?;
        Ok(tree)
    }

    /// The document element.
    pub fn root(&self) -> Node<'_> {
        Node::new(&self.document, self.root)
    }

    /// The tree as bergshamra takes it.
    pub const fn document(&self) -> &Document<'static> {
        &self.document
    }

    /// No processing instructions, no ID twice, no ID in disguise.
    fn judge_nodes(&self) -> Result<(), TreeFault> {
        let mut ids: Vec<&str> = Vec::new();
        for id in self.document.descendants(self.document.root()) {
            match self.document.node_kind(id) {
                Some(NodeKind::ProcessingInstruction(_)) => {
                    return Err(TreeFault("there is a processing instruction in it"));
                }
                Some(NodeKind::Element(element)) => {
                    for attribute in &element.attributes {
                        let local = attribute.name.local_name.as_ref();
                        if !ID_NAMES.contains(&local) {
                            continue;
                        }
                        if attribute.name.namespace_uri.is_some() {
                            return Err(TreeFault("an ID stands in a namespace"));
                        }
                        ids.push(attribute.value.as_ref());
                    }
                }
                _ => {}
            }
        }
        ids.sort_unstable();
        let doubled = ids.iter().zip(ids.iter().skip(1)).any(|(one, next)| one == next);
        if doubled {
            return Err(TreeFault("an ID is there twice"));
        }
        Ok(())
    }

    /// How many namespaces are declared where an element stands, of all elements together.
    fn judge_scopes(&self, most: usize) -> Result<(), TreeFault> {
        let mut scopes: HashMap<NodeId, usize> = HashMap::new();
        let mut sum = 0;
        // An element comes after the one it stands in.
        for id in self.document.descendants(self.document.root()) {
            let Some(element) = self.document.element(id) else {
                continue;
            };
            let around = self.document.parent(id).and_then(|parent| scopes.get(&parent));
            let scope = around.copied().unwrap_or_default() + element.namespace_declarations.len();
            scopes.insert(id, scope);
            sum += scope;
            if sum > most {
                return Err(TreeFault("it declares too many namespaces"));
            }
        }
        Ok(())
    }
}

/// Looks at the bytes before the parser does: what costs more than it is worth never gets there.
fn scan(text: &str, limits: &Limits) -> Result<(), TreeFault> {
    if text.len() > limits.bytes {
        return Err(TreeFault("it is too large"));
    }
    let mut tags = 0;
    // What stands before the first tag has no attributes; no attribute value holds a `<`.
    for piece in text.split('<').skip(1) {
        tags += 1;
        if tags > limits.tags {
            return Err(TreeFault("there is too much in it"));
        }
        if let Some(rest) = piece.strip_prefix('!')
            && !rest.starts_with("--")
            && !rest.starts_with("[CDATA[")
        {
            return Err(TreeFault("there is a DTD in it"));
        }
        if piece.bytes().filter(|byte| *byte == b'=').count() > ATTRIBUTES {
            return Err(TreeFault("an element has too many attributes"));
        }
    }
    if text.matches("xmlns").take(limits.declarations + 1).count() > limits.declarations {
        return Err(TreeFault("it declares too many namespaces"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> &'static str {
        Tree::parse(text, &MESSAGE).unwrap_err().0
    }

    #[test]
    fn a_dtd_is_refused_before_the_parser_sees_it() {
        for text in [
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
            "<a><!ENTITY b 'c'></a>",
            "<a><!doctype b></a>",
            "<a><!-- <!DOCTYPE b> --></a>",
        ] {
            assert_eq!(fault(text), "there is a DTD in it", "{text}");
        }
    }

    #[test]
    fn entities_that_nobody_declared_are_none() {
        assert_eq!(fault("<a>&b;</a>"), "it is no well-formed XML");
        let tree = Tree::parse("<a>&amp;&#x41;</a>", &MESSAGE).unwrap();
        assert_eq!(tree.root().text(), "&A");
    }

    #[test]
    fn ten_thousand_elements_within_one_another_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(4_000), "</a>".repeat(4_000));
        assert_eq!(fault(&deep), "it is no well-formed XML");
        let deeper = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
        assert_eq!(fault(&deeper), "there is too much in it");
        let unclosed = "<a>".repeat(8_000);
        assert_eq!(fault(&unclosed), "it is no well-formed XML");
    }

    #[test]
    fn many_attributes_and_namespaces_are_refused() {
        let attributes: Vec<String> = (0..200).map(|number| format!(" a{number}=''")).collect();
        let attributes = attributes.concat();
        assert_eq!(
            fault(&format!("<a{attributes}/>")),
            "an element has too many attributes"
        );
        let many = "it declares too many namespaces";
        let declared = "<b xmlns='u' xmlns:c='u'/>".repeat(5_000);
        assert_eq!(fault(&format!("<a>{declared}</a>")), many);
        // Few, and in scope everywhere.
        let declared: Vec<String> = (0..100).map(|number| format!(" xmlns:n{number}='u'")).collect();
        let wide = format!("<a{}>{}</a>", declared.concat(), "<b/>".repeat(700));
        assert_eq!(fault(&wide), many);
        // As it stands at every value that Keycloak tells.
        let values = "<b xmlns:c='u' xmlns:d='v'/>".repeat(3_000);
        assert!(Tree::parse(&format!("<a xmlns='w'>{values}</a>"), &MESSAGE).is_ok());
    }

    #[test]
    fn an_id_is_there_once_and_stands_in_no_namespace() {
        assert_eq!(fault("<a ID='x'><b Id='x'/></a>"), "an ID is there twice");
        assert_eq!(
            fault("<a ID='x'><b AssertionID='x'/></a>"),
            "an ID is there twice"
        );
        assert_eq!(fault("<a xmlns:n='u' n:ID='x'/>"), "an ID stands in a namespace");
        assert_eq!(fault("<a xml:id='x'/>"), "an ID stands in a namespace");
    }

    #[test]
    fn what_saml_never_holds_is_refused() {
        assert_eq!(fault("<a><?b c?></a>"), "there is a processing instruction in it");
        assert_eq!(
            fault("<?xml version='1.0' encoding='UTF-16'?><a/>"),
            "it is in another encoding than UTF-8"
        );
        assert_eq!(fault(""), "it is no well-formed XML");
        assert_eq!(fault("<a/><b/>"), "it is no well-formed XML");
        assert_eq!(fault(&"x".repeat(MESSAGE.bytes + 1)), "it is too large");
    }
}
