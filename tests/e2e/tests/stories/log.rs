//! The log: all an operator needs, and no secret.

use e2e::{Client, Portcullis};
use serde_json::{Value, json};

const EMAIL: &str = "ann@example.com";
const SECRET: &str = "MARKER-of-a-password-7261";
const PHONE: &str = "+447700900123";
const LOGIN: &str = "/api/Employees/login";

/// Hands the password over in every way it does not belong.
async fn hand_the_password_over_wrongly(client: &Client) {
    let cut = format!("{{\"email\":\"{EMAIL}\",\"password\":\"{SECRET}\"");
    let twice = format!("{{\"password\":\"{SECRET}\",\"password\":\"{SECRET}\"}}");
    for body in [cut, twice] {
        client.post_raw(LOGIN, body).await.done();
    }
    for body in [
        json!({ "email": EMAIL, "password": [SECRET] }),
        json!({ "email": SECRET, "password": SECRET }),
        json!({ "username": SECRET, "password": SECRET, "realm": SECRET }),
        json!([SECRET]),
        json!(SECRET),
    ] {
        client.post(LOGIN, body).await.done();
    }
    let fields = [("email", EMAIL), ("password", SECRET), ("password", SECRET)];
    client.post_form(LOGIN, &fields).await.done();
    for path in [
        format!("{LOGIN}?email={EMAIL}&password={SECRET}"),
        format!("/{SECRET}?{SECRET}={SECRET}"),
        format!("/api/{SECRET}"),
    ] {
        client.get(&path).await.done();
    }
    let basic = client.request("GET", "/healthz").basic_auth("ann", Some(SECRET));
    client.send(basic).await.done();
    let named = client
        .request("GET", "/healthz")
        .header("X-Request-Id", format!("{SECRET}!"));
    client.send(named).await.done();
}

/// Logs in with a code, after one wrong one; id, and the three secrets on the way.
async fn log_in(server: &Portcullis) -> (String, [String; 3]) {
    let client = server.client();
    let person = json!({ "email": EMAIL, "password": SECRET, "phone": PHONE });
    let id = client.post("/api/Employees", person).await.expect(200).at("id");
    let credentials = json!({ "email": EMAIL, "password": SECRET });
    let requested = client.post("/api/Employees/requestCode", credentials).await;
    let challenge = requested.expect(200).at("challenge");
    let code = server.console().code(EMAIL).await;
    let typed = |code: &str| json!({ "email": EMAIL, "twofactor": code, "challenge": challenge });
    client
        .post("/api/Employees/loginWithCode", typed("0000000"))
        .await
        .done();
    let logged_in = client.post("/api/Employees/loginWithCode", typed(&code)).await;
    let token = logged_in.expect(200).at("id");
    (id, [code, challenge, token])
}

/// Shows the token in every place and asks for a reset; the reset token.
async fn show_tokens(server: &Portcullis, id: &str, token: &str) -> String {
    let client = server.client();
    let (me, own) = (client.with(token), format!("/api/Employees/{id}"));
    me.get(&own).await.expect(200).done();
    for path in [
        format!("{own}?access_token={token}"),
        format!("/api/Employees/{token}?access_token={token}"),
        format!("/{token}"),
    ] {
        client.get(&path).await.done();
    }
    let asked = client.post("/api/Employees/reset", json!({ "email": EMAIL }));
    asked.await.expect(204).done();
    let reset = e2e::in_link(&server.console().link(EMAIL, 0).await, "token");
    for path in [
        format!("/api/Employees/confirm?uid={id}&token={reset}"),
        format!("/reset?pool=Employees&token={reset}"),
    ] {
        client.get(&path).await.done();
    }
    let change = json!({ "oldPassword": SECRET, "newPassword": format!("{SECRET}-new") });
    let changed = me.post("/api/Employees/change-password", change).await;
    changed.expect(204).done();
    me.post("/api/Employees/logout", json!({}))
        .await
        .expect(204)
        .done();
    client.get(&format!("{own}?access_token={token}")).await.done();
    reset
}

#[tokio::test]
async fn no_secret_stands_in_the_log_even_when_it_tells_everything() {
    let setup = Portcullis::setup().config("[users.Employees]\nsecond_factor = \"required\"");
    let server = setup.variable("PORTCULLIS__LOG__LEVEL", "trace").start().await;
    let client = server.client();
    let (id, [code, challenge, token]) = log_in(&server).await;
    hand_the_password_over_wrongly(&client).await;
    let reset = show_tokens(&server, &id, &token).await;
    let last = client
        .request("GET", "/healthz")
        .header("X-Request-Id", "the-last-one");
    client.send(last).await.done();
    let log = server.log();
    log.wait("the last line", 0, |line| {
        line.contains("the-last-one").then_some(())
    })
    .await;
    for (name, hidden) in [
        ("password", SECRET),
        ("token", token.as_str()),
        ("challenge", &challenge),
        ("reset token", &reset),
        ("phone", &PHONE[1..]),
    ] {
        let line = log.lines().into_iter().find(|line| line.contains(hidden));
        assert!(line.is_none(), "the {name} stands in the log: {line:?}");
    }
    // Six digits may stand in a time or an id by chance: as a word of their own they would be the code.
    let is_word = |line: &str| {
        line.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
            .any(|word| word == code)
    };
    assert!(
        !log.lines().iter().any(|line| is_word(line)),
        "the code stands in the log"
    );
    let printed = server.console().text();
    assert_eq!(
        printed.matches(&code).count(),
        1,
        "the code stands on its console line alone"
    );
}

#[tokio::test]
async fn who_came_in_and_who_failed_is_told_with_account_and_address() {
    let server = Portcullis::start().await;
    let client = server.client_from("127.0.0.77");
    let ann = client.sign_up("ann").await;
    assert_eq!(client.try_password(&ann, "something else").await, 401);
    client.log_in(&ann).await;
    for event in ["login.failed", "login.succeeded"] {
        let tells = |line: &str| {
            let line: Value = serde_json::from_str(line).ok()?;
            let about = line["event"] == event && line["user"].as_str()?.ends_with(&ann.id);
            about.then(|| line["request"].as_str().map(str::to_owned))?
        };
        // The event holds but a hash of the network; the line of its request holds the address.
        let request = server.log().wait(event, 0, tells).await;
        let from = |line: &str| {
            (line.contains(&request) && line.contains("127.0.0.77") && !line.contains("\"event\""))
                .then_some(())
        };
        server.log().wait("the request of the event", 0, from).await;
    }
}
