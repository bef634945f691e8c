//! BER, as far as LDAP has it: tags of one byte, definite lengths (RFC 4511 section 5.1). Reading never goes deeper than its caller
//! asks, so that no depth of nesting costs anything.

/// `BOOLEAN`.
pub const BOOLEAN: u8 = 0x01;
/// `INTEGER`.
pub const INTEGER: u8 = 0x02;
/// `OCTET STRING`.
pub const OCTETS: u8 = 0x04;
/// `ENUMERATED`.
pub const ENUMERATED: u8 = 0x0a;
/// `SEQUENCE`, `SEQUENCE OF`.
pub const SEQUENCE: u8 = 0x30;
/// `SET OF`.
pub const SET: u8 = 0x31;

/// Bytes that are not what LDAP says they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Length bytes behind the first, at most: four gigabytes are more than anybody reads.
const LENGTH_BYTES: usize = 4;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its tag.
    pub tag: u8,
    /// What is in it.
    pub body: &'a [u8],
}

/// How long the header and the whole of the first element are; none while the header is not all there.
fn measure_both(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let [tag, first, rest @ ..] = bytes else {
        return Ok(None);
    };
    if tag & 0x1f == 0x1f {
        return Err(Malformed);
    }
    let first = usize::from(*first);
    if first < 0x80 {
        return Ok(Some((2, 2 + first)));
    }
    let count = first - 0x80;
    // None is an indefinite length, which LDAP does not have.
    if count == 0 || count > LENGTH_BYTES {
        return Err(Malformed);
    }
    let Some(length) = rest.get(..count) else {
        return Ok(None);
    };
    let length = length
        .iter()
        .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let header = 2 + count;
    let whole = header.checked_add(length).ok_or(Malformed)?;
    Ok(Some((header, whole)))
}

/// How long the first element is with its header; none while that cannot be said yet.
pub fn measure(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    Ok(measure_both(bytes)?.map(|(_, whole)| whole))
}

/// Elements one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// What stands in these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether there is no more.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element.
    pub fn element(&mut self) -> Result<Element<'a>, Malformed> {
        let (header, whole) = measure_both(self.0)?.ok_or(Malformed)?;
        let tag = *self.0.first().ok_or(Malformed)?;
        let body = self.0.get(header..whole).ok_or(Malformed)?;
        self.0 = self.0.get(whole..).ok_or(Malformed)?;
        Ok(Element { tag, body })
    }

    /// The next element, which has to have this tag.
    pub fn expect(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        let element = self.element()?;
        (element.tag == tag).then_some(element.body).ok_or(Malformed)
    }

    /// The next element, which holds others.
    pub fn within(&mut self, tag: u8) -> Result<Self, Malformed> {
        self.expect(tag).map(Self)
    }

    /// The next element, a number that is not negative.
    pub fn number(&mut self, tag: u8) -> Result<u32, Malformed> {
        number(self.expect(tag)?)
    }

    /// The next element, a text; what is not UTF-8 in it is replaced.
    pub fn text(&mut self) -> Result<String, Malformed> {
        Ok(String::from_utf8_lossy(self.expect(OCTETS)?).into_owned())
    }
}

/// A number that is not negative.
pub fn number(body: &[u8]) -> Result<u32, Malformed> {
    let sound = matches!(body, [0..=0x7f, rest @ ..] if rest.len() <= 4);
    let sum = body.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    u32::try_from(sum).ok().filter(|_| sound).ok_or(Malformed)
}

/// Writes an element.
pub fn put(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.push(tag);
    let length = body.len().to_be_bytes();
    if let Ok(short @ 0..0x80) = u8::try_from(body.len()) {
        out.push(short);
    } else {
        let from = length.iter().take_while(|byte| **byte == 0).count();
        let length = length.get(from..).unwrap_or_default();
        out.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
        out.extend_from_slice(length);
    }
    out.extend_from_slice(body);
}

/// Writes a number.
pub fn put_number(out: &mut Vec<u8>, tag: u8, number: u32) {
    let bytes = number.to_be_bytes();
    let from = bytes.iter().take(3).take_while(|byte| **byte == 0).count();
    let mut body = vec![0];
    body.extend_from_slice(bytes.get(from..).unwrap_or_default());
    // A leading zero only where the number would look negative without it.
    let needless = usize::from(body.get(1).is_some_and(|byte| byte & 0x80 == 0));
    put(out, tag, body.get(needless..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_length_is_written_in_as_few_bytes_as_it_needs() {
        let mut out = Vec::new();
        put(&mut out, OCTETS, &[7; 300]);
        assert_eq!(out[..4], [OCTETS, 0x82, 0x01, 0x2c]);
        let mut reader = Reader::new(&out);
        assert_eq!(reader.expect(OCTETS).unwrap().len(), 300);
        assert!(reader.is_empty());
    }

    #[test]
    fn what_ldap_does_not_have_is_refused() {
        // An indefinite length, five length bytes, a tag of several bytes.
        for bytes in [
            &[0x30, 0x80, 0, 0][..],
            &[0x30, 0x85, 0, 0, 0, 0, 1, 0],
            &[0x3f, 0x81, 1, 0],
        ] {
            assert_eq!(measure(bytes), Err(Malformed));
        }
        assert_eq!(measure(&[0x30]), Ok(None));
        assert_eq!(measure(&[0x30, 0x82, 1]), Ok(None));
        assert_eq!(
            measure(&[0x30, 0x84, 255, 255, 255, 255]),
            Ok(Some(4_294_967_301))
        );
    }

    #[test]
    fn a_negative_number_is_none() {
        assert_eq!(number(&[0xff]), Err(Malformed));
        assert_eq!(number(&[]), Err(Malformed));
        assert_eq!(number(&[0, 1, 0, 0, 0, 0]), Err(Malformed));
        assert_eq!(number(&[0, 0xff]), Ok(255));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers: Vec<u32>, bytes: Vec<u8>) {
            let mut out = Vec::new();
            for number in &numbers {
                put_number(&mut out, INTEGER, *number);
            }
            put(&mut out, OCTETS, &bytes);
            let mut reader = Reader::new(&out);
            for number in &numbers {
                prop_assert_eq!(reader.number(INTEGER), Ok(*number));
            }
            prop_assert_eq!(reader.expect(OCTETS), Ok(&bytes[..]));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = measure(&bytes);
            let mut reader = Reader::new(&bytes);
            while let Ok(element) = reader.element() {
                prop_assert!(element.body.len() < bytes.len());
            }
        }
    }
}
