//! The first administrator, by the link that a server prints when nobody is there.

use e2e::{PASSWORD, Portcullis, in_link};
use serde_json::json;

/// The links that a server printed so far.
fn links(server: &Portcullis) -> Vec<String> {
    let lines = server.console().lines();
    let words = lines.iter().flat_map(|line| line.split_whitespace());
    words
        .filter(|word| word.contains("/setup?token="))
        .map(str::to_owned)
        .collect()
}

/// The link of this start; it stands in the greeting, so it is there soon.
async fn link(server: &Portcullis) -> String {
    let find = |line: &str| {
        let mut words = line.split_whitespace();
        words
            .find(|word| word.contains("/setup?token="))
            .map(str::to_owned)
    };
    server.console().wait("the first link", 0, find).await
}

#[tokio::test]
async fn the_first_administrator_is_made_by_the_printed_link_and_by_no_other() {
    let server = Portcullis::start().await;
    let former = link(&server).await;
    let server = server.kill_and_restart().await;
    let newest = link(&server).await;
    assert_ne!(former, newest);
    let mut browser = server.browser();
    // The port may be another since: what is asked for is the path.
    let path = |link: &str| format!("/setup?token={}", in_link(link, "token"));
    let refused = browser.open(&server.at(&path(&former))).await;
    assert_eq!(refused.reply.status, 410, "{}", refused.reply.text);
    let page = browser.open(&server.at(&path(&newest))).await;
    assert_eq!(page.reply.status, 200, "{}", page.reply.text);
    let fields = [("email", "root@example.com"), ("password", PASSWORD)];
    let home = browser.submit(&page, "/setup", &fields).await;
    assert!(
        home.url.ends_with("/account"),
        "{}: {}",
        home.url,
        home.reply.text
    );
    let used = browser.open(&server.at(&path(&newest))).await;
    assert_eq!(used.reply.status, 410);
    let client = server.client();
    let login = json!({"email": "root@example.com", "password": PASSWORD});
    let token = client.post("/api/Users/login", login).await.expect(200).at("id");
    client.with(&token).get("/api/Roles").await.expect(200).done();
    let log = server.log().text();
    for link in [former, newest] {
        assert!(!log.contains(&in_link(&link, "token")), "the log has a link");
    }
    let server = server.kill_and_restart().await;
    server
        .client()
        .post("/api/Users/login", json!({}))
        .await
        .expect(400)
        .done();
    assert_eq!(links(&server), Vec::<String>::new(), "somebody is there");
}
