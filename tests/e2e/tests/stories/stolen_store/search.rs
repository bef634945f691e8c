//! Looking for secrets in what a store holds, in every spelling in which they would still be of use.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Letters by which a text is looked up before it is searched for.
const GRAM: usize = 8;

/// Everything a store holds, to look through: a letter for each byte, because nothing searches text faster than the standard library.
pub struct Haystack {
    text: String,
    grams: HashSet<[u8; GRAM]>,
}

fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from_digit(digit.into(), 16).unwrap())
        .collect()
}

/// RFC 4648 section 6, without padding.
fn base32(bytes: &[u8]) -> String {
    let bits = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1));
    let bits: Vec<u8> = bits.collect();
    let fives = bits.chunks(5).map(|five| {
        let number = five.iter().fold(0, |number, bit| number * 2 + bit) << (5 - five.len());
        char::from(BASE32[usize::from(number)])
    });
    fives.collect()
}

fn of_base32(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| {
        BASE32
            .iter()
            .position(|known| *known == letter.to_ascii_uppercase())
    };
    let bits: Option<String> = text
        .trim_end_matches('=')
        .bytes()
        .map(|letter| Some(format!("{:05b}", digit(letter)?)))
        .collect();
    let bytes = bits?;
    let bytes = bytes.as_bytes().chunks_exact(8);
    Some(
        bytes
            .map(|eight| u8::from_str_radix(&String::from_utf8_lossy(eight), 2).unwrap())
            .collect(),
    )
}

/// The part of a base64 text that tells of these bytes alone, wherever they stand in what was encoded.
fn within_base64(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend(bytes);
        let (first, whole) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            found.push(text[first..whole].to_owned());
        }
    }
    found
}

/// How bytes may be written down.
fn written(bytes: &[u8]) -> Vec<String> {
    let mut found = within_base64(bytes);
    found.extend([
        letters(bytes),
        hex(bytes),
        hex(bytes).to_uppercase(),
        base32(bytes),
        base32(bytes).to_lowercase(),
    ]);
    found
}

fn url_encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let encoded = text.bytes().map(|byte| {
        if plain(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    encoded.collect()
}

/// Every spelling of a secret that would still open something: itself and what it encodes, written in every usual way.
pub fn spellings(secret: &str) -> Vec<String> {
    let bare: String = secret.chars().filter(|letter| *letter != '-').collect();
    let mut texts = vec![
        secret.to_owned(),
        secret.to_lowercase(),
        secret.to_uppercase(),
        url_encoded(secret),
        url_encoded(&url_encoded(secret)),
        secret.chars().rev().collect(),
    ];
    texts.extend([bare.to_lowercase(), bare]);
    let mut found: Vec<String> = texts.iter().flat_map(|text| written(text.as_bytes())).collect();
    let meant = [of_base32(secret), URL_SAFE_NO_PAD.decode(secret).ok()];
    for bytes in meant.into_iter().flatten().filter(|bytes| bytes.len() >= 10) {
        found.extend(written(&bytes));
    }
    found.sort();
    found.dedup();
    found
}

/// The forms in which a store may know a token again without knowing the token.
pub fn hashes(token: &str) -> Vec<String> {
    let hash = Sha256::digest(token.as_bytes());
    vec![
        letters(&hash),
        hex(&hash),
        URL_SAFE_NO_PAD.encode(hash),
        STANDARD_NO_PAD.encode(hash),
    ]
}

impl Haystack {
    /// Of these values.
    pub fn of(values: &[Vec<u8>]) -> Self {
        let texts: Vec<String> = values.iter().map(|value| letters(value)).collect();
        let text = texts.join("\u{0}\n\u{0}");
        let grams = text
            .as_bytes()
            .windows(GRAM)
            .filter_map(|gram| gram.try_into().ok());
        let grams = grams.collect();
        Self { text, grams }
    }

    fn contains(&self, text: &str) -> bool {
        let may_be = text
            .as_bytes()
            .first_chunk()
            .is_none_or(|gram| self.grams.contains(gram));
        may_be && self.text.contains(text)
    }

    /// Whether a text stands in it.
    pub fn holds(&self, text: &str) -> bool {
        self.contains(&letters(text.as_bytes()))
    }

    /// The spelling of a secret that stands in it.
    pub fn betrays(&self, secret: &str) -> Option<String> {
        spellings(secret).into_iter().find(|text| self.contains(text))
    }

    /// Whether a short code stands in it as a word, or as a hash that anybody could make of every code there is.
    pub fn betrays_code(&self, code: &str) -> bool {
        let is_edge = |letter: Option<char>| !letter.is_some_and(char::is_alphanumeric);
        let as_word = self.text.match_indices(code).any(|(at, _)| {
            is_edge(self.text[..at].chars().next_back())
                && is_edge(self.text[at + code.len()..].chars().next())
        });
        as_word || hashes(code).iter().any(|hash| self.contains(hash))
    }

    /// Whether a token is known here, by its hash.
    pub fn knows(&self, token: &str) -> bool {
        hashes(token).iter().any(|hash| self.contains(hash))
    }

    /// The words somebody would try who knows nothing: long ones of a token's letters, the longest text first.
    pub fn words(&self, most: usize) -> Vec<String> {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        let words = self.text.split(|letter| !is_part(letter));
        let mut words: Vec<String> = words
            .filter(|word| (32..=200).contains(&word.len()))
            .map(str::to_owned)
            .collect();
        words.sort_by_key(|word| (word.len().abs_diff(64).min(word.len().abs_diff(43)), word.clone()));
        words.dedup();
        words.truncate(most);
        words
    }
}

#[test]
fn the_search_finds_a_secret_however_it_is_written() {
    let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    let meant = of_base32(secret).unwrap();
    assert_eq!(base32(&meant), secret);
    let json = format!(r#"{{"a":"{secret}"}}"#);
    for (how, value) in [
        ("as it is", json.clone().into_bytes()),
        (
            "as it is meant",
            [b"\x01\x02".as_slice(), &meant, b"\xff"].concat(),
        ),
        ("in hex", hex(json.as_bytes()).into_bytes()),
        ("in base64", STANDARD_NO_PAD.encode(&json).into_bytes()),
        ("in base64url", URL_SAFE_NO_PAD.encode(&meant).into_bytes()),
        ("in small letters", secret.to_lowercase().into_bytes()),
    ] {
        assert!(Haystack::of(&[value]).betrays(secret).is_some(), "{how}");
    }
    let hash = Sha256::digest(secret).to_vec();
    let hashed = Haystack::of(&[hash]);
    assert!(hashed.betrays(secret).is_none() && hashed.knows(secret));
}

#[test]
fn the_search_tells_a_code_from_digits_of_something_else() {
    let held = |text: &str| Haystack::of(&[text.as_bytes().to_vec()]).betrays_code("123456");
    assert!(held(r#""code":"123456""#) && held(r#""code":123456}"#) && held("123456"));
    assert!(!held("1123456789") && !held("a123456b"));
    assert!(held(&hex(&Sha256::digest("123456"))));
}
