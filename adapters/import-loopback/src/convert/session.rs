//! Access tokens.

use std::fmt::Write as _;

use domain::id::{SessionId, UserId, UserKey};
use domain::secret::Token;
use domain::session::{Session, TokenLife};
use domain::time::{Lifetime, Timestamp};
use domain::user::SessionEpoch;
use sha2::{Digest as _, Sha256};

use super::{Context, created};
use crate::finding::What;
use crate::row::Row;

/// Longest life in seconds that is taken for one: a thousand years.
const LONGEST: f64 = 31_556_926_000.0;

/// The session of a token, which goes on opening it until its life is over. Nobody knows what was proven for it, so that it never stands for
/// a fresh proof.
pub fn session(row: &Row, context: &mut Context<'_>) -> Option<Session> {
    let token = row.said("id")?;
    let user = row.said("userId").unwrap_or_default();
    // Several models of users may share the tokens; each is imported on its own.
    let model = row.said("principalType");
    if model.is_some_and(|model| !model.eq_ignore_ascii_case(context.user_model)) {
        return None;
    }
    let whose = || format!("a token of user {user}");
    let created = created(row);
    let life = life(row);
    let fault = match life {
        _ if !context.seen.users.contains(&user) => Some(What::OrphanedToken),
        _ if !row.texts("scopes").is_empty() => Some(What::ScopedToken),
        None => Some(What::OddToken),
        Some(TokenLife::Eternal) if !context.rules.eternal_tokens => Some(What::EternalToken),
        Some(life) if life.expires(created).is_some_and(|end| end <= context.rules.now) => {
            Some(What::ExpiredToken)
        }
        Some(_) => None,
    };
    if let Some(what) = fault {
        context.findings.note(what, whose());
        return None;
    }
    Some(Session {
        id: id_of(&token),
        token: Token::presented(token).hash(),
        user: UserKey::new(context.rules.pool.clone(), UserId::new(user)),
        epoch: SessionEpoch::default(),
        created,
        life: life?,
        factors: Vec::new(),
        proven: Timestamp::from_millis(0),
        last_used: None,
        idle: None,
        agent: None,
        address: None,
        refresh: None,
        federated: None,
        impersonator: None,
    })
}

fn life(row: &Row) -> Option<TokenLife> {
    let seconds = row.number("ttl")?;
    if (seconds + 1.0).abs() < f64::EPSILON {
        return Some(TokenLife::Eternal);
    }
    (seconds > 0.0 && seconds <= LONGEST).then(|| TokenLife::Finite(Lifetime::from_millis(millis(seconds))))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "only what is positive and small enough comes here"
)]
fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}

/// A name that is the same at every import, and from which nobody finds the token.
fn id_of(token: &str) -> SessionId {
    let digest = Sha256::digest(format!("the session of LoopBack's token {token}"));
    let digits = digest.iter().take(16).fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    SessionId::new(digits)
}
