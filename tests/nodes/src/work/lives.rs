//! Sign up, log in, change one's record, log out, and again.

use serde_json::json;

use super::PAUSE;
use crate::ask::{Answer, Asker};
use crate::book::Life;
use crate::town::View;

const PASSWORD: &str = "a gate of oak and iron";

/// One life after another.
pub async fn live(view: View, number: usize) {
    let asker = view.asker;
    let mut round = 0_u64;
    while !asker.book().is_closing() {
        let email = format!("life-{number}-{round}@example.com");
        if let Some(mut life) = sign_up(&asker, "Users", &email).await {
            one_day(&asker, &mut life, round.is_multiple_of(2)).await;
            asker.book().keep(life);
        }
        round += 1;
    }
}

/// Signs somebody up, however often it takes; none when the book was closed before that was answered.
pub async fn sign_up(asker: &Asker, pool: &str, email: &str) -> Option<Life> {
    let path = format!("/api/{pool}");
    let form = json!({ "email": email, "password": PASSWORD });
    loop {
        match asker.post(&path, &form).await {
            Answer::Done(reply) => {
                return Some(Life {
                    email: email.to_owned(),
                    id: reply.at("id"),
                    passwords: vec![PASSWORD.to_owned()],
                    ..Life::default()
                });
            }
            // An earlier try came through unanswered: whoever signed up then is not known here.
            Answer::Refused(reply) if reply.status == 422 => return None,
            Answer::Refused(reply) => {
                asker
                    .book()
                    .wrong(format!("sign-up {}: {}", reply.status, reply.text));
                return None;
            }
            Answer::Away | Answer::Unknown if asker.book().is_closing() => return None,
            Answer::Away | Answer::Unknown => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Logs somebody in, however often it takes.
pub async fn log_in(asker: &Asker, life: &Life) -> Option<String> {
    loop {
        for password in &life.passwords {
            let form = json!({ "email": life.email, "password": password });
            match asker.post("/api/Users/login", &form).await {
                Answer::Done(reply) => return Some(reply.at("id")),
                Answer::Refused(_) if life.passwords.len() > 1 => {}
                Answer::Refused(reply) => {
                    let (email, status) = (&life.email, reply.status);
                    asker
                        .book()
                        .wrong(format!("{email} cannot log in: {status} {}", reply.text));
                    return None;
                }
                Answer::Away | Answer::Unknown => tokio::time::sleep(PAUSE).await,
            }
        }
        if asker.book().is_closing() {
            return None;
        }
    }
}

async fn one_day(asker: &Asker, life: &mut Life, logs_out: bool) {
    let Some(token) = log_in(asker, life).await else {
        return;
    };
    let me = asker.with(&token);
    let path = format!("/api/Users/{}", life.id);
    for counter in 1..=3_u64 {
        match me.patch(&path, &json!({ "counter": counter })).await {
            Answer::Done(_) => life.counter = Some(counter),
            Answer::Away | Answer::Unknown => life.unanswered.push(counter),
            // The keeper of sessions lost it, which only some faults may do; the record is as it was.
            Answer::Refused(reply) if reply.status == 401 => {
                asker.book().count("sessions forgotten");
                return;
            }
            // Somebody else changed the record meanwhile: an earlier try of ours that was not answered.
            Answer::Refused(reply) if reply.status == 409 => {}
            Answer::Refused(reply) => {
                asker
                    .book()
                    .wrong(format!("a change is refused: {} {}", reply.status, reply.text));
            }
        }
    }
    if !logs_out {
        life.live.push(token);
        return;
    }
    match me.post("/api/Users/logout", &json!({})).await {
        Answer::Done(_) => life.ended.push(token),
        Answer::Refused(reply) if reply.status == 401 => asker.book().count("sessions forgotten"),
        Answer::Refused(reply) => asker.book().wrong(format!("no way out: {}", reply.text)),
        Answer::Away | Answer::Unknown => {}
    }
}
