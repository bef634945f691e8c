//! A stamp that is given anew is given by the server whose record was asked about, and by no later one.

use std::sync::{Arc, Mutex};

use conformance::sample::{at, flow, key, session, token};
use domain::flow_record::{FlowKind, FlowRecord};
use domain::ports::{FlowStore, SessionStore};
use servers::Redis;
use tokio::runtime::Handle;

use crate::common::{config, open, prefix, until};
use crate::stones::Stones;
use crate::take;

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

#[test]
fn a_flow_of_another_stamp_is_replaced_only_if_it_was_not_taken() {
    conformance::run(async {
        let mut server = Redis::start();
        let stones = Arc::<Stones>::default();
        let node = open(config(&server.url(), &prefix()), &stones.durable()).await;
        let ann = key("Users", "ann");
        let named = |name| flow(&ann, FlowKind::ResetPassword, name);
        for name in ["unfinished", "spent"] {
            node.put(&named(name)).await.unwrap();
        }
        assert_eq!(server.ask(&["SAVE"]), "OK");
        assert!(take(&node, &token("spent")).await.unwrap().is_some());
        // Back comes the copy in which both are there, under a stamp that is the server's no more.
        server.restart();
        until("healing", async || node.ready().await.is_ok()).await;
        let asked = stones.asked();
        let changed = FlowRecord {
            expires: at(601),
            ..named("unfinished")
        };
        assert!(node.replace(&changed).await.unwrap());
        assert!(stones.asked() > asked, "the store says whether it was taken");
        let found = FlowStore::find(&*node, &changed.id).await.unwrap();
        assert_eq!(found, Some(changed.clone()));
        assert!(!node.replace(&named("spent")).await.unwrap());
        let asked = stones.asked();
        assert!(node.replace(&changed).await.unwrap());
        assert_eq!(stones.asked(), asked, "it carries the server's own stamp now");
    });
}

#[test]
fn a_touch_changes_neither_stamp_nor_expiry_and_leaves_alone_what_is_about_to_end() {
    conformance::run(async {
        let mut server = Redis::start();
        let (prefix, stones) = (prefix(), Arc::<Stones>::default());
        let node = open(config(&server.url(), &prefix), &stones.durable()).await;
        let open = session(&key("Users", "ann"), "a");
        node.open(&open).await.unwrap();
        let name = format!("{prefix}s:{{{}}}", open.token.to_text());
        let life = |server: &Redis| server.ask(&["PTTL", &name]).parse::<i64>().unwrap();
        let stamp = |server: &Redis| server.ask(&["GETRANGE", &name, "0", "39"]);
        assert_eq!(server.ask(&["SAVE"]), "OK");
        server.restart();
        until("healing", async || node.ready().await.is_ok()).await;
        let (before, foreign) = (life(&server), stamp(&server));
        node.touch(&open.token, at(99)).await.unwrap();
        assert_eq!(stamp(&server), foreign, "whether it ended is still to be asked");
        assert!(life(&server) <= before && life(&server) > before - 60_000);
        // As a node leaves it that is about to end it.
        server.ask(&["SETRANGE", &name, "0", "-"]);
        let claimed = server.ask(&["GET", &name]);
        node.touch(&open.token, at(999)).await.unwrap();
        assert_eq!(server.ask(&["GET", &name]), claimed);
        assert!(claimed.contains("last_used"), "{claimed}");
    });
}
