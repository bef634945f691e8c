//! `portcullis keys`: beside a running server, without one, and after interruptions.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use crate::house::{House, mode};
use serde_json::{Value, json};

/// A house with one sealed secret in its store.
fn with_a_secret(house: &House) {
    let app = house.make_app("shop");
    house.set_client(&app, "google", "hunter2\n").fine();
}

fn rotated(house: &House, arguments: &[&str]) -> Value {
    house
        .run(&[&["keys", "rotate", "--json"], arguments].concat())
        .json()
}

#[test]
fn listing_shows_ids_and_no_key() {
    let house = House::new();
    assert!(house.run(&["keys", "list"]).refused().contains("first start"));
    house.serve().end();
    let said = house.run(&["keys", "list"]).fine().out;
    let text = fs::read_to_string(house.key_file()).unwrap();
    let mut fields = text.lines().filter_map(|line| line.split_once(' ')).skip(1);
    let ((_, id), (_, key)) = (fields.next().unwrap(), fields.next().unwrap());
    assert!(said.contains(id) && said.contains("current"), "{said}");
    assert!(!said.contains(key), "{said}");
}

#[test]
fn keys_are_rotated_while_the_server_serves() {
    let house = House::new();
    let server = house.serve();
    with_a_secret(&house);
    let first = house.key_ids();

    let once = rotated(&house, &[]);
    let second = house.key_ids();
    assert_eq!(
        (once["values"].clone(), once["kept"].clone()),
        (json!(1), json!(first))
    );
    assert_eq!(once["newest"], json!(second[0]));
    assert_eq!(second[1..], first);

    // What the first rotation sealed opens, and is sealed again.
    let twice = rotated(&house, &[]);
    assert_eq!(
        (twice["values"].clone(), twice["dropped"].clone()),
        (json!(1), json!(first))
    );
    assert_eq!(house.key_ids().len(), 2);
    assert!(server.is_serving());

    let log = server.end();
    assert!(
        log.contains("the keys were rotated") && !log.contains("hunter2"),
        "{log}"
    );
}

#[test]
fn keys_are_rotated_without_a_server() {
    let house = House::new();
    with_a_secret(&house);
    let said = house.run(&["keys", "rotate"]).fine();
    assert!(said.out.contains("sealed under it: 1 "), "{said:?}");
    assert!(said.err.contains("no server is running"), "{said:?}");
    assert_eq!(rotated(&house, &[])["values"], json!(1));
    house.serve().end();
}

#[test]
fn the_key_before_is_forgotten_on_request() {
    let house = House::new();
    let server = house.serve();
    with_a_secret(&house);
    let first = house.key_ids();
    let forgotten = rotated(&house, &["--forget-old"]);
    assert_eq!(
        (forgotten["kept"].clone(), forgotten["dropped"].clone()),
        (json!([]), json!(first))
    );
    assert_eq!(house.key_ids(), [forgotten["newest"].as_str().unwrap()]);
    // Nothing was left under it: the secret still opens.
    assert_eq!(rotated(&house, &[])["values"], json!(1));
    assert!(server.is_serving());
}

#[test]
fn secrets_set_during_rotations_open_afterwards() {
    let house = House::new();
    let server = house.serve();
    let apps: Vec<String> = (0..4)
        .map(|number| house.make_app(&format!("app {number}")))
        .collect();
    std::thread::scope(|scope| {
        for app in &apps {
            let house = &house;
            scope.spawn(move || {
                for number in 0..10 {
                    house
                        .set_client(app, "google", &format!("secret {number}"))
                        .fine();
                }
            });
        }
        rotated(&house, &[]);
        rotated(&house, &["--forget-old"]);
    });
    assert_eq!(rotated(&house, &["--forget-old"])["records"], json!(4));
    assert_eq!(rotated(&house, &[])["values"], json!(4));
    assert!(server.is_serving());
}

#[test]
fn a_rotation_that_was_cut_short_is_completed_by_the_next() {
    let house = House::new();
    with_a_secret(&house);
    // As after a kill between the new file and the last sealed value: a newer key stands in front of the one that is in use.
    let text = fs::read_to_string(house.key_file()).unwrap();
    let (head, keys) = text.split_once('\n').unwrap();
    let newer = "id 00000000000000aa\nkey AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    fs::write(house.key_file(), format!("{head}\n{newer}\n{keys}")).unwrap();
    let first = house.key_ids()[1].clone();

    let server = house.serve();
    let completed = rotated(&house, &[]);
    assert_eq!(completed["values"], json!(1));
    assert_eq!(completed["kept"], json!(["00000000000000aa"]));
    assert_eq!(completed["dropped"], json!([first]));
    assert!(server.is_serving());
}

#[test]
fn a_server_killed_in_a_rotation_loses_nothing() {
    let house = House::new();
    for name in ["one", "two", "three", "four"] {
        let app = house.make_app(name);
        house.set_client(&app, "google", "hunter2").fine();
    }
    for after in [0, 2, 5, 10] {
        let server = house.serve();
        let mut rotating = house.command(&["keys", "rotate"]).spawn().unwrap();
        // Where in the rotation this falls is the machine's choice: every place has to do.
        std::thread::sleep(Duration::from_millis(after));
        server.kill();
        rotating.wait().unwrap();
        let text = fs::read_to_string(house.key_file()).unwrap();
        assert!(
            text.starts_with("portcullis-key 1\nid "),
            "the file is whole: {text:?}"
        );
    }
    assert_eq!(rotated(&house, &["--forget-old"])["values"], json!(4));
    assert_eq!(rotated(&house, &[])["values"], json!(4), "every secret opens");
}

#[test]
fn keys_and_socket_are_the_owners_alone_and_the_socket_goes_with_the_server() {
    let house = House::new();
    let server = house.serve();
    rotated(&house, &[]);
    let folder = house.path("data/keys");
    assert_eq!(
        (mode(&folder), mode(&house.key_file()), mode(&house.socket())),
        (0o700, 0o600, 0o600)
    );
    server.end();
    assert!(!house.socket().exists());
    let names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["portcullis.key"], "no draft stays behind");
}

#[test]
fn the_socket_of_a_killed_server_stands_in_nobodys_way() {
    let house = House::new();
    house.serve().kill();
    assert!(house.socket().exists());
    rotated(&house, &[]);
    let server = house.serve();
    rotated(&house, &[]);
    assert!(server.end().contains("the keys were rotated"));
}

#[test]
fn a_key_file_that_others_can_read_is_not_rotated() {
    let house = House::new();
    house.serve().end();
    fs::set_permissions(house.key_file(), fs::Permissions::from_mode(0o644)).unwrap();
    let before = fs::read(house.key_file()).unwrap();
    for verb in ["list", "rotate"] {
        let sentence = house.run(&["keys", verb]).refused();
        assert!(sentence.contains("mode 644"), "{sentence}");
    }
    assert_eq!(fs::read(house.key_file()).unwrap(), before);
}

#[test]
fn nonsense_on_the_socket_is_refused_and_floods_end() {
    let house = House::new();
    let server = house.serve();
    let answer = |line: &[u8]| {
        let mut stream = UnixStream::connect(house.socket()).unwrap();
        // The server may have stopped listening half-way through a flood.
        let _ = stream.write_all(line);
        let mut reply = String::new();
        let _ = BufReader::new(stream).read_line(&mut reply);
        reply
    };
    assert!(answer(b"hello\n").contains("no command of Portcullis"));
    assert!(answer(b"{\"protocol\":99,\"command\":{}}\n").contains("another version"));
    assert!(answer(b"{\"protocol\":1,\"command\":{\"dance\":{}}}\n").contains("does not know"));
    let flood = answer(&vec![b'x'; 1 << 20]);
    assert!(flood.contains("too long"), "{flood}");
    // Who says nothing keeps nobody from being heard.
    let _silent: Vec<_> = (0..4)
        .map(|_| UnixStream::connect(house.socket()).unwrap())
        .collect();
    rotated(&house, &[]);
    assert!(server.is_serving());
}

#[test]
fn a_path_too_long_for_a_socket_leaves_the_server_serving() {
    let deep = format!("data/{}/portcullis.key", "deep".repeat(30));
    let house = House::new().with("PORTCULLIS__SECRETS__KEY_FILE", deep.as_str());
    let server = house.serve();
    assert!(server.is_serving());
    // No way to the server, and the store is its own.
    house.run(&["app", "create", "shop"]).refused();
    let log = server.end();
    assert!(
        log.contains("the control socket is off") && log.contains("107 bytes"),
        "{log}"
    );
    house.run(&["app", "create", "shop"]).fine();
}

#[test]
fn another_user_is_refused_even_where_the_modes_let_them_in() {
    let nobody = 65_534;
    let house = House::new();
    let server = house.serve();
    let open = |inside: &str, mode| {
        fs::set_permissions(house.path(inside), fs::Permissions::from_mode(mode)).unwrap();
    };
    for folder in ["", "data", "data/keys"] {
        open(folder, 0o755);
    }
    open("data/keys/portcullis.sock", 0o666);
    let script = "import socket,sys\n\
                  s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n\
                  s.sendall(b'{\"protocol\":1,\"command\":{\"app\":{\"list\":{\"after\":null}}}}\\n')\n\
                  print(s.makefile().readline())";
    let socket = house.socket();
    let asked = std::process::Command::new("python3")
        .args(["-c", script, socket.to_str().unwrap()])
        .uid(nobody)
        .output();
    // Only root can become somebody else.
    let Ok(asked) = asked else { return };
    let said = String::from_utf8(asked.stdout).unwrap();
    assert!(said.contains("its own user alone"), "{said}");
    assert!(server.is_serving());
}
