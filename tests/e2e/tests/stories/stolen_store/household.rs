//! Everybody who uses a server, with everything they were ever given, until somebody copies its stores.

use std::time::{Duration, Instant};

use e2e::{Browser, Client, Counterparty, PASSWORD, Person, Portcullis, Reply, in_link};
use serde_json::{Value, json};

use crate::authenticator::Device;
use crate::factors::app_code;
use crate::providers::entries::{file, json_entry, linking, panva, parameter, twitter, with};

/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const APP: &str = "com.example.app:/back";
const NUMBER: &str = "+447700900123";
const POOL: &str = "[users.Users]\nmagic_link = true\ntrust_device = 864000\ncode_lifetime = 600\n[providers]\nreturn_to = [\"com.example.app:/back\"]";

/// What clients and other parties saw.
#[derive(Default)]
pub struct Seen {
    /// Secrets: what each is, and its text.
    pub secrets: Vec<(String, String)>,
    /// The same for codes of six digits.
    pub codes: Vec<(String, String)>,
    /// Tokens that are good for something: the store knows each by its hash.
    pub live: Vec<(&'static str, String)>,
}

impl Seen {
    fn note(&mut self, what: &str, secret: &str) -> String {
        assert!(secret.len() >= 10, "{what}: {secret:?}");
        self.secrets.push((what.to_owned(), secret.to_owned()));
        secret.to_owned()
    }

    fn note_live(&mut self, what: &'static str, secret: &str) -> String {
        self.live.push((what, secret.to_owned()));
        self.note(what, secret)
    }

    fn note_code(&mut self, what: &str, code: &str) -> String {
        self.codes.push((what.to_owned(), code.to_owned()));
        code.to_owned()
    }

    /// A live token by its name.
    pub fn token(&self, what: &str) -> &str {
        let found = self.live.iter().find(|(name, _)| *name == what);
        &found.unwrap_or_else(|| panic!("no {what}")).1
    }
}

/// A server with a household.
pub struct Household {
    pub server: Portcullis,
    pub seen: Seen,
    pub ann: Person,
    /// Of Ann's authenticator app.
    pub app: String,
    /// Ann's passkey.
    pub key: Device,
    /// The code that was sent for the login that waits.
    pub code: String,
    providers: [Counterparty; 2],
    client: Client,
}

impl Household {
    /// Everything there is, and nothing finished that can wait.
    pub async fn new() -> Self {
        let providers = [Counterparty::panva().await, Counterparty::oauth1().await];
        let [openid, old] = &providers;
        let offline = json!({ "scope": ["openid", "email", "profile", "offline_access"], "authOptions": { "prompt": "consent" } });
        let entries = file([
            ("mine", linking(json_entry(with(panva(openid, "web"), &offline)))),
            ("bird", linking(json_entry(twitter(old)))),
            ("json", json_entry(panva(openid, "web"))),
            ("page", panva(openid, "web")),
            ("wing", twitter(old)),
        ]);
        let setup = Portcullis::setup().at_localhost().config(POOL);
        let server = setup.providers(&entries).start().await;
        let client = server.client();
        let ann = client.sign_up("ann").await;
        let mut house = Self {
            key: Device::new(&server),
            server,
            seen: Seen::default(),
            ann,
            app: String::new(),
            code: String::new(),
            providers,
            client,
        };
        house.seen.note("the password", PASSWORD);
        let session = house.with_accounts_elsewhere().await;
        house.with_factors(session).await;
        house.that_wait_for_ann().await;
        house.of_ben().await;
        house.on_their_way_to_providers().await;
        house.with_applications().await;
        for party in &house.providers {
            for issued in party.issued().await {
                house.seen.note("what a provider issued", &issued);
            }
        }
        house
    }

    /// The server's address, under the name that its passkeys are for.
    fn at(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.server.port())
    }

    /// The newest link to a page in the mails to an address.
    async fn mailed(&self, email: &str, page: &str) -> String {
        let begun = Instant::now();
        loop {
            let mails = self.server.console().mails(email).join("\n");
            let link = mails.split_whitespace().rfind(|word| word.contains(page));
            if let Some(link) = link {
                return in_link(link, "token");
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "no {page} for {email}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn code_of_ann(&mut self, what: &str) -> String {
        let code = self.server.console().code(&self.ann.email).await;
        self.seen.note_code(what, &code)
    }

    /// Logs Ann in from her own device, proves her address, and links two accounts elsewhere. Her session.
    async fn with_accounts_elsewhere(&mut self) -> Client {
        let body = json!({ "email": self.ann.email, "password": PASSWORD });
        let request = self.client.request("POST", "/api/Users/login");
        let request = request.header("X-Device-Token", "new").json(&body);
        let first = self.client.send(request).await.expect(200);
        let token = self.seen.note("a former access token", &first.at("id"));
        self.seen.note_live("device", &first.at("deviceToken"));
        let session = self.client.with(&token);
        let verify = format!("{}/verify", self.ann.path());
        session.post(&verify, json!({})).await.expect(204).done();
        let mailed = self.mailed(&self.ann.email, "/verify?").await;
        self.seen.note("a used token to verify", &mailed);
        let confirm = format!("/api/Users/confirm?uid={}&token={mailed}", self.ann.id);
        session.get(&confirm).await.expect(204).done();
        for entry in ["mine", "bird"] {
            let mut browser = self.server.browser();
            let begun = browser
                .peek_with(&self.at(&format!("/link/{entry}")), &token)
                .await;
            let linked = browser.open(&begun.expect(200).at("url")).await.expect(200);
            assert_eq!(linked.reply.at("userId"), self.ann.id, "{}", linked.reply.text);
            let path = format!("{}/credentials/{entry}/token", self.ann.path());
            let fresh = session.post(&path, json!({})).await.expect(200);
            self.seen.note("a provider's token", &fresh.at("access_token"));
            if entry == "bird" {
                self.seen.note("its secret", &fresh.at("token_secret"));
            }
        }
        session
    }

    /// A number, an app, another app that waits for its first code, recovery codes, a passkey.
    async fn with_factors(&mut self, session: Client) {
        let ann = self.ann.clone();
        let change = json!({ "phone": NUMBER, "currentPassword": PASSWORD });
        session.patch(&ann.path(), change).await.expect(200).done();
        let phone = |what: &str| format!("{}/phone/{what}", ann.path());
        session
            .post(&phone("send-code"), json!({}))
            .await
            .expect(200)
            .done();
        let code = self.code_of_ann("the code that confirmed the number").await;
        session
            .post(&phone("confirm"), json!({ "code": code }))
            .await
            .expect(200)
            .done();
        let step_up = format!("{}/stepUp", ann.path());
        session
            .post(&format!("{step_up}/code"), json!({}))
            .await
            .expect(200)
            .done();
        let code = self.code_of_ann("the code of a fresh proof").await;
        let proven = session
            .post(&step_up, json!({ "code": code, "method": "sms" }))
            .await
            .expect(200);
        let session = self.client.with(&proven.at("id"));
        self.seen.note_live("session", &proven.at("id"));

        let factors = format!("{}/factors", ann.path());
        let add = format!("{factors}/totp");
        let begun = session.post(&add, json!({})).await.expect(200);
        self.app = self.seen.note("an app's secret", &begun.at("secret"));
        let used = self.seen.note("a used enrolment", &begun.at("enrolment"));
        let body = json!({ "enrolment": used, "code": app_code(&self.app, 0) });
        session
            .post(&format!("{add}/confirm"), body)
            .await
            .expect(200)
            .done();
        let other = session.post(&add, json!({})).await.expect(200);
        self.seen.note("the secret of a second app", &other.at("secret"));
        self.seen.note_live("enrolment", &other.at("enrolment"));
        let made = session.post(&format!("{factors}/recovery"), json!({})).await;
        let made = made.expect(200).json();
        for code in made["codes"].as_array().unwrap() {
            self.seen.note("a recovery code", code.as_str().unwrap());
        }
        self.key.enrol(&session, &ann).await.expect(200).done();
    }

    /// A trusted device with refresh tokens; a code, a passkey's challenge, a reset and a link that nobody used yet.
    async fn that_wait_for_ann(&mut self) {
        let ann = self.ann.clone();
        let device = self.seen.token("device").to_owned();
        let ask = json!({ "email": ann.email, "password": PASSWORD, "method": "sms", "refresh": true });
        let asked = self
            .client
            .post("/api/Users/requestCode", ask.clone())
            .await
            .expect(200);
        let challenge = self.seen.note("a used challenge", &asked.at("challenge"));
        let code = self.code_of_ann("a used code").await;
        let body = json!({ "challenge": challenge, "twofactor": code, "trustDevice": true });
        let request = self.client.request("POST", "/api/Users/loginWithCode");
        let request = request.header("X-Device-Token", device).json(&body);
        let opened = self.client.send(request).await.expect(200);
        self.seen.note("an access token of the chain", &opened.at("id"));
        let first = self.seen.note("a used refresh token", &opened.at("refreshToken"));
        let renewed = self
            .client
            .post("/api/Users/refresh", json!({ "refreshToken": first }))
            .await;
        let renewed = renewed.expect(200);
        self.seen.note_live("renewed session", &renewed.at("id"));
        self.seen.note_live("refresh", &renewed.at("refreshToken"));

        let elsewhere = self.server.client_from("127.0.0.9");
        let asked = elsewhere.post("/api/Users/requestCode", ask).await.expect(200);
        self.seen.note_live("challenge", &asked.at("challenge"));
        self.code = self.code_of_ann("a code that waits").await;
        let asked = Device::asked(&self.client, &ann, None).await;
        self.seen
            .note_live("ceremony", asked["ceremony"].as_str().unwrap());
        let body = json!({ "email": ann.email });
        for (call, page, name) in [
            ("reset", "/reset?", "reset"),
            ("requestLink", "/login/link?", "link"),
        ] {
            self.client
                .post(&ann.of_pool(call), body.clone())
                .await
                .expect(204)
                .done();
            let mailed = self.mailed(&ann.email, page).await;
            self.seen.note_live(name, &mailed);
        }
        let mut browser = self.server.browser();
        self.types_password(&mut browser, &ann.email).await;
        self.note_cookies(&browser);
    }

    async fn types_password(&self, browser: &mut Browser, email: &str) {
        let page = browser.open(&self.at("/login")).await.expect(200);
        let fields = [("identifier", email), ("password", PASSWORD)];
        let page = browser.submit(&page, "/login", &fields).await;
        assert!(page.reply.status < 400, "{}", page.reply.text);
    }

    fn note_cookies(&mut self, browser: &Browser) {
        for (name, value) in browser.cookies() {
            // Those of the providers' own pages are their affair.
            if name.contains("portcullis") {
                self.seen.note(&format!("the cookie {name}"), &value);
            }
        }
    }

    /// Ben, whose address changed: a way back, an address to prove, a browser that is logged in.
    async fn of_ben(&mut self) {
        let mut ben = self.client.sign_up("ben").await;
        let session = self.client.with(&self.client.log_in(&ben).await);
        let new = "benjamin@example.com".to_owned();
        let change = json!({ "email": new, "currentPassword": PASSWORD });
        session.patch(&ben.path(), change).await.expect(200).done();
        let back = self.mailed(&ben.email, "/email/revert?").await;
        self.seen.note_live("way back", &back);
        ben.email = new;
        let verify = format!("{}/verify", ben.path());
        session.post(&verify, json!({})).await.expect(204).done();
        self.server.settle().await;
        let mailed = self.mailed(&ben.email, "/verify?").await;
        self.seen.note_live("verification", &mailed);
        let mut browser = self.server.browser();
        self.types_password(&mut browser, &ben.email).await;
        let token = browser.cookies();
        let token = token.iter().find(|(name, _)| name == "portcullis");
        self.seen.note_live("cookie", &token.expect("a session").1);
        self.note_cookies(&browser);
    }

    /// Ways to providers that nobody finished, a code for a program, and an offer to join.
    async fn on_their_way_to_providers(&mut self) {
        let home = self.at("/");
        for (entry, parts) in [
            ("page", ["state", "code"]),
            ("wing", ["oauth_token", "oauth_verifier"]),
        ] {
            let mut browser = self.server.browser();
            let start = self.at(&format!("/auth/{entry}"));
            let back = browser.follow_until(&start, |url| url.starts_with(&home)).await;
            for part in parts {
                self.seen
                    .note(&format!("{part} of a callback"), &parameter(&back, part));
            }
            self.note_cookies(&browser);
        }
        let [openid, _] = &self.providers;
        openid.next("bob").await;
        let query = format!("returnTo={APP}&code_challenge={CHALLENGE}&code_challenge_method=S256");
        let start = self.at(&format!("/auth/page?{query}"));
        let mut browser = self.server.browser();
        let back = browser.follow_until(&start, |url| url.starts_with(APP)).await;
        self.seen.note_live("exchange", &parameter(&back, "code"));

        let carol = json!({ "email": "carol@example.test", "password": PASSWORD });
        self.client.post("/api/Users", carol).await.expect(200).done();
        let [openid, _] = &self.providers;
        openid.next("carol").await;
        let mut browser = self.server.browser().as_program();
        let offer = browser.open(&self.at("/auth/json")).await.reply.expect(409);
        let join = offer.at("error/details/join");
        self.seen.note_live("join", &join);
        let sent = self
            .client
            .post("/api/Users/join/send-code", json!({ "join": join }))
            .await;
        sent.expect(204).done();
        self.server.settle().await;
        let mails = self.server.console().mails("carol@example.test").join("\n");
        let mut words = mails.split(|letter: char| !letter.is_ascii_alphanumeric());
        let code = words.rfind(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()));
        self.seen
            .note_code("the code of a join", code.expect("a mailed code"));
    }

    /// An application with five keys and a client of its own at a provider.
    async fn with_applications(&mut self) {
        let setup = self.server.same_setup();
        let (status, said) = setup.run(&["app", "create", "Printer", "--json"]).await;
        assert!(status.success(), "{said}");
        let made = said.find('{').and_then(|start| {
            let mut made = serde_json::Deserializer::from_str(&said[start..]).into_iter::<Value>();
            made.next()
        });
        let mut keys = Vec::new();
        texts(&made.unwrap().unwrap(), "", &mut keys);
        let of = |name: &str| {
            let found = keys.iter().find(|(key, _)| key == name);
            found.unwrap_or_else(|| panic!("no {name} in {said}")).1.clone()
        };
        let (id, master) = (of("id"), of("masterKey"));
        let secret = ["other", "secret"].join("-");
        let body = json!({ "authScheme": "OpenID Connect", "credentials": { "clientID": "other", "clientSecret": secret } });
        let path = format!("/api/Applications/{id}/credentials/panva");
        let request = self.client.request("PUT", &path);
        let request = request
            .header("X-Application-Id", &id)
            .header("X-Application-Key", master);
        self.client.send(request.json(&body)).await.expect(200).done();
        for (name, key) in keys.iter().filter(|(name, _)| name.ends_with("Key")) {
            self.seen.note(&format!("an application's {name}"), key);
        }
        self.seen.note("an application's client secret", &secret);
    }
}

/// Every text in a JSON value, with the name it stands under.
fn texts(value: &Value, name: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((name.to_owned(), text.clone())),
        Value::Object(parts) => parts.iter().for_each(|(name, part)| texts(part, name, found)),
        Value::Array(parts) => parts.iter().for_each(|part| texts(part, name, found)),
        _ => {}
    }
}

/// Asks for a code by the password, and types one.
pub async fn log_in_by_app(client: &Client, person: &Person, code: &str) -> Reply {
    let ask = json!({ "email": person.email, "password": PASSWORD, "method": "totp" });
    let asked = client.post(&person.of_pool("requestCode"), ask).await;
    if asked.status != 200 {
        return asked;
    }
    let body = json!({ "challenge": asked.at("challenge"), "twofactor": code, "method": "totp" });
    client.post(&person.of_pool("loginWithCode"), body).await
}
