//! How settings are written: files, lines, variables, types.

use std::path::PathBuf;

use super::*;

#[test]
fn without_a_file_everything_has_its_default() {
    let config = load(None, &Environment::of([])).unwrap();
    assert_eq!(config.source, Source::Defaults);
    let config = config.config;
    assert_eq!(config.server.listen.to_string(), "localhost:3000");
    assert_eq!(config.server.public_url(3000), "http://localhost:3000");
    assert_eq!(config.storage.url.expose(), "sqlite://./data/portcullis.db");
    assert_eq!(config.sessions.url.expose(), "storage:");
    assert_eq!(
        (config.sms.kind.as_str(), config.mail.url.expose()),
        ("console", "console:")
    );
    assert_eq!(
        config.secrets.key_file,
        PathBuf::from("./data/keys/portcullis.key")
    );
    assert_eq!(
        (
            config.hash.memory_kib,
            config.hash.iterations,
            config.hash.parallelism
        ),
        (19_456, 2, 1)
    );
    assert_eq!(config.hash.queue, config.hash.workers * 32);
    assert_eq!(
        config.limits.login_per_address,
        Rate {
            burst: 20,
            per_seconds: 900
        }
    );
    let names: Vec<_> = config
        .users
        .iter()
        .map(|pool| (pool.plural.as_str(), pool.model_name.as_str()))
        .collect();
    assert_eq!(names, [("Users", "User")]);
}

#[test]
fn a_file_that_somebody_named_must_be_there() {
    let error = load(Some("/nowhere/at-all.toml".as_ref()), &Environment::of([]))
        .unwrap_err()
        .to_string();
    assert_eq!(error, "/nowhere/at-all.toml: there is no such configuration file");
    let named = Environment::of([("PORTCULLIS_CONFIG", "/nowhere/at-all.toml")]);
    assert!(load(None, &named).is_err());
}

#[test]
fn an_unknown_key_is_named_with_its_file_and_line() {
    refused(
        "[server]\n\nlisten = \":80\"\nlisten_on = 1\n",
        "portcullis.toml, line 4: unknown key `server.listen_on`: did you mean `server.listen`?",
    );
    refused(
        "[users.Employees]\nmaxTTL = 5\n",
        "portcullis.toml, line 2: unknown key `users.Employees.maxTTL`: did you mean `users.Employees.max_ttl`?",
    );
    refused(
        "ttl = 5\n",
        "portcullis.toml, line 1: unknown key `ttl`: did you mean `users.<Plural>.ttl`?",
    );
}

#[test]
fn a_section_of_another_version_is_unknown() {
    refused(
        "[kerberos]\nfile = \"providers.json\"\n",
        "portcullis.toml, line 1: unknown section `kerberos`: there is none of that name in this version \
         (docs/CONFIG.md lists all)",
    );
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    let says = |text: &str, sentence: &str| refused(text, &format!("portcullis.toml, line 2: {sentence}"));
    says(
        "[server]\nbody_limit = \"big\"",
        "`server.body_limit` must be a whole number, but is text",
    );
    says(
        "[server]\nbody_limit = 1.5",
        "`server.body_limit` must be a whole number, but is a decimal number",
    );
    says(
        "[server]\nbody_limit = 99999999999999999999",
        "`server.body_limit` must be a whole number, but is a number out of range",
    );
    says(
        "[server]\nlisten = 3000",
        "`server.listen` must be text, but is a number",
    );
    says(
        "[server]\nquery_token = \"true\"",
        "`server.query_token` must be true or false, but is text",
    );
    says(
        "[server]\ncors_origins = \"https://a.example\"",
        "`server.cors_origins` must be a list, but is text",
    );
    says(
        "[users]\nEmployees = 3",
        "`users.Employees` is a section, but here it is a number: set the keys below it",
    );
    says(
        "[storage]\nurl = { a = 1 }",
        "`storage.url` must be text, but is a section",
    );
    says(
        "[mail]\nfrom = \"a@b\\nBcc: c@d\"",
        "`mail.from` must not hold control characters",
    );
}

#[test]
fn numbers_have_bounds_and_other_spellings_are_read() {
    assert_eq!(
        config("[server]\nbody_limit = 200_000").server.body_limit,
        200_000
    );
    assert_eq!(config("[server]\nbody_limit = 0x10000").server.body_limit, 65_536);
    refused(
        "[server]\nbody_limit = -1",
        "portcullis.toml, line 2: `server.body_limit` must be between 1024 and 16777216, but is -1",
    );
}

#[test]
fn everything_wrong_is_said_at_once_in_the_order_of_the_lines() {
    let text =
        "[users.Users]\nttl = \"x\"\n[server]\nlisten = \"nowhere\"\nspeed = 9\n[log]\nlevel = \"loud\"\n";
    let variables = [("PORTCULLIS__HASH__WORKERS", "many")];
    let errors = load_with(text, &variables).unwrap_err();
    let starts: Vec<_> = errors
        .lines()
        .map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(": "))
        .collect();
    assert_eq!(starts.len(), 5, "{errors}");
    for (line, number) in starts.iter().zip([2, 4, 5, 7]) {
        assert!(
            line.starts_with(&format!("portcullis.toml, line {number}: ")),
            "{errors}"
        );
    }
    assert!(starts[4].starts_with("environment variable PORTCULLIS__HASH__WORKERS: `hash.workers` must be"));
}

#[test]
fn bad_toml_is_reported_by_line_without_quoting_it() {
    let error = errors("[sms]\napi_secret = hunter2\nfrom = \"x\"\nfrom = \"y\"\n");
    assert!(
        error.starts_with("portcullis.toml, line 2: this is not valid TOML"),
        "{error}"
    );
    assert!(error.contains("portcullis.toml, line 4"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_variable_beats_the_file() {
    let text = "[server]\nlisten = \":80\"\nbody_limit = 5000\n[server.tls]\n";
    let loaded = load_with(text, &[("PORTCULLIS__SERVER__LISTEN", ":81"), ("OTHER", "x")]).unwrap();
    assert_eq!(
        (loaded.config.server.listen.port, loaded.config.server.body_limit),
        (81, 5000)
    );
    assert_eq!(loaded.variables, 1);
}

#[test]
fn variables_are_read_as_the_type_of_their_key() {
    let config = config_of(&[
        ("PORTCULLIS__SERVER__BODY_LIMIT", "2048"),
        ("PORTCULLIS__SERVER__QUERY_TOKEN", "false"),
        (
            "PORTCULLIS__SERVER__CORS_ORIGINS",
            "https://a.example, https://b.example",
        ),
        ("PORTCULLIS__SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\", \"::1\"]"),
        ("PORTCULLIS__LIMITS__LOGIN_PER_ADDRESS__BURST", "7"),
    ]);
    assert_eq!(
        (config.server.body_limit, config.server.query_token),
        (2048, false)
    );
    assert_eq!(
        config.server.cors_origins,
        ["https://a.example", "https://b.example"]
    );
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(
        config.limits.login_per_address,
        Rate {
            burst: 7,
            per_seconds: 900
        }
    );
}

#[test]
fn a_fault_in_a_variable_names_the_variable() {
    assert_eq!(
        env_error("PORTCULLIS__SERVER__LISTN", "x"),
        "environment variable PORTCULLIS__SERVER__LISTN: unknown key `server.listn`: did you mean `PORTCULLIS__SERVER__LISTEN`?"
    );
    let places = [
        ("PORTCULLIS__SERVER__QUERY_TOKEN", "yes"),
        ("PORTCULLIS__SERVER", "x"),
        ("PORTCULLIS__USERS", "x"),
        ("PORTCULLIS__SERVER__CORS_ORIGINS", "[1"),
        ("PORTCULLIS__SERVER__LISTEN__PORT", "80"),
        ("PORTCULLIS__", "x"),
    ];
    for (name, value) in places {
        let error = env_error(name, value);
        assert!(
            error.starts_with(&format!("environment variable {name}: ")),
            "{error}"
        );
    }
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let loaded = load_with(
        "[server]\nlisten = \":80\"",
        &[("PORTCULLIS__SERVER__LISTEN", "")],
    )
    .unwrap();
    assert_eq!((loaded.config.server.listen.port, loaded.variables), (80, 0));
}

#[test]
fn two_variables_of_one_key_are_refused() {
    let twice = [
        ("PORTCULLIS__SERVER__LISTEN", ":80"),
        ("PORTCULLIS__server__listen", ":81"),
    ];
    let error = load_with("", &twice).unwrap_err();
    assert_eq!(
        error,
        "environment variable PORTCULLIS__server__listen: PORTCULLIS__SERVER__LISTEN sets the same key: keep one"
    );
}
