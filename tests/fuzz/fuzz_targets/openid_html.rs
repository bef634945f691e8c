//! The head of a page of an OpenID identifier.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    identity_openid2::fuzzing::html(bytes);
});
