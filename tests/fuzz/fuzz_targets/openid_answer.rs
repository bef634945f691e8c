//! What an OpenID provider answers directly with.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    identity_openid2::fuzzing::key_value(bytes);
});
