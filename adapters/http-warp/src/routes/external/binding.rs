//! The cookie that binds a way to a provider to the browser that began it (RFC 9700 section 4.7).

use domain::secret::{Token, TokenHash};
use domain::service::AuthorizationStarted;

use crate::extract::Request;
use crate::extract::cookies::{self, Jar};
use crate::reply::Reply;

/// Ways a browser may have open at once; of more the oldest are given up, so that nobody fills its cookies from elsewhere.
const MOST: usize = 8;

/// Longest text taken for the cookie's value.
const LONGEST: usize = 128;

/// Binds a way that begins.
pub fn bind(request: &Request, started: &AuthorizationStarted, reply: Reply) -> Reply {
    let jar = jar(request);
    let open = jar.flow_names(&request.headers);
    let given_up = open.iter().take((open.len() + 1).saturating_sub(MOST));
    let reply = given_up.fold(reply, |reply, name| {
        reply.cookie(&jar.set_named(name, "", Some(0)))
    });
    let (name, life) = (jar.flow_name(&started.flow), started.life.as_secs_ceil());
    reply.cookie(&jar.set_named(&name, started.browser.expose(), Some(life)))
}

/// What this browser holds of a way.
pub fn held(request: &Request, flow: &TokenHash) -> Option<Token> {
    let value = cookies::get(&request.headers, &jar(request).flow_name(flow))?;
    let sound = !value.is_empty() && value.len() <= LONGEST;
    sound.then(|| Token::presented(value))
}

/// The way is at its end.
pub fn release(request: &Request, flow: &TokenHash, reply: Reply) -> Reply {
    let jar = jar(request);
    reply.cookie(&jar.set_named(&jar.flow_name(flow), "", Some(0)))
}

fn jar(request: &Request) -> Jar {
    Jar::new(request.app.settings.is_https())
}
