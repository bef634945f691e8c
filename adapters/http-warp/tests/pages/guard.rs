//! What keeps other sites out: origins, anti-forgery values, cookies, headers.

use crate::browser::Browser;
use crate::site::{EMAIL, PASSWORD, Site};

/// Every form of the site.
const ACTIONS: [&str; 15] = [
    "/login",
    "/logout",
    "/signup",
    "/two-factor",
    "/two-factor/resend",
    "/account/password",
    "/account/email",
    "/account/verify-email",
    "/account/phone",
    "/account/phone/send-code",
    "/account/phone/confirm",
    "/account/sessions/end-others",
    "/reset",
    "/verify",
    "/verify/email/resend",
];

#[tokio::test]
async fn no_form_works_without_the_value_of_this_browser() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let other = Browser::new(&site).get("/login").await.hidden("csrf");
    for action in ACTIONS {
        for csrf in ["", "wrong", &other] {
            browser
                .post(action, csrf, &[])
                .await
                .is(403)
                .says("This form is too old");
        }
    }
    browser.get("/account").await.is(200).says(EMAIL);
}

#[tokio::test]
async fn a_form_value_without_its_cookie_or_twice_is_worth_nothing() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let csrf = browser.get("/login").await.hidden("csrf");
    browser
        .post("/login", &csrf, &[("csrf", &csrf), ("identifier", EMAIL)])
        .await
        .is(403);
    browser.forget("portcullis-csrf");
    browser
        .post("/login", &csrf, &[("identifier", EMAIL)])
        .await
        .is(403);
    browser.set_cookie("portcullis-csrf", "");
    browser.post("/login", "", &[("identifier", EMAIL)]).await.is(403);
    browser.set_cookie("portcullis-csrf", "short");
    browser
        .post("/login", "short", &[("identifier", EMAIL)])
        .await
        .is(403);
}

#[tokio::test]
async fn no_form_of_another_site_changes_anything() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let csrf = browser.get("/account").await.hidden("csrf");
    let senders: [&[(&str, &str)]; 6] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost.evil.example:3000")],
        &[
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for sender in senders {
        let request = browser.request("POST", "/logout").form(&[("csrf", &csrf)]);
        let request = sender
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        browser.send(request).await.is(403);
    }
    browser.get("/account").await.is(200);
}

#[tokio::test]
async fn forms_are_urlencoded_with_each_field_once_and_no_other() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let csrf = browser.get("/login").await.hidden("csrf");
    for kind in [
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=utf-16",
    ] {
        let request = browser
            .request("POST", "/login")
            .header("content-type", kind)
            .body(format!("csrf={csrf}&identifier=a&password=b"));
        browser.send(request).await.is(415);
    }
    let send = async |body: String| {
        let request = browser
            .request("POST", "/login")
            .header("content-type", "application/x-www-form-urlencoded");
        browser.send(request.body(body)).await.status
    };
    assert_eq!(send(format!("csrf={csrf}&identifier=a&password=b")).await, 401);
    assert_eq!(
        send(format!("csrf={csrf}&identifier=a&identifier=b&password=b")).await,
        400
    );
    assert_eq!(
        send(format!("csrf={csrf}&identifier=a&password=b&admin=1")).await,
        400
    );
    assert_eq!(send(format!("csrf={csrf}&identifier=a&password=%FF")).await, 400);
    assert_eq!(send("x".repeat(200_000)).await, 413);
    assert_eq!(browser.send(browser.request("POST", "/login")).await.status, 415);
}

#[tokio::test]
async fn every_page_is_closed_to_script_frames_caches_and_other_sites() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let pages = [
        "/login?pool=Employees",
        "/signup",
        "/account",
        "/reset",
        "/reset?token=x",
        "/account/security",
        "/account/confirm",
        "/email/revert?token=x",
        "/verify?uid=x&token=y",
        "/nothing",
    ];
    for path in pages {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("script-src"),
            "{path}"
        );
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        // Never a path, so never a token; and not `no-referrer`, under which forms come from `null`.
        assert_eq!(page.header("referrer-policy"), "strict-origin", "{path}");
        assert!(
            !page.text.contains("<script") && page.text.contains("</html>"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn cookies_are_out_of_reach_of_script_and_other_sites() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    let page = browser.get("/login").await;
    assert!(
        page.set_cookie("portcullis-csrf").is_empty(),
        "the browser has one already"
    );
    let kept = [("identifier", EMAIL), ("password", PASSWORD), ("keep", "1")];
    let kept = browser.fill("/login", "/login", &kept).await;
    let line = kept.set_cookie("portcullis");
    assert!(
        line.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"),
        "{line}"
    );
    browser.forget("portcullis");
    let opened = browser.log_in().await;
    let line = opened.set_cookie("portcullis");
    assert!(
        line.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "not kept, it ends with the browser: {line}"
    );
    assert!(
        opened
            .set_cookie("portcullis-csrf")
            .ends_with("; Path=/; HttpOnly; SameSite=Lax")
    );
    assert!(opened.text.is_empty());
}

#[tokio::test]
async fn over_tls_cookies_are_bound_to_the_host() {
    let site = Site::with(|_, settings| settings.public_url = "https://login.example.org".to_owned()).await;
    let browser = Browser::new(&site);
    let page = browser.get("/login").await;
    let line = page.set_cookie("__Host-portcullis-csrf");
    assert!(
        line.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{line}"
    );
    browser.sign_up(&[]).await.is(303);
    let opened = browser.log_in().await;
    assert!(opened.set_cookie("__Host-portcullis").contains("; Secure"));
    assert!(!opened.header("strict-transport-security").is_empty());
    browser.get("/account").await.is(200);
}

#[tokio::test]
async fn pages_know_people_by_the_session_cookie_alone() {
    let site = Site::open().await;
    let browser = Browser::at_home(&site).await;
    let token = browser.cookie("portcullis").unwrap();
    let stranger = Browser::new(&site);
    stranger
        .get(&format!("/account?access_token={token}"))
        .await
        .is(303);
    for header in ["authorization", "x-access-token"] {
        stranger
            .send(stranger.request("GET", "/account").header(header, &token))
            .await
            .is(303);
    }
    stranger.set_cookie("access_token", &token);
    stranger.get("/account").await.is(303);
}

#[tokio::test]
async fn no_spelling_of_a_return_place_leads_off_the_site() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    browser.sign_up(&[]).await;
    let spellings = [
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https://evil.example",
        "https:evil.example",
        "///evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "\t//evil.example",
        "/\n/evil.example",
        " //evil.example",
        "@evil.example",
        "/\r\nlocation: //evil.example",
        "/\u{ff0f}evil.example",
        "http:/\\evil.example",
    ];
    for spelling in spellings {
        let fields = [
            ("identifier", EMAIL),
            ("password", PASSWORD),
            ("return_to", spelling),
        ];
        let browser = Browser::new(&site);
        browser
            .fill("/login", "/login", &fields)
            .await
            .leads_to("/account");
        let query: String = form_urlencoded::byte_serialize(spelling.as_bytes()).collect();
        browser
            .get(&format!("/login?return_to={query}"))
            .await
            .leads_to("/account");
        let page = Browser::new(&site)
            .get(&format!("/login?return_to={query}"))
            .await
            .is(200);
        assert!(
            !page.text.contains("evil.example") && !page.text.contains("alert"),
            "{spelling:?}"
        );
    }
    let fields = [
        ("identifier", EMAIL),
        ("password", PASSWORD),
        ("return_to", "/docs/%2Fa?b#c"),
    ];
    browser
        .fill("/login", "/login", &fields)
        .await
        .leads_to("/docs/%2Fa?b#c");
}
