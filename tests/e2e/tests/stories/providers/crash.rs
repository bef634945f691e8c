//! `kill -9` in the middle of callbacks leaves legal states alone.

use std::time::{Duration, Instant};

use e2e::{Browser, Counterparty, Portcullis, Reply};
use futures_util::future::join_all;
use serde_json::json;

use super::entries::{self, Arrived, arrive, callback, evil, file, json_entry, linking};

/// Moments at which the power fails.
const MOMENTS: u32 = 30;

#[tokio::test]
async fn a_kill_in_the_middle_of_callbacks_leaves_nothing_or_the_whole() {
    let party = Counterparty::evil_oidc().await;
    let setup = Portcullis::setup().providers(&file([
        ("one", json_entry(evil(&party, "one"))),
        ("two", json_entry(evil(&party, "two"))),
        ("link", json_entry(linking(evil(&party, "two")))),
    ]));
    let mut server = setup.start().await;
    let usual = usual_time(&server).await;
    let (mut opened, mut lost) = (0, 0);
    for moment in 0..MOMENTS {
        let (newcomer, linked) = (format!("newcomer-{moment}"), format!("linked-{moment}"));
        party
            .claims("one", json!({ "sub": format!("ann-{moment}") }))
            .await;
        let ann = arrive(&server, "one").await;
        party.claims("one", json!({ "sub": newcomer })).await;
        party.claims("two", json!({ "sub": linked })).await;
        let mut first = server.browser().as_program();
        let first_back = callback(&server, &mut first, "one").await;
        let (second, second_back) = link_begun(&server, &ann).await;

        let callbacks = join_all([first.try_peek(&first_back), second.try_peek(&second_back)]);
        let answers = if moment + 1 == MOMENTS {
            // The last one comes too late for them.
            let answers = callbacks.await;
            server.kill();
            answers
        } else {
            let power_cut = async {
                tokio::time::sleep(usual * moment / (MOMENTS * 3 / 4)).await;
                server.kill();
            };
            tokio::join!(callbacks, power_cut).0
        };
        server = server.kill_and_restart().await;

        let user = judge_login(&server, answers[0].as_ref(), &mut opened).await;
        judge_link(&server, &ann, answers[1].as_ref(), &mut lost).await;
        // A way that was spent stays spent; one that was not was lost with nothing done.
        let replay = first.try_peek(&first_back).await;
        assert!(replay.is_none_or(|reply| reply.status == 401 || reply.at("userId") == user));
    }
    assert!(
        lost > 0 && opened > 0,
        "no kill hit the middle: {opened} opened, {lost} lost"
    );
}

/// Logging in left nobody, or a user with their identity, and the next try completes it either way.
async fn judge_login(server: &Portcullis, answer: Option<&Reply>, opened: &mut u32) -> String {
    let who = arrive(server, "one").await;
    assert_eq!(entries::identities(server, &who).await.len(), 1);
    if let Some(reply) = answer.filter(|reply| reply.status == 200) {
        *opened += 1;
        assert_eq!(reply.at("userId"), who.user, "what was acknowledged is there");
        let client = server.client().with(&reply.at("access_token"));
        client.get("/api/Users/me").await.expect(200).done();
    }
    who.user
}

/// Linking left nothing, or the identity with its grant; never half of it.
async fn judge_link(server: &Portcullis, ann: &Arrived, answer: Option<&Reply>, lost: &mut u32) {
    let identities = entries::identities(server, ann).await;
    let grants = entries::credentials(server, ann).await;
    assert_eq!(
        identities.len(),
        grants.len(),
        "half a link: {identities:?} {grants:?}"
    );
    if answer.is_some_and(|reply| reply.status == 200) {
        assert_eq!(identities.len(), 2, "what was acknowledged is there");
    }
    if identities.len() == 1 {
        *lost += 1;
        let (browser, back) = link_begun(server, ann).await;
        browser.peek(&back).await.expect(200).done();
    }
    assert_eq!(arrive(server, "two").await.user, ann.user);
}

/// A link of which only the callback is left.
async fn link_begun(server: &Portcullis, ann: &Arrived) -> (Browser, String) {
    let mut browser = server.browser().as_program();
    let begun = entries::begin_link(server, &browser, "link", &ann.token)
        .await
        .expect(200);
    let home = server.at("/");
    let back = browser
        .follow_until(&begun.at("url"), |url| url.starts_with(&home))
        .await;
    (browser, back)
}

/// How long two such callbacks take when nobody disturbs them.
async fn usual_time(server: &Portcullis) -> Duration {
    let mut ways = Vec::new();
    for entry in ["one", "two"] {
        let mut browser = server.browser().as_program();
        let back = callback(server, &mut browser, entry).await;
        ways.push((browser, back));
    }
    let begun = Instant::now();
    join_all(ways.iter().map(|(browser, back)| browser.peek(back))).await;
    begun.elapsed()
}
