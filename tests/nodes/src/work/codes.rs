//! Somebody who logs in by code, and types each code three times at once, at three nodes.

use futures_util::future::join_all;
use serde_json::json;

use super::{PAUSE, lives};
use crate::ask::{Answer, Asker};
use crate::town::View;

/// Types codes.
pub async fn type_codes(view: View) {
    let asker = view.asker.clone();
    let Some(life) = lives::sign_up(&asker, "Employees", "coder@example.com").await else {
        return;
    };
    let password = life.passwords.first().cloned().unwrap_or_default();
    let credentials = json!({ "email": life.email, "password": password });
    while !asker.book().is_closing() {
        let seen = view.codes(&life.email).len();
        let Answer::Done(reply) = asker.post("/api/Employees/requestCode", &credentials).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let challenge = reply.at("challenge");
        // Which node printed it is not known; a moment later than the answer at most.
        tokio::time::sleep(PAUSE / 4).await;
        let codes = view.codes(&life.email);
        if codes.len() <= seen {
            continue;
        }
        let mut opened = 0;
        for code in codes.iter().rev().take(3) {
            let typed = json!({ "email": life.email, "twofactor": code, "challenge": challenge });
            let tries = view.nodes().into_iter().map(|node| {
                let (at_node, typed) = (Asker::new(node, asker.shared_book()), typed.clone());
                async move { at_node.post("/api/Employees/loginWithCode", &typed).await }
            });
            let answers = join_all(tries).await;
            opened += answers
                .iter()
                .filter(|answer| matches!(answer, Answer::Done(_)))
                .count();
        }
        asker.book().count("codes");
        if opened > 0 {
            asker.book().count("codes spent");
        }
        if opened > 1 {
            asker.book().wrong(format!("a code was spent {opened} times"));
        }
    }
}
