use bergshamra::Key;

use crate::config::SamlHash;

/// What a message may be signed by: RSA (PKCS#1 v1.5 or PSS) and ECDSA with SHA-2. No SHA-1, no HMAC: a public key is no secret.
const SIGNATURES: [&str; 9] = [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1",
    "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
];

const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];

/// Whether a signature by that algorithm is looked at.
pub fn is_allowed_signature(uri: &str) -> bool {
    SIGNATURES.contains(&uri)
}

/// Whether a digest by that algorithm is looked at.
pub fn is_allowed_digest(uri: &str) -> bool {
    DIGESTS.contains(&uri)
}

/// What we sign by with a key of our own.
pub fn signature_uri(key: &Key, hash: SamlHash) -> &'static str {
    match (key.algorithm_name().starts_with("EC-"), hash) {
        (false, SamlHash::Sha256) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        (false, SamlHash::Sha384) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        (false, SamlHash::Sha512) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        (true, SamlHash::Sha256) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        (true, SamlHash::Sha384) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        (true, SamlHash::Sha512) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
    }
}

/// What we digest by.
pub const fn digest_uri(hash: SamlHash) -> &'static str {
    match hash {
        SamlHash::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
        SamlHash::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
        SamlHash::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
    }
}
