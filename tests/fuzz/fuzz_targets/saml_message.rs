//! A SAML message as forms and addresses carry it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    identity_saml::fuzzing::message(text);
});
