//! A site of its own for every test: a clock to turn, a console and a mailbox to read, providers to come back from.

#[path = "outside.rs"]
pub mod outside;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::access::Principal;
use domain::audit::Actor;
use domain::id::{PoolName, RoleMappingId, RoleName, UserId, UserKey};
use domain::policy::{AccessPolicy, Limits, Policy, PoolPolicy, SecondFactor};
use domain::ports::Clock;
use domain::secret::MacKey;
use domain::service::{Ports, Services};
use domain::time::{Lifetime, Timestamp};
use hash_password::{HashConfig, Hasher};
use http_warp::serve::{Listener, ServeConfig};
use http_warp::{App, HttpSettings, Metrics, NotReady, Readiness, TrustedNetwork};
use mail_console::ConsoleMailer;
use outside::Doors;
use reqwest::{Client, Method, RequestBuilder};
use seal_local::{LocalSealer, SealKey};
use serde_json::{Value, json};
use sessions_memory::MemorySessions;
use sms_console::ConsoleSmsSender;
use storage_memory::MemoryStore;
use system::{SystemEntropy, SystemTimer};

pub const PASSWORD: &str = "correct horse battery";
pub const EMAIL: &str = "ann@example.com";

/// What a console or a mailbox received.
#[derive(Clone, Default)]
pub struct Received(Arc<Mutex<Vec<u8>>>);

impl Write for Received {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Received {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The newest code on the console.
    pub fn code(&self) -> String {
        self.text()
            .lines()
            .last()
            .unwrap()
            .rsplit(' ')
            .next()
            .unwrap()
            .to_owned()
    }

    /// A value in the query of the newest link in the mailbox.
    pub fn of_link(&self, name: &str) -> String {
        let text = self.text();
        let link = text
            .lines()
            .rfind(|line| line.contains("http://"))
            .expect("a mail with a link")
            .trim();
        let url = reqwest::Url::parse(link).unwrap();
        url.query_pairs()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
            .into_owned()
    }
}

struct TurnedClock(Arc<AtomicI64>);

impl Clock for TurnedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

struct AlwaysReady;

#[async_trait]
impl Readiness for AlwaysReady {
    async fn ready(&self) -> Result<(), NotReady> {
        Ok(())
    }
}

/// A running site; it ends with the test's runtime.
pub struct Site {
    pub base: String,
    pub console: Received,
    pub mailbox: Received,
    pub doors: Arc<Doors>,
    pub services: Services,
    clock: Arc<AtomicI64>,
    client: Client,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    /// `null` when there is none, or it is no JSON.
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `error.code`, empty where there is none.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub fn is(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        if status >= 400 {
            assert_eq!(self.body["error"]["statusCode"], status, "{}", self.text);
        }
        self
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        self.is(200, "")
    }

    #[track_caller]
    pub fn void(self) -> Self {
        assert_eq!((self.status, self.text.as_str()), (204, ""));
        self
    }
}

impl Site {
    /// A site with the pools `Users` (defaults) and `Employees` (second factor required).
    pub async fn open() -> Self {
        Self::with(|_, _| {}).await
    }

    /// The same with changed rules for `Users` or changed settings.
    pub async fn with(change: impl FnOnce(&mut PoolPolicy, &mut HttpSettings)) -> Self {
        Self::wired(change, |ports| ports, Arc::new(AlwaysReady)).await
    }

    /// The same with changed rules for both pools.
    pub async fn wired_with(
        change: impl FnOnce(&mut PoolPolicy, &mut PoolPolicy, &mut HttpSettings),
    ) -> Self {
        Self::built(change, |ports| ports, Arc::new(AlwaysReady)).await
    }

    /// The same on other ports.
    pub async fn wired(
        change: impl FnOnce(&mut PoolPolicy, &mut HttpSettings),
        rewire: impl FnOnce(Ports) -> Ports,
        readiness: Arc<dyn Readiness>,
    ) -> Self {
        Self::built(|users, _, settings| change(users, settings), rewire, readiness).await
    }

    async fn built(
        change: impl FnOnce(&mut PoolPolicy, &mut PoolPolicy, &mut HttpSettings),
        rewire: impl FnOnce(Ports) -> Ports,
        readiness: Arc<dyn Readiness>,
    ) -> Self {
        let mut users = PoolPolicy::new(PoolName::new("Users"), "User");
        let mut employees = PoolPolicy::new(PoolName::new("Employees"), "Employee");
        employees.second_factor = SecondFactor::Required;
        let mut settings = settings();
        change(&mut users, &mut employees, &mut settings);
        let pools = [users, employees].map(|pool| (pool.name.clone(), pool)).into();
        let policy = Policy {
            pools,
            limits: Limits::default(),
            public_url: settings.public_url.clone(),
            service_name: "Example".to_owned(),
            language: "en".to_owned(),
            audit_life: Lifetime::from_secs(86_400),
            access: AccessPolicy::default(),
        };
        let (console, mailbox) = (Received::default(), Received::default());
        let clock = Arc::new(AtomicI64::new(1_795_287_972_795));
        let ports = rewire(ports(&clock, &console, &mailbox));
        let services = Services::new(ports, policy, MacKey::new([7; 32]));
        let doors = Arc::new(outside::doors());
        let app = App::new(
            services.clone(),
            settings,
            readiness,
            Arc::new(Metrics::default()),
            doors.clone(),
        )
        .unwrap();
        let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let listener = Listener::bind(ServeConfig {
            listen,
            ..ServeConfig::default()
        })
        .await
        .unwrap();
        let base = format!("http://{}/api", listener.local_addrs()[0]);
        tokio::spawn(listener.run(warp::service(http_warp::filter(app)), std::future::pending()));
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            base,
            console,
            mailbox,
            doors,
            services,
            clock,
            client,
        }
    }

    /// Turns the clock forward.
    pub fn later(&self, by: Duration) {
        self.clock
            .fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub fn ask(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// The same beside the API.
    pub fn ask_site(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let origin = self.base.trim_end_matches("/api");
        self.client.request(method, format!("{origin}{path}"))
    }

    pub async fn answer(request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer {
            status,
            headers,
            text,
            body,
        }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        Self::answer(self.ask("GET", path).header("authorization", token)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Self::answer(self.ask("POST", path).json(&body)).await
    }

    /// A call with a body by the holder of a token.
    pub async fn call(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        Self::answer(self.ask(method, path).header("authorization", token).json(&body)).await
    }

    /// A post from another client address.
    pub async fn post_from(&self, address: &str, path: &str, body: Value) -> Answer {
        Self::answer(
            self.ask("POST", path)
                .header("x-forwarded-for", address)
                .json(&body),
        )
        .await
    }

    /// Text as it is, under a content type.
    pub async fn post_text(&self, path: &str, kind: &str, text: impl Into<reqwest::Body>) -> Answer {
        Self::answer(self.ask("POST", path).header("content-type", kind).body(text)).await
    }

    /// Signs a user up and tells the id.
    pub async fn sign_up(&self, pool: &str, email: &str) -> String {
        let user = json!({"email": email, "password": PASSWORD});
        let made = self.post(&format!("/{pool}"), user).await.ok();
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// Logs a user in and tells the token.
    pub async fn log_in(&self, pool: &str, email: &str) -> String {
        let credentials = json!({"email": email, "password": PASSWORD});
        let token = self.post(&format!("/{pool}/login"), credentials).await.ok();
        token.body["id"].as_str().unwrap().to_owned()
    }

    /// Ann, signed up and logged in: her path, id and token.
    pub async fn ann(&self) -> (String, String, String) {
        let id = self.sign_up("Users", EMAIL).await;
        (format!("/Users/{id}"), id, self.log_in("Users", EMAIL).await)
    }
}

impl Site {
    /// Gives a user a role, made where it is not there, and tells the mapping.
    pub async fn give(&self, pool: &str, id: &str, role: &str) -> RoleMappingId {
        let name = RoleName::new(role);
        let known = self.services.roles().await.unwrap();
        let role = match known.into_iter().find(|known| known.name == name) {
            Some(known) => known,
            None => self
                .services
                .create_role(&name, None, Actor::Operator)
                .await
                .unwrap(),
        };
        let user = Principal::User(UserKey {
            pool: PoolName::new(pool),
            id: UserId::new(id),
        });
        let given = self.services.give_role(&user, &role.id, Actor::Operator).await;
        given.unwrap().expect("somebody of that id").id
    }

    /// Somebody who administers: id and token.
    pub async fn admin(&self, pool: &str) -> (String, String) {
        let email = "root@example.com";
        let id = self.sign_up(pool, email).await;
        self.give(pool, &id, "admin").await;
        (id, self.log_in(pool, email).await)
    }
}

fn settings() -> HttpSettings {
    HttpSettings {
        public_url: "http://localhost:3000".to_owned(),
        trusted_proxies: vec![TrustedNetwork {
            address: Ipv4Addr::LOCALHOST.into(),
            prefix: 8,
        }],
        cors_origins: Vec::new(),
        redirect_origins: vec!["https://app.example.org".to_owned()],
        return_to: vec!["com.example.app:/signed-in".to_owned()],
        legacy_cookies: None,
        static_dir: None,
        body_limit: 100 * 1024,
        body_timeout: Duration::from_secs(10),
        query_token: true,
        default_pool: PoolName::new("Users"),
    }
}

fn ports(clock: &Arc<AtomicI64>, console: &Received, mailbox: &Received) -> Ports {
    let (store, sessions) = (
        Arc::new(MemoryStore::default()),
        Arc::new(MemorySessions::default()),
    );
    let costs = HashConfig {
        memory_kib: 8,
        iterations: 1,
        ..HashConfig::default()
    };
    Ports {
        users: store.clone(),
        sessions: sessions.clone(),
        flows: sessions.clone(),
        limiter: sessions,
        hasher: Arc::new(Hasher::new(costs).unwrap()),
        sms: Arc::new(ConsoleSmsSender::writing_to(console.clone())),
        mailer: Arc::new(ConsoleMailer::writing_to("noreply@example.com", mailbox.clone())),
        audit: store.clone(),
        applications: store.clone(),
        access: store.clone(),
        members: store.clone(),
        outbox: store,
        passkeys: None,
        breached: None,
        signer: None,
        webhooks: None,
        timer: Arc::new(SystemTimer),
        providers: Arc::new(outside::directory()),
        sealer: Arc::new(LocalSealer::new(vec![SealKey::new("00000000000000a1", [9; 32])]).unwrap()),
        clock: Arc::new(TurnedClock(Arc::clone(clock))),
        entropy: Arc::new(SystemEntropy),
    }
}
