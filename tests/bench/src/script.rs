//! What a connection of the load generator says, and which answers it takes for right.

use crate::wire::Answer;

/// One connection's part. It never runs out: the clock ends it.
pub trait Script: Send + Sync {
    /// The next request.
    fn next(&mut self) -> &[u8];
    /// Whether that was the right answer to it.
    fn is_right(&self, answer: &Answer<'_>) -> bool;
}

/// A request and its one right answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request.
    pub request: Vec<u8>,
    /// The answer: 200 with exactly this body; any body when none is given.
    pub body: Option<Vec<u8>>,
}

/// The same exchanges, one after another and again.
#[derive(Clone, Debug)]
pub struct Cycle {
    exchanges: Vec<Exchange>,
    at: usize,
}

impl Cycle {
    /// Begins with the `first` of them, so that connections do not walk in step.
    pub fn new(exchanges: Vec<Exchange>, first: usize) -> Self {
        let at = first.checked_rem(exchanges.len()).unwrap_or(0);
        Self { exchanges, at }
    }
}

impl Script for Cycle {
    fn next(&mut self) -> &[u8] {
        self.at = (self.at + 1).checked_rem(self.exchanges.len()).unwrap_or(0);
        self.exchanges
            .get(self.at)
            .map(|exchange| exchange.request.as_slice())
            .unwrap_or_default()
    }

    fn is_right(&self, answer: &Answer<'_>) -> bool {
        let expected = self
            .exchanges
            .get(self.at)
            .and_then(|exchange| exchange.body.as_deref());
        answer.head.status == 200 && expected.is_none_or(|expected| expected == answer.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(request: &str, body: Option<&str>) -> Exchange {
        Exchange {
            request: request.as_bytes().to_vec(),
            body: body.map(|body| body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn exchanges_come_in_turn_and_again() {
        let mut cycle = Cycle::new(vec![exchange("a", None), exchange("b", None)], 5);
        let said: Vec<u8> = (0..4).filter_map(|_| cycle.next().first().copied()).collect();
        assert_eq!(said, b"abab");
    }

    #[test]
    fn an_answer_is_right_byte_by_byte() {
        let answer = |text: &'static str| Answer::read(text.as_bytes()).unwrap().unwrap();
        let mut cycle = Cycle::new(vec![exchange("a", Some("yes"))], 0);
        cycle.next();
        assert!(cycle.is_right(&answer("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes")));
        assert!(!cycle.is_right(&answer("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyet")));
        assert!(!cycle.is_right(&answer("HTTP/1.1 401 No\r\ncontent-length: 3\r\n\r\nyes")));
    }
}
