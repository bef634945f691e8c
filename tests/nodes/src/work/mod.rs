//! People who use the town without a pause, each in a task of their own, until the book is closed.

mod codes;
mod grants;
mod lives;
mod proof;
mod recovery;

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::town::View;

pub use grants::{Linked, link};
pub use proof::{Sessions, prove};

/// How long somebody waits who was told to come again.
const PAUSE: Duration = Duration::from_millis(100);

/// Sets everybody going: people who sign up, log in, change things and log out; who forget passwords; who type codes.
pub fn begin(view: &View) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    for number in 0..3 {
        tasks.push(tokio::spawn(lives::live(view.clone(), number)));
    }
    tasks.push(tokio::spawn(recovery::forget(view.clone())));
    tasks.push(tokio::spawn(codes::type_codes(view.clone())));
    tasks
}

/// Sets those going who use what they were granted elsewhere.
pub fn begin_with(view: &View, linked: Linked) -> Vec<JoinHandle<()>> {
    let mut tasks = begin(view);
    tasks.push(tokio::spawn(grants::use_grants(view.clone(), linked)));
    tasks
}

/// Tells everybody to come to an end, and waits for them.
///
/// # Panics
/// When one of them failed.
pub async fn end(view: &View, tasks: Vec<JoinHandle<()>>) {
    view.asker.book().close();
    for task in tasks {
        task.await.expect("nobody fails");
    }
}
