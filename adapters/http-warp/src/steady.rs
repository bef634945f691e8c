//! Answers that must not tell by their time who exists.

use std::time::Duration;

/// Longer than a look-up, three writes and a mail handed over take; short for a person.
const FLOOR: Duration = Duration::from_millis(100);

/// Answers no earlier than [`FLOOR`] after it began, whatever the work found to do.
pub async fn steady<T>(work: impl Future<Output = T>) -> T {
    let (done, ()) = tokio::join!(work, tokio::time::sleep(FLOOR));
    done
}
