//! Single steps on arbitrary facts: equal answers for equal inputs, guards first, an answer for every pair, and for each flow what
//! must be true for it to go on.
#![cfg(test)]

use domain::audit::AuditKind;
use domain::credential::PasswordHash;
use domain::error::Denial;
use domain::flow::change_password::{self, ChangePassword, ChangePasswordEvent};
use domain::flow::change_profile::{self, ChangeProfile, ChangeProfileEvent, Field, Mails, ProfileChange};
use domain::flow::log_out::{self, LogOutEvent, LoggedOut};
use domain::flow::login::Terms;
use domain::flow::login::{
    self, CodeAskedAgain, CodeTyped, Identified, Login, LoginEvent, PasswordChecked, Sending, Wanted,
};
use domain::flow::recover::{self, Recover, RecoverEvent};
use domain::flow::second_factor::Typed;
use domain::flow::sign_up::{self, NewUser, SignUp, SignUpEvent};
use domain::flow::verify_contact::{self, VerifyContact, VerifyContactEvent};
use domain::flow::{Ctx, Effect, Step};
use domain::flow_record::{FlowBody, FlowKind};
use domain::id::{SessionId, UserId};
use domain::limits::Verdict;
use domain::message::{MailKind, Notice};
use domain::policy::SecondFactor;
use domain::ports::{UniqueKey, Verified};
use domain::secret::Secret;
use domain::session::TokenLife;
use domain::time::Lifetime;
use domain::user::{Email, FactorKind, User};
use properties::cases;
use properties::moves::{EMAILS, PASSWORDS, PHONES, USERNAMES};
use properties::scenes::{Scene, begun, kind, lawful, scene, session_of, taken, user, verdict, verified};
use properties::system::typed_password;
use proptest::prelude::*;

fn wanted() -> impl Strategy<Value = Wanted> {
    let terms = Terms::of(TokenLife::Finite(Lifetime::from_secs(60)));
    prop_oneof![
        Just(Wanted::Session(terms)),
        Just(Wanted::Code(terms, None)),
        Just(Wanted::SessionOrCode(terms)),
    ]
}

/// A code typed as one that came by text message.
fn texted(text: Secret) -> Typed {
    Typed {
        kind: FactorKind::Sms,
        text,
        apps: Vec::new(),
    }
}

/// Mails that may go to whom a caller names: they have a budget. What else an owner is told goes to the owner alone.
fn is_about_an_address(kind: &MailKind) -> bool {
    !matches!(
        kind,
        MailKind::Notice(Notice::PasswordChanged | Notice::PhoneChanged)
    )
}

fn hash() -> PasswordHash {
    PasswordHash::new("0$9$new")
}

fn is_due(scene: &Scene, user: &User) -> bool {
    match scene.pool.second_factor {
        SecondFactor::Off => false,
        SecondFactor::Optional => user.factor_phone.is_some(),
        SecondFactor::Required => true,
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_password_opens_a_door_only_where_nothing_else_is_due(
        scene in scene(),
        who in prop::option::weighted(0.9, user()),
        (verdict, send, verified) in (verdict(), verdict(), verified()),
        (taken, wanted) in (taken(), wanted()),
        reaches_without_number in any::<bool>(),
    ) {
        let facts = Identified { user: who.clone(), verdict, taken, wanted };
        let identified = LoginEvent::Identified(Box::new(facts));
        let Ok((state, effects)) = lawful(&scene, &Login::Start, &identified, login::step) else {
            let off = matches!(wanted, Wanted::Code(..)) && scene.pool.second_factor == SecondFactor::Off;
            prop_assert!(verdict != Verdict::Allowed || off);
            return Ok(());
        };
        prop_assert!(effects.is_empty());
        let sending = Sending { verdict: send, pending: Vec::new(), reaches_without_number };
        let facts = PasswordChecked { verified: verified.clone(), sending };
        let checked = LoginEvent::PasswordChecked(Box::new(facts));
        let proven = who.filter(|user| verified != Verified::Wrong && user.password.is_some());
        match (lawful(&scene, &state, &checked, login::step), proven) {
            (Ok((Login::Opened(token), effects)), Some(user)) => {
                prop_assert!(!is_due(&scene, &user) && !matches!(wanted, Wanted::Code(..)));
                prop_assert!(user.email_verified || !scene.pool.email_verification_required);
                prop_assert_eq!(&token.session.user, &user.key);
                prop_assert_eq!(token.session.epoch, user.session_epoch);
                let opened = effects.iter().filter(|effect| matches!(effect, Effect::OpenSession(_)));
                prop_assert_eq!(opened.count(), 1);
            }
            (Ok((Login::AwaitingCode(requested), effects)), Some(user)) => {
                prop_assert!(requested.challenge.is_some());
                prop_assert!(!requested.methods.is_empty() || !requested.enrols.is_empty());
                prop_assert!(user.has_second_factor() || user.code_phone().is_some() || reaches_without_number
                    || scene.pool.second_factor == SecondFactor::Required);
                prop_assert!(!effects.iter().any(|effect| matches!(effect, Effect::OpenSession(_))));
            }
            (Ok((state, _)), _) => prop_assert!(false, "{state:?} without a proof"),
            (Err(Denial::LoginFailed), proven) => {
                let silent = scene.pool.hide_existing && scene.pool.email_verification_required;
                prop_assert!(proven.is_none_or(|user| silent && !user.email_verified));
            }
            (Err(_), proven) => prop_assert!(proven.is_some(), "only a right password hears more"),
        }
    }

    #[test]
    fn a_code_opens_its_own_login_while_it_lives(
        (scene, begun) in scene().prop_flat_map(|scene| (Just(scene.clone()), begun(scene, FlowKind::PendingLogin))),
        who in prop::option::weighted(0.9, user()),
        (right, verdict, tries_left, taken) in (prop::bool::weighted(0.8), verdict(), verdict(), taken()),
    ) {
        let typed = if right { begun.digits.clone() } else { Secret::new("x") };
        let facts = CodeTyped {
            pending: Some(begun.record.clone()), user: who.clone(), typed: texted(typed), verdict, tries_left, taken,
            trust_device: false,
        };
        let FlowBody::PendingLogin(pending) = &begun.record.body else { return Ok(()) };
        let must = verdict == Verdict::Allowed
            && tries_left == Verdict::Allowed
            && right
            && scene.now < begun.record.created.plus(scene.pool.code_life)
            && who.as_ref().is_some_and(|user| begun.record.is_of(&user.key) && user.session_epoch == pending.epoch);
        let typed = LoginEvent::CodeTyped(Box::new(facts));
        match lawful(&scene, &Login::Start, &typed, login::step) {
            Ok((Login::Opened(token), effects)) => {
                prop_assert!(must);
                prop_assert!(effects.contains(&Effect::Spend(begun.record.id)));
                prop_assert_eq!(token.session.id, pending.session.clone());
            }
            Ok((state, _)) => prop_assert!(false, "{state:?}"),
            Err(denial) => {
                prop_assert!(!must);
                prop_assert_eq!(denial == Denial::LoginFailed, verdict == Verdict::Allowed);
            }
        }
    }

    #[test]
    fn a_code_sent_again_replaces_the_former(
        (scene, begun) in scene().prop_flat_map(|scene| (Just(scene.clone()), begun(scene, FlowKind::PendingLogin))),
        who in prop::option::weighted(0.9, user()),
        send in verdict(),
    ) {
        let facts = CodeAskedAgain { pending: Some(begun.record.clone()), user: who, send, reaches_without_number: false };
        let asked = LoginEvent::CodeAskedAgain(Box::new(facts));
        let Ok((_, effects)) = lawful(&scene, &Login::Start, &asked, login::step) else { return Ok(()) };
        let Some(Effect::ReplaceFlow(next)) = effects.first() else {
            return Err(TestCaseError::fail("the former is replaced first"));
        };
        prop_assert_eq!((next.id, next.expires), (begun.record.id, begun.record.expires));
        let (FlowBody::PendingLogin(next), FlowBody::PendingLogin(former)) = (&next.body, &begun.record.body) else {
            return Err(TestCaseError::fail("it stays a pending login"));
        };
        prop_assert_ne!(&next.code, &former.code);
        prop_assert_eq!((&next.session, next.epoch), (&former.session, former.epoch));
    }

    #[test]
    fn a_sign_up_makes_one_user_who_owns_what_they_sent(
        scene in scene(),
        (email, username, phone) in (
            prop::option::weighted(0.9, prop_oneof![3 => prop::sample::select(&EMAILS[..]), 1 => Just("not one")]),
            prop::option::of(prop_oneof![3 => prop::sample::select(&USERNAMES[..]), 1 => Just(" ")]),
            prop::option::of(prop_oneof![3 => prop::sample::select(&PHONES[..]), 1 => Just("123")]),
        ),
        password in prop::option::weighted(0.9, 0..PASSWORDS.len()),
        (verdict, mail, holder, username_taken) in (verdict(), verdict(), prop::option::weighted(0.3, user()), prop::bool::weighted(0.2)),
    ) {
        let form = NewUser {
            email: email.map(str::to_owned),
            username: username.map(str::to_owned),
            phone: phone.map(str::to_owned),
            password: password.map(typed_password),
            ..NewUser::default()
        };
        let submitted = SignUpEvent::Submitted { form: Box::new(form), verdict };
        let Ok((state, _)) = lawful(&scene, &SignUp::Start, &submitted, sign_up::step) else { return Ok(()) };
        let looked_up = SignUpEvent::KeysLookedUp { email_holder: holder.clone().map(Box::new), username_taken };
        let Ok((state, _)) = lawful(&scene, &state, &looked_up, sign_up::step) else {
            prop_assert!(username_taken || (holder.is_some() && !scene.pool.hide_existing));
            return Ok(());
        };
        let hashed = SignUpEvent::PasswordHashed { hash: hash(), mail };
        let Ok((SignUp::Created(user), effects)) = lawful(&scene, &state, &hashed, sign_up::step) else {
            return Err(TestCaseError::fail("a sound, free user is made"));
        };
        prop_assert_eq!(matches!(effects.first(), Some(Effect::Create(_))), holder.is_none());
        prop_assert!(!user.email_verified && user.factor_phone.is_none());
        prop_assert_eq!(user.email.as_ref().map(Email::as_str), email);
        for key in [UniqueKey::Email, UniqueKey::Username] {
            let taken = lawful(&scene, &SignUp::Created(user.clone()), &SignUpEvent::KeyTaken(key), sign_up::step);
            prop_assert_eq!(taken.is_ok(), scene.pool.hide_existing && key == UniqueKey::Email);
        }
    }

    #[test]
    fn a_reset_ends_every_session_and_nothing_else_sets_a_password(
        (scene, begun) in (scene(), kind()).prop_flat_map(|(scene, kind)| (Just(scene.clone()), begun(scene, kind))),
        who in prop::option::weighted(0.9, user()),
        (password, verdict) in (0..PASSWORDS.len(), verdict()),
    ) {
        let (flow, who) = (Some(Box::new(begun.record.clone())), who.map(Box::new));
        let presented = RecoverEvent::TokenPresented {
            flow: flow.clone(), user: who.clone(), password: typed_password(password), verdict,
        };
        let Ok((state, _)) = lawful(&scene, &Recover::Start, &presented, recover::step) else { return Ok(()) };
        let hashed = RecoverEvent::PasswordHashed { flow, user: who.clone(), hash: hash() };
        let Ok((Recover::Done(next), effects)) = lawful(&scene, &state, &hashed, recover::step) else {
            return Err(TestCaseError::fail("what was checked a moment ago still holds"));
        };
        let before = who.ok_or_else(|| TestCaseError::fail("nobody was recovered"))?;
        let bound = matches!(begun.record.body, FlowBody::ResetPassword { epoch } if epoch == before.session_epoch);
        prop_assert!(bound && begun.record.is_of(&before.key) && scene.now < begun.record.expires);
        prop_assert_ne!(next.session_epoch, before.session_epoch);
        prop_assert!(next.spared_session.is_none());
        prop_assert!(effects.iter().any(|effect| effect.audit_kind() == Some(AuditKind::PasswordReset)));
    }

    #[test]
    fn a_contact_is_proven_by_its_own_token_and_code_alone(
        (scene, begun) in (scene(), kind()).prop_flat_map(|(scene, kind)| (Just(scene.clone()), begun(scene, kind))),
        who in user(),
        (right, verdict, tries_left, own) in (prop::bool::weighted(0.8), verdict(), verdict(), prop::bool::weighted(0.8)),
    ) {
        let owner = begun.record.user.clone().filter(|_| own);
        let uid = owner.unwrap_or_else(|| UserId::new("other"));
        let (flow, who) = (Some(Box::new(begun.record.clone())), Box::new(who));
        let confirmed = VerifyContactEvent::EmailConfirmed {
            flow: flow.clone(), uid: uid.clone(), user: Some(who.clone()), verdict,
        };
        if let Ok((VerifyContact::Proven(next), _)) = lawful(&scene, &VerifyContact::Sent, &confirmed, verify) {
            let FlowBody::ConfirmEmail { address } = &begun.record.body else {
                return Err(TestCaseError::fail("another kind of flow proved an address"));
            };
            prop_assert_eq!(next.email.as_ref().map(Email::as_str), Some(address.as_str()));
            prop_assert!(begun.record.is_of(&next.key) && uid == next.key.id && scene.now < begun.record.expires);
        }
        let typed = if right { begun.digits.clone() } else { Secret::new("x") };
        let typed = VerifyContactEvent::PhoneCodeTyped { flow, user: who.clone(), typed, verdict, tries_left };
        if let Ok((VerifyContact::Proven(next), _)) = lawful(&scene, &VerifyContact::Sent, &typed, verify) {
            let FlowBody::ConfirmPhone { phone, .. } = &begun.record.body else {
                return Err(TestCaseError::fail("another kind of flow proved a number"));
            };
            prop_assert!(right && tries_left == Verdict::Allowed);
            prop_assert!(who.phone.as_ref() == Some(phone) && next.factor_phone.as_ref() == Some(phone));
            prop_assert!(scene.now < begun.record.created.plus(scene.pool.code_life));
        }
    }

    #[test]
    fn a_contact_or_password_changes_only_with_a_proof(
        scene in scene(),
        who in user(),
        (replace, email, phone) in (any::<bool>(), field(&EMAILS), field(&PHONES)),
        (password, current) in (prop::option::of(0..PASSWORDS.len()), prop::option::of(0..PASSWORDS.len())),
        (age, mail, verdict, verified, taken) in (0_i64..600_000, verdict(), verdict(), verified(), taken()),
    ) {
        let change = ProfileChange {
            replace, email, phone,
            password: password.map(typed_password),
            current_password: current.map(typed_password),
            ..ProfileChange::default()
        };
        let session = session_of(&who, age, scene.now);
        let fresh = age <= 300_000;
        let asked = ChangeProfileEvent::Asked {
            user: Box::new(who.clone()), session: Box::new(session.clone()), change: Box::new(change), mail: Mails { verify: mail, tell: mail },
        };
        let Ok((mut state, mut effects)) = lawful(&scene, &ChangeProfile::Start, &asked, change_profile::step) else {
            return Ok(());
        };
        let mut proven = false;
        if matches!(state, ChangeProfile::CheckProof(_)) {
            let checked = ChangeProfileEvent::ProofChecked { verdict, verified: verified.clone(), taken };
            let Ok(next) = lawful(&scene, &state, &checked, change_profile::step) else { return Ok(()) };
            prop_assert!(verified != Verified::Wrong && verdict == Verdict::Allowed);
            (state, effects) = next;
            proven = true;
        }
        if matches!(state, ChangeProfile::HashNew(_)) {
            let hashed = ChangeProfileEvent::NewHashed(hash());
            let Ok(next) = lawful(&scene, &state, &hashed, change_profile::step) else {
                return Err(TestCaseError::fail("a hash is no reason to refuse"));
            };
            (state, effects) = next;
        }
        let ChangeProfile::Done(next) = state else { return Err(TestCaseError::fail("not done")) };
        let contact = next.email != who.email || next.phone != who.phone;
        let secret = next.password != who.password;
        prop_assert!(!contact || proven || fresh, "a contact changed on an old session's word");
        prop_assert!(!secret || proven, "a password changed on a session's word");
        prop_assert!(!contact || proven || who.factor_phone.is_none(), "a factor was got round on a session's word");
        prop_assert_eq!(next.session_epoch != who.session_epoch, contact || secret);
        let spared = next.spared_session.as_ref() == Some(&session.id);
        prop_assert!(spared || !(contact || secret), "the session that asked lives on");
        prop_assert!(next.email == who.email || !next.email_verified);
        prop_assert!(next.factor_phone == who.factor_phone || next.factor_phone.is_none());
        let mails = effects.iter().any(|effect| matches!(effect, Effect::SendMail(mail) if is_about_an_address(&mail.kind)));
        prop_assert!(!mails || mail == Verdict::Allowed, "a limit on mail is kept");
    }

    #[test]
    fn a_password_change_ends_all_sessions_but_its_own(
        scene in scene(),
        who in user(),
        (verdict, verified, taken) in (verdict(), verified(), taken()),
    ) {
        let who = Box::new(who);
        let asked = ChangePasswordEvent::Asked { user: who.clone(), new: typed_password(1), verdict, taken };
        let Ok((state, _)) = lawful(&scene, &ChangePassword::Start, &asked, change_password::step) else {
            prop_assert!(verdict != Verdict::Allowed);
            return Ok(());
        };
        let checked = ChangePasswordEvent::CurrentChecked { user: who.clone(), verified: verified.clone() };
        let Ok((state, _)) = lawful(&scene, &state, &checked, change_password::step) else {
            prop_assert_eq!(verified, Verified::Wrong);
            return Ok(());
        };
        prop_assert!(verified != Verified::Wrong);
        let session = SessionId::new("asking");
        let hashed = ChangePasswordEvent::NewHashed { user: who.clone(), session: session.clone(), hash: hash() };
        let Ok((ChangePassword::Done(next), _)) = lawful(&scene, &state, &hashed, change_password::step) else {
            return Err(TestCaseError::fail("a hash is no reason to refuse"));
        };
        prop_assert!(next.honours(who.session_epoch, &session));
        prop_assert!(!next.honours(who.session_epoch, &SessionId::new("another")));
    }

    #[test]
    fn every_pair_of_state_and_event_has_an_answer(
        scene in scene(),
        who in user(),
        (verdict, verified, taken, wanted) in (verdict(), verified(), taken(), wanted()),
    ) {
        let boxed = Box::new(who.clone());
        let session = Box::new(session_of(&who, 0, scene.now));
        let sending = Sending { verdict, pending: Vec::new(), reaches_without_number: true };
        let checked = PasswordChecked { verified: verified.clone(), sending };
        let logins = [
            LoginEvent::Identified(Box::new(Identified { user: Some(who.clone()), verdict, taken: taken.clone(), wanted })),
            LoginEvent::PasswordChecked(Box::new(checked)),
            LoginEvent::CodeTyped(Box::new(CodeTyped {
                pending: None, user: None, typed: texted(Secret::new("")), verdict, tries_left: verdict, taken: taken.clone(),
                trust_device: false,
            })),
            LoginEvent::CodeAskedAgain(Box::new(CodeAskedAgain { pending: None, user: None, send: verdict, reaches_without_number: false })),
        ];
        all_pairs(&scene, Login::Start, &logins, login::step);
        let form = NewUser { email: Some(EMAILS[0].to_owned()), password: Some(typed_password(0)), ..NewUser::default() };
        let sign_ups = [
            SignUpEvent::Submitted { form: Box::new(form), verdict },
            SignUpEvent::KeysLookedUp { email_holder: None, username_taken: false },
            SignUpEvent::PasswordHashed { hash: hash(), mail: verdict },
            SignUpEvent::KeyTaken(UniqueKey::Id),
        ];
        all_pairs(&scene, SignUp::Start, &sign_ups, sign_up::step);
        let recoveries = [
            RecoverEvent::Asked { user: Some(boxed.clone()), mail: verdict },
            RecoverEvent::TokenPresented { flow: None, user: None, password: typed_password(0), verdict },
            RecoverEvent::PasswordHashed { flow: None, user: None, hash: hash() },
        ];
        all_pairs(&scene, Recover::Start, &recoveries, recover::step);
        let passwords = [
            ChangePasswordEvent::Asked { user: boxed.clone(), new: typed_password(0), verdict, taken: taken.clone() },
            ChangePasswordEvent::CurrentChecked { user: boxed.clone(), verified: verified.clone() },
            ChangePasswordEvent::NewHashed { user: boxed.clone(), session: session.id.clone(), hash: hash() },
        ];
        all_pairs(&scene, ChangePassword::Start, &passwords, change_password::step);
        let change = ProfileChange { phone: Field::Clear, current_password: Some(typed_password(0)), ..ProfileChange::default() };
        let profiles = [
            ChangeProfileEvent::Asked { user: boxed.clone(), session: session.clone(), change: Box::new(change), mail: Mails { verify: verdict, tell: verdict } },
            ChangeProfileEvent::ProofChecked { verdict, verified, taken },
            ChangeProfileEvent::NewHashed(hash()),
            ChangeProfileEvent::KeyTaken(UniqueKey::Email),
            ChangeProfileEvent::DeletionAsked { user: boxed.clone() },
        ];
        all_pairs(&scene, ChangeProfile::Start, &profiles, change_profile::step);
        let leavings = [
            LogOutEvent::Asked { session: None },
            LogOutEvent::Asked { session: Some(session.clone()) },
            LogOutEvent::OthersEnded { user: boxed.clone(), session },
        ];
        all_pairs(&scene, LoggedOut, &leavings, |_, event, cx| log_out::step(event, cx));
        let contacts = [
            VerifyContactEvent::EmailAsked { user: Some(boxed.clone()), mail: verdict },
            VerifyContactEvent::PhoneAsked { user: boxed, send: verdict },
        ];
        all_pairs(&scene, VerifyContact::Sent, &contacts, verify);
    }
}

/// `verify_contact` has no state between its steps.
fn verify(_: VerifyContact, event: VerifyContactEvent, cx: &mut Ctx<'_>) -> Step<VerifyContact> {
    verify_contact::step(event, cx)
}

/// Every event in every state that can be reached from `start`, three steps deep.
fn all_pairs<S: Clone + std::fmt::Debug, E: Clone + std::fmt::Debug>(
    scene: &Scene,
    start: S,
    events: &[E],
    step: fn(S, E, &mut Ctx<'_>) -> Step<S>,
) {
    let mut reached = vec![start];
    for _ in 0..3 {
        let answers = reached
            .iter()
            .flat_map(|state| events.iter().map(move |event| (state, event)));
        reached = answers
            .filter_map(|(state, event)| Some(lawful(scene, state, event, step).ok()?.0))
            .collect();
    }
}

fn field(list: &'static [&'static str]) -> impl Strategy<Value = Field> {
    prop_oneof![
        3 => Just(Field::Keep),
        1 => Just(Field::Clear),
        3 => prop::sample::select(list).prop_map(|text| Field::Set(text.to_owned())),
    ]
}
