//! An attribute's value of a directory, and a name on its way into a filter, where it must stay in its place.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    identity_ldap::fuzzing::value(bytes);
    if let Ok(name) = std::str::from_utf8(bytes) {
        identity_ldap::fuzzing::name(name);
    }
});
