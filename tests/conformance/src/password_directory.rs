//! Cases of [`PasswordDirectory`].

use std::sync::Arc;

use domain::ports::{Arrival, DirectoryAttempt, PasswordDirectory, ProviderError, ProviderFault as Fault};
use domain::secret::Secret;
use domain::time::Timestamp;

use crate::{Link, log, race};

/// All cases of the port, as tests. `$fixture` makes a `DirectoryFixture`.
#[macro_export]
macro_rules! password_directory {
    ($fixture:ident) => {
        $crate::cases!(
            password_directory,
            $fixture,
            [
                who_gives_the_right_password_arrives,
                a_wrong_password_is_refused,
                an_unknown_name_is_refused_as_a_wrong_password_is,
                an_empty_password_is_refused_before_anybody_is_asked,
                an_empty_name_is_refused_before_anybody_is_asked,
                a_name_is_searched_for_as_it_is,
                a_name_of_odd_characters_is_a_name,
                a_name_that_fits_several_accounts_is_ambiguous,
                an_account_is_one_subject_however_its_name_is_spelt,
                two_accounts_are_two_subjects_of_one_issuer,
                people_who_are_judged_at_once_are_not_mixed_up,
                a_directory_that_is_not_there_is_unavailable,
                a_directory_that_hangs_up_is_unavailable_until_it_is_back,
                a_directory_that_does_not_answer_in_time_is_unavailable,
                no_password_is_in_an_error_or_in_the_log,
            ]
        );
    };
}

/// Somebody the directory knows.
#[derive(Clone, Debug)]
pub struct Account {
    /// As it may be typed.
    pub name: String,
    /// At least six characters, the first of them a letter.
    pub password: String,
}

impl Account {
    /// A name and its password.
    pub fn new(name: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            password: password.into(),
        }
    }
}

/// A directory, and who is in it.
pub struct DirectoryFixture {
    /// The adapter under test. It gives up after a second or two.
    pub port: Arc<dyn PasswordDirectory>,
    /// One for a directory that is not there.
    pub nowhere: Arc<dyn PasswordDirectory>,
    /// Somebody.
    pub ann: Account,
    /// Somebody else, with another password.
    pub bob: Account,
    /// People whose names hold what means something in the protocol, as far as there can be such.
    pub odd: Vec<Account>,
    /// Ann's name in other spellings that the directory takes for it.
    pub spellings: Vec<String>,
    /// A name that fits several accounts, with the password of each, where that can be.
    pub several: Option<Account>,
    /// What everything between the adapter and its directory goes through, where that can be.
    pub link: Option<Link>,
}

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// In no log but by a mistake.
const TYPED: &str = "typed-by-mistake-27182818";

impl DirectoryFixture {
    async fn arrive(&self, account: &Account) -> Arrival {
        let answer = check(&*self.port, &account.name, &account.password).await;
        answer.expect("the right password lets in")
    }

    async fn fault(&self, name: &str, password: &str, why: &str) -> Fault {
        refused(check(&*self.port, name, password).await, why)
    }
}

async fn check(port: &dyn PasswordDirectory, name: &str, password: &str) -> Result<Arrival, ProviderError> {
    let attempt = DirectoryAttempt {
        name: name.to_owned(),
        password: Secret::new(password),
        now: NOW,
    };
    port.check(&attempt).await
}

fn refused(answer: Result<Arrival, ProviderError>, why: &str) -> Fault {
    match answer.expect_err(why) {
        ProviderError::Refused { fault, .. } => fault,
        ProviderError::Unavailable(reason) => panic!("{why}: unavailable: {reason}"),
    }
}

fn unavailable(answer: Result<Arrival, ProviderError>, why: &str) {
    let error = answer.expect_err(why);
    assert!(matches!(error, ProviderError::Unavailable(_)), "{why}: {error:?}");
}

/// What some directories take for a wish to be nobody in particular.
fn nothings(password: &str) -> [String; 6] {
    [
        String::new(),
        " ".to_owned(),
        "\t  \u{a0}".to_owned(),
        "\0".to_owned(),
        format!("\0{password}"),
        format!("{password}\0"),
    ]
}

/// Names that would be somebody's, if a name were more than a name.
fn tricks(name: &str) -> Vec<String> {
    let mut tricks = vec![
        "*".to_owned(),
        format!("{name}*"),
        format!("*{name}"),
        format!("{name}\0"),
        format!("\0{name}"),
        format!("{name})(objectClass=*"),
        format!("{name}))(|(objectClass=*"),
        format!("*)(|(uid={name}"),
        "*)(objectClass=*)".to_owned(),
        format!("{name}\\00"),
        format!("\\{:02x}{}", name.as_bytes()[0], &name[1..]),
        format!("{name},dc=example"),
        format!("{name}+cn=x"),
        format!("uid={name}"),
        format!("{name}@elsewhere.example"),
        format!("{name}@ELSEWHERE.EXAMPLE@"),
        format!("elsewhere\\{name}"),
        format!("{name}/admin"),
        format!("../{name}"),
        format!("${{jndi:ldap://127.0.0.1/{name}}}"),
        "{{username}}".to_owned(),
    ];
    tricks.push("a".repeat(10_000));
    tricks.push("(".repeat(10_000));
    tricks.push("\u{0}".repeat(1_000));
    tricks
}

pub async fn who_gives_the_right_password_arrives(fixture: &DirectoryFixture) {
    for account in [&fixture.ann, &fixture.bob] {
        let arrival = fixture.arrive(account).await;
        assert!(!arrival.subject.is_empty() && !arrival.issuer.is_empty());
    }
}

pub async fn a_wrong_password_is_refused(fixture: &DirectoryFixture) {
    let Account { name, password } = &fixture.ann;
    let (head, tail) = password.split_at(1);
    let turned = format!("{}{tail}", head.to_uppercase());
    assert_ne!(&turned, password, "the password begins with a small letter");
    let wrong = [
        TYPED.to_owned(),
        fixture.bob.password.clone(),
        format!("{password} "),
        format!(" {password}"),
        format!("{password}x"),
        tail.to_owned(),
        turned,
    ];
    // Few enough for an account that is locked after some: in between, the right one.
    for wrong in wrong {
        let fault = fixture.fault(name, &wrong, "another password").await;
        assert_eq!(fault, Fault::DirectoryPassword, "{wrong:?}");
        fixture.arrive(&fixture.ann).await;
    }
}

pub async fn an_unknown_name_is_refused_as_a_wrong_password_is(fixture: &DirectoryFixture) {
    let unknown = fixture.fault("nobody-of-that-name", TYPED, "nobody").await;
    let wrong = fixture.fault(&fixture.ann.name, TYPED, "somebody").await;
    assert_eq!(
        (unknown, wrong),
        (Fault::DirectoryPassword, Fault::DirectoryPassword)
    );
    let borrowed = fixture.fault("nobody-of-that-name", &fixture.ann.password, "nobody");
    assert_eq!(borrowed.await, Fault::DirectoryPassword);
}

pub async fn an_empty_password_is_refused_before_anybody_is_asked(fixture: &DirectoryFixture) {
    for nothing in nothings(&fixture.ann.password) {
        // Whoever asked the one that is not there would have found it unavailable.
        for port in [&fixture.port, &fixture.nowhere] {
            let answer = check(&**port, &fixture.ann.name, &nothing).await;
            assert_eq!(
                refused(answer, "no password"),
                Fault::DirectoryPassword,
                "{nothing:?}"
            );
        }
    }
}

pub async fn an_empty_name_is_refused_before_anybody_is_asked(fixture: &DirectoryFixture) {
    for name in ["", " ", "\0"] {
        for port in [&fixture.port, &fixture.nowhere] {
            let answer = check(&**port, name, &fixture.ann.password).await;
            assert_eq!(refused(answer, "no name"), Fault::DirectoryPassword, "{name:?}");
        }
    }
}

pub async fn a_name_is_searched_for_as_it_is(fixture: &DirectoryFixture) {
    for trick in tricks(&fixture.ann.name) {
        let fault = fixture.fault(&trick, &fixture.ann.password, &trick).await;
        assert_eq!(fault, Fault::DirectoryPassword, "{trick:?}");
    }
    fixture.arrive(&fixture.ann).await;
}

pub async fn a_name_of_odd_characters_is_a_name(fixture: &DirectoryFixture) {
    for account in &fixture.odd {
        let subject = fixture.arrive(account).await.subject;
        assert_ne!(subject, fixture.arrive(&fixture.ann).await.subject);
        let fault = fixture.fault(&account.name, TYPED, "another password").await;
        assert_eq!(fault, Fault::DirectoryPassword);
    }
}

pub async fn a_name_that_fits_several_accounts_is_ambiguous(fixture: &DirectoryFixture) {
    if let Some(Account { name, password }) = &fixture.several {
        let fault = fixture.fault(name, password, "several accounts").await;
        assert_eq!(fault, Fault::DirectoryAmbiguous);
    }
}

pub async fn an_account_is_one_subject_however_its_name_is_spelt(fixture: &DirectoryFixture) {
    let first = fixture.arrive(&fixture.ann).await;
    let names = [&fixture.ann.name].into_iter().chain(&fixture.spellings);
    for name in names {
        let again = fixture.arrive(&Account::new(name, &fixture.ann.password)).await;
        assert_eq!(
            (again.issuer, again.subject),
            (first.issuer.clone(), first.subject.clone())
        );
    }
}

pub async fn two_accounts_are_two_subjects_of_one_issuer(fixture: &DirectoryFixture) {
    let (ann, bob) = (
        fixture.arrive(&fixture.ann).await,
        fixture.arrive(&fixture.bob).await,
    );
    assert_eq!(ann.issuer, bob.issuer);
    assert_ne!(ann.subject, bob.subject);
}

pub async fn people_who_are_judged_at_once_are_not_mixed_up(fixture: &DirectoryFixture) {
    let subjects = [
        fixture.arrive(&fixture.ann).await.subject,
        fixture.arrive(&fixture.bob).await.subject,
    ];
    let answers = race(12, |number| {
        let account = [&fixture.ann, &fixture.bob][number % 2].clone();
        let other = [&fixture.bob, &fixture.ann][number % 2].clone();
        let port = Arc::clone(&fixture.port);
        async move {
            if number % 3 == 0 {
                let crossed = check(&*port, &account.name, &other.password).await;
                assert_eq!(refused(crossed, "somebody else's"), Fault::DirectoryPassword);
            }
            check(&*port, &account.name, &account.password).await
        }
    });
    for (number, answer) in answers.await.into_iter().enumerate() {
        assert_eq!(answer.expect("each arrives").subject, subjects[number % 2]);
    }
}

pub async fn a_directory_that_is_not_there_is_unavailable(fixture: &DirectoryFixture) {
    let Account { name, password } = &fixture.ann;
    for name in [name.as_str(), "nobody-of-that-name"] {
        let answer = check(&*fixture.nowhere, name, password).await;
        unavailable(answer, "nobody listens");
    }
}

pub async fn a_directory_that_hangs_up_is_unavailable_until_it_is_back(fixture: &DirectoryFixture) {
    let Some(link) = &fixture.link else {
        return;
    };
    let Account { name, password } = &fixture.ann;
    for _ in 0..3 {
        fixture.arrive(&fixture.ann).await;
        link.cut().await;
        unavailable(
            check(&*fixture.port, name, password).await,
            "the connection is cut",
        );
        link.heal().await;
    }
    fixture.arrive(&fixture.ann).await;
    // Gone and back with nobody looking: what was held open is dead, and that is nobody's affair.
    link.cut().await;
    link.heal().await;
    fixture.arrive(&fixture.ann).await;
}

pub async fn a_directory_that_does_not_answer_in_time_is_unavailable(fixture: &DirectoryFixture) {
    let Some(link) = &fixture.link else {
        return;
    };
    let Account { name, password } = &fixture.ann;
    fixture.arrive(&fixture.ann).await;
    link.hold_answers().await;
    unavailable(check(&*fixture.port, name, password).await, "no answer");
    link.cut().await;
    link.heal().await;
    fixture.arrive(&fixture.ann).await;
}

pub async fn no_password_is_in_an_error_or_in_the_log(fixture: &DirectoryFixture) {
    log::listen();
    let Account { name, password } = &fixture.ann;
    fixture.arrive(&fixture.ann).await;
    let mut errors = Vec::new();
    for (name, password) in [
        (name.as_str(), TYPED),
        ("nobody-of-that-name", TYPED),
        ("nobody-of-that-name", password),
    ] {
        errors.extend(check(&*fixture.port, name, password).await.err());
    }
    errors.extend(check(&*fixture.nowhere, name, password).await.err());
    if let Some(link) = &fixture.link {
        link.hold_answers().await;
        errors.extend(check(&*fixture.port, name, password).await.err());
        link.cut().await;
        errors.extend(check(&*fixture.port, name, password).await.err());
        link.heal().await;
    }
    assert!(errors.len() >= 4, "{errors:?}");
    for error in errors {
        let told = format!("{error} {error:?}");
        assert!(!told.contains(TYPED) && !told.contains(password), "{told}");
    }
    assert!(
        !log::holds(TYPED) && !log::holds(password),
        "a password is in the log"
    );
}
