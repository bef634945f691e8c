//! The other parties of third-party login: real servers on loopback, each a process of its own that ends with its test.
//!
//! What they are, and what their `__ctl` paths do, stands at the top of each script in `tests/counterparties`.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::console::Console;

/// How long one may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
const READY: &str = "READY ";

/// A running other party.
pub struct Counterparty {
    name: &'static str,
    child: Child,
    /// It ends when this does: not even a test that is killed leaves it behind.
    _until: ChildStdin,
    errors: Console,
    address: String,
    http: reqwest::Client,
}

impl Counterparty {
    /// A certified OpenID provider.
    pub async fn panva() -> Self {
        Self::start("panva", &[]).await
    }

    /// The same, but it asks who comes, as for the demonstration in the README.
    pub async fn panva_that_asks() -> Self {
        Self::start("panva", &[("ASK", "1")]).await
    }

    /// An OpenID provider with an issuer for every fault there is.
    pub async fn evil_oidc() -> Self {
        Self::start("evil-oidc", &[]).await
    }

    /// The same under the name `localhost`: another site than 127.0.0.1 to any browser.
    pub async fn evil_oidc_elsewhere() -> Self {
        Self::start("evil-oidc", &[("HOST", "localhost")]).await
    }

    /// GitHub's, Facebook's, X's and LinkedIn's dialects.
    pub async fn social() -> Self {
        Self::start("social", &[]).await
    }

    /// An OAuth 1.0a server with Twitter's paths.
    pub async fn oauth1() -> Self {
        Self::start("oauth1", &[]).await
    }

    /// An OpenID 2.0 provider, with Steam's habits at one of its endpoints. A second one is another provider.
    pub async fn openid2() -> Self {
        Self::start("openid2", &[]).await
    }

    /// A SAML 2.0 identity provider.
    pub async fn samlp() -> Self {
        Self::start("samlp", &[]).await
    }

    /// The same, but it asks who comes.
    pub async fn samlp_that_asks() -> Self {
        Self::start("samlp", &[("ASK", "1")]).await
    }

    /// A real LoopBack 3 application on a store of its own, as `tests/counterparties/loopback3/server.cjs` tells them.
    pub async fn loopback3(store: &str) -> Self {
        Self::start("loopback3", &[("LOOPBACK_DB", store)]).await
    }

    /// A LoopBack 3 application whose user model is served by `users_at`, by the remote connector, as
    /// `tests/counterparties/loopback3/remote.cjs` tells it; with ids of another type than the connector's own, where one is said.
    pub async fn loopback3_remote(users_at: &str, id_type: &str) -> Self {
        Self::start(
            "loopback3-remote",
            &[("USERS_AT", users_at), ("ID_TYPE", id_type)],
        )
        .await
    }

    /// A service that checks signed access tokens of `issuer` by itself.
    pub async fn orders(issuer: &str) -> Self {
        Self::orders_of(issuer, "").await
    }

    /// The same, asking as an application (`id:key`) what other tokens are worth.
    pub async fn orders_of(issuer: &str, application: &str) -> Self {
        Self::start("orders", &[("ISSUER", issuer), ("APPLICATION", application)]).await
    }

    /// A service that hears webhooks signed with `secret`.
    pub async fn hooks(secret: &str) -> Self {
        Self::start("hooks", &[("SECRET", secret)]).await
    }

    /// The SMS API of Nexmo.
    pub async fn sms() -> Self {
        Self::start("sms", &[]).await
    }

    /// A mail server with a certificate of `authority`, as [`Counterparty::tls_front`] has.
    pub async fn smtp(authority: &Path, certificate: &str) -> Self {
        let authority = authority.display().to_string();
        Self::start("smtp", &[("CA", authority.as_str()), ("CERT", certificate)]).await
    }

    /// TLS in front of a port, with a certificate of `authority`: `localhost`, `wrong-host`, `untrusted`, `expired`.
    pub async fn tls_front(authority: &Path, certificate: &str, target: u16) -> Self {
        let (ca, target) = (authority.display().to_string(), target.to_string());
        let environment = [("CA", ca.as_str()), ("CERT", certificate), ("TARGET", &target)];
        Self::start("tlsfront", &environment).await
    }

    /// A Kerberos KDC: its address is the folder with its `krb5.conf` and keytabs, see `tests/counterparties/krb5.sh`.
    pub async fn krb5() -> Self {
        Self::start("krb5", &[]).await
    }

    /// OpenLDAP, with what stands at the top of `slapd.sh` set so (`CA`, `CERT` and more). Its addresses are told by
    /// [`Counterparty::addresses`].
    pub async fn slapd(settings: &[(&str, &str)]) -> Self {
        Self::start("slapd", settings).await
    }

    async fn start(name: &'static str, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new("bash")
            .arg(scripts().join("run"))
            .arg(name)
            .envs(environment.iter().copied())
            .env("UNTIL_EOF", "1")
            .env_remove("PORT")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("bash starts");
        let output = Console::reading(child.stdout.take().expect("a standard output"));
        let mut party = Self {
            name,
            _until: child.stdin.take().expect("a standard input"),
            errors: Console::reading(child.stderr.take().expect("a standard error")),
            child,
            address: String::new(),
            http: reqwest::Client::builder().no_proxy().build().expect("a client"),
        };
        let begun = Instant::now();
        loop {
            let lines = output.lines();
            if let Some(address) = lines.iter().find_map(|line| line.strip_prefix(READY)) {
                address.clone_into(&mut party.address);
                return party;
            }
            let gone = party.child.try_wait().expect("the process can be asked");
            let errors = party.errors.text();
            assert!(
                gone.is_none(),
                "{name} does not start: run bash tests/setup\n{errors}"
            );
            assert!(begun.elapsed() < PATIENCE, "{name} says nothing: {errors}");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// `http://127.0.0.1:PORT`: of an OpenID provider the issuer.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// All its addresses, of one that has several: the one with TLS from the start comes first.
    pub fn addresses(&self) -> Vec<&str> {
        self.address.split(' ').collect()
    }

    /// What it said on its standard error so far.
    pub fn said(&self) -> String {
        self.errors.text()
    }

    /// A place below its address.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// The port.
    ///
    /// # Panics
    /// Never, once it said where it is.
    pub fn port(&self) -> u16 {
        let port = self.address.rsplit(':').next().and_then(|port| port.parse().ok());
        port.expect("a port in its address")
    }

    /// Tells it something.
    ///
    /// # Panics
    /// When it does not take that.
    pub async fn tell(&self, what: &str, body: &Value) -> Value {
        let sent = self
            .http
            .post(self.at(&format!("/__ctl/{what}")))
            .json(body)
            .send();
        let response = sent.await.expect("an answer");
        assert!(response.status().is_success(), "{} takes no {what}", self.name);
        response.json().await.expect("JSON")
    }

    /// Whoever comes next is this person.
    pub async fn next(&self, person: &str) {
        self.tell(&format!("next?account={person}"), &json!({})).await;
    }

    /// What is known about a person.
    pub async fn person(&self, person: &str, claims: Value) {
        self.tell(&format!("user?account={person}"), &claims).await;
    }

    /// Who the misbehaving provider says it is, at one of its issuers.
    pub async fn claims(&self, tenant: &str, claims: Value) {
        self.tell(&format!("claims?tenant={tenant}"), &claims).await;
    }

    /// What the OAuth 1.0a server does wrong from now on.
    pub async fn fault(&self, name: &str) {
        self.tell(&format!("fault?name={name}"), &json!({})).await;
    }

    /// Every code and token it ever gave away.
    ///
    /// # Panics
    /// When it gives something else.
    pub async fn issued(&self) -> Vec<String> {
        let issued = self.tell("issued", &json!({})).await;
        serde_json::from_value(issued).expect("a list of texts")
    }

    /// What it was asked so far: lines `METHOD path`, and of some what came of it.
    ///
    /// # Panics
    /// When it gives something else.
    pub async fn log(&self) -> Vec<String> {
        let log = self.tell("log", &json!({})).await;
        serde_json::from_value(log).expect("a list of lines")
    }

    /// How many lines of its log begin like that.
    pub async fn asked(&self, start: &str) -> usize {
        let log = self.log().await;
        log.iter().filter(|line| line.starts_with(start)).count()
    }
}

impl Drop for Counterparty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes an authority and its certificates in a folder: `ca.pem`, and those that [`Counterparty::tls_front`] shows.
///
/// # Panics
/// When openssl is missing.
pub fn authority(folder: &Path) {
    let made = Command::new("bash")
        .arg(scripts().join("ca.sh"))
        .arg(folder)
        .status();
    assert!(
        made.expect("bash starts").success(),
        "no authority: run bash tests/setup"
    );
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../counterparties")
}
