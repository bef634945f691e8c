//! What must not be told: whether somebody exists.
#![cfg(test)]

use domain::error::DomainError;
use domain::flow::login::Terms;
use domain::policy::Limits;
use domain::secret::{Secret, Token};
use domain::service::{CodeLogin, Credentials, LoginName};
use domain::session::TokenLife;
use domain::time::Lifetime;
use properties::cases;
use properties::moves::{Made, Move, Rules};
use properties::strategies;
use properties::system::{System, origin, typed_password, unlimited};
use properties::world::run;
use proptest::prelude::*;

/// A call a stranger makes about an address, with a password or code that is not right.
#[derive(Clone, Debug)]
enum Call {
    LogIn,
    RequestCode,
    LoginPage,
    TypeCode,
    Reset,
}

/// A call, the spelling of the name it is about, the place it comes from, and the milliseconds before it.
fn calls() -> impl Strategy<Value = Vec<(Call, &'static str, usize, i64)>> {
    let call = prop_oneof![
        6 => Just(Call::LogIn),
        3 => Just(Call::RequestCode),
        2 => Just(Call::LoginPage),
        6 => Just(Call::TypeCode),
        2 => Just(Call::Reset),
    ];
    let spelling = prop::sample::select(vec!["ann@example.com", "Ann@Example.COM", "ANN@example.com"]);
    let pause = prop_oneof![6 => Just(0_i64), 2 => 0..60_000_i64, 1 => Just(900_000)];
    prop::collection::vec((call, spelling, 0..3_usize, pause), 1..60)
}

/// Everything a stranger hears, and everything that takes time.
#[derive(Debug, PartialEq)]
struct Heard {
    answer: String,
    compared: usize,
    hashed: usize,
}

fn call(system: &System, call: &Call, name: &str, from: usize) -> Heard {
    let (services, pool, from) = (&system.services, system.pool(), origin(from));
    let before = system.world.contents().clone();
    let credentials = Credentials {
        realm: None,
        name: LoginName::Email(name.to_owned()),
        password: typed_password(3),
    };
    let life = Terms::of(TokenLife::Finite(Lifetime::from_secs(60)));
    let said = |result: Result<(), DomainError>| format!("{result:?}");
    let answer = match call {
        Call::LogIn => said(run(services.login(pool, &credentials, life, &from)).map(drop)),
        Call::RequestCode => {
            said(run(services.request_code(pool, &credentials, None, false, &from)).map(drop))
        }
        Call::LoginPage => {
            said(run(services.login_or_request_code(pool, &credentials, life, &from)).map(drop))
        }
        Call::TypeCode => {
            let code = CodeLogin {
                name: Some(credentials.name),
                realm: None,
                code: Secret::new("000000"),
                challenge: None,
                method: None,
                trust_device: false,
            };
            said(run(services.login_with_code(pool, code, &from)).map(drop))
        }
        Call::Reset => said(run(services.request_reset(pool, None, name, &from))),
    };
    let after = system.world.contents();
    Heard {
        answer,
        compared: after.compared - before.compared,
        hashed: after.hashed - before.hashed,
    }
}

fn sign_up(system: &mut System, email: usize, phone: Option<usize>) {
    let what = Move::SignUp {
        email,
        username: None,
        password: 0,
        phone,
    };
    system.make(&Made { what, from: 4 });
}

proptest! {
    #![proptest_config(cases(300))]

    /// A wrong password for somebody, and any for nobody: one answer, one cost, the same waits, however often and from where.
    #[test]
    fn a_stranger_cannot_tell_somebody_from_nobody(
        rules in strategies::rules(),
        phone in prop::option::of(0_usize..3),
        calls in calls(),
    ) {
        let mut inhabited = System::new(&rules, Limits::default());
        sign_up(&mut inhabited, 0, phone);
        let empty = System::new(&rules, Limits::default());
        for (what, name, from, pause) in calls {
            inhabited.world.wait(pause);
            empty.world.wait(pause);
            let somebody = call(&inhabited, &what, name, from);
            let nobody = call(&empty, &what, name, from);
            prop_assert_eq!(somebody, nobody, "{:?} {} {}", what, name, from);
        }
    }

    /// Where takings are hidden, a sign-up with a taken address goes as any other.
    #[test]
    fn a_hidden_taking_looks_like_a_new_user(
        rules in strategies::rules(),
        phones in (prop::option::of(0_usize..3), prop::option::of(0_usize..3)),
        times in 1_usize..8,
    ) {
        let rules = Rules { hide_existing: true, ..rules };
        let hears = |taken: bool| {
            let mut system = System::new(&rules, unlimited());
            if taken {
                sign_up(&mut system, 0, phones.0);
            }
            let mut heard = Vec::new();
            for _ in 0..times {
                let before = system.world.contents().clone();
                let form = domain::flow::sign_up::NewUser {
                    email: Some("Ann@example.com".to_owned()),
                    password: Some(typed_password(1)),
                    ..Default::default()
                };
                let made = run(system.services.sign_up(system.pool(), form, &origin(0)));
                let shown = made.map(|user| (user.email, user.phone, user.email_verified, user.created, user.attributes));
                let after = system.world.contents().clone();
                heard.push((format!("{shown:?}"), after.hashed - before.hashed, after.compared - before.compared));
            }
            heard
        };
        prop_assert_eq!(hears(true), hears(false));
    }

    /// Two at once for one new address: both look made, one is.
    #[test]
    fn a_hidden_taking_looks_like_a_new_user_in_a_race_too(rules in strategies::rules(), at in 0_usize..12) {
        let rules = Rules { hide_existing: true, ..rules };
        let system = System::new(&rules, unlimited());
        let form = || domain::flow::sign_up::NewUser {
            email: Some("ann@example.com".to_owned()),
            password: Some(typed_password(1)),
            ..Default::default()
        };
        let other = system.clone();
        system.world.intrude(at, move || {
            let made = run(other.services.sign_up(other.pool(), form(), &origin(1)));
            assert!(made.is_ok(), "{made:?}");
        });
        let made = run(system.services.sign_up(system.pool(), form(), &origin(0)));
        prop_assert!(made.is_ok(), "{made:?}");
        prop_assert_eq!(system.world.contents().users.len(), 1);
    }

    /// Tokens that are wrong, spent, somebody else's or of another kind: one answer.
    #[test]
    fn a_wrong_token_tells_nothing(rules in strategies::rules(), text in "[A-Za-z0-9]{0,70}") {
        let mut system = System::new(&rules, unlimited());
        sign_up(&mut system, 0, None);
        let (services, pool) = (&system.services, system.pool());
        let token = Token::presented(text);
        let id = system.people[0].id.clone();
        let nobody = domain::id::UserId::new("nobody");
        let heard = [
            format!("{:?}", run(services.confirm_email(pool, &id, &token, &origin(0))).map(drop)),
            format!("{:?}", run(services.confirm_email(pool, &nobody, &token, &origin(0))).map(drop)),
            format!("{:?}", run(services.reset_password(pool, &token, &typed_password(1), &origin(0))).map(drop)),
        ];
        prop_assert!(heard.iter().all(|said| said == "Err(Denied(TokenRefused))"), "{heard:?}");
        let sent = [
            format!("{:?}", run(services.send_verification(pool, &id, &origin(0)))),
            format!("{:?}", run(services.send_verification(pool, &nobody, &origin(0)))),
        ];
        prop_assert_eq!(&sent[0], &sent[1]);
    }
}
