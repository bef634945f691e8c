//! Tokens as LoopBack writes them, and what else a client keeps of a log-in.

use domain::policy::PoolPolicy;
use domain::session::{AccessToken, TokenLife};
use http::StatusCode;
use serde_json::{Value, json};

use crate::extract::{Request, X_DEVICE_TOKEN};
use crate::reply::Reply;
use crate::wire_id::WireId;

/// A token, shown this once; with its user where the client asked for it.
fn token(token: &AccessToken, with_user: bool) -> Value {
    let session = &token.session;
    let mut object = json!({
        "id": token.secret.expose(),
        "ttl": ttl(session.life),
        "created": session.created.to_iso8601(),
        "userId": WireId(session.user.id.as_str()),
    });
    if let (true, Some(object)) = (with_user, object.as_object_mut()) {
        object.insert("user".to_owned(), super::user(&token.user));
    }
    object
}

/// 200 with a token, and with what else its client keeps: the refresh token that renews it, and the token of the device for a client
/// that said it has, or wants, one.
pub fn opened(request: &Request, pool: &PoolPolicy, opened: &AccessToken, with_user: bool) -> Reply {
    let mut answer = token(opened, with_user);
    if let Some(object) = answer.as_object_mut() {
        if let Some(refresh) = &opened.refresh {
            object.insert("refreshToken".to_owned(), json!(refresh.expose()));
            object.insert(
                "refreshTtl".to_owned(),
                ttl(TokenLife::Finite(pool.refresh_token_ttl)),
            );
        }
        let device = opened
            .device
            .as_ref()
            .filter(|_| request.headers.contains_key(&X_DEVICE_TOKEN));
        if let Some(device) = device {
            object.insert("deviceToken".to_owned(), json!(device.expose()));
        }
    }
    Reply::json(StatusCode::OK, &answer)
}

/// Seconds: a whole number where it is one, −1 for ever.
fn ttl(life: TokenLife) -> Value {
    match life {
        TokenLife::Eternal => json!(-1),
        TokenLife::Finite(life) if life.as_millis() % 1000 == 0 => json!(life.as_millis() / 1000),
        TokenLife::Finite(life) => json!(life.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Lifetime;

    #[test]
    fn a_life_is_written_as_loopback_writes_it() {
        assert_eq!(ttl(TokenLife::Finite(Lifetime::from_secs(20))).to_string(), "20");
        assert_eq!(
            ttl(TokenLife::Finite(Lifetime::from_millis(1500))).to_string(),
            "1.5"
        );
        assert_eq!(ttl(TokenLife::Eternal).to_string(), "-1");
    }
}
