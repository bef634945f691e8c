//! Who finds a place, and in which order places are served.

use super::*;

/// Opens the one worker of a pool, and what was done since, in order.
struct Held {
    pool: Pool,
    open: mpsc::Sender<()>,
    done: mpsc::Sender<&'static str>,
    was_done: mpsc::Receiver<&'static str>,
}

type Answer<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), PortError>> + 'a>>;

/// A pool whose only worker is at work until told, so that all else waits.
async fn held(queue: usize) -> Held {
    let pool = pool(1, queue);
    let (open, job) = gate();
    // Nobody need hear the answer: begun work is done to its end.
    let mut first = Box::pin(pool.run(Kind::Verify, job));
    begin(&mut first).await;
    until(&pool, |state| state.busy == 1).await;
    drop(first);
    let (done, was_done) = mpsc::channel();
    Held {
        pool,
        open,
        done,
        was_done,
    }
}

impl Held {
    /// Asks for a job that writes its name down; the answer is outstanding when it found a place.
    async fn ask(&self, kind: Kind, name: &'static str) -> Result<Answer<'_>, PortError> {
        let done = self.done.clone();
        let mut answer: Answer<'_> =
            Box::pin(self.pool.run(kind, move |_| done.send(name).unwrap_or_default()));
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(answer.as_mut().poll(cx))).await;
        match first {
            std::task::Poll::Ready(Err(error)) => Err(error),
            std::task::Poll::Ready(Ok(())) | std::task::Poll::Pending => Ok(answer),
        }
    }

    /// Asks again and again; the answers of those that found a place.
    async fn flood(&self, kind: Kind, name: &'static str) -> Vec<Answer<'_>> {
        let mut answers = Vec::new();
        for _ in 0..60 {
            answers.extend(self.ask(kind, name).await);
        }
        answers
    }

    /// Lets the worker go on; the names of the next `count` jobs it does, in order.
    fn go_on(&self, count: usize) -> Vec<&'static str> {
        self.open.send(()).unwrap();
        (0..count)
            .map(|_| self.was_done.recv_timeout(SOON).expect("the job is done"))
            .collect()
    }
}

fn retry_after(answer: Result<Answer<'_>, PortError>) -> Lifetime {
    match answer.err() {
        Some(PortError::Busy { retry_after }) => retry_after,
        other => panic!("not busy, but {other:?}"),
    }
}

#[tokio::test]
async fn a_flood_of_hashes_leaves_verifications_their_places_and_the_first_turns() {
    let held = held(9).await;
    let hashes = held.flood(Kind::Hash, "hash").await;
    assert_eq!(hashes.len(), 3, "a third of the places");
    let verifications = held.flood(Kind::Verify, "verify").await;
    assert_eq!(verifications.len(), 6, "all other places");
    assert_eq!(
        held.go_on(9),
        [
            "verify", "verify", "verify", "hash", "verify", "verify", "verify", "hash", "hash"
        ]
    );
}

#[tokio::test]
async fn a_flood_of_hashes_finds_no_more_room_before_threads_wake() {
    let pool = pool(2, 6);
    let gates: Vec<_> = (0..60).map(|_| gate()).collect();
    let mut waiting = Vec::new();
    let (_open, jobs): (Vec<_>, Vec<_>) = gates.into_iter().unzip();
    for job in jobs {
        let mut answer = Box::pin(pool.run(Kind::Hash, job));
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(answer.as_mut().poll(cx))).await;
        if first.is_pending() {
            waiting.push(answer);
        }
    }
    assert_eq!(waiting.len(), 4, "both threads and a third of the places");
}

#[tokio::test]
async fn hashes_have_every_fourth_turn_however_many_verifications_come() {
    let held = held(90).await;
    let _verifications = held.flood(Kind::Verify, "verify").await;
    let _first = held.ask(Kind::Hash, "first hash").await.unwrap();
    let _second = held.ask(Kind::Hash, "second hash").await.unwrap();
    let done = held.go_on(8);
    assert_eq!((done[3], done[7]), ("first hash", "second hash"));
}

#[tokio::test]
async fn an_abandoned_hash_takes_neither_a_place_nor_a_turn() {
    let held = held(3).await;
    let leaving = held.ask(Kind::Hash, "abandoned").await.unwrap();
    assert!(held.ask(Kind::Hash, "refused").await.is_err());
    drop(leaving);
    let staying = held.ask(Kind::Hash, "hash").await.unwrap();
    let _verification = held.ask(Kind::Verify, "verify").await.unwrap();
    assert_eq!(held.go_on(2), ["verify", "hash"]);
    staying.await.unwrap();
}

#[tokio::test]
async fn the_smallest_queue_has_a_place_for_either_kind() {
    for kind in [Kind::Verify, Kind::Hash] {
        let held = held(1).await;
        let _waiting = held.ask(kind, "waiting").await.unwrap();
        assert!(held.ask(kind, "refused").await.is_err());
        assert_eq!(held.go_on(1), ["waiting"]);
    }
}

#[tokio::test]
async fn each_kind_is_told_the_time_of_what_goes_before_it() {
    let held = held(9).await;
    held.pool.0.lock().measure(Duration::from_secs(1));
    let _hashes = held.flood(Kind::Hash, "hash").await;
    // One at work and three hashes.
    let refused = held.ask(Kind::Hash, "refused").await;
    assert_eq!(retry_after(refused), Lifetime::from_secs(4));
    let _verifications = held.flood(Kind::Verify, "verify").await;
    // One at work, six verifications, and the two hashes whose turn comes between them.
    let refused = held.ask(Kind::Verify, "refused").await;
    assert_eq!(retry_after(refused), Lifetime::from_secs(9));
    // All of them: each hash lets three verifications go first.
    let refused = held.ask(Kind::Hash, "refused").await;
    assert_eq!(retry_after(refused), Lifetime::from_secs(10));
    assert_eq!(held.go_on(9).len(), 9);
}
