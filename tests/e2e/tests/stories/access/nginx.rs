//! nginx with `auth_request`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::administration::told;
use crate::moving::done;

use super::{Guarded, Proxy, give, the_right_ones_come_through_and_nobody_else};

/// Clients at once, and how long they ask before and after something changes.
const CLIENTS: usize = 16;
const BEFORE: Duration = Duration::from_millis(1500);
const AFTER: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn nginx_lets_the_right_ones_through_and_nobody_else() {
    let guarded = Guarded::behind(Proxy::nginx).await;
    the_right_ones_come_through_and_nobody_else(&guarded).await;
}

#[tokio::test]
async fn a_location_is_for_a_role_and_another_for_the_owner() {
    let guarded = Guarded::behind(Proxy::nginx).await;
    let (ann, client, token) = guarded.person("ann").await;
    let (ben, _, bens) = guarded.person("ben").await;
    assert_eq!(guarded.status("/office/", &token).await, 403);
    assert_eq!(guarded.status("/office/", "").await, 401);
    let orders = |id: &str| format!("/people/{id}/orders");
    assert_eq!(guarded.status(&orders(&ann.id), &token).await, 200);
    assert_eq!(guarded.status(&orders(&ann.id), &bens).await, 403);
    assert_eq!(guarded.status(&orders(&ben.id), &token).await, 403);
    assert_eq!(
        guarded.status(&orders("x&role=clerk"), &token).await,
        200,
        "that is the first location's"
    );
    let mapping = give(&client, &ann, "clerk").await;
    let (status, seen) = guarded.ask("/office/", &[("authorization", &token)]).await;
    assert_eq!((status, &seen["x-user-roles"]), (200, &json!(["clerk"])));
    assert_eq!(
        guarded.status(&orders(&ben.id), &token).await,
        200,
        "clerks read all orders"
    );
    assert_eq!(guarded.status("/office/", &bens).await, 403);
    assert_eq!(
        guarded.status("/_guard", &token).await,
        404,
        "nobody asks for others"
    );
    client
        .delete(&format!("/api/RoleMappings/{mapping}"))
        .await
        .expect(200)
        .done();
    assert_eq!(guarded.status("/office/", &token).await, 403);
    assert_eq!(guarded.status(&orders(&ben.id), &token).await, 403);
}

#[tokio::test]
async fn an_application_comes_through_by_its_key_and_the_service_hears_which_it_is() {
    let guarded = Guarded::behind(Proxy::nginx).await;
    let setup = guarded.server.same_setup();
    let made = told(&guarded.server, &["app", "create", "shop"]).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (app, key) = (text(&made["id"]), text(&made["keys"]["restApiKey"]));
    done(&setup, &["role", "create", "clerk"]).await;
    let calls = async |path: &str, key: &str| {
        let headers = [("x-application-id", app.as_str()), ("x-application-key", key)];
        guarded.ask(path, &headers).await
    };
    assert_eq!(calls("/office/", &key).await.0, 403);
    done(&setup, &["role", "grant", "clerk", "--app", &app]).await;
    let (status, seen) = calls("/office/", &key).await;
    assert_eq!((status, &seen["x-application-id"]), (200, &json!([app])));
    assert_eq!(
        (seen.get("x-application-key"), seen.get("x-user-id")),
        (None, None),
        "{seen}"
    );
    assert_eq!(calls("/office/", "wrong").await.0, 401);
    assert_eq!(calls("/", &key).await.0, 401, "it is nobody who is logged in");
    let (_, _, token) = guarded.person("ann").await;
    let both = [
        ("authorization", token.as_str()),
        ("x-application-id", app.as_str()),
    ];
    assert_eq!(
        guarded.ask("/", &both).await.0,
        401,
        "an id without its key is a lie"
    );
}

#[tokio::test]
async fn nothing_passes_while_nobody_can_be_asked() {
    let mut guarded = Guarded::behind(Proxy::nginx).await;
    let (_, _, token) = guarded.person("ann").await;
    assert_eq!(guarded.status("/", &token).await, 200);
    guarded.server.kill();
    let before = guarded.service.requests();
    assert!(guarded.status("/", &token).await >= 500);
    assert_eq!(guarded.service.requests(), before);
}

/// One request of the storm: when it began and ended, and what came of it.
struct Asked {
    begun: Instant,
    ended: Instant,
    status: u16,
}

/// Many clients ask for a path again and again, half of them over connections of their own, until they are stopped.
async fn storm(guarded: &Guarded, path: &str, token: &str, stop: Arc<AtomicBool>) -> Vec<Asked> {
    let url = format!("{}{path}", guarded.proxy.address());
    let clients = (0..CLIENTS).map(|place| {
        let mut builder = reqwest::Client::builder();
        if place % 2 == 0 {
            builder = builder.pool_max_idle_per_host(0);
        }
        let client = builder.build().expect("a client");
        let (url, token, stop) = (url.clone(), token.to_owned(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut asked = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let answer = client.get(&url).header("authorization", &token).send().await;
                let status = answer.expect("the proxy answers").status().as_u16();
                asked.push(Asked {
                    begun,
                    ended: Instant::now(),
                    status,
                });
            }
            asked
        })
    });
    let all = join_all(clients).await;
    all.into_iter()
        .flat_map(|asked| asked.expect("a client that goes on"))
        .collect()
}

/// Everything that began after the change was acknowledged was refused with `refused`, and what ended before it began was let through.
fn judge(asked: &[Asked], begun: Instant, acknowledged: Instant, refused: u16) {
    let after: Vec<_> = asked.iter().filter(|asked| asked.begun > acknowledged).collect();
    let before: Vec<_> = asked.iter().filter(|asked| asked.ended < begun).collect();
    assert!(before.len() > CLIENTS && after.len() > CLIENTS, "a storm");
    assert!(before.iter().all(|asked| asked.status == 200));
    let passed = after.iter().filter(|asked| asked.status != refused).count();
    assert_eq!(passed, 0, "of {} after it was acknowledged", after.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_log_out_no_further_request_passes_under_load() {
    let guarded = Guarded::behind(Proxy::nginx).await;
    let (ann, client, token) = guarded.person("ann").await;
    let other = guarded.server.client().log_in(&ann).await;
    let stop = Arc::new(AtomicBool::new(false));
    let change = async {
        tokio::time::sleep(BEFORE).await;
        let begun = Instant::now();
        client
            .post(&ann.of_pool("logout"), json!({}))
            .await
            .expect(204)
            .done();
        let acknowledged = Instant::now();
        tokio::time::sleep(AFTER).await;
        stop.store(true, Ordering::Relaxed);
        (begun, acknowledged)
    };
    let (asked, (begun, acknowledged)) =
        tokio::join!(storm(&guarded, "/", &token, Arc::clone(&stop)), change);
    judge(&asked, begun, acknowledged, 401);
    assert_eq!(
        guarded.status("/", &other).await,
        200,
        "another session of theirs goes on"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_role_was_taken_no_further_request_passes_under_load() {
    let guarded = Guarded::behind(Proxy::nginx).await;
    let (ann, client, token) = guarded.person("ann").await;
    let mapping = give(&client, &ann, "clerk").await;
    let stop = Arc::new(AtomicBool::new(false));
    let change = async {
        tokio::time::sleep(BEFORE).await;
        let begun = Instant::now();
        let path = format!("/api/RoleMappings/{mapping}");
        client.delete(&path).await.expect(200).done();
        let acknowledged = Instant::now();
        tokio::time::sleep(AFTER).await;
        stop.store(true, Ordering::Relaxed);
        (begun, acknowledged)
    };
    let (asked, (begun, acknowledged)) =
        tokio::join!(storm(&guarded, "/office/", &token, Arc::clone(&stop)), change);
    judge(&asked, begun, acknowledged, 403);
    assert_eq!(guarded.status("/", &token).await, 200, "the session goes on");
}
