//! The steps of a login that every factor shares.

use domain::error::Denial;
use domain::flow::login::{
    CodeRequested, CodeTyped, Identified, Login, LoginEvent, PasswordChecked, Sending, Wanted, step,
};
use domain::flow::second_factor::Typed;
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord};
use domain::id::FactorId;
use domain::limits::Verdict;
use domain::ports::Verified;
use domain::secret::Secret;
use domain::session::AccessToken;
use domain::user::{FactorKind, User};

use super::{APP_SECRET, LIMIT, NO, Scene, app_secret, assert_refused, limited, taken};

impl Scene {
    /// A pending login of a user that awaits another factor than a code that is sent.
    pub fn waiting(&mut self, user: &User, text: &str) -> FlowRecord {
        let (mut record, _) = self.pending(user, text);
        if let FlowBody::PendingLogin(login) = &mut record.body {
            login.code = None;
            login.phone = None;
        }
        record
    }
}

/// A code typed for a pending login as one of a kind; with the secret of Ann's app where it is one of an app.
pub fn typed_as(
    kind: FactorKind,
    pending: Option<FlowRecord>,
    user: Option<User>,
    text: &Secret,
) -> CodeTyped {
    let apps = match kind {
        FactorKind::Totp => vec![(FactorId::new("app"), app_secret(APP_SECRET))],
        _ => Vec::new(),
    };
    CodeTyped {
        pending,
        user,
        typed: Typed {
            kind,
            text: text.clone(),
            apps,
        },
        trust_device: false,
        verdict: Verdict::Allowed,
        tries_left: Verdict::Allowed,
        taken: taken(),
    }
}

/// Judges a typed code.
pub fn judge_code(scene: &mut Scene, facts: CodeTyped) -> Step<Login> {
    let event = LoginEvent::CodeTyped(Box::new(facts));
    step(Login::Start, event, &mut scene.cx())
}

/// Asserts that no code opens anything over the account's limit, nor when the tries of the pending login are used up.
pub fn assert_limits_hold(scene: &mut Scene, facts: CodeTyped) {
    let over = CodeTyped {
        verdict: NO,
        ..facts.clone()
    };
    assert_refused(judge_code(scene, over), &limited(), &[LIMIT]);
    let used_up = CodeTyped {
        tries_left: NO,
        ..facts
    };
    assert_refused(judge_code(scene, used_up), &Denial::LoginFailed, &["code.failed"]);
}

/// The session a login opened.
pub fn opened(step: Step<Login>) -> (AccessToken, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: Login::Opened(token),
            effects,
        }) => (*token, effects),
        other => panic!("not opened: {other:?}"),
    }
}

/// What a login waits for.
pub fn awaiting(step: Step<Login>) -> (CodeRequested, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: Login::AwaitingCode(requested),
            effects,
        }) => (requested, effects),
        other => panic!("nothing awaited: {other:?}"),
    }
}

/// Judges a right password.
pub fn by_password(scene: &mut Scene, user: User, wanted: Wanted, sending: Sending) -> Step<Login> {
    let identified = Identified {
        user: Some(user),
        verdict: Verdict::Allowed,
        taken: taken(),
        wanted,
    };
    let event = LoginEvent::Identified(Box::new(identified));
    let named = step(Login::Start, event, &mut scene.cx()).expect("named");
    let checked = PasswordChecked {
        verified: Verified::Right,
        sending,
    };
    step(
        named.next,
        LoginEvent::PasswordChecked(Box::new(checked)),
        &mut scene.cx(),
    )
}
