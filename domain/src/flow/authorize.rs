//! Sent to a provider, and back: what binds the two together. Who it is that came back is judged by [`crate::flow::login::external`]
//! and [`crate::flow::link::attach`].
//!
//! ```text
//! Start ──Asked──▶ Begin ──ProviderBegan──▶ Away
//! Start ──CameBack──▶ Redeem ──Arrived──▶ Proven
//! Begin, Redeem ──ProviderFailed──▶ (refused)
//! ```

use super::link::Proven;
use super::{Advanced, Ctx, Effect, Refused, Step};
use crate::audit::AuditKind;
use crate::error::Denial;
use crate::flow_record::{Authorization, FlowBody, FlowRecord, Purpose};
use crate::id::ApplicationId;
use crate::identity::{ProviderClient, ProviderEntry};
use crate::limits::Verdict;
use crate::ports::{Arrival, ProviderError, ProviderFault, SealBinding};
use crate::secret::{MacKey, Sealed, Secret, Token, TokenHash};
use crate::session::{Session, Standing};
use crate::time::Lifetime;
use crate::user::User;

/// How long somebody may stay at the provider.
pub const AUTHORIZATION_LIFE: Lifetime = Lifetime::from_secs(600);

/// Where an authorization stands.
#[derive(Clone, Debug)]
pub enum Authorize {
    /// Nothing is known yet.
    Start,
    /// The provider is to be told.
    Begin(Box<Beginning>),
    /// The person is on their way.
    Away {
        /// Names the flow.
        flow: TokenHash,
        /// What binds it to the browser, shown once.
        browser: Token,
    },
    /// The person is back; the provider's answer is to be judged.
    Redeem(Box<Redeeming>),
    /// It is known which account it is.
    Proven(Box<Proven>),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum AuthorizeEvent {
    /// Somebody wants to be sent to a provider.
    Asked(Box<Asking>),
    /// The provider is ready for them.
    ProviderBegan {
        /// What will come back in place of `state`.
        handle: Option<Secret>,
        /// What the adapter wants to see again, sealed.
        carry: Option<Sealed>,
    },
    /// Somebody came to a callback.
    CameBack(Box<CameBack>),
    /// The provider's answer was taken.
    Arrived {
        /// Who it is.
        arrival: Box<Arrival>,
        /// What the counter of its [`Arrival::once`] said.
        once: Verdict,
    },
    /// It was not, or there was none.
    ProviderFailed(Failure),
}

/// Facts: somebody wants to be sent to a provider.
#[derive(Clone, Debug)]
pub struct Asking {
    /// By this entry.
    pub entry: ProviderEntry,
    /// Who is logged in, as stored now, and by which session.
    pub caller: Option<(User, Session)>,
    /// The application whose own client is used.
    pub application: Option<ApplicationId>,
    /// Where the provider sends them back to.
    pub redirect_uri: String,
    /// Where they go afterwards.
    pub return_to: Option<String>,
    /// The challenge of a client that will fetch the session.
    pub code_challenge: Option<String>,
    /// What the address's counters said.
    pub verdict: Verdict,
}

/// An authorization about to begin.
#[derive(Clone, Debug)]
pub struct Beginning {
    asking: Asking,
    purpose: Purpose,
    browser: Token,
    /// Comes back with the person.
    pub state: Token,
}

/// Facts: somebody came to a callback.
#[derive(Clone, Debug)]
pub struct CameBack {
    /// The entry of the callback.
    pub entry: ProviderEntry,
    /// The flow its parameters name.
    pub flow: Option<FlowRecord>,
    /// What the browser has to show for it.
    pub browser: Option<Token>,
    /// The session that wanted to link, and its user, as stored now.
    pub linker: Option<(User, Session)>,
    /// Whether a parameter is there twice.
    pub doubled: bool,
}

/// An answer to be judged by the provider's adapter.
#[derive(Clone, Debug)]
pub struct Redeeming {
    /// The entry.
    pub entry: ProviderEntry,
    /// What was kept since the start.
    pub authorization: Authorization,
    /// Names the flow that was spent.
    pub flow: TokenHash,
    /// Who links, when it is for linking.
    pub linker: Option<User>,
    /// The application's own client, once it was opened.
    pub client: Option<ProviderClient>,
}

/// Why the provider's answer was not taken.
#[derive(Clone, Debug)]
pub enum Failure {
    /// It will not do.
    Refused(ProviderFault),
    /// There was none.
    Unavailable,
}

impl From<&ProviderError> for Failure {
    fn from(error: &ProviderError) -> Self {
        match error {
            ProviderError::Refused { fault, .. } => Self::Refused(*fault),
            ProviderError::Unavailable(_) => Self::Unavailable,
        }
    }
}

/// The nonce of an authorization: derived, so that a copied store holds none.
pub fn nonce(key: &MacKey, seed: &TokenHash) -> Secret {
    key.mac("authorization-nonce", &[seed.as_bytes()]).to_secret()
}

/// The PKCE verifier of an authorization, derived like the nonce; 43 characters (RFC 7636 section 4.1).
pub fn code_verifier(key: &MacKey, seed: &TokenHash) -> Secret {
    key.mac("authorization-verifier", &[seed.as_bytes()]).to_secret()
}

/// To what the adapter's carry is bound: `seed` is known before the flow has a name.
pub fn carry_binding(seed: &TokenHash) -> SealBinding {
    SealBinding {
        kind: "authorization",
        owner: vec![seed.to_text()],
    }
}

/// One step of an authorization.
pub fn step(state: Authorize, event: AuthorizeEvent, cx: &mut Ctx<'_>) -> Step<Authorize> {
    match (state, event) {
        (Authorize::Start, AuthorizeEvent::Asked(asking)) => begin(*asking, cx),
        (Authorize::Begin(beginning), AuthorizeEvent::ProviderBegan { handle, carry }) => {
            Ok(send_away(*beginning, handle.as_ref(), carry, cx))
        }
        (Authorize::Start, AuthorizeEvent::CameBack(facts)) => receive(*facts, cx),
        (Authorize::Redeem(redeeming), AuthorizeEvent::Arrived { arrival, once }) => {
            prove(*redeeming, *arrival, once, cx)
        }
        (Authorize::Begin(beginning), AuthorizeEvent::ProviderFailed(failure)) => {
            Err(refuse(&beginning.asking.entry, &failure, cx))
        }
        (Authorize::Redeem(redeeming), AuthorizeEvent::ProviderFailed(failure)) => {
            Err(refuse(&redeeming.entry, &failure, cx))
        }
        _ => Err(Refused::unexpected()),
    }
}

impl Beginning {
    /// From what nonce and verifier are derived.
    pub fn seed(&self) -> TokenHash {
        self.state.hash()
    }

    /// Where the provider sends people back to.
    pub fn redirect_uri(&self) -> &str {
        &self.asking.redirect_uri
    }
}

fn begin(asking: Asking, cx: &mut Ctx<'_>) -> Step<Authorize> {
    let caller = asking.caller.as_ref();
    if let Some(refused) = Refused::limited(asking.verdict, caller.map(|(user, _)| &user.key), cx) {
        return Err(refused);
    }
    let purpose = Purpose::of(&asking.entry, caller, cx)?;
    let beginning = Beginning {
        purpose,
        browser: Token::draw(cx.entropy),
        state: Token::draw(cx.entropy),
        asking,
    };
    Ok(Advanced {
        next: Authorize::Begin(Box::new(beginning)),
        effects: Vec::new(),
    })
}

fn send_away(
    beginning: Beginning,
    handle: Option<&Secret>,
    carry: Option<Sealed>,
    cx: &Ctx<'_>,
) -> Advanced<Authorize> {
    let seed = beginning.seed();
    let Beginning {
        asking,
        purpose,
        browser,
        ..
    } = beginning;
    let flow = handle.map_or(seed, |handle| Token::presented(handle.expose()).hash());
    let audit = cx.audit_about(
        AuditKind::AuthorizationBegun,
        asking.caller.as_ref().map(|(user, _)| &user.key),
        asking.entry.name.to_string(),
    );
    let record = FlowRecord {
        id: flow,
        pool: asking.entry.pool.clone(),
        user: None,
        created: cx.now,
        expires: cx.now.plus(AUTHORIZATION_LIFE),
        body: FlowBody::Authorization(Box::new(Authorization {
            entry: asking.entry.name,
            purpose,
            browser: browser.hash(),
            seed,
            redirect_uri: asking.redirect_uri,
            application: asking.application,
            carry,
            return_to: asking.return_to,
            code_challenge: asking.code_challenge,
        })),
    };
    Advanced {
        next: Authorize::Away { flow, browser },
        effects: vec![Effect::PutFlow(Box::new(record)), audit],
    }
}

/// A callback counts only in the browser that began it, at the entry it was begun by, once. Whatever else it is, nothing is said
/// and nothing is spent: a stranger's browser must not be able to end it.
fn receive(facts: CameBack, cx: &Ctx<'_>) -> Step<Authorize> {
    let CameBack {
        entry,
        flow,
        browser,
        linker,
        doubled,
    } = facts;
    let own = flow.zip(browser).and_then(|(flow, browser)| {
        let FlowBody::Authorization(kept) = flow.body.clone() else {
            return None;
        };
        let bound = kept.browser == browser.hash() && kept.entry == entry.name;
        let alive = flow.pool == cx.pool.name && !flow.is_expired(cx.now);
        (bound && alive).then_some((flow.id, *kept))
    });
    let Some((flow, authorization)) = own else {
        let audit = cx.audit_about(AuditKind::CallbackUnknown, None, entry.name.to_string());
        return Err(Refused::new(Denial::AuthorizationUnknown, vec![audit]));
    };
    let spent = Effect::Spend(flow);
    if doubled {
        let mut refused = refuse(&entry, &Failure::Refused(ProviderFault::CallbackInvalid), cx);
        refused.effects.insert(0, spent);
        return Err(refused);
    }
    let linker = match &authorization.purpose {
        Purpose::LogIn => None,
        Purpose::Link { user, session } => {
            let live = linker.filter(|(owner, with)| {
                let same = owner.key.id == *user && with.token == *session;
                same && owner.key.pool == flow_pool(cx)
                    && with.standing(Some(owner), cx.now) == Standing::Live
            });
            match live {
                Some((owner, _)) => Some(owner),
                None => return Err(Refused::new(Denial::AuthorizationRequired, vec![spent])),
            }
        }
    };
    let redeeming = Redeeming {
        entry,
        authorization,
        flow,
        linker,
        client: None,
    };
    Ok(Advanced {
        next: Authorize::Redeem(Box::new(redeeming)),
        effects: vec![spent],
    })
}

fn flow_pool(cx: &Ctx<'_>) -> crate::id::PoolName {
    cx.pool.name.clone()
}

fn prove(redeeming: Redeeming, arrival: Arrival, once: Verdict, cx: &Ctx<'_>) -> Step<Authorize> {
    let Redeeming {
        entry,
        authorization,
        client,
        ..
    } = redeeming;
    let client_id = client.map_or_else(|| entry.client_id.clone(), |client| client.client_id);
    let proven = Proven::of(arrival, &entry, client_id, authorization.application, once);
    match proven {
        Ok(proven) => Ok(Advanced {
            next: Authorize::Proven(Box::new(proven)),
            effects: Vec::new(),
        }),
        Err(fault) => Err(refuse(&entry, &Failure::Refused(fault), cx)),
    }
}

/// What a provider's answer that was not taken comes to.
pub(crate) fn refuse(entry: &ProviderEntry, failure: &Failure, cx: &Ctx<'_>) -> Refused {
    match failure {
        Failure::Refused(fault) => {
            let detail = format!("{} {}", entry.name, fault.code());
            let audit = cx.audit_about(AuditKind::ProviderRefused, None, detail);
            Refused::new(Denial::ProviderRefused { fault: *fault }, vec![audit])
        }
        Failure::Unavailable => {
            let audit = cx.audit_about(AuditKind::ProviderUnavailable, None, entry.name.to_string());
            Refused::new(Denial::ProviderUnavailable, vec![audit])
        }
    }
}
