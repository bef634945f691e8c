use std::io::{self, Write as _};
use std::process;

use domain::entropy::Entropy;
use domain::ports::EntropySource;

/// The kernel's entropy (`getrandom` on Linux). Ends the process when there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl EntropySource for SystemEntropy {
    fn open(&self) -> Box<dyn Entropy + Send> {
        Box::new(Self)
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            give_up(error);
        }
    }
}

/// Ends the process at once: not by a panic, which a task would survive.
fn give_up(error: getrandom::Error) -> ! {
    // When not even this can be written, nothing is left to try.
    drop(writeln!(
        io::stderr(),
        "the operating system gives no entropy: {error}"
    ));
    process::abort()
}
