//! A list of hashes in order, asked where it lies: halving by bytes, as lines differ in length.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::OpenError;
use crate::digest::{Digest, hash_of};

/// Longest line: a hash, a count of any plausible size, its end.
const LINE: u64 = 96;
/// What is read in one piece in the end.
const BLOCK: u64 = 4096;
/// Places that are looked at when the list is opened.
const SAMPLES: u64 = 256;

/// The list.
#[derive(Debug)]
pub struct Sorted {
    file: File,
    size: u64,
}

impl Sorted {
    /// Takes a file if its hashes are in order where it is looked at. All of it cannot be read: it may have tens of gigabytes.
    pub fn open(file: File, size: u64) -> Result<Self, OpenError> {
        let list = Self { file, size };
        let mut before: Option<Digest> = None;
        for sample in 0..SAMPLES {
            let at = size.saturating_sub(LINE) / SAMPLES * sample;
            let here = list.hash_behind(at)?.ok_or(OpenError::NoHashAt(at))?.1;
            if before.is_some_and(|before| before > here) {
                return Err(OpenError::Unsorted(at));
            }
            before = Some(here);
        }
        Ok(list)
    }

    /// Whether a hash is among them.
    pub fn holds(&self, wanted: &Digest) -> io::Result<bool> {
        // The line looked for begins at `low` or later and before `high`.
        let (mut low, mut high) = (0, self.size);
        while high - low > BLOCK {
            let middle = low + (high - low) / 2;
            let found = self.hash_behind(middle)?;
            let (start, hash) = found.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
            match hash.cmp(wanted) {
                Ordering::Equal => return Ok(true),
                Ordering::Less => low = start,
                Ordering::Greater => high = start,
            }
        }
        let block = self.read(low, high - low + LINE)?;
        Ok(block
            .split(|byte| *byte == b'\n')
            .any(|line| hash_of(line).as_ref() == Some(wanted)))
    }

    /// The first line that begins at `place` or behind it, and where; from the very beginning the first.
    fn hash_behind(&self, place: u64) -> io::Result<Option<(u64, Digest)>> {
        let bytes = self.read(place.saturating_sub(1), 2 * LINE)?;
        let skipped = if place == 0 {
            Some(0)
        } else {
            bytes.iter().position(|byte| *byte == b'\n').map(|end| end + 1)
        };
        let Some(skipped) = skipped else { return Ok(None) };
        let hash = bytes.get(skipped..).and_then(hash_of);
        let start = place.saturating_sub(1) + u64::try_from(skipped).unwrap_or(u64::MAX);
        Ok(hash.map(|hash| (start, hash)))
    }

    /// As many bytes as there are from a place on, `most` at most.
    fn read(&self, place: u64, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(most).unwrap_or(usize::MAX)];
        let mut filled = 0;
        while let Some(free) = bytes.get_mut(filled..).filter(|free| !free.is_empty()) {
            let at = place + u64::try_from(filled).unwrap_or(u64::MAX);
            match self.file.read_at(free, at) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::digest::sha1;

    fn hex(digest: &Digest) -> String {
        let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits: String = nibbles
            .filter_map(|nibble| char::from_digit(nibble.into(), 16))
            .collect();
        digits.to_uppercase()
    }

    fn list(lines: &[String]) -> Result<Sorted, OpenError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(lines.concat().as_bytes()).unwrap();
        let size = file.metadata().unwrap().len();
        Sorted::open(file, size)
    }

    fn numbers(count: usize) -> Vec<Digest> {
        let mut all: Vec<Digest> = (0..count)
            .map(|number| sha1(number.to_string().as_bytes()))
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn every_line_is_found_however_long_its_neighbours_are() {
        let all = numbers(20_000);
        let line = |(at, digest): (usize, &Digest)| {
            format!(
                "{}:{}\r\n",
                hex(digest),
                10_usize.pow((at % 12).try_into().unwrap())
            )
        };
        let list = list(&all.iter().enumerate().map(line).collect::<Vec<_>>()).unwrap();
        for digest in &all {
            assert!(list.holds(digest).unwrap());
        }
        for number in 20_000..22_000_u32 {
            assert!(!list.holds(&sha1(number.to_string().as_bytes())).unwrap());
        }
    }

    #[test]
    fn the_first_and_the_last_line_are_found_without_a_line_end() {
        let all = numbers(3_000);
        let mut lines: Vec<String> = all
            .iter()
            .map(|digest| hex(digest).to_lowercase() + "\n")
            .collect();
        lines.last_mut().unwrap().pop();
        let list = list(&lines).unwrap();
        for digest in [&all[0], &all[1], &all[2_998], &all[2_999]] {
            assert!(list.holds(digest).unwrap());
        }
        assert!(!list.holds(&[0; 20]).unwrap() && !list.holds(&[255; 20]).unwrap());
    }

    #[test]
    fn hashes_without_order_are_refused() {
        let lines: Vec<String> = (0..20_000_u32)
            .map(|number| hex(&sha1(number.to_string().as_bytes())) + "\n")
            .collect();
        assert!(matches!(list(&lines), Err(OpenError::Unsorted(_))));
    }
}
