//! The document by which an OpenID identifier says who may speak for it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    identity_openid2::fuzzing::xrds(bytes);
});
