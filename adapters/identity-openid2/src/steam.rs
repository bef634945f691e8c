//! Steam's dialect: identifiers that hold the account's number, and its Web API for name and picture.

use domain::identity::Profile;
use domain::ports::{ProviderError, ProviderFault as Fault};
use http::header::ACCEPT;
use http::{HeaderValue, Request};
use outbound_http::Outbound;
use serde_json::Value;
use url::Url;

use crate::error::{from_outbound, judge_status, refused};

/// What every identifier begins with, wherever the endpoint is.
const IDENTIFIERS: &str = "https://steamcommunity.com/openid/id/";

/// As many digits as a 64-bit id of a person has.
const DIGITS: usize = 17;

/// The account's number, if the claimed identifier is one of Steam's.
pub fn account(claimed: &Url) -> Option<&str> {
    let number = claimed.as_str().strip_prefix(IDENTIFIERS)?;
    (number.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

/// What the Web API says about an account. The key goes in a header: addresses get into logs.
pub async fn player(
    outbound: &Outbound,
    base: &Url,
    key: &HeaderValue,
    account: &str,
) -> Result<Value, ProviderError> {
    let mut url = base.clone();
    url.set_path("/ISteamUser/GetPlayerSummaries/v0002/");
    url.query_pairs_mut().clear().append_pair("steamids", account);
    let mut request = Request::new(Vec::new());
    let unsendable = |_| refused(Fault::UserInfoInvalid, "the address cannot be asked");
    *request.uri_mut() = url.as_str().parse().map_err(unsendable)?;
    request
        .headers_mut()
        .insert(ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().insert("x-webapi-key", key.clone());
    let answer = outbound.send(request).await;
    let answer = answer.map_err(|error| from_outbound(&error, Fault::UserInfoInvalid))?;
    judge_status(answer.status(), Fault::UserInfoInvalid)?;
    let value: Option<Value> = serde_json::from_slice(answer.body()).ok();
    let player = value
        .as_ref()
        .and_then(|value| value.pointer("/response/players/0"));
    let player =
        player.ok_or_else(|| refused(Fault::UserInfoInvalid, "the profile is no list of players"))?;
    if text(player, "steamid").as_deref() != Some(account) {
        return Err(refused(Fault::UserInfoSubject, "the profile is somebody else's"));
    }
    Ok(player.clone())
}

/// The normalised profile.
pub fn profile(player: &Value) -> Profile {
    Profile {
        display_name: text(player, "personaname"),
        photos: text(player, "avatarfull").into_iter().collect(),
        profile_url: text(player, "profileurl"),
        ..Profile::default()
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    let text = value.get(name)?.as_str()?;
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steams_own_identifiers_name_an_account() {
        let of = |text: &str| account(&Url::parse(text).unwrap()).map(str::to_owned);
        assert_eq!(
            of("https://steamcommunity.com/openid/id/76561197960435530").unwrap(),
            "76561197960435530"
        );
        for bad in [
            "http://steamcommunity.com/openid/id/76561197960435530",
            "https://steamcommunity.com/openid/id/7656119796043553",
            "https://steamcommunity.com/openid/id/765611979604355300",
            "https://steamcommunity.com/openid/id/76561197960435530/",
            "https://steamcommunity.com/openid/id/76561197960435530#1",
            "https://steamcommunity.com/openid/id/76561197960435530?a",
            "https://steamcommunity.com/openid/id/7656119796043553a",
            "https://steamcommunity.com/openid/id/76561197960435%330",
            "https://steamcommunity.com.evil.example/openid/id/76561197960435530",
            "https://evil.example/https://steamcommunity.com/openid/id/76561197960435530",
            "https://steamcommunity.com:444/openid/id/76561197960435530",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
