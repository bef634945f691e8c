//! `kill -9` in the middle of callbacks leaves legal states alone.

use std::time::Duration;

use e2e::{Counterparty, Portcullis};
use futures_util::future::join_all;
use serde_json::json;

use super::entries::{self, Arrived, arrive, callback, file, json_entry, linking, panva};

/// Moments at which the power fails.
const MOMENTS: u64 = 30;

#[tokio::test]
async fn a_kill_in_the_middle_of_callbacks_leaves_nothing_or_the_whole() {
    let party = Counterparty::panva().await;
    let setup = Portcullis::setup().providers(&file([
        ("panva", json_entry(panva(&party, "web"))),
        ("link", json_entry(linking(panva(&party, "web")))),
    ]));
    let mut server = setup.start().await;
    let (mut finished, mut lost) = (0, 0);
    for moment in 0..MOMENTS {
        let (newcomer, linked) = (format!("newcomer-{moment}"), format!("linked-{moment}"));
        party.next(&newcomer).await;
        let mut first = server.browser().as_program();
        let first_back = callback(&server, &mut first, "panva").await;

        let ann = server.client().sign_up(&format!("ann-{moment}")).await;
        let me = Arrived {
            token: server.client().log_in(&ann).await,
            user: ann.id,
        };
        party.next(&linked).await;
        let mut second = server.browser().as_program();
        let begun = entries::begin_link(&server, &second, "link", &me.token)
            .await
            .expect(200);
        let home = server.at("/");
        let second_back = second
            .follow_until(&begun.at("url"), |url| url.starts_with(&home))
            .await;

        let callbacks = join_all([first.try_peek(&first_back), second.try_peek(&second_back)]);
        let kill = tokio::time::sleep(Duration::from_micros(moment * 700));
        let answers = tokio::select! {
            answers = callbacks => answers,
            () = kill => vec![None, None],
        };
        server = server.kill_and_restart().await;

        // Logging in: nobody, or a user with their identity; the next try completes it either way.
        party.next(&newcomer).await;
        let who = arrive(&server, "panva").await;
        assert_eq!(entries::identities(&server, &who).await.len(), 1);
        if let Some(reply) = answers[0].as_ref().filter(|reply| reply.status == 200) {
            finished += 1;
            assert_eq!(reply.at("userId"), who.user, "what was acknowledged is there");
            let token = reply.at("access_token");
            server
                .client()
                .with(&token)
                .get("/api/Users/me")
                .await
                .expect(200)
                .done();
        }
        // Linking: nothing, or the identity with its grant; never half of it.
        let (identities, grants) = (
            entries::identities(&server, &me).await,
            entries::credentials(&server, &me).await,
        );
        assert_eq!(
            identities.len(),
            grants.len(),
            "half a link: {identities:?} {grants:?}"
        );
        if answers[1].as_ref().is_some_and(|reply| reply.status == 200) {
            assert_eq!(identities.len(), 1, "what was acknowledged is there");
        }
        if identities.is_empty() {
            lost += 1;
            party.next(&linked).await;
            let mut again = server.browser().as_program();
            let begun = entries::begin_link(&server, &again, "link", &me.token)
                .await
                .expect(200);
            again.open(&begun.at("url")).await.expect(200).done();
        }
        party.next(&linked).await;
        assert_eq!(arrive(&server, "panva").await.user, me.user);
        // A way that was spent stays spent, one that was not was lost with nothing done.
        let replay = first.try_peek(&first_back).await;
        assert!(replay.is_none_or(|reply| reply.status == 401 || reply.at("userId") == who.user));
    }
    assert!(
        lost > 0 && finished > 0,
        "no kill hit the middle: {finished} finished, {lost} lost"
    );
    server
        .client()
        .post("/api/Users/reset", json!({ "email": "nobody@example.com" }))
        .await
        .expect(204)
        .done();
}
