//! Moving to another store: nobody registers, logs in or links again.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Stdio;

use e2e::{Counterparty, PASSWORD, Portcullis, Setup};
use serde_json::json;

use crate::providers::entries::{self, arrive, file, json_entry};

/// Lets a server finish, as an operator does before moving.
pub async fn stop(mut server: Portcullis) -> Setup {
    server.ask_to_end();
    assert!(server.ended().await.success());
    server.same_setup()
}

pub async fn done(setup: &Setup, arguments: &[&str]) -> String {
    let (status, said) = setup.run(arguments).await;
    assert!(status.success(), "{arguments:?}: {said}");
    said
}

pub async fn refused(setup: &Setup, arguments: &[&str]) -> String {
    let (status, said) = setup.run(arguments).await;
    assert_eq!(status.code(), Some(1), "{arguments:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// The lines between the first and the last, in an order that is the same for all stores.
pub fn records(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    assert!(lines.pop().unwrap().starts_with("{\"end\":"), "it is whole");
    lines.sort_unstable();
    lines
}

/// Carries the key file from one home to another, as an operator would by another way than the export.
pub fn carry_keys(from: &Setup, to: &Setup) {
    let place = |setup: &Setup| setup.home().join("data/keys/portcullis.key");
    let folder = to.home().join("data/keys");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .unwrap();
    fs::copy(place(from), place(to)).unwrap();
}

#[tokio::test]
async fn after_a_move_passwords_tokens_links_grants_and_applications_work_as_before() {
    let party = Counterparty::social().await;
    let entries_of = || file([("facebook", json_entry(entries::facebook(&party)))]);
    let server = entries::server(entries_of()).await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let (token, ended) = (client.log_in(&ann).await, client.log_in(&ann).await);
    let logout = client.with(&ended).post("/api/Users/logout", json!({})).await;
    logout.expect(204).done();
    let linked = arrive(&server, "facebook").await;
    let grant = entries::fresh(&server, &linked, "facebook")
        .await
        .expect(200)
        .at("access_token");
    let source = server.same_setup();
    done(&source, &["app", "create", "shop"]).await;
    stop(server).await;

    done(&source, &["export", "--out", "all.jsonl"]).await;
    let all = source.home().join("all.jsonl");
    assert_eq!(fs::metadata(&all).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&all).unwrap();
    for secret in [&token, &grant, PASSWORD] {
        assert!(!text.contains(secret), "nothing is in clear");
    }

    let target = Portcullis::setup().providers(&entries_of());
    let all = all.to_str().unwrap();
    let said = done(&target, &["import", all, "--dry-run"]).await;
    assert!(
        said.contains("would be written: 5") && said.contains("sealed secrets need the key"),
        "{said}"
    );
    carry_keys(&source, &target);
    let said = done(&target, &["import", all]).await;
    assert!(
        said.contains("verified: 2 users, 1 application, 2 sessions were read back"),
        "{said}"
    );
    assert!(!said.contains("warning"), "{said}");

    let server = target.start().await;
    let client = server.client();
    assert!(client.opens(&token, &ann).await);
    assert!(!client.opens(&ended, &ann).await);
    client.log_in(&ann).await;
    assert_eq!(entries::identities(&server, &linked).await.len(), 1);
    let opened = entries::fresh(&server, &linked, "facebook")
        .await
        .expect(200)
        .at("access_token");
    assert_eq!(opened, grant);
    assert_eq!(arrive(&server, "facebook").await.user, linked.user);
    assert!(done(&target, &["app", "list"]).await.contains("shop"));
}

#[tokio::test]
async fn nothing_is_overwritten_and_whoever_logged_out_since_stays_out() {
    let server = Portcullis::start().await;
    let (ann, bob) = (
        server.client().sign_up("ann").await,
        server.client().sign_up("bob").await,
    );
    let (of_ann, of_bob) = (
        server.client().log_in(&ann).await,
        server.client().log_in(&bob).await,
    );
    let source = stop(server).await;
    done(&source, &["export", "--out", "all.jsonl"]).await;
    let all = source.home().join("all.jsonl");
    let all = all.to_str().unwrap();

    let target = Portcullis::setup();
    done(&target, &["import", all]).await;
    let said = done(&target, &["import", all]).await;
    assert!(
        said.contains("written: 0; there already and the same: 4"),
        "{said}"
    );

    // People are served, and somebody imports once more.
    let server = target.start().await;
    let logout = server
        .client()
        .with(&of_bob)
        .post("/api/Users/logout", json!({}))
        .await;
    logout.expect(204).done();
    stop(server).await;
    let said = done(&target, &["import", all, "--resume"]).await;
    assert!(
        said.contains("sessions left out: 1, they were ended here"),
        "{said}"
    );
    let server = target.start().await;
    let changed = server
        .client()
        .with(&of_ann)
        .patch(&ann.path(), json!({ "colour": "blue" }))
        .await;
    changed.expect(200).done();
    stop(server).await;
    let said = refused(&target, &["import", all]).await;
    let told = format!("user Users/{}: another record of this id is there", ann.id);
    assert!(said.contains(&told) && said.contains("NOT verified"), "{said}");
    assert!(!said.contains("ann@"), "ids alone: {said}");

    let server = target.start().await;
    let client = server.client();
    assert!(client.opens(&of_ann, &ann).await && !client.opens(&of_bob, &bob).await);
    assert_eq!(client.with(&of_ann).get(&ann.path()).await.at("colour"), "blue");
}

#[tokio::test]
async fn a_changed_cut_or_foreign_file_is_refused_by_its_line_and_nothing_is_written() {
    let server = Portcullis::start().await;
    let ann = server.client().sign_up("ann").await;
    let source = stop(server).await;
    done(&source, &["export", "--out", "all.jsonl"]).await;
    let whole = fs::read_to_string(source.home().join("all.jsonl")).unwrap();
    let target = Portcullis::setup();
    let cut = &whole[..whole.rfind("{\"end\"").unwrap()];
    let changed = whole.replace("ann@example.com", "eve@example.com");
    let other_pool = whole.replace("\"Users\"", "\"Strangers\"");
    for (text, line) in [
        (cut, "line 3: the file ends here"),
        (&changed, "line 3: the digest of the users is another"),
        (&other_pool, "line 3: the digest of the users is another"),
        ("{\"hello\":1}\n", "line 1: this is no export of Portcullis"),
        ("", "line 1: the file is empty"),
    ] {
        fs::write(target.home().join("bad.jsonl"), text).unwrap();
        let said = refused(&target, &["import", "bad.jsonl"]).await;
        assert!(said.contains(line), "{said}");
    }
    assert!(
        refused(&target, &["import", "nowhere.jsonl"])
            .await
            .contains("nowhere.jsonl")
    );
    assert!(
        refused(&target, &["import", "."])
            .await
            .contains("a folder cannot be imported")
    );
    let server = target.start().await;
    assert_eq!(server.client().try_password(&ann, PASSWORD).await, 401);
}

#[tokio::test]
async fn users_of_a_pool_that_is_not_configured_are_not_imported() {
    let config = "[users.Users]\n[users.Members]\n";
    let server = Portcullis::with(config).await;
    server.client().sign_up_in("Members", "ann").await;
    let source = stop(server).await;
    done(&source, &["export", "--out", "all.jsonl"]).await;
    let all = source.home().join("all.jsonl");
    let target = Portcullis::setup();
    let said = refused(&target, &["import", all.to_str().unwrap()]).await;
    assert!(said.contains("Add [users.Members] to it"), "{said}");
    let target = target.config(config);
    done(&target, &["import", all.to_str().unwrap()]).await;
}

#[tokio::test]
async fn one_command_pipes_into_the_other() {
    let server = Portcullis::start().await;
    let ann = server.client().sign_up("ann").await;
    let token = server.client().log_in(&ann).await;
    let (source, target) = (stop(server).await, Portcullis::setup());
    let mut exporting = source.command(&["export"]).spawn().unwrap();
    let pipe = exporting.stdout.take().unwrap();
    let mut import = target.command(&["import", "-"]);
    let imported = import.stdin(Stdio::from(pipe)).output().unwrap();
    assert!(exporting.wait().unwrap().success());
    let said = String::from_utf8_lossy(&imported.stdout).into_owned();
    assert!(imported.status.success() && said.contains("verified"), "{said}");
    let server = target.start().await;
    assert!(server.client().opens(&token, &ann).await);
    // Standard output holds the export and nothing else, and a quiet command is quiet.
    let quiet = source.command(&["export", "--quiet"]).output().unwrap();
    assert!(quiet.stdout.starts_with(b"{\"header\":") && quiet.stdout.ends_with(b"\"}}\n"));
    assert!(
        quiet.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&quiet.stderr)
    );
}

#[tokio::test]
async fn a_store_that_a_server_holds_for_itself_is_not_exported() {
    let server = Portcullis::start().await;
    let setup = server.same_setup();
    let said = if setup.keeps_to_its_folder() {
        refused(&setup, &["export", "--out", "all.jsonl"]).await
    } else {
        done(&setup, &["export", "--out", "all.jsonl"]).await
    };
    let whole = setup.home().join("all.jsonl").exists();
    assert_eq!(whole, !setup.keeps_to_its_folder(), "{said}");
    if setup.keeps_to_its_folder() {
        assert!(said.contains("is in use"), "{said}");
    }
    let memory = Portcullis::setup().config("[storage]\nurl = \"memory:\"\n[sessions]\nurl = \"memory:\"");
    if setup.keeps_to_its_folder() {
        let said = refused(&memory, &["export", "--out", "all.jsonl"]).await;
        assert!(said.contains("lives and dies with the server"), "{said}");
    }
}
