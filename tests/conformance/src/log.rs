//! Everything that was logged in this process.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::filter::LevelFilter;

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LISTEN: Once = Once::new();

/// Listens to every level from now on. Tests of one process share the log: look only for what no other test says.
pub fn listen() {
    LISTEN.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
}

/// Whether `text` stands anywhere in the log since [`listen`].
pub fn holds(text: &str) -> bool {
    let logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&logged).contains(text)
}

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
        logged.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_logged_is_found() {
        super::listen();
        tracing::trace!(code = "a-traced-code", "sent");
        assert!(super::holds("a-traced-code"));
        assert!(!super::holds("a-code-nobody-logs"));
    }
}
