//! `[users.<Plural>]`: how long sessions live, beside the settings that LoopBack has.

use super::read::Reader;

/// A year, in seconds.
const YEAR: u64 = 31_536_000;

/// Lives of sessions and refresh tokens, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    /// How long a session may lie unused; 0 for as long as it lives.
    pub idle_timeout: u64,
    /// Life of a session begun on the pages without "keep me logged in".
    pub page_ttl: u64,
    /// Life of an access token that a refresh token renews.
    pub access_token_ttl: u64,
    /// How long a refresh token may lie unused.
    pub refresh_token_ttl: u64,
    /// How long a login lives by refresh tokens at most.
    pub refresh_token_max_ttl: u64,
    /// How long the answer to a refresh may be asked for again.
    pub refresh_grace: u64,
}

impl Lives {
    /// Reads them for a pool whose sessions live for `max_ttl` at most.
    pub(super) fn read(reader: &mut Reader, max_ttl: u64) -> Self {
        // As for `ttl`: a default gives way to a lower maximum, a chosen number above it is an error.
        let mut life = |key, default: u64| {
            let chosen = reader.number_shown(key, &default.to_string(), default.min(max_ttl), 1..=YEAR);
            if chosen > max_ttl {
                reader.refuse(key, format!("is longer than `max_ttl` ({max_ttl})"));
            }
            chosen
        };
        let lives = Self {
            page_ttl: life("page_ttl", 43_200),
            access_token_ttl: life("access_token_ttl", 900),
            idle_timeout: reader.number("idle_timeout", 0, 0..=YEAR),
            refresh_token_ttl: reader.number("refresh_token_ttl", 2_592_000, 60..=YEAR),
            refresh_token_max_ttl: reader.number("refresh_token_max_ttl", YEAR, 60..=10 * YEAR),
            refresh_grace: reader.number("refresh_grace", 30, 0..=300),
        };
        if (1..60).contains(&lives.idle_timeout) {
            reader.refuse(
                "idle_timeout",
                "must be 0 or at least 60: uses are not noted more often",
            );
        }
        if lives.refresh_token_ttl > lives.refresh_token_max_ttl {
            let most = lives.refresh_token_max_ttl;
            reader.refuse(
                "refresh_token_ttl",
                format!("is longer than `refresh_token_max_ttl` ({most})"),
            );
        }
        lives
    }
}
