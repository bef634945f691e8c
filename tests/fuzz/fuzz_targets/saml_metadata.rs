//! The metadata of a SAML provider.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    identity_saml::fuzzing::metadata(text);
});
