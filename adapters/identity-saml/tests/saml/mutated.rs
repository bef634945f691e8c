//! Signed documents with something changed at random: never accepted with another content, and never a panic.

use domain::ports::Arrival;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Builder;

use crate::support::{answer, assertion, config, provider, response, sign, signed};
use domain::ports::IdentityProvider as _;
use identity_saml::{SamlProvider, fuzzing};

/// One change: replace, insert, remove, move, double.
fn changed(xml: &str, kind: u8, at: usize, length: usize, to: usize, with: &str) -> String {
    let snap = |mut index: usize| {
        index %= xml.len() + 1;
        while !xml.is_char_boundary(index) {
            index -= 1;
        }
        index
    };
    let begin = snap(at);
    let end = snap((begin + length).min(xml.len())).max(begin);
    let to = snap(to);
    let piece = &xml[begin..end];
    match kind % 5 {
        0 => format!("{}{with}{}", &xml[..begin], &xml[end..]),
        1 => format!("{}{with}{}", &xml[..begin], &xml[begin..]),
        2 => format!("{}{}", &xml[..begin], &xml[end..]),
        3 => format!("{}{piece}{}", &xml[..to], &xml[to..]),
        _ => format!("{}{piece}{piece}{}", &xml[..begin], &xml[end..]),
    }
}

fn judge(provider: &SamlProvider, xml: &str) -> Option<Arrival> {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(provider.complete(&answer(xml))).ok()
}

fn pieces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<!---->",
        "<!-- x -->",
        "<![CDATA[x]]>",
        "<saml:Assertion>",
        "</saml:Assertion>",
        "admin",
        "\"",
        ">",
        "<",
        "&#x41;",
        " ID=\"_assertion1\"",
        "<ds:Signature/>",
        " xmlns:saml=\"urn:evil\"",
        "<samlp:Extensions>",
        "=",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        "[ -~]{0,6}",
        any::<char>().prop_map(String::from)
    ]
}

fn never_otherwise(xml: &str) {
    let provider = provider(config());
    let honest = judge(&provider, xml).unwrap();
    let mut runner = TestRunner::new(Config::with_cases(600));
    let change = (
        any::<u8>(),
        any::<usize>(),
        0_usize..400,
        any::<usize>(),
        pieces(),
    );
    let outcome = runner.run(&change, |(kind, at, length, to, with)| {
        let other = changed(xml, kind, at % 8192, length, to % 8192, &with);
        if let Some(arrival) = judge(&provider, &other) {
            prop_assert_eq!(&arrival, &honest, "{}", other);
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_changed_answer_with_a_signed_assertion_says_the_same_or_nothing() {
    never_otherwise(&signed());
}

#[test]
fn a_changed_signed_answer_says_the_same_or_nothing() {
    never_otherwise(&sign(&response(&sign(&assertion()))));
}

proptest! {
    #![proptest_config(Config::with_cases(400))]

    #[test]
    fn arbitrary_texts_are_read_without_harm(text in "\\PC{0,400}") {
        fuzzing::document(&text);
        fuzzing::message(&text);
        fuzzing::metadata(&text);
        fuzzing::query(&text);
    }

    #[test]
    fn texts_that_look_like_messages_are_read_without_harm(parts in prop::collection::vec(pieces(), 0..60)) {
        let text = parts.concat();
        fuzzing::document(&text);
        fuzzing::metadata(&format!("<a>{text}</a>"));
        fuzzing::query(&format!("SAMLRequest={text}&SigAlg={text}&Signature={text}"));
    }
}
