//! Files that were cut, changed or are something else, and what is said of them.

use super::*;

fn refused(file: &[u8]) -> String {
    checked_bytes(file).expect_err("it was taken").to_string()
}

#[tokio::test]
async fn a_file_with_any_byte_changed_is_refused() {
    let file = filled(in_memory()).await.exported().await.into_bytes();
    checked_bytes(&file).unwrap();
    for at in (0..file.len()).step_by(23) {
        for change in [1, 0x20] {
            let mut changed = file.clone();
            changed[at] ^= change;
            let said = refused(&changed);
            assert!(said.starts_with("line "), "{said}");
        }
    }
}

#[tokio::test]
async fn a_file_that_was_cut_anywhere_is_refused() {
    let file = filled(in_memory()).await.exported().await.into_bytes();
    for length in (0..file.len()).rev().step_by(37) {
        let said = refused(&file[..length]);
        let lines = file[..length].split(|byte| *byte == b'\n').count();
        assert!(said.starts_with(&format!("line {lines}: ")), "{said}");
    }
    let said = refused(&file[..file.len() - 1]);
    assert!(said.contains("it was cut"), "{said}");
}

#[tokio::test]
async fn lines_that_were_taken_out_doubled_or_put_elsewhere_are_noticed() {
    let file = filled(in_memory()).await.exported().await;
    let lines: Vec<&str> = file.lines().collect();
    let said = |lines: &[&str]| refused((lines.join("\n") + "\n").as_bytes());
    for at in 1..lines.len() - 1 {
        let without = [&lines[..at], &lines[at + 1..]].concat();
        assert!(said(&without).contains("lines are missing or were added"));
        let doubled = [&lines[..at], &lines[at..=at], &lines[at..]].concat();
        assert!(said(&doubled).contains("lines are missing or were added"));
    }
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert!(said(&swapped).contains("the order of its lines was changed"));
    let mut mixed = lines.clone();
    mixed.swap(1, lines.len() - 2);
    assert!(said(&mixed).contains("behind one of the kind `message`"));
    let longer = [&lines[..], &lines[1..2]].concat();
    assert!(said(&longer).contains("behind the last line"));
}

#[tokio::test]
async fn one_line_in_the_place_of_another_is_told_by_its_kind() {
    let file = filled(in_memory()).await.exported().await;
    let changed = file.replacen("u1@example.com", "u9@example.com", 2);
    let said = refused(changed.as_bytes());
    let last = file.lines().count();
    assert_eq!(
        said,
        format!("line {last}: the digest of the users is another: some of their lines were changed")
    );
}

#[test]
fn what_is_something_else_is_told_so_at_its_first_line() {
    for foreign in [
        &b"hello\n"[..],
        b"{}\n",
        b"\x7fELF\x02\x01",
        b"{\"user\":{}}\n",
        b"{\"hello\":1}\n",
        b"[1]\n",
        b"x",
    ] {
        let said = refused(foreign);
        assert_eq!(said, format!("line 1: {}", super::frame::FOREIGN));
    }
    assert_eq!(refused(b""), "line 1: the file is empty");
    let newer = br#"{"header":{"format":"portcullis-export","version":9}}"#;
    assert!(refused(&[&newer[..], b"\n"].concat()).contains("version 9 of the format"));
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let endless = std::io::BufReader::new(std::io::repeat(b'x'));
    let error = Reading::open(endless).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("line 1: the line is longer than 16 MiB"));
}

#[tokio::test]
async fn a_user_of_a_pool_that_the_header_does_not_name_is_refused() {
    let file = filled(in_memory()).await.exported().await;
    let said = refused(file.replacen("\"Members\"", "\"Others\"", 1).as_bytes());
    assert!(
        said.contains("the header does not name the pool `Members`"),
        "{said}"
    );
}
