//! `application/x-www-form-urlencoded`, read strictly (the URL standard, section 5.1).

use zeroize::Zeroizing;

/// The pairs of a form, in order. Values may be passwords: they are wiped when dropped.
pub type Pairs = Vec<(String, Zeroizing<String>)>;

/// Reads a form. Unlike browsers' own parsers it replaces nothing: bytes that are no UTF-8 would make two passwords one.
///
/// # Errors
/// `None` when a name or a value is not valid UTF-8.
pub fn pairs(bytes: &[u8]) -> Option<Pairs> {
    let fields = bytes
        .split(|byte| *byte == b'&')
        .filter(|field| !field.is_empty());
    fields
        .map(|field| {
            let (name, value) = match field.iter().position(|byte| *byte == b'=') {
                Some(at) => (field.get(..at)?, field.get(at + 1..)?),
                None => (field, &[][..]),
            };
            Some((decoded(name)?, Zeroizing::new(decoded(value)?)))
        })
        .collect()
}

fn decoded(text: &[u8]) -> Option<String> {
    let spaced: Zeroizing<Vec<u8>> = Zeroizing::new(
        text.iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect(),
    );
    let bytes: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        let pairs = pairs(text.as_bytes())?;
        Some(
            pairs
                .into_iter()
                .map(|(name, value)| (name, value.to_string()))
                .collect(),
        )
    }

    #[test]
    fn a_form_reads_as_a_browser_wrote_it() {
        let pairs = read("a=1+2&b=%C3%A4%2B&&c&d==").unwrap();
        let expected = [("a", "1 2"), ("b", "ä+"), ("c", ""), ("d", "=")];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn what_is_no_text_is_refused_and_never_replaced() {
        assert_eq!(read("a=%FF"), None);
        assert_eq!(read("%C3=1"), None);
        assert_eq!(pairs(b"a=\xff"), None);
    }
}
