//! Messages that wait for carriers which refuse, stall, break and lie, and for workers that die in the middle: a code goes out at most
//! once, a mail at least once or with a word of why not, and nothing after its time.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::audit::AuditKind;
use domain::error::{Denial, DomainError};
use domain::id::MessageId;
use domain::message::{MailMessage, SmsMessage};
use domain::outbox::{Channel, Lane, OutboxMessage, OutboxPage, Settled};
use domain::ports::{Delivery, Mailer, Outbox, PageMark, PortError, SmsSender};
use domain::time::{Lifetime, Timestamp};
use futures_util::FutureExt as _;
use properties::cases;
use properties::factors::{EMAIL, House, from};
use properties::system::unlimited;
use properties::world::{World, run};
use proptest::prelude::*;

/// How long a claim holds.
const HOLD: i64 = 60_000;

/// What a carrier does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Sent,
    NotNow(Option<u64>),
    Unreachable,
    Refused,
    Unknown,
    Unavailable,
    /// Whoever hands it over dies before the carrier took it,
    DiesBefore,
    /// or after.
    DiesAfter,
}

impl Answer {
    /// Whether the receiver may have the message.
    const fn may_be_out(self) -> bool {
        matches!(self, Self::Sent | Self::Unknown | Self::DiesAfter)
    }

    /// Whether whoever handed it over knows that it is not out.
    const fn is_known_unsent(self) -> bool {
        matches!(self, Self::NotNow(_) | Self::Unavailable)
    }
}

#[derive(Clone, Debug)]
struct Attempt {
    id: String,
    channel: Channel,
    at: i64,
    answer: Answer,
}

/// Carries both kinds of message as it is told to, and remembers each time it was asked. It is the outbox as well, so as to know what
/// was put into it.
struct Carrier {
    world: Arc<World>,
    script: Mutex<Vec<Answer>>,
    attempts: Mutex<Vec<Attempt>>,
    kept: Mutex<BTreeMap<String, (Channel, i64)>>,
    /// Calls of [`Outbox::settle`] that go unanswered, done or not.
    lost: AtomicUsize,
}

impl Carrier {
    async fn carry(&self, id: &MessageId, channel: Channel) -> Result<Delivery, PortError> {
        // Where several are at it, somebody else may come in between.
        std::thread::yield_now();
        let answer = self.script.lock().unwrap().pop().unwrap_or(Answer::Sent);
        self.attempts.lock().unwrap().push(Attempt {
            id: id.as_str().to_owned(),
            channel,
            at: self.world.contents().now().as_millis(),
            answer,
        });
        Ok(match answer {
            Answer::Sent => Delivery::Sent,
            Answer::NotNow(seconds) => Delivery::NotNow {
                retry_after: seconds.map(Lifetime::from_secs),
                reason: "throttled",
            },
            Answer::Unreachable => Delivery::Unreachable { reason: "unroutable" },
            Answer::Refused => Delivery::Refused {
                reason: "credentials",
            },
            Answer::Unknown => Delivery::Unknown,
            Answer::Unavailable => return Err(PortError::unavailable("nobody is there")),
            // Nothing comes any more: whoever waits is dropped.
            Answer::DiesBefore | Answer::DiesAfter => std::future::pending().await,
        })
    }

    fn answers(&self, mut answers: Vec<Answer>) {
        answers.reverse();
        *self.script.lock().unwrap() = answers;
    }

    fn attempts(&self) -> Vec<Attempt> {
        self.attempts.lock().unwrap().clone()
    }

    fn kept(&self) -> BTreeMap<String, (Channel, i64)> {
        self.kept.lock().unwrap().clone()
    }
}

#[async_trait]
impl SmsSender for Carrier {
    fn reaches_without_number(&self) -> bool {
        false
    }

    fn is_local(&self) -> bool {
        false
    }

    async fn send(&self, id: &MessageId, message: &SmsMessage) -> Result<Delivery, PortError> {
        assert!(
            message.life > Lifetime::from_millis(0),
            "a code that is dead is sent"
        );
        self.carry(id, Channel::Sms).await
    }
}

#[async_trait]
impl Mailer for Carrier {
    fn is_local(&self) -> bool {
        false
    }

    async fn send(&self, id: &MessageId, message: &MailMessage) -> Result<Delivery, PortError> {
        assert_eq!(message.to.as_str(), EMAIL);
        self.carry(id, Channel::Mail).await
    }
}

#[async_trait]
impl Outbox for Carrier {
    async fn put(&self, message: &OutboxMessage) -> Result<(), PortError> {
        let (id, expires) = (message.id.as_str().to_owned(), message.expires.as_millis());
        self.kept.lock().unwrap().insert(id, (message.channel, expires));
        self.world.put(message).await
    }

    async fn claim(
        &self,
        lane: Lane,
        now: Timestamp,
        hold: Lifetime,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>, PortError> {
        self.world.claim(lane, now, hold, limit).await
    }

    async fn settle(&self, id: &MessageId, attempt: u32, how: Settled) -> Result<bool, PortError> {
        let answer = self.world.settle(id, attempt, how).await;
        let left = self.lost.load(Ordering::SeqCst);
        if left > 0 {
            self.lost.store(left - 1, Ordering::SeqCst);
            return Err(PortError::unavailable("the answer is lost"));
        }
        answer
    }

    async fn list(&self, after: Option<&'_ PageMark>, limit: usize) -> Result<OutboxPage, PortError> {
        Outbox::list(&*self.world, after, limit).await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        Outbox::purge(&*self.world, now).await
    }
}

/// Ann's house, with carriers across a network.
fn house(code_life: u64) -> (House, Arc<Carrier>) {
    let world = World::new(3, false);
    let carrier = Arc::new(Carrier {
        world: Arc::clone(&world),
        script: Mutex::default(),
        attempts: Mutex::default(),
        kept: Mutex::default(),
        lost: AtomicUsize::new(0),
    });
    let mut ports = world.ports();
    (ports.sms, ports.mailer, ports.outbox) = (carrier.clone(), carrier.clone(), carrier.clone());
    let house = House::wired(world, ports, unlimited(), |pool| {
        pool.code_life = Lifetime::from_secs(code_life);
    });
    run(house.deliver(10)).expect("the mail of the sign-up is out of the way");
    house.world.contents().audit.clear();
    carrier.attempts.lock().unwrap().clear();
    carrier.kept.lock().unwrap().clear();
    (house, carrier)
}

fn audited(house: &House, kind: AuditKind) -> usize {
    let contents = house.world.contents();
    contents.audit.iter().filter(|event| event.kind == kind).count()
}

fn reasons(house: &House, kind: AuditKind) -> Vec<String> {
    let contents = house.world.contents();
    let events = contents.audit.iter().filter(|event| event.kind == kind);
    events
        .filter_map(|event| event.detail.as_ref().map(ToString::to_string))
        .collect()
}

fn is_empty(house: &House) -> bool {
    house.world.contents().outbox.is_empty()
}

/// A worker that looks again and again until nothing waits any more.
fn drain(house: &House) {
    for _ in 0..400 {
        let _ = house.deliver(100).now_or_never();
        house.world.wait(15_000);
        if is_empty(house) {
            return;
        }
    }
}

fn request_reset(house: &House) {
    let origin = from([192, 0, 2, 1], None);
    run(house.services.request_reset(&house.pool, None, EMAIL, &origin)).expect("asked");
}

fn request_code(house: &House) -> Result<(), DomainError> {
    house.begin(None, &from([192, 0, 2, 1], None)).map(|_| ())
}

/// What must hold of everything that was ever handed over.
fn laws(house: &House, carrier: &Carrier) {
    let attempts = carrier.attempts();
    for (id, (channel, expires)) in carrier.kept() {
        let of_it: Vec<&Attempt> = attempts.iter().filter(|attempt| attempt.id == id).collect();
        for attempt in &of_it {
            assert_eq!(attempt.channel, channel);
            assert!(attempt.at < expires, "tried after its time: {attempt:?}");
        }
        let Some((_, earlier)) = of_it.split_last() else {
            continue;
        };
        if channel == Channel::Sms {
            let again = earlier.iter().all(|attempt| attempt.answer.is_known_unsent());
            assert!(again, "a code went out again that may be out: {of_it:?}");
        } else {
            let over = |attempt: &&&Attempt| matches!(attempt.answer, Answer::Sent | Answer::Unreachable);
            assert_eq!(
                earlier.iter().find(over).map(|attempt| &attempt.id),
                None,
                "{of_it:?}"
            );
        }
    }
    assert!(
        attempts
            .iter()
            .all(|attempt| carrier.kept().contains_key(&attempt.id))
    );
    let shown = format!("{:?}", house.world.contents().audit);
    assert!(!shown.contains("token=") && !shown.contains("+49170"), "{shown}");
}

/// Besides, where nothing waits any more: each message has exactly one end that is written down.
fn ends(house: &House, carrier: &Carrier) {
    assert!(is_empty(house), "something waits for ever");
    let attempts = carrier.attempts();
    let of_codes = attempts.iter().filter(|attempt| attempt.channel == Channel::Sms);
    let refused = of_codes.filter(|attempt| attempt.answer == Answer::Refused);
    let (sent, failed) = (
        audited(house, AuditKind::MessageSent),
        audited(house, AuditKind::MessageFailed),
    );
    assert_eq!(sent + failed + refused.count(), carrier.kept().len());
    let taken = attempts.iter().filter(|attempt| attempt.answer == Answer::Sent);
    assert_eq!(sent, taken.count(), "what is said to be sent was taken");
}

#[derive(Clone, Debug)]
enum Move {
    AskCode,
    AskReset,
    /// A worker takes so many.
    Deliver(usize),
    Meet(usize, usize),
    Wait(i64),
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => Just(Answer::Sent),
        3 => prop::option::of(0_u64..120).prop_map(Answer::NotNow),
        1 => Just(Answer::Unreachable),
        1 => Just(Answer::Refused),
        2 => Just(Answer::Unknown),
        2 => Just(Answer::Unavailable),
        1 => Just(Answer::DiesBefore),
        1 => Just(Answer::DiesAfter),
    ]
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        3 => Just(Move::AskCode),
        3 => Just(Move::AskReset),
        4 => (1_usize..6).prop_map(Move::Deliver),
        2 => (1_usize..6, 0_usize..20).prop_map(|(limit, at)| Move::Meet(limit, at)),
        4 => (0_i64..20_000).prop_map(Move::Wait),
        2 => (50_000_i64..200_000).prop_map(Move::Wait),
        1 => (-30_000_i64..0).prop_map(Move::Wait),
        1 => Just(Move::Wait(1_000_000)),
    ]
}

fn play(house: &House, carrier: &Carrier, moves: Vec<Move>) {
    for a_move in moves {
        match a_move {
            Move::AskCode => {
                // Whoever asks may die as well as any worker.
                let origin = from([192, 0, 2, 1], None);
                let typed = House::typed(properties::factors::PASSWORD);
                let asked = house
                    .services
                    .request_code(&house.pool, &typed, None, false, &origin);
                let said = asked.now_or_never();
                let told = carrier.attempts().last().map(|attempt| attempt.answer);
                told_as_it_was(
                    said.map(|said| said.map(|_| ())),
                    told.expect("it was tried at once"),
                );
            }
            Move::AskReset => request_reset(house),
            Move::Deliver(limit) => {
                let _ = house.deliver(limit).now_or_never();
            }
            Move::Meet(limit, at) => {
                let other = house.clone();
                house.world.intrude(at, move || {
                    let _ = other.deliver(limit).now_or_never();
                });
                let _ = house.deliver(limit).now_or_never();
                house.world.is_intruder_left();
            }
            Move::Wait(millis) => house.world.wait(millis),
        }
        laws(house, carrier);
    }
}

fn told_as_it_was(said: Option<Result<(), DomainError>>, answer: Answer) {
    let Some(said) = said else {
        assert!(matches!(answer, Answer::DiesBefore | Answer::DiesAfter));
        return;
    };
    match answer {
        Answer::Unreachable => {
            assert!(matches!(said, Err(DomainError::Denied(Denial::PhoneUnreachable))));
        }
        Answer::Refused => assert!(matches!(
            said,
            Err(DomainError::Port(PortError::Unavailable { .. }))
        )),
        // Nothing more is known than that it is taken care of.
        _ => assert!(said.is_ok(), "{answer:?}: {said:?}"),
    }
}

proptest! {
    #![proptest_config(cases(192))]

    #[test]
    fn whatever_carriers_and_workers_do_each_message_has_one_fate(
        moves in prop::collection::vec(a_move(), 1..40),
        answers in prop::collection::vec(answer(), 0..60),
        code_life in prop_oneof![Just(60_u64), Just(300), Just(600)],
    ) {
        let (house, carrier) = house(code_life);
        carrier.answers(answers);
        play(&house, &carrier, moves);
        drain(&house);
        laws(&house, &carrier);
        ends(&house, &carrier);
    }
}

#[test]
fn who_asks_for_a_code_hears_that_the_number_cannot_be_reached() {
    let (house, carrier) = house(60);
    carrier.answers(vec![Answer::Unreachable]);
    let said = request_code(&house);
    assert!(
        matches!(said, Err(DomainError::Denied(Denial::PhoneUnreachable))),
        "{said:?}"
    );
    assert_eq!(reasons(&house, AuditKind::MessageFailed), ["unroutable"]);
    drain(&house);
    assert_eq!(carrier.attempts().len(), 1);
}

#[test]
fn a_carrier_that_refuses_us_is_an_outage_and_is_written_down() {
    let (house, carrier) = house(60);
    carrier.answers(vec![Answer::Refused]);
    let said = request_code(&house);
    assert!(
        matches!(said, Err(DomainError::Port(PortError::Unavailable { .. }))),
        "{said:?}"
    );
    assert_eq!(reasons(&house, AuditKind::CarrierRefused), ["credentials"]);
    drain(&house);
    assert_eq!(carrier.attempts().len(), 1, "a code is not tried again");
    ends(&house, &carrier);
}

#[test]
fn a_mail_waits_for_the_operator_where_a_carrier_refuses_us() {
    let (house, carrier) = house(60);
    carrier.answers(vec![Answer::Refused; 4]);
    request_reset(&house);
    assert!(
        carrier.attempts().is_empty(),
        "how long a mail takes would tell who exists"
    );
    drain(&house);
    assert_eq!(carrier.attempts().len(), 5);
    assert_eq!(audited(&house, AuditKind::CarrierRefused), 4);
    assert_eq!(audited(&house, AuditKind::MessageSent), 1);
}

#[test]
fn a_code_that_was_throttled_goes_out_a_moment_later_and_once() {
    let (house, carrier) = house(60);
    carrier.answers(vec![Answer::NotNow(None), Answer::Unavailable, Answer::Sent]);
    request_code(&house).expect("taken care of");
    for _ in 0..10 {
        run(house.deliver(5)).expect("delivered");
        house.world.wait(1_000);
    }
    assert_eq!(carrier.attempts().len(), 3);
    assert_eq!(audited(&house, AuditKind::MessageDelayed), 2);
    ends(&house, &carrier);
}

#[test]
fn a_worker_that_dies_leaves_a_code_in_doubt_and_a_mail_to_the_next() {
    for death in [Answer::DiesBefore, Answer::DiesAfter] {
        let (house, carrier) = house(600);
        carrier.answers(vec![Answer::NotNow(None), death, death]);
        request_code(&house).expect("taken care of");
        request_reset(&house);
        house.world.wait(2_000);
        assert!(house.deliver(1).now_or_never().is_none(), "it died");
        assert!(house.deliver(1).now_or_never().is_none(), "it died, too");
        house.world.wait(HOLD - 1);
        assert_eq!(run(house.deliver(9)).expect("asked"), 0, "both are held");
        house.world.wait(1);
        assert_eq!(run(house.deliver(9)).expect("asked"), 2);
        assert_eq!(reasons(&house, AuditKind::MessageFailed), ["in_doubt"]);
        assert_eq!(audited(&house, AuditKind::MessageSent), 1);
        laws(&house, &carrier);
        ends(&house, &carrier);
    }
}

#[test]
fn who_dies_while_asking_for_a_code_has_it_sent_by_nobody_else() {
    let (house, carrier) = house(600);
    carrier.answers(vec![Answer::DiesBefore]);
    let typed = House::typed(properties::factors::PASSWORD);
    let origin = from([192, 0, 2, 1], None);
    let asked = house
        .services
        .request_code(&house.pool, &typed, None, false, &origin);
    assert!(asked.now_or_never().is_none());
    drain(&house);
    assert_eq!(carrier.attempts().len(), 1);
    assert_eq!(reasons(&house, AuditKind::MessageFailed), ["in_doubt"]);
    // Who asks anew gets a new one.
    request_code(&house).expect("asked again");
    assert_eq!(carrier.attempts().len(), 2);
}

#[test]
fn of_many_workers_each_message_is_handed_over_by_one() {
    let (house, carrier) = house(600);
    carrier.answers(vec![Answer::NotNow(None); 30]);
    for _ in 0..30 {
        request_code(&house).expect("taken care of");
        request_reset(&house);
    }
    house.world.wait(5_000);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| while run(house.deliver(3)).expect("delivered") > 0 {});
        }
    });
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for attempt in carrier.attempts().into_iter().skip(30) {
        *times.entry(attempt.id).or_default() += 1;
    }
    assert_eq!(times.len(), 60);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    laws(&house, &carrier);
    ends(&house, &carrier);
}

#[test]
fn a_worker_that_sleeps_longer_than_its_hold_sends_no_code_twice() {
    let mut met = 0;
    for at in 0..20 {
        let (house, carrier) = house(600);
        carrier.answers(vec![Answer::NotNow(None)]);
        request_code(&house).expect("taken care of");
        house.world.wait(2_000);
        let other = house.clone();
        house.world.intrude(at, move || {
            other.world.wait(HOLD + 1);
            run(other.deliver(5)).expect("delivered");
        });
        let _ = run(house.deliver(5));
        if !house.world.is_intruder_left() {
            met += 1;
        }
        drain(&house);
        let attempts = carrier.attempts();
        let out = attempts
            .iter()
            .filter(|attempt| attempt.answer.may_be_out())
            .count();
        assert!(out <= 1, "overtaken at {at}: {attempts:?}");
        assert!(is_empty(&house));
    }
    assert!(met >= 3, "they met: {met}");
}

#[test]
fn an_outbox_whose_answers_are_lost_sends_no_code_twice_and_loses_no_mail() {
    for lost in 1..6 {
        let (house, carrier) = house(600);
        carrier.answers(vec![Answer::NotNow(None)]);
        request_code(&house).expect("taken care of");
        for _ in 0..3 {
            request_reset(&house);
        }
        house.world.wait(6_000);
        carrier.lost.store(lost, Ordering::SeqCst);
        drain(&house);
        laws(&house, &carrier);
        let attempts = carrier.attempts();
        let mails = attempts
            .iter()
            .filter(|attempt| attempt.channel == Channel::Mail && attempt.answer == Answer::Sent);
        assert_eq!(mails.count(), 3, "{lost}");
        assert!(is_empty(&house));
    }
}

#[test]
fn nothing_is_handed_over_at_or_after_its_end() {
    for late in [-1, 0, 1] {
        let (house, carrier) = house(30);
        carrier.answers(vec![Answer::NotNow(None)]);
        request_code(&house).expect("taken care of");
        house.world.wait(30_000 + late);
        run(house.deliver(5)).expect("delivered");
        assert_eq!(carrier.attempts().len(), if late < 0 { 2 } else { 1 });
        assert_eq!(
            reasons(&house, AuditKind::MessageFailed) == ["expired"],
            late >= 0
        );
        ends(&house, &carrier);
    }
}

#[test]
fn a_mail_that_cannot_be_read_any_more_is_given_up_and_holds_up_nobody() {
    let (house, carrier) = house(60);
    request_reset(&house);
    request_reset(&house);
    {
        let mut contents = house.world.contents();
        let first = contents.outbox.values_mut().next().expect("a mail");
        first.payload = domain::secret::Sealed::from_bytes(b"by another key".to_vec());
    }
    assert_eq!(run(house.deliver(5)).expect("delivered"), 2);
    assert_eq!(reasons(&house, AuditKind::MessageFailed), ["unreadable"]);
    ends(&house, &carrier);
    laws(&house, &carrier);
}
