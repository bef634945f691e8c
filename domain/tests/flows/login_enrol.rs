//! "Add an authenticator app on the way in": who needs a second factor and has none is not shut out.

use domain::error::Denial;
use domain::flow::login::{AppAsked, AppDraft, CodeTyped, Login, LoginEvent, Sending, Terms, Wanted, step};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord};
use domain::limits::Verdict;
use domain::message::{MailKind, Notice};
use domain::policy::SecondFactor;
use domain::secret::Secret;
use domain::time::Timestamp;
use domain::user::{FactorKind, User};

use crate::support::{
    LIMIT, NO, Scene, ann, ann_with_factor, assert_refused, awaiting, by_password, committed, hour,
    judge_code, kept, later_epoch, limited, mailed, opened, proven_in, sealed, sending, shown, story,
    typed_as, verified_ann,
};

fn scene() -> Scene {
    Scene::with(|pool| pool.second_factor = SecondFactor::Required)
}

fn wanted(method: Option<FactorKind>) -> Wanted {
    Wanted::Code(Terms::of(hour()), method)
}

fn asked(flow: &FlowRecord, user: &User) -> AppAsked {
    AppAsked {
        pending: Some(flow.clone()),
        user: Some(user.clone()),
        name: None,
        verdict: Verdict::Allowed,
    }
}

fn ask(scene: &mut Scene, facts: AppAsked) -> Step<Login> {
    step(
        Login::Start,
        LoginEvent::AppAsked(Box::new(facts)),
        &mut scene.cx(),
    )
}

fn drafted(step: Step<Login>) -> Box<AppDraft> {
    match step {
        Ok(Advanced {
            next: Login::SealApp(draft),
            effects,
        }) if effects.is_empty() => draft,
        other => panic!("no app is drawn: {other:?}"),
    }
}

/// A login of the user's that waits for a new app, the app's id and its secret.
fn waiting_for_app(scene: &mut Scene, user: &User) -> (FlowRecord, AppDraft) {
    let (flow, _) = scene.pending(user, "challenge");
    let draft = drafted(ask(scene, asked(&flow, user)));
    let state = Login::SealApp(draft.clone());
    let kept_with = step(state, LoginEvent::AppSealed(sealed("app")), &mut scene.cx());
    let Ok(Advanced {
        next: Login::AwaitingCode(requested),
        effects,
    }) = kept_with
    else {
        panic!("the login does not wait");
    };
    assert_eq!(story(&effects), ["replace flow"]);
    assert_eq!(requested.methods, [FactorKind::Totp]);
    let [Effect::ReplaceFlow(flow)] = effects.as_slice() else {
        panic!("nothing is kept");
    };
    (flow.as_ref().clone(), *draft)
}

/// The first code of the app, typed at the present moment.
fn first_code(flow: &FlowRecord, user: &User, draft: &AppDraft, at: Timestamp) -> CodeTyped {
    let secret = &draft.app.secret;
    let code = shown(secret.expose().expose(), at);
    let apps = vec![(draft.app.id.clone(), secret.clone())];
    let mut facts = typed_as(FactorKind::Totp, Some(flow.clone()), Some(user.clone()), &code);
    facts.typed.apps = apps;
    facts
}

#[test]
fn the_first_code_adds_the_app_and_opens_the_door() {
    let mut scene = scene();
    let user = verified_ann();
    let (flow, draft) = waiting_for_app(&mut scene, &user);
    let facts = first_code(&flow, &user, &draft, scene.now);
    let (token, effects) = opened(judge_code(&mut scene, facts));
    assert_eq!(proven_in(&token.session), ["pwd", "otp"]);
    let [app] = committed(&effects).factors.totp.as_slice() else {
        panic!("not one app");
    };
    assert_eq!((&app.id, &app.secret), (&draft.app.id, &sealed("app")));
    assert!(
        app.last_step > 0 && app.last_used.is_some(),
        "its code is used up"
    );
    assert!(committed(&effects).has_second_factor());
    let told = mailed(&effects).1;
    assert!(
        matches!(told, MailKind::Notice(Notice::FactorAdded { factor: FactorKind::Totp, name: Some(name) }) if name == "Authenticator app"),
        "{told:?}"
    );
    assert_eq!(story(&effects)[..2], ["commit", "spend"]);
    assert!(story(&effects).contains(&"factor.added"));
}

#[test]
fn a_login_that_no_message_can_reach_waits_for_an_app() {
    let mut scene = scene();
    let (requested, effects) = awaiting(by_password(&mut scene, ann(), wanted(None), sending()));
    assert!(requested.challenge.is_some() && requested.methods.is_empty());
    assert_eq!(requested.enrols, [FactorKind::Totp]);
    assert!(!story(&effects).contains(&"send sms"));
    let FlowBody::PendingLogin(login) = &kept(&effects).body else {
        panic!("no login waits");
    };
    assert!(login.code.is_none() && login.app.is_none());
}

#[test]
fn who_gave_a_number_gets_a_code_unless_an_app_is_asked_for() {
    let user = User {
        phone: ann_with_factor().factor_phone,
        ..ann()
    };
    let by = |method| awaiting(by_password(&mut scene(), user.clone(), wanted(method), sending()));
    let (requested, effects) = by(None);
    assert!(story(&effects).contains(&"send sms"));
    assert_eq!(
        (requested.methods, requested.enrols),
        (vec![FactorKind::Sms], vec![FactorKind::Totp])
    );
    let (requested, effects) = by(Some(FactorKind::Totp));
    assert!(!story(&effects).contains(&"send sms"));
    assert_eq!(requested.methods, [FactorKind::Sms]);
}

#[test]
fn the_code_of_another_app_adds_nothing() {
    let mut scene = scene();
    let (flow, draft) = waiting_for_app(&mut scene, &ann());
    let mut facts = first_code(&flow, &ann(), &draft, scene.now);
    facts.typed.text = Secret::new("000000");
    assert_refused(
        judge_code(&mut scene, facts),
        &Denial::LoginFailed,
        &["code.failed"],
    );
    // An app that nobody asked for: its secret belongs to no login.
    let (bare, _) = scene.pending(&ann(), "challenge");
    let facts = first_code(&bare, &ann(), &draft, scene.now);
    assert_refused(
        judge_code(&mut scene, facts),
        &Denial::LoginFailed,
        &["code.failed"],
    );
}

#[test]
fn whoever_has_a_factor_by_the_time_of_the_code_proves_that_one() {
    let mut scene = scene();
    let (flow, draft) = waiting_for_app(&mut scene, &ann());
    let facts = first_code(&flow, &ann_with_factor(), &draft, scene.now);
    assert_refused(
        judge_code(&mut scene, facts),
        &Denial::LoginFailed,
        &["code.failed"],
    );
}

#[test]
fn a_second_app_on_the_way_voids_the_first() {
    let mut scene = scene();
    let (flow, first) = waiting_for_app(&mut scene, &ann());
    let second = drafted(ask(&mut scene, asked(&flow, &ann())));
    assert_ne!(first.app.id, second.app.id);
    let state = Login::SealApp(second.clone());
    let kept_with = step(state, LoginEvent::AppSealed(sealed("other")), &mut scene.cx());
    let Ok(Advanced { effects, .. }) = kept_with else {
        panic!("the login does not wait");
    };
    let [Effect::ReplaceFlow(flow)] = effects.as_slice() else {
        panic!("nothing is kept");
    };
    let facts = first_code(flow, &ann(), &first, scene.now);
    assert_refused(
        judge_code(&mut scene, facts),
        &Denial::LoginFailed,
        &["code.failed"],
    );
    let facts = first_code(flow, &ann(), &second, scene.now);
    opened(judge_code(&mut scene, facts));
}

#[test]
fn an_app_is_offered_only_to_who_has_nothing_where_something_is_required() {
    let refuse = |scene: &mut Scene, user: &User| {
        let (flow, _) = scene.pending(user, "challenge");
        let facts = asked(&flow, user);
        assert_refused(ask(scene, facts), &Denial::FactorNotOffered, &[]);
    };
    refuse(&mut scene(), &ann_with_factor());
    refuse(&mut Scene::new(), &ann());
    let mut only_texts = scene();
    only_texts.pool.factor_kinds = [FactorKind::Sms].into();
    refuse(&mut only_texts, &ann());
}

#[test]
fn a_void_login_adds_nothing() {
    let mut scene = scene();
    let (flow, _) = scene.pending(&ann(), "challenge");
    let void = |scene: &mut Scene, pending: Option<FlowRecord>, user: Option<User>| {
        let facts = AppAsked {
            pending,
            user,
            ..asked(&flow, &ann())
        };
        assert_refused(ask(scene, facts), &Denial::LoginFailed, &[]);
    };
    void(&mut scene, None, Some(ann()));
    void(&mut scene, Some(flow.clone()), None);
    void(&mut scene, Some(flow.clone()), Some(later_epoch(&ann())));
    scene.wait(601);
    void(&mut scene, Some(flow.clone()), Some(ann()));
}

#[test]
fn asking_for_apps_is_counted_and_their_names_are_judged() {
    let mut scene = scene();
    let (flow, _) = scene.pending(&ann(), "challenge");
    let often = AppAsked {
        verdict: NO,
        ..asked(&flow, &ann())
    };
    assert_refused(ask(&mut scene, often), &limited(), &[LIMIT]);
    let nameless = AppAsked {
        name: Some(" ".to_owned()),
        ..asked(&flow, &ann())
    };
    assert!(ask(&mut scene, nameless).is_err());
}

#[test]
fn where_only_messages_are_taken_and_none_can_be_sent_a_number_is_asked_for() {
    let mut scene = scene();
    scene.pool.factor_kinds = [FactorKind::Sms].into();
    let step = by_password(&mut scene, ann(), wanted(None), sending());
    assert_refused(step, &Denial::PhoneRequired, &["give back"]);
    let console = Sending {
        reaches_without_number: true,
        ..sending()
    };
    assert!(by_password(&mut scene, ann(), wanted(None), console).is_ok());
}
