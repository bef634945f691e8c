//! Encrypted assertions. Only what is listed here is decrypted, and nothing is fetched, derived or followed on the way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::crypto::keytransport::{self, OaepParams};
use domain::ports::{ProviderError, ProviderFault};

use crate::keys::OwnKey;
use crate::xml::{DSIG, MESSAGE, Node, Tree, XENC, XENC11};

/// Authenticated: a change is noticed before anything is made of it.
const GCM: [&str; 3] = [
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
];

/// Not authenticated: whoever may change it and watch, reads it (padding oracles). Taken only below a signature that held.
const CBC: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
];

/// RSA-OAEP. RSA with PKCS#1 v1.5 padding is an oracle by itself.
const TRANSPORTS: [&str; 2] = [
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
    "http://www.w3.org/2009/xmlenc11#rsa-oaep",
];

/// What is inside an `EncryptedAssertion`. `covered`: whether a signature over the ciphertext held.
pub fn open(encrypted: Node<'_>, covered: bool, key: Option<&OwnKey>) -> Result<Tree, ProviderError> {
    let fault = ProviderFault::SamlDecryption;
    let key = key.ok_or_else(|| {
        ProviderError::refused(fault, "the assertion is encrypted, and decryptionPvk is missing")
    })?;
    let failed = || ProviderError::refused(fault, "the assertion cannot be decrypted");
    let data = encrypted.only(XENC, "EncryptedData")?.ok_or_else(failed)?;
    let transported = transported_key(encrypted, data)?.ok_or_else(failed)?;
    let session = unwrap_key(transported, key)?;
    let method = data.only(XENC, "EncryptionMethod")?;
    let algorithm = method
        .and_then(|method| method.attribute("Algorithm"))
        .unwrap_or_default();
    if CBC.contains(&algorithm) && !covered {
        return Err(forbidden(
            "AES-CBC is taken only in a signed response: use AES-GCM, or sign the response",
        ));
    }
    if !CBC.contains(&algorithm) && !GCM.contains(&algorithm) {
        return Err(forbidden("encrypted by an algorithm that is not allowed"));
    }
    let cipher = bergshamra::crypto::cipher::from_uri(algorithm).map_err(|_| failed())?;
    let bytes = cipher_value(data)?.ok_or_else(failed)?;
    let session = session.filter(|session| session.len() == cipher.key_size());
    let plain = session.and_then(|session| cipher.decrypt(&session, &bytes).ok());
    let plain = plain
        .and_then(|plain| String::from_utf8(plain).ok())
        .ok_or_else(failed)?;
    Tree::parse(&plain, &MESSAGE).map_err(|_| failed())
}

fn forbidden(detail: &'static str) -> ProviderError {
    ProviderError::refused(ProviderFault::SamlAlgorithm, detail)
}

/// The one `EncryptedKey`, in the data's `KeyInfo` or beside the data.
fn transported_key<'t>(encrypted: Node<'t>, data: Node<'t>) -> Result<Option<Node<'t>>, ProviderError> {
    let info = data.only(DSIG, "KeyInfo")?;
    let inside = info
        .map(|info| info.only(XENC, "EncryptedKey"))
        .transpose()?
        .flatten();
    let beside = encrypted.only(XENC, "EncryptedKey")?;
    Ok(match (inside, beside) {
        (Some(key), None) | (None, Some(key)) => Some(key),
        _ => None,
    })
}

/// The session key; none where our key does not open it.
fn unwrap_key(transported: Node<'_>, key: &OwnKey) -> Result<Option<Vec<u8>>, ProviderError> {
    let Some(method) = transported.only(XENC, "EncryptionMethod")? else {
        return Ok(None);
    };
    let algorithm = method.attribute("Algorithm").unwrap_or_default();
    if !TRANSPORTS.contains(&algorithm) {
        return Err(forbidden(
            "its key is encrypted by an algorithm that is not allowed: use RSA-OAEP",
        ));
    }
    if method.only(XENC, "OAEPparams")?.is_some() {
        return Err(forbidden("its key is encrypted with a label"));
    }
    let named = |node: Option<Node<'_>>| {
        let uri = node.and_then(|node| node.attribute("Algorithm"));
        uri.map(str::to_owned)
    };
    let params = OaepParams {
        digest_uri: named(method.only(DSIG, "DigestMethod")?),
        mgf_uri: named(method.only(XENC11, "MGF")?),
        oaep_params: None,
    };
    let Some(bytes) = cipher_value(transported)? else {
        return Ok(None);
    };
    let transport = keytransport::from_uri_with_params(algorithm, params);
    let transport = transport.map_err(|_| forbidden("its key is encrypted with an unknown digest"))?;
    let own = key.key().software_key().ok().flatten();
    Ok(own.and_then(|own| transport.decrypt(&own, &bytes).ok()))
}

/// `CipherData/CipherValue`; a reference to elsewhere is not followed.
fn cipher_value(node: Node<'_>) -> Result<Option<Vec<u8>>, ProviderError> {
    let data = node.only(XENC, "CipherData")?;
    let value = data
        .map(|data| data.only(XENC, "CipherValue"))
        .transpose()?
        .flatten();
    let folded = value.map(|value| value.text().split_ascii_whitespace().collect::<String>());
    Ok(folded.and_then(|folded| STANDARD.decode(folded).ok()))
}
