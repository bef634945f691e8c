mod turns;

use std::sync::mpsc;

use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(20);

fn pool(workers: usize, queue: usize) -> Pool {
    Pool::new(Bounds {
        workers,
        queue,
        blocks: 8,
        idle: SOON,
    })
}

/// Work that lasts until its sender sends or is dropped.
fn gate() -> (mpsc::Sender<()>, impl FnOnce(&mut Memory) + Send + 'static) {
    let (open, opened) = mpsc::channel();
    (open, move |_: &mut Memory| opened.recv().unwrap_or_default())
}

/// Polls a future once, so that its job is in the pool.
async fn begin<F: Future + Unpin>(future: &mut F) {
    let once = std::future::poll_fn(|cx| {
        assert!(std::pin::Pin::new(&mut *future).poll(cx).is_pending());
        std::task::Poll::Ready(())
    });
    once.await;
}

async fn until(pool: &Pool, reached: impl Fn(&State) -> bool) {
    let reaching = async {
        while !reached(&pool.0.lock()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(SOON, reaching).await.expect("the state is reached");
}

#[tokio::test]
async fn there_is_no_thread_before_the_first_job() {
    let pool = pool(2, 2);
    assert_eq!(pool.0.lock().threads, 0);
    assert_eq!(pool.run(Kind::Verify, |_| 7).await.unwrap(), 7);
    assert_eq!(pool.0.lock().threads, 1);
}

#[tokio::test]
async fn one_caller_after_the_other_needs_one_thread() {
    let pool = pool(4, 4);
    for round in 0..100 {
        assert_eq!(pool.run(Kind::Verify, move |_| round).await.unwrap(), round);
    }
    assert_eq!(pool.0.lock().threads, 1);
}

#[tokio::test]
async fn threads_end_when_there_is_nothing_to_do_and_come_back() {
    let pool = Pool::new(Bounds {
        workers: 2,
        queue: 2,
        blocks: 8,
        idle: Duration::from_millis(5),
    });
    pool.run(Kind::Verify, |_| ()).await.unwrap();
    until(&pool, |state| state.threads == 0).await;
    assert_eq!(pool.run(Kind::Verify, |_| 7).await.unwrap(), 7);
}

#[tokio::test]
async fn all_workers_work_at_the_same_time() {
    let pool = pool(2, 2);
    let (meet, other) = mpsc::channel();
    // Each of the two jobs ends only when the other has begun.
    let (left, right) = tokio::join!(
        pool.run(Kind::Verify, move |_| other.recv_timeout(SOON).is_ok()),
        pool.run(Kind::Verify, move |_| meet.send(()).is_ok()),
    );
    assert!(left.unwrap() && right.unwrap());
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once_and_says_for_how_long() {
    let pool = pool(1, 1);
    let (_at_work, first) = gate();
    let (_waiting, second) = gate();
    let (mut first, mut second) = (
        Box::pin(pool.run(Kind::Verify, first)),
        Box::pin(pool.run(Kind::Verify, second)),
    );
    begin(&mut first).await;
    begin(&mut second).await;
    let refused = pool.run(Kind::Verify, |_| ()).await;
    assert!(
        matches!(refused, Err(PortError::Busy { retry_after }) if retry_after >= Lifetime::from_secs(1)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_caller_that_goes_away_frees_its_place_and_its_work_is_never_done() {
    let pool = pool(1, 1);
    let (open, first) = gate();
    let mut first = Box::pin(pool.run(Kind::Verify, first));
    begin(&mut first).await;
    until(&pool, |state| state.busy == 1).await;
    let (done, was_done) = mpsc::channel();
    let mut leaving = Box::pin(pool.run(Kind::Verify, move |_| done.send(())));
    begin(&mut leaving).await;
    drop(leaving);
    let mut staying = Box::pin(pool.run(Kind::Verify, |_| 7));
    begin(&mut staying).await;
    open.send(()).unwrap();
    first.await.unwrap();
    assert_eq!(staying.await.unwrap(), 7);
    assert_eq!(
        was_done.recv(),
        Err(mpsc::RecvError),
        "the work was dropped undone"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn other_work_goes_on_while_a_job_is_done() {
    let pool = pool(1, 1);
    let (open, job) = gate();
    // On one runtime thread: were the job done there, the gate would never be opened.
    let (done, opened) = tokio::join!(pool.run(Kind::Verify, job), async { open.send(()) });
    done.unwrap();
    opened.unwrap();
}

#[tokio::test]
async fn a_panic_costs_one_answer_and_no_thread() {
    let pool = pool(1, 1);
    let broken = pool.run(Kind::Verify, |_| panic!("a broken job")).await;
    assert!(matches!(broken, Err(PortError::Unavailable { .. })), "{broken:?}");
    assert_eq!(pool.run(Kind::Verify, |_| 7).await.unwrap(), 7);
    assert_eq!(pool.0.lock().threads, 1);
}

#[tokio::test]
async fn a_dropped_pool_sends_its_threads_home() {
    let pool = pool(2, 2);
    pool.run(Kind::Verify, |_| ()).await.unwrap();
    let shared = Arc::downgrade(&pool.0);
    drop(pool);
    let gone = async {
        while shared.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(SOON, gone).await.expect("no thread holds the pool");
}

#[test]
fn the_wait_follows_the_measured_pace_and_the_queue() {
    let mut state = State {
        busy: 4,
        ..State::default()
    };
    state.measure(Duration::from_secs(3));
    assert_eq!(state.wait(Kind::Verify, 2), Lifetime::from_secs(6));
    state.measure(Duration::from_secs(11));
    assert_eq!(state.wait(Kind::Verify, 2), Lifetime::from_secs(8));
    state.pace = Some(Duration::MAX);
    assert!(state.wait(Kind::Verify, 1) > Lifetime::from_secs(u64::from(u32::MAX)));
}
