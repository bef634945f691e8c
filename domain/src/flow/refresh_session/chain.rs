//! What a chain is made of: refresh tokens, their records, and the sessions of the access tokens that come with them.

use super::super::{Ctx, Effect};
use crate::flow_record::{FlowBody, FlowRecord, RefreshRecord};
use crate::id::{RefreshId, UserKey};
use crate::policy::PoolPolicy;
use crate::secret::{Token, TokenHash};
use crate::session::{Session, TokenLife};
use crate::time::Timestamp;
use crate::user::User;

/// Access tokens that one refresh token leads to at most, one after another as each dies unused.
const TURNS: u32 = 1000;

/// A token that is good as far as its record says.
pub(super) struct Good<'a> {
    pub token: &'a Token,
    pub flow: &'a FlowRecord,
    pub body: &'a RefreshRecord,
    pub user: &'a User,
}

/// Has a session that was just made live by refresh tokens: it gets the short life of an access token, and the first token of a chain.
pub(crate) fn begin(session: &mut Session, cx: &mut Ctx<'_>) -> (Token, Effect) {
    let token = Token::draw(cx.entropy);
    let mut salt = [0_u8; 32];
    cx.entropy.fill(&mut salt);
    let chain = RefreshId::draw(cx.now, cx.entropy);
    session.life = life(cx.now, cx);
    session.refresh = Some(chain.clone());
    let body = RefreshRecord {
        chain,
        session: session.id.clone(),
        epoch: session.epoch,
        began: cx.now,
        factors: session.factors.clone(),
        proven: session.proven,
        agent: session.agent.clone(),
        access: session.token,
        salt: TokenHash::from_bytes(salt),
        used: None,
        arrived: None,
    };
    let record = record(&token, &session.user, body, cx);
    (token, Effect::PutFlow(Box::new(record)))
}

/// The refresh token in the answer to this one.
pub fn successor(token: &Token, record: &RefreshRecord) -> Token {
    token.derive("refresh-token", &[record.salt.as_bytes()])
}

/// The access tokens that may be in that answer: from the one of that hash, or from the first. Each takes its turn when the one before
/// it died unused.
pub fn access_tokens(
    token: &Token,
    record: &RefreshRecord,
    from: Option<TokenHash>,
) -> impl Iterator<Item = Token> {
    let access =
        move |turn: u32| token.derive("access-token", &[record.salt.as_bytes(), &turn.to_be_bytes()]);
    let tokens = (0..TURNS).map(access);
    tokens.skip_while(move |token| from.is_some_and(|from| token.hash() != from))
}

/// Whether a session can be used no more by its age.
pub fn is_over(session: &Session, now: Timestamp) -> bool {
    session.is_expired(now) || session.is_idle(now)
}

/// The record of a refresh token whose access token is used for the first time; none for another flow's.
pub fn arrived(flow: FlowRecord, now: Timestamp) -> Option<FlowRecord> {
    let body = RefreshRecord {
        arrived: Some(now),
        ..refresh_record(&flow)?.clone()
    };
    Some(FlowRecord {
        body: FlowBody::Refresh(Box::new(body)),
        ..flow
    })
}

/// A flow's body as that of a refresh token.
pub const fn refresh_record(flow: &FlowRecord) -> Option<&RefreshRecord> {
    if let FlowBody::Refresh(record) = &flow.body {
        Some(record)
    } else {
        None
    }
}

/// The presented token's record, used up. It is remembered for as long as what it led to is good: an owner who comes back late with
/// a token that a thief has used is the one who brings it to light.
pub(super) fn marked(good: &Good<'_>, used: Timestamp, expires: Timestamp) -> FlowRecord {
    let body = RefreshRecord {
        used: Some(used),
        ..good.body.clone()
    };
    FlowRecord {
        expires,
        body: FlowBody::Refresh(Box::new(body)),
        ..good.flow.clone()
    }
}

/// The session of a new access token: the same login, with the proofs of its beginning.
pub(super) fn session(good: &Good<'_>, secret: &Token, cx: &Ctx<'_>) -> Session {
    Session {
        id: good.body.session.clone(),
        token: secret.hash(),
        user: good.user.key.clone(),
        epoch: good.body.epoch,
        created: cx.now,
        life: life(good.body.began, cx),
        factors: good.body.factors.clone(),
        proven: good.body.proven,
        last_used: None,
        idle: cx.pool.idle_timeout,
        agent: cx.origin.agent.clone().or_else(|| good.body.agent.clone()),
        address: Some(cx.origin.address.clone()),
        refresh: Some(good.body.chain.clone()),
        federated: None,
        impersonator: None,
    }
}

/// The login that a refresh token keeps alive, as the session of the access token that came with it; none for another flow's.
pub fn login_behind(flow: &FlowRecord, pool: &PoolPolicy) -> Option<Session> {
    let body = refresh_record(flow)?;
    Some(Session {
        id: body.session.clone(),
        token: body.access,
        user: flow.user_key()?,
        epoch: body.epoch,
        created: flow.created,
        life: TokenLife::Finite(pool.access_token_ttl),
        factors: body.factors.clone(),
        proven: body.proven,
        last_used: body.arrived,
        idle: None,
        agent: body.agent.clone(),
        address: None,
        refresh: Some(body.chain.clone()),
        federated: None,
        impersonator: None,
    })
}

/// A new refresh token's record. It may lie unused for so long, and no longer than the login may live at all.
pub(super) fn record(token: &Token, user: &UserKey, body: RefreshRecord, cx: &Ctx<'_>) -> FlowRecord {
    let end = body.began.plus(cx.pool.refresh_token_max_ttl);
    FlowRecord {
        id: token.hash(),
        pool: user.pool.clone(),
        user: Some(user.id.clone()),
        created: cx.now,
        expires: cx.now.plus(cx.pool.refresh_token_ttl).min(end),
        body: FlowBody::Refresh(Box::new(body)),
    }
}

/// The life of an access token: short, and never beyond the end of its login.
fn life(began: Timestamp, cx: &Ctx<'_>) -> TokenLife {
    let end = began.plus(cx.pool.refresh_token_max_ttl);
    TokenLife::Finite(cx.pool.access_token_ttl.min(end.since(cx.now)))
}
