//! Sent to a provider, and back.

use domain::error::Denial;
use domain::flow::authorize::{
    AUTHORIZATION_LIFE, Asking, Authorize, AuthorizeEvent, Beginning, CameBack, Failure, Redeeming,
    carry_binding, code_verifier, nonce, step,
};
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{Authorization, FlowBody, FlowRecord, Purpose};
use domain::id::{ApplicationId, EntryName, PoolName, ProviderName};
use domain::identity::{Profile, ProviderClient, ProviderEntry, SubjectScope};
use domain::limits::Verdict;
use domain::ports::{Arrival, ProviderError, ProviderFault};
use domain::secret::{Secret, Token};
use domain::session::Session;
use domain::user::User;

use crate::support::{
    ISSUER, LIMIT, NO, Scene, ann, assert_refused, bob, entry, kept, limited, profile, refusal, sealed,
    session, story, tokens,
};

fn asking(name: &str) -> Asking {
    let entry = entry(name);
    Asking {
        redirect_uri: entry.callback_url.clone(),
        entry,
        caller: None,
        application: None,
        return_to: Some("/welcome".to_owned()),
        code_challenge: None,
        verdict: Verdict::Allowed,
    }
}

fn ask(scene: &mut Scene, asking: Asking) -> Step<Authorize> {
    let event = AuthorizeEvent::Asked(Box::new(asking));
    step(Authorize::Start, event, &mut scene.cx())
}

fn beginning(scene: &mut Scene, asking: Asking) -> Box<Beginning> {
    match ask(scene, asking) {
        Ok(Advanced {
            next: Authorize::Begin(beginning),
            effects,
        }) if effects.is_empty() => beginning,
        other => panic!("not begun: {other:?}"),
    }
}

/// Begins; returns the flow kept and the cookie.
fn begun(scene: &mut Scene, asking: Asking, handle: Option<&str>) -> (FlowRecord, Token, Vec<Effect>) {
    let state = Authorize::Begin(beginning(scene, asking));
    let event = AuthorizeEvent::ProviderBegan {
        handle: handle.map(Secret::new),
        carry: Some(sealed("carry")),
    };
    match step(state, event, &mut scene.cx()) {
        Ok(Advanced {
            next: Authorize::Away { flow, browser },
            effects,
        }) => {
            assert_eq!(kept(&effects).id, flow);
            (kept(&effects).clone(), browser, effects)
        }
        other => panic!("not away: {other:?}"),
    }
}

fn authorization(flow: &FlowRecord) -> &Authorization {
    match &flow.body {
        FlowBody::Authorization(kept) => kept,
        other => panic!("another flow: {other:?}"),
    }
}

fn back(name: &str, flow: &FlowRecord, browser: &Token) -> CameBack {
    CameBack {
        entry: entry(name),
        flow: Some(flow.clone()),
        browser: Some(browser.clone()),
        linker: None,
        doubled: false,
    }
}

fn come(scene: &mut Scene, facts: CameBack) -> Step<Authorize> {
    let event = AuthorizeEvent::CameBack(Box::new(facts));
    step(Authorize::Start, event, &mut scene.cx())
}

fn redeeming(step: Step<Authorize>) -> (Box<Redeeming>, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: Authorize::Redeem(redeeming),
            effects,
        }) => (redeeming, effects),
        other => panic!("not redeemed: {other:?}"),
    }
}

fn linking(user: &User) -> Asking {
    Asking {
        caller: Some((user.clone(), session(user, 10))),
        ..asking("google-link")
    }
}

const UNKNOWN: &[&str] = &["provider.callback_unknown"];

const REFUSED: &[&str] = &["provider.refused"];

#[test]
fn the_flow_is_kept_under_what_comes_back_and_holds_no_secret() {
    let mut scene = Scene::new();
    let (flow, browser, effects) = begun(&mut scene, asking("google"), None);
    assert_eq!(story(&effects), ["put flow", "provider.begun"]);
    let kept = authorization(&flow);
    assert_eq!(kept.browser, browser.hash());
    assert_eq!(kept.seed, flow.id);
    assert_eq!((flow.user.as_ref(), flow.pool.as_str()), (None, "Users"));
    assert_eq!(flow.expires, scene.now.plus(AUTHORIZATION_LIFE));
    assert_eq!(kept.return_to.as_deref(), Some("/welcome"));
    assert_eq!(kept.purpose, Purpose::LogIn);
    let stored = serde_json::to_string(&flow.body).expect("JSON");
    for secret in [
        browser.expose(),
        nonce(&scene.key, &kept.seed).expose(),
        code_verifier(&scene.key, &kept.seed).expose(),
    ] {
        assert!(!stored.contains(secret));
    }
}

#[test]
fn a_request_token_names_the_flow_in_place_of_state() {
    let mut scene = Scene::new();
    let (flow, _, _) = begun(&mut scene, asking("twitter"), Some("request-token"));
    assert_eq!(flow.id, Token::presented("request-token").hash());
    assert_ne!(authorization(&flow).seed, flow.id);
    assert_eq!(authorization(&flow).carry, Some(sealed("carry")));
}

#[test]
fn every_authorization_has_state_nonce_and_verifier_of_its_own() {
    let mut scene = Scene::new();
    let first = beginning(&mut scene, asking("google"));
    let _ = Token::draw(&mut scene.entropy);
    let second = beginning(&mut scene, asking("google"));
    assert_ne!(first.state, second.state);
    let (a, b) = (first.seed(), second.seed());
    assert_ne!(nonce(&scene.key, &a), nonce(&scene.key, &b));
    assert_ne!(code_verifier(&scene.key, &a), code_verifier(&scene.key, &b));
    assert_ne!(nonce(&scene.key, &a), code_verifier(&scene.key, &a));
    assert_ne!(carry_binding(&a), carry_binding(&b));
    assert_eq!(code_verifier(&scene.key, &a).expose().len(), 43);
    assert_eq!(first.redirect_uri(), entry("google").callback_url);
}

#[test]
fn linking_begins_only_for_who_is_logged_in() {
    let step = ask(&mut Scene::new(), asking("google-link"));
    assert_refused(step, &Denial::AuthorizationRequired, &[]);
}

#[test]
fn linking_belongs_to_the_session_that_asks() {
    let (flow, _, _) = begun(&mut Scene::new(), linking(&ann()), None);
    let wanted = Purpose::Link {
        user: ann().key.id,
        session: session(&ann(), 10).token,
    };
    assert_eq!(authorization(&flow).purpose, wanted);
}

#[test]
fn a_user_of_another_pool_links_nothing_here() {
    let mut stranger = ann();
    stranger.key.pool = PoolName::new("Employees");
    let step = ask(&mut Scene::new(), linking(&stranger));
    assert_refused(step, &Denial::AuthorizationRequired, &[]);
}

#[test]
fn somebody_logged_in_may_still_log_in_by_an_entry_that_does_not_link() {
    let asking = Asking {
        caller: Some((ann(), session(&ann(), 10))),
        ..asking("google")
    };
    let (flow, _, _) = begun(&mut Scene::new(), asking, None);
    assert_eq!(authorization(&flow).purpose, Purpose::LogIn);
}

#[test]
fn over_the_limit_nobody_is_sent_away() {
    let asking = Asking {
        verdict: NO,
        ..asking("google")
    };
    assert_refused(ask(&mut Scene::new(), asking), &limited(), &[LIMIT]);
}

#[test]
fn a_provider_that_cannot_begin_leaves_nothing_behind() {
    let mut scene = Scene::new();
    let state = Authorize::Begin(beginning(&mut scene, asking("google")));
    let event = AuthorizeEvent::ProviderFailed(Failure::Unavailable);
    let step = step(state, event, &mut scene.cx());
    assert_refused(step, &Denial::ProviderUnavailable, &["provider.unavailable"]);
}

#[test]
fn the_browser_that_began_comes_back_once() {
    let mut scene = Scene::new();
    let (flow, browser, _) = begun(&mut scene, asking("google"), None);
    let (redeeming, effects) = redeeming(come(&mut scene, back("google", &flow, &browser)));
    assert_eq!(effects, [Effect::Spend(flow.id)]);
    assert_eq!(&redeeming.authorization, authorization(&flow));
    assert!(redeeming.linker.is_none());
}

#[test]
fn a_callback_without_its_flow_or_its_browser_is_unknown_and_spends_nothing() {
    let mut scene = Scene::new();
    let (flow, browser, _) = begun(&mut scene, asking("google"), None);
    let own = back("google", &flow, &browser);
    let other = Token::presented("another browser's");
    let cases = [
        CameBack {
            flow: None,
            ..own.clone()
        },
        CameBack {
            browser: None,
            ..own.clone()
        },
        CameBack {
            browser: Some(other),
            ..own.clone()
        },
        CameBack {
            entry: entry("google-two"),
            ..own
        },
    ];
    for facts in cases {
        assert_refused(come(&mut scene, facts), &Denial::AuthorizationUnknown, UNKNOWN);
    }
}

#[test]
fn a_flow_of_another_kind_is_no_authorization() {
    let mut scene = Scene::new();
    let (_, browser, _) = begun(&mut scene, asking("google"), None);
    let (pending, _) = scene.pending(&ann(), "pending");
    let facts = back("google", &pending, &browser);
    assert_refused(come(&mut scene, facts), &Denial::AuthorizationUnknown, UNKNOWN);
}

#[test]
fn an_authorization_of_another_pool_is_unknown() {
    let mut scene = Scene::new();
    let (mut flow, browser, _) = begun(&mut scene, asking("google"), None);
    flow.pool = PoolName::new("Employees");
    let facts = back("google", &flow, &browser);
    assert_refused(come(&mut scene, facts), &Denial::AuthorizationUnknown, UNKNOWN);
}

#[test]
fn an_authorization_dies_at_the_end_of_its_life_and_not_before() {
    let mut scene = Scene::new();
    let (flow, browser, _) = begun(&mut scene, asking("google"), None);
    scene.wait(599);
    redeeming(come(&mut scene, back("google", &flow, &browser)));
    scene.wait(1);
    let step = come(&mut scene, back("google", &flow, &browser));
    assert_refused(step, &Denial::AuthorizationUnknown, UNKNOWN);
}

#[test]
fn a_doubled_parameter_is_refused_and_the_flow_is_spent() {
    let mut scene = Scene::new();
    let (flow, browser, _) = begun(&mut scene, asking("google"), None);
    let facts = CameBack {
        doubled: true,
        ..back("google", &flow, &browser)
    };
    let denial = Denial::ProviderRefused {
        fault: ProviderFault::CallbackInvalid,
    };
    assert_refused(come(&mut scene, facts), &denial, &["spend", "provider.refused"]);
}

fn link_back(linker: Option<(User, Session)>) -> Step<Authorize> {
    let mut scene = Scene::new();
    let (flow, browser, _) = begun(&mut scene, linking(&ann()), None);
    let facts = CameBack {
        linker,
        ..back("google-link", &flow, &browser)
    };
    come(&mut scene, facts)
}

#[test]
fn the_session_that_wanted_to_link_must_still_be_live() {
    let (redeeming, _) = redeeming(link_back(Some((ann(), session(&ann(), 10)))));
    assert_eq!(redeeming.linker, Some(ann()));
    let mut ended = ann();
    ended.end_sessions(None);
    let mut other = session(&ann(), 10);
    other.token = Token::presented("another session").hash();
    let cases = [
        None,
        Some((ann(), session(&ann(), 3601))),
        Some((ended, session(&ann(), 10))),
        Some((bob(), session(&bob(), 10))),
        Some((ann(), other)),
    ];
    for linker in cases {
        assert_refused(link_back(linker), &Denial::AuthorizationRequired, &["spend"]);
    }
}

fn arrival(subject: &str) -> Arrival {
    Arrival {
        tokens: Some(tokens("access")),
        ..Arrival::new(ISSUER, subject, profile("ann@example.com", true))
    }
}

fn arrive(entry: ProviderEntry, client: Option<ProviderClient>, arrival: Arrival) -> Step<Authorize> {
    let mut scene = Scene::new();
    let (flow, browser, _) = begun(&mut scene, asking("google"), None);
    let (mut redeeming, _) = redeeming(come(&mut scene, back("google", &flow, &browser)));
    redeeming.entry = entry;
    redeeming.client = client;
    redeeming.authorization.application = Some(ApplicationId::new("shop"));
    let event = AuthorizeEvent::Arrived {
        arrival: Box::new(arrival),
        once: Verdict::Allowed,
    };
    step(Authorize::Redeem(redeeming), event, &mut scene.cx())
}

#[test]
fn two_entries_of_one_provider_meet_in_one_identity() {
    let keys = ["google-login", "google-link"].map(|name| match arrive(entry(name), None, arrival("7")) {
        Ok(Advanced {
            next: Authorize::Proven(proven),
            ..
        }) => proven.key.to_text(),
        other => panic!("not proven: {other:?}"),
    });
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn ids_scoped_to_clients_meet_only_at_the_same_client() {
    let scoped = ProviderEntry {
        subjects: SubjectScope::Client,
        ..entry("facebook")
    };
    let own = ProviderClient {
        client_id: "the shop's client".to_owned(),
        client_secret: None,
    };
    let clients = [None, Some(own)].map(|client| match arrive(scoped.clone(), client, arrival("7")) {
        Ok(Advanced {
            next: Authorize::Proven(proven),
            ..
        }) => (proven.key.client, proven.client_id, proven.application),
        other => panic!("not proven: {other:?}"),
    });
    let shop = Some(ApplicationId::new("shop"));
    let of = |client: &str| (Some(client.to_owned()), client.to_owned(), shop.clone());
    assert_eq!(clients, [of("our-client"), of("the shop's client")]);
}

#[test]
fn an_account_without_an_id_is_nobody() {
    for subject in ["", " ", "a\u{7}b"] {
        let denial = Denial::ProviderRefused {
            fault: ProviderFault::SubjectMissing,
        };
        assert_refused(arrive(entry("google"), None, arrival(subject)), &denial, REFUSED);
    }
}

#[test]
fn what_a_provider_overdoes_is_not_kept() {
    let arrival = Arrival {
        tokens: Some(tokens(&"x".repeat(20_000))),
        profile: Profile {
            display_name: Some("y".repeat(5_000)),
            ..Profile::default()
        },
        ..arrival("7")
    };
    match arrive(entry("google"), None, arrival) {
        Ok(Advanced {
            next: Authorize::Proven(proven),
            ..
        }) => assert_eq!((proven.tokens, proven.profile), (None, Profile::default())),
        other => panic!("not proven: {other:?}"),
    }
}

#[test]
fn every_fault_of_a_provider_is_refused_with_its_own_code() {
    let mut codes = Vec::new();
    for fault in ProviderFault::ALL {
        let mut scene = Scene::new();
        let (flow, browser, _) = begun(&mut scene, asking("google"), None);
        let (redeeming, _) = redeeming(come(&mut scene, back("google", &flow, &browser)));
        let error = ProviderError::refused(*fault, "for the operator");
        let event = AuthorizeEvent::ProviderFailed(Failure::from(&error));
        let refused = refusal(step(Authorize::Redeem(redeeming), event, &mut scene.cx()));
        assert_eq!(refused.denial.code(), Some(fault.code()));
        assert!(!refused.denial.to_string().contains("operator"));
        let Some(Effect::Audit(event)) = refused.effects.first() else {
            panic!("not written down");
        };
        assert_eq!(event.detail, Some(format!("google {}", fault.code())));
        codes.push(fault.code());
    }
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
}

#[test]
fn an_answer_without_its_question_means_nothing() {
    let mut scene = Scene::new();
    let events = [
        AuthorizeEvent::Arrived {
            arrival: Box::new(arrival("7")),
            once: Verdict::Allowed,
        },
        AuthorizeEvent::ProviderFailed(Failure::Unavailable),
        AuthorizeEvent::ProviderBegan {
            handle: None,
            carry: None,
        },
    ];
    for event in events {
        assert_refused(
            step(Authorize::Start, event, &mut scene.cx()),
            &Denial::Unexpected,
            &[],
        );
    }
}

#[test]
fn names_of_entries_are_kept_apart_from_names_of_providers() {
    let (flow, _, _) = begun(&mut Scene::new(), asking("google-login"), None);
    assert_eq!(authorization(&flow).entry, EntryName::new("google-login"));
    assert_eq!(entry("google-login").provider, ProviderName::new("google"));
}
