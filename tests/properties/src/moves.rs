//! What people do, in small numbers: the third address, the second password. Every move can be made at any time; one that names
//! what does not exist is made with something nobody has.

use domain::policy::SecondFactor;

/// Addresses people have.
pub const EMAILS: [&str; 4] = [
    "ann@example.com",
    "bob@example.com",
    "cyd@example.com",
    "dan@example.com",
];
/// Names people log in with.
pub const USERNAMES: [&str; 3] = ["ann", "bob", "cyd"];
/// Passwords people choose.
pub const PASSWORDS: [&str; 4] = [
    "correct horse",
    "battery staple",
    "wallpaper glue",
    "seven green birds",
];
/// Numbers people have.
pub const PHONES: [&str; 3] = ["+491700000001", "+491700000002", "+491700000003"];
/// Places requests come from.
pub const PLACES: [&str; 5] = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"];

/// The rules of one run.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct Rules {
    /// When a second factor is due.
    pub second_factor: SecondFactor,
    /// Whether an address must be verified before a login.
    pub verification: bool,
    /// Whether sign-up hides takings.
    pub hide_existing: bool,
    /// Whether codes arrive without a number.
    pub reaches_without_number: bool,
    /// Whether the session store still has what was cleared away, as one does that came back older: an epoch alone must end it.
    pub keeps_the_dead: bool,
    /// Where chance begins.
    pub seed: u64,
}

/// A name to log in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// One of [`EMAILS`].
    Email(usize),
    /// One of [`USERNAMES`].
    Username(usize),
}

/// What a right password is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A session of so many seconds.
    Session(u64),
    /// A code.
    Code,
    /// Either, as the login page has it.
    Either,
}

/// What is typed where a code is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// The code that was sent so many messages after the first.
    Sent(usize),
    /// The same with a blank after it.
    SentAndBlank(usize),
    /// Six digits that were never sent.
    Guess,
}

/// What becomes of a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Nothing.
    Keep,
    /// It goes.
    Clear,
    /// It becomes one of [`PHONES`].
    Set(usize),
}

/// A change of one's own record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whether it replaces the whole record.
    pub replace: bool,
    /// A new address.
    pub email: Option<usize>,
    /// A new username.
    pub username: Option<usize>,
    /// A new number.
    pub phone: Number,
    /// A new password.
    pub password: Option<usize>,
    /// The current one, as proof.
    pub current: Option<usize>,
}

/// One thing somebody does. Sessions, challenges, links and codes are named by the order they were handed out in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Signs up.
    SignUp {
        email: usize,
        username: Option<usize>,
        password: usize,
        phone: Option<usize>,
    },
    /// Gives name and password.
    LogIn { name: Name, password: usize, want: Want },
    /// Types a login code, so many times over.
    TypeCode {
        times: usize,
        name: Option<Name>,
        challenge: Option<usize>,
        typed: Typed,
    },
    /// Wants the code of a challenge again.
    Resend { challenge: usize },
    /// Lets milliseconds pass.
    Wait { millis: i64 },
    /// Changes the password.
    ChangePassword {
        session: usize,
        current: usize,
        new: usize,
    },
    /// Changes the record.
    ChangeRecord { session: usize, change: Change },
    /// Wants a reset mail.
    AskReset { email: usize },
    /// Follows a reset link.
    UseReset { link: usize, password: usize },
    /// Wants a verification mail for a person.
    AskVerification { person: usize },
    /// Follows a verification link, naming a person.
    UseVerification { link: usize, person: usize },
    /// Wants a code to the own number.
    AskNumberCode { session: usize },
    /// Types it, so many times over.
    TypeNumberCode {
        session: usize,
        typed: Typed,
        times: usize,
    },
    /// Logs out.
    LogOut { session: usize },
    /// Ends all other sessions.
    EndOthers { session: usize },
    /// Deletes the own record.
    Delete { session: usize },
    /// The server clears away what is void.
    Purge,
    /// The operator makes hashes dearer.
    RaiseCost,
}

/// A move and the place it is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What is done.
    pub what: Move,
    /// One of [`PLACES`].
    pub from: usize,
}

/// What came of a move, as the one who made it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A session was opened.
    Opened,
    /// A code is on its way.
    CodeSent,
    /// It was done.
    Done,
    /// The session named is not live.
    NotLoggedIn,
    /// It was refused, for this reason.
    Denied(&'static str),
}

/// The text of an index, wrapped around.
pub fn pick(list: &[&'static str], index: usize) -> &'static str {
    list.get(index % list.len()).copied().unwrap_or_default()
}
