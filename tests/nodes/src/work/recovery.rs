//! Somebody who forgets a password again and again, and uses each mailed token three times at once, at three nodes.

use std::collections::BTreeSet;

use e2e::in_link;
use futures_util::future::join_all;
use serde_json::json;

use super::{PAUSE, lives};
use crate::ask::{Answer, Asker};
use crate::book::{Book, Life};
use crate::town::View;

/// Forgets.
pub async fn forget(view: View) {
    let asker = view.asker.clone();
    let Some(mut life) = lives::sign_up(&asker, "Users", "forgetful@example.com").await else {
        return;
    };
    let mut used = BTreeSet::new();
    let mut round = 0;
    while !asker.book().is_closing() {
        round += 1;
        let Some(token) = mailed(&view, &life, &mut used).await else {
            continue;
        };
        let wishes: Vec<String> = (0..3)
            .map(|node| format!("forgotten {round} at {node}"))
            .collect();
        let tries = wishes.iter().enumerate().map(|(node, wish)| {
            let at_node = Asker::new(view.node(node), asker.shared_book()).with(&token);
            async move {
                at_node
                    .post("/api/Users/reset-password", &json!({ "newPassword": wish }))
                    .await
            }
        });
        let answers = join_all(tries).await;
        judge(asker.book(), &mut life, &wishes, &answers);
    }
    asker.book().keep(life);
}

/// A token that nobody used yet.
async fn mailed(view: &View, life: &Life, used: &mut BTreeSet<String>) -> Option<String> {
    let _ = view
        .asker
        .post("/api/Users/reset", &json!({ "email": life.email }))
        .await;
    for _ in 0..20 {
        for mail in view.mails(&life.email) {
            let link = mail.split_whitespace().find(|word| word.starts_with("http"));
            let token = link
                .filter(|link| link.contains("token="))
                .map(|link| in_link(link, "token"));
            if let Some(token) = token.filter(|token| used.insert(token.clone())) {
                return Some(token);
            }
        }
        tokio::time::sleep(PAUSE / 4).await;
    }
    None
}

fn judge(book: &Book, life: &mut Life, wishes: &[String], answers: &[Answer]) {
    let done = || {
        answers
            .iter()
            .zip(wishes)
            .filter(|(answer, _)| matches!(answer, Answer::Done(_)))
    };
    if done().count() > 1 {
        book.wrong("a reset token was spent twice".to_owned());
    }
    book.count("reset tokens");
    if let Some((_, wish)) = done().next() {
        book.count("reset tokens spent");
        life.passwords = vec![wish.clone()];
    } else {
        let unheard = answers.iter().zip(wishes);
        let unheard = unheard.filter(|(answer, _)| matches!(answer, Answer::Away | Answer::Unknown));
        life.passwords.extend(unheard.map(|(_, wish)| wish.clone()));
    }
}
