//! `POST /api/{pool}/{id}/verify` and `GET /api/{pool}/confirm`: proving an e-mail address. `POST /api/{pool}/revertEmail`: taking a
//! changed one back.

use domain::id::UserId;
use domain::secret::Token;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

use super::Call;
use super::input::{self, Input};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::settings::HttpSettings;
use crate::steady::steady;

/// What cannot stand in a `Location` as it is; letters beyond ASCII are always encoded.
const NOT_IN_LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

/// 204 whoever it is about: whether a mail goes out is seen in the mailbox alone.
pub async fn verify(call: Call) -> Result<Reply, Problem> {
    let pool = call.pool()?;
    let id = UserId::new(call.id.as_deref().unwrap_or_default());
    let work = call
        .services()
        .send_verification(pool, &id, call.request.origin());
    steady(work)
        .await
        .map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// 204, or 302 to an allowed `redirect`. A place that is not allowed is refused before the token is used.
pub async fn confirm(call: Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.request.query);
    let argument = |name: &str| {
        let value = query.one(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| input::required_argument(name))
    };
    let (uid, token) = (
        UserId::new(argument("uid")?),
        Token::presented(argument("token")?),
    );
    let place = if query.pairs().iter().any(|(name, _)| name == "redirect") {
        destination(query.one("redirect"), &call.request.app.settings)?
    } else {
        None
    };
    let pool = call.pool()?;
    let done = call
        .services()
        .confirm_email(pool, &uid, &token, call.request.origin())
        .await;
    done.map_err(|error| Problem::of(error, pool))?;
    Ok(place.map_or_else(Reply::no_content, |place| Reply::found(&place)))
}

/// 204; the account has its old address back, and every session is over.
pub async fn revert_email(mut call: Call) -> Result<Reply, Problem> {
    let token = Input::read(&mut call.request).await?.token("token")?;
    let pool = call.pool()?;
    let done = call
        .services()
        .revert_email(pool, &token, call.request.origin())
        .await;
    done.map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// Where `redirect` may lead: a path of this site, or a URL of this site's or a configured origin. Nothing for an empty one;
/// `None` given means that it was sent twice.
fn destination(redirect: Option<&str>, settings: &HttpSettings) -> Result<Option<String>, Problem> {
    let refused = || Problem::bad_request("redirect leads to a place that is not allowed");
    let text = redirect.ok_or_else(refused)?;
    if text.is_empty() {
        return Ok(None);
    }
    // Browsers drop tabs and line breaks and read `\` as `/`: what they would read otherwise than we do is refused.
    if text.contains(|c: char| c.is_control() || c == '\\') {
        return Err(refused());
    }
    let own_path = text.strip_prefix('/').is_some_and(|rest| !rest.starts_with('/'));
    if own_path {
        return Ok(Some(utf8_percent_encode(text, NOT_IN_LOCATION).to_string()));
    }
    let url = Url::parse(text)
        .ok()
        .filter(|url| is_allowed(url, settings))
        .ok_or_else(refused)?;
    Ok(Some(url.into()))
}

fn is_allowed(url: &Url, settings: &HttpSettings) -> bool {
    let plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let allowed = std::iter::once(&settings.public_url).chain(&settings.redirect_origins);
    plain
        && allowed
            .filter_map(|origin| Url::parse(origin).ok())
            .any(|allowed| allowed.origin() == url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::PoolName;
    use std::time::Duration;

    fn leads(redirect: &str) -> Option<String> {
        let settings = HttpSettings {
            public_url: "https://login.example.com".to_owned(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            redirect_origins: vec!["https://app.example.org:8443".to_owned()],
            return_to: Vec::new(),
            legacy_cookies: None,
            static_dir: None,
            body_limit: 1,
            body_timeout: Duration::from_secs(1),
            query_token: false,
            default_pool: PoolName::new("Users"),
        };
        destination(Some(redirect), &settings).ok().flatten()
    }

    #[test]
    fn own_paths_and_listed_origins_are_led_to() {
        for good in [
            "/",
            "/welcome?next=https://x.example/#top",
            "https://login.example.com/done",
            "https://app.example.org:8443/a?b=c",
        ] {
            assert_eq!(leads(good).as_deref(), Some(good));
        }
        assert_eq!(
            leads("/willkommen schön").as_deref(),
            Some("/willkommen%20sch%C3%B6n")
        );
    }

    #[test]
    fn nobody_is_led_off_site() {
        for bad in [
            "//x.example",
            "////x.example",
            "/\\x.example",
            "\\\\x.example",
            "/\t/x.example",
            "\t//x.example",
            " //x.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "https:x.example",
            "https://login.example.com.x.example/",
            "https://login.example.com@x.example/",
            "https://user@login.example.com/",
            "http://login.example.com/",
            "https://app.example.org/",
            "https://login.example.com:444/",
            "welcome",
            "?x",
            "/a\r\nSet-Cookie: x=y",
        ] {
            assert_eq!(leads(bad), None, "{bad:?}");
        }
    }
}
