//! What a signature must look like before anything computes with it: nothing unexpected is ever handed on.

use domain::ports::{ProviderError, ProviderFault};

use super::algorithms::{is_allowed_digest, is_allowed_signature};
use crate::xml::{DSIG, ENVELOPED, EXC_C14N, EXC_C14N_COMMENTS, Node, Tree};

/// Most prefixes in a list: canonicalization looks at each of them at every element. Providers name one or two.
const MOST_PREFIXES: usize = 32;

/// A signature that looks as it must, and the element that it stands in and speaks of.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'t> {
    /// The `Signature` element.
    pub signature: Node<'t>,
    /// What it covers, if it holds.
    pub target: Node<'t>,
}

/// All signatures of a document. Each must stand directly in one of the `targets`, one in each at most.
pub fn signatures_of<'t>(tree: &'t Tree, targets: &[Node<'t>]) -> Result<Vec<Signed<'t>>, ProviderError> {
    let root = tree.root();
    let mut found: Vec<Signed<'t>> = Vec::new();
    if root.is_called("Signature") {
        return Err(wrong("the document is a signature"));
    }
    for signature in root.below().filter(|node| node.is_called("Signature")) {
        let mut parents = targets.iter().filter(|target| signature.is_child_of(**target));
        let target = parents.next().filter(|_| signature.is(DSIG, "Signature"));
        let target = *target.ok_or_else(|| wrong("a signature stands where none may be"))?;
        if found.iter().any(|other| other.target == target) {
            return Err(wrong("an element has two signatures"));
        }
        judge(signature, target)?;
        found.push(Signed { signature, target });
    }
    Ok(found)
}

fn wrong(detail: &'static str) -> ProviderError {
    ProviderError::refused(ProviderFault::SamlSignature, detail)
}

fn forbidden(detail: &'static str) -> ProviderError {
    ProviderError::refused(ProviderFault::SamlAlgorithm, detail)
}

/// `Signature`: one `SignedInfo`, one `SignatureValue`, perhaps a `KeyInfo`, which nobody reads. No `Object`, and no comment
/// anywhere: what canonicalization drops must not part what two readers see.
fn judge(signature: Node<'_>, target: Node<'_>) -> Result<(), ProviderError> {
    if !signature.is_plain() || !signature.has_no_own_text() || !signature.has_only_attributes(&["Id"]) {
        return Err(wrong("the signature holds more than a signature does"));
    }
    let mut parts = signature.elements();
    let (info, value, keys, more) = (parts.next(), parts.next(), parts.next(), parts.next());
    let info = info.filter(|node| node.is(DSIG, "SignedInfo"));
    let info = info.ok_or_else(|| wrong("the signature has no SignedInfo in front"))?;
    let value = value.filter(|node| node.is(DSIG, "SignatureValue") && node.has_only_attributes(&["Id"]));
    let sound = value.and_then(Node::plain_text).is_some_and(is_base64);
    if !sound {
        return Err(wrong("the signature has no plain SignatureValue"));
    }
    if keys.is_some_and(|node| !node.is(DSIG, "KeyInfo")) || more.is_some() {
        return Err(wrong("the signature holds more than a signature does"));
    }
    judge_info(info, target)
}

/// `SignedInfo`: canonicalization, method, one reference, in this order.
fn judge_info(info: Node<'_>, target: Node<'_>) -> Result<(), ProviderError> {
    if !info.has_no_own_text() || !info.has_only_attributes(&["Id"]) {
        return Err(wrong("SignedInfo holds more than it may"));
    }
    let mut parts = info.elements();
    let canonicalization = parts
        .next()
        .filter(|node| node.is(DSIG, "CanonicalizationMethod"));
    let method = parts.next().filter(|node| node.is(DSIG, "SignatureMethod"));
    let reference = parts.next().filter(|node| node.is(DSIG, "Reference"));
    let (Some(canonicalization), Some(method), Some(reference), None) =
        (canonicalization, method, reference, parts.next())
    else {
        return Err(wrong("SignedInfo does not hold its three parts, each once"));
    };
    judge_canonicalization(canonicalization)?;
    let algorithm = algorithm_of(method).filter(|_| method.elements().next().is_none());
    if !algorithm.is_some_and(is_allowed_signature) {
        return Err(forbidden("signed by an algorithm that is not allowed"));
    }
    judge_reference(reference, target)
}

fn algorithm_of(node: Node<'_>) -> Option<&str> {
    let only = node.has_only_attributes(&["Algorithm"]) && node.has_no_own_text();
    node.attribute("Algorithm").filter(|_| only)
}

/// Exclusive canonicalization, with at most a list of prefixes.
fn judge_canonicalization(node: Node<'_>) -> Result<(), ProviderError> {
    let exclusive = |uri: &str| uri == EXC_C14N || uri == EXC_C14N_COMMENTS;
    if !algorithm_of(node).is_some_and(exclusive) {
        return Err(forbidden("canonicalized by something else than exclusive C14N"));
    }
    let mut below = node.elements();
    let prefixes = below.next();
    let sound = prefixes.is_none_or(|prefixes| {
        let empty = prefixes.elements().next().is_none() && prefixes.has_no_own_text();
        let listed = prefixes.attribute("PrefixList").unwrap_or_default();
        // Parted as bergshamra parts it: at whatever Unicode calls white space.
        let short = listed.split_whitespace().count() <= MOST_PREFIXES;
        let named = prefixes.is(EXC_C14N, "InclusiveNamespaces");
        named && prefixes.has_only_attributes(&["PrefixList"]) && empty && short
    });
    if !sound || below.next().is_some() {
        return Err(forbidden("exclusive C14N has a parameter that is not allowed"));
    }
    Ok(())
}

/// `Reference`: of the element that the signature stands in, by its own ID.
fn judge_reference(reference: Node<'_>, target: Node<'_>) -> Result<(), ProviderError> {
    let uri = reference
        .attribute("URI")
        .filter(|_| reference.has_only_attributes(&["URI"]));
    let named = uri.and_then(|uri| uri.strip_prefix('#'));
    let own = target.attribute("ID").filter(|id| is_ncname(id));
    if own.is_none() || named != own {
        return Err(wrong("the signature is not over the element it stands in"));
    }
    let mut parts = reference.elements();
    let transforms = parts.next().filter(|node| node.is(DSIG, "Transforms"));
    let method = parts.next().filter(|node| node.is(DSIG, "DigestMethod"));
    let value = parts.next().filter(|node| node.is(DSIG, "DigestValue"));
    let (Some(transforms), Some(method), Some(value), None) = (transforms, method, value, parts.next())
    else {
        return Err(wrong("the reference does not hold its three parts, each once"));
    };
    if !reference.has_no_own_text() {
        return Err(wrong("the reference holds more than it may"));
    }
    judge_transforms(transforms)?;
    let digest = algorithm_of(method).filter(|_| method.elements().next().is_none());
    if !digest.is_some_and(is_allowed_digest) {
        return Err(forbidden("digested by an algorithm that is not allowed"));
    }
    let sound = value.has_only_attributes(&[]) && value.plain_text().is_some_and(is_base64);
    if !sound {
        return Err(wrong("the reference has no plain DigestValue"));
    }
    Ok(())
}

/// The signature itself is left out, and exclusive canonicalization follows: nothing else (SAML Core section 5.4.4). Without it the
/// element would be canonicalized with what stands around it.
fn judge_transforms(transforms: Node<'_>) -> Result<(), ProviderError> {
    if !transforms.has_no_own_text() || !transforms.has_only_attributes(&[]) {
        return Err(wrong("Transforms holds more than it may"));
    }
    let mut each = transforms.elements();
    let enveloped = each.next().filter(|node| {
        let bare = node.elements().next().is_none();
        node.is(DSIG, "Transform") && bare && algorithm_of(*node) == Some(ENVELOPED)
    });
    if enveloped.is_none() {
        return Err(forbidden("the first transform is not the enveloped signature"));
    }
    let second = each.next().filter(|node| node.is(DSIG, "Transform"));
    judge_canonicalization(second.ok_or_else(|| forbidden("exclusive C14N does not follow"))?)?;
    if each.next().is_some() {
        return Err(forbidden("there are too many transforms"));
    }
    Ok(())
}

/// A name without a colon, in ASCII: what IDs are everywhere, and what no URI or XPath is.
pub fn is_ncname(id: &str) -> bool {
    let mut letters = id.bytes();
    let first = letters.next();
    first.is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && id.len() <= 256
        && letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

fn is_base64(text: &str) -> bool {
    let sound = |byte: u8| {
        byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || matches!(byte, b'+' | b'/' | b'=')
    };
    text.bytes().any(|byte| byte.is_ascii_alphanumeric()) && text.bytes().all(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_plain_name() {
        for good in ["_a1", "id-1.2", "A"] {
            assert!(is_ncname(good), "{good}");
        }
        for bad in [
            "",
            "1a",
            "a b",
            "xpointer(/)",
            "a:b",
            "é",
            "#a",
            "xpointer(id('a'))",
        ] {
            assert!(!is_ncname(bad), "{bad}");
        }
    }
}
