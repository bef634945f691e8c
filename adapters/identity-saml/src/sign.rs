use bergshamra::{DsigContext, KeysManager};
use domain::ports::ProviderError;

use crate::signature::digest_uri;
use crate::wire::{Signer, cannot_sign};
use crate::xml::{DSIG, ENVELOPED, EXC_C14N, MESSAGE, Tree, escape};

/// A message of ours with its signature behind the issuer, where the schemas want it.
pub fn enveloped(xml: &str, signer: Signer<'_>) -> Result<String, ProviderError> {
    let tree = Tree::parse(xml, &MESSAGE).map_err(|_| cannot_sign())?;
    let id = tree.root().attribute("ID").ok_or_else(cannot_sign)?;
    let template = template(id, signer);
    let behind = "</saml:Issuer>";
    let (head, tail) = xml.split_once(behind).ok_or_else(cannot_sign)?;
    let unsigned = format!("{head}{behind}{template}{tail}");
    let mut keys = KeysManager::new();
    keys.add_key(signer.key.key().clone());
    bergshamra::sign(&DsigContext::new(keys), &unsigned).map_err(|_| cannot_sign())
}

fn template(id: &str, signer: Signer<'_>) -> String {
    let (id, method) = (escape(id), signer.key.algorithm(signer.signature));
    let digest = digest_uri(signer.digest);
    format!(
        "<ds:Signature xmlns:ds=\"{DSIG}\"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{EXC_C14N}\"/>\
         <ds:SignatureMethod Algorithm=\"{method}\"/><ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{ENVELOPED}\"/><ds:Transform Algorithm=\"{EXC_C14N}\"/></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{digest}\"/><ds:DigestValue></ds:DigestValue></ds:Reference></ds:SignedInfo>\
         <ds:SignatureValue></ds:SignatureValue></ds:Signature>"
    )
}
