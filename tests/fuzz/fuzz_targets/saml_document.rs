//! The XML of a SAML message, up to where its signature would be computed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    identity_saml::fuzzing::document(text);
});
