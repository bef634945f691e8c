//! Accounts elsewhere and users here: who is linked to what, told twice.
//!
//! [`model`] is what everybody would say: a person has a set of accounts, an account belongs to one person at most, whoever proves an
//! account is let in as its person, and nothing is joined before both sides are proven. [`system`] is the real services.

pub mod model;
pub mod system;

/// Accounts at the one provider there is.
pub const ACCOUNTS: [Account; 5] = [
    Account {
        subject: "a0",
        email: Some(0),
        vouched: true,
    },
    Account {
        subject: "a1",
        email: Some(0),
        vouched: false,
    },
    Account {
        subject: "a2",
        email: Some(1),
        vouched: true,
    },
    Account {
        subject: "a3",
        email: None,
        vouched: false,
    },
    Account {
        subject: "a4",
        email: Some(2),
        vouched: true,
    },
];

/// Addresses: of Ann, who never proved hers; of Bob, who did; of somebody who is not here yet.
pub const EMAILS: [&str; 3] = ["ann@example.com", "bob@example.com", "cyd@example.com"];

/// An account elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// Its id there.
    pub subject: &'static str,
    /// The address it goes by, one of [`EMAILS`].
    pub email: Option<usize>,
    /// Whether the provider vouches for that.
    pub vouched: bool,
}

/// One thing somebody does. Sessions, visits, offers and codes are named by the order they came about in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Gives the right password of a person.
    LogIn { person: usize },
    /// Ends a session.
    LogOut { session: usize },
    /// Sets out to the provider, to log in.
    SetOut { browser: usize },
    /// Sets out to the provider, to link to the user of a session.
    SetOutToLink { browser: usize, session: usize },
    /// Comes back from a visit as an account, in a browser.
    ComeBack {
        visit: usize,
        browser: usize,
        account: usize,
    },
    /// Proves the user of an offer by a password.
    JoinByPassword { offer: usize, right: bool },
    /// Wants a code to the address of that user.
    AskCode { offer: usize },
    /// Types the code that was sent so many mails after the first; a guess where there is none.
    JoinByCode { offer: usize, code: usize },
    /// Wants a user of one's own.
    Decline { offer: usize },
    /// Unlinks an account.
    Unlink { session: usize, account: usize },
    /// Lets seconds pass.
    Wait { seconds: u16 },
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A session was opened.
    LoggedIn,
    /// An account was linked.
    Linked,
    /// A join was offered.
    Offered,
    /// It was done.
    Done,
    /// The session named is not live.
    NotLoggedIn,
    /// It was refused with this code.
    Denied(&'static str),
}
