//! The stylesheet, and the team's own folder.

use std::fs;
use std::os::unix::fs::symlink;

use crate::browser::Browser;
use crate::site::Site;

#[tokio::test]
async fn the_stylesheet_is_fetched_once_and_asked_for_again() {
    let site = Site::open().await;
    let browser = Browser::new(&site);
    let sheet = browser.get("/assets/portcullis.css").await.is(200);
    assert_eq!(sheet.header("content-type"), "text/css; charset=utf-8");
    assert!(sheet.header("cache-control").starts_with("public, max-age="));
    let tag = sheet.header("etag").to_owned();
    let again = browser
        .request("GET", "/assets/portcullis.css")
        .header("if-none-match", &tag);
    let again = browser.send(again).await.is(304);
    assert_eq!((again.header("etag"), again.text.as_str()), (tag.as_str(), ""));
}

#[tokio::test]
async fn a_team_shows_its_own_pages() {
    let (site, _folder) = with_folder().await;
    let browser = Browser::new(&site);
    let index = browser.get("/").await.is(200).says("the team's page");
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(
        index.header("content-security-policy"),
        "",
        "the team's page brings its own"
    );
    assert_eq!(index.header("x-content-type-options"), "nosniff");
    browser.get("/app.js").await.is(200).says("script");
    browser.get("/with%20blank.txt").await.is(200).says("blank");
    browser.get("/docs/").await.is(200).says("the docs");
    assert_eq!(browser.get("/docs").await.is(302).location(), "/docs/");
    browser.get("/login.html").await.is(200).says("the team's login");
    browser.get("/login").await.is(200).says("Log in");
    browser.get("/inside").await.is(200).says("script");
}

#[tokio::test]
async fn a_file_is_sent_again_only_when_it_changed() {
    let (site, folder) = with_folder().await;
    let browser = Browser::new(&site);
    let tag = browser.get("/app.js").await.is(200).header("etag").to_owned();
    let again = async || {
        browser
            .send(browser.request("GET", "/app.js").header("if-none-match", &tag))
            .await
    };
    again().await.is(304);
    fs::write(folder.path().join("client/app.js"), "another script").unwrap();
    again().await.is(200).says("another script");
}

#[tokio::test]
async fn nothing_is_listed_and_nothing_but_reading_is_possible() {
    let (site, _folder) = with_folder().await;
    let browser = Browser::new(&site);
    for path in ["/empty/", "/empty", "/missing", "/app.js/", "/docs/index.html/"] {
        browser.get(path).await.is(404);
    }
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        browser.send(browser.request(method, "/app.js")).await.is(404);
    }
    let head = browser.send(browser.request("HEAD", "/app.js")).await.is(200);
    assert!(head.text.is_empty());
}

#[tokio::test]
async fn no_spelling_reaches_around_the_folder_or_into_what_is_hidden() {
    let (site, _folder) = with_folder().await;
    let browser = Browser::new(&site);
    let spellings = [
        "/../secret.txt",
        "/docs/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/..%2fsecret.txt",
        "/docs/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e/secret.txt",
        "/..%c0%afsecret.txt",
        "/.%2e/secret.txt",
        "//secret.txt",
        "/./../secret.txt",
        "/..;/secret.txt",
        "/..%00/secret.txt",
        "/secret.txt%00.html",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/docs/.hidden",
        "/escape",
        "/escape-folder/secret.txt",
        "/to-hidden",
        "/file:secret.txt",
        "/app.js%00",
        "/app.js::$DATA",
        "/%2f%2fsecret.txt",
        "/client/../secret.txt",
    ];
    for spelling in spellings {
        let (status, answer) = browser.raw("GET", spelling).await;
        assert!((400..500).contains(&status), "{spelling}: {answer}");
        assert!(!answer.contains("top secret"), "{spelling}");
    }
}

#[tokio::test]
async fn a_folder_without_a_name_for_its_slash_leads_nowhere_else() {
    let (site, _folder) = with_folder().await;
    let browser = Browser::new(&site);
    for spelling in ["//docs", "/%2fdocs", "/\\docs", "///docs"] {
        let (status, answer) = browser.raw("GET", spelling).await;
        assert_eq!(status, 404, "{spelling}: {answer}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_there() {
    let (site, folder) = with_folder().await;
    let large = fs::File::create(folder.path().join("client/large.bin")).unwrap();
    large.set_len(16 * 1024 * 1024 + 1).unwrap();
    Browser::new(&site).get("/large.bin").await.is(404);
}

/// A site with a folder full of things, right and wrong ones, and a secret beside it.
async fn with_folder() -> (Site, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (top, client) = (folder.path().to_owned(), folder.path().join("client"));
    for name in ["docs", "empty", ".git"] {
        fs::create_dir_all(client.join(name)).unwrap();
    }
    let files = [
        ("index.html", "the team's page"),
        ("login.html", "the team's login"),
        ("app.js", "script"),
        ("with blank.txt", "blank"),
        ("docs/index.html", "the docs"),
        ("docs/.hidden", "top secret"),
        (".env", "top secret"),
        (".git/config", "top secret"),
    ];
    for (name, text) in files {
        fs::write(client.join(name), text).unwrap();
    }
    fs::write(top.join("secret.txt"), "top secret").unwrap();
    symlink(top.join("secret.txt"), client.join("escape")).unwrap();
    symlink(&top, client.join("escape-folder")).unwrap();
    symlink(client.join(".env"), client.join("to-hidden")).unwrap();
    symlink("app.js", client.join("inside")).unwrap();
    let site = Site::with(|_, settings| settings.static_dir = Some(client)).await;
    (site, folder)
}
