//! The conformance cases, run against a provider on this machine that says yes only to what it made, and once.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use conformance::counterpart::{Asked, Behaviour, Counterpart, Front, Params, Said};
use conformance::identity_provider::{Entry, NOW, Protocol, ProviderFixture};
use domain::ports::{AuthorizationStart, IdentityProvider};
use support::{Heard, NS, Site, entry, form, page, param, put, query, reply, sent, xrds};

/// Longer than `support::provider` waits.
const TOO_LATE: Duration = Duration::from_secs(2);
const SIGNED: &str =
    "op_endpoint,return_to,response_nonce,assoc_handle,claimed_id,identity,ns.sreg,sreg.email";

/// A provider of OpenID 2.0: what it said, by the handle it said it under.
#[derive(Default)]
struct Desk {
    front: Front,
    base: Mutex<String>,
    made: Mutex<HashMap<String, Params>>,
}

impl Desk {
    fn base(&self) -> String {
        self.base.lock().unwrap().clone()
    }

    fn said(&self, heard: &Heard) -> Said {
        let parts = form(&heard.body);
        let whole = format!("{} {}", heard.head, heard.body);
        if let Some(instead) = self.front.hear(&whole, &parts) {
            return instead;
        }
        let base = self.base();
        let body = match heard.path() {
            "/" => xrds("server", &format!("{base}/server"), None),
            "/server" => format!("ns:{NS}\nis_valid:{}\n", self.is_valid(parts)),
            person => xrds(
                "signon",
                &format!("{base}/server"),
                Some(&format!("{base}{person}")),
            ),
        };
        Said::Answer(200, body)
    }

    /// Yes to what it said, letter by letter, and only the first time (section 11.4.2.2).
    fn is_valid(&self, mut asked: Params) -> bool {
        put(&mut asked, "openid.mode", "id_res");
        let handle = param(&asked, "openid.assoc_handle")
            .unwrap_or_default()
            .to_owned();
        let mut made = self.made.lock().unwrap().remove(&handle).unwrap_or_default();
        made.sort();
        asked.sort();
        made == asked
    }
}

impl Counterpart for Desk {
    fn asked(&self, start: &AuthorizationStart) -> Asked {
        let back = param(&sent(start), "openid.return_to").unwrap().to_owned();
        let (redirect_uri, _) = back.split_once('?').unwrap();
        let own = query(&back);
        let text = |name| param(&own, name).map(str::to_owned);
        Asked {
            redirect_uri: redirect_uri.to_owned(),
            state: text("state"),
            nonce: text("nonce"),
            ..Asked::default()
        }
    }

    fn subject_of(&self, person: &str) -> String {
        format!("{}/{person}", self.base())
    }

    fn agree(&self, url: &str, person: &str) -> Params {
        let back = param(&query(url), "openid.return_to").unwrap().to_owned();
        let handle = self.front.mint("handle");
        let written = NOW.to_iso8601().replace(".000", "");
        let mut answer: Params = [
            ("openid.ns", NS),
            ("openid.mode", "id_res"),
            ("openid.op_endpoint", &format!("{}/server", self.base())),
            ("openid.return_to", &back),
            ("openid.response_nonce", &format!("{written}{handle}")),
            ("openid.assoc_handle", &handle),
            ("openid.ns.sreg", "http://openid.net/extensions/sreg/1.1"),
            ("openid.sreg.email", &format!("{person}@example.com")),
            ("openid.signed", SIGNED),
            ("openid.sig", &self.front.mint("signature")),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        if self.front.behaviour() == Behaviour::Anonymous {
            put(
                &mut answer,
                "openid.signed",
                &SIGNED.replace(",claimed_id,identity", ""),
            );
        } else {
            put(&mut answer, "openid.claimed_id", &self.subject_of(person));
            put(&mut answer, "openid.identity", &self.subject_of(person));
        }
        self.made.lock().unwrap().insert(handle, answer.clone());
        query(&back).into_iter().chain(answer).collect()
    }

    fn refuse(&self, url: &str) -> Params {
        let mut answer = query(param(&query(url), "openid.return_to").unwrap());
        put(&mut answer, "openid.ns", NS);
        put(&mut answer, "openid.mode", "cancel");
        answer
    }

    fn revoke(&self) {
        self.made.lock().unwrap().clear();
    }

    fn front(&self) -> &Front {
        &self.front
    }
}

fn wire(heard: &Heard, said: Said) -> String {
    match said {
        Said::Answer(200, body) if heard.method == "GET" => support::document(&body),
        Said::Answer(200, body) => page(&body),
        Said::Answer(status, body) => reply(status, "", &body),
        Said::Nothing => String::new(),
        Said::Late => {
            tokio::task::block_in_place(|| sleep(TOO_LATE));
            String::new()
        }
    }
}

async fn playing() -> Entry {
    let desk = Arc::new(Desk::default());
    let asked = Arc::clone(&desk);
    let site = Site::start(move |heard| wire(heard, asked.said(heard))).await;
    site.base.clone_into(&mut desk.base.lock().unwrap());
    Entry {
        port: Arc::new(entry(&site, "/")),
        provider: desk,
    }
}

async fn fresh() -> ProviderFixture {
    let nobody = identity_openid2::OpenId2Config::discovered("http://127.0.0.1:1/");
    ProviderFixture {
        protocol: Protocol::OpenId2,
        here: playing().await,
        there: playing().await,
        nowhere: Arc::new(support::provider(nobody)) as Arc<dyn IdentityProvider>,
    }
}

conformance::identity_provider!(fresh);
