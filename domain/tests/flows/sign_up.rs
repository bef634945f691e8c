//! "Sign up".

use domain::credential::{Password, PasswordFault};
use domain::error::{Denial, Fault};
use domain::flow::sign_up::{Draft, NewUser, SignUp, SignUpEvent, step};
use domain::flow::{Advanced, Effect, Step};
use domain::limits::Verdict;
use domain::message::MailKind;
use domain::ports::UniqueKey;
use domain::user::{Email, User};
use serde_json::{Value, json};

use crate::support::{
    LIMIT, NO, NUMBER, Scene, ann, assert_refused, limited, mailed_link, new_hash, new_password, refusal,
    story,
};

fn form() -> NewUser {
    NewUser {
        email: Some("New@Example.com".to_owned()),
        password: Some(new_password()),
        ..NewUser::default()
    }
}

fn submit(scene: &mut Scene, form: NewUser, verdict: Verdict) -> Step<SignUp> {
    let form = Box::new(form);
    step(
        SignUp::Start,
        SignUpEvent::Submitted { form, verdict },
        &mut scene.cx(),
    )
}

fn draft(scene: &mut Scene, form: NewUser) -> Box<Draft> {
    match submit(scene, form, Verdict::Allowed) {
        Ok(Advanced {
            next: SignUp::CheckKeys(draft),
            effects,
        }) if effects.is_empty() => draft,
        other => panic!("not sound: {other:?}"),
    }
}

fn look_up(
    scene: &mut Scene,
    draft: Box<Draft>,
    email_holder: Option<User>,
    username_taken: bool,
) -> Step<SignUp> {
    let event = SignUpEvent::KeysLookedUp {
        email_holder: email_holder.map(Box::new),
        username_taken,
    };
    step(SignUp::CheckKeys(draft), event, &mut scene.cx())
}

fn created(scene: &mut Scene, form: NewUser, holder: Option<User>, mail: Verdict) -> (User, Vec<Effect>) {
    let draft = draft(scene, form);
    let state = look_up(scene, draft, holder, false)
        .expect("the keys are free")
        .next;
    let hashed = SignUpEvent::PasswordHashed {
        hash: new_hash(),
        mail,
    };
    match step(state, hashed, &mut scene.cx()) {
        Ok(Advanced {
            next: SignUp::Created(user),
            effects,
        }) => (*user, effects),
        other => panic!("not made: {other:?}"),
    }
}

/// The properties a form is refused for, with LoopBack's codes.
fn faults(scene: &mut Scene, form: NewUser) -> Vec<(&'static str, &'static str)> {
    match refusal(submit(scene, form, Verdict::Allowed)).denial {
        Denial::Invalid(faults) => faults.iter().map(|fault| (fault.property, fault.code)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_limit_refuses_before_anything_is_looked_at() {
    assert_refused(
        submit(&mut Scene::new(), NewUser::default(), NO),
        &limited(),
        &[LIMIT],
    );
}

#[test]
fn every_fault_is_reported_at_once() {
    let form = NewUser {
        email: Some("no address".to_owned()),
        username: Some(" ".to_owned()),
        phone: Some("123".to_owned()),
        ..NewUser::default()
    };
    let expected = [
        ("email", "custom.email"),
        ("username", "custom.username"),
        ("phone", "custom.phone"),
        ("password", "presence"),
    ];
    assert_eq!(faults(&mut Scene::new(), form), expected);
}

#[test]
fn an_address_and_a_password_are_required() {
    let empty = NewUser {
        email: Some(String::new()),
        ..NewUser::default()
    };
    for form in [NewUser::default(), empty] {
        assert_eq!(
            faults(&mut Scene::new(), form),
            [("email", "presence"), ("password", "presence")]
        );
    }
}

#[test]
fn an_untouched_phone_field_is_no_number() {
    let form = NewUser {
        phone: Some(String::new()),
        ..form()
    };
    assert!(draft(&mut Scene::new(), form).user.phone.is_none());
}

#[test]
fn a_username_that_looks_like_anothers_address_is_refused() {
    let form = |name: &str| NewUser {
        username: Some(name.to_owned()),
        ..form()
    };
    assert_eq!(
        faults(&mut Scene::new(), form("ann@example.com")),
        [("username", "custom.username")]
    );
    draft(&mut Scene::new(), form("new@example.com"));
    draft(&mut Scene::new(), form("new"));
}

#[test]
fn attributes_are_bounded() {
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    let form = NewUser {
        attributes: [("deep".to_owned(), deep)].into_iter().collect(),
        ..form()
    };
    assert_eq!(
        faults(&mut Scene::new(), form),
        [("attributes", "custom.attributes")]
    );
}

#[test]
fn a_realm_is_required_where_there_are_realms_and_dropped_elsewhere() {
    let form = |realm: Option<&str>| NewUser {
        realm: realm.map(str::to_owned),
        ..form()
    };
    let mut realms = Scene::with(|pool| pool.realm_required = true);
    assert_eq!(faults(&mut realms, form(None)), [("realm", "presence")]);
    assert_eq!(
        faults(&mut realms, form(Some("a\u{1f}b"))),
        [("realm", "custom.realm")]
    );
    assert_eq!(
        draft(&mut realms, form(Some("north"))).user.realm.as_deref(),
        Some("north")
    );
    assert_eq!(draft(&mut Scene::new(), form(Some("north"))).user.realm, None);
}

#[test]
fn the_rule_of_passwords_comes_last_and_in_its_own_shape() {
    let refused = |text: &str| {
        let form = NewUser {
            password: Some(Password::typed(text)),
            ..form()
        };
        match refusal(submit(&mut Scene::new(), form, Verdict::Allowed)).denial {
            Denial::PasswordRefused { fault, .. } => fault,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused("short"), PasswordFault::TooShort);
    assert_eq!(refused("password"), PasswordFault::Common);
    assert_eq!(refused(&"x".repeat(300)), PasswordFault::TooLong);
    assert_eq!(refused("          "), PasswordFault::Blank);
}

#[test]
fn a_client_sets_nothing_that_is_to_be_proven() {
    let smuggled = json!({
        "emailVerified": true, "verificationToken": "x", "phoneConfirmed": true, "roles": ["admin"], "id": "1", "colour": "red",
    });
    let Value::Object(attributes) = smuggled else {
        unreachable!()
    };
    let form = NewUser {
        phone: Some(NUMBER.to_owned()),
        attributes,
        ..form()
    };
    let user = draft(&mut Scene::new(), form).user;
    assert!(!user.email_verified && user.factor_phone.is_none());
    assert_ne!(user.key.id.as_str(), "1");
    let kept: Vec<&String> = user.attributes.as_map().keys().collect();
    assert_eq!(kept, ["colour"]);
}

fn taken_codes(step: Step<SignUp>) -> Vec<(&'static str, &'static str)> {
    let refused = refusal(step);
    assert_eq!(story(&refused.effects), ["user.sign_up_collided"]);
    match refused.denial {
        Denial::Invalid(faults) => faults
            .iter()
            .map(|fault| (fault.property, fault.message))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn taken_keys_are_told_together() {
    let mut scene = Scene::new();
    let named = || NewUser {
        username: Some("new".to_owned()),
        ..form()
    };
    let email = ("email", "Email already exists");
    let username = ("username", "User already exists");
    for (holder, name, expected) in [
        (Some(ann()), false, vec![email]),
        (None, true, vec![username]),
        (Some(ann()), true, vec![email, username]),
    ] {
        let draft = draft(&mut scene, named());
        assert_eq!(taken_codes(look_up(&mut scene, draft, holder, name)), expected);
    }
}

#[test]
fn a_taken_address_is_quoted_as_it_is_stored() {
    let mut scene = Scene::new();
    let draft = draft(&mut scene, form());
    let Denial::Invalid(faults) = refusal(look_up(&mut scene, draft, Some(ann()), false)).denial else {
        panic!("not invalid")
    };
    let expected = Fault {
        property: "email",
        code: "uniqueness",
        message: "Email already exists",
        value: Some("new@example.com".to_owned()),
    };
    assert_eq!(faults, [expected]);
}

#[test]
fn a_new_user_is_made_with_a_hash_and_nothing_proven() {
    let (user, effects) = created(&mut Scene::new(), form(), None, Verdict::Allowed);
    assert_eq!(story(&effects), ["create", "user.signed_up"]);
    assert_eq!(effects[0], Effect::Create(Box::new(user.clone())));
    assert_eq!(user.password, Some(new_hash()));
    assert_eq!(user.email.as_ref().map(Email::as_str), Some("new@example.com"));
    assert_eq!(user.revision.number(), 0);
    assert_eq!(
        (user.created, user.modified),
        (Scene::new().now, Scene::new().now)
    );
}

#[test]
fn a_verification_mail_goes_out_where_it_is_required_and_allowed() {
    let required = || Scene::with(|pool| pool.email_verification_required = true);
    let (user, effects) = created(&mut required(), form(), None, Verdict::Allowed);
    assert_eq!(
        story(&effects),
        [
            "create",
            "user.signed_up",
            "drop flows",
            "put flow",
            "send mail",
            "email.verification_sent"
        ]
    );
    assert!(mailed_link(&effects).contains(user.key.id.as_str()));
    let (_, effects) = created(&mut required(), form(), None, NO);
    assert_eq!(story(&effects), ["create", "user.signed_up"]);
}

fn hiding() -> Scene {
    Scene::with(|pool| pool.hide_existing = true)
}

#[test]
fn a_hidden_taking_makes_nobody_looks_made_and_tells_the_owner() {
    let (user, effects) = created(&mut hiding(), form(), Some(ann()), Verdict::Allowed);
    assert_eq!(story(&effects), ["user.sign_up_collided", "send mail"]);
    assert_eq!(user.email.as_ref().map(Email::as_str), Some("new@example.com"));
    assert_ne!(user.key, ann().key);
    let Some(Effect::SendMail(mail)) = effects.last() else {
        panic!("no mail")
    };
    assert_eq!(
        (&mail.user, &mail.kind),
        (&ann().key, &MailKind::AlreadyRegistered)
    );
    assert_eq!(Some(&mail.to), ann().email.as_ref());
}

#[test]
fn the_owner_of_a_taken_address_is_not_flooded() {
    let (_, effects) = created(&mut hiding(), form(), Some(ann()), NO);
    assert_eq!(story(&effects), ["user.sign_up_collided"]);
}

#[test]
fn a_name_taken_along_would_tell_so_none_is_where_takings_are_hidden() {
    let named = NewUser {
        username: Some("new".to_owned()),
        ..form()
    };
    assert_eq!(faults(&mut hiding(), named), [("username", "absence")]);
}

fn lose(scene: &mut Scene, key: UniqueKey) -> Step<SignUp> {
    let (user, _) = created(scene, form(), None, Verdict::Allowed);
    step(
        SignUp::Created(Box::new(user)),
        SignUpEvent::KeyTaken(key),
        &mut scene.cx(),
    )
}

#[test]
fn a_lost_race_is_told_like_a_taken_key() {
    let lost = [
        (UniqueKey::Email, ("email", "Email already exists")),
        (UniqueKey::Username, ("username", "User already exists")),
        (UniqueKey::Id, ("id", "already exists")),
    ];
    for (key, expected) in lost {
        assert_eq!(taken_codes(lose(&mut Scene::new(), key)), [expected]);
    }
}

#[test]
fn a_lost_race_for_an_address_looks_won_where_takings_are_hidden() {
    let advanced = lose(&mut hiding(), UniqueKey::Email).expect("looks won");
    assert!(matches!(advanced.next, SignUp::Created(_)));
    assert_eq!(story(&advanced.effects), ["user.sign_up_collided"]);
    assert!(lose(&mut hiding(), UniqueKey::Username).is_err());
}

#[test]
fn no_step_is_skipped() {
    let mut scene = Scene::new();
    let hashed = || SignUpEvent::PasswordHashed {
        hash: new_hash(),
        mail: Verdict::Allowed,
    };
    let unhashed = draft(&mut scene, form());
    let pairs = [
        (SignUp::Start, hashed()),
        (SignUp::Start, SignUpEvent::KeyTaken(UniqueKey::Email)),
        (SignUp::CheckKeys(unhashed), hashed()),
        (SignUp::Created(Box::new(ann())), hashed()),
    ];
    for (state, event) in pairs {
        assert_refused(step(state, event, &mut scene.cx()), &Denial::Unexpected, &[]);
    }
}
