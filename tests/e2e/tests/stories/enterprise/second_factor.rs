//! A second factor by SMS for people whose password the directory judges.

use e2e::{Counterparty, Portcullis, Reply};
use serde_json::json;

use super::ldap::{directory, plain, show};
use super::person;
use crate::providers::entries::{self, Arrived, file, json_entry};
use crate::two_factor::{other_than, type_code_with};

const ALICE: &str = "alice@example.test";

/// A directory, and a server that lets nobody in by one proof.
async fn directory_and_strict_server() -> (Counterparty, Portcullis) {
    let slapd = Counterparty::slapd(&[]).await;
    let entry = directory(&plain(&slapd), &json!({}));
    let entries = file([("ldap", json_entry(entry.clone())), ("page", entry)]);
    let setup = Portcullis::setup().config("[users.Users]\nsecond_factor = \"required\"");
    (slapd, setup.providers(&entries).start().await)
}

/// Who waits for a code has nothing yet; gives the challenge.
fn waits(reply: &Reply) -> String {
    reply.refused(401, "SECOND_FACTOR_REQUIRED");
    let details = &reply.json()["error"]["details"];
    assert_eq!(details["methods"], json!(["sms"]), "{}", reply.text);
    for token in ["access_token", "id", "error/details/access_token"] {
        assert!(reply.at(token).is_empty(), "{}", reply.text);
    }
    let cookies = reply.headers.get_all("set-cookie").iter();
    assert!(
        cookies
            .filter_map(|line| line.to_str().ok())
            .all(|line| !line.starts_with("portcullis=")),
        "{:?}",
        reply.headers
    );
    reply.at("error/details/challenge")
}

#[tokio::test]
async fn the_password_of_the_directory_alone_gives_no_token_and_the_code_does() {
    let (_slapd, server) = directory_and_strict_server().await;
    let client = server.client();
    // A wrong one sends nothing to anybody.
    let wrong = show(&client, "/auth/ldap", "alice", "bob-pass").await;
    wrong.refused(401, "LOGIN_FAILED");
    assert_eq!(server.console().codes_in_all(), 0);
    let challenge = waits(&show(&client, "/auth/ldap", "alice", "alice-pass").await);
    let code = server.console().code(ALICE).await;
    let alice = Arrived {
        token: String::new(),
        user: String::new(),
    };
    let alice = person(&alice, ALICE);
    type_code_with(&client, &alice, &other_than(&code), &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
    let opened = type_code_with(&client, &alice, &code, &challenge)
        .await
        .expect(200);
    let me = Arrived {
        token: opened.at("id"),
        user: opened.at("userId"),
    };
    let identity = &entries::identities(&server, &me).await[0];
    assert_eq!(identity["provider"], "ldap");
    // Neither counts again, nor one for the other.
    type_code_with(&client, &alice, &code, &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
    let newer = waits(&show(&client, "/auth/ldap", "alice", "alice-pass").await);
    let sent = server.console().code(ALICE).await;
    type_code_with(&client, &alice, &sent, &challenge)
        .await
        .refused(401, "LOGIN_FAILED");
    let again = type_code_with(&client, &alice, &sent, &newer).await.expect(200);
    assert_eq!(again.at("userId"), me.user);
}

#[tokio::test]
async fn the_page_of_the_directory_leads_to_the_code_and_only_that_logs_in() {
    let (_slapd, server) = directory_and_strict_server().await;
    let mut browser = server.browser();
    let page = browser.open(&server.at("/auth/page")).await.expect(200);
    let right = [("username", "alice"), ("password", "alice-pass")];
    let asked = browser.submit(&page, "/auth/page", &right).await.expect(200);
    assert_eq!(asked.path(), "/two-factor");
    assert!(!browser.is_logged_in());
    assert_eq!(browser.peek(&server.at("/auth/check")).await.status, 401);
    let code = server.console().code(ALICE).await;
    let wrong = other_than(&code);
    let asked = browser.submit(&asked, "/two-factor", &[("code", &wrong)]).await;
    assert!(!browser.is_logged_in(), "{}", asked.reply.text);
    let page = browser.submit(&asked, "/two-factor", &[("code", &code)]).await;
    page.came_by("/auth/account");
    assert!(browser.is_logged_in());
    let who = browser.peek(&server.at("/auth/check")).await.expect(200);
    // What the same page says to programs is no more than that.
    let mut program = server.browser().as_program();
    let page = program.open(&server.at("/auth/page")).await;
    let told = program
        .post_from(&server.at("/auth/page"), "/auth/page", &right)
        .await;
    let challenge = waits(&told);
    assert!(!program.is_logged_in(), "{}", page.url);
    let code = server.console().code(ALICE).await;
    let me = Arrived {
        token: String::new(),
        user: who.header("x-user-id").to_owned(),
    };
    let opened = type_code_with(&server.client(), &person(&me, ALICE), &code, &challenge).await;
    assert_eq!(opened.expect(200).at("userId"), me.user);
}
