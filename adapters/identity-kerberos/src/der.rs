//! As much of DER as tickets come in (ITU-T X.690 section 10): definite lengths in their shortest form, one element after the other.
//!
//! The reader goes down only where its caller says so, never by what it finds: there is no depth to run out of.

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader of all of it.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all was read.
    pub const fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// What was not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The content of the next element, which must have this tag.
    pub fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, after) = self.0.split_first()?;
        if found != tag {
            return None;
        }
        let (length, after) = length(after)?;
        let (content, after) = after.split_at_checked(length)?;
        self.0 = after;
        Some(content)
    }

    /// Whether the next element has this tag.
    pub fn comes(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// Goes past the next element if it has this tag. `None` where it has and cannot be read.
    pub fn pass(&mut self, tag: u8) -> Option<()> {
        if self.comes(tag) {
            self.element(tag)?;
        }
        Some(())
    }

    /// These bytes, exactly.
    pub fn exactly(&mut self, bytes: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(bytes)?;
        Some(())
    }
}

/// The content of bytes that are one element and nothing else.
pub fn only(tag: u8, bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes);
    let content = reader.element(tag)?;
    reader.is_done().then_some(content)
}

/// A length and what comes behind it. Three octets of length are more than any token has.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, after) = bytes.split_first()?;
    let octets = match first {
        0..=0x7f => return Some((usize::from(first), after)),
        0x81..=0x83 => usize::from(first & 0x7f),
        _ => return None,
    };
    let (digits, after) = after.split_at_checked(octets)?;
    let length = digits
        .iter()
        .fold(0, |sum, &digit| (sum << 8) | usize::from(digit));
    let shortest = length > 0x7f && digits.first() != Some(&0);
    shortest.then_some((length, after))
}

/// An element with that content.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut written = vec![tag];
    let digits = content.len().to_be_bytes();
    let leading = digits.iter().take_while(|digit| **digit == 0).count();
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => written.push(short),
        _ => {
            // At most eight octets, as a usize has.
            written.push(0x80 | u8::try_from(digits.len() - leading).unwrap_or_default());
            written.extend(digits.iter().skip(leading));
        }
    }
    written.extend_from_slice(content);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![7; length];
            let written = element(0x30, &content);
            assert_eq!(only(0x30, &written), Some(content.as_slice()), "{length}");
            assert_eq!(only(0x31, &written), None);
        }
    }

    #[test]
    fn lengths_are_written_in_one_way() {
        for wrong in [
            &[0x30, 0x81, 0x01, 0][..],
            &[0x30, 0x82, 0x00, 0x80],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x84, 0, 0, 0, 1, 0],
            &[0x30, 0xff],
            &[0x30, 0x02, 0],
            &[0x30],
            &[],
        ] {
            assert_eq!(only(0x30, wrong), None, "{wrong:x?}");
        }
    }

    #[test]
    fn nothing_may_stand_behind() {
        assert_eq!(only(0x04, &[4, 1, 9]), Some(&[9][..]));
        assert_eq!(only(0x04, &[4, 1, 9, 0]), None);
    }

    #[test]
    fn what_may_be_missing_is_not_made_up() {
        let mut reader = Reader::new(&[0xa1, 1, 9, 0xa2, 5]);
        assert_eq!(reader.pass(0xa0), Some(()));
        assert!(reader.comes(0xa1));
        assert_eq!(reader.pass(0xa1), Some(()));
        assert!(!reader.comes(0xa1));
        assert_eq!(reader.pass(0xa2), None, "it is cut off");
    }
}
