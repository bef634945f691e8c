//! The query a person comes back with from an OpenID provider, judged up to where somebody would be asked.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    identity_openid2::fuzzing::assertion(bytes);
});
