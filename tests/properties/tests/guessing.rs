//! Ten thousand guesses at everything that can be guessed, from many addresses: nothing opens, and meanwhile Ann comes and goes.
#![cfg(test)]

use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::flow::login::Terms;
use domain::id::UserId;
use domain::message::{MailKind, Notice};
use domain::origin::Origin;
use domain::policy::Limits;
use domain::secret::{Secret, Token};
use domain::service::LoggedIn;
use domain::session::AccessToken;
use domain::time::Lifetime;
use domain::user::FactorKind;
use properties::factors::authenticator::Authenticator;
use properties::factors::{App, House, PASSWORD, from};
use properties::world::run;
use serde_json::{Value, json};

const GUESSES: usize = 10_000;

/// Between two guesses, in milliseconds: all of them take a quarter of an hour and more.
const PAUSE: i64 = 100;

/// So often Ann logs in while somebody guesses.
const EVERY: usize = 1_000;

/// What became of the guesses.
#[derive(Debug, Default)]
struct Tally {
    /// Judged, and refused like anything that is wrong.
    refused: usize,
    /// Not judged any more.
    limited: usize,
}

struct Ann {
    house: House,
    app: App,
    codes: Vec<String>,
    key: Authenticator,
    device: String,
    first: AccessToken,
}

/// Each guess comes from one of four thousand addresses.
fn elsewhere(guess: usize) -> Origin {
    let [_, _, high, low] = u32::try_from(guess % 4_000).expect("small").to_be_bytes();
    from([198, 18, high, low], None)
}

/// A token as guessed: of the right length and letters.
fn made_up(guess: usize) -> Token {
    Token::presented(format!("{guess:064}"))
}

impl Ann {
    fn new() -> Self {
        let house = House::new(11, Limits::default(), |pool| {
            pool.magic_link = true;
            pool.trust_device = Some(Lifetime::from_secs(864_000));
        });
        let home = from([192, 0, 2, 1], Some(""));
        let first = house.log_in(PASSWORD, &home).expect("logged in");
        let device = first.device.as_ref().expect("a device token").expose().to_owned();
        let caller = house.caller(&first.secret).expect("logged in");
        house.confirm_phone(&caller).expect("confirmed");
        let proven = |house: &House| {
            let asked = house.begin(Some(FactorKind::Sms), &home).expect("asked");
            let (challenge, code) = (asked.challenge.expect("a challenge"), house.last_sms());
            let opened = house.type_code(&challenge, &code, FactorKind::Sms, false, &home);
            opened.expect("logged in")
        };
        let proven = proven(&house);
        let caller = |house: &House| house.caller(&proven.secret).expect("logged in");
        let app = house.enrol(&caller(&house)).expect("added");
        let codes = house.recovery_codes(&caller(&house)).expect("made");
        let mut key = Authenticator::new(1, true, true);
        house.add_passkey(&caller(&house), &mut key).expect("added");
        Self {
            house,
            app,
            codes,
            key,
            device,
            first,
        }
    }

    /// A request from the place Ann always logs in from.
    fn home(&self) -> Origin {
        from([192, 0, 2, 1], Some(&self.device))
    }

    fn log_in(&mut self, by: FactorKind) {
        let home = self.home();
        let asked = self.house.begin(Some(by), &home).expect("the password is right");
        let challenge = asked.challenge.expect("a challenge");
        let opened = match by {
            FactorKind::Passkey => {
                let services = &self.house.services;
                let call = run(services.begin_passkey_login(&self.house.pool, Some(&challenge), &home));
                let call = call.expect("asked");
                let answer = self.key.sign(&call.options);
                self.house.answer(&call.ceremony, answer, &home)
            }
            FactorKind::Totp => {
                let code = self.house.shown(&self.app, 0);
                self.house.type_code(&challenge, &code, by, false, &home)
            }
            FactorKind::Recovery => {
                let code = self.codes.pop().expect("one is left");
                self.house.type_code(&challenge, &code, by, false, &home)
            }
            FactorKind::Sms => {
                let code = self.house.last_sms();
                self.house.type_code(&challenge, &code, by, false, &home)
            }
        };
        opened.unwrap_or_else(|error| panic!("Ann is shut out: {error}"));
    }

    /// Has somebody guess ten thousand times while Ann logs in now and then.
    fn while_guessed<T: std::fmt::Debug>(
        &mut self,
        by: FactorKind,
        guess: impl Fn(&House, usize) -> Result<T, DomainError>,
    ) -> Tally {
        let mut tally = Tally::default();
        let before = self.house.ann();
        for number in 0..GUESSES {
            match guess(&self.house, number) {
                Err(DomainError::Denied(Denial::Limited { .. })) => tally.limited += 1,
                Err(DomainError::Denied(
                    Denial::LoginFailed
                    | Denial::TokenRefused
                    | Denial::RefreshRefused
                    | Denial::SecondFactorRequired { .. },
                )) => tally.refused += 1,
                other => panic!("guess {number} came to {other:?}"),
            }
            self.house.world.wait(PAUSE);
            if number % EVERY == EVERY - 1 {
                self.log_in(by);
                run(self.house.services.purge()).expect("purged");
            }
        }
        let after = self.house.ann();
        assert_eq!(before.password, after.password);
        assert_eq!(before.email, after.email);
        assert_eq!(before.factor_phone, after.factor_phone);
        assert_eq!(before.session_epoch, after.session_epoch);
        assert!(
            self.house.caller(&self.first.secret).is_some(),
            "who was in is in"
        );
        assert_eq!(tally.refused + tally.limited, GUESSES);
        tally
    }

    /// The token in the newest mail whose link `link_of` knows.
    fn mailed(&self, link_of: impl Fn(&MailKind) -> Option<&Secret>) -> Token {
        let contents = self.house.world.contents();
        let link = contents.mails.iter().rev().find_map(|mail| link_of(&mail.kind));
        let token = link.and_then(|link| link.expose().split("token=").nth(1));
        Token::presented(
            token
                .expect("a link was mailed")
                .split('&')
                .next()
                .unwrap_or_default(),
        )
    }

    fn terms(&self) -> Terms {
        self.house.terms()
    }
}

#[test]
fn guessed_passwords_open_nothing_and_a_known_device_is_not_shut_out() {
    let mut ann = Ann::new();
    let tally = ann.while_guessed(FactorKind::Totp, |house, guess| {
        house.log_in(&format!("password {guess}"), &elsewhere(guess))
    });
    // The account's own lockout: fifty, and then one at a time with longer and longer waits.
    assert!((50..60).contains(&tally.refused), "{tally:?}");
    // Whoever is nobody's known device waits with the strangers, however right.
    let stranger = ann.house.enter(&from([203, 0, 113, 1], None));
    assert!(matches!(
        stranger,
        Err(DomainError::Denied(Denial::Limited { .. }))
    ));
}

#[test]
fn passwords_guessed_for_names_that_nobody_has_run_out_as_well() {
    let mut ann = Ann::new();
    let tally = ann.while_guessed(FactorKind::Passkey, |house, guess| {
        let mut typed = House::typed(&format!("password {guess}"));
        typed.name = domain::service::LoginName::Email("nobody@example.com".to_owned());
        let origin = elsewhere(guess);
        let services = &house.services;
        run(services.login(&house.pool, &typed, house.terms(), &origin))
    });
    assert!((50..60).contains(&tally.refused), "as for Ann: {tally:?}");
}

/// Somebody stole the password, and guesses what stands beside it.
fn guess_factor(house: &House, guess: usize, code: &str, kind: FactorKind) -> Result<(), DomainError> {
    let origin = elsewhere(guess);
    let asked = house.begin(Some(kind), &origin)?;
    let challenge = asked.challenge.expect("a challenge");
    house.type_code(&challenge, code, kind, true, &origin).map(|_| ())
}

#[test]
fn guessed_codes_of_an_app_open_nothing_and_other_factors_stay_open() {
    let mut ann = Ann::new();
    let tally = ann.while_guessed(FactorKind::Passkey, |house, guess| {
        guess_factor(house, guess, &format!("{guess:06}"), FactorKind::Totp)
    });
    assert!((10..20).contains(&tally.refused), "{tally:?}");
    ann.log_in(FactorKind::Recovery);
}

#[test]
fn guessed_recovery_codes_open_nothing_and_other_factors_stay_open() {
    let mut ann = Ann::new();
    let tally = ann.while_guessed(FactorKind::Totp, |house, guess| {
        guess_factor(house, guess, &format!("{guess:024}"), FactorKind::Recovery)
    });
    assert!((10..20).contains(&tally.refused), "{tally:?}");
    ann.log_in(FactorKind::Passkey);
}

#[test]
fn guessed_codes_by_text_message_open_nothing_and_few_are_sent() {
    let mut ann = Ann::new();
    let sent = ann.house.world.contents().sms.len();
    let tally = ann.while_guessed(FactorKind::Totp, |house, guess| {
        guess_factor(house, guess, &format!("{guess:06}"), FactorKind::Sms)
    });
    assert!(tally.refused < 20, "{tally:?}");
    let sent = ann.house.world.contents().sms.len() - sent;
    assert!(sent < 15, "{sent} messages cost money and nerves");
    ann.log_in(FactorKind::Passkey);
}

#[test]
fn one_login_that_waits_takes_five_codes_whatever_the_limits_say() {
    for right_at in [5, 6] {
        let limits = Limits {
            enabled: false,
            ..Limits::default()
        };
        let house = House::new(2, limits, |_| ());
        let origin = elsewhere(1);
        let asked = house.begin(None, &origin).expect("asked");
        let challenge = asked.challenge.expect("a challenge");
        let code = house.last_sms();
        let wrong = if code == "000000" { "000001" } else { "000000" };
        for _ in 1..right_at {
            let answer = house.type_code(&challenge, wrong, FactorKind::Sms, false, &origin);
            assert!(matches!(answer, Err(DomainError::Denied(Denial::LoginFailed))));
        }
        let answer = house.type_code(&challenge, &code, FactorKind::Sms, false, &origin);
        assert_eq!(answer.is_ok(), right_at == 5);
    }
}

fn forged(options: &Value, credential: &str, user: &str, guess: usize) -> Value {
    json!({
        "challenge": options.get("challenge"),
        "credential": credential,
        "count": 1_000 + guess,
        "verified": true,
        "user": user,
        "signature": format!("signature {guess}"),
    })
}

#[test]
fn forged_answers_of_authenticators_open_nothing_and_other_factors_stay_open() {
    let mut ann = Ann::new();
    let credential = ann.key.credential.clone();
    let tally = ann.while_guessed(FactorKind::Totp, |house, guess| {
        let origin = elsewhere(guess);
        let asked = house.begin(Some(FactorKind::Passkey), &origin)?;
        let services = &house.services;
        let call = run(services.begin_passkey_login(&house.pool, asked.challenge.as_ref(), &origin))?;
        let answer = forged(&call.options, &credential, "", guess);
        house.answer(&call.ceremony, answer, &origin)
    });
    assert!((10..20).contains(&tally.refused), "{tally:?}");
}

#[test]
fn forged_passkeys_without_a_password_open_nothing() {
    let mut ann = Ann::new();
    let credential = ann.key.credential.clone();
    let user = format!("{}/{}", ann.house.key().pool, ann.house.key().id);
    let tally = ann.while_guessed(FactorKind::Passkey, |house, guess| {
        let origin = elsewhere(guess);
        let call = run(house.services.begin_passkey_login(&house.pool, None, &origin))?;
        let answer = forged(&call.options, &credential, &user, guess);
        house.answer(&call.ceremony, answer, &origin)
    });
    assert_eq!(tally.limited, 0, "no budget of Ann's is at stake: {tally:?}");
}

#[test]
fn guessed_ceremonies_and_challenges_open_nothing_and_cost_ann_nothing() {
    let mut ann = Ann::new();
    let code = ann.house.shown(&ann.app, 1);
    let tally = ann.while_guessed(FactorKind::Totp, |house, guess| {
        let origin = elsewhere(guess);
        if guess % 2 == 0 {
            return house.type_code(&made_up(guess), &code, FactorKind::Totp, true, &origin);
        }
        house.answer(&made_up(guess), json!({ "credential": "credential-1" }), &origin)
    });
    assert_eq!(tally.limited, 0, "no budget of Ann's is at stake: {tally:?}");
}

#[test]
fn guessed_reset_links_set_no_password_and_the_mailed_one_does() {
    let mut ann = Ann::new();
    let (pool, home) = (ann.house.pool.clone(), ann.home());
    let tally = ann.while_guessed(FactorKind::Passkey, |house, guess| {
        let password = Password::typed("the thief was here");
        let services = &house.services;
        run(services.reset_password(&house.pool, &made_up(guess), &password, &elsewhere(guess)))
    });
    assert_eq!(tally.limited, 0, "{tally:?}");
    let services = ann.house.services.clone();
    run(services.request_reset(&pool, None, properties::factors::EMAIL, &home)).expect("asked");
    let token = ann.mailed(|kind| match kind {
        MailKind::ResetPassword { link, .. } => Some(link),
        _ => None,
    });
    let password = Password::typed("door of the new town");
    run(services.reset_password(&pool, &token, &password, &home)).expect("hers is good");
}

#[test]
fn whoever_guesses_links_from_one_address_is_stopped_and_nobody_else_is() {
    let mut ann = Ann::new();
    let tally = ann.while_guessed(FactorKind::Passkey, |house, guess| {
        let origin = from([203, 0, 113, 5], None);
        let (services, pool, token) = (&house.services, &house.pool, made_up(guess));
        match guess % 3 {
            0 => run(services.revert_email(pool, &token, &origin)),
            1 => run(services.refresh_session(pool, &token, &origin)).map(|_| ()),
            _ => run(services.login_with_link(pool, &token, house.terms(), &origin)).map(|_| ()),
        }
    });
    // Sixty at once, and as many again in each quarter of an hour.
    assert!((60..130).contains(&tally.refused), "{tally:?}");
}

#[test]
fn guessed_verification_links_verify_nothing_and_the_mailed_one_does() {
    let mut ann = Ann::new();
    let (pool, home, id) = (ann.house.pool.clone(), ann.home(), ann.house.key().id);
    let services = ann.house.services.clone();
    run(services.send_verification(&pool, &id, &home)).expect("sent");
    ann.while_guessed(FactorKind::Passkey, |house, guess| {
        let whom = if guess % 2 == 0 {
            id.clone()
        } else {
            UserId::new("nobody")
        };
        run(house
            .services
            .confirm_email(&house.pool, &whom, &made_up(guess), &elsewhere(guess)))
    });
    assert!(!ann.house.ann().email_verified);
    let token = ann.mailed(|kind| match kind {
        MailKind::VerifyEmail { link } => Some(link),
        _ => None,
    });
    run(services.confirm_email(&pool, &id, &token, &home)).expect("hers is good");
    // Now links to log in with are mailed, too: guessed ones open nothing, and a real one still wants the second factor.
    ann.while_guessed(FactorKind::Totp, |house, guess| {
        let services = &house.services;
        run(services.login_with_link(&house.pool, &made_up(guess), house.terms(), &elsewhere(guess)))
    });
    let name = domain::service::LoginName::Email(properties::factors::EMAIL.to_owned());
    run(services.request_link(&pool, &name, None, None, &home)).expect("asked");
    let token = ann.mailed(|kind| match kind {
        MailKind::MagicLink { link, .. } | MailKind::Notice(Notice::EmailChanged { undo: link, .. }) => {
            Some(link)
        }
        _ => None,
    });
    let stranger = from([203, 0, 113, 8], None);
    let (entered, _) = run(services.login_with_link(&pool, &token, ann.terms(), &stranger)).expect("hers");
    assert!(
        matches!(entered, LoggedIn::AwaitingCode(_)),
        "a mailbox is one factor"
    );
}

#[test]
fn guessed_device_tokens_spare_nobody_the_second_factor() {
    let mut ann = Ann::new();
    // Ann trusts her own.
    let home = ann.home();
    let asked = ann.house.begin(Some(FactorKind::Totp), &home).expect("asked");
    let (challenge, code) = (
        asked.challenge.expect("a challenge"),
        ann.house.shown(&ann.app, 0),
    );
    let opened = ann
        .house
        .type_code(&challenge, &code, FactorKind::Totp, true, &home);
    opened.expect("logged in");
    ann.house.log_in(PASSWORD, &home).expect("trusted");
    ann.while_guessed(FactorKind::Passkey, |house, guess| {
        let origin = Origin {
            device: Some(made_up(guess)),
            ..elsewhere(guess)
        };
        house.log_in(PASSWORD, &origin)
    });
    ann.house.log_in(PASSWORD, &home).expect("still trusted");
}

#[test]
fn guessed_joins_and_sessions_are_nothing() {
    let mut ann = Ann::new();
    ann.while_guessed(FactorKind::Passkey, |house, guess| {
        assert!(house.caller(&made_up(guess)).is_none());
        let (services, join, origin) = (&house.services, made_up(guess), elsewhere(guess));
        if guess % 2 == 0 {
            let code = Secret::new(format!("{guess:06}"));
            return run(services.join_with_code(&house.pool, &join, &code, &origin)).map(|_| ());
        }
        let password = Password::typed(PASSWORD);
        run(services.join_with_password(&house.pool, &join, &password, &origin)).map(|_| ())
    });
}
