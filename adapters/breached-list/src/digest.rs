//! SHA-1, and lines that hold one.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::OpenError;

/// A SHA-1. Broken for signatures; here it only names lines of a list, as those who publish such lists have it.
pub type Digest = [u8; 20];

const HEX: usize = 40;
const NTLM_HEX: usize = 32;

/// What the lines of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Hashes.
    Hashes,
    /// The passwords themselves.
    Passwords,
}

/// The SHA-1 of some bytes.
pub fn sha1(bytes: &[u8]) -> Digest {
    let mut copy = [0; 20];
    let made = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    for (to, from) in copy.iter_mut().zip(made.as_ref()) {
        *to = *from;
    }
    copy
}

/// What a file is whose first line this is.
///
/// # Errors
/// Hashes of the wrong kind.
pub fn kind_of(line: &[u8]) -> Result<Kind, OpenError> {
    if hash_of(line).is_some() {
        return Ok(Kind::Hashes);
    }
    let (hash, count) = line.split_at_checked(NTLM_HEX).unwrap_or_default();
    let is_ntlm = hash.len() == NTLM_HEX && hash.iter().all(u8::is_ascii_hexdigit) && count.starts_with(b":");
    if is_ntlm {
        Err(OpenError::Ntlm)
    } else {
        Ok(Kind::Passwords)
    }
}

/// The hash that a line begins with.
pub fn hash_of(line: &[u8]) -> Option<Digest> {
    let (hash, rest) = line.split_at_checked(HEX)?;
    let ends = matches!(rest.first(), None | Some(b':' | b' ' | b'\r' | b'\n'));
    let mut digest = [0; 20];
    for (byte, pair) in digest.iter_mut().zip(hash.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    ends.then_some(digest)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// A line without what ends it.
pub fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";

    #[test]
    fn a_line_is_a_hash_with_or_without_its_count() {
        for line in [
            PASSWORD.to_owned(),
            format!("{PASSWORD}:3861493"),
            PASSWORD.to_lowercase() + "\r\n",
        ] {
            assert_eq!(hash_of(line.as_bytes()), Some(sha1(b"password")), "{line}");
        }
    }

    #[test]
    fn other_lines_are_passwords_or_hashes_of_another_kind() {
        assert_eq!(kind_of(b"password").unwrap(), Kind::Passwords);
        assert_eq!(kind_of(&[b'a'; 41]).unwrap(), Kind::Passwords);
        assert_eq!(
            kind_of(b"g000000000000000000000000000000000000000").unwrap(),
            Kind::Passwords
        );
        assert!(matches!(
            kind_of(b"8846F7EAEE8FB117AD06BDD830B7586C:7"),
            Err(OpenError::Ntlm)
        ));
    }
}
