//! A page of the years of LoopBack 3, with jQuery and a bare `XMLHttpRequest`, served by another site: it asks Portcullis as it asked
//! LoopBack, for somebody who was moved, and notices nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;

use browser::Browser;
use e2e::{PASSWORD, Portcullis, Setup};

/// The page; `API` is put in.
const PAGE: &str = r#"<!doctype html><title>Staff</title>
<script src="jquery.js"></script>
<form id="login"><input name="email"><input name="password" type="password"><button>Log in</button></form>
<pre id="said"></pre>
<script>
var api = 'API';
function say(what) { $('#said').append(document.createTextNode(what + '\n')); }
function failed(xhr) { say('failed ' + xhr.status + ' ' + (xhr.responseJSON || { error: {} }).error.code); say('end'); }
$('#login').on('submit', function (e) {
  e.preventDefault();
  var credentials = { email: e.target.email.value, password: e.target.password.value };
  $.post(api + '/login', credentials).fail(failed).done(function (token) {
    say('a number: ' + (token.userId === 7));
    $.ajax({ url: api + '/' + token.userId, headers: { Authorization: token.id } }).fail(failed).done(function (user) {
      say('the colour: ' + user.colour);
      $.ajax({
        url: api + '/' + user.id, method: 'PATCH', contentType: 'application/json', headers: { Authorization: token.id },
        data: JSON.stringify({ id: user.id, colour: 'green' })
      }).fail(failed).done(function (user) {
        say('now ' + user.colour);
        var xhr = new XMLHttpRequest();
        xhr.open('POST', api + '/logout');
        xhr.setRequestHeader('Content-Type', 'application/json');
        xhr.setRequestHeader('Authorization', token.id);
        xhr.onload = function () {
          say('out: ' + xhr.status);
          $.ajax({ url: api + '/' + user.id, headers: { Authorization: token.id } }).fail(failed);
        };
        xhr.send('{}');
      });
    });
  });
});
</script>"#;

/// As LoopBack's memory connector keeps them.
const PEOPLE: &str = r#"{
    "ids": { "user": 8 },
    "models": { "user": { "7": "{\"email\":\"ann@example.com\",\"colour\":\"red\",\"password\":\"HASH\",\"id\":7}" } }
}"#;
/// What LoopBack's bcrypt made of [`PASSWORD`].
const HASH: &str = "$2a$10$RrJ9uKcdizS3/K17DM7RQuG0BfPYLzujzJKSLJdsj1KAZj8T3STxu";

fn jquery() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    cache.join("portcullis/tools/counterparties/loopback3/node_modules/jquery/dist/jquery.js")
}

/// A site with a folder of files, at `localhost`; `folder` is laid into it.
fn site(config: &str) -> Setup {
    Portcullis::setup()
        .variable("PORTCULLIS__SERVER__LISTEN", "localhost:0")
        .config(config)
}

#[tokio::test]
async fn a_page_with_jquery_serves_somebody_who_was_moved() {
    let staff = site("[server]\nstatic_dir = \"client\"");
    let folder = staff.home().join("client");
    std::fs::create_dir_all(&folder).unwrap();
    let copied = std::fs::copy(jquery(), folder.join("jquery.js"));
    assert!(
        copied.is_ok(),
        "jQuery is missing: run `bash tests/setup`, which brings it"
    );
    let staff = staff.start().await;
    let origin = format!("http://localhost:{}", staff.port());

    let setup = site(&format!("[server]\ncors_origins = [\"{origin}\"]"));
    std::fs::write(setup.home().join("loopback.json"), PEOPLE.replace("HASH", HASH)).unwrap();
    let (status, said) = setup
        .run(&["import", "loopback", "--from", "loopback.json"])
        .await;
    assert!(status.success(), "{said}");
    let server = setup.start().await;
    let page = PAGE.replace("API", &format!("http://localhost:{}/api/users", server.port()));
    std::fs::write(folder.join("staff.html"), page).unwrap();

    let browser = Browser::open("old-page", true).await;
    for (password, expected) in [
        ("wrong", &["failed 401 LOGIN_FAILED"][..]),
        (
            PASSWORD,
            &[
                "a number: true",
                "the colour: red",
                "now green",
                "out: 204",
                "failed 401",
            ],
        ),
    ] {
        browser.go(&format!("{origin}/staff.html")).await;
        browser.fill("[name=email]", "ann@example.com").await;
        browser.fill("[name=password]", password).await;
        browser.find("form button").await.click().await.unwrap();
        let said = ended(&browser).await;
        for line in expected {
            assert!(said.contains(line), "{line}: {said}");
        }
    }
}

/// What the page said, once it is through.
async fn ended(browser: &Browser) -> String {
    let begun = std::time::Instant::now();
    loop {
        let said = browser.text().await;
        if said.contains("\nend") {
            return said;
        }
        assert!(begun.elapsed().as_secs() < 20, "{said}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
