//! Whether every promise was kept.

use super::lives;
use crate::ask::Answer;
use crate::book::Life;
use crate::town::View;

/// What a fault may do to sessions that nobody ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// Nothing.
    Kept,
    /// Their keeper may forget them: people log in again.
    MayBeForgotten,
}

/// Looks every promise up, at a town that is whole again.
///
/// # Panics
/// When one was broken, after the counts are printed.
pub async fn prove(view: &View, test: &str, sessions: Sessions) {
    let book = view.asker.book();
    for life in book.lives() {
        book.count("accounts acknowledged");
        look_up(view, &life).await;
        look_at_tokens(view, &life, sessions).await;
    }
    assert!(book.counted("accounts found") > 0, "{test}: nobody did anything");
    book.settle(test);
}

async fn look_up(view: &View, life: &Life) {
    let (asker, book) = (&view.asker, view.asker.book());
    let Some(token) = lives::log_in(asker, life).await else {
        book.wrong(format!("lost: {} cannot log in any more", life.email));
        return;
    };
    let Answer::Done(record) = asker.with(&token).get(&format!("/api/Users/{}", life.id)).await else {
        book.wrong(format!("lost: the record of {}", life.email));
        return;
    };
    book.count("accounts found");
    let counter = record.json().get("counter").and_then(serde_json::Value::as_u64);
    let unanswered = counter.is_some_and(|counter| life.unanswered.contains(&counter));
    if counter != life.counter && !unanswered {
        let (email, promised) = (&life.email, life.counter);
        book.wrong(format!(
            "lost: a change of {email}: it says {counter:?}, promised was {promised:?}"
        ));
    }
}

async fn look_at_tokens(view: &View, life: &Life, sessions: Sessions) {
    let book = view.asker.book();
    let path = format!("/api/Users/{}", life.id);
    for token in &life.ended {
        for node in view.nodes() {
            match node.with(token).get(&path).await.status {
                401 => book.count("ended sessions refused"),
                status => book.wrong(format!("an ended session of {} is good for {status}", life.email)),
            }
        }
    }
    for token in &life.live {
        match (
            view.node(life.email.len()).with(token).get(&path).await.status,
            sessions,
        ) {
            (200, _) => book.count("live sessions found"),
            (401, Sessions::MayBeForgotten) => book.count("live sessions forgotten"),
            (status, _) => book.wrong(format!("a live session of {} is good for {status}", life.email)),
        }
    }
}
