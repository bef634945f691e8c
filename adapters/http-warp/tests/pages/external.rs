//! The way to a provider and back, as people see it.

use crate::browser::{Browser, state_of};
use crate::site::outside::entry;
use crate::site::{EMAIL, Site};

#[tokio::test]
async fn every_way_in_for_people_has_a_button_and_no_other_has() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for page in ["/login", "/signup"] {
        let page = browser.get(page).await.is(200);
        for shown in [
            "facebook-login",
            "google-login",
            "corp-login",
            "realm-login",
            "poster-login",
            "poster-open",
        ] {
            assert!(page.text.contains(&format!("Continue with {shown}")), "{shown}");
        }
        assert_eq!(page.text.matches("Continue with").count(), 6);
    }
    let staff = browser.get("/login?pool=Employees").await;
    assert_eq!(staff.text.matches("Continue with").count(), 2);
    site.doors.hang(Vec::new());
    let page = browser.get("/login").await.is(200);
    assert!(!page.text.contains("Continue with"));
}

#[tokio::test]
async fn a_button_keeps_the_place_to_return_to() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = browser.get("/login?return_to=/docs?a=1").await;
    let page = page.says("href=\"/auth/facebook?returnTo=%2Fdocs%3Fa%3D1\"");
    assert!(!page.text.contains("evil"));
    browser
        .get("/login?return_to=//evil.example")
        .await
        .says("href=\"/auth/facebook\"");
    let back = browser.come_by("/auth/facebook?returnTo=/docs", "ann").await;
    assert_eq!((back.status, back.location()), (302, "/docs"));
}

#[tokio::test]
async fn whoever_comes_by_a_provider_sees_their_account() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let back = browser.come_by("/auth/facebook", "ann@").await;
    assert_eq!((back.status, back.location()), (302, "/auth/account"));
    browser.get("/auth/account").await.leads_to("/account");
    let page = browser.get("/account").await.is(200).says(EMAIL).says("Verified");
    let page = page
        .says("<strong>facebook-login</strong> ann")
        .says("Linked accounts");
    assert!(!page.text.contains("name=\"current_password\""));
    page.says("Choose one by a mailed link");
}

#[tokio::test]
async fn without_a_password_a_fresh_login_changes_contacts_and_a_stale_one_says_what_to_do() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.come_by("/auth/facebook", "ann").await;
    let page = browser.get("/account").await.is(200).says("Add an e-mail");
    let csrf = page.hidden("csrf");
    site.later(std::time::Duration::from_hours(1));
    browser
        .post("/account/email", &csrf, &[("email", "new@example.com")])
        .await
        .is(401)
        .says("Prove once more that it is you");
    browser.come_by("/auth/facebook", "ann").await;
    let csrf = browser.get("/account").await.hidden("csrf");
    browser
        .post("/account/email", &csrf, &[("email", "new@example.com")])
        .await
        .leads_to("/account?email=1");
}

#[tokio::test]
async fn a_refused_way_says_so_and_leads_on() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let state = browser.visit_provider("/auth/facebook").await;
    let denied = format!("/auth/facebook/callback?error=access_denied&error_description=<b>x</b>&{state}");
    let page = browser.get(&denied).await.is(401);
    let page = page.says("You are not logged in").says("said no");
    let page = page.says("ACCESS_DENIED").says("href=\"/auth/facebook\"");
    assert!(!page.text.contains("<b>x"));
    page.says("Log in another way");
    browser
        .get("/auth/facebook/callback?code=ann&state=unknown")
        .await
        .is(401)
        .says("not begun in this browser")
        .says("AUTHORIZATION_UNKNOWN");
    let refused = browser.come_by("/auth/facebook", "refused").await.is(401);
    refused.says("answer from facebook-login could not be trusted");
    let down = browser.come_by("/auth/facebook", "down").await.is(502);
    down.says("no answer from facebook-login")
        .says("PROVIDER_UNAVAILABLE");
}

#[tokio::test]
async fn an_account_of_somebody_else_is_not_linked_and_the_page_says_why() {
    let site = Site::open().await;
    let bob = Browser::new(&site);
    bob.come_by("/auth/google", "shared").await;
    let browser = Browser::at_home(&site).await;
    let page = browser.come_by("/link/google", "shared").await.is(409);
    let page = page
        .says("Your account was not linked")
        .says("linked to somebody else");
    page.says("href=\"/account#linked\"").says("IDENTITY_TAKEN");
}

#[tokio::test]
async fn what_another_site_starts_is_asked_about_first() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let led = browser
        .request("GET", "/link/google?returnTo=/docs")
        .header("sec-fetch-site", "cross-site");
    let page = browser
        .send(led)
        .await
        .is(200)
        .says("Link your google-link account?");
    let page = page.says(EMAIL);
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'self' https:")
    );
    let action = "/link/google?returnTo=/docs";
    browser.post(action, "wrong", &[]).await.is(403);
    let sent = browser.post(action, &page.hidden("csrf"), &[]).await;
    let back = format!("/link/google/callback?code=ann&{}", state_of(&sent));
    let back = browser.get(&back).await;
    assert_eq!((back.status, back.location()), (302, "/docs"));
    browser
        .get("/account")
        .await
        .says("<strong>google-login</strong> ann");
}

#[tokio::test]
async fn no_login_leads_straight_to_a_provider() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    let spellings = [
        ("/link/google", "/account#linked"),
        ("/LINK/Google/?returnTo=/", "/account#linked"),
        ("/x/../link/google", "/account#linked"),
        ("/%2e/link/facebook#x", "/account#linked"),
        ("/link/google/callback?state=x", "/account#linked"),
        ("/auth/google", "/account"),
        ("/link/other", "/link/other"),
    ];
    for (place, destination) in spellings {
        let fields = [
            ("identifier", EMAIL),
            ("password", crate::site::PASSWORD),
            ("return_to", place),
        ];
        let csrf = browser.get("/login?pool=Employees").await.hidden("csrf");
        let sent = browser.post("/login", &csrf, &fields).await;
        assert_eq!(sent.location(), destination, "{place}");
    }
}

#[tokio::test]
async fn what_our_own_page_starts_is_asked_about_no_more() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    browser.get("/account").await.says("href=\"/link/google\"");
    let link = browser
        .request("GET", "/link/google")
        .header("sec-fetch-site", "same-origin");
    let sent = browser.send(link).await;
    assert!(sent.location().starts_with("https://google.example/authorize?"));
}

#[tokio::test]
async fn a_failure_told_in_the_address_is_told_on_the_page_and_nothing_else_is() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let told = browser.get("/login.html?error=ACCESS_DENIED").await;
    told.leads_to("/login?error=ACCESS_DENIED");
    browser
        .get("/login?error=ACCESS_DENIED")
        .await
        .is(200)
        .says("said no");
    let page = browser.get("/login?error=Call+555+1234").await.is(200);
    assert!(!page.text.contains("555") && !page.text.contains("There is a problem"));
    browser.get("/login.html?error=x").await.leads_to("/login");
    let home = Browser::at_home(&site).await;
    home.get("/link.html?error=IDENTITY_TAKEN")
        .await
        .leads_to("/account?error=IDENTITY_TAKEN#linked");
    home.get("/account?error=IDENTITY_TAKEN")
        .await
        .is(200)
        .says("linked to somebody else");
}

#[tokio::test]
async fn a_page_names_providers_as_their_entries_do() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let mut google = entry("google-login", "/auth/google");
    "<i>Google</i>".clone_into(&mut google.label);
    site.doors.hang(vec![google]);
    let page = browser.get("/login").await;
    let page = page.says("Continue with &lt;i&gt;Google");
    assert!(!page.text.contains("<i>"));
}
