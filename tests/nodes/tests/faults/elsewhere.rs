//! Accounts elsewhere: a rotated refresh token is used once, whoever of three nodes needs it, and whatever breaks.

use std::time::Duration;

use e2e::Counterparty;
use nodes::work::{self, Sessions};
use nodes::{Plan, Town};
use serde_json::json;
use servers::{Postgres, Redis};

use crate::a_while;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_refresh_token_is_spent_twice_by_three_nodes_through_an_outage() {
    let party = Counterparty::panva().await;
    let entry = json!({
        "provider": "panva", "module": "passport-openidconnect", "authScheme": "OpenID Connect", "issuer": party.address(),
        "clientID": "brief", "clientSecret": "brief-secret", "scope": ["openid", "email", "offline_access"],
        "authOptions": { "prompt": "consent" }, "json": true,
    });
    let (mut store, keeper) = (Postgres::setup().durable().start(), Redis::start());
    let plan = Plan {
        storage: store.url(&store.create_database()),
        sessions: keeper.url(),
        providers: Some(json!({ "panva": entry })),
    };
    let mut town = Town::build(&plan).await;
    let view = town.view().clone();
    let linked = work::link(&view, "panva").await;
    let people = work::begin_with(&view, linked);
    a_while().await;
    store.kill();
    a_while().await;
    store.restart();
    town.whole().await;
    a_while().await;
    work::end(&view, people).await;
    // A node that is killed between the provider's answer and its storing loses what it bought: that cannot be helped, so nobody
    // asks for tokens here while this happens.
    town.kill_and_restart(1, Duration::from_millis(500)).await;
    town.whole().await;
    let (refused, bought) = (party.asked("grant.error").await, party.asked("POST /token").await);
    eprintln!("bought {bought} times, {refused} refused");
    work::prove(&view, "three nodes refresh", Sessions::Kept).await;
    assert_eq!(refused, 0, "a refresh token was spent twice");
    assert!(
        bought > 2 && view.asker.book().counted("fresh tokens") > 2,
        "nothing was bought"
    );
}
