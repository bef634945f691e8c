//! Key-value form: what a provider answers directly with (section 4.1.1).

/// Longest answer read, in bytes.
const LONGEST: usize = 16 * 1024;

/// Reads an answer strictly: lines of UTF-8, each with a key, a colon and a value, no key twice. None if it is anything else.
pub fn parse(body: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| text.len() <= LONGEST)?;
    let mut pairs: Vec<(String, String)> = Vec::new();
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        let (key, value) = line.split_once(':')?;
        let strange = |text: &str| text.chars().any(char::is_control);
        let padded = key.is_empty() || key.trim() != key;
        if padded || strange(key) || strange(value) || pairs.iter().any(|(given, _)| given == key) {
            return None;
        }
        pairs.push((key.to_owned(), value.to_owned()));
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_read_line_by_line() {
        let pairs = parse(b"ns:http://specs.openid.net/auth/2.0\nis_valid:true\n").unwrap();
        assert_eq!(pairs[0].1, "http://specs.openid.net/auth/2.0");
        assert_eq!(pairs[1], ("is_valid".to_owned(), "true".to_owned()));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        for bad in [
            "",
            "\n",
            "is_valid",
            "is_valid:true\n\n",
            "is_valid:true\nis_valid:false\n",
            "is_valid:true\r\n",
            " is_valid:true\n",
            "is_valid :true\n",
            ":true\n",
            "is_valid:true\0\n",
            "<html>\n",
            "is_valid=true",
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(parse(b"is_valid:\xff\n"), None);
        assert_eq!(parse(&[b"a:".as_slice(), &[b'a'; LONGEST]].concat()), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            parse(&bytes);
        }

        #[test]
        fn what_is_read_says_what_was_written(pairs in prop::collection::btree_map("[a-z_.]{1,8}", "[ -~]{0,12}", 1..6)) {
            let lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}:{value}\n")).collect();
            let text = lines.concat();
            let read = parse(text.as_bytes()).unwrap();
            prop_assert_eq!(read, pairs.into_iter().collect::<Vec<_>>());
        }
    }
}
