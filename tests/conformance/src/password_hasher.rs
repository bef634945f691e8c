//! Cases of [`PasswordHasher`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::credential::{Password, PasswordHash};
use domain::ports::{PasswordHasher, Verified};

use crate::{Fixture, race};

/// All cases of the port, as tests. `$fixture` makes a `Fixture<dyn PasswordHasher>`.
#[macro_export]
macro_rules! password_hasher {
    ($fixture:ident) => {
        $crate::cases!(
            password_hasher,
            $fixture,
            [
                a_fresh_hash_is_right_and_current,
                a_password_that_is_not_exactly_the_same_is_wrong,
                two_hashes_of_one_password_have_different_salts,
                every_character_counts_however_long_the_password_is,
                a_nul_is_a_character_like_any_other,
                a_password_is_no_part_of_its_hash,
                an_unknown_user_is_wrong,
                an_unknown_user_costs_the_same_as_a_wrong_password,
                a_hash_it_cannot_read_is_wrong,
                racing_callers_get_their_own_answers,
                a_caller_that_goes_away_harms_nobody,
            ]
        );
    };
}

type Hashers = Fixture<dyn PasswordHasher>;

const PASSWORD: &str = "correct horse battery staple";

async fn hash(fixture: &Hashers, password: &str) -> PasswordHash {
    let hashed = fixture.port.hash(&Password::typed(password)).await;
    hashed.expect("the password is hashed")
}

async fn verify(fixture: &Hashers, password: &str, hash: Option<&PasswordHash>) -> Verified {
    let verified = fixture.port.verify(&Password::typed(password), hash).await;
    verified.expect("the password is judged")
}

async fn assert_differ(fixture: &Hashers, one: &str, other: &str) {
    let hashed = hash(fixture, one).await;
    assert_eq!(verify(fixture, one, Some(&hashed)).await, Verified::Right);
    assert_eq!(verify(fixture, other, Some(&hashed)).await, Verified::Wrong);
}

pub async fn a_fresh_hash_is_right_and_current(fixture: &Hashers) {
    for password in [PASSWORD, "пароль длинный", "四季折々の花が咲く", "  spaces  ", ""]
    {
        let hashed = hash(fixture, password).await;
        assert_eq!(verify(fixture, password, Some(&hashed)).await, Verified::Right);
    }
}

pub async fn a_password_that_is_not_exactly_the_same_is_wrong(fixture: &Hashers) {
    let hashed = hash(fixture, PASSWORD).await;
    for other in [
        "correct horse battery stapl",
        "correct horse battery staple ",
        " correct horse battery staple",
        "Correct horse battery staple",
        "correct  horse battery staple",
        "",
    ] {
        assert_eq!(
            verify(fixture, other, Some(&hashed)).await,
            Verified::Wrong,
            "{other:?}"
        );
    }
}

pub async fn two_hashes_of_one_password_have_different_salts(fixture: &Hashers) {
    let (one, other) = (hash(fixture, PASSWORD).await, hash(fixture, PASSWORD).await);
    assert_ne!(one.as_str(), other.as_str());
    assert_eq!(verify(fixture, PASSWORD, Some(&one)).await, Verified::Right);
    assert_eq!(verify(fixture, PASSWORD, Some(&other)).await, Verified::Right);
}

pub async fn every_character_counts_however_long_the_password_is(fixture: &Hashers) {
    // 72 bytes is where bcrypt stops reading, 128 characters what every password may have, 256 what ours may.
    for length in [71, 72, 73, 128, 256] {
        let start = "a".repeat(length - 1);
        assert_differ(fixture, &format!("{start}x"), &format!("{start}y")).await;
        assert_differ(fixture, &format!("{start}ж"), &start).await;
    }
}

pub async fn a_nul_is_a_character_like_any_other(fixture: &Hashers) {
    assert_differ(fixture, "before\0after", "before").await;
    assert_differ(fixture, "before\0after", "before\0other").await;
    assert_differ(fixture, "ab", "ab\0ab").await;
    assert_differ(fixture, "ab", "ab\0").await;
}

pub async fn a_password_is_no_part_of_its_hash(fixture: &Hashers) {
    let hashed = hash(fixture, PASSWORD).await;
    assert!(!hashed.as_str().contains("correct"));
}

pub async fn an_unknown_user_is_wrong(fixture: &Hashers) {
    for password in [PASSWORD, "", "before\0after"] {
        assert_eq!(verify(fixture, password, None).await, Verified::Wrong);
    }
}

/// Compares the quickest of several tries, which no other work on the machine can make quicker, and asks only for the same order
/// of magnitude: an answer without any hashing is a thousand times too quick.
pub async fn an_unknown_user_costs_the_same_as_a_wrong_password(fixture: &Hashers) {
    let hashed = hash(fixture, PASSWORD).await;
    let (mut unknown, mut wrong) = (Duration::MAX, Duration::MAX);
    for _ in 0..8 {
        unknown = unknown.min(time_of(fixture, None).await);
        wrong = wrong.min(time_of(fixture, Some(&hashed)).await);
    }
    assert!(
        unknown * 4 > wrong && wrong * 4 > unknown,
        "unknown {unknown:?}, wrong {wrong:?}"
    );
}

async fn time_of(fixture: &Hashers, hash: Option<&PasswordHash>) -> Duration {
    let started = Instant::now();
    assert_eq!(verify(fixture, "something else", hash).await, Verified::Wrong);
    started.elapsed()
}

pub async fn a_hash_it_cannot_read_is_wrong(fixture: &Hashers) {
    let good = hash(fixture, PASSWORD).await;
    let cut = good.as_str().get(..good.as_str().len() - 8).unwrap_or_default();
    for unreadable in [
        "",
        "*",
        "!",
        PASSWORD,
        cut,
        "$",
        "$$$$$$",
        "$argon2id$",
        "$2a$10$",
        "$2a$10$ä😀 not base64 but sixty bytes long, as bcrypt should be",
        "$5$rounds=5000$salt$hash",
        "{SSHA}c29tZXRoaW5n",
        "\0",
    ] {
        let unreadable = PasswordHash::new(unreadable);
        assert_eq!(
            verify(fixture, PASSWORD, Some(&unreadable)).await,
            Verified::Wrong,
            "{}",
            unreadable.as_str()
        );
    }
}

pub async fn racing_callers_get_their_own_answers(fixture: &Hashers) {
    let hashed = hash(fixture, PASSWORD).await;
    let port = Arc::clone(&fixture.port);
    let answers = race(8, move |number| {
        let (port, hashed) = (Arc::clone(&port), hashed.clone());
        async move {
            let password = if number % 2 == 0 {
                PASSWORD
            } else {
                "something else"
            };
            port.verify(&Password::typed(password), Some(&hashed)).await
        }
    })
    .await;
    for (number, answer) in answers.into_iter().enumerate() {
        let expected = if number % 2 == 0 {
            Verified::Right
        } else {
            Verified::Wrong
        };
        assert_eq!(answer.expect("eight at once are taken"), expected);
    }
}

pub async fn a_caller_that_goes_away_harms_nobody(fixture: &Hashers) {
    for _ in 0..8 {
        let port = Arc::clone(&fixture.port);
        let asked = tokio::spawn(async move { port.hash(&Password::typed(PASSWORD)).await });
        tokio::task::yield_now().await;
        asked.abort();
        // Whether it was cancelled or had finished is all the same.
        drop(asked.await);
    }
    let hashed = hash(fixture, PASSWORD).await;
    assert_eq!(verify(fixture, PASSWORD, Some(&hashed)).await, Verified::Right);
}
