//! A stamp that is given anew is given by the server whose record was asked about, and by no later one.

use std::sync::{Arc, Mutex};

use conformance::sample::{key, session};
use domain::ports::SessionStore;
use servers::Redis;
use tokio::runtime::Handle;

use crate::common::{config, open, prefix, until};
use crate::stones::Stones;

#[test]
fn what_was_ended_and_lost_again_while_the_store_was_asked_is_not_stamped() {
    conformance::run(async {
        let server = Arc::new(Mutex::new(Redis::start()));
        let url = server.lock().unwrap().url();
        let (prefix, stones) = (prefix(), Arc::<Stones>::default());
        let here = open(config(&url, &prefix), &stones.durable()).await;
        let there = open(config(&url, &prefix), &stones.durable()).await;
        let ended = session(&key("Users", "ann"), "ended");
        here.open(&ended).await.unwrap();
        assert_eq!(server.lock().unwrap().ask(&["SAVE"]), "OK");
        server.lock().unwrap().restart();
        until("healing", async || {
            here.ready().await.is_ok() && there.ready().await.is_ok()
        })
        .await;
        let (token, restarted) = (ended.token, Arc::clone(&server));
        stones.after_question(move || {
            assert!(Handle::current().block_on(there.end(&token)).unwrap());
            // Back comes the copy in which the session lives.
            restarted.lock().unwrap().restart();
        });
        // Begun before the end: any answer will do.
        let _ = SessionStore::find(&*here, &token).await;
        until("healing", async || here.ready().await.is_ok()).await;
        assert_eq!(SessionStore::find(&*here, &token).await.unwrap(), None);
    });
}
