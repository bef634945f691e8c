//! The form that is posted, and what its answer means.

use std::fmt;

use domain::id::MessageId;
use domain::ports::Delivery;
use domain::secret::Secret;
use domain::time::Lifetime;
use http::header::RETRY_AFTER;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use zeroize::Zeroizing;

use crate::gsm;

/// How long the network may go on trying, in milliseconds: what the gateway takes.
const SHORTEST_TTL: u64 = 20_000;
const LONGEST_TTL: u64 = 604_800_000;

/// Nobody is told to wait longer than that, whatever a text says.
const LONGEST_WAIT: Lifetime = Lifetime::from_secs(3600);

/// What is posted.
pub struct Form<'a> {
    pub api_key: &'a Secret,
    pub api_secret: &'a Secret,
    pub from: &'a str,
    pub to: &'a str,
    pub text: &'a str,
    pub id: &'a MessageId,
    pub life: Lifetime,
}

impl Form<'_> {
    /// The body, `application/x-www-form-urlencoded`.
    pub fn encoded(&self) -> Zeroizing<String> {
        let ttl = self.life.as_millis().clamp(SHORTEST_TTL, LONGEST_TTL);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("api_key", self.api_key.expose())
            .append_pair("api_secret", self.api_secret.expose())
            .append_pair("from", self.from)
            .append_pair("to", self.to)
            .append_pair("text", self.text)
            .append_pair("client-ref", self.id.as_str())
            .append_pair("ttl", &ttl.to_string());
        if !gsm::carries(self.text) {
            form.append_pair("type", "unicode");
        }
        Zeroizing::new(form.finish())
    }
}

/// What came of a message, and whether somebody must look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub delivery: Delivery,
    /// Why the account is refused.
    pub alarm: Option<&'static str>,
}

impl From<Delivery> for Verdict {
    fn from(delivery: Delivery) -> Self {
        let alarm = match delivery {
            Delivery::Refused { reason } => Some(reason),
            _ => None,
        };
        Self { delivery, alarm }
    }
}

/// What an answer means.
pub fn judge(answer: &Response<Vec<u8>>) -> Verdict {
    let status = answer.status();
    if status.is_success() {
        return read(answer.body());
    }
    let delivery = match status {
        StatusCode::TOO_MANY_REQUESTS => not_now(retry_after(answer), "throttled"),
        StatusCode::SERVICE_UNAVAILABLE => not_now(retry_after(answer), "overloaded"),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => refused("credentials"),
        StatusCode::PAYMENT_REQUIRED => refused("credit"),
        // Gave up on us: who knows when.
        StatusCode::REQUEST_TIMEOUT => Delivery::Unknown,
        status if status.is_client_error() => refused("request"),
        // Nothing is followed: whoever answers so is no gateway.
        status if status.is_redirection() => refused("redirected"),
        _ => Delivery::Unknown,
    };
    delivery.into()
}

const fn not_now(retry_after: Option<Lifetime>, reason: &'static str) -> Delivery {
    Delivery::NotNow { retry_after, reason }
}

const fn refused(reason: &'static str) -> Delivery {
    Delivery::Refused { reason }
}

/// In seconds; dates are not understood, and then our own wait holds.
fn retry_after(answer: &Response<Vec<u8>>) -> Option<Lifetime> {
    let seconds = answer
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Lifetime::from_secs(seconds).min(LONGEST_WAIT))
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "message-count")]
    count: Option<Number>,
    messages: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    status: Number,
    #[serde(rename = "error-text")]
    error_text: Option<String>,
}

/// A number in quotes, as documented, or bare.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Number(u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InQuotesOrNot)
    }
}

struct InQuotesOrNot;

impl Visitor<'_> for InQuotesOrNot {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        text.parse().map(Number).map_err(|_| E::custom("no number"))
    }
}

/// Judges every part of the message by itself, and the message by its parts.
fn read(body: &[u8]) -> Verdict {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Delivery::Unknown.into();
    };
    let said = u64::try_from(answer.messages.len()).unwrap_or(u64::MAX);
    let is_whole = answer.count.is_none_or(|count| count.0 == said);
    let parts: Vec<Delivery> = answer.messages.iter().map(part).collect();
    let taken = parts.iter().filter(|part| **part == Delivery::Sent).count();
    let alarm = parts.iter().find_map(|part| match part {
        Delivery::Refused { reason } => Some(*reason),
        _ => None,
    });
    let delivery = if parts.is_empty() || !is_whole || (taken > 0 && taken < parts.len()) {
        // The part with the code may be the one that went.
        Delivery::Unknown
    } else {
        parts.into_iter().max_by_key(rank).unwrap_or(Delivery::Unknown)
    };
    Verdict { delivery, alarm }
}

/// What weighs more where nothing was taken: that which makes another attempt the least worth while.
const fn rank(part: &Delivery) -> u8 {
    match part {
        Delivery::Sent => 0,
        Delivery::NotNow { .. } => 1,
        Delivery::Unknown => 2,
        Delivery::Unreachable { .. } => 3,
        Delivery::Refused { .. } => 4,
    }
}

/// The statuses of the SMS API.
fn part(part: &Part) -> Delivery {
    let unreachable = |reason| Delivery::Unreachable { reason };
    match part.status.0 {
        0 => Delivery::Sent,
        1 => not_now(part.error_text.as_deref().and_then(wait_in), "throttled"),
        5 => not_now(None, "internal"),
        10 => not_now(None, "too_many_binds"),
        6 => unreachable("unroutable"),
        7 => unreachable("barred"),
        33 => unreachable("deactivated"),
        2 => refused("parameter_missing"),
        3 => refused("parameter_invalid"),
        4 => refused("credentials"),
        8 => refused("account_barred"),
        9 => refused("credit"),
        11 => refused("account_without_http"),
        12 => refused("too_long"),
        14 => refused("signature"),
        15 => refused("sender"),
        22 => refused("network_code"),
        23 => refused("callback"),
        29 => refused("not_on_white_list"),
        _ => refused("status_unknown"),
    }
}

/// The milliseconds in `… please wait [ 978 ] and retry`.
fn wait_in(text: &str) -> Option<Lifetime> {
    let (_, rest) = text.split_once('[')?;
    let (millis, _) = rest.split_once(']')?;
    Some(Lifetime::from_millis(millis.trim().parse().ok()?).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
