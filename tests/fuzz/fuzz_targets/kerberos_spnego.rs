//! What a browser sends to prove a ticket, and what a worker answers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    identity_kerberos::fuzzing::offer(bytes);
    identity_kerberos::fuzzing::answer(bytes);
    if let Ok(name) = std::str::from_utf8(bytes) {
        identity_kerberos::fuzzing::principal(name);
    }
});
