//! A signed query of SAML's Redirect binding.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    identity_saml::fuzzing::query(text);
});
