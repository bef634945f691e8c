//! Somebody who linked an account elsewhere and asks for its fresh token, three at once, at three nodes.

use futures_util::future::join_all;
use serde_json::json;

use super::PAUSE;
use crate::ask::{Answer, Asker};
use crate::town::View;

/// Somebody with an account elsewhere.
#[derive(Clone, Debug)]
pub struct Linked {
    /// Their id.
    pub user: String,
    /// Their access token.
    pub token: String,
    /// The entry they came by.
    pub entry: String,
}

/// Comes by an entry that answers in JSON.
///
/// # Panics
/// When that is refused.
pub async fn link(view: &View, entry: &str) -> Linked {
    let mut browser = view.asker.browser().as_program();
    let page = browser.open(&format!("{}/auth/{entry}", view.address())).await;
    let reply = page.reply.expect(200);
    Linked {
        user: reply.at("userId"),
        token: reply.at("access_token"),
        entry: entry.to_owned(),
    }
}

/// Asks for fresh tokens.
pub async fn use_grants(view: View, linked: Linked) {
    let asker = view.asker.clone();
    let path = format!("/api/Users/{}/credentials/{}/token", linked.user, linked.entry);
    let mut token = linked.token.clone();
    while !asker.book().is_closing() {
        let tries = view.nodes().into_iter().map(|node| {
            let (at_node, path) = (Asker::new(node, asker.shared_book()).with(&token), path.clone());
            async move { at_node.post(&path, &json!({})).await }
        });
        for answer in join_all(tries).await {
            match answer {
                Answer::Done(_) => asker.book().count("fresh tokens"),
                // The session was forgotten: come again.
                Answer::Refused(reply) if reply.status == 401 => {
                    token = link(&view, &linked.entry).await.token;
                    break;
                }
                Answer::Refused(reply) => {
                    asker
                        .book()
                        .wrong(format!("no fresh token: {} {}", reply.status, reply.text));
                }
                Answer::Away | Answer::Unknown => {}
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
