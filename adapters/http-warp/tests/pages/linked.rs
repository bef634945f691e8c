//! Linked accounts and grants on the account page.

use crate::browser::{Browser, Page};
use crate::site::Site;

/// The id in the first form of a page that posts to `action`.
fn id_for(page: &Page, action: &str, field: &str) -> String {
    let form = page.text.split_once(&format!("action=\"{action}\"")).unwrap().1;
    let opening = format!("name=\"{field}\" value=\"");
    let rest = form.split_once(&opening).unwrap().1;
    rest.split_once('"').unwrap().0.to_owned()
}

async fn unlink(browser: &Browser) -> Page {
    let page = browser.get("/account").await.is(200);
    let id = id_for(&page, "/account/identities/unlink", "identity");
    let csrf = page.hidden("csrf");
    browser
        .post("/account/identities/unlink", &csrf, &[("identity", &id)])
        .await
}

#[tokio::test]
async fn only_what_can_be_linked_has_a_button() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let page = browser
        .get("/account")
        .await
        .says("Link google-link")
        .says("Link facebook-link")
        .says("Link corp-link")
        .says("Link realm-link");
    assert_eq!(page.text.matches(">Link ").count(), 4);
    assert!(page.text.contains("None yet") && !page.text.contains("Permissions"));
}

#[tokio::test]
async fn an_account_is_linked_seen_and_unlinked() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let other = Browser::new(&site);
    other.log_in().await.leads_to("/account");
    let back = browser.come_by("/link/google", "ann~").await;
    assert_eq!((back.status, back.location()), (302, "/link/account"));
    browser.get("/link/account").await.leads_to("/account#linked");
    let page = browser.get("/account").await;
    let page = page
        .says("<strong>google-login</strong> ann")
        .says("since 21 November 2026");
    page.says("Permissions").says("Active").says("email, since");
    unlink(&browser).await.leads_to("/account?unlinked=1");
    let page = browser
        .get("/account?unlinked=1")
        .await
        .says("That account is unlinked.");
    assert!(!page.text.contains("<strong>google") && !page.text.contains("Permissions"));
    other.get("/account").await.is(303);
}

#[tokio::test]
async fn a_linked_account_logs_in_as_the_same_person() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    browser.come_by("/link/google", "ann").await;
    let other = Browser::new(&site);
    other.come_by("/auth/google", "ann").await;
    other.get("/account").await.is(200).says(crate::site::EMAIL);
}

#[tokio::test]
async fn the_last_way_in_stays_and_the_page_says_what_to_do() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.come_by("/auth/facebook", "ann").await;
    let page = unlink(&browser).await.is(409).says("the last way to log in");
    page.says("<strong>facebook-login</strong> ann")
        .says("<title>Error:");
    browser.come_by("/link/google", "ann").await;
    unlink(&browser).await.leads_to("/account?unlinked=1");
    unlink(&browser).await.is(409);
}

#[tokio::test]
async fn a_forgotten_grant_leaves_the_account_linked() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    browser.come_by("/link/google", "ann").await;
    let page = browser.get("/account").await;
    let id = id_for(&page, "/account/credentials/forget", "credential");
    let csrf = page.hidden("csrf");
    let forget = "/account/credentials/forget";
    browser
        .post(forget, &csrf, &[("credential", &id)])
        .await
        .leads_to("/account?forgotten=1");
    let page = browser
        .get("/account?forgotten=1")
        .await
        .says("is forgotten here");
    assert!(page.text.contains("<strong>google-login</strong>") && !page.text.contains("Permissions"));
    browser
        .post(forget, &csrf, &[("credential", &id)])
        .await
        .is(404)
        .says("not linked to your account any more");
}

#[tokio::test]
async fn nobody_unlinks_for_somebody_else() {
    let site = Site::open().await;
    let ann = Browser::at_home(&site).await;
    ann.come_by("/link/google", "ann").await;
    let page = ann.get("/account").await;
    let id = id_for(&page, "/account/identities/unlink", "identity");
    let action = "/account/identities/unlink";
    let bob = Browser::new(&site);
    bob.come_by("/auth/facebook", "bob").await;
    let csrf = bob.get("/account").await.hidden("csrf");
    bob.post(action, &csrf, &[("identity", &id)]).await.is(404);
    ann.post(action, "wrong", &[("identity", &id)]).await.is(403);
    let stranger = Browser::new(&site);
    let csrf = stranger.get("/login").await.hidden("csrf");
    stranger
        .post(action, &csrf, &[("identity", &id)])
        .await
        .leads_to("/login?return_to=%2Faccount");
    ann.get("/account").await.says("<strong>google-login</strong>");
}
