//! What may be believed. A [`Verified`] is made in this file alone, and only where a signature by a pinned key held.

use bergshamra::dsig::verify::verify_all_document;
use bergshamra::{DsigContext, VerifyResult};
use domain::ports::{ProviderError, ProviderFault};

use super::{DetachedProof, Signed};
use crate::keys::TrustedKeys;
use crate::xml::{DSIG, Doubled, Node, Tree};

/// An element that a verified signature covers, with everything below it but signatures.
///
/// There is no way up from it and none aside: what is read through it, is what was signed.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'t>(Node<'t>);

impl<'t> Verified<'t> {
    /// What was decrypted from ciphertext that is itself covered.
    pub fn decrypted_from(_ciphertext: Verified<'_>, plain: &'t Tree) -> Self {
        Self(plain.root())
    }

    /// What came with a signature beside it: the whole document.
    pub fn whole(tree: &'t Tree, _proof: &DetachedProof) -> Self {
        Self(tree.root())
    }

    /// Whether it has that name in that namespace.
    pub fn is(self, namespace: &str, local: &str) -> bool {
        self.0.is(namespace, local)
    }

    /// The value of an attribute that stands in no namespace.
    pub fn attribute(self, name: &str) -> Option<&'t str> {
        self.0.attribute(name)
    }

    /// The elements directly in it. Signatures are left out: they do not cover themselves.
    pub fn elements(self) -> impl Iterator<Item = Self> + use<'t> {
        self.0
            .elements()
            .filter(|node| !node.is(DSIG, "Signature"))
            .map(Self)
    }

    /// The elements of a name directly in it.
    pub fn all(self, namespace: &'static str, local: &'static str) -> impl Iterator<Item = Self> + use<'t> {
        self.elements().filter(move |part| part.is(namespace, local))
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

    /// The text of it and of everything below it, joined over comments and sections as canonicalization joins it.
    pub fn text(self) -> String {
        self.0.text()
    }
}

/// The signatures of a document, all of which held.
#[derive(Debug)]
pub struct Proofs<'t>(Vec<Node<'t>>);

impl<'t> Proofs<'t> {
    /// The element, if one of the signatures covers exactly it.
    pub fn of(&self, node: Node<'t>) -> Option<Verified<'t>> {
        self.0.contains(&node).then_some(Verified(node))
    }
}

/// Verifies every signature of a document; one that does not hold is refused, whatever the others say.
pub fn verify<'t>(
    tree: &'t Tree,
    signed: &[Signed<'t>],
    keys: &TrustedKeys,
) -> Result<Proofs<'t>, ProviderError> {
    if signed.is_empty() {
        return Ok(Proofs(Vec::new()));
    }
    let wrong = |detail: &str| ProviderError::refused(ProviderFault::SamlSignature, detail);
    let mut context = DsigContext::new(keys.manager());
    context.trusted_keys_only = true;
    context.strict_verification = true;
    context.require_reference_digests = true;
    let results = verify_all_document(&context, tree.document());
    let results = results.map_err(|_| wrong("the signatures cannot be verified"))?;
    if results.len() != signed.len() {
        return Err(wrong("there is a signature nobody expected"));
    }
    for expected in signed {
        let holds = results.iter().any(|result| covers(result, expected));
        if !holds {
            return Err(wrong("a signature does not hold, or is by another key"));
        }
    }
    Ok(Proofs(signed.iter().map(|signed| signed.target).collect()))
}

/// Whether a signature held, is the one that was looked at, and covers the very element it stands in.
fn covers(result: &VerifyResult, expected: &Signed<'_>) -> bool {
    let VerifyResult::Valid {
        signature_node,
        references,
        ..
    } = result
    else {
        return false;
    };
    let [reference] = references.as_slice() else {
        return false;
    };
    *signature_node == expected.signature.id()
        && reference.digest_verified
        && reference.resolved_node == Some(expected.target.id())
}
