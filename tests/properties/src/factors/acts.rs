//! What can happen around somebody's second factors, and any sequence of it.

use domain::user::FactorKind;
use proptest::prelude::*;

const SECOND: i64 = 1_000;
const DAY: i64 = 86_400 * SECOND;

/// Places somebody may be at: Ann's desk, Ann's kitchen, and wherever the thief is.
pub const PLACES: [[u8; 4]; 3] = [[192, 0, 2, 1], [192, 0, 2, 2], [203, 0, 113, 9]];

/// How long a step-up is good, a login waits, and a device is trusted, in milliseconds.
pub const FRESH: i64 = 300 * SECOND;
/// See [`FRESH`].
pub const WAITS: i64 = 600 * SECOND;
/// See [`FRESH`].
pub const TRUST: i64 = 2 * DAY;

/// What somebody types.
#[derive(Clone, Debug)]
pub enum Code {
    /// What an app shows, so many steps away.
    App(prop::sample::Index, i64),
    /// A recovery code of the present set.
    Recovery(prop::sample::Index),
    /// One that was used, or of a former set.
    VoidRecovery(prop::sample::Index),
    /// What was sent.
    Sent,
    /// Something made up.
    Made(FactorKind),
}

/// Something that happens.
#[derive(Clone, Debug)]
pub enum Act {
    /// The password alone, at a place: by Ann or by who stole it.
    Password(usize),
    /// The password, to go on with a second factor.
    Begin(usize, Option<FactorKind>),
    /// Another code for the login that waits there.
    Resend(usize),
    /// A code for it, and whether the device is to be trusted.
    Type(usize, Code, bool),
    /// An authenticator for the login that waits at a place; a copy of it, whose counter stands still.
    Touch(usize, prop::sample::Index, bool),
    /// A passkey and nothing else.
    WholePasskey(usize, prop::sample::Index),
    /// What whoever holds one of the tokens ever given does with it.
    Held(prop::sample::Index, ByHolder),
    /// Time passes, or a clock is set.
    Wait(i64),
}

/// What the holder of a session does.
#[derive(Clone, Debug)]
pub enum ByHolder {
    /// Nothing.
    Look,
    /// Adds an app.
    AddApp,
    /// Adds a passkey, that counts or not, that verifies its user or not.
    AddKey(bool, bool),
    /// Makes recovery codes.
    MakeCodes,
    /// Names a factor.
    Rename(prop::sample::Index),
    /// Removes one.
    Remove(prop::sample::Index),
    /// Proves themselves by the password.
    ProveByPassword,
    /// Proves themselves by a code.
    ProveByCode(Code),
    /// Forgets every device.
    ForgetDevices,
}

fn kind() -> impl Strategy<Value = FactorKind> {
    prop::sample::select(&FactorKind::ALL[..])
}

fn code() -> impl Strategy<Value = Code> {
    prop_oneof![
        6 => (any::<prop::sample::Index>(), -3_i64..4).prop_map(|(app, away)| Code::App(app, away)),
        2 => any::<prop::sample::Index>().prop_map(Code::Recovery),
        1 => any::<prop::sample::Index>().prop_map(Code::VoidRecovery),
        4 => Just(Code::Sent),
        1 => kind().prop_map(Code::Made),
    ]
}

fn wait() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 0..40 * SECOND,
        3 => 50 * SECOND..70 * SECOND,
        3 => FRESH - 5 * SECOND..FRESH + 5 * SECOND,
        1 => WAITS..2 * WAITS,
        1 => TRUST - SECOND..TRUST + SECOND,
        1 => Just(15 * DAY),
        1 => -90 * SECOND..0,
        1 => -3 * DAY..0,
    ]
}

fn by_holder() -> impl Strategy<Value = ByHolder> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        1 => Just(ByHolder::Look),
        4 => Just(ByHolder::AddApp),
        3 => any::<(bool, bool)>().prop_map(|(counts, verifies)| ByHolder::AddKey(counts, verifies)),
        3 => Just(ByHolder::MakeCodes),
        1 => index().prop_map(ByHolder::Rename),
        3 => index().prop_map(ByHolder::Remove),
        2 => Just(ByHolder::ProveByPassword),
        6 => code().prop_map(ByHolder::ProveByCode),
        1 => Just(ByHolder::ForgetDevices),
    ]
}

/// Anything.
pub fn act() -> impl Strategy<Value = Act> {
    let (index, place) = (any::<prop::sample::Index>, || 0..PLACES.len());
    prop_oneof![
        3 => place().prop_map(Act::Password),
        4 => (place(), prop::option::of(kind())).prop_map(|(place, kind)| Act::Begin(place, kind)),
        1 => place().prop_map(Act::Resend),
        8 => (place(), code(), any::<bool>()).prop_map(|(place, code, trust)| Act::Type(place, code, trust)),
        3 => (place(), index(), prop::bool::weighted(0.3)).prop_map(|(place, key, copy)| Act::Touch(place, key, copy)),
        2 => (place(), index()).prop_map(|(place, key)| Act::WholePasskey(place, key)),
        10 => (index(), by_holder()).prop_map(|(login, what)| Act::Held(login, what)),
        5 => wait().prop_map(Act::Wait),
    ]
}
