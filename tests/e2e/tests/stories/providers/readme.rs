//! What the README says about logging in with a provider.

use e2e::{Browser, Counterparty, Page, Portcullis};

use super::entries;

/// The file in the block behind `<!-- provider -->`, for a provider at another port.
fn providers(address: &str) -> serde_json::Value {
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).expect("README.md");
    let block = readme.split_once("<!-- provider -->").expect("the block").1;
    let file = block
        .split_once("<<'END'\n")
        .expect("a file")
        .1
        .split_once("\nEND\n")
        .expect("its end")
        .0;
    serde_json::from_str(&file.replace("http://127.0.0.1:19001", address)).expect("JSON")
}

/// Goes to the provider and says there who one is.
async fn go_as(server: &Portcullis, browser: &mut Browser, path: &str, name: &str) -> Page {
    let question = browser.open(&server.at(path)).await.expect(200);
    assert!(
        question.reply.text.contains("Who are you?"),
        "{}",
        question.reply.text
    );
    browser
        .submit(&question, "", &[("account", name), ("go", "in")])
        .await
        .expect(200)
}

async fn who(browser: &Browser) -> String {
    browser.peek("/api/Users/me").await.expect(200).at("id")
}

#[tokio::test]
async fn the_readme_shows_how_to_log_in_with_a_provider() {
    let party = Counterparty::panva_that_asks().await;
    let server = entries::server(providers(party.address())).await;
    let mut alice = server.browser();
    let page = alice.open(&server.at("/login")).await.expect(200);
    assert!(
        page.reply.text.contains("Continue with Demo"),
        "{}",
        page.reply.text
    );
    go_as(&server, &mut alice, "/auth/demo-login", "alice")
        .await
        .came_by("/auth/account");
    let mut bob = server.browser();
    go_as(&server, &mut bob, "/auth/demo-login", "bob").await.done();
    assert_ne!(who(&alice).await, who(&bob).await);

    // Another account, linked, opens the same one here.
    go_as(&server, &mut alice, "/link/demo-link", "alice-at-work")
        .await
        .came_by("/link/account");
    let mut elsewhere = server.browser();
    go_as(&server, &mut elsewhere, "/auth/demo-login", "alice-at-work")
        .await
        .done();
    assert_eq!(who(&elsewhere).await, who(&alice).await);

    // Whoever refuses is told so.
    let mut nobody = server.browser();
    let question = nobody.open(&server.at("/auth/demo-login")).await.expect(200);
    nobody
        .submit(&question, "", &[("go", "no")])
        .await
        .expect(401)
        .done();
    assert!(!nobody.is_logged_in());
}
