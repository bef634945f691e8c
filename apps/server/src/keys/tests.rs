use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::file::{Keyed, load_or_create, write_durably};
use super::ring::{KEY_LENGTH, MAX_KEYS, ServerKey};
use super::rotation::Rotation;
use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Puts `text` where the key belongs and says what the server thinks of it.
fn complaint_about(text: &[u8]) -> String {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    write_durably(&path, text).unwrap();
    let error = load_or_create(&path).unwrap_err().to_string();
    assert_eq!(
        fs::read(&path).unwrap(),
        text,
        "a faulty key file must stay as it is"
    );
    error
}

#[test]
fn the_first_start_makes_a_key_and_the_second_finds_it() {
    let folder = folder();
    let path = folder.path().join("data/keys/portcullis.key");
    let first = load_or_create(&path).unwrap();
    let second = load_or_create(&path).unwrap();
    assert!(first.created && !second.created);
    assert_eq!(first.keys, second.keys);
    assert_ne!(first.keys.newest().bytes().as_slice(), [0_u8; KEY_LENGTH]);
}

#[test]
fn the_key_and_its_folders_are_the_owners_alone() {
    let folder = folder();
    let path = folder.path().join("data/keys/portcullis.key");
    load_or_create(&path).unwrap();
    let keys = path.parent().unwrap();
    assert_eq!(
        (mode(&path), mode(keys), mode(keys.parent().unwrap())),
        (0o600, 0o700, 0o700)
    );
    assert_eq!(fs::read_dir(keys).unwrap().count(), 1, "no draft may stay behind");
}

#[test]
fn racing_processes_agree_on_one_key() {
    let folder = folder();
    let path = folder.path().join("keys/portcullis.key");
    let keyed: Vec<Keyed> = thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| load_or_create(&path).unwrap()))
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert!(keyed.iter().all(|one| one.keys == keyed[0].keys));
    assert_eq!(keyed.iter().filter(|one| one.created).count(), 1);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    load_or_create(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = load_or_create(&path).unwrap_err().to_string();
    assert!(
        error.contains("mode 640") && error.contains("chmod 600"),
        "{error}"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(!load_or_create(&path).unwrap().created);
}

#[test]
fn a_broken_key_is_refused_and_never_replaced() {
    let key = STANDARD.encode([7_u8; KEY_LENGTH]);
    let cases: [(String, &str); 9] = [
        (String::new(), "first line"),
        ("hello\n".to_owned(), "first line"),
        ("portcullis-key 1\n".to_owned(), "second line"),
        ("portcullis-key 1\nid XYZ\n".to_owned(), "second line"),
        (
            "portcullis-key 1\nid 0123456789abcdef\nkey dG9vIHNob3J0\n".to_owned(),
            "third line",
        ),
        (
            format!("portcullis-key 1\nid 0123456789abcdef\nkey {key}\nmore\n"),
            "no id of another",
        ),
        (
            format!("portcullis-key 1\nid 0123456789abcdef\nkey {key}\nid fedcba9876543210\n"),
            "behind an id",
        ),
        (
            format!(
                "portcullis-key 1\n{0}{0}",
                format_args!("id 0123456789abcdef\nkey {key}\n")
            ),
            "same id",
        ),
        ("x".repeat(5000), "too long"),
    ];
    for (text, expected) in cases {
        let error = complaint_about(text.as_bytes());
        assert!(error.contains(expected) && error.contains("backup"), "{error}");
    }
    assert!(complaint_about(&[0xff, 0xfe]).contains("not text"));
}

#[test]
fn a_key_of_a_newer_version_is_refused() {
    assert!(complaint_about(b"portcullis-key 2\nwhatever\n").contains("newer version"));
}

#[test]
fn what_is_not_a_file_is_refused() {
    let folder = folder();
    let error = load_or_create(folder.path()).unwrap_err().to_string();
    assert!(error.contains("not a regular file"), "{error}");
}

#[test]
fn a_dangling_link_is_not_an_invitation_to_make_a_key() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    std::os::unix::fs::symlink(folder.path().join("gone"), &path).unwrap();
    assert!(load_or_create(&path).is_err());
}

#[test]
fn a_key_shows_its_id_and_nothing_else() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    let keys = load_or_create(&path).unwrap().keys;
    let key = keys.newest();
    assert_eq!(
        format!("{key:?}"),
        format!("ServerKey {{ id: {:?}, .. }}", key.id())
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&format!("portcullis-key 1\nid {}\nkey ", key.id())));
}

fn ids(keys: &KeyRing) -> Vec<String> {
    keys.iter().map(|key| key.id().to_owned()).collect()
}

#[test]
fn a_file_of_one_key_reads_as_it_always_did() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    let key = STANDARD.encode([7_u8; KEY_LENGTH]);
    write_durably(
        &path,
        format!("portcullis-key 1\nid 0123456789abcdef\nkey {key}\n").as_bytes(),
    )
    .unwrap();
    let keys = load(&path).unwrap().unwrap();
    assert_eq!(ids(&keys), ["0123456789abcdef"]);
    assert_eq!(keys.newest().bytes().as_slice(), [7_u8; KEY_LENGTH]);
}

#[test]
fn a_new_key_stands_in_front_of_the_others() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    let first = load_or_create(&path).unwrap().keys;
    let rotation = Rotation::begin(&path).unwrap();
    let two = rotation.add().unwrap();
    let three = rotation.add().unwrap();
    assert_eq!(load(&path).unwrap(), Some(three.clone()), "it survives its text");
    assert_eq!(ids(&three)[1..], ids(&two));
    assert_eq!(ids(&two)[1..], ids(&first));
    assert_eq!(three.for_sealing().len(), 3);
}

#[test]
fn only_the_newest_generations_are_kept_and_never_none() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    load_or_create(&path).unwrap();
    let rotation = Rotation::begin(&path).unwrap();
    rotation.add().unwrap();
    let three = rotation.add().unwrap();
    assert_eq!(ids(&rotation.keep_only(2).unwrap()), ids(&three)[..2]);
    assert_eq!(ids(&rotation.keep_only(0).unwrap()), ids(&three)[..1]);
    assert_eq!(load(&path).unwrap().unwrap().count(), 1);
}

#[test]
fn a_changed_file_stays_the_owners_alone_and_leaves_no_draft() {
    let folder = folder();
    let path = folder.path().join("keys/portcullis.key");
    load_or_create(&path).unwrap();
    Rotation::begin(&path).unwrap().add().unwrap();
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    Rotation::begin(&path).unwrap().add().unwrap();
    assert_eq!(mode(&path), 0o400);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_key_behind_a_link_is_changed_where_it_is() {
    let folder = folder();
    let (link, path) = (
        folder.path().join("portcullis.key"),
        folder.path().join("real/key"),
    );
    load_or_create(&path).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let keys = Rotation::begin(&link).unwrap().add().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
    assert_eq!(load(&path).unwrap(), Some(keys));
}

#[test]
fn one_at_a_time_may_change_the_file() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    load_or_create(&path).unwrap();
    let rotation = Rotation::begin(&path).unwrap();
    let second = Rotation::begin(&path).unwrap_err().to_string();
    assert!(second.contains("being rotated already"), "{second}");
    drop(rotation);
    assert!(Rotation::begin(&path).is_ok());
}

#[test]
fn keys_do_not_pile_up_for_ever() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    load_or_create(&path).unwrap();
    let rotation = Rotation::begin(&path).unwrap();
    for _ in 1..MAX_KEYS {
        rotation.add().unwrap();
    }
    let error = rotation.add().unwrap_err().to_string();
    assert!(error.contains("16 keys"), "{error}");
    assert_eq!(load(&path).unwrap().unwrap().count(), MAX_KEYS);
}

#[test]
fn without_a_file_there_is_nothing_to_rotate() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    assert_eq!(load(&path).unwrap(), None);
    let error = Rotation::begin(&path).unwrap_err().to_string();
    assert!(error.contains("first start"), "{error}");
    assert!(!path.exists());
}

#[test]
fn every_drawn_key_is_another() {
    let (one, other) = (ServerKey::draw().unwrap(), ServerKey::draw().unwrap());
    assert!(one.id() != other.id() && one.bytes() != other.bytes());
}

#[test]
fn what_a_killed_rotation_left_is_swept_away() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    load_or_create(&path).unwrap();
    let draft = folder.path().join(".portcullis-key-0123456789abcdef.next");
    fs::write(&draft, "half a key").unwrap();
    fs::write(folder.path().join("mine"), "").unwrap();
    Rotation::begin(&path).unwrap();
    assert!(!draft.exists() && folder.path().join("mine").exists());
}

#[test]
fn a_file_that_lost_a_key_in_use_is_not_rotated() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    let (in_use, newest) = KeysInUse::load(&path).unwrap();
    in_use.begin_rotation().unwrap();
    fs::remove_file(&path).unwrap();
    let other = load_or_create(&path).unwrap().keys;
    let error = in_use.begin_rotation().unwrap_err().to_string();
    assert!(error.contains(newest.id()), "{error}");
    in_use.exchange(&other).unwrap();
    assert!(in_use.begin_rotation().is_ok());
}

#[test]
fn a_prepared_key_opens_until_it_is_put_in_front() {
    let folder = folder();
    let path = folder.path().join("portcullis.key");
    let first = load_or_create(&path).unwrap().keys;
    let rotation = Rotation::begin(&path).unwrap();
    rotation.add().unwrap();
    let (known, id) = rotation.prepare().unwrap();
    assert_eq!(ids(&known)[1], id);
    assert_eq!(ids(&known)[2..], ids(&first));
    let used = rotation.promote(&id).unwrap();
    let expected = [id.clone(), ids(&known)[0].clone(), ids(&first)[0].clone()];
    assert_eq!(ids(&used), expected);
    assert_eq!(load(&path).unwrap(), Some(used.clone()));
    assert_eq!(rotation.promote(&id).unwrap(), used, "once more changes nothing");
    let error = rotation.promote("0000000000000000").unwrap_err().to_string();
    assert!(error.contains("no key in it has that id"), "{error}");
}
