//! What people were promised.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One account and what its owner was told about it.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// Its address.
    pub email: String,
    /// Its id.
    pub id: String,
    /// Passwords it may have: more than one where a change was not answered.
    pub passwords: Vec<String>,
    /// The last change that was acknowledged.
    pub counter: Option<u64>,
    /// Changes that were not answered: they may have happened, at any time.
    pub unanswered: Vec<u64>,
    /// Tokens that were given out and not ended.
    pub live: Vec<String>,
    /// Tokens whose end was acknowledged.
    pub ended: Vec<String>,
}

#[derive(Default)]
struct Pages {
    lives: Vec<Life>,
    counts: BTreeMap<&'static str, u64>,
    wrong: Vec<String>,
    slowest: Duration,
}

/// The book of all promises of one test.
#[derive(Default)]
pub struct Book {
    pages: Mutex<Pages>,
    closing: AtomicBool,
}

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something.
    pub fn count(&self, what: &'static str) {
        *self.pages().counts.entry(what).or_default() += 1;
    }

    /// How often something was counted.
    pub fn counted(&self, what: &str) -> u64 {
        self.pages().counts.get(what).copied().unwrap_or_default()
    }

    /// Writes down what must never happen.
    pub fn wrong(&self, what: String) {
        eprintln!("wrong: {what}");
        self.pages().wrong.push(what);
    }

    /// Writes down how long an answer took.
    pub fn took(&self, span: Duration) {
        let mut pages = self.pages();
        pages.slowest = pages.slowest.max(span);
    }

    /// Writes an account down.
    pub fn keep(&self, life: Life) {
        self.pages().lives.push(life);
    }

    /// Every account.
    pub fn lives(&self) -> Vec<Life> {
        self.pages().lives.clone()
    }

    /// Tells everybody to come to an end.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// Whether it is time to come to an end.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// The counts in one line.
    fn line(&self) -> String {
        let pages = self.pages();
        let counts = pages.counts.iter().map(|(what, count)| format!("{what} {count}"));
        let counts: Vec<String> = counts.collect();
        format!("{}; slowest answer {:.1?}", counts.join(", "), pages.slowest)
    }

    /// Prints the counts, and ends the test where something was wrong.
    ///
    /// # Panics
    /// When something was.
    pub fn settle(&self, test: &str) {
        eprintln!("{test}: {}", self.line());
        let pages = self.pages();
        assert!(pages.wrong.is_empty(), "{test}: {:#?}", pages.wrong);
    }
}
