use super::*;

use std::thread;

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
    assert_eq!(first.key, second.key);
    assert_ne!(first.key.bytes().as_slice(), [0_u8; KEY_LENGTH]);
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
    assert!(keyed.iter().all(|one| one.key == keyed[0].key));
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
    let cases: [(String, &str); 7] = [
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
            "more than three",
        ),
        ("x".repeat(2000), "too long"),
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
    let key = load_or_create(&path).unwrap().key;
    assert_eq!(
        format!("{key:?}"),
        format!("ServerKey {{ id: {:?}, .. }}", key.id())
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&format!("portcullis-key 1\nid {}\nkey ", key.id())));
}
