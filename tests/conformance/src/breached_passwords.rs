//! Cases of [`BreachedPasswords`].

use std::sync::Arc;

use domain::credential::Password;
use domain::ports::BreachedPasswords;

use crate::{Fixture, race};

/// What the list of every fixture holds, and nothing else.
pub const PUBLIC: [&str; 6] = [
    "hunter2hunter2",
    "Correct Horse",
    "пароль из утечки",
    "tr\u{e9}sor perdu",
    " spaces at both ends ",
    TWIN,
];

/// Its SHA-1 begins with the same five hexadecimal characters as [`UNKNOWN_TWIN`]'s.
const TWIN: &str = "breached twin 330";
const UNKNOWN_TWIN: &str = "breached twin 367";

/// All cases of the port, as tests. `$fixture` makes a `Fixture<dyn BreachedPasswords>` that knows [`PUBLIC`].
#[macro_export]
macro_rules! breached_passwords {
    ($fixture:ident) => {
        $crate::cases!(
            breached_passwords,
            $fixture,
            [
                a_password_that_became_public_is_known,
                a_password_that_did_not_is_unknown,
                passwords_are_compared_exactly,
                two_ways_to_type_one_password_are_one,
                a_hash_that_begins_alike_is_another,
                anything_can_be_asked,
                racing_callers_get_their_own_answers,
            ]
        );
    };
}

type Lists = Fixture<dyn BreachedPasswords>;

async fn is_breached(fixture: &Lists, password: &str) -> bool {
    let answer = fixture.port.is_breached(&Password::typed(password)).await;
    answer.expect("the list answers")
}

pub async fn a_password_that_became_public_is_known(fixture: &Lists) {
    for public in PUBLIC {
        assert!(is_breached(fixture, public).await, "{public:?}");
    }
}

pub async fn a_password_that_did_not_is_unknown(fixture: &Lists) {
    for unknown in [
        "correct horse battery staple",
        "四季折々の花が咲く",
        "another password",
    ] {
        assert!(!is_breached(fixture, unknown).await, "{unknown:?}");
    }
}

pub async fn passwords_are_compared_exactly(fixture: &Lists) {
    for near in [
        "hunter2hunter",
        "hunter2hunter22",
        "Hunter2hunter2",
        "correct horse",
        "Correct Horse ",
        "spaces at both ends",
    ] {
        assert!(!is_breached(fixture, near).await, "{near:?}");
    }
}

pub async fn two_ways_to_type_one_password_are_one(fixture: &Lists) {
    assert!(is_breached(fixture, "tre\u{301}sor perdu").await);
}

pub async fn a_hash_that_begins_alike_is_another(fixture: &Lists) {
    assert!(is_breached(fixture, TWIN).await);
    assert!(!is_breached(fixture, UNKNOWN_TWIN).await);
}

pub async fn anything_can_be_asked(fixture: &Lists) {
    for odd in ["", "\0", "\r\n", "a\nb", ":", &"x".repeat(4096)] {
        assert!(!is_breached(fixture, odd).await, "{odd:?}");
    }
}

pub async fn racing_callers_get_their_own_answers(fixture: &Lists) {
    let asked = |number: usize| {
        let port = Arc::clone(&fixture.port);
        async move {
            let public = number.is_multiple_of(2);
            let password = if public { PUBLIC[0] } else { UNKNOWN_TWIN };
            (public, port.is_breached(&Password::typed(password)).await)
        }
    };
    for (public, answer) in race(16, asked).await {
        assert_eq!(answer.expect("the list answers"), public);
    }
}
