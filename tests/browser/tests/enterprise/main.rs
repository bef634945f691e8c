//! Enterprise sign-in as a person meets it: against a real directory, a real realm, real providers, with scripts and without.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use browser::{ACCOUNT, Desk};
use e2e::{Portcullis, Setup};
use serde_json::{Value, json};

mod kerberos;
mod ldap;
mod openid2;
mod saml;

/// What a group, or the name of a principal, gives to Alice.
const ROLE: &str = "auditor";
/// What every entry here is called.
const LABEL: &str = "Corp";
const LOG_IN: &str = "a[href^='/auth/corp']";
const LINK: &str = "a[href='/link/corp']";
const UNLINK: &str = "button[aria-label^='Unlink Corp']";
const ANOTHER_WAY: &str = ".aside a[href^='/login']";

/// An entry by which people log in at `/auth/corp`, and the same one at `/link/corp`.
fn entries(entry: &Value) -> Value {
    let at = |path: &str, link: bool| {
        let more = json!({ "provider": "corp", "label": LABEL, "authPath": path, "link": link });
        with(entry, &more)
    };
    json!({ "corp": at("/auth/corp", false), "corp-link": at("/link/corp", true) })
}

/// An entry, or a file of them, with more keys.
fn with(entry: &Value, more: &Value) -> Value {
    let mut entry = entry.clone();
    let keys = more.as_object().expect("keys").clone();
    entry.as_object_mut().expect("an entry").extend(keys);
    entry
}

/// A server as people have it, at another site than the other parties.
fn setup() -> Setup {
    Portcullis::setup().limited().at_localhost()
}

/// Who is logged in at a window, and with which roles, as a reverse proxy hears it.
async fn checked(desk: &Desk, server: &Portcullis) -> (String, String) {
    let mut request = server.client().request("GET", "/auth/check");
    for cookie in desk.browser.page.get_all_cookies().await.expect("cookies") {
        request = request.header("Cookie", format!("{}={}", cookie.name(), cookie.value()));
    }
    let reply = server.client().send(request).await.expect(200);
    let header = |name| reply.header(name).to_owned();
    (header("x-user-id"), header("x-user-roles"))
}

/// What an account page says of an account elsewhere that opens it.
async fn shows_linked(desk: &Desk, account: &str) {
    desk.says(&format!("{LABEL} {account}")).await;
    assert_eq!(desk.browser.path().await, ACCOUNT);
}

/// Unlinks the one account, which gave a role.
async fn unlinks(desk: &Desk, server: &Portcullis) {
    desk.go(ACCOUNT).await;
    desk.press(UNLINK, "That account is unlinked").await;
    assert_eq!(checked(desk, server).await.1, "", "its role went along");
}

/// A page that says what was refused and why; another way leads on from it.
async fn is_refused(desk: &mut Desk, code: &str, because: &str, picture: &str) {
    desk.says(code).await;
    desk.says(because).await;
    desk.browser.shoot(picture).await;
    desk.browser.press(ANOTHER_WAY, "/login").await;
    desk.is_outside().await;
}
