//! `portcullis app`: client applications, made beside a running server or without one.

use std::fs;

use crate::house::{House, is_anywhere};
use serde_json::{Value, json};

fn names(house: &House) -> Vec<String> {
    let listed = house.run(&["app", "list", "--json"]).json();
    let mut names: Vec<String> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|app| app["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn an_application_is_made_with_and_without_a_server() {
    let house = House::new();
    house.make_app("before the first start");
    let server = house.serve();
    house.make_app("beside the server");
    let expected = ["before the first start", "beside the server"];
    assert_eq!(names(&house), expected);
    server.end();
    assert_eq!(names(&house), expected);
}

#[test]
fn its_five_keys_are_shown_once_and_stored_nowhere() {
    let house = House::new();
    let server = house.serve();
    let created = house.run(&["app", "create", "shop", "--json"]).fine();
    assert!(created.err.contains("not shown again"), "{created:?}");
    let created: Value = serde_json::from_str(&created.out).unwrap();
    let keys = created["keys"].as_object().unwrap();
    let kinds: Vec<&str> = keys.keys().map(String::as_str).collect();
    assert_eq!(
        kinds,
        [
            "clientKey",
            "javaScriptKey",
            "restApiKey",
            "windowsKey",
            "masterKey"
        ]
    );
    let id = created["id"].as_str().unwrap();
    let shown = house.run(&["app", "show", id]).fine().out + &house.run(&["app", "list"]).fine().out;
    assert!(shown.contains(id) && shown.contains("shop"), "{shown}");
    let log = server.end();
    for key in keys.values().map(|key| key.as_str().unwrap()) {
        assert_eq!(key.len(), 40);
        assert!(!shown.contains(key) && !log.contains(key));
        assert!(!is_anywhere(&house.path("data"), key));
    }
}

#[test]
fn a_client_of_its_own_is_set_listed_and_removed() {
    let house = House::new();
    let server = house.serve();
    let app = house.make_app("shop");
    fs::write(house.path("secret"), "hunter2-in-a-file\n").unwrap();
    let set = [
        "app",
        "credential",
        "set",
        &app,
        "google",
        "--client-id",
        "the-client",
    ];
    let more = [
        "--client-secret-file",
        "secret",
        "--callback-url",
        "https://shop.example/auth/google/callback",
        "--json",
    ];
    let first = house.run(&[&set[..], &more].concat()).json();
    assert_eq!(
        (
            first["provider"].clone(),
            first["clientId"].clone(),
            first["hasSecret"].clone()
        ),
        (json!("google"), json!("the-client"), json!(true))
    );
    let second = house.run(&set).fine();
    assert!(second.err.contains("public client"), "{second:?}");

    let list = ["app", "credential", "list", &app];
    let listed = house.run(&[&list[..], &["--json"]].concat()).json();
    assert_eq!(
        listed.as_array().unwrap().len(),
        1,
        "the second took the first's place"
    );
    assert_eq!(listed[0]["hasSecret"], json!(false));
    assert!(house.run(&list).fine().out.contains("the-client"));

    let remove = ["app", "credential", "remove", &app, "google"];
    house.run(&remove).fine();
    assert!(house.run(&remove).refused().contains("no client of its own"));
    assert_eq!(house.run(&[&list[..], &["--json"]].concat()).json(), json!([]));
    server.end();
}

#[test]
fn a_client_secret_is_sealed_and_never_shown() {
    let house = House::new();
    let server = house.serve();
    let app = house.make_app("shop");
    let set = house.set_client(&app, "google", "hunter2-from-outside\n").fine();
    let shown = house.run(&["app", "show", &app]).fine().out;
    assert!(
        shown.contains("the-client") && shown.contains("sealed"),
        "{shown}"
    );
    let log = server.end();
    for said in [&set.out, &set.err, &shown, &log] {
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert!(!is_anywhere(&house.path("data"), "hunter2"));
    assert!(
        is_anywhere(&house.path("data"), "the-client"),
        "it was looked for where it would be"
    );
}

#[test]
fn what_is_not_there_is_said_in_a_sentence() {
    let house = House::new();
    let sentence = "there is no application `nobody`";
    assert_eq!(house.run(&["app", "show", "nobody"]).refused(), sentence);
    let server = house.serve();
    for verb in [
        &["app", "show", "nobody"][..],
        &["app", "credential", "list", "nobody"],
        &["app", "credential", "set", "nobody", "google", "--client-id", "c"],
        &["app", "credential", "remove", "nobody", "google"],
    ] {
        assert_eq!(house.run(verb).refused(), sentence);
    }
    assert!(house.run(&["app", "create", "  "]).refused().starts_with("name "));
    server.end();
}

#[test]
fn wrong_usage_ends_with_2_and_opens_nothing() {
    let house = House::new();
    assert_eq!(house.run(&["app"]).code, 2);
    assert_eq!(house.run(&["app", "credential", "set", "a", "google"]).code, 2);
    let gone = ["app", "credential", "set", "a", "google", "--client-id", "c"];
    let gone = house.run(&[&gone[..], &["--client-secret-file", "gone"]].concat());
    assert!(gone.refused().starts_with("gone: "));
    assert!(!house.path("data").exists());
}

#[test]
fn a_store_in_memory_takes_commands_only_while_it_is_there() {
    let house = House::new().with("PORTCULLIS__STORAGE__URL", "memory:");
    assert!(
        house
            .run(&["app", "create", "shop"])
            .refused()
            .contains("memory:")
    );
    let server = house.serve();
    house.make_app("shop");
    assert_eq!(names(&house), ["shop"]);
    server.end();
}

#[test]
fn pages_of_applications_are_put_together() {
    let house = House::new().with("PORTCULLIS__STORAGE__URL", "memory:");
    let server = house.serve();
    for number in 0..205 {
        house.make_app(&format!("app {number:03}"));
    }
    assert_eq!(names(&house).len(), 205);
    server.end();
}

fn created(house: &House) -> (String, Vec<String>) {
    let created = house.run(&["app", "create", "shop", "--json"]).json();
    let keys = created["keys"].as_object().unwrap().values();
    let keys = keys.map(|key| key.as_str().unwrap().to_owned());
    (created["id"].as_str().unwrap().to_owned(), keys.collect())
}

#[test]
fn what_is_said_about_it_is_set_and_removed() {
    let house = House::new();
    let (id, _) = created(&house);
    let set = [
        "app",
        "set",
        &id,
        "--name",
        "Der Laden",
        "--owner",
        "7",
        "--url",
        "https://shop.example",
        "--callback-url",
        "https://shop.example/a",
        "--callback-url",
        "https://shop.example/b",
        "--json",
    ];
    let shown = house.run(&set).json();
    assert_eq!(shown["name"], "Der Laden");
    assert_eq!(
        shown["details"],
        json!({
            "owner": "7", "url": "https://shop.example",
            "callbackUrls": ["https://shop.example/a", "https://shop.example/b"],
        })
    );
    let shown = house.run(&["app", "set", &id, "--owner", "", "--json"]).json();
    assert_eq!(shown["details"].get("owner"), None);
    let refused = house.run(&["app", "set", &id, "--name", " "]);
    assert!(refused.err.contains("name"), "{refused:?}");
    let unknown = house.run(&["app", "set", "nobody", "--name", "x"]);
    assert!(unknown.err.contains("there is no application"), "{unknown:?}");
}

#[test]
fn it_is_disabled_enabled_and_given_other_keys() {
    let house = House::new();
    let (id, keys) = created(&house);
    let enabled = || house.run(&["app", "show", &id, "--json"]).json()["enabled"].clone();
    house.run(&["app", "disable", &id]).fine();
    assert_eq!(enabled(), false);
    house.run(&["app", "enable", &id]).fine();
    assert_eq!(enabled(), true);
    let other = house.run(&["app", "reset-keys", &id, "--yes", "--json"]).json();
    let other = other["keys"].as_object().unwrap();
    assert_eq!(other.len(), 5);
    assert!(
        other
            .values()
            .all(|key| !keys.contains(&key.as_str().unwrap().to_owned()))
    );
}

#[test]
fn nothing_is_destroyed_that_nobody_confirmed() {
    let house = House::new();
    let (id, _) = created(&house);
    for verb in ["delete", "reset-keys"] {
        let refused = house.run(&["app", verb, &id]);
        assert!(refused.err.contains("--yes"), "{refused:?}");
    }
    assert_eq!(names(&house), ["shop"]);
    house.run(&["app", "delete", &id, "--yes"]).fine();
    assert!(names(&house).is_empty());
    let again = house.run(&["app", "delete", &id, "--yes"]);
    assert!(again.err.contains("there is no application"), "{again:?}");
}
