//! What comes from outside is parsed once: never a panic, one form for one thing, and what was parsed parses again.
#![cfg(test)]

use std::net::IpAddr;

use domain::credential::{Password, PasswordRules, SmsCode};
use domain::entropy::Entropy;
use domain::id::PoolName;
use domain::limits::{ClientAddress, LimitKey};
use domain::policy::PoolPolicy;
use domain::secret::{MacKey, TOKEN_LENGTH, Token, TokenHash};
use domain::session::TokenLife;
use domain::time::{Lifetime, Timestamp};
use domain::user::{Attributes, Email, Phone, Username, is_realm};
use properties::cases;
use properties::system::POOL;
use properties::world::Seeded;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Letters that fold, expand, compose, reorder or vanish.
const TRICKY: &[char] = &[
    'a', 'A', 'z', '0', '.', '-', '_', '+', '@', ' ', '\'', 'ß', 'ẞ', 'ς', 'σ', 'Σ', 'İ', 'ı', 'I', 'ﬁ', 'ſ',
    'K', 'Å', '\u{301}', '\u{345}', '\u{327}', 'ǅ', 'Ω', 'ϔ', 'ﷺ', '＠', '．', 'Ａ', '𝐀', 'क', '\u{93c}',
    '\u{958}', '가', '\u{1100}', '\u{1161}', '用', '\u{200b}', '\u{202e}', '\u{0}', '\n', '\u{1f}', 'ά', 'ᾳ',
    'ᾼ', 'Ⅷ', '½', '。', '️',
];

/// What parts realm from name in a key.
const SEPARATOR: char = '\u{1f}';

fn text() -> impl Strategy<Value = String> {
    let tricky = prop::collection::vec(prop::sample::select(TRICKY), 0..12).prop_map(String::from_iter);
    prop_oneof![
        3 => tricky,
        2 => any::<String>(),
        1 => "\\PC{0,80}",
        1 => "[a-zA-Z0-9.+-]{1,70}",
    ]
}

fn address() -> impl Strategy<Value = String> {
    let domain = prop_oneof![
        3 => "[a-zA-Z0-9-]{1,10}(\\.[a-zA-Z]{2,4}){0,2}",
        2 => text(),
        1 => (text(), "[a-z]{2,4}").prop_map(|(label, top)| format!("{label}.{top}")),
    ];
    prop_oneof![
        5 => (text(), domain).prop_map(|(local, domain)| format!("{local}@{domain}")),
        1 => text(),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(18, 64, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|members| Value::from(Map::from_iter(members))),
        ]
    })
}

fn properties() -> impl Strategy<Value = Map<String, Value>> {
    let ours = prop::sample::select(vec![
        "id",
        "email",
        "emailVerified",
        "password",
        "roles",
        "__proto__",
        "realm",
    ]);
    let name = prop_oneof![3 => text(), 1 => ours.prop_map(str::to_owned)];
    prop::collection::btree_map(name, json(), 0..6).prop_map(Map::from_iter)
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn an_address_is_one_line_with_one_at_and_parses_to_itself(text in address(), case_sensitive in any::<bool>()) {
        if let Some(email) = Email::parse(&text, case_sensitive) {
            let again = Email::parse(email.as_str(), case_sensitive);
            prop_assert_eq!(again.as_ref().map(Email::key), Some(email.key()), "{:?}", text);
            prop_assert_eq!(email.as_str().matches('@').count(), 1);
            prop_assert!(!email.as_str().contains(|c: char| c.is_control() || c.is_whitespace() || ",;<>()[]\"".contains(c)));
            prop_assert!(!email.key().contains(SEPARATOR), "the separator of realms");
            prop_assert!(email.as_str().len() <= 254);
            let (_, domain) = email.key().rsplit_once('@').ok_or_else(|| TestCaseError::fail("no @"))?;
            prop_assert!(domain.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)));
        }
    }

    #[test]
    fn cases_of_one_address_are_one_key(text in address()) {
        let key = |text: &str| Email::parse(text, false).map(|email| email.key().to_owned());
        if let Some(parsed) = key(&text) {
            let ascii = text.to_ascii_uppercase();
            prop_assert_eq!(key(&ascii), Some(parsed));
        }
    }

    #[test]
    fn a_username_is_visible_and_parses_to_itself(text in text()) {
        if let Some(name) = Username::parse(&text) {
            let again = Username::parse(name.as_str());
            prop_assert_eq!(again.as_ref().map(Username::key), Some(name.key()));
            prop_assert_eq!(again.as_ref().map(Username::as_str), Some(name.as_str()));
            prop_assert!(!name.as_str().contains(char::is_control) && name.as_str().trim() == name.as_str());
            prop_assert!(!name.key().is_empty() && !name.key().contains(SEPARATOR));
        }
        let _ = is_realm(&text);
    }

    #[test]
    fn a_number_is_e164_and_parses_to_itself(text in prop_oneof![text(), "[+0]{0,2}[0-9 ()./-]{6,20}"]) {
        if let Some(phone) = Phone::parse(&text) {
            prop_assert_eq!(Phone::parse(phone.as_str()), Some(phone.clone()));
            let digits = phone.as_str().strip_prefix('+').unwrap_or_default();
            prop_assert!((8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
            let shown = format!("{phone:?}");
            prop_assert!(!shown.contains(digits) && shown.contains(&digits[digits.len() - 2..]));
        }
    }

    #[test]
    fn attributes_hold_nothing_of_ours_and_keep_the_rest(given in properties(), patch in properties()) {
        if let Ok(kept) = Attributes::from_client(given.clone()) {
            prop_assert_eq!(Attributes::from_client(kept.as_map().clone()), Ok(kept.clone()));
            prop_assert_eq!(kept.patched(Map::new()), Ok(kept.clone()));
            for ours in ["id", "email", "emailVerified", "password", "roles", "__proto__", "realm"] {
                prop_assert!(!kept.as_map().contains_key(ours), "{ours}");
            }
            for (name, value) in kept.as_map() {
                prop_assert_eq!(given.get(name), Some(value));
            }
            if let Ok(patched) = kept.patched(patch.clone()) {
                for (name, value) in patched.as_map() {
                    prop_assert_eq!(patch.get(name).or(kept.as_map().get(name)), Some(value));
                }
            }
        }
    }

    #[test]
    fn a_password_keeps_every_character(text in any::<String>()) {
        let password = Password::typed(&text);
        let again = Password::typed(password.expose());
        prop_assert_eq!(again.expose(), password.expose());
        let rules = PasswordRules::default();
        if rules.judge(&password).is_ok() {
            prop_assert!((rules.min..=rules.max).contains(&password.characters()));
        }
        let shown = format!("{password:?}");
        prop_assert!(text.len() < 4 || !shown.contains(&text));
    }

    #[test]
    fn one_client_has_one_address(octets in any::<[u8; 16]>(), short in any::<[u8; 4]>()) {
        let of = |address: IpAddr| ClientAddress::of(address);
        let mut neighbour = octets;
        neighbour[15] ^= 1;
        let is_mapped = octets[..10].iter().all(|byte| *byte == 0);
        prop_assert!(is_mapped || of(octets.into()) == of(neighbour.into()));
        let mapped = std::net::Ipv4Addr::from(short).to_ipv6_mapped();
        prop_assert_eq!(of(short.into()), of(mapped.into()));
    }

    #[test]
    fn a_life_asked_for_is_within_bounds(seconds in prop::num::f64::ANY, eternal in any::<bool>()) {
        let mut pool = PoolPolicy::new(PoolName::new(POOL), "User");
        pool.allow_eternal_tokens = eternal;
        match pool.session_life(Some(seconds)) {
            Ok(TokenLife::Finite(life)) => {
                prop_assert!(life > Lifetime::ZERO && life <= pool.max_ttl && seconds >= 0.0);
            }
            Ok(TokenLife::Eternal) => prop_assert!(eternal && (seconds + 1.0).abs() < f64::EPSILON),
            Err(_) => prop_assert!(seconds.is_nan() || seconds < 0.0),
        }
    }

    #[test]
    fn later_moments_read_as_later_dates(one in 0_i64..253_402_300_799_999, other in 0_i64..253_402_300_799_999) {
        let date = |millis| Timestamp::from_millis(millis).to_iso8601();
        prop_assert_eq!(one.cmp(&other), date(one).cmp(&date(other)));
        prop_assert_eq!(date(one).len(), "1970-01-01T00:00:00.000Z".len());
    }

    #[test]
    fn a_token_hash_reads_back_and_nothing_else_does(text in any::<String>()) {
        let hash = Token::presented(text.as_str()).hash();
        prop_assert_eq!(TokenHash::from_text(&hash.to_text()), Some(hash));
        if let Some(read) = TokenHash::from_text(&text) {
            prop_assert_eq!(read.to_text(), text);
        }
    }

    #[test]
    fn counters_of_different_things_have_different_keys(parts in prop::collection::vec("[ab]{0,3}", 1..4), cut in 0_usize..6) {
        let joined = parts.concat();
        let (left, right) = joined.split_at(cut.min(joined.len()));
        let whole: Vec<&str> = parts.iter().map(String::as_str).collect();
        if whole != [left, right] {
            prop_assert_ne!(LimitKey::new("what", &whole), LimitKey::new("what", &[left, right]));
        }
        prop_assert_ne!(LimitKey::new("what", &whole), LimitKey::new("other", &whole));
    }
}

/// Of so many draws each of `kinds` must come up as often as the others, within five standard deviations.
fn assert_fair(counts: &[u32], draws: u32) {
    let kinds = f64::from(u32::try_from(counts.len()).expect("few kinds"));
    let expected = f64::from(draws) / kinds;
    let deviation = (expected * (1.0 - 1.0 / kinds)).sqrt();
    for (kind, count) in counts.iter().enumerate() {
        let off = (f64::from(*count) - expected).abs() / deviation;
        assert!(
            off < 5.0,
            "{kind} came {count} times, {off} deviations off {expected}"
        );
    }
}

#[test]
fn every_character_of_a_token_is_as_likely_as_any_other() {
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').collect();
    let mut counts = vec![0_u32; alphabet.len()];
    let mut entropy = Seeded(1);
    for _ in 0..10_000 {
        let token = Token::draw(&mut entropy);
        assert_eq!(token.expose().len(), TOKEN_LENGTH);
        for letter in token.expose().chars() {
            counts[alphabet
                .iter()
                .position(|known| *known == letter)
                .expect("a letter or digit")] += 1;
        }
    }
    assert_fair(&counts, 640_000);
}

#[test]
fn every_digit_of_a_code_is_as_likely_as_any_other_in_every_place() {
    let (flow, key) = (Token::presented("flow").hash(), MacKey::new([1; 32]));
    let mut counts = vec![[0_u32; 10]; 6];
    let mut entropy = Seeded(2);
    for _ in 0..20_000 {
        let now = Timestamp::from_millis(0);
        let (_, digits) = SmsCode::draw(&flow, Lifetime::from_secs(60), now, &key, &mut entropy);
        for (place, digit) in digits.expose().bytes().enumerate() {
            counts[place][usize::from(digit - b'0')] += 1;
        }
    }
    for place in &counts {
        assert_fair(place, 20_000);
    }
}

#[test]
fn a_source_that_gives_one_byte_for_ever_is_heard_out_for_codes() {
    struct Same(u8);
    impl Entropy for Same {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }
    let (flow, key) = (Token::presented("flow").hash(), MacKey::new([1; 32]));
    for byte in [0, 1, 127, 200] {
        let now = Timestamp::from_millis(0);
        let (code, digits) = SmsCode::draw(&flow, Lifetime::from_secs(60), now, &key, &mut Same(byte));
        assert!(code.accepts(digits.expose(), &flow, now, &key));
        assert_eq!(Token::draw(&mut Same(byte)).expose().len(), TOKEN_LENGTH);
    }
}
