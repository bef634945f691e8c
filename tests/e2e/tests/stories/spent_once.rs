//! Fifty at one instant with one thing that is good once: one of them gets what it is good for, and only once.

use std::collections::BTreeSet;
use std::time::Duration;

use e2e::{Client, Counterparty, PASSWORD, Person, Portcullis, Reply, in_link};
use futures_util::future::join_all;
use serde_json::json;

use crate::authenticator::Device;
use crate::factors::app_code;
use crate::providers::entries::{file, panva, parameter};
use crate::two_factor::{EMPLOYEES, employee, request_code, type_code_with};

const FIFTY: usize = 50;
/// All fifty may want a password hashed at once.
const PATIENT: &str = "[hash]\nqueue = 400";
const NEW: &str = "another long password";

/// What became of fifty who sent the same at one instant: the one that was taken, and all others were refused. None where a store could not
/// keep up and said so: whoever hears 503 does not know, and the one may be among them; but there are never two.
#[track_caller]
fn the_one(replies: Vec<Reply>) -> Option<Reply> {
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(replies.len(), FIFTY);
    let is_known = |status: &u16| matches!(status, 200 | 204 | 400 | 401 | 409 | 429 | 503);
    assert!(statuses.iter().all(is_known), "{statuses:?}");
    let mut taken = replies.into_iter().filter(|reply| reply.status < 300);
    let first = taken.next();
    assert!(first.is_some() || statuses.contains(&503), "none: {statuses:?}");
    assert!(taken.next().is_none(), "more than one: {statuses:?}");
    first
}

async fn fifty(send: impl AsyncFn(usize) -> Reply) -> Vec<Reply> {
    join_all((0..FIFTY).map(|number| send(number))).await
}

/// How many live logins somebody has.
async fn logins(session: &Client, person: &Person) -> usize {
    let listed = session.get(&format!("{}/sessions", person.path())).await;
    listed.expect(200).json().as_array().unwrap().len()
}

/// Somebody with an app, ten recovery codes and a passkey; a session of theirs.
struct Ann {
    server: Portcullis,
    client: Client,
    person: Person,
    session: Client,
    app: String,
    codes: Vec<String>,
    key: Device,
}

impl Ann {
    async fn new() -> Self {
        let server = Portcullis::setup().at_localhost().start().await;
        let client = server.client();
        let person = client.sign_up("ann").await;
        let session = client.with(&client.log_in(&person).await);
        let mut key = Device::new(&server);
        key.enrol(&session, &person).await.expect(200).done();
        // From now on only a proof by the passkey is fresh.
        let asked = session
            .post(&format!("{}/stepUp/options", person.path()), json!({}))
            .await;
        let proof = key.sign(&asked.expect(200).json()).await;
        let proven = session.post(&format!("{}/stepUp", person.path()), proof).await;
        let session = client.with(&proven.expect(200).at("id"));
        let factors = format!("{}/factors", person.path());
        let begun = session
            .post(&format!("{factors}/totp"), json!({}))
            .await
            .expect(200);
        let app = begun.at("secret");
        let body = json!({ "enrolment": begun.at("enrolment"), "code": app_code(&app, 0) });
        let confirmed = session.post(&format!("{factors}/totp/confirm"), body).await;
        confirmed.expect(200).done();
        let made = session.post(&format!("{factors}/recovery"), json!({})).await;
        let codes: Vec<String> = serde_json::from_value(made.expect(200).json()["codes"].take()).unwrap();
        Self {
            server,
            client,
            person,
            session,
            app,
            codes,
            key,
        }
    }

    /// Three logins that wait at three places: as many as there may be.
    async fn waiting(&self) -> Vec<String> {
        let mut challenges = Vec::new();
        for last in 11..14 {
            let client = self.server.client_from(&format!("127.0.0.{last}"));
            let body = json!({ "email": self.person.email, "password": PASSWORD, "method": "totp" });
            let asked = client.post("/api/Users/requestCode", body).await;
            challenges.push(asked.expect(200).at("challenge"));
        }
        challenges
    }

    /// Types one code fifty times into three logins that wait: opens one of them.
    async fn types(&self, code: &str) {
        let before = logins(&self.session, &self.person).await;
        let challenges = self.waiting().await;
        let replies = fifty(async |number| {
            let challenge = &challenges[number % challenges.len()];
            type_code_with(&self.client, &self.person, code, challenge).await
        });
        let opened = the_one(replies.await).map_or(0, |_| 1);
        let since = logins(&self.session, &self.person).await - before;
        assert!((opened..=1).contains(&since), "{since} logins");
    }
}

#[tokio::test]
async fn one_text_message_opens_one_login() {
    let (server, client, ann) = employee().await;
    let challenge = request_code(&client, &ann).await;
    let code = server.console().code(&ann.email).await;
    let replies = fifty(async |_| type_code_with(&client, &ann, &code, &challenge).await).await;
    if let Some(opened) = the_one(replies) {
        assert_eq!(logins(&client.with(&opened.at("id")), &ann).await, 1);
    }
}

#[tokio::test]
async fn one_code_of_an_app_opens_one_of_three_logins_that_wait() {
    let ann = Ann::new().await;
    ann.types(&app_code(&ann.app, 1)).await;
}

#[tokio::test]
async fn one_recovery_code_opens_one_of_three_logins_that_wait() {
    let ann = Ann::new().await;
    ann.types(&ann.codes[4]).await;
    let factors = ann.session.get(&format!("{}/factors", ann.person.path())).await;
    assert_eq!(factors.expect(200).json()["recoveryCodesLeft"], 9);
}

#[tokio::test]
async fn one_answer_of_an_authenticator_opens_one_login() {
    let mut ann = Ann::new().await;
    let before = logins(&ann.session, &ann.person).await;
    let asked = Device::asked(&ann.client, &ann.person, None).await;
    let answer = ann.key.sign(&asked).await;
    let path = ann.person.of_pool("loginWithPasskey");
    let whole = the_one(fifty(async |_| ann.client.post(&path, answer.clone()).await).await);
    let challenge = ann.waiting().await.remove(0);
    let asked = Device::asked(&ann.client, &ann.person, Some(&challenge)).await;
    let answer = ann.key.sign(&asked).await;
    let second = the_one(fifty(async |_| ann.client.post(&path, answer.clone()).await).await);
    let opened = [whole, second].iter().flatten().count();
    let since = logins(&ann.session, &ann.person).await - before;
    assert!((opened..=2).contains(&since), "{since} logins");
}

#[tokio::test]
async fn one_code_proves_one_session_anew() {
    let ann = Ann::new().await;
    let other = ann.client.clone();
    let mut sessions = vec![ann.session.clone()];
    for code in &ann.codes[..2] {
        let challenge = ann.waiting().await.remove(0);
        let opened = type_code_with(&other, &ann.person, code, &challenge).await;
        sessions.push(other.with(&opened.expect(200).at("id")));
    }
    let path = format!("{}/stepUp", ann.person.path());
    let body = json!({ "code": ann.codes[5], "method": "recovery" });
    let replies = fifty(async |number| sessions[number % sessions.len()].post(&path, body.clone()).await);
    the_one(replies.await);
}

#[tokio::test]
async fn one_answer_of_an_authenticator_proves_one_session_once() {
    let mut ann = Ann::new().await;
    let path = format!("{}/stepUp", ann.person.path());
    let asked = ann.session.post(&format!("{path}/options"), json!({})).await;
    let answer = ann.key.sign(&asked.expect(200).json()).await;
    let replies = fifty(async |_| ann.session.post(&path, answer.clone()).await).await;
    if let Some(proven) = the_one(replies) {
        assert!(ann.client.opens(&proven.at("id"), &ann.person).await);
    }
}

/// The newest link to a page that stands on the console.
async fn mailed(server: &Portcullis, page: &str) -> String {
    let find = |line: &str| {
        let mut words = line.split_whitespace();
        words
            .find(|word| word.contains(page))
            .map(|link| in_link(link, "token"))
    };
    server.console().wait(page, 0, find).await
}

#[tokio::test]
async fn one_reset_sets_one_password() {
    let server = Portcullis::with(PATIENT).await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let body = json!({ "email": ann.email });
    client.post("/api/Users/reset", body).await.expect(204).done();
    let holder = client.with(&mailed(&server, "/reset?").await);
    let replies = fifty(async |number| {
        let body = json!({ "newPassword": format!("{NEW} {number}") });
        holder.post("/api/Users/reset-password", body).await
    })
    .await;
    let winner = replies.iter().position(|reply| reply.status == 204);
    the_one(replies);
    let mut opened = Vec::new();
    for number in (0..FIFTY).filter(|number| winner.is_none_or(|winner| winner.abs_diff(*number) < 3)) {
        let password = format!("{NEW} {number}");
        if client.try_password(&ann, &password).await == 200 {
            opened.push(number);
        }
    }
    assert!(opened.len() < 2, "{opened:?}");
    assert!(
        winner.is_none() || opened.first() == winner.as_ref(),
        "{opened:?}"
    );
    let old = client.try_password(&ann, PASSWORD).await;
    assert_eq!(old == 200, opened.is_empty());
}

#[tokio::test]
async fn one_link_verifies_once_one_logs_in_once_and_one_leads_back_once() {
    let server = Portcullis::with("[users.Users]\nmagic_link = true").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let verify = format!("{}/verify", ann.path());
    client.post(&verify, json!({})).await.expect(204).done();
    let token = mailed(&server, "/verify?").await;
    let confirm = format!("/api/Users/confirm?uid={}&token={token}", ann.id);
    the_one(fifty(async |_| client.get(&confirm).await).await);

    let body = json!({ "email": ann.email });
    let asked = client.post("/api/Users/requestLink", body).await;
    asked.expect(204).done();
    let body = json!({ "token": mailed(&server, "/login/link?").await });
    let replies = fifty(async |_| client.post("/api/Users/loginWithLink", body.clone()).await).await;
    if let Some(opened) = the_one(replies) {
        assert_eq!(logins(&client.with(&opened.at("id")), &ann).await, 1);
    }

    let session = client.with(&client.log_in(&ann).await);
    let change = json!({ "email": "eve@example.com", "currentPassword": PASSWORD });
    session.patch(&ann.path(), change).await.expect(200).done();
    let body = json!({ "token": mailed(&server, "/email/revert?").await });
    let replies = fifty(async |_| client.post("/api/Users/revertEmail", body.clone()).await).await;
    if the_one(replies).is_some() {
        client.log_in(&ann).await;
    }
}

#[tokio::test]
async fn one_code_of_a_program_fetches_one_session() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let party = Counterparty::panva().await;
    let config = "[providers]\nreturn_to = [\"com.example.app:/back\"]";
    let setup = Portcullis::setup().config(config);
    let server = setup
        .providers(&file([("panva", panva(&party, "web"))]))
        .start()
        .await;
    let query =
        format!("returnTo=com.example.app:/back&code_challenge={challenge}&code_challenge_method=S256");
    let start = server.at(&format!("/auth/panva?{query}"));
    let mut browser = server.browser();
    let is_back = |url: &str| url.starts_with("com.example.app:/back");
    let back = browser.follow_until(&start, is_back).await;
    let body = json!({ "code": parameter(&back, "code"), "code_verifier": verifier });
    let client = server.client();
    let replies = fifty(async |_| client.post("/api/Users/exchange", body.clone()).await).await;
    the_one(replies);
}

#[tokio::test]
async fn one_code_confirms_one_number_once() {
    let server = Portcullis::with(EMPLOYEES).await;
    let client = server.client();
    let body = json!({ "email": "ann@example.com", "password": PASSWORD });
    let ann = client.sign_up_in("Users", "ann").await;
    let me = client.with(&client.post("/api/Users/login", body).await.expect(200).at("id"));
    let number = json!({ "phone": "+447700900123", "currentPassword": PASSWORD });
    me.patch(&ann.path(), number).await.expect(200).done();
    let sent = me
        .post(&format!("{}/phone/send-code", ann.path()), json!({}))
        .await;
    sent.expect(200).done();
    let body = json!({ "code": server.console().code(&ann.email).await });
    let path = format!("{}/phone/confirm", ann.path());
    the_one(fifty(async |_| me.post(&path, body.clone()).await).await);
}

/// Logs in for a session that is renewed: the first refresh token.
async fn renewable(client: &Client, ann: &Person) -> String {
    let body = json!({ "email": ann.email, "password": PASSWORD, "refresh": true });
    let opened = client.post(&ann.of_pool("login"), body).await;
    opened.expect(200).at("refreshToken")
}

async fn refresh(client: &Client, ann: &Person, token: &str) -> Reply {
    let body = json!({ "refreshToken": token });
    client.post(&ann.of_pool("refresh"), body).await
}

/// The values of a member in all answers.
fn told(replies: &[Reply], member: &str) -> BTreeSet<String> {
    replies.iter().map(|reply| reply.at(member)).collect()
}

#[tokio::test]
async fn one_refresh_token_goes_on_as_one_chain_for_however_many_ask() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let mut token = renewable(&client, &ann).await;
    let mut access = String::new();
    for round in 0..3 {
        let replies = fifty(async |_| refresh(&client, &ann, &token).await).await;
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        // A client that asks twice is no thief: everybody gets the one answer there is, or hears that a store could not keep up.
        assert!(
            statuses.iter().all(|status| matches!(status, 200 | 503)),
            "round {round}: {statuses:?}"
        );
        let replies: Vec<Reply> = replies.into_iter().filter(|reply| reply.status == 200).collect();
        assert!(!replies.is_empty(), "round {round}");
        assert_eq!(told(&replies, "refreshToken").len(), 1, "round {round}");
        assert_eq!(told(&replies, "id").len(), 1, "round {round}");
        token = replies[0].at("refreshToken");
        access = replies[0].at("id");
    }
    assert_eq!(logins(&client.with(&access), &ann).await, 1);
}

#[tokio::test]
async fn a_used_refresh_token_that_comes_fifty_times_ends_the_login_for_all() {
    let server = Portcullis::with("[users.Users]\nrefresh_grace = 1").await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let first = renewable(&client, &ann).await;
    let renewed = refresh(&client, &ann, &first).await.expect(200);
    let second = renewed.at("refreshToken");
    let access = refresh(&client, &ann, &second).await.expect(200);
    assert!(client.opens(&access.at("id"), &ann).await);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let replies = fifty(async |_| refresh(&client, &ann, &first).await).await;
    for reply in replies.iter().filter(|reply| reply.status != 503) {
        reply.refused(401, "INVALID_REFRESH_TOKEN");
    }
    refresh(&client, &ann, &first)
        .await
        .refused(401, "INVALID_REFRESH_TOKEN");
    refresh(&client, &ann, &access.at("refreshToken"))
        .await
        .refused(401, "INVALID_REFRESH_TOKEN");
    for token in [renewed.at("id"), access.at("id")] {
        assert!(!client.opens(&token, &ann).await);
    }
    client.log_in(&ann).await;
}
