//! Guessing at everything that can be guessed, from many places of both Internets: nothing opens, and meanwhile its owner comes and goes.
//! The limits are those that a server has by default.

use std::collections::BTreeMap;

use e2e::{Browser, Client, Counterparty, PASSWORD, Person, Portcullis, Reply};
use serde_json::json;

use crate::authenticator::Device;
use crate::factors::app_code;
use crate::providers::entries::{file, json_entry, panva};

/// Whoever guesses comes from as many places, half of them of IPv6.
const PLACES: usize = 2_000;
/// A login that waits takes five codes; somebody who knows the password asks for the next one then.
const GUESSES_PER_LOGIN: usize = 20;
/// Wrong answers that any one account gives before it waits for longer and longer: the limits, and some for the time a run takes.
const FEW: usize = 20;
const FEW_PASSWORDS: usize = 60;
/// Every guess at a device's token costs a hash of a password that is right.
const DEVICE_TOKENS: usize = 100;
/// Every guess at a passkey alone costs a signature of the thief's and its judgement.
const SIGNATURES: usize = 200;

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Password,
    TextMessage,
    AppCode,
    RecoveryCode,
    PasskeyAfterPassword,
    PasskeyAlone,
    FreshProof,
    DeviceToken,
    Session,
    Refresh,
    Reset,
    Verification,
    LoginLink,
    WayBack,
    LoginThatWaits,
    Ceremony,
    Exchange,
    ProviderState,
    JoinOffer,
    JoinCode,
    ApplicationKey,
}

const FACTORS: [Kind; 8] = [
    Kind::Password,
    Kind::TextMessage,
    Kind::AppCode,
    Kind::RecoveryCode,
    Kind::PasskeyAfterPassword,
    Kind::PasskeyAlone,
    Kind::FreshProof,
    Kind::DeviceToken,
];

const TOKENS: [Kind; 8] = [
    Kind::Session,
    Kind::Refresh,
    Kind::Reset,
    Kind::Verification,
    Kind::LoginLink,
    Kind::WayBack,
    Kind::LoginThatWaits,
    Kind::Ceremony,
];

const ELSEWHERE: [Kind; 5] = [
    Kind::Exchange,
    Kind::ProviderState,
    Kind::JoinOffer,
    Kind::JoinCode,
    Kind::ApplicationKey,
];

impl Kind {
    /// So many guesses of those that are to be made.
    fn worth(self, tries: usize) -> usize {
        match self {
            Self::DeviceToken => tries.min(DEVICE_TOKENS),
            Self::PasskeyAlone => tries.min(SIGNATURES),
            _ => tries,
        }
    }

    /// How many of many guesses are judged at most; none where nothing of the owner's is at stake, because there is too much to guess.
    const fn bound(self) -> Option<usize> {
        match self {
            Self::Password => Some(FEW_PASSWORDS),
            Self::TextMessage
            | Self::AppCode
            | Self::RecoveryCode
            | Self::PasskeyAfterPassword
            | Self::FreshProof
            | Self::JoinCode => Some(FEW),
            _ => None,
        }
    }
}

/// A place somebody guesses from.
fn place(guess: usize) -> String {
    let place = guess % PLACES;
    if place.is_multiple_of(2) {
        format!("198.18.{}.{}", place / 250, place % 250)
    } else {
        format!("2001:db8:{place:x}::{guess:x}")
    }
}

/// A token as it might be, of the right length and letters.
fn made_up(guess: usize) -> String {
    format!("{guess:064}")
}

fn six_digits_but_none_of(guess: usize, right: &[String]) -> String {
    let mut number = guess * 7_919;
    loop {
        let code = format!("{:06}", number % 1_000_000);
        if !right.contains(&code) {
            return code;
        }
        number += 1;
    }
}

/// Somebody with every factor, at a place of her own.
struct Owner {
    person: Person,
    home: Client,
    session: String,
    device: String,
    app: String,
    codes: Vec<String>,
    key: Device,
}

impl Owner {
    async fn new(server: &Portcullis, name: &str, number: usize) -> Self {
        let home = server.client().behind(&format!("203.0.113.{number}"));
        let email = format!("{name}@example.test");
        let body = json!({ "email": email, "password": PASSWORD });
        let id = home.post("/api/Users", body.clone()).await.expect(200).at("id");
        let person = Person {
            pool: "/api/Users".to_owned(),
            id,
            email,
            password: PASSWORD.to_owned(),
        };
        let login = home
            .request("POST", "/api/Users/login")
            .header("X-Device-Token", "new");
        let first = home.send(login.json(&body)).await.expect(200);
        let session = home.with(&first.at("id"));
        let at = |what: &str| format!("{}/{what}", person.path());
        let phone = format!("+4477009001{number:02}");
        let number = json!({ "phone": phone, "currentPassword": PASSWORD });
        session.patch(&person.path(), number).await.expect(200).done();
        session
            .post(&at("phone/send-code"), json!({}))
            .await
            .expect(200)
            .done();
        let code = server.console().code(&person.email).await;
        let confirmed = session.post(&at("phone/confirm"), json!({ "code": code })).await;
        confirmed.expect(200).done();
        session
            .post(&at("stepUp/code"), json!({}))
            .await
            .expect(200)
            .done();
        let code = server.console().code(&person.email).await;
        let proof = json!({ "code": code, "method": "sms" });
        let token = session.post(&at("stepUp"), proof).await.expect(200).at("id");
        let session = home.with(&token);
        let begun = session.post(&at("factors/totp"), json!({})).await.expect(200);
        let app = begun.at("secret");
        let body = json!({ "enrolment": begun.at("enrolment"), "code": app_code(&app, 0) });
        let added = session.post(&at("factors/totp/confirm"), body).await;
        added.expect(200).done();
        let made = session.post(&at("factors/recovery"), json!({})).await;
        let codes = serde_json::from_value(made.expect(200).json()["codes"].take()).unwrap();
        let mut key = Device::new(server);
        key.enrol(&session, &person).await.expect(200).done();
        Self {
            person,
            home,
            session: token,
            device: first.at("deviceToken"),
            app,
            codes,
            key,
        }
    }

    /// Password and another factor than the one that is guessed, from the device she always uses.
    async fn logs_in(&mut self, guessed: Kind) {
        let by_passkey = guessed != Kind::PasskeyAfterPassword && guessed != Kind::PasskeyAlone;
        let method = if by_passkey { "passkey" } else { "recovery" };
        let body = json!({ "email": self.person.email, "password": PASSWORD, "method": method });
        let ask = self.home.request("POST", "/api/Users/requestCode");
        let ask = ask.header("X-Device-Token", &self.device);
        let challenge = self.home.send(ask.json(&body)).await.expect(200).at("challenge");
        let opened = if by_passkey {
            let asked = Device::asked(&self.home, &self.person, Some(&challenge)).await;
            let answer = self.key.sign(&asked).await;
            self.home.post("/api/Users/loginWithPasskey", answer).await
        } else {
            let code = self.codes.pop().expect("one is left");
            let body = json!({ "challenge": challenge, "twofactor": code, "method": "recovery" });
            self.home.post("/api/Users/loginWithCode", body).await
        };
        assert_eq!(
            opened.status, 200,
            "she is shut out by {guessed:?}: {}",
            opened.text
        );
    }

    /// That nothing about her changed.
    async fn is_as_she_was(&self) {
        let session = self.home.with(&self.session);
        let record = session.get(&self.person.path()).await.expect(200).json();
        assert_eq!(record["email"], self.person.email.as_str());
        let factors = session.get(&format!("{}/factors", self.person.path())).await;
        let factors = factors.expect(200).json();
        let kinds = |what: &str| factors[what].as_array().unwrap().len();
        assert_eq!((kinds("totp"), kinds("passkeys")), (1, 1), "{factors}");
    }
}

/// Whoever guesses, and what they know.
struct Thief<'a> {
    server: &'a Portcullis,
    owner: &'a Person,
    /// Ann's session, where that is what was stolen.
    session: &'a str,
    app: &'a str,
    /// An authenticator that says it holds Ann's passkey.
    forgery: Device,
    /// The login that waits, the offer, or the application.
    known: String,
}

impl Thief<'_> {
    fn place(&self, guess: usize) -> Client {
        self.server.client().behind(&place(guess))
    }

    /// With the password, which was stolen as well: a new login that waits, now and then.
    async fn asks(&mut self, method: &str, guess: usize) -> Option<Reply> {
        if guess.is_multiple_of(GUESSES_PER_LOGIN) {
            let body = json!({ "email": self.owner.email, "password": PASSWORD, "method": method });
            let asked = self.place(guess).post("/api/Users/requestCode", body).await;
            if asked.status != 200 {
                return Some(asked);
            }
            self.known = asked.at("challenge");
        }
        None
    }

    async fn types(&mut self, method: &str, code: &str, guess: usize) -> Reply {
        if let Some(refused) = self.asks(method, guess).await {
            return refused;
        }
        let body =
            json!({ "challenge": self.known, "twofactor": code, "method": method, "trustDevice": true });
        self.place(guess).post("/api/Users/loginWithCode", body).await
    }

    async fn signs(&mut self, guess: usize, after_password: bool) -> Reply {
        let mut body = json!({});
        if after_password {
            if let Some(refused) = self.asks("passkey", guess).await {
                return refused;
            }
            body = json!({ "challenge": self.known });
        }
        let client = self.place(guess);
        let asked = client.post("/api/Users/passkey/options", body).await;
        if asked.status != 200 {
            return asked;
        }
        let forged = self.forgery.sign(&asked.json()).await;
        client.post("/api/Users/loginWithPasskey", forged).await
    }

    fn right_app_codes(&self) -> Vec<String> {
        [0, 1].map(|ahead| app_code(self.app, ahead)).into()
    }

    async fn guesses_a_factor(&mut self, kind: Kind, guess: usize) -> Reply {
        let client = self.place(guess);
        match kind {
            Kind::Password => {
                let body = json!({ "email": self.owner.email, "password": format!("password {guess}") });
                client.post("/api/Users/login", body).await
            }
            Kind::TextMessage => {
                let code = six_digits_but_none_of(guess, &self.server.console().codes(&self.owner.email));
                self.types("sms", &code, guess).await
            }
            Kind::AppCode => {
                let code = six_digits_but_none_of(guess, &self.right_app_codes());
                self.types("totp", &code, guess).await
            }
            Kind::RecoveryCode => {
                let code = format!("{guess:06}-{guess:06}-{guess:06}-{guess:06}");
                self.types("recovery", &code, guess).await
            }
            Kind::PasskeyAfterPassword => self.signs(guess, true).await,
            Kind::PasskeyAlone => self.signs(guess, false).await,
            Kind::FreshProof => {
                let code = six_digits_but_none_of(guess, &self.right_app_codes());
                let body = json!({ "code": code, "method": "totp" });
                let path = format!("{}/stepUp", self.owner.path());
                client.with(self.session).post(&path, body).await
            }
            _ => {
                let body = json!({ "email": self.owner.email, "password": PASSWORD });
                let request = client.request("POST", "/api/Users/login");
                let request = request.header("X-Device-Token", made_up(guess));
                client.send(request.json(&body)).await
            }
        }
    }

    async fn guesses_a_token(&mut self, kind: Kind, guess: usize) -> Reply {
        let (client, token) = (self.place(guess), made_up(guess));
        let (call, body) = match kind {
            Kind::Session => return client.with(&token).get(&self.owner.path()).await,
            Kind::Reset => {
                let body = json!({ "newPassword": "the thief was here" });
                let holder = client.with(&token);
                return holder.post("/api/Users/reset-password", body).await;
            }
            Kind::Verification => {
                let path = format!("/api/Users/confirm?uid={}&token={token}", self.owner.id);
                return client.get(&path).await;
            }
            Kind::Refresh => ("refresh", json!({ "refreshToken": token })),
            Kind::LoginLink => ("loginWithLink", json!({ "token": token })),
            Kind::WayBack => ("revertEmail", json!({ "token": token })),
            Kind::LoginThatWaits => {
                let code = app_code(self.app, 0);
                ("loginWithCode", json!({ "challenge": token, "twofactor": code }))
            }
            _ => (
                "loginWithPasskey",
                json!({ "ceremony": token, "credential": { "id": token } }),
            ),
        };
        client.post(&self.owner.of_pool(call), body).await
    }

    async fn guesses_elsewhere(&mut self, kind: Kind, guess: usize) -> Reply {
        let (client, token) = (self.place(guess), made_up(guess));
        let (call, body) = match kind {
            Kind::Exchange => ("exchange", json!({ "code": token, "code_verifier": token })),
            Kind::ProviderState => {
                let path = format!("/auth/json/callback?state={token}&code={token}");
                let request = client.request("GET", &path);
                return client.send(request.header("Accept", "application/json")).await;
            }
            Kind::JoinOffer => ("join", json!({ "join": token, "code": "000000" })),
            Kind::JoinCode => {
                if guess.is_multiple_of(GUESSES_PER_LOGIN) {
                    let body = json!({ "join": self.known });
                    let sent = client.post("/api/Users/join/send-code", body).await;
                    if sent.status != 204 {
                        return sent;
                    }
                }
                let code = format!("{:06}", (guess * 7_919) % 1_000_000);
                ("join", json!({ "join": self.known, "code": code }))
            }
            _ => {
                let path = format!("/api/Applications/{}/credentials", self.known);
                let request = client
                    .request("GET", &path)
                    .header("X-Application-Id", &self.known);
                return client.send(request.header("X-Application-Key", token)).await;
            }
        };
        client.post(&self.owner.of_pool(call), body).await
    }

    async fn guesses(&mut self, kind: Kind, guess: usize) -> Reply {
        if FACTORS.contains(&kind) {
            self.guesses_a_factor(kind, guess).await
        } else if TOKENS.contains(&kind) {
            self.guesses_a_token(kind, guess).await
        } else {
            self.guesses_elsewhere(kind, guess).await
        }
    }
}

/// An offer to join an account elsewhere with the one of whoever has that address here.
async fn offer(party: &Counterparty, server: &Portcullis, email: &str) -> String {
    let claims = json!({ "email": email, "email_verified": true });
    party.person("mallory", claims).await;
    party.next("mallory").await;
    let mut browser: Browser = server.browser().as_program();
    let start = format!("http://localhost:{}/auth/json", server.port());
    let offered = browser.open(&start).await.reply;
    offered.refused(409, "ACCOUNT_EXISTS");
    offered.at("error/details/join")
}

async fn application(server: &Portcullis) -> String {
    let made = server
        .same_setup()
        .run(&["app", "create", "Printer", "--json"])
        .await;
    let (status, said) = made;
    assert!(status.success(), "{said}");
    let id = said
        .split("\"id\"")
        .nth(1)
        .and_then(|rest| rest.split('"').nth(1));
    id.unwrap_or_else(|| panic!("no id in {said}")).to_owned()
}

/// Has somebody guess at each of these, while the owner logs in every now and then; the number of guesses.
#[expect(clippy::print_stdout, reason = "the counts are what it is run for")]
async fn guess_at(kinds: &[Kind], tries: usize, logins: usize) -> usize {
    let party = Counterparty::panva().await;
    let config = "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[users.Users]\nmagic_link = true\ntrust_device = 864000";
    let setup = Portcullis::setup().limited().at_localhost().config(config);
    let entries = file([("json", json_entry(panva(&party, "web")))]);
    let server = setup.providers(&entries).start().await;
    let stranger = Owner::new(&server, "mallory", 99).await;
    let mut all = 0;
    for (number, kind) in kinds.iter().copied().enumerate() {
        let mut owner = Owner::new(&server, &format!("owner{number}"), number + 1).await;
        let known = match kind {
            Kind::JoinCode => offer(&party, &server, &owner.person.email).await,
            Kind::ApplicationKey => application(&server).await,
            _ => String::new(),
        };
        let (person, session, app) = (owner.person.clone(), owner.session.clone(), owner.app.clone());
        let mut thief = Thief {
            server: &server,
            owner: &person,
            session: &session,
            app: &app,
            forgery: stranger.key.posing_as(&owner.key),
            known,
        };
        let tries = kind.worth(tries);
        let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
        for guess in 0..tries {
            let reply = thief.guesses(kind, guess).await;
            assert!(
                matches!(reply.status, 400 | 401 | 429),
                "{kind:?} {guess}: {} {}",
                reply.status,
                reply.text
            );
            *counts.entry(reply.status).or_default() += 1;
            if guess % (tries / logins) == tries / logins - 1 {
                owner.logs_in(kind).await;
            }
        }
        println!("{kind:?}: {tries} guesses, by status {counts:?}");
        let judged = tries - counts.get(&429).copied().unwrap_or_default();
        assert!(
            kind.bound().is_none_or(|bound| judged <= bound),
            "{kind:?}: {judged} were judged"
        );
        owner.is_as_she_was().await;
        all += tries;
    }
    all
}

#[tokio::test]
async fn some_guesses_at_every_factor_open_nothing_and_shut_nobody_out() {
    assert_eq!(guess_at(&FACTORS, 24, 2).await, 192);
}

#[tokio::test]
async fn some_guesses_at_every_token_open_nothing_and_shut_nobody_out() {
    assert_eq!(guess_at(&TOKENS, 24, 2).await, 192);
}

#[tokio::test]
async fn some_guesses_at_what_leads_elsewhere_open_nothing_and_shut_nobody_out() {
    assert_eq!(guess_at(&ELSEWHERE, 24, 2).await, 120);
}

#[tokio::test]
#[ignore = "takes a minute or two"]
async fn four_thousand_guesses_at_factors_open_nothing_and_shut_nobody_out() {
    assert!(guess_at(&FACTORS, 640, 5).await >= 4_000);
}

#[tokio::test]
#[ignore = "takes a minute or two"]
async fn four_thousand_guesses_at_tokens_open_nothing_and_shut_nobody_out() {
    assert!(guess_at(&TOKENS, 500, 5).await >= 4_000);
}

#[tokio::test]
#[ignore = "takes a minute or two"]
async fn two_thousand_guesses_at_what_leads_elsewhere_open_nothing_and_shut_nobody_out() {
    assert!(guess_at(&ELSEWHERE, 400, 5).await >= 2_000);
}
