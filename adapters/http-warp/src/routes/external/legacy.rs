//! The cookies that LoopBack's passport component sets after a log-in, for programs that still read them. They are signed as
//! `cookie-parser` signs; unlike LoopBack's, script cannot read them and other sites cannot send them.

use domain::session::{AccessToken, TokenLife};

use crate::entries::{EntryKind, WebEntry};
use crate::extract::Request;
use crate::extract::cookies::Jar;
use crate::extract::signed;
use crate::reply::Reply;

/// Browsers keep no cookie longer than 400 days (RFC 6265bis section 5.5).
const LONGEST: u64 = 34_560_000;

/// The names of these cookies: the token's, and its user's.
const NAMES: [&str; 2] = ["access_token", "userId"];

/// Removes both, where the configuration knows them.
pub fn clear(request: &Request, reply: Reply) -> Reply {
    let settings = &request.app.settings;
    if settings.legacy_cookies.is_none() {
        return reply;
    }
    let jar = Jar::new(settings.is_https());
    let lines = NAMES.map(|name| jar.set_named(name, "", Some(0)));
    lines.iter().fold(reply, |reply, line| reply.cookie(line))
}

/// Adds `access_token` and `userId` where the configuration wants them.
pub fn dress(request: &Request, entry: &WebEntry, token: &AccessToken, reply: Reply) -> Reply {
    let settings = &request.app.settings;
    let makes_token = match entry.kind {
        EntryKind::Provider | EntryKind::Directory(_) | EntryKind::Tickets { .. } => entry.auto_login,
        EntryKind::Local { set_access_token, .. } => set_access_token,
    };
    let wanted = settings
        .legacy_cookies
        .as_ref()
        .filter(|legacy| legacy.write && makes_token);
    let Some(legacy) = wanted else {
        return reply;
    };
    let age = match token.session.life {
        TokenLife::Finite(life) => life.as_secs_ceil().min(LONGEST),
        TokenLife::Eternal => LONGEST,
    };
    let jar = Jar::new(settings.is_https());
    let values = [token.secret.expose(), token.session.user.id.as_str()];
    NAMES.into_iter().zip(values).fold(reply, |reply, (name, value)| {
        let value = signed::sign(&legacy.secret, value);
        reply.cookie(&jar.set_named(name, &value, Some(age)))
    })
}
