//! A list in memory: the first 64 bits of every hash, in order.

use std::fmt;
use std::io::BufRead;

use crate::OpenError;
use crate::digest::{Digest, Kind, hash_of, sha1, without_end};

/// Most lines: eight bytes of memory for each.
const MOST: usize = 16_000_000;

/// The list.
pub struct Loaded(Vec<u64>);

impl Loaded {
    /// Reads all lines.
    pub fn read(mut file: impl BufRead, kind: Kind) -> Result<Self, OpenError> {
        let (mut keys, mut line, mut number) = (Vec::new(), Vec::new(), 0);
        while file.read_until(b'\n', &mut line)? > 0 {
            number += 1;
            let text = without_end(&line);
            if !text.is_empty() {
                let digest = match kind {
                    Kind::Passwords => sha1(text),
                    Kind::Hashes => hash_of(text).ok_or(OpenError::NoHash(number))?,
                };
                keys.push(key(&digest));
            }
            if keys.len() > MOST {
                return Err(OpenError::TooLong(MOST));
            }
            line.clear();
        }
        keys.sort_unstable();
        keys.dedup();
        keys.shrink_to_fit();
        Ok(Self(keys))
    }

    /// Whether a hash is among them.
    pub fn holds(&self, digest: &Digest) -> bool {
        self.0.binary_search(&key(digest)).is_ok()
    }
}

fn key(digest: &Digest) -> u64 {
    digest
        .first_chunk()
        .map_or(0, |bytes: &[u8; 8]| u64::from_be_bytes(*bytes))
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loaded({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_need_no_order_in_memory_and_a_line_that_is_none_is_named() {
        let two =
            b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9\r\n\r\n0000000000000000000000000000000000000000\n";
        let list = Loaded::read(&two[..], Kind::Hashes).unwrap();
        assert!(list.holds(&sha1(b"password")) && list.holds(&[0; 20]) && !list.holds(&sha1(b"other")));
        let broken = b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8\npassword\n";
        assert!(matches!(
            Loaded::read(&broken[..], Kind::Hashes),
            Err(OpenError::NoHash(2))
        ));
    }
}
