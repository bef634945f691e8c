//! Letters to one mail server: some lines are kept open for the next ones.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::ports::{Delivery, PortError};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::{SmtpConfig, SmtpError};
use crate::letter::Letter;
use crate::line::{self, Way};
use crate::trouble::{Stage, Trouble};

/// Lines that are open at once: what most servers take from one client.
const MAX_LINES: usize = 8;
/// Lines that are kept for the next letter, and for how long.
const MAX_PARKED: usize = 4;
const PARKED_FOR: Duration = Duration::from_secs(20);

/// A mail server, and the open lines to it.
pub struct Post {
    way: Way,
    patience: Duration,
    turns: Semaphore,
    parked: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Post {
    /// Makes ready to connect.
    ///
    /// # Errors
    /// [`SmtpError`]: authorities that cannot be used.
    pub fn open(config: &SmtpConfig) -> Result<Self, SmtpError> {
        Ok(Self {
            way: Way::new(config)?,
            patience: config.patience,
            turns: Semaphore::new(MAX_LINES),
            parked: Mutex::new(Vec::new()),
        })
    }

    /// Hands a letter over, in bounded time.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] where the server certainly does not have it and said nothing about it.
    pub async fn deliver(&self, letter: &Letter) -> Result<Delivery, PortError> {
        let told = AtomicBool::new(false);
        match timeout(self.patience, self.converse(letter, &told)).await {
            Ok(Ok(())) => Ok(Delivery::Sent),
            Ok(Err(trouble)) => {
                note(&trouble);
                trouble.judge()
            }
            Err(_) if told.load(Ordering::Relaxed) => Ok(Delivery::Unknown),
            Err(_) => Err(PortError::unavailable("the mail server does not answer in time")),
        }
    }

    async fn converse(&self, letter: &Letter, told: &AtomicBool) -> Result<(), Trouble> {
        let turn = self.turns.acquire().await;
        let _turn = turn.map_err(|closed| Trouble::broken(Stage::Hello, closed))?;
        if let Some(line) = self.take() {
            match self.hand_over(line, letter, told).await {
                Err(trouble) if trouble.is_idle_end() => {}
                done => return done,
            }
        }
        let line = self.way.open().await?;
        self.hand_over(line, letter, told).await
    }

    async fn hand_over(
        &self,
        mut line: AsyncSmtpConnection,
        letter: &Letter,
        told: &AtomicBool,
    ) -> Result<(), Trouble> {
        let done = line::hand_over(&mut line, letter, told).await;
        match &done {
            Ok(()) => self.park(line),
            Err(Trouble::Broken { .. }) => {}
            // The answer is known: nobody waits for a good-bye.
            Err(_) => drop(tokio::spawn(line::close(line))),
        }
        done
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.retain(|(_, since)| since.elapsed() < PARKED_FOR);
        parked.pop().map(|(line, _)| line)
    }

    fn park(&self, line: AsyncSmtpConnection) {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        if parked.len() < MAX_PARKED {
            parked.push((line, Instant::now()));
        }
    }
}

/// For the operator: the codes alone, for what servers say beside them may quote addresses.
fn note(trouble: &Trouble) {
    match trouble {
        Trouble::Answered {
            stage,
            code,
            enhanced,
        } => {
            let (subject, detail) = enhanced.unwrap_or_default();
            tracing::warn!(?stage, code, subject, detail, "the mail server says no");
        }
        Trouble::Broken { stage, why } => tracing::warn!(?stage, why, "the line to the mail server broke"),
        Trouble::NoWayToLogIn => tracing::warn!("the mail server offers no way to log in that is known here"),
        Trouble::NoUtf8 => tracing::warn!("the mail server takes no addresses beyond ASCII"),
    }
}
