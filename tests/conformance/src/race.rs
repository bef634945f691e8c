//! Calls that start at one moment, and calls that are many.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Barrier;

/// Runs `racers` calls in tasks of their own that all start together, and gives their answers in the order of their numbers.
pub async fn race<T, F, Call>(racers: usize, call: Call) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
    Call: Fn(usize) -> F,
{
    let start = Arc::new(Barrier::new(racers));
    let tasks: Vec<_> = (0..racers)
        .map(|number| {
            let (start, call) = (Arc::clone(&start), call(number));
            tokio::spawn(async move {
                start.wait().await;
                call.await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(racers);
    for task in tasks {
        answers.push(task.await.expect("no racer panics"));
    }
    answers
}

/// Runs `calls` calls, `at_once` of them at a time.
pub async fn crowd<F, Call>(calls: usize, at_once: usize, call: Call)
where
    F: Future<Output = ()> + Send + 'static,
    Call: Fn(usize) -> F + Send + Sync + 'static,
{
    let call = Arc::new(call);
    let workers: Vec<_> = (0..at_once)
        .map(|worker| {
            let call = Arc::clone(&call);
            tokio::spawn(async move {
                for number in (worker..calls).step_by(at_once) {
                    call(number).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("no call panics");
    }
}
