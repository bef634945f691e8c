//! What settings mean: addresses, secrets, limits, warnings.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn limits_keep_their_order_and_hashes_their_price() {
    let error = errors("[limits.login_per_account]\nwait_seconds = 10\nmax_wait_seconds = 5\n");
    assert!(
        error.contains("line 2: `limits.login_per_account.wait_seconds` is longer"),
        "{error}"
    );
    assert!(errors("[limits.login_per_account]\nforget_seconds = 60\n").contains("outlive"));
    assert!(errors("[limits.login_per_account]\nfree = 101\n").contains("between 1 and 100"));
    assert!(errors("[hash]\nmemory_kib = 7168\niterations = 4\n").contains("too cheap"));
    assert!(errors("[hash]\nmemory_kib = 262144\niterations = 5\n").contains("too long"));
    assert_eq!(
        config("[hash]\nmemory_kib = 7168\niterations = 5\nworkers = 3\n")
            .hash
            .queue,
        96
    );
}

#[test]
fn the_public_address_is_safe_and_bare() {
    let says = |keys: &str, sentence: &str| {
        let error = errors(&format!("[server]\n{keys}"));
        assert!(error.contains(sentence), "{error}");
    };
    says(
        "public_url = \"http://login.example.com\"",
        "line 2: `server.public_url` is `http://login.example.com`: plain http",
    );
    says(
        "public_url = \"https://login.example.com/auth\"",
        "without a path or a query",
    );
    says(
        "public_url = \"login.example.com\"",
        "must be an http or https address",
    );
    says(
        "cors_origins = [\n\"https://a.example\",\n\"*\"]",
        "line 4: `server.cors_origins` must not hold `*`",
    );
    says(
        "redirect_origins = [\"https://a.example/x\"]",
        "without a path or a query",
    );
    says("trusted_proxies = [\"0.0.0.0/0\"]", "trusts everybody");
    let insecure = "[server]\npublic_url = \"http://login.lan/\"\nallow_insecure_http = true";
    assert_eq!(config(insecure).server.public_url(3000), "http://login.lan");
}

#[test]
fn tls_needs_both_files_and_an_https_address() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.pem");
    fs::write(&file, "x").unwrap();
    let file = file.display();
    assert!(
        errors(&format!("[server.tls]\ncert = \"{file}\""))
            .contains("`server.tls.cert` is given without `server.tls.key`")
    );
    assert!(errors(&format!("[server]\ntls.key = \"{file}\"")).contains("`server.tls.key` is given without"));
    let both = format!("tls = {{ cert = \"{file}\", key = \"{file}\" }}\n");
    assert_eq!(
        config(&format!("[server]\n{both}")).server.public_url(9),
        "https://localhost:9"
    );
    assert!(errors(&format!("[server]\n{both}public_url = \"http://localhost\"")).contains("write https"));
    let gone = errors("[server.tls]\ncert = \"/nowhere/c.pem\"\nkey = \"/nowhere/k.pem\"");
    assert!(
        gone.contains("`server.tls.cert` names /nowhere/c.pem") && gone.contains("`server.tls.key` names"),
        "{gone}"
    );
    assert!(errors("[server]\nstatic_dir = \"/nowhere\"").contains("is not a folder"));
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "hunter2\n").unwrap();
    let line = format!("[sms]\napi_secret_file = \"{}\"\n", file.display());
    assert_eq!(config(&line).sms.api_secret.unwrap().expose(), "hunter2");
    let both = load_with(&line, &[("PORTCULLIS__SMS__API_SECRET", "other")]).unwrap_err();
    assert!(both.contains("line 2: `sms.api_secret_file` and `api_secret` (environment variable PORTCULLIS__SMS__API_SECRET) are both given"), "{both}");
    fs::write(&file, "\n").unwrap();
    assert!(errors(&line).contains("which is empty"));
    assert!(
        errors("[mail]\nurl_file = \"/nowhere\"")
            .contains("`mail.url_file` names /nowhere, which cannot be read")
    );
}

#[test]
fn no_secret_is_ever_shown() {
    let text = "[sms]\napi_key = \"hunter2\"\napi_secret = \"hunter2\"\n\
                [storage]\nurl = \"postgres://me:hunter2@db/users?password=hunter2\"\n\
                [mail]\nurl = \"smtps://me:hunter2@mail.example\"\n";
    let loaded = load_with(text, &[]).unwrap();
    assert!(!format!("{loaded:?}").contains("hunter2"));
    let summary = loaded.summary();
    assert!(
        !summary.contains("hunter2") && summary.contains("postgres://db/users"),
        "{summary}"
    );
    assert!(
        loaded
            .warnings
            .iter()
            .any(|warning| warning.contains("can be read by other users"))
    );
    for wrong in [
        "[storage]\nurl = \"hunter2\"",
        "[sms]\napi_secret = \"hunter2\\n\"",
        "[sms]\nhunter = { x = \"hunter2\" }",
    ] {
        assert!(!errors(wrong).contains("hunter2"), "{wrong}");
    }
}

#[test]
fn a_mistyped_log_level_is_not_taken_for_a_module() {
    assert!(
        errors("[log]\nlevel = \"verbose\"").contains("must be one of off, error, warn, info, debug, trace")
    );
    assert_eq!(
        config("[log]\nlevel = \"info,http_warp=debug\"").log.level,
        "info,http_warp=debug"
    );
    assert!(errors("[log]\nlevel = \"http_warp=loud\"").contains("line 2: `log.level`"));
}

#[test]
fn risky_choices_are_warned_of() {
    let warned = |text: &str, part: &str| {
        let warnings = load_with(text, &[]).unwrap().warnings;
        assert!(
            warnings.iter().any(|warning| warning.contains(part)),
            "{warnings:?}"
        );
    };
    warned(
        "[server]\nlisten = \":3000\"",
        "links in mails will say localhost",
    );
    warned(
        "[server]\npublic_url = \"https://login.example.com\"",
        "share its limits",
    );
    warned(
        "[server]\npublic_url = \"https://login.example.com\"",
        "reads everybody's codes",
    );
    warned("[limits]\nenabled = false", "guessed without end");
    assert_eq!(load_with("", &[]).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn a_private_file_with_secrets_is_not_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.toml");
    fs::write(&path, "[sms]\napi_key = \"hunter2\"\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let warnings = load(Some(&path), &Environment::of([])).unwrap().warnings;
    assert!(
        !warnings.iter().any(|warning| warning.contains("other users")),
        "{warnings:?}"
    );
}
