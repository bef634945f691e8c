//! The readers of outside bytes, as a fuzzer calls them: each takes anything, and neither panics nor takes long.

use crate::keys::TrustedKeys;
use crate::metadata::read_metadata;
use crate::signature::{signatures_of, verify_query};
use crate::wire;
use crate::xml::{MESSAGE, Tree};

/// A metadata document.
pub fn metadata(text: &str) -> bool {
    read_metadata(text, None, &TrustedKeys::default()).is_ok()
}

/// A query of the Redirect binding.
pub fn query(text: &str) -> bool {
    verify_query(text, &TrustedKeys::default()).is_ok()
}

/// A message, as it comes in a form and in an address, up to where its signature would be computed.
pub fn message(text: &str) -> bool {
    let posted = wire::from_post(text).is_ok_and(|xml| document(&xml));
    let redirected = wire::from_redirect(text).is_ok_and(|xml| document(&xml));
    posted || redirected
}

/// A message's XML.
pub fn document(xml: &str) -> bool {
    let Ok(tree) = Tree::parse(xml, &MESSAGE) else {
        return false;
    };
    let root = tree.root();
    let targets: Vec<_> = [root].into_iter().chain(root.elements()).collect();
    signatures_of(&tree, &targets).is_ok()
}
