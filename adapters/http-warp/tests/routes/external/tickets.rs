//! Tickets that browsers show by themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{logged_in, who};
use crate::browser::{Browser, Page};
use crate::site::Site;

async fn show(browser: &Browser, path: &str, token: &str) -> Page {
    let value = format!("Negotiate {}", STANDARD.encode(token));
    browser
        .send(browser.request("GET", path).header("authorization", value))
        .await
}

#[tokio::test]
async fn a_browser_is_asked_for_its_ticket_and_people_see_the_other_ways_meanwhile() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = browser.get("/auth/tickets").await.is(401);
    assert_eq!(page.header("www-authenticate"), "Negotiate");
    page.says("Your browser showed no ticket").says("name=\"pass\"");
    let program = site
        .ask_site("GET", "/auth/tickets")
        .header("accept", "application/json");
    let answer = Site::answer(program).await.is(401, "AUTHORIZATION_REQUIRED");
    assert_eq!(answer.header("www-authenticate"), "Negotiate");
}

#[tokio::test]
async fn a_ticket_logs_in_once_and_the_browser_hears_who_took_it() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = show(&browser, "/auth/tickets?returnTo=/shop", "ticket ann 1").await;
    assert_eq!((page.status, page.location()), (302, "/shop"));
    let proof = format!("Negotiate {}", STANDARD.encode("it is us"));
    assert_eq!(page.header("www-authenticate"), proof);
    let user = who(&site, &browser).await;
    assert!(!user.is_empty());
    let thief = Browser::new(&site);
    show(&thief, "/auth/tickets", "ticket ann 1")
        .await
        .is(401)
        .says("ANSWER_REPLAYED");
    assert!(who(&site, &thief).await.is_empty());
    show(&thief, "/auth/tickets", "ticket ann 2").await.is(302);
    assert_eq!(who(&site, &thief).await, user);
}

/// A ticket is for the service; of our entries and pools the realm knows nothing.
#[tokio::test]
async fn a_ticket_that_was_shown_at_one_entry_opens_no_other() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    show(&browser, "/auth/tickets", "ticket ann 1").await.is(302);
    let thief = Browser::new(&site);
    show(&thief, "/auth/branch", "ticket ann 1")
        .await
        .is(401)
        .says("ANSWER_REPLAYED");
    show(&thief, "/auth/branch", "ticket ann 2").await.is(302);
}

#[tokio::test]
async fn kb_01_of_the_same_ticket_many_times_at_once_one_gets_in() {
    let site = Site::open().await;
    let browsers: Vec<Browser> = (0..12).map(|_| Browser::new(&site)).collect();
    let shown = browsers
        .iter()
        .map(|browser| show(browser, "/auth/tickets", "ticket ann 9"));
    let pages = futures_util::future::join_all(shown).await;
    let let_in = pages.iter().filter(|page| page.status == 302).count();
    assert_eq!(
        let_in,
        1,
        "{:?}",
        pages.iter().map(|page| page.status).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn kb_04_what_is_no_ticket_is_refused_politely() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    show(&browser, "/auth/tickets", "NTLMSSP x")
        .await
        .is(401)
        .says("no ticket for this site");
    for garbage in ["garbage", &"\u{30}\u{80}".repeat(3000)] {
        show(&browser, "/auth/tickets", garbage)
            .await
            .is(401)
            .says("TICKET_MALFORMED");
    }
    let raw = browser
        .request("GET", "/auth/tickets")
        .header("authorization", "Negotiate ***");
    browser.send(raw).await.is(401).says("TICKET_MALFORMED");
}

#[tokio::test]
async fn a_name_and_a_password_do_as_well() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = browser.get("/auth/tickets").await;
    let form = [
        ("csrf", page.hidden("csrf")),
        ("uid", "ann".to_owned()),
        ("pass", "right".to_owned()),
    ];
    browser
        .send(browser.request("POST", "/auth/tickets").form(&form))
        .await
        .is(302);
    assert!(!who(&site, &browser).await.is_empty());
}

#[tokio::test]
async fn a_ticket_links_to_whoever_is_logged_in() {
    let site = Site::open().await;
    let browser = logged_in(&site, "/auth/facebook", "bob").await;
    let user = who(&site, &browser).await;
    let page = show(&browser, "/link/tickets", "ticket ann 1").await;
    assert_eq!((page.status, page.location()), (302, "/link/account"));
    let other = Browser::new(&site);
    show(&other, "/auth/tickets", "ticket ann 2").await.is(302);
    assert_eq!(who(&site, &other).await, user);
}

#[tokio::test]
async fn another_site_cannot_make_a_browser_link_its_ticket() {
    let site = Site::open().await;
    let browser = logged_in(&site, "/auth/facebook", "bob").await;
    let value = format!("Negotiate {}", STANDARD.encode("ticket ann 1"));
    let led = browser
        .request("GET", "/link/tickets")
        .header("authorization", value)
        .header("sec-fetch-site", "cross-site");
    browser.send(led).await.is(200).says("Link your");
}

#[tokio::test]
async fn a_ticket_in_a_header_is_no_token_and_hides_none() {
    let site = Site::open().await;
    let browser = logged_in(&site, "/auth/facebook", "bob").await;
    show(&browser, "/auth/check", "ticket ann 1").await.is(200);
    let stranger = Browser::new(&site);
    show(&stranger, "/auth/check", "ticket ann 1").await.is(401);
}
