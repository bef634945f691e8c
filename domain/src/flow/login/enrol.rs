//! Adding an authenticator app before the door opens: for who needs a second factor and has none. Its first code adds it and
//! completes the login; until then nothing of the user changes.

use std::sync::Arc;

use super::super::factors::{TotpDraft, draft_totp};
use super::super::notice::notify;
use super::super::{Advanced, Ctx, Effect, Refused, Step};
use super::Login;
use super::pending::{self, Reach, live, ways_of};
use crate::audit::AuditKind;
use crate::credential::TotpApp;
use crate::error::Denial;
use crate::flow_record::{FlowBody, FlowRecord, NewApp, PendingLogin};
use crate::limits::Verdict;
use crate::message::Notice;
use crate::secret::Sealed;
use crate::user::{FactorKind, User};

/// Facts: the holder of a challenge wants to add an authenticator app.
#[derive(Clone, Debug)]
pub struct AppAsked {
    /// The pending login of the challenge.
    pub pending: Option<FlowRecord>,
    /// Its user, as stored now.
    pub user: Option<User>,
    /// What they call the app.
    pub name: Option<String>,
    /// What the counter said.
    pub verdict: Verdict,
}

/// An app that a pending login waits for; its secret is to be sealed.
#[derive(Clone, Debug)]
pub struct AppDraft {
    /// The app.
    pub app: TotpDraft,
    record: FlowRecord,
    login: PendingLogin,
}

/// Draws an app for who may add one now.
pub(super) fn ask(facts: AppAsked, cx: &mut Ctx<'_>) -> Step<Login> {
    let AppAsked {
        pending,
        user,
        name,
        verdict,
    } = facts;
    if let Some(refused) = Refused::limited(verdict, user.as_ref().map(|user| &user.key), cx) {
        return Err(refused);
    }
    let Some((record, login, user)) = live(pending, user, cx) else {
        return Err(Refused::new(Denial::LoginFailed, Vec::new()));
    };
    if !may_enrol(&user, cx) {
        return Err(Refused::new(Denial::FactorNotOffered, Vec::new()));
    }
    let app = draft_totp(&user, name, cx)?;
    Ok(Advanced {
        next: Login::SealApp(Box::new(AppDraft { app, record, login })),
        effects: Vec::new(),
    })
}

/// Keeps the sealed app with the login. One that was asked for before is void.
pub(super) fn keep(draft: AppDraft, sealed: Sealed, cx: &Ctx<'_>) -> Advanced<Login> {
    let AppDraft { app, record, login } = draft;
    let body = FlowBody::PendingLogin(PendingLogin {
        app: Some(Box::new(NewApp {
            factor: app.id.clone(),
            name: app.name.clone(),
            secret: sealed,
        })),
        ..login
    });
    Advanced {
        next: Login::AwaitingCode(pending::CodeRequested {
            at: cx.now,
            challenge: None,
            sent_to: None,
            methods: vec![FactorKind::Totp],
            enrols: Vec::new(),
        }),
        effects: vec![Effect::ReplaceFlow(Box::new(FlowRecord { body, ..record }))],
    }
}

/// The user as they will be with the app that waits, to judge its first code by; as they are where none does, or where they have a
/// second factor by now: then only that one counts.
pub(super) fn with_new_app(user: &User, login: &PendingLogin, cx: &Ctx<'_>) -> User {
    let mut next = user.clone();
    if let Some(app) = login.app.as_ref().filter(|_| may_enrol(user, cx)) {
        Arc::make_mut(&mut next.factors).totp.push(TotpApp {
            id: app.factor.clone(),
            name: app.name.clone(),
            secret: app.secret.clone(),
            last_step: 0,
            created: cx.now,
            last_used: None,
        });
    }
    next
}

/// What is written down, and told to the owner, of an app whose first code was right.
pub(super) fn told(next: &User, login: &PendingLogin, cx: &Ctx<'_>) -> Vec<Effect> {
    let kind = FactorKind::Totp;
    let notice = Notice::FactorAdded {
        factor: kind,
        name: login.app.as_ref().map(|app| app.name.clone()),
    };
    let mut told = vec![cx.audit_about(AuditKind::FactorAdded, Some(&next.key), kind.name())];
    told.extend(notify(next, notice, cx));
    told
}

fn may_enrol(user: &User, cx: &Ctx<'_>) -> bool {
    ways_of(user, cx.pool, Reach::ByNumber)
        .enrols
        .contains(&FactorKind::Totp)
}
