//! A message from a directory.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    identity_ldap::fuzzing::message(bytes);
});
