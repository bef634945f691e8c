//! What the README promises a person: sign up, confirm the number, log in with password and code, see the account, log out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use browser::Browser;
use e2e::{PASSWORD, Portcullis};

const EMAIL: &str = "ann@example.com";
/// Changes the title by script: shows whether scripts run.
const PROBE: &str = "<!doctype html><title>off</title><script>document.title = 'on'</script><p>probe</p>";

/// A server at `localhost`, as a person has it, with the probe among its own files.
async fn server() -> Portcullis {
    let setup = Portcullis::setup()
        .limited()
        .variable("PORTCULLIS__SERVER__LISTEN", "localhost:0")
        .config("[server]\nstatic_dir = \"client\"");
    let folder = setup.home().join("client");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("probe.html"), PROBE).unwrap();
    setup.start().await
}

async fn a_person_comes_in(name: &str, javascript: bool) {
    let server = server().await;
    let site = format!("http://localhost:{}", server.port());
    let mut browser = Browser::open(name, javascript).await;
    browser.go(&format!("{site}/probe.html")).await;
    let expected = if javascript { "on" } else { "off" };
    assert_eq!(browser.page.title().await.unwrap(), expected, "scripts");

    browser.go(&site).await;
    browser.go(&format!("{site}/signup")).await;
    browser.fill("#email", EMAIL).await;
    browser.fill("#phone", "+44 7700 900123").await;
    browser.fill("#password", PASSWORD).await;
    browser.shoot("signup").await;
    browser.press("main form button[type=submit]", "/verify").await;

    let code = server.console().code(EMAIL).await;
    browser.fill("#code", &code).await;
    browser.shoot("verify").await;
    browser.press("main form button[type=submit]", "/login").await;
    assert!(browser.text().await.contains("Your phone number is confirmed"));

    browser.fill("#identifier", EMAIL).await;
    browser.fill("#password", PASSWORD).await;
    browser.shoot("login").await;
    browser
        .press("main form button[type=submit]", "/two-factor")
        .await;
    assert!(!browser.text().await.contains("7700"), "the number is masked");

    let code = server.console().code(EMAIL).await;
    browser.fill("#code", &code).await;
    browser.shoot("two-factor").await;
    browser.press("main form button[type=submit]", "/account").await;
    let account = browser.text().await;
    assert!(
        account.contains(EMAIL) && account.contains("Confirmed"),
        "{account}"
    );
    browser.shoot("account").await;

    browser.press("form[action='/logout'] button", "/login").await;
    assert!(browser.text().await.contains("You are logged out"));
    browser.shoot("logged-out").await;
    browser.go(&format!("{site}/account")).await;
    assert_eq!(browser.path().await, "/login", "the account is closed again");
}

#[tokio::test]
async fn a_person_signs_up_confirms_their_number_logs_in_with_a_code_and_logs_out() {
    a_person_comes_in("with-javascript", true).await;
}

#[tokio::test]
async fn the_same_works_without_javascript() {
    a_person_comes_in("without-javascript", false).await;
}

#[tokio::test]
async fn wrong_input_is_told_beside_its_field_and_what_was_typed_stays() {
    let server = server().await;
    let site = format!("http://localhost:{}", server.port());
    let mut browser = Browser::open("wrong-input", true).await;
    browser.go(&format!("{site}/signup")).await;
    browser.fill("#email", EMAIL).await;
    browser.fill("#phone", "no number").await;
    browser.fill("#password", PASSWORD).await;
    browser
        .find("main form button[type=submit]")
        .await
        .click()
        .await
        .unwrap();
    browser.find("#phone-error").await;
    browser.shoot("signup").await;
    let typed = browser.find("#email").await.prop("value").await.unwrap();
    assert_eq!(typed.as_deref(), Some(EMAIL));
    let password = browser.find("#password").await.prop("value").await.unwrap();
    assert_eq!(password.as_deref(), Some(""), "a password is never sent back");

    browser.go(&format!("{site}/login")).await;
    browser.fill("#identifier", "nobody@example.com").await;
    browser.fill("#password", "something else").await;
    browser
        .find("main form button[type=submit]")
        .await
        .click()
        .await
        .unwrap();
    browser.find("[role=alert]").await;
    browser.shoot("login").await;
    assert_eq!(browser.path().await, "/login");
}

#[tokio::test]
async fn a_mailed_link_sets_a_new_password() {
    let server = server().await;
    let site = format!("http://localhost:{}", server.port());
    let mut browser = Browser::open("reset", false).await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    browser.go(&format!("{site}/reset")).await;
    browser.fill("input[type=email]", &ann.email).await;
    browser
        .find("main form button[type=submit]")
        .await
        .click()
        .await
        .unwrap();
    let link = server.console().link(&ann.email, 0).await;
    assert!(link.starts_with(&site), "{link}");
    browser.go(&link).await;
    browser.shoot("reset").await;
    browser
        .fill("input[type=password]", "another long password")
        .await;
    browser.press("main form button[type=submit]", "/login").await;
    browser.fill("#identifier", &ann.email).await;
    browser.fill("#password", "another long password").await;
    browser.press("main form button[type=submit]", "/account").await;
    browser.shoot("account").await;
    assert_eq!(client.try_password(&ann, PASSWORD).await, 401);
}
