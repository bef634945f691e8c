//! "Log in with an account elsewhere", and fetching a session that waits.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::error::Denial;
use domain::flow::link::Proven;
use domain::flow::login::external::{
    Arriving, External, ExternalEvent, JOIN_LIFE, Newcomer, Onward, Opening, Relation, step,
};
use domain::flow::login::pending::Waits;
use domain::flow::login::{CodeRequested, Sending};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord};
use domain::identity::{MappedField, Profile};
use domain::policy::SecondFactor;
use domain::secret::Token;
use domain::session::{AccessToken, Factor};
use domain::time::Lifetime;
use domain::user::{Email, FactorKind, Phone, User, Username};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::support::{
    LIMIT, NO, Scene, ann, ann_with_factor, assert_refused, bob, committed, kept, limited, linked, profile,
    proven, sealed, sending, story, subjects, texted, verified_ann,
};

fn arrive(scene: &mut Scene, proven: Proven, holder: Option<User>, onward: Onward) -> Step<External> {
    let event = ExternalEvent::Arrived {
        proven: Box::new(proven),
        holder: holder.map(Box::new),
        onward,
    };
    step(External::Start, event, &mut scene.cx())
}

fn newcomer(scene: &mut Scene, proven: Proven) -> Box<Newcomer> {
    match arrive(scene, proven, None, Onward::default()) {
        Ok(Advanced {
            next: External::LookUp(newcomer),
            effects,
        }) if effects.is_empty() => newcomer,
        other => panic!("no newcomer: {other:?}"),
    }
}

fn arriving(step: Step<External>) -> Box<Arriving> {
    match step {
        Ok(Advanced {
            next: External::Seal(arriving),
            effects,
        }) if effects.is_empty() => arriving,
        other => panic!("not to be sealed: {other:?}"),
    }
}

fn looked_up(
    scene: &mut Scene,
    newcomer: Box<Newcomer>,
    email_holder: Option<User>,
    username_holder: Option<User>,
) -> Box<Arriving> {
    let event = ExternalEvent::KeysLookedUp {
        email_holder: email_holder.map(Box::new),
        username_holder: username_holder.map(Box::new),
    };
    arriving(step(External::LookUp(newcomer), event, &mut scene.cx()))
}

fn settle(scene: &mut Scene, arriving: Box<Arriving>, sending: Sending) -> Step<External> {
    let event = ExternalEvent::Sealed {
        sealed: Some(sealed("fresh")),
        sending,
    };
    step(External::Seal(arriving), event, &mut scene.cx())
}

fn done(step: Step<External>) -> (Opening, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: External::Done(opening),
            effects,
        }) => (opening, effects),
        other => panic!("not done: {other:?}"),
    }
}

pub(crate) fn logged_in(step: Step<External>) -> (AccessToken, Vec<Effect>) {
    match done(step) {
        (Opening::LoggedIn(token), effects) => (*token, effects),
        other => panic!("not logged in: {other:?}"),
    }
}

pub(crate) fn awaiting(step: Step<External>) -> (CodeRequested, Vec<Effect>) {
    match done(step) {
        (Opening::AwaitingCode(requested), effects) => (requested, effects),
        other => panic!("no code on its way: {other:?}"),
    }
}

fn by_google(profile: Profile) -> Proven {
    proven("google", "7", profile)
}

/// The user a newcomer becomes when nobody has their address or name.
fn made(scene: &mut Scene, proven: Proven) -> User {
    let newcomer = newcomer(scene, proven);
    let arriving = looked_up(scene, newcomer, None, None);
    assert_eq!(arriving.as_what, Relation::New);
    let (token, effects) = logged_in(settle(scene, arriving, sending()));
    assert!(matches!(&effects[0], Effect::Create(user) if **user == token.user));
    token.user
}

#[test]
fn whoever_is_linked_is_let_in_as_the_same_user() {
    let mut scene = Scene::new();
    let holder = linked(ann(), &["7"]);
    let step = arrive(
        &mut scene,
        by_google(profile("other@example.com", true)),
        Some(holder.clone()),
        Onward::default(),
    );
    let arriving = arriving(step);
    assert_eq!((arriving.as_what, &arriving.user), (Relation::Owner, &holder));
    let (token, effects) = logged_in(settle(&mut scene, arriving, sending()));
    assert_eq!(
        story(&effects),
        ["commit", "open session", "login.succeeded", "give back"]
    );
    let next = committed(&effects);
    assert_eq!(token.user.key, holder.key);
    assert_eq!(token.session.factors, [Factor::Federated]);
    assert_eq!(
        (next.email.clone(), next.email_verified),
        (holder.email, holder.email_verified)
    );
    assert_eq!((next.identities.len(), next.credentials.len()), (1, 1));
    assert_eq!(next.credentials[0].tokens, sealed("fresh"));
    assert!(!next.credentials[0].linked);
}

#[test]
fn where_addresses_must_be_proven_an_account_elsewhere_is_no_way_around() {
    let demanding = || Scene::with(|pool| pool.email_verification_required = true);
    let enter = |scene: &mut Scene, holder: User| {
        let proven = by_google(profile("other@example.com", true));
        let arriving = arriving(arrive(scene, proven, Some(holder), Onward::default()));
        settle(scene, arriving, sending())
    };
    let mut scene = demanding();
    let refused = enter(&mut scene, linked(ann(), &["7"]));
    let denial = Denial::EmailNotVerified { user: ann().key.id };
    assert_refused(refused, &denial, &["give back", "login.refused_unverified"]);
    // Whoever proved theirs, and whoever claims none, is let in.
    logged_in(enter(&mut demanding(), linked(verified_ann(), &["7"])));
    let without = User { email: None, ..ann() };
    logged_in(enter(&mut demanding(), linked(without, &["7"])));
}

#[test]
fn whoever_is_new_becomes_a_user_with_the_account_in_one_write() {
    let mut scene = Scene::new();
    let newcomer = newcomer(&mut scene, by_google(profile("Ann@Example.com", true)));
    assert_eq!(newcomer.email_key().as_deref(), Some("ann@example.com"));
    assert_eq!(newcomer.username_key().as_deref(), Some("google.7"));
    let arriving = looked_up(&mut scene, newcomer, None, None);
    let (token, effects) = logged_in(settle(&mut scene, arriving, sending()));
    assert_eq!(
        story(&effects),
        [
            "create",
            "user.signed_up",
            "identity.linked",
            "open session",
            "login.succeeded",
            "give back"
        ]
    );
    let user = token.user;
    assert_eq!(user.email.as_ref().map(Email::as_str), Some("ann@example.com"));
    assert!(user.email_verified && user.password.is_none());
    assert_eq!(user.username, Username::parse("google.7"));
    assert_eq!(subjects(&user), ["7"]);
    assert_eq!(user.credentials[0].identity, user.identities[0].id);
}

#[test]
fn an_address_the_provider_does_not_vouch_for_is_not_taken() {
    let user = made(&mut Scene::new(), by_google(profile("ann@example.com", false)));
    assert_eq!((user.email, user.email_verified), (None, false));
    assert_eq!(user.identities[0].profile.emails[0].value, "ann@example.com");
}

#[test]
fn no_address_is_ever_invented() {
    let user = made(&mut Scene::new(), by_google(Profile::default()));
    assert_eq!(user.email, None);
}

#[test]
fn the_name_of_the_account_is_part_of_the_name_here() {
    let named = Profile {
        username: Some("octocat".to_owned()),
        ..Profile::default()
    };
    assert_eq!(
        made(&mut Scene::new(), by_google(named)).username,
        Username::parse("google.octocat")
    );
    let odd = Profile {
        username: Some("somebody@example.com".to_owned()),
        ..Profile::default()
    };
    assert_eq!(made(&mut Scene::new(), by_google(odd)).username, None);
}

#[test]
fn an_entry_may_insist_on_an_address_that_is_vouched_for() {
    let insisting = |profile| {
        let mut proven = by_google(profile);
        proven.entry.email_optional = false;
        proven
    };
    let without = arrive(
        &mut Scene::new(),
        insisting(profile("ann@example.com", false)),
        None,
        Onward::default(),
    );
    assert_refused(without, &Denial::ProviderEmailRequired, &[]);
    assert!(made(&mut Scene::new(), insisting(profile("ann@example.com", true))).email_verified);
}

fn mapped(fields: &[(&str, &str)]) -> Proven {
    let mut proven = by_google(profile("ann@example.com", true));
    proven.entry.mapping = fields
        .iter()
        .map(|(user, provider)| MappedField {
            user_field: (*user).to_owned(),
            provider_field: (*provider).to_owned(),
        })
        .collect();
    proven
}

#[test]
fn a_mapping_says_where_properties_come_from() {
    let proven = mapped(&[
        ("username", "id"),
        ("team", "_json.department"),
        ("flat", "department"),
        ("mail", "emails[0].value"),
        ("nothing", "name.givenName"),
    ]);
    let user = made(&mut Scene::new(), proven);
    assert_eq!(user.username, Username::parse("7"));
    let attributes = user.attributes.as_map();
    assert_eq!(attributes.get("team"), Some(&json!("Sales")));
    assert_eq!(attributes.get("flat"), Some(&json!("Sales")));
    assert_eq!(attributes.get("mail"), Some(&json!("ann@example.com")));
    assert_eq!(attributes.get("nothing"), None);
}

#[test]
fn a_mapping_cannot_set_what_protects_an_account() {
    let never = ["id", "password", "emailVerified", "realm", "identities"];
    let fields: Vec<(&str, &str)> = never.iter().map(|field| (*field, "_json.department")).collect();
    let user = made(&mut Scene::new(), mapped(&fields));
    assert!(user.attributes.as_map().is_empty());
    assert_eq!((user.password, user.realm), (None, None));
    let forged = made(&mut Scene::new(), {
        let mut proven = mapped(&[("email", "emails[0].value")]);
        proven.profile = profile("boss@example.com", false);
        proven
    });
    assert_eq!(forged.email, None);
}

#[test]
fn a_mapped_number_is_one_that_nobody_confirmed_yet() {
    for field in ["phone", "mobile"] {
        let numbered = |raw| {
            let mut proven = mapped(&[(field, "_json.telephoneNumber")]);
            proven.raw = raw;
            made(&mut Scene::new(), proven)
        };
        let user = numbered(json!({"telephoneNumber": "+49 170 1234567"}));
        assert_eq!(user.phone, Phone::parse("+491701234567"));
        assert_eq!(user.factor_phone, None);
        assert!(user.attributes.as_map().is_empty());
        for odd in [
            json!("0170 1234567"),
            json!(491_701_234_567_u64),
            json!(["+491701234567"]),
        ] {
            assert_eq!(numbered(json!({ "telephoneNumber": odd })).phone, None);
        }
    }
}

#[test]
fn a_mapped_name_that_is_somebody_elses_address_is_left_out() {
    let mut proven = mapped(&[("username", "_json.login")]);
    proven.raw = json!({"login": "boss@example.com"});
    assert_eq!(made(&mut Scene::new(), proven).username, None);
}

/// Offers a join to somebody with a namesake; returns the offer.
fn offered(
    scene: &mut Scene,
    proven: Proven,
    by_email: Option<User>,
    by_name: Option<User>,
) -> (FlowRecord, Vec<&'static str>) {
    let newcomer = newcomer(scene, proven);
    let arriving = looked_up(scene, newcomer, by_email, by_name);
    assert_eq!(arriving.as_what, Relation::Namesake);
    let (opening, effects) = done(settle(scene, arriving, sending()));
    let Opening::AccountExists { join, methods } = opening else {
        panic!("no offer: {opening:?}");
    };
    assert_eq!(story(&effects), ["put flow", "identity.join_offered"]);
    assert_eq!(kept(&effects).id, join.hash());
    (kept(&effects).clone(), methods)
}

#[test]
fn an_equal_address_joins_nothing_by_itself() {
    let mut scene = Scene::new();
    for vouched in [true, false] {
        let (offer, methods) = offered(
            &mut scene,
            by_google(profile("ann@example.com", vouched)),
            Some(ann()),
            None,
        );
        assert_eq!(methods, ["password", "email"]);
        assert!(offer.is_of(&ann().key));
        assert_eq!(offer.expires, scene.now.plus(JOIN_LIFE));
        let FlowBody::Join(join) = offer.body else {
            panic!("no offer")
        };
        assert_eq!(join.link.identity.key.subject, "7");
        assert_eq!(
            join.link.credential.map(|grant| grant.tokens),
            Some(sealed("fresh"))
        );
        assert_eq!(join.epoch, ann().session_epoch);
    }
}

#[test]
fn whoever_came_by_the_same_account_at_the_same_moment_is_no_namesake() {
    let mut scene = Scene::new();
    let newcomer = newcomer(&mut scene, by_google(profile("ann@example.com", true)));
    let faster = linked(ann(), &["7"]);
    let arriving = looked_up(&mut scene, newcomer, Some(faster.clone()), None);
    assert_eq!((arriving.as_what, &arriving.user), (Relation::Owner, &faster));
}

#[test]
fn an_equal_name_joins_nothing_by_itself() {
    let holder = User {
        username: Username::parse("google.7"),
        email: None,
        ..ann()
    };
    let (offer, methods) = offered(
        &mut Scene::new(),
        by_google(Profile::default()),
        None,
        Some(holder),
    );
    assert_eq!(methods, ["password"]);
    assert!(offer.is_of(&ann().key));
}

#[test]
fn a_name_given_away_at_the_provider_is_left_to_who_had_it_first() {
    let first = User {
        username: Username::parse("google.octocat"),
        ..linked(bob(), &["another"])
    };
    let named = || {
        by_google(Profile {
            username: Some("octocat".to_owned()),
            ..Profile::default()
        })
    };
    let mut scene = Scene::new();
    let newcomer_now = newcomer(&mut scene, named());
    let arriving = looked_up(&mut scene, newcomer_now, None, Some(first.clone()));
    assert_eq!(arriving.as_what, Relation::New);
    let (token, _) = logged_in(settle(&mut scene, arriving, sending()));
    assert_eq!((&token.user.username, subjects(&token.user)), (&None, vec!["7"]));
    // Where the operator says that names there are names here, it is a namesake all the same.
    let mut mapped = mapped(&[("username", "username")]);
    mapped.profile = named().profile;
    let newcomer_now = newcomer(&mut scene, mapped);
    let arriving = looked_up(&mut scene, newcomer_now, None, Some(first));
    assert_eq!(arriving.as_what, Relation::Namesake);
}

#[test]
fn where_takings_are_hidden_only_a_vouched_address_finds_a_namesake() {
    let mut scene = Scene::with(|pool| pool.hide_existing = true);
    let unvouched = newcomer(&mut scene, by_google(profile("ann@example.com", false)));
    assert_eq!(unvouched.email_key(), None);
    let vouched = newcomer(&mut scene, by_google(profile("ann@example.com", true)));
    assert_eq!(vouched.email_key().as_deref(), Some("ann@example.com"));
}

#[test]
fn a_due_second_factor_comes_before_the_door_and_before_any_change() {
    let mut scene = Scene::new();
    let holder = linked(ann_with_factor(), &["7"]);
    let step = arrive(
        &mut scene,
        by_google(Profile::default()),
        Some(holder),
        Onward::default(),
    );
    let arriving = arriving(step);
    assert!(arriving.waits(&scene.cx()) == Waits::WithCode);
    let (requested, effects) = awaiting(settle(&mut scene, arriving, sending()));
    assert_eq!(
        story(&effects),
        ["put flow", "send sms", "give back", "code.sent"]
    );
    assert!(requested.challenge.is_some());
    assert_eq!(texted(&effects).1, Some(crate::support::NUMBER));
    let FlowBody::PendingLogin(pending) = &kept(&effects).body else {
        panic!("no pending login")
    };
    assert_eq!(pending.first, Factor::Federated);
    assert_eq!(
        pending
            .link
            .as_ref()
            .map(|link| link.identity.key.subject.as_str()),
        Some("7")
    );
}

#[test]
fn a_limit_on_messages_holds_for_people_from_elsewhere() {
    let mut scene = Scene::new();
    let holder = linked(ann_with_factor(), &["7"]);
    let step = arrive(
        &mut scene,
        by_google(Profile::default()),
        Some(holder),
        Onward::default(),
    );
    let busy = Sending {
        verdict: NO,
        ..sending()
    };
    let arriving = arriving(step);
    assert_refused(
        settle(&mut scene, arriving, busy),
        &limited(),
        &[LIMIT, "give back"],
    );
}

#[test]
fn a_required_factor_is_asked_of_newcomers_too() {
    let mut scene = Scene::with(|pool| pool.second_factor = SecondFactor::Required);
    let newcomer = newcomer(&mut scene, by_google(Profile::default()));
    let arriving = looked_up(&mut scene, newcomer, None, None);
    let (requested, effects) = awaiting(settle(&mut scene, arriving.clone(), sending()));
    assert_eq!(
        requested.enrols,
        [FactorKind::Totp],
        "an app can be added on the way"
    );
    assert_eq!(story(&effects)[..2], ["create", "put flow"]);
    scene.pool.factor_kinds = [FactorKind::Sms].into();
    let without_number = settle(&mut scene, arriving.clone(), sending());
    assert_refused(without_number, &Denial::PhoneRequired, &["give back"]);
    let console = Sending {
        reaches_without_number: true,
        ..sending()
    };
    let (_, effects) = awaiting(settle(&mut scene, arriving, console));
    assert_eq!(story(&effects)[..3], ["create", "put flow", "send sms"]);
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[test]
fn a_waiting_client_gets_a_code_and_the_browser_no_session() {
    let mut scene = Scene::new();
    // With a factor due: it is asked for when the client comes, not now.
    for holder in [linked(ann(), &["7"]), linked(ann_with_factor(), &["7"])] {
        let onward = Onward {
            return_to: Some("app:/callback".to_owned()),
            code_challenge: Some(challenge(VERIFIER)),
        };
        let step = arrive(
            &mut scene,
            by_google(Profile::default()),
            Some(holder.clone()),
            onward,
        );
        let arriving = arriving(step);
        assert!(arriving.waits(&scene.cx()) == Waits::No);
        let (opening, effects) = done(settle(&mut scene, arriving, sending()));
        let Opening::Exchange(code) = opening else {
            panic!("no code: {opening:?}");
        };
        let waits = holder.factor_phone.is_some();
        let told: &[&str] = if waits {
            &["put flow", "give back"]
        } else {
            &["commit", "put flow", "give back"]
        };
        assert_eq!(story(&effects), told);
        let flow = kept(&effects);
        assert_eq!(flow.id, code.hash());
        assert_eq!(flow.expires, scene.now.plus(Lifetime::from_secs(60)));
        assert!(flow.is_of(&holder.key));
    }
}

#[test]
fn answers_out_of_turn_mean_nothing() {
    let mut scene = Scene::new();
    let events = [
        ExternalEvent::Ready(sending()),
        ExternalEvent::Sealed {
            sealed: None,
            sending: sending(),
        },
        ExternalEvent::KeysLookedUp {
            email_holder: None,
            username_holder: Some(Box::new(verified_ann())),
        },
    ];
    for event in events {
        assert_refused(
            step(External::Start, event, &mut scene.cx()),
            &Denial::Unexpected,
            &[],
        );
    }
    let waiting = External::Done(Opening::Exchange(Token::presented("x")));
    let late = step(waiting, ExternalEvent::Ready(sending()), &mut scene.cx());
    assert_refused(late, &Denial::Unexpected, &[]);
}
