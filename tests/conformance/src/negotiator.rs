//! Cases of [`Negotiator`].

use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{Negotiated, Negotiator, Once, ProviderError, ProviderFault as Fault};
use domain::time::{Lifetime, Timestamp};

use crate::{log, race};

/// All cases of the port, as tests. `$fixture` makes a `NegotiatorFixture`.
#[macro_export]
macro_rules! negotiator {
    ($fixture:ident) => {
        $crate::cases!(
            negotiator,
            $fixture,
            [
                who_shows_a_ticket_arrives,
                one_person_is_one_subject_and_two_are_two,
                people_who_come_at_once_are_not_mixed_up,
                a_ticket_for_another_service_is_refused,
                a_ticket_that_is_over_by_now_is_refused,
                a_ticket_of_another_realm_is_refused,
                ntlm_is_refused_as_such,
                what_cannot_be_read_is_malformed,
                a_token_that_is_cut_short_is_malformed,
                a_changed_token_is_no_other_persons,
                a_second_leg_is_refused,
                a_showing_counts_as_one_however_it_is_wrapped,
                two_showings_are_two,
                it_is_remembered_until_it_is_worth_nothing,
                no_token_is_in_an_error_or_in_the_log,
            ]
        );
    };
}

/// Who shows a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// Somebody of the realm.
    Ann,
    /// Somebody else of it.
    Bob,
    /// Somebody who is called like Ann, in a realm that may not log in here though ours trusts it.
    Stranger,
}

/// What browsers send.
#[async_trait]
pub trait Browsers: Send + Sync {
    /// A new token for our service.
    async fn token(&self, bearer: Bearer) -> Vec<u8>;

    /// A new token of Ann's for another service.
    async fn token_for_another_service(&self) -> Vec<u8>;

    /// The same ticket, shown by the same authenticator, in other wrappings.
    fn rewrapped(&self, token: &[u8]) -> Vec<Vec<u8>>;

    /// How long tickets last, at the most.
    fn lifetime(&self) -> Lifetime;
}

/// An adapter, and those who come to it.
pub struct NegotiatorFixture {
    /// The adapter under test.
    pub port: Arc<dyn Negotiator>,
    /// Who comes.
    pub browsers: Arc<dyn Browsers>,
    /// The moment it is, by the clock of those who make tickets.
    pub now: fn() -> Timestamp,
}

impl NegotiatorFixture {
    async fn accept(&self, token: &[u8]) -> Result<Negotiated, ProviderError> {
        self.port.accept(token, (self.now)()).await
    }

    async fn arrive(&self, token: &[u8]) -> Negotiated {
        self.accept(token).await.expect("a good ticket is taken")
    }

    async fn subject(&self, bearer: Bearer) -> (String, String) {
        let token = self.browsers.token(bearer).await;
        let arrival = self.arrive(&token).await.arrival;
        (arrival.issuer, arrival.subject)
    }

    async fn once(&self, token: &[u8]) -> Once {
        self.arrive(token)
            .await
            .arrival
            .once
            .expect("a ticket counts once")
    }

    async fn fault(&self, token: &[u8], why: &str) -> Fault {
        refused(self.accept(token).await, why)
    }
}

fn refused(answer: Result<Negotiated, ProviderError>, why: &str) -> Fault {
    match answer.expect_err(why) {
        ProviderError::Refused { fault, .. } => fault,
        ProviderError::Unavailable(reason) => panic!("{why}: unavailable: {reason}"),
    }
}

/// An element of DER, for what browsers without tickets send.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len())
        .expect("a short element")
        .to_be_bytes();
    let length = match (length[0], length[1]) {
        (0, short @ 0..=0x7f) => vec![short],
        (0, long) => vec![0x81, long],
        (high, low) => vec![0x82, high, low],
    };
    [&[tag][..], &length, content].concat()
}

/// A `NegTokenInit` (RFC 4178 section 4.2.1) of one mechanism.
fn negotiation(mechanism: &[u8], token: &[u8]) -> Vec<u8> {
    let list = element(0xa0, &element(0x30, &element(0x06, mechanism)));
    let token = element(0xa2, &element(0x04, token));
    let init = element(0xa0, &element(0x30, &[list, token].concat()));
    let spnego = element(0x06, &[0x2b, 6, 1, 5, 5, 2]);
    element(0x60, &[spnego, init].concat())
}

const KRB5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
const NTLM: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10];
/// The first message of NTLM.
const NTLM_MESSAGE: &[u8] = b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

pub async fn who_shows_a_ticket_arrives(fixture: &NegotiatorFixture) {
    let token = fixture.browsers.token(Bearer::Ann).await;
    let taken = fixture.arrive(&token).await;
    assert!(!taken.arrival.issuer.is_empty() && !taken.arrival.subject.is_empty());
    assert!(taken.arrival.once.is_some());
    assert!(
        taken.reply.is_some_and(|reply| !reply.is_empty()),
        "browsers want to know us"
    );
}

pub async fn one_person_is_one_subject_and_two_are_two(fixture: &NegotiatorFixture) {
    let ann = fixture.subject(Bearer::Ann).await;
    assert_eq!(fixture.subject(Bearer::Ann).await, ann);
    let bob = fixture.subject(Bearer::Bob).await;
    assert_eq!(bob.0, ann.0);
    assert_ne!(bob.1, ann.1);
}

pub async fn people_who_come_at_once_are_not_mixed_up(fixture: &NegotiatorFixture) {
    let tokens = [
        fixture.browsers.token(Bearer::Ann).await,
        fixture.browsers.token(Bearer::Bob).await,
    ];
    let mut subjects = Vec::new();
    for token in &tokens {
        subjects.push(fixture.arrive(token).await.arrival.subject);
    }
    let answers = race(12, |number| {
        let (port, now) = (Arc::clone(&fixture.port), fixture.now);
        let token = tokens[number % 2].clone();
        async move { port.accept(&token, now()).await }
    });
    for (number, answer) in answers.await.into_iter().enumerate() {
        let arrival = answer.expect("each arrives").arrival;
        assert_eq!(arrival.subject, subjects[number % 2]);
    }
}

pub async fn a_ticket_for_another_service_is_refused(fixture: &NegotiatorFixture) {
    let token = fixture.browsers.token_for_another_service().await;
    assert_eq!(fixture.fault(&token, "not for us").await, Fault::TicketRefused);
}

pub async fn a_ticket_that_is_over_by_now_is_refused(fixture: &NegotiatorFixture) {
    let token = fixture.browsers.token(Bearer::Ann).await;
    let later = (fixture.now)()
        .plus(fixture.browsers.lifetime())
        .plus(Lifetime::from_secs(3_600));
    let answer = fixture.port.accept(&token, later).await;
    assert_eq!(refused(answer, "it is over"), Fault::TicketRefused);
}

pub async fn a_ticket_of_another_realm_is_refused(fixture: &NegotiatorFixture) {
    let token = fixture.browsers.token(Bearer::Stranger).await;
    assert_eq!(fixture.fault(&token, "another realm").await, Fault::RealmRefused);
}

pub async fn ntlm_is_refused_as_such(fixture: &NegotiatorFixture) {
    for token in [NTLM_MESSAGE.to_vec(), negotiation(NTLM, NTLM_MESSAGE)] {
        assert_eq!(fixture.fault(&token, "NTLM").await, Fault::NtlmRefused);
    }
}

pub async fn what_cannot_be_read_is_malformed(fixture: &NegotiatorFixture) {
    let deep = (0..10_000).fold(Vec::new(), |inner, _| element(0x30, &inner));
    let deep_negotiation = negotiation(KRB5, &deep);
    for (what, token) in [
        ("nothing", vec![]),
        ("a word", b"garbage".to_vec()),
        ("a password", b"alice:secret".to_vec()),
        ("an empty negotiation", negotiation(KRB5, b"")),
        ("no ticket", negotiation(KRB5, b"garbage")),
        (
            "another mechanism",
            negotiation(&[0x2b, 6, 1, 5, 2, 7], b"garbage"),
        ),
        ("60 kB", vec![0x60; 60_000]),
        ("60 kB in a negotiation", negotiation(KRB5, &vec![0x60; 60_000])),
        ("1 MB", vec![0x30; 1_000_000]),
        ("depth", deep),
        ("depth in a negotiation", deep_negotiation),
        (
            "lengths without an end",
            [0x60, 0x84, 0xff, 0xff, 0xff, 0xff].repeat(1_000),
        ),
    ] {
        assert_eq!(
            fixture.fault(&token, what).await,
            Fault::TicketMalformed,
            "{what}"
        );
    }
}

pub async fn a_token_that_is_cut_short_is_malformed(fixture: &NegotiatorFixture) {
    let token = fixture.browsers.token(Bearer::Ann).await;
    for place in 0..token.len() {
        let fault = fixture.fault(&token[..place], "cut short").await;
        assert_eq!(fault, Fault::TicketMalformed, "after {place} octets");
    }
    let longer = [&token[..], &[0]].concat();
    assert_eq!(fixture.fault(&longer, "too long").await, Fault::TicketMalformed);
}

pub async fn a_changed_token_is_no_other_persons(fixture: &NegotiatorFixture) {
    let token = fixture.browsers.token(Bearer::Ann).await;
    let first = fixture.arrive(&token).await.arrival;
    for place in (0..token.len()).step_by(5) {
        let mut changed = token.clone();
        changed[place] ^= 0x40;
        match fixture.accept(&changed).await {
            Ok(taken) => {
                assert_eq!(taken.arrival.subject, first.subject, "octet {place}");
                let ids = [&taken.arrival, &first].map(|arrival| arrival.once.as_ref().map(|once| &once.id));
                assert_eq!(ids[0], ids[1], "octet {place}");
            }
            Err(ProviderError::Refused { .. }) => {}
            Err(ProviderError::Unavailable(why)) => panic!("octet {place}: {why}"),
        }
    }
}

pub async fn a_second_leg_is_refused(fixture: &NegotiatorFixture) {
    let token = fixture.browsers.token(Bearer::Ann).await;
    let reply = fixture.arrive(&token).await.reply.expect("an answer");
    // `NegTokenResp`: more to come, with a ticket in it.
    let state = element(0xa0, &[0x0a, 1, 1]);
    let inside = element(0xa2, &element(0x04, &token));
    let second = element(0xa1, &element(0x30, &[state, inside].concat()));
    for leg in [reply, second] {
        assert_eq!(fixture.fault(&leg, "no first leg").await, Fault::TicketMalformed);
    }
}

pub async fn a_showing_counts_as_one_however_it_is_wrapped(fixture: &NegotiatorFixture) {
    let token = fixture.browsers.token(Bearer::Ann).await;
    let first = fixture.once(&token).await;
    assert_eq!(fixture.once(&token).await.id, first.id);
    let rewrapped = fixture.browsers.rewrapped(&token);
    assert!(!rewrapped.is_empty());
    for token in rewrapped {
        assert_eq!(fixture.once(&token).await.id, first.id);
    }
}

pub async fn two_showings_are_two(fixture: &NegotiatorFixture) {
    let one = fixture.browsers.token(Bearer::Ann).await;
    let two = fixture.browsers.token(Bearer::Ann).await;
    assert_ne!(fixture.once(&one).await.id, fixture.once(&two).await.id);
}

pub async fn it_is_remembered_until_it_is_worth_nothing(fixture: &NegotiatorFixture) {
    let token = fixture.browsers.token(Bearer::Ann).await;
    let now = (fixture.now)();
    let once = fixture.once(&token).await;
    // Its maker's clock may be five minutes ahead of ours (RFC 4120 section 1.6), and ours as much behind.
    assert!(once.until >= now.plus(Lifetime::from_secs(600)), "{once:?}");
    assert!(once.until <= now.plus(Lifetime::from_secs(86_400)), "{once:?}");
}

pub async fn no_token_is_in_an_error_or_in_the_log(fixture: &NegotiatorFixture) {
    const TOLD: &str = "a-token-for-no-log";
    log::listen();
    let token = negotiation(KRB5, TOLD.as_bytes());
    let error = fixture.accept(&token).await.expect_err("no ticket");
    let stranger = fixture.browsers.token(Bearer::Stranger).await;
    let strange = fixture.accept(&stranger).await.expect_err("another realm");
    let told = format!("{error} {error:?} {strange} {strange:?}");
    assert!(!told.contains(TOLD), "{told}");
    assert!(!log::holds(TOLD), "a token is in the log");
}
