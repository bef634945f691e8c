//! What operators do at the command line: users, roles, sessions.

use e2e::{Client, PASSWORD, Person, Portcullis, in_link};
use serde_json::{Value, json};

/// Runs a command beside the server; what it said.
async fn done(server: &Portcullis, arguments: &[&str]) -> String {
    let (status, said) = server.same_setup().run(arguments).await;
    assert!(status.success(), "{arguments:?}: {said}");
    said
}

async fn refused(server: &Portcullis, arguments: &[&str]) -> String {
    let (status, said) = server.same_setup().run(arguments).await;
    assert!(!status.success(), "{arguments:?}: {said}");
    said
}

/// The same with `--json`: what scripts read. Notes for people stand around it.
pub async fn told(server: &Portcullis, arguments: &[&str]) -> Value {
    let said = done(server, &[arguments, &["--json"]].concat()).await;
    let starts = said.match_indices(['{', '[']).map(|(at, _)| at);
    let mut read = starts.filter_map(|at| {
        let mut values = serde_json::Deserializer::from_str(&said[at..]).into_iter::<Value>();
        values.next()?.ok()
    });
    read.next().unwrap_or_else(|| panic!("no JSON: {said}"))
}

fn names(list: &Value, name: &str) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| one[name].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Somebody made at the command line, once they set their password.
fn as_made(made: &Value) -> Person {
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Person {
        pool: format!("/api/{}", text("pool")),
        id: text("id"),
        email: text("email"),
        password: PASSWORD.to_owned(),
    }
}

/// Sets a password by the nth link that was mailed to an address.
async fn set_password(server: &Portcullis, address: &str, nth: usize, password: &str) {
    let token = in_link(&server.console().link(address, nth).await, "token");
    set_password_by(server, &token, password).await;
}

async fn set_password_by(server: &Portcullis, token: &str, password: &str) {
    let client = server.client().with(token);
    let body = json!({ "newPassword": password });
    client
        .post("/api/Users/reset-password", body)
        .await
        .expect(204)
        .done();
}

async fn roles_at_the_gate(client: &Client, token: &str) -> String {
    let checked = client.with(token).get("/auth/check").await.expect(200);
    checked.header("x-user-roles").to_owned()
}

#[tokio::test]
async fn the_first_administrator_is_made_in_one_go_and_sets_a_password_by_mail() {
    let server = Portcullis::start().await;
    let root = "root@example.com";
    let made = told(&server, &["user", "create", root, "--admin"]).await;
    assert_eq!(made["roles"], json!(["admin"]));
    assert_eq!(made["hasPassword"], false);
    set_password(&server, root, 0, PASSWORD).await;
    let client = server.client();
    client.sign_up("somebody").await;
    let token = client.log_in(&as_made(&made)).await;
    assert_eq!(roles_at_the_gate(&client, &token).await, "admin");
    let all = client.with(&token).get("/api/Users").await.expect(200).json();
    assert_eq!(
        all.as_array().map(Vec::len),
        Some(2),
        "they may list users: {all}"
    );
    let again = told(
        &server,
        &["user", "create", "two@example.com", "--admin", "--no-mail"],
    )
    .await;
    assert_eq!(again["roles"], json!(["admin"]));
    let roles = told(&server, &["role", "list"]).await;
    assert_eq!(names(&roles, "name"), ["admin"], "one role, made once");
    assert_eq!(roles[0]["members"], 2);
}

#[tokio::test]
async fn a_user_is_shown_listed_and_found_by_whatever_names_them() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    client.sign_up("bob").await;
    for name in [ann.id.as_str(), "ann@example.com", "Users/ann@example.com"] {
        let shown = told(&server, &["user", "show", name]).await;
        assert_eq!((&shown["id"], &shown["pool"]), (&json!(ann.id), &json!("Users")));
        assert!(!shown.to_string().contains("argon2"), "{shown}");
    }
    let listed = told(&server, &["user", "list"]).await;
    assert_eq!(names(&listed, "email").len(), 2);
    let page = told(&server, &["user", "list", "--limit", "1"]).await;
    let rest = told(
        &server,
        &["user", "list", "--after", page[0]["id"].as_str().unwrap()],
    )
    .await;
    assert_eq!(
        [page, rest].map(|page| page.as_array().map(Vec::len)),
        [Some(1); 2]
    );
    let table = done(&server, &["user", "list"]).await;
    assert!(
        table.contains("EMAIL") && table.contains("ann@example.com"),
        "{table}"
    );
    let said = refused(&server, &["user", "show", "nobody@example.com"]).await;
    assert!(said.contains("there is no user `nobody@example.com`"), "{said}");
}

#[tokio::test]
async fn whoever_is_disabled_is_out_at_once_and_whoever_is_enabled_logs_in_again() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let session = client.log_in(&ann).await;
    done(&server, &["user", "disable", &ann.email]).await;
    assert!(!client.opens(&session, &ann).await);
    assert_ne!(client.try_password(&ann, PASSWORD).await, 200);
    assert!(told(&server, &["user", "show", &ann.email]).await["disabled"].is_string());
    let said = refused(&server, &["user", "set-password", &ann.email]).await;
    assert!(said.contains("enable the user first"), "{said}");
    done(&server, &["user", "enable", &ann.email]).await;
    assert!(!client.opens(&session, &ann).await, "what was ended stays ended");
    assert_eq!(client.try_password(&ann, PASSWORD).await, 200);
    let log = done(&server, &["audit", "--user", &ann.email]).await;
    for kind in ["user.disabled", "user.enabled", "operator"] {
        assert!(log.contains(kind), "{kind}: {log}");
    }
}

#[tokio::test]
async fn a_password_is_set_by_its_owner_from_a_mailed_link() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let mails = server.console().mails(&ann.email).len();
    done(&server, &["user", "set-password", &ann.email]).await;
    set_password(&server, &ann.email, mails, "another long password").await;
    assert_eq!(client.try_password(&ann, PASSWORD).await, 401);
    assert_eq!(client.try_password(&ann, "another long password").await, 200);
    let (status, _) = server
        .same_setup()
        .run(&["user", "set-password", &ann.email, "hunter2"])
        .await;
    assert_eq!(
        status.code(),
        Some(2),
        "a password has no place among the arguments"
    );
}

#[tokio::test]
async fn failed_tries_are_forgiven() {
    let server = Portcullis::setup().limited().start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    for _ in 0..40 {
        if client.try_password(&ann, "not the password").await == 429 {
            break;
        }
    }
    done(&server, &["user", "unlock", &ann.email]).await;
    let log = done(&server, &["audit", "--kind", "user.unlocked"]).await;
    assert!(log.contains("operator"), "{log}");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let first = client.log_in(&ann).await;
    let listed = told(&server, &["session", "list", &ann.email]).await;
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    let second = client.log_in(&ann).await;
    let said = refused(&server, &["session", "revoke", &ann.email, &id]).await;
    assert!(said.contains("--yes"), "{said}");
    done(&server, &["session", "revoke", &ann.email, &id, "--yes"]).await;
    let opens = [
        client.opens(&first, &ann).await,
        client.opens(&second, &ann).await,
    ];
    assert_eq!(opens, [false, true]);
    let said = refused(&server, &["session", "revoke", &ann.email, &id, "--yes"]).await;
    assert!(said.contains("has no session"), "{said}");
    done(&server, &["session", "revoke", &ann.email, "--all", "--yes"]).await;
    assert!(!client.opens(&second, &ann).await);
    let third = client.log_in(&ann).await;
    done(&server, &["user", "revoke", &ann.email, "--yes"]).await;
    assert!(!client.opens(&third, &ann).await);
    let left = told(&server, &["session", "list", &ann.email]).await;
    assert_eq!(left, json!([]));
}

#[tokio::test]
async fn a_user_is_deleted_only_when_it_is_meant() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    done(&server, &["role", "create", "clerk"]).await;
    done(&server, &["role", "grant", "clerk", &ann.email]).await;
    let said = refused(&server, &["user", "delete", &ann.email]).await;
    assert!(said.contains("--yes"), "{said}");
    assert_eq!(client.try_password(&ann, PASSWORD).await, 200);
    let gone = told(&server, &["user", "delete", &ann.email, "--yes"]).await;
    assert_eq!(gone["deleted"], json!(ann.id));
    assert_eq!(client.try_password(&ann, PASSWORD).await, 401);
    assert_eq!(told(&server, &["role", "members", "clerk"]).await, json!([]));
}

#[tokio::test]
async fn roles_are_given_and_taken_and_count_at_once() {
    let server = Portcullis::start().await;
    let client = server.client();
    let ann = client.sign_up("ann").await;
    let token = client.log_in(&ann).await;
    done(
        &server,
        &["role", "create", "clerk", "--description", "Of orders"],
    )
    .await;
    done(&server, &["role", "create", "boss"]).await;
    let said = refused(&server, &["role", "create", "clerk"]).await;
    assert!(said.contains("already exists"), "{said}");
    assert_eq!(roles_at_the_gate(&client, &token).await, "");
    done(&server, &["role", "grant", "boss", &ann.email]).await;
    assert_eq!(roles_at_the_gate(&client, &token).await, "boss");
    done(&server, &["role", "grant", "clerk", "--role", "boss"]).await;
    assert_eq!(roles_at_the_gate(&client, &token).await, "boss,clerk");
    let app = told(&server, &["app", "create", "shop"]).await;
    let app = app["id"].as_str().unwrap();
    done(&server, &["role", "grant", "clerk", "--app", app]).await;
    let members = told(&server, &["role", "members", "clerk"]).await;
    assert_eq!(names(&members, "principalType"), ["APP", "ROLE"]);
    assert_eq!(names(&members, "name"), ["shop", "boss"]);
    done(&server, &["role", "revoke", "clerk", "--app", app]).await;
    done(&server, &["role", "revoke", "clerk", "--role", "boss"]).await;
    assert_eq!(roles_at_the_gate(&client, &token).await, "boss");
    let said = refused(&server, &["role", "revoke", "clerk", &ann.email]).await;
    assert!(said.contains("were not given that role"), "{said}");
    let said = refused(&server, &["role", "delete", "boss"]).await;
    assert!(said.contains("--yes"), "{said}");
    done(&server, &["role", "delete", "boss", "--yes"]).await;
    assert_eq!(roles_at_the_gate(&client, &token).await, "");
    let roles = done(&server, &["role", "list"]).await;
    assert!(roles.contains("Of orders") && !roles.contains("boss"), "{roles}");
}

#[tokio::test]
async fn where_there_are_several_pools_one_is_named() {
    let server = Portcullis::with("[users.Users]\n[users.Employees]").await;
    let client = server.client();
    let ann = client.sign_up_in("Employees", "ann").await;
    let said = refused(&server, &["user", "show", &ann.email]).await;
    assert!(said.contains("several pools"), "{said}");
    let shown = told(&server, &["user", "show", "Employees/ann@example.com"]).await;
    assert_eq!(shown["id"], json!(ann.id));
    let shown = told(&server, &["user", "show", &ann.email, "--pool", "Employees"]).await;
    assert_eq!(shown["id"], json!(ann.id));
    let made = told(&server, &["user", "create", "root@example.com", "--admin"]).await;
    assert_eq!(made["pool"], "Users", "the pool that administers");
    let place = [
        "user",
        "create",
        "eve@example.com",
        "--admin",
        "--pool",
        "Employees",
    ];
    let said = done(&server, &place).await;
    assert!(said.contains("not the server"), "{said}");
}

#[tokio::test]
async fn users_are_administered_while_no_server_runs() {
    let mut server = Portcullis::start().await;
    if !server.same_setup().keeps_to_its_folder() {
        return;
    }
    server.kill();
    let root = "root@example.com";
    let said = done(&server, &["user", "create", root, "--admin"]).await;
    assert!(said.contains("the mail is printed here"), "{said}");
    let link = said.split_whitespace().find(|word| word.contains("/reset?"));
    let token = in_link(link.expect("the mail was printed"), "token");
    let made = told(&server, &["user", "show", root]).await;
    let server = server.kill_and_restart().await;
    set_password_by(&server, &token, PASSWORD).await;
    let client = server.client();
    let token = client.log_in(&as_made(&made)).await;
    assert_eq!(roles_at_the_gate(&client, &token).await, "admin");
}
