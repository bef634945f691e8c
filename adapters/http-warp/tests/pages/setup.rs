//! The first administrator, by the link that a server prints.

use domain::limits::ClientAddress;
use domain::policy::SecondFactor;

use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

async fn offered(site: &Site) -> Option<String> {
    let here = ClientAddress::of([127, 0, 0, 1].into()).into();
    let link = site.services.offer_set_up(&here).await.unwrap()?;
    let path = link.expose().strip_prefix("http://localhost:3000").unwrap();
    Some(path.to_owned())
}

fn token_of(path: &str) -> &str {
    path.split_once("token=").unwrap().1
}

fn fields(path: &str) -> [(&str, &str); 3] {
    [
        ("token", token_of(path)),
        ("email", EMAIL),
        ("password", PASSWORD),
    ]
}

#[tokio::test]
async fn the_first_administrator_is_made_and_logged_in_and_the_link_is_over() {
    let site = Site::open().await;
    let path = offered(&site).await.unwrap();
    let browser = Browser::new(&site);
    browser.get(&path).await.is(200).says("The first administrator");
    let short = [
        ("token", token_of(&path)),
        ("email", EMAIL),
        ("password", "short"),
    ];
    browser
        .fill(&path, "/setup", &short)
        .await
        .is(422)
        .says("Use at least")
        .says(EMAIL);
    browser
        .fill(&path, "/setup", &fields(&path))
        .await
        .leads_to("/account");
    browser.get("/account").await.is(200).says(EMAIL);
    let token = browser.cookie("portcullis").unwrap();
    let me = site.get("/Users/me", &token).await.ok();
    assert_eq!(me.body["emailVerified"], true);
    site.get("/Users", &token).await.ok();
    site.get("/Roles", &token).await.ok();
    for closed in [path.as_str(), "/setup", "/setup?token=wrong"] {
        browser.get(closed).await.is(410).says("This link is over");
    }
    assert_eq!(offered(&site).await, None, "somebody is there");
}

#[tokio::test]
async fn two_browsers_with_one_link_make_one_administrator() {
    let site = Site::open().await;
    let path = offered(&site).await.unwrap();
    let tries = (0..6).map(|number| {
        let (site, path) = (&site, &path);
        async move {
            let browser = Browser::new(site);
            let email = format!("root{number}@example.com");
            let fields = [
                ("token", token_of(path)),
                ("email", email.as_str()),
                ("password", PASSWORD),
            ];
            browser.fill(path, "/setup", &fields).await.status
        }
    });
    let mut answers: Vec<u16> = futures_util::future::join_all(tries).await;
    answers.sort_unstable();
    assert_eq!(
        answers.iter().filter(|status| **status == 303).count(),
        1,
        "{answers:?}"
    );
    assert!(
        answers.iter().all(|status| [303, 410].contains(status)),
        "{answers:?}"
    );
    let pool = site.services.pool(&domain::id::PoolName::new("Users")).unwrap();
    let all = site.services.list_users(pool, None, 10).await.unwrap();
    assert_eq!(all.len(), 1, "the others made nobody");
}

#[tokio::test]
async fn the_link_of_a_former_start_opens_nothing() {
    let site = Site::open().await;
    let former = offered(&site).await.unwrap();
    let newest = offered(&site).await.unwrap();
    let browser = Browser::new(&site);
    browser.get(&former).await.is(410);
    let csrf = browser.get(&newest).await.is(200).hidden("csrf");
    browser.post("/setup", &csrf, &fields(&former)).await.is(410);
    site.later(std::time::Duration::from_hours(1));
    browser.post("/setup", &csrf, &fields(&newest)).await.is(410);
}

#[tokio::test]
async fn an_administrator_who_was_made_meanwhile_voids_it() {
    let site = Site::open().await;
    let path = offered(&site).await.unwrap();
    site.admin("Users").await;
    Browser::new(&site).get(&path).await.is(410);
}

#[tokio::test]
async fn where_a_second_factor_is_required_the_administrator_logs_in_next() {
    let site = Site::with(|users, _| users.second_factor = SecondFactor::Required).await;
    let path = offered(&site).await.unwrap();
    let browser = Browser::new(&site);
    browser
        .fill(&path, "/setup", &fields(&path))
        .await
        .leads_to("/login?created=1");
    assert_eq!(browser.cookie("portcullis"), None);
}
