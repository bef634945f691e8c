//! The worker by itself, for whoever does not have the server's program be it.

use std::process::ExitCode;

fn main() -> ExitCode {
    identity_kerberos::worker()
}
