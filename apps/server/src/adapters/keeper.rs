//! What this process holds open and depends on: asked whether it answers, and closed at the end.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::PortError;
use futures_util::future::{BoxFuture, join_all};
use http_warp::{NotReady, Readiness};

/// Longest wait for an answer: whoever asks us waits a few seconds as well.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks something that takes a moment.
pub type Asking = Box<dyn Fn() -> BoxFuture<'static, Result<(), PortError>> + Send + Sync>;

/// One thing that is held open.
pub struct Keeper {
    /// The section that configures it.
    pub name: &'static str,
    /// Whether it answers.
    pub ready: Asking,
    /// Finishes what it has to do.
    pub close: Asking,
}

/// All of them, in the order in which they are closed.
pub struct Keepers {
    all: Vec<Keeper>,
    patience: Duration,
}

impl Keepers {
    /// These, the first to be closed first.
    pub const fn new(keepers: Vec<Keeper>) -> Self {
        Self {
            all: keepers,
            patience: PATIENCE,
        }
    }

    /// Closes all, also behind one that cannot be closed.
    ///
    /// # Errors
    /// Of the first that could not finish what it had to do.
    pub async fn close(&self) -> Result<(), PortError> {
        let mut result = Ok(());
        for keeper in &self.all {
            result = result.and((keeper.close)().await);
        }
        result
    }
}

#[async_trait]
impl Readiness for Keepers {
    async fn ready(&self) -> Result<(), NotReady> {
        let patience = self.patience;
        let asked = self.all.iter().map(|keeper| async move {
            match tokio::time::timeout(patience, (keeper.ready)()).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some((keeper.name, error.to_string())),
                Err(_) => Some((keeper.name, format!("no answer within {patience:?}"))),
            }
        });
        let faults: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
        if faults.is_empty() {
            return Ok(());
        }
        let causes = faults.iter().map(|(name, cause)| format!("{name}: {cause}"));
        Err(NotReady {
            cause: causes.collect::<Vec<_>>().join("; "),
            down: faults.iter().map(|(name, _)| *name).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeper(name: &'static str, ready: fn() -> BoxFuture<'static, Result<(), PortError>>) -> Keeper {
        Keeper {
            name,
            ready: Box::new(ready),
            close: Box::new(ready),
        }
    }

    fn fine() -> BoxFuture<'static, Result<(), PortError>> {
        Box::pin(async { Ok(()) })
    }

    fn down() -> BoxFuture<'static, Result<(), PortError>> {
        Box::pin(async { Err(PortError::unavailable("connection refused")) })
    }

    fn silent() -> BoxFuture<'static, Result<(), PortError>> {
        Box::pin(std::future::pending())
    }

    #[tokio::test]
    async fn all_that_answer_are_ready() {
        let keepers = Keepers::new(vec![keeper("sessions", fine), keeper("storage", fine)]);
        assert!(keepers.ready().await.is_ok() && keepers.close().await.is_ok());
    }

    #[tokio::test]
    async fn each_that_does_not_answer_is_named_and_none_is_waited_for() {
        let keepers = [
            ("sessions", silent as fn() -> _),
            ("storage", down),
            ("other", fine),
        ];
        let keepers = keepers.map(|(name, ready)| keeper(name, ready));
        let keepers = Keepers {
            all: Vec::from(keepers),
            patience: Duration::from_millis(20),
        };
        let fault = keepers.ready().await.unwrap_err();
        assert_eq!(fault.down, ["sessions", "storage"]);
        assert!(
            fault.cause.contains("sessions: no answer within 20ms"),
            "{}",
            fault.cause
        );
        assert!(fault.cause.contains("connection refused"), "{}", fault.cause);
    }

    #[tokio::test]
    async fn one_that_cannot_be_closed_keeps_no_other_open() {
        let keepers = Keepers::new(vec![keeper("sessions", down), keeper("storage", fine)]);
        assert!(keepers.close().await.is_err());
    }
}
