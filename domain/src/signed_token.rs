//! Access tokens that a service checks by itself, by our public keys, without asking us about every request: JSON Web Tokens as
//! RFC 9068 has them.
//!
//! They cannot be taken back, which is why they are made only on demand, of a session that is alive, for one service by name, and hold
//! for minutes. Nothing of ours takes one for a session's own token: a service cannot use what it was shown to act here.

use serde::Serialize;

use crate::error::{Denial, Fault};
use crate::id::{PoolName, RoleName, SessionId, SignedTokenId, UserId};
use crate::policy::SignedTokens;
use crate::secret::Secret;
use crate::service::Authenticated;
use crate::time::{Lifetime, Timestamp};

/// What a token says (RFC 9068 section 2.2). Serialised, it is the token's payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// Who says so: our public address.
    pub iss: String,
    /// The user, by the id within [`Claims::pool`].
    pub sub: UserId,
    /// The one service it is for.
    pub aud: String,
    /// Seconds since 1970 from which on it is over.
    pub exp: i64,
    /// Seconds since 1970 at which it was made.
    pub iat: i64,
    /// Names this very token.
    pub jti: SignedTokenId,
    /// The client it was made for. RFC 9068 requires one; logins here belong to no client, so it is the pool.
    pub client_id: PoolName,
    /// Seconds since 1970 at which the user last proved who they are.
    pub auth_time: i64,
    /// How sure the session is of its user: `aal1` or `aal2`.
    pub acr: &'static str,
    /// What was proven, by the names of RFC 8176.
    pub amr: Vec<&'static str>,
    /// The session it was made of; not a secret.
    pub sid: SessionId,
    /// The pool the user lives in: ids of two pools may be the same.
    pub pool: PoolName,
    /// The names of the user's roles (RFC 9068 section 2.2.3.1).
    pub roles: Vec<RoleName>,
    /// Who acts in the user's place: an administrator (RFC 8693 section 4.1). Absent for the user themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<ActingParty>,
}

/// Who acts in the place of a token's subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActingParty {
    /// The administrator, by the id within [`Claims::pool`].
    pub sub: UserId,
}

/// A token, handed out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedToken {
    /// The token itself: whoever has it may use it at its service.
    pub token: Secret,
    /// How long it holds from now on.
    pub life: Lifetime,
}

/// What a request for a token is about.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Whose token it is, and the live session that asks.
    pub holder: &'a Authenticated,
    /// The names of all their roles.
    pub roles: &'a [RoleName],
    /// The service it is to be for; none for the first that is configured.
    pub audience: Option<&'a str>,
    /// A name for it that no other has.
    pub id: &'a SignedTokenId,
}

/// Decides what a token says: it is for a configured service, and neither outlives the session it is made of nor the configured time.
///
/// # Errors
/// [`Denial::Invalid`] for a service that is not configured.
pub fn claims(
    wanted: Wanted<'_>,
    rules: &SignedTokens,
    issuer: &str,
    now: Timestamp,
) -> Result<Claims, Denial> {
    let aud = match wanted.audience {
        Some(asked) => rules.audiences.iter().find(|known| *known == asked),
        None => rules.audiences.first(),
    };
    let aud = aud.cloned().ok_or_else(unknown_audience)?;
    let (user, session) = (&wanted.holder.user, &wanted.holder.session);
    let over = now.plus(rules.life);
    let session_over = session.life.expires(session.created);
    let exp = session_over.map_or(over, |session_over| session_over.min(over));
    Ok(Claims {
        iss: issuer.to_owned(),
        sub: user.key.id.clone(),
        aud,
        exp: seconds(exp),
        iat: seconds(now),
        jti: wanted.id.clone(),
        client_id: user.key.pool.clone(),
        auth_time: seconds(session.proven),
        acr: session.level().name(),
        amr: session.factors.iter().map(|factor| factor.name()).collect(),
        sid: session.id.clone(),
        pool: user.key.pool.clone(),
        roles: wanted.roles.to_vec(),
        act: session.impersonator.as_ref().map(|by| ActingParty {
            sub: by.user.id.clone(),
        }),
    })
}

impl Claims {
    /// How long it holds at a moment.
    pub fn left(&self, now: Timestamp) -> Lifetime {
        Timestamp::from_millis(self.exp.saturating_mul(1000)).since(now)
    }
}

/// Whole seconds, rounded down: a token is never good for longer than it may be.
const fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

fn unknown_audience() -> Denial {
    Denial::Invalid(vec![Fault {
        property: "audience",
        code: "inclusion",
        message: "is not among those that tokens are signed for",
        value: None,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserKey;
    use crate::secret::Token;
    use crate::session::{Factor, Impersonator, Session, TokenLife};
    use crate::user::User;

    const NOW: Timestamp = Timestamp::from_millis(1_000_500);

    fn holder(life: TokenLife) -> Authenticated {
        let key = UserKey::new(PoolName::new("Users"), UserId::new("1"));
        let user = User::blank(key.clone(), Timestamp::from_millis(0));
        let session = Session {
            id: SessionId::new("s"),
            token: Token::presented("t").hash(),
            user: key,
            epoch: user.session_epoch,
            created: Timestamp::from_millis(900_000),
            life,
            factors: vec![Factor::Password, Factor::Totp],
            proven: Timestamp::from_millis(900_999),
            last_used: None,
            idle: None,
            agent: None,
            address: None,
            refresh: None,
            federated: None,
            impersonator: None,
        };
        Authenticated { user, session }
    }

    fn rules() -> SignedTokens {
        SignedTokens {
            audiences: vec!["orders".to_owned(), "mail".to_owned()],
            life: Lifetime::from_secs(300),
        }
    }

    #[test]
    fn of_an_administrator_in_the_users_place_it_says_so() {
        let mut holder = holder(TokenLife::Eternal);
        holder.session.impersonator = Some(Box::new(Impersonator {
            user: UserKey::new(PoolName::new("Users"), UserId::new("boss")),
            session: SessionId::new("own"),
            epoch: holder.user.session_epoch,
        }));
        let wanted = Wanted {
            holder: &holder,
            roles: &[],
            audience: None,
            id: &SignedTokenId::new("j"),
        };
        let said = serde_json::to_value(claims(wanted, &rules(), "", NOW).unwrap()).unwrap();
        assert_eq!((&said["sub"], &said["act"]["sub"]), (&"1".into(), &"boss".into()));
    }

    fn of(life: TokenLife, audience: Option<&str>) -> Result<Claims, Denial> {
        let wanted = Wanted {
            holder: &holder(life),
            roles: &[RoleName::new("clerk")],
            audience,
            id: &SignedTokenId::new("j"),
        };
        claims(wanted, &rules(), "https://login.example", NOW)
    }

    #[test]
    fn a_token_is_for_one_configured_service_and_for_no_other() {
        let eternal = TokenLife::Eternal;
        assert_eq!(of(eternal, None).unwrap().aud, "orders");
        assert_eq!(of(eternal, Some("mail")).unwrap().aud, "mail");
        for stranger in ["", "Orders", "orders ", "https://evil.example"] {
            assert!(matches!(of(eternal, Some(stranger)), Err(Denial::Invalid(_))));
        }
        let none = SignedTokens {
            audiences: Vec::new(),
            ..rules()
        };
        let wanted = Wanted {
            holder: &holder(eternal),
            roles: &[],
            audience: None,
            id: &SignedTokenId::new("j"),
        };
        assert!(claims(wanted, &none, "", NOW).is_err());
    }

    #[test]
    fn it_outlives_neither_its_time_nor_its_session() {
        let claims = of(TokenLife::Eternal, None).unwrap();
        assert_eq!((claims.iat, claims.exp), (1000, 1300));
        assert_eq!(claims.left(NOW), Lifetime::from_millis(299_500));
        let short = TokenLife::Finite(Lifetime::from_millis(150_700));
        let claims = of(short, None).unwrap();
        assert_eq!(claims.exp, 1050, "rounded down: 1050.7");
        let long = TokenLife::Finite(Lifetime::from_secs(10_000));
        assert_eq!(of(long, None).unwrap().exp, 1300);
    }

    #[test]
    fn it_says_who_came_how_and_with_which_roles_and_nothing_that_opens_a_session() {
        let said = serde_json::to_value(of(TokenLife::Eternal, None).unwrap()).unwrap();
        let expected = serde_json::json!({
            "iss": "https://login.example", "sub": "1", "aud": "orders", "exp": 1300, "iat": 1000, "jti": "j",
            "client_id": "Users", "auth_time": 900, "acr": "aal2", "amr": ["pwd", "otp"], "sid": "s",
            "pool": "Users", "roles": ["clerk"],
        });
        assert_eq!(said, expected);
    }
}
