//! One key for several nodes: every node knows a new key before one seals with it, so nothing is ever sealed that another cannot
//! open. Here two houses are two nodes that share a store by carrying it over, since an embedded one belongs to one process.

use std::fs;

use serde_json::{Value, json};

use crate::house::House;

fn keys(house: &House, arguments: &[&str]) -> Value {
    house.run(&[&["keys"], arguments, &["--json"]].concat()).json()
}

/// Brings a file from one node to another, with its mode.
fn bring(from: &House, to: &House, inside: &str) {
    fs::copy(from.path(inside), to.path(inside)).unwrap();
}

const KEYS: &str = "data/keys/portcullis.key";
const STORE: &str = "data/portcullis.db";

fn second_node(of: &House) -> House {
    let other = House::new();
    fs::create_dir_all(other.path("data/keys")).unwrap();
    bring(of, &other, KEYS);
    other
}

#[test]
fn a_new_key_goes_round_before_it_seals() {
    let one = House::new();
    let app = one.make_app("shop");
    one.set_client(&app, "google", "hunter2").fine();
    let other = second_node(&one);
    let (serving_one, serving_other) = (one.serve(), other.serve());
    let old = one.key_ids();

    // Known on one node, sealing on none.
    let added = keys(&one, &["add"]);
    let new = added["added"].as_str().unwrap().to_owned();
    assert_eq!(
        (added["newest"].clone(), added["others"].clone()),
        (json!(old[0]), json!([new]))
    );
    assert_eq!(other.key_ids(), old);

    // Known on both.
    bring(&one, &other, KEYS);
    assert_eq!(keys(&other, &["reload"])["others"], json!([new]));

    // Sealing on both, one after the other.
    for house in [&one, &other] {
        let used = keys(house, &["use", &new]);
        assert_eq!(
            (used["newest"].clone(), used["others"].clone()),
            (json!(new), json!(old))
        );
    }
    let sealed = keys(&one, &["reseal"]);
    assert_eq!(
        (sealed["newest"].clone(), sealed["values"].clone()),
        (json!(new), json!(1))
    );
    assert_eq!(sealed["kept"], json!(old));
    assert!(serving_one.is_serving() && serving_other.is_serving());
    assert!(!serving_one.end().contains("hunter2"));

    // What was sealed at the one opens at the other: sealing it again opens it first.
    serving_other.end();
    bring(&one, &other, STORE);
    let forgotten = keys(&other, &["reseal", "--forget-old"]);
    assert_eq!(
        (forgotten["values"].clone(), forgotten["dropped"].clone()),
        (json!(0), json!(old))
    );
    assert_eq!(
        other.run(&["keys", "rotate", "--json"]).json()["values"],
        json!(1)
    );
}

#[test]
fn a_value_sealed_under_a_key_that_did_not_go_round_is_named_and_no_key_is_lost() {
    let one = House::new();
    let app = one.make_app("shop");
    one.set_client(&app, "google", "hunter2").fine();
    let other = second_node(&one);
    let rotated = keys(&one, &["rotate"]);
    bring(&one, &other, STORE);
    let before = fs::read(other.key_file()).unwrap();
    let sentence = other.run(&["keys", "reseal"]).refused();
    assert!(
        sentence.contains(rotated["newest"].as_str().unwrap()),
        "{sentence}"
    );
    assert_eq!(fs::read(other.key_file()).unwrap(), before);
    bring(&one, &other, KEYS);
    assert_eq!(keys(&other, &["reseal"])["values"], json!(0));
}

#[test]
fn a_file_that_lost_a_key_in_use_is_not_taken_over() {
    let one = House::new();
    one.make_app("shop");
    let server = one.serve();
    let before = fs::read(one.key_file()).unwrap();
    let stranger = House::new();
    stranger.serve().end();
    bring(&stranger, &one, KEYS);
    let sentence = one.run(&["keys", "reload"]).refused();
    assert!(sentence.contains("put the right file back"), "{sentence}");
    fs::write(one.key_file(), &before).unwrap();
    keys(&one, &["reload"]);
    assert!(server.is_serving());
}

#[test]
fn a_key_that_is_not_there_is_not_used() {
    let house = House::new();
    let server = house.serve();
    let before = house.key_ids();
    let sentence = house.run(&["keys", "use", "00000000000000ff"]).refused();
    assert!(sentence.contains("no key in it has that id"), "{sentence}");
    assert_eq!(house.key_ids(), before);
    assert!(server.is_serving());
}

#[test]
fn people_are_told_what_to_do_next() {
    let house = House::new();
    house.serve().end();
    let said = house.run(&["keys", "add"]).fine();
    assert!(said.out.contains("new: opens, seals nothing yet"), "{said:?}");
    assert!(said.err.contains("bring the key file to every node"), "{said:?}");
    assert!(said.err.contains("no server is running here"), "{said:?}");
}
