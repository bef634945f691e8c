use domain::ports::{ProviderError, ProviderFault};
use uppsala::{Document, NodeId, NodeKind};

/// An element, with nothing said about who wrote it: good for looking at the shape of a document, and for documents that the
/// operator vouches for. Whoever somebody is, is read from [`Verified`](crate::signature::Verified) alone.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    document: &'t Document<'static>,
    id: NodeId,
}

/// An element that may be there once is there several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubled(pub &'static str);

impl From<Doubled> for ProviderError {
    fn from(Doubled(name): Doubled) -> Self {
        Self::refused(
            ProviderFault::SamlMalformed,
            format!("there are several {name} in one place"),
        )
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.id == other.id
    }
}

impl<'t> Node<'t> {
    pub(super) const fn new(document: &'t Document<'static>, id: NodeId) -> Self {
        Self { document, id }
    }

    /// Its place in the tree.
    pub const fn id(self) -> NodeId {
        self.id
    }

    /// Whether it has that name in that namespace.
    pub fn is(self, namespace: &str, local: &str) -> bool {
        let element = self.document.element(self.id);
        element.is_some_and(|element| element.matches_name_ns(namespace, local))
    }

    /// Whether it has that name, in whatever namespace.
    pub fn is_called(self, local: &str) -> bool {
        let element = self.document.element(self.id);
        element.is_some_and(|element| *element.name.local_name == *local)
    }

    /// The value of an attribute that stands in no namespace.
    pub fn attribute(self, name: &str) -> Option<&'t str> {
        let attributes = &self.document.element(self.id)?.attributes;
        let mut named = attributes.iter().filter(|attribute| {
            attribute.name.namespace_uri.is_none() && *attribute.name.local_name == *name
        });
        named.next().map(|attribute| attribute.value.as_ref())
    }

    /// Whether all its attributes are among these, in no namespace.
    pub fn has_only_attributes(self, names: &[&str]) -> bool {
        let element = self.document.element(self.id);
        element.is_some_and(|element| {
            element.attributes.iter().all(|attribute| {
                attribute.name.namespace_uri.is_none() && names.contains(&attribute.name.local_name.as_ref())
            })
        })
    }

    /// The elements directly in it.
    pub fn elements(self) -> impl Iterator<Item = Self> + use<'t> {
        let document = self.document;
        let children = document.children_iter(self.id);
        children
            .filter(move |id| document.element(*id).is_some())
            .map(move |id| Self::new(document, id))
    }

    /// The elements of a name directly in it.
    pub fn all(self, namespace: &'static str, local: &'static str) -> impl Iterator<Item = Self> + use<'t> {
        self.elements().filter(move |node| node.is(namespace, local))
    }

    /// The one element of a name directly in it; none where there is none.
    pub fn only(self, namespace: &'static str, local: &'static str) -> Result<Option<Self>, Doubled> {
        let mut found = self.all(namespace, local);
        let first = found.next();
        if found.next().is_some() {
            return Err(Doubled(local));
        }
        Ok(first)
    }

    /// All elements below it, at whatever depth.
    pub fn below(self) -> impl Iterator<Item = Self> + use<'t> {
        let document = self.document;
        let all = document.descendants(self.id).into_iter();
        all.filter(move |id| document.element(*id).is_some())
            .map(move |id| Self::new(document, id))
    }

    /// Whether it stands directly in `parent`.
    pub fn is_child_of(self, parent: Self) -> bool {
        std::ptr::eq(self.document, parent.document) && self.document.parent(self.id) == Some(parent.id)
    }

    /// The text of it and of everything below it, joined over comments and sections: what canonicalization signs.
    pub fn text(self) -> String {
        self.document.text_content_deep(self.id)
    }

    /// Its text, where it holds one plain text and nothing else: no element, no comment, no section.
    pub fn plain_text(self) -> Option<&'t str> {
        let mut children = self.document.children_iter(self.id);
        let first = children.next()?;
        match (self.document.node_kind(first), children.next()) {
            (Some(NodeKind::Text(text)), None) => Some(text.as_ref()),
            _ => None,
        }
    }

    /// Whether it holds elements and white space, and nothing else, all the way down to texts.
    pub fn is_plain(self) -> bool {
        let below = self.document.descendants(self.id);
        below.into_iter().all(|id| {
            matches!(
                self.document.node_kind(id),
                Some(NodeKind::Element(_) | NodeKind::Text(_))
            )
        })
    }

    /// Whether there is no text directly in it but white space.
    pub fn has_no_own_text(self) -> bool {
        let mut children = self.document.children_iter(self.id);
        children.all(|id| match self.document.node_kind(id) {
            Some(NodeKind::Text(text)) => text.chars().all(|letter| letter.is_ascii_whitespace()),
            kind => matches!(kind, Some(NodeKind::Element(_))),
        })
    }
}
