//! Distinguished names as texts (RFC 4514), as far as they have to be read.

/// The value of a name's first part: `admins` of `cn=admins,dc=example`. None where it has no text, as in `1.2.3=#0403616263`.
pub fn first_value(name: &str) -> Option<String> {
    let (_, value) = name.split_once('=')?;
    if value.starts_with('#') {
        return None;
    }
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    // How much of it is text, and not the blanks that may stand behind.
    let mut kept = 0;
    while let Some(byte) = rest.next() {
        match byte {
            b',' | b'+' | b';' => break,
            b'\\' => {
                bytes.push(escaped(&mut rest)?);
                kept = bytes.len();
            }
            b' ' if bytes.is_empty() => {}
            b' ' => bytes.push(byte),
            _ => {
                bytes.push(byte);
                kept = bytes.len();
            }
        }
    }
    bytes.truncate(kept);
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

/// What stands behind a backslash: two hexadecimal digits, or the character itself.
fn escaped(rest: &mut std::str::Bytes<'_>) -> Option<u8> {
    let first = rest.next()?;
    let Some(high) = digit(first) else {
        return Some(first);
    };
    Some((high << 4) | digit(rest.next()?)?)
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// The same name with small letters and no blanks between its parts, for comparing and for naming a directory.
pub fn folded(name: &str) -> String {
    let mut out = String::new();
    for (number, part) in name.split(',').enumerate() {
        if number > 0 {
            out.push(',');
        }
        out.push_str(part.trim());
    }
    out.to_lowercase()
}

/// What a name stands below: `dc=example` of `cn=admins,dc=example`.
pub fn parent(name: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, character) in name.char_indices() {
        match character {
            ',' if !escaped => return name.get(at + 1..).map(str::trim),
            _ => escaped = character == '\\' && !escaped,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_part_of_a_name_is_its_short_name() {
        let cases = [
            ("cn=admins,ou=groups,dc=example", Some("admins")),
            ("CN=Domain Admins , DC=corp", Some("Domain Admins")),
            (
                r"cn=Comma\2C Carol \2B \22Q\22,dc=x",
                Some(r#"Comma, Carol + "Q""#),
            ),
            (r"cn=a\, b\+c\\,dc=x", Some(r"a, b+c\")),
            (r"cn=L\C3\B8nn\20,dc=x", Some("Lønn ")),
            ("cn=a+sn=b,dc=x", Some("a")),
            ("cn=#0403616263,dc=x", None),
            (r"cn=\FF,dc=x", None),
            (r"cn=a\", None),
            ("cn=,dc=x", None),
            ("", None),
        ];
        for (name, value) in cases {
            assert_eq!(first_value(name).as_deref(), value, "{name}");
        }
    }

    #[test]
    fn a_parent_begins_behind_the_first_comma_that_is_one() {
        assert_eq!(parent(r"cn=a\,b, dc=x"), Some("dc=x"));
        assert_eq!(parent(r"cn=a\\,dc=x"), Some("dc=x"));
        assert_eq!(parent("dc=x"), None);
    }

    #[test]
    fn a_name_in_other_letters_is_the_same_name() {
        assert_eq!(folded("DC=Example, DC=Test"), "dc=example,dc=test");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(name: String) {
            let _ = (first_value(&name), parent(&name), folded(&name));
        }
    }
}
