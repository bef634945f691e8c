//! The end: SIGTERM and Ctrl-C ask for it, asking twice insists.

use std::future::Future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Who asked for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// SIGTERM, from a service manager.
    Terminate,
    /// SIGINT, from a keyboard.
    Interrupt,
}

impl Ending {
    /// Name of the signal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }

    /// What a shell reports for a process that died of the signal: 128 and its number.
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Terminate => 143,
            Self::Interrupt => 130,
        }
    }
}

/// Listens from now on; the future is ready at the first signal. From then on a second one ends the
/// process at once, without waiting for anybody.
///
/// # Errors
/// The system does not let us listen.
pub fn listen() -> io::Result<impl Future<Output = Ending> + Send + 'static> {
    listen_and(|ending: Ending| std::process::exit(ending.exit_code()))
}

fn listen_and(
    insist: impl FnOnce(Ending) + Send + 'static,
) -> io::Result<impl Future<Output = Ending> + Send + 'static> {
    let mut signals = Signals::new()?;
    Ok(async move {
        let first = signals.next().await;
        tokio::spawn(async move { insist(signals.next().await) });
        first
    })
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Ending {
        tokio::select! {
            _ = self.terminate.recv() => Ending::Terminate,
            _ = self.interrupt.recv() => Ending::Interrupt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a signal to this very process, which listens to it by then.
    fn send(signal: &str) {
        let me = std::process::id().to_string();
        let status = std::process::Command::new("kill")
            .args([signal, &me])
            .status()
            .unwrap();
        assert!(status.success());
    }

    // One test for both, because a signal reaches every listener of the process.
    #[tokio::test]
    async fn the_first_signal_asks_and_the_second_insists() {
        let (insisted, insisting) = tokio::sync::oneshot::channel();
        let ending = listen_and(move |ending| insisted.send(ending).unwrap()).unwrap();
        send("-TERM");
        assert_eq!(ending.await, Ending::Terminate);
        send("-INT");
        assert_eq!(insisting.await, Ok(Ending::Interrupt));
    }

    #[test]
    fn a_process_ends_as_shells_expect() {
        assert_eq!(
            (Ending::Terminate.exit_code(), Ending::Interrupt.exit_code()),
            (143, 130)
        );
        assert_eq!(
            (Ending::Terminate.name(), Ending::Interrupt.name()),
            ("SIGTERM", "SIGINT")
        );
    }
}
