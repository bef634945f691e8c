//! Nothing crosses pools: not ids, not tokens, not codes, not links, not names.
#![cfg(test)]

use std::sync::Arc;

use domain::error::DomainError;
use domain::flow::login::Terms;
use domain::flow::sign_up::NewUser;
use domain::id::PoolName;
use domain::policy::{AccessPolicy, Policy, PoolPolicy, SecondFactor};
use domain::secret::{MacKey, Secret, Token};
use domain::service::{Authentication, CodeLogin, Credentials, LoginName, Services};
use domain::session::TokenLife;
use domain::time::Lifetime;
use domain::user::User;
use properties::system::{is_reset, is_verification, origin, reason, typed_password, unlimited};
use properties::world::{World, run};

const EMAIL: &str = "ann@example.com";

/// Two pools with the same person in both.
struct Town {
    world: Arc<World>,
    services: Services,
    users: PoolPolicy,
    employees: PoolPolicy,
    user: User,
    employee: User,
}

fn pool(name: &str) -> PoolPolicy {
    let mut pool = PoolPolicy::new(PoolName::new(name), name);
    pool.second_factor = SecondFactor::Optional;
    pool
}

fn town() -> Town {
    let (users, employees) = (pool("Users"), pool("Employees"));
    let policy = Policy {
        pools: [users.clone(), employees.clone()]
            .map(|pool| (pool.name.clone(), pool))
            .into(),
        limits: unlimited(),
        public_url: "http://localhost:3000".to_owned(),
        service_name: "Example".to_owned(),
        language: "en".to_owned(),
        audit_life: Lifetime::from_secs(86_400),
        access: AccessPolicy::default(),
    };
    let world = World::new(5, true);
    let services = Services::new(world.ports(), policy, MacKey::new([7; 32]));
    let sign_up = |pool: &PoolPolicy, password| {
        let form = NewUser {
            email: Some(EMAIL.to_owned()),
            username: Some("ann".to_owned()),
            password: Some(typed_password(password)),
            ..NewUser::default()
        };
        run(services.sign_up(pool, form, &origin(0))).expect("one address may be in two pools")
    };
    let (user, employee) = (sign_up(&users, 0), sign_up(&employees, 1));
    Town {
        world,
        services,
        users,
        employees,
        user,
        employee,
    }
}

fn credentials(password: usize) -> Credentials {
    Credentials {
        realm: None,
        name: LoginName::Email(EMAIL.to_owned()),
        password: typed_password(password),
    }
}

fn denied<T>(result: Result<T, DomainError>) -> &'static str {
    match result {
        Err(DomainError::Denied(denial)) => reason(&denial),
        Err(DomainError::Port(error)) => panic!("{error}"),
        Ok(_) => "nothing",
    }
}

fn is_live(answer: &Result<Authentication, DomainError>) -> bool {
    matches!(answer, Ok(Authentication::Live(_)))
}

impl Town {
    fn mailed(&self, kind: fn(&domain::message::MailKind) -> Option<&Secret>) -> Token {
        let contents = self.world.contents();
        let link = contents
            .mails
            .iter()
            .find_map(|mail| kind(&mail.kind))
            .expect("a link was mailed");
        let (_, token) = link.expose().split_once("token=").expect("a link has a token");
        Token::presented(token)
    }

    fn life() -> TokenLife {
        TokenLife::Finite(Lifetime::from_secs(60))
    }
}

#[test]
fn one_person_in_two_pools_is_two_users() {
    let town = town();
    assert_ne!(town.user.key.id, town.employee.key.id);
    let life = Town::life();
    let wrong = run(town
        .services
        .login(&town.users, &credentials(1), Terms::of(life), &origin(0)));
    assert_eq!(denied(wrong), "LoginFailed", "the other pool's password");
    assert!(
        run(town
            .services
            .login(&town.employees, &credentials(1), Terms::of(life), &origin(0)))
        .is_ok()
    );
}

#[test]
fn a_session_is_worth_nothing_in_another_pool_and_lives_on_in_its_own() {
    let town = town();
    let token = run(town
        .services
        .login(&town.users, &credentials(0), Terms::of(Town::life()), &origin(0)))
    .expect("logged in");
    let check = |pool: &PoolPolicy| run(town.services.authenticate(&token.secret, Some(&pool.name)));
    assert!(matches!(check(&town.employees), Ok(Authentication::Anonymous)));
    assert!(is_live(&check(&town.users)));
}

#[test]
fn a_challenge_and_its_code_open_only_their_own_pool() {
    let town = town();
    let asked = run(town
        .services
        .request_code(&town.users, &credentials(0), None, false, &origin(0)))
    .expect("a code is sent");
    let code = town.world.contents().sms[0].code.clone();
    let by = |challenge: Option<Token>, name: bool| CodeLogin {
        name: name.then(|| LoginName::Email(EMAIL.to_owned())),
        realm: None,
        code: code.clone(),
        challenge,
        method: None,
        trust_device: false,
    };
    for abroad in [
        by(asked.challenge.clone(), false),
        by(asked.challenge.clone(), true),
        by(None, true),
    ] {
        let step = run(town.services.login_with_code(&town.employees, abroad, &origin(0)));
        assert_eq!(denied(step), "LoginFailed");
    }
    let challenge = asked.challenge.expect("a challenge is handed out");
    let again = run(town.services.resend_code(&town.employees, &challenge, &origin(0)));
    assert_eq!(denied(again), "LoginFailed");
    let home = by(Some(challenge), true);
    assert!(run(town.services.login_with_code(&town.users, home, &origin(0))).is_ok());
}

#[test]
fn a_reset_link_opens_only_its_own_pool() {
    let town = town();
    run(town.services.request_reset(&town.users, None, EMAIL, &origin(0))).expect("asked");
    let token = town.mailed(is_reset);
    let abroad = run(town
        .services
        .reset_password(&town.employees, &token, &typed_password(2), &origin(0)));
    assert_eq!(denied(abroad), "TokenRefused");
    let home = run(town
        .services
        .reset_password(&town.users, &token, &typed_password(2), &origin(0)));
    assert_eq!(home.expect("reset").key, town.user.key);
}

#[test]
fn a_verification_link_confirms_only_in_its_own_pool() {
    let town = town();
    let id = &town.user.key.id;
    run(town.services.send_verification(&town.users, id, &origin(0))).expect("asked");
    let token = town.mailed(is_verification);
    let abroad = run(town
        .services
        .confirm_email(&town.employees, id, &token, &origin(0)));
    assert_eq!(denied(abroad), "TokenRefused");
    assert!(run(town.services.confirm_email(&town.users, id, &token, &origin(0))).is_ok());
}

#[test]
fn an_id_names_nobody_in_another_pool() {
    let town = town();
    let found = run(town.services.find_user(&town.employees, &town.user.key.id)).expect("the store answers");
    assert!(found.is_none());
}

#[test]
fn what_happens_in_one_pool_leaves_the_other_alone() {
    let town = town();
    let life = Town::life();
    let abroad = run(town
        .services
        .login(&town.employees, &credentials(1), Terms::of(life), &origin(0)))
    .expect("logged in");
    let home = run(town
        .services
        .login(&town.users, &credentials(0), Terms::of(life), &origin(0)))
    .expect("logged in");
    let Ok(Authentication::Live(caller)) = run(town.services.authenticate(&home.secret, None)) else {
        panic!("not live")
    };
    run(town.services.delete_user(&town.users, &caller, &origin(0))).expect("deleted");
    assert!(is_live(&run(town.services.authenticate(&abroad.secret, None))));
    assert!(!is_live(&run(town.services.authenticate(&home.secret, None))));
}
