//! What is not there, and who hears of it how.

use crate::browser::Browser;
use crate::site::Site;

#[tokio::test]
async fn people_see_a_page_and_programs_read_json() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let page = browser.get("/nope").await.is(404).says("Nothing stands here");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let json = browser
        .send(browser.request("GET", "/nope").header("accept", "*/*"))
        .await;
    let json_only = reqwest::Client::new().get(format!("{}/nope", site.base.trim_end_matches("/api")));
    let answer = Site::answer(json_only.header("accept", "application/json")).await;
    assert_eq!((answer.status, answer.message()), (404, "Cannot GET /nope"));
    assert_eq!(json.status, 404);
    let post =
        Site::answer(reqwest::Client::new().post(format!("{}/x", site.base.trim_end_matches("/api")))).await;
    assert_eq!((post.status, post.message()), (404, "Cannot POST /x"));
}

#[tokio::test]
async fn a_known_page_has_no_other_methods() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for (method, path) in [
        ("PUT", "/login"),
        ("DELETE", "/account"),
        ("GET", "/account/password"),
        ("GET", "/logout"),
    ] {
        browser.send(browser.request(method, path)).await.is(404);
    }
    for path in ["/login", "/signup", "/reset"] {
        let page = browser.send(browser.request("HEAD", path)).await.is(200);
        assert!(page.text.is_empty());
    }
}

#[tokio::test]
async fn the_landing_places_of_before_lead_to_the_pages_of_today() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.get("/login.html").await.leads_to("/login");
    browser.get("/auth/account").await.leads_to("/account");
    for path in ["/link.html", "/link/account"] {
        browser.get(path).await.leads_to("/account#linked");
    }
    browser.get("/").await.leads_to("/account");
}

#[tokio::test]
async fn paths_compare_without_case_and_a_slash_at_the_end_changes_nothing() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    for path in ["/Login", "/LOGIN/", "/login/"] {
        browser.get(path).await.is(200).says("Log in");
    }
}

#[tokio::test]
async fn a_pool_without_a_number_to_send_to_says_what_to_do() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    site.sign_up("Employees", "eve@example.com").await;
    let fields = [
        ("identifier", "eve@example.com"),
        ("password", crate::site::PASSWORD),
        ("pool", "Employees"),
    ];
    // The console reaches people without a number; a real gateway would have refused here.
    browser
        .fill("/login?pool=Employees", "/login", &fields)
        .await
        .leads_to("/two-factor?pool=Employees");
    let page = browser
        .get("/two-factor")
        .await
        .is(200)
        .says("We sent you a code.");
    assert!(!page.text.contains("ending in"));
    let code = site.console.code();
    browser
        .fill("/two-factor", "/two-factor", &[("code", &code)])
        .await
        .leads_to("/account");
    browser.get("/account").await.is(200).says("eve@example.com");
    browser
        .fill("/account", "/logout", &[("pool", "Employees")])
        .await
        .leads_to("/login?bye=1&pool=Employees");
}
