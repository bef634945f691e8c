//! `docs/ENTERPRISE.md`, done as it says: its other parties, its entries, its commands.
//!
//! Ports and folders are those of the test; everything else is as it stands in the page. A block of commands ends a step at each line
//! `# → TEXT`: what the commands since the last one printed must hold TEXT.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use e2e::{Browser, Counterparty, Portcullis, Setup};
use serde_json::{Value, json};

use super::ldap;
use super::tickets::Realm;

/// Where the page's server is.
const HERE: &str = "http://localhost:3000";
/// The folder that the page's KDC says.
const KDC: &str = "/tmp/portcullis-krb5-XXXXXX";

/// A chapter of the page, in the words of this test.
struct Chapter {
    text: String,
    base: String,
    port: u16,
}

impl Chapter {
    /// The chapter behind a heading.
    fn of(heading: &str) -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ENTERPRISE.md");
        let page = std::fs::read_to_string(path).expect("the page");
        let behind = page.split_once(&format!("\n{heading}\n")).expect(heading).1;
        let text = behind.split("\n## ").next().unwrap().to_owned();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Self {
            text,
            base: format!("http://localhost:{port}"),
            port,
        }
        .with_base()
    }

    fn with_base(mut self) -> Self {
        self.text = self.text.replace(HERE, &self.base);
        self
    }

    /// Puts a word of the test in place of one of the page's, which has to be there.
    fn substitute(&mut self, written: &str, ours: &str) {
        assert!(self.text.contains(written), "the page says nothing of {written}");
        self.text = self.text.replace(written, ours);
    }

    /// The blocks in a language.
    fn blocks(&self, language: &str) -> Vec<&str> {
        let fence = format!("```{language}\n");
        let blocks = self.text.split(&fence).skip(1);
        blocks.map(|rest| rest.split("\n```").next().unwrap()).collect()
    }

    /// The other party that the first block starts, and its port there.
    fn party(&self) -> (&str, String) {
        let blocks = self.blocks("sh");
        let line = blocks.first().expect("what to start");
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = words
            .iter()
            .skip_while(|word| **word != "tests/counterparties/run")
            .nth(1);
        let port = words.iter().find_map(|word| word.strip_prefix("PORT="));
        (name.expect("a name"), port.unwrap_or_default().to_owned())
    }

    /// The entry, as a file.
    fn entry(&self) -> &str {
        self.blocks("json").first().expect("an entry")
    }

    /// A server where the page has it, with these entries in its file.
    fn setup(&self, entries: &str) -> Setup {
        let setup = Portcullis::setup()
            .limited()
            .variable("PORTCULLIS__SERVER__LISTEN", &format!("127.0.0.1:{}", self.port))
            .variable("PORTCULLIS__SERVER__PUBLIC_URL", &self.base);
        std::fs::write(setup.home().join("providers.json"), entries).unwrap();
        setup
    }

    /// Checks the configuration as the page says, then starts the server.
    async fn start(&self, setup: &Setup) -> Portcullis {
        let (status, said) = setup.run(&["check-config"]).await;
        assert!(status.success() && said.contains("logs in to Users"), "{said}");
        assert!(!said.contains("warning"), "{said}");
        setup.start().await
    }

    /// Does what the blocks of commands behind the first one say.
    fn follow(&self, setup: &Setup, variables: &BTreeMap<&str, String>) {
        let blocks = self.blocks("sh").into_iter().skip(1);
        let script: Vec<&str> = blocks.filter(|block| !block.starts_with("cargo run")).collect();
        let steps = steps(&script.join("\n"));
        assert!(
            steps.iter().any(|step| step.commands.contains("curl ")),
            "nothing is done"
        );
        run(&steps, setup, variables);
    }
}

/// Commands, and what they must print.
#[derive(Default)]
struct Step {
    commands: String,
    expected: Option<String>,
}

fn steps(script: &str) -> Vec<Step> {
    let mut steps = vec![Step::default()];
    for line in script.lines() {
        let last = steps.last_mut().unwrap();
        if let Some(text) = line.strip_prefix("# → ") {
            last.expected = Some(text.to_owned());
            steps.push(Step::default());
        } else {
            last.commands.push_str(line);
            last.commands.push('\n');
        }
    }
    steps
}

/// One shell for all steps, so that variables live on; each prints into a file of its own.
fn run(steps: &[Step], setup: &Setup, variables: &BTreeMap<&str, String>) {
    let home = setup.home();
    let printed = |number: usize| home.join(format!("printed-{number}"));
    let parts = steps.iter().enumerate().map(|(number, step)| {
        let file = printed(number).display().to_string();
        format!("{{\n:\n{}}} >{file} 2>&1 || exit 1\n", step.commands)
    });
    let script: String = parts.collect();
    let ended = Command::new("bash")
        .args(["-c", &script])
        .current_dir(home)
        .envs(variables)
        .env("no_proxy", "*")
        .stdin(Stdio::null())
        .status()
        .expect("bash");
    for (number, step) in steps.iter().enumerate() {
        let printed = std::fs::read_to_string(printed(number)).unwrap_or_default();
        let expected = step.expected.as_deref().unwrap_or_default();
        assert!(
            printed.contains(expected),
            "{}\nprinted\n{printed}\nwithout {expected}",
            step.commands
        );
    }
    assert!(ended.success(), "{script}");
}

/// Opens a place in a browser of its own, and goes where that leads; with which roles one ends there.
async fn visit(server: &Portcullis, base: &str, path: &str) -> (Browser, String) {
    let mut browser = server.browser();
    let page = browser.open(&format!("{base}{path}")).await.expect(200);
    page.came_by("/auth/account");
    let checked = browser.peek(&format!("{base}/auth/check")).await.expect(200);
    let roles = checked.header("x-user-roles").to_owned();
    (browser, roles)
}

/// The same example with further keys in its entry.
fn altered(entries: &str, further: &str) -> String {
    let further: Value = serde_json::from_str(&format!("{{{further}}}")).expect("keys");
    let mut entries: Value = serde_json::from_str(entries).expect("entries");
    for entry in entries.as_object_mut().unwrap().values_mut() {
        entry
            .as_object_mut()
            .unwrap()
            .extend(further.as_object().unwrap().clone());
    }
    entries.to_string()
}

#[tokio::test]
async fn the_page_shows_how_to_log_in_by_ldap() {
    let mut chapter = Chapter::of("## LDAP and Active Directory");
    let (name, port) = chapter.party();
    assert_eq!(name, "slapd");
    let slapd = Counterparty::slapd(&[]).await;
    chapter.substitute(&format!("ldap://127.0.0.1:{port}"), &ldap::plain(&slapd));
    let setup = chapter.setup(chapter.entry());
    chapter.substitute(
        "/tmp/alice.jar",
        &setup.home().join("alice.jar").display().to_string(),
    );
    let server = chapter.start(&setup).await;
    chapter.follow(&setup, &BTreeMap::new());

    // By the form, as people do.
    for (name, role) in [("alice", "admin"), ("bob", "")] {
        let written = format!("`{name}-pass`");
        assert!(chapter.text.contains(&written), "the page tells no {written}");
        let mut browser = server.browser();
        let page = browser
            .open(&format!("{}/auth/ldap", chapter.base))
            .await
            .expect(200);
        let fields = [("username", name), ("password", &*format!("{name}-pass"))];
        let page = browser.submit(&page, "/auth/ldap", &fields).await.expect(200);
        page.came_by("/auth/account");
        let checked = browser
            .peek(&format!("{}/auth/check", chapter.base))
            .await
            .expect(200);
        assert_eq!(checked.header("x-user-roles"), role);
    }
}

#[tokio::test]
async fn what_else_the_page_says_of_a_directory_holds() {
    let mut chapter = Chapter::of("## LDAP and Active Directory");
    let slapd = Counterparty::slapd(&[]).await;
    let (_, port) = chapter.party();
    chapter.substitute(&format!("ldap://127.0.0.1:{port}"), &ldap::plain(&slapd));
    let alice = json!({ "username": "alice", "password": "alice-pass" });

    // Programs.
    assert!(chapter.text.contains("put `\"json\": true` into the entry"));
    let server = chapter
        .start(&chapter.setup(&altered(chapter.entry(), "\"json\": true")))
        .await;
    let reply = server
        .client()
        .post("/auth/ldap", alice.clone())
        .await
        .expect(200);
    assert!(!reply.at("access_token").is_empty() && !reply.at("userId").is_empty());
    drop(server);

    // The keys that every kind of entry may have.
    let groups = Chapter::of("## Groups become roles");
    let entries = altered(chapter.entry(), groups.entry());
    let server = chapter.start(&chapter.setup(&entries)).await;
    let reply = server.client().post("/auth/ldap", alice).await;
    reply.refused(403, "USER_UNKNOWN");
    drop(server);

    // Active Directory, which is not here: all that can be said of it without asking anybody.
    let active = *chapter.blocks("json").last().unwrap();
    let setup = chapter.setup(&altered(chapter.entry(), active));
    let authority = tempfile::tempdir().unwrap();
    e2e::authority(authority.path());
    std::fs::copy(authority.path().join("ca.pem"), setup.home().join("corp-ca.pem")).unwrap();
    std::fs::write(setup.home().join("ad-password"), "secret").unwrap();
    chapter.start(&setup).await;
}

#[tokio::test]
async fn the_page_shows_how_to_log_in_by_saml() {
    let mut chapter = Chapter::of("## SAML 2.0");
    let (name, port) = chapter.party();
    assert_eq!(name, "samlp");
    let party = Counterparty::samlp().await;
    chapter.substitute(&format!("http://127.0.0.1:{port}"), party.address());
    let setup = chapter.setup(chapter.entry());
    let server = chapter.start(&setup).await;
    let (_, alice) = visit(&server, &chapter.base, "/auth/saml").await;
    assert_eq!(alice, "admin");
    chapter.follow(&setup, &BTreeMap::new());
    let (_, bob) = visit(&server, &chapter.base, "/auth/saml").await;
    assert_eq!(bob, "");
}

#[tokio::test]
async fn the_page_shows_how_to_log_in_by_kerberos() {
    let mut chapter = Chapter::of("## Kerberos");
    assert_eq!(chapter.party().0, "krb5");
    assert!(
        chapter
            .blocks("sh")
            .contains(&"cargo run --features identity-kerberos")
    );
    let Some(realm) = Realm::start().await else {
        return;
    };
    let folder = realm.file("").display().to_string();
    let folder = folder.trim_end_matches('/');
    chapter.substitute(KDC, folder);
    let setup = chapter.setup(chapter.entry()).variable("KDC", folder);
    let server = chapter.start(&setup).await;
    chapter.follow(&setup, &BTreeMap::new());

    // Who has no ticket types the password, which the page's curl shows to the KDC.
    let mut browser = server.browser();
    let page = browser
        .open(&format!("{}/auth/kerberos", chapter.base))
        .await
        .expect(401);
    let fields = [("username", "alice"), ("password", "alice-krb")];
    let page = browser.submit(&page, "/auth/kerberos", &fields).await.expect(200);
    page.came_by("/auth/account");
}

#[tokio::test]
async fn a_keytab_without_our_key_is_told_before_anybody_needs_it() {
    let chapter = Chapter::of("## Kerberos");
    let Some(realm) = Realm::start().await else {
        return;
    };
    let entries = chapter.entry().replace("http.keytab", "other.keytab");
    let folder = realm.file("").display().to_string();
    let setup = chapter.setup(&entries).variable("KDC", &folder);
    let (status, said) = setup.run(&["check-config"]).await;
    let lack = "entry `kerberos`: HTTP/localhost@TEST.LOCALHOST: the keytab has no key for our service";
    assert!(!status.success() && said.contains(lack), "{said}");
    // A server has other things to do, and the key may come.
    let server = setup.start().await;
    let is_it = |line: &str| line.contains(lack).then_some(());
    server.log().wait("what is wrong with the keytab", 0, is_it).await;
    server.client().get("/auth/kerberos").await.expect(401).done();
}

#[tokio::test]
async fn the_page_shows_how_to_log_in_by_openid_2() {
    let mut chapter = Chapter::of("## OpenID 2.0");
    let (name, port) = chapter.party();
    assert_eq!(name, "openid2");
    let party = Counterparty::openid2().await;
    chapter.substitute(&format!("http://127.0.0.1:{port}"), party.address());
    let setup = chapter.setup(chapter.entry());
    let server = chapter.start(&setup).await;
    let (_, alice) = visit(&server, &chapter.base, "/auth/openid").await;
    assert_eq!(alice, "admin");
    chapter.follow(&setup, &BTreeMap::new());
    let (_, bob) = visit(&server, &chapter.base, "/auth/openid").await;
    assert_eq!(bob, "");
}
