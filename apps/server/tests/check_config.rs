//! `portcullis check-config` as an operator meets it: what it prints where, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in `folder` with nothing in its environment but `variables`.
fn check(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (
        status.code().unwrap(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

#[test]
fn a_fine_configuration_is_summed_up_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = check(folder.path(), &["check-config"], &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        out.starts_with("The configuration is fine (built-in defaults).\n"),
        "{out}"
    );
    assert!(
        out.contains("http://localhost:3000") && out.contains("/api/Users (User)"),
        "{out}"
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "checking must not make anything"
    );
}

#[test]
fn a_faulty_configuration_is_told_on_standard_error_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("portcullis.toml"),
        "[server]\nlisen = \":80\"\n",
    )
    .unwrap();
    let (code, out, err) = check(
        folder.path(),
        &["check-config"],
        &[("PORTCULLIS__LOG__LEVEL", "loud")],
    );
    assert_eq!((code, out.as_str()), (1, ""));
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(
        lines[0],
        "portcullis: ./portcullis.toml, line 2: unknown key `server.lisen`: did you mean `server.listen`?"
    );
    assert!(
        lines[1].starts_with("portcullis: environment variable PORTCULLIS__LOG__LEVEL: `log.level` must be"),
        "{err}"
    );
}

#[test]
fn the_file_can_be_named_by_flag_or_variable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), "[server]\nlisten = \":8001\"\n").unwrap();
    fs::write(folder.path().join("b.toml"), "[server]\nlisten = \":8002\"\n").unwrap();
    let named = [("PORTCULLIS_CONFIG", "b.toml")];
    let (_, by_variable, _) = check(folder.path(), &["check-config"], &named);
    let (_, by_flag, _) = check(folder.path(), &["check-config", "--config", "a.toml"], &named);
    assert!(
        by_variable.contains(":8002") && by_flag.contains(":8001"),
        "{by_variable}{by_flag}"
    );
    let (code, _, err) = check(folder.path(), &["--config", "gone.toml", "check-config"], &[]);
    assert_eq!(
        (code, err.as_str()),
        (1, "portcullis: gone.toml: there is no such configuration file\n")
    );
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(check(folder.path(), &["chek-config"], &[]).0, 2);
    let (code, out, _) = check(folder.path(), &["--help"], &[]);
    assert!(
        code == 0 && out.contains("check-config") && out.contains("--config"),
        "{out}"
    );
}

#[test]
fn providers_are_judged_along_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("providers.json");
    let entry = |further: &str| {
        format!(
            r#"{{"github-login": {{"provider": "github", "module": "passport-github2", "clientID": "id",
                "clientSecret": "{{secret}}"{further}}}}}"#
        )
    };
    fs::write(&file, entry("")).unwrap();
    let (code, out, err) = check(folder.path(), &["check-config"], &[]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("/auth/github-login logs in to Users (github-login)"),
        "{out}"
    );
    assert!(
        err.starts_with("warning: ./providers.json: entry `github-login`: `clientSecret` is a placeholder"),
        "{err}"
    );
    fs::write(
        &file,
        entry(r#", "callbackURL": "http://login.example.com/cb", "scopes": []"#),
    )
    .unwrap();
    let (code, out, err) = check(folder.path(), &["check-config"], &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    let faults: Vec<_> = err.lines().filter(|line| !line.contains("(warning)")).collect();
    assert_eq!(faults.len(), 2, "{err}");
    assert!(
        faults
            .iter()
            .all(|line| line.starts_with("portcullis: ./providers.json: entry `github-login`: `")),
        "{err}"
    );
    assert!(err.contains("did you mean `scope`?"), "{err}");
    let named = [("PORTCULLIS__PROVIDERS__FILE", "gone.json")];
    let (code, _, err) = check(folder.path(), &["check-config"], &named);
    assert_eq!(
        (code, err.as_str()),
        (
            1,
            "portcullis: `providers.file` names gone.json, which is not there\n"
        )
    );
}
