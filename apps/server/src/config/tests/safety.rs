//! Second factors, sessions, passwords and the audit log.

use super::*;
use crate::config::safety::Safety;

#[test]
fn accounts_are_kept_safe_without_a_word_of_configuration() {
    let config = config("");
    let Safety {
        second_factor_kinds,
        trust_device,
        passkey_login,
        magic_link,
        step_up,
        notices,
        ..
    } = &pool(&config, "Users").safety;
    assert_eq!(second_factor_kinds.len(), 4);
    assert_eq!(step_up.len(), 7);
    assert_eq!(
        (*trust_device, *passkey_login, *magic_link, *notices),
        (0, true, false, true)
    );
    assert_eq!(pool(&config, "Users").lives.idle_timeout, 0);
    assert!(config.passwords.breached_file.is_none() && config.passwords.breached_url.is_none());
    assert_eq!(config.limits.login_per_pool.map(|rate| rate.burst), Some(3000));
    assert_eq!(
        (
            config.server.service_name.as_str(),
            config.server.language.as_str()
        ),
        ("Portcullis", "en")
    );
}

#[test]
fn lists_of_words_can_be_empty_and_stand_in_the_environment() {
    let config = load_with(
        "[users.Users]\nstep_up = []\n",
        &[("PORTCULLIS__USERS__USERS__SECOND_FACTOR_KINDS", "totp, passkey")],
    );
    let config = config.unwrap().config;
    let safety = &pool(&config, "Users").safety;
    assert!(safety.step_up.is_empty());
    assert_eq!(safety.second_factor_kinds, ["totp", "passkey"]);
}

#[test]
fn settings_that_would_lock_people_out_or_thieves_in_are_refused() {
    let says = |text: &str, sentence: &str| {
        let error = errors(&format!("[users.Users]\n{text}\n"));
        assert!(error.contains(sentence), "{error}");
    };
    says(
        "second_factor_kinds = [\"sms\", \"face\"]",
        "must hold some of sms, totp, recovery, passkey, but has `face`",
    );
    says(
        "second_factor = \"required\"\nsecond_factor_kinds = [\"recovery\", \"passkey\"]",
        "has no kind that somebody without one could log in with",
    );
    says("step_up = [\"login\"]", "but has `login`");
    says("magic_link_ttl = 601", "must be between 60 and 600");
    says("idle_timeout = 59", "must be 0 or at least 60");
    says(
        "max_ttl = 600\nttl = 60\naccess_token_ttl = 601",
        "`users.Users.access_token_ttl` is longer than `max_ttl` (600)",
    );
    says(
        "refresh_token_ttl = 100\nrefresh_token_max_ttl = 99",
        "is longer than `refresh_token_max_ttl` (99)",
    );
    says("refresh_grace = 301", "must be between 0 and 300");
    let short = config("[users.Users]\nmax_ttl = 600\n");
    assert_eq!(pool(&short, "Users").lives.page_ttl, 600);
}

#[test]
fn a_limit_for_a_whole_pool_can_be_switched_off() {
    assert_eq!(
        config("[limits.login_per_pool]\nburst = 0\n")
            .limits
            .login_per_pool,
        None
    );
}

#[test]
fn events_go_to_a_file_of_their_own() {
    let error = errors("[audit]\nfile = \"-\"\n");
    assert!(
        error.contains("standard output belongs to the console"),
        "{error}"
    );
    let error = errors("[audit]\nfile = \"/nowhere/at/all/audit.jsonl\"\n");
    assert!(
        error.contains("`audit.file` stands in /nowhere/at/all, which is not a folder"),
        "{error}"
    );
    let summary = load_with("[audit]\nfile = \"audit.jsonl\"\n", &[])
        .unwrap()
        .summary();
    assert!(summary.contains("audit.jsonl"), "{summary}");
}

#[test]
fn whoever_is_told_or_signed_for_stands_in_the_summary_and_no_secret_does() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let hook = format!("[[webhooks]]\nname = \"shop\"\nurl = \"https://a.example\"\nsecret = \"{secret}\"\n");
    let jwt = "[jwt]\naudiences = [\"orders\"]\n";
    let summary = load_with(&format!("{jwt}{hook}"), &[]).unwrap().summary();
    for line in ["tokens for      orders", "webhooks        shop"] {
        assert!(summary.contains(line), "{summary}");
    }
    assert!(!summary.contains(secret), "{summary}");
}

#[test]
fn ranges_are_asked_for_by_https_and_words_are_words() {
    for good in [
        "https://api.pwnedpasswords.com/range/",
        "http://127.0.0.1:8080/range",
        "http://localhost/r",
    ] {
        let config = config(&format!("[passwords]\nbreached_url = \"{good}\"\n"));
        assert_eq!(
            config.passwords.breached_url.as_deref(),
            Some(good.trim_end_matches('/'))
        );
    }
    for bad in [
        "http://ranges.example/range",
        "ranges.example",
        "ftp://localhost/",
        "https://me:x@ranges.example/",
        "https://r.example/?x",
    ] {
        let error = errors(&format!("[passwords]\nbreached_url = \"{bad}\"\n"));
        assert!(
            error.contains("must be an https address, or http on this machine"),
            "{error}"
        );
        assert!(!error.contains("me:x"), "{error}");
    }
    let error = errors("[passwords]\ncontext_words = [\"Example Works\", \"ab\"]\n");
    assert!(error.contains("but has `ab`"), "{error}");
}

#[test]
fn a_service_has_a_name_that_apps_can_show() {
    for bad in ["a:b", " x", &"n".repeat(65)] {
        let error = errors(&format!("[server]\nname = \"{bad}\"\n"));
        assert!(error.contains("`server.name` must have 64 characters"), "{error}");
    }
    let error = errors("[server]\nlanguage = \"de-DE\"\n");
    assert!(error.contains("must be a language such as"), "{error}");
}
