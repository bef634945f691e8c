//! What the server writes: lines, in order, as they come.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long anything the server writes may take to arrive. Far more than it needs, so that a busy machine fails no test.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// One output of the server.
#[derive(Clone, Default)]
pub struct Console {
    lines: Arc<Mutex<Vec<String>>>,
    /// Per name, how many codes were taken.
    taken: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Console {
    /// Reads an output until it ends.
    pub fn reading(output: impl Read + Send + 'static) -> Self {
        let console = Self::default();
        let lines = Arc::clone(&console.lines);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(output);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                line.clear();
            }
        });
        console
    }

    /// Everything so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything so far, as one text.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// The first line from `from` on in which `find` finds something.
    ///
    /// # Panics
    /// When none comes in time.
    pub async fn wait<T>(&self, what: &str, from: usize, find: impl Fn(&str) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            let lines = self.lines();
            if let Some(found) = lines.iter().skip(from).find_map(|line| find(line)) {
                return found;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{what} did not appear in:\n{}",
                lines.join("\n")
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Every code printed for a name, in order.
    pub fn codes(&self, name: &str) -> Vec<String> {
        let start = format!("Two factor code for {name}: ");
        let lines = self.lines();
        lines
            .iter()
            .filter_map(|line| line.strip_prefix(&start))
            .map(str::to_owned)
            .collect()
    }

    /// How many codes were printed, for whomever.
    pub fn codes_in_all(&self) -> usize {
        self.lines()
            .iter()
            .filter(|line| line.starts_with("Two factor code for "))
            .count()
    }

    /// The next code for a name: every call takes one more.
    ///
    /// # Panics
    /// When none comes in time.
    pub async fn code(&self, name: &str) -> String {
        let position = {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let position = taken.entry(name.to_owned()).or_default();
            *position += 1;
            *position - 1
        };
        let begun = Instant::now();
        loop {
            if let Some(code) = self.codes(name).get(position) {
                return code.clone();
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "no code for {name} in:\n{}",
                self.text()
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Every mail to an address, in order, as printed.
    pub fn mails(&self, address: &str) -> Vec<String> {
        let (lines, to) = (self.lines(), format!("To: {address}"));
        let starts = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| **line == to)
            .map(|(at, _)| at);
        // The sender stands on the line above.
        let whole = |at: usize| {
            let mail = lines
                .iter()
                .skip(at)
                .take_while(|line| !line.starts_with("From: "));
            mail.cloned().collect::<Vec<_>>().join("\n")
        };
        starts.map(whole).collect()
    }

    /// How many mails were printed, but for those of [`settle`](crate::Portcullis::settle).
    pub fn mails_in_all(&self) -> usize {
        let lines = self.lines();
        let to = lines.iter().filter(|line| line.starts_with("To: "));
        to.filter(|line| !line.ends_with("@marks.example")).count()
    }

    /// The link of the `nth` mail to an address, counted from zero.
    ///
    /// # Panics
    /// When none comes in time.
    pub async fn link(&self, address: &str, nth: usize) -> String {
        let begun = Instant::now();
        loop {
            let mails = self.mails(address);
            let link = mails.get(nth).and_then(|mail| {
                let words = mail.split_whitespace();
                words
                    .filter(|word| word.starts_with("http"))
                    .map(str::to_owned)
                    .next()
            });
            if let Some(link) = link {
                return link;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "no mail {nth} to {address} in:\n{}",
                self.text()
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// The value of a name in a link's query.
///
/// # Panics
/// When it is not there.
pub fn in_link(link: &str, name: &str) -> String {
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
        .next();
    value.unwrap_or_else(|| panic!("no {name} in {link}"))
}
