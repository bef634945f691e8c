//! Tickets of a realm, which a browser shows by itself where it may; and the realm's passwords.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use browser::{ACCOUNT, Desk, Surroundings};
use e2e::{Counterparty, Portcullis};
use serde_json::{Value, json};

use super::{LINK, LOG_IN, ROLE, checked, entries, is_refused, setup, shows_linked, unlinks, with};

const ALICE: &str = "alice@TEST.LOCALHOST";
const FORM: &str = "form[action^='/auth/corp'] button";
const AGAIN: &str = "a[href^='/auth/corp']";

/// A realm, and the place where one person's tickets lie.
struct Realm {
    kdc: Counterparty,
}

impl Realm {
    async fn start() -> Self {
        Self {
            kdc: Counterparty::krb5().await,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(self.kdc.address()).join(name)
    }

    fn entry(&self) -> Value {
        json!({
            "authScheme": "kerberos", "realm": "TEST.LOCALHOST", "service": "HTTP/localhost",
            "keytab": self.file("http.keytab"), "krb5Conf": self.file("krb5.conf"),
            "roleMapping": [{ "attribute": "_json.principal", "value": ALICE, "role": ROLE }],
        })
    }

    /// A server that takes tickets and passwords.
    async fn server(&self) -> Portcullis {
        let entry = with(&self.entry(), &json!({ "passwords": true }));
        setup().providers(&entries(&entry)).start().await
    }

    fn variables(&self) -> [(&'static str, String); 2] {
        [
            ("KRB5_CONFIG", self.file("krb5.conf").display().to_string()),
            (
                "KRB5CCNAME",
                format!("FILE:{}", self.file("person.cache").display()),
            ),
        ]
    }

    /// Somebody gets their tickets, as in the morning.
    fn log_in(&self, person: &str, password: &str) {
        let mut child = Command::new("kinit")
            .envs(self.variables())
            .arg(person)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("kinit is installed: bash tests/setup");
        writeln!(child.stdin.take().expect("its input"), "{password}").expect("it asks for a password");
        assert!(
            child.wait().expect("it ends").success(),
            "{person} gets no tickets"
        );
    }

    /// A browser whose administrator lets it show tickets to our host.
    fn trusting(&self) -> Surroundings {
        let mut surroundings = Surroundings::default().argument("--auth-server-allowlist=localhost");
        for (name, value) in self.variables() {
            surroundings = surroundings.variable(name, &value);
        }
        surroundings
    }
}

#[tokio::test]
async fn a_ticket_opens_one_account_with_its_role_at_the_press_of_a_button() {
    let realm = Realm::start().await;
    let server = realm.server().await;
    realm.log_in("alice", "alice-krb");
    let mut desk = Desk::open_in("kerberos", &server, false, &realm.trusting()).await;
    desk.go("/login").await;
    desk.browser.press(LOG_IN, "/auth/corp").await;
    // Chromium on Linux loads the library of tickets only after somebody asked for one, and too late for that answer. Once in the life
    // of a profile people see what others see who have none, and go on from there.
    desk.says("Your browser showed no ticket").await;
    desk.browser.shoot("first-time").await;
    desk.browser.press(AGAIN, ACCOUNT).await;
    shows_linked(&desk, "alice").await;
    let alice = checked(&desk, &server).await;
    assert_eq!(alice.1, ROLE);

    desk.log_out("/login").await;
    desk.is_outside().await;
    desk.browser.press(LOG_IN, ACCOUNT).await;
    assert_eq!(checked(&desk, &server).await, alice);
}

#[tokio::test]
async fn a_ticket_is_linked_at_the_press_of_a_button_and_unlinked() {
    let realm = Realm::start().await;
    let server = realm.server().await;
    let ann = server.client().sign_up("ann").await;
    realm.log_in("alice", "alice-krb");
    let mut desk = Desk::open_in("kerberos-link", &server, false, &realm.trusting()).await;
    desk.log_in_by_password(&ann, ACCOUNT).await;
    desk.browser.press(LINK, "/link/corp").await;
    desk.says("Link your Corp account").await;
    desk.says("Your browser showed no ticket").await;
    desk.browser.shoot("first-time").await;
    desk.browser.press("a[href='/link/corp']", ACCOUNT).await;
    shows_linked(&desk, "alice").await;

    desk.log_out("/login").await;
    desk.browser.press(LOG_IN, ACCOUNT).await;
    assert_eq!(checked(&desk, &server).await, (ann.id, ROLE.to_owned()));
    unlinks(&desk, &server).await;
}

#[tokio::test]
async fn without_a_ticket_the_realms_password_opens_the_account() {
    let realm = Realm::start().await;
    let server = realm.server().await;
    let mut desk = Desk::open("kerberos-password", &server, true).await;
    desk.go("/login").await;
    desk.browser.press(LOG_IN, "/auth/corp").await;
    desk.says("Your browser showed no ticket").await;
    desk.browser.fill("#name", "alice").await;
    desk.browser.fill("#password", "bob-krb").await;
    desk.press(FORM, "do not fit together").await;
    desk.browser.shoot("wrong-password").await;
    desk.browser.fill("#password", "alice-krb").await;
    desk.browser.press(FORM, ACCOUNT).await;
    shows_linked(&desk, "alice").await;
    assert_eq!(checked(&desk, &server).await.1, ROLE);
}

#[tokio::test]
async fn whoever_has_no_ticket_that_counts_reads_so_and_comes_another_way() {
    let realm = Realm::start().await;
    let server = setup().providers(&entries(&realm.entry())).start().await;
    let mut desk = Desk::open_in("kerberos-refused", &server, false, &realm.trusting()).await;
    desk.go("/login").await;
    desk.browser.press(LOG_IN, "/auth/corp").await;
    desk.says("Get one for your Corp account").await;
    desk.browser.shoot("no-ticket").await;
    desk.browser.press(".aside a", "/login").await;

    realm.log_in("alice@OTHER.LOCALHOST", "alice-other");
    desk.browser.press(LOG_IN, "/auth/corp").await;
    let because = "Accounts of that realm may not log in here";
    is_refused(&mut desk, "REALM_REFUSED", because, "other-realm").await;
}
