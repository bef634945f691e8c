//! What every list of breached passwords must do, asked of each form a file may have.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::Write as _;
use std::sync::Arc;

use breached_list::{BreachedList, OpenError};
use conformance::Fixture;
use conformance::breached_passwords::PUBLIC;
use domain::ports::BreachedPasswords;
use tempfile::NamedTempFile;

fn file(lines: &[&str]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    for line in lines {
        writeln!(file, "{line}").unwrap();
    }
    file
}

fn opened(list: Result<BreachedList, OpenError>, file: NamedTempFile) -> Fixture<dyn BreachedPasswords> {
    Fixture::new(Arc::new(list.unwrap()) as Arc<dyn BreachedPasswords>).guarded_by(file)
}

/// The list as hashes, in order, among others.
fn hashes() -> Vec<String> {
    let hash = |text: &[u8]| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, text);
        let nibbles = digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
        nibbles
            .filter_map(|nibble| char::from_digit(nibble.into(), 16))
            .collect::<String>()
            .to_uppercase()
    };
    let others = (0..2_000).map(|number| format!("other {number}"));
    let all = PUBLIC.into_iter().map(str::to_owned).chain(others);
    let mut hashes: Vec<String> = all.map(|text| hash(text.as_bytes()) + ":7").collect();
    hashes.sort_unstable();
    hashes
}

mod of_passwords {
    use super::*;

    async fn list() -> Fixture<dyn BreachedPasswords> {
        let file = file(&PUBLIC);
        opened(BreachedList::open(file.path()), file)
    }

    conformance::breached_passwords!(list);
}

mod of_hashes_in_memory {
    use super::*;

    async fn list() -> Fixture<dyn BreachedPasswords> {
        let file = file(&hashes().iter().rev().map(String::as_str).collect::<Vec<_>>());
        opened(BreachedList::open(file.path()), file)
    }

    conformance::breached_passwords!(list);
}

mod of_hashes_where_they_lie {
    use super::*;

    async fn list() -> Fixture<dyn BreachedPasswords> {
        let file = file(&hashes().iter().map(String::as_str).collect::<Vec<_>>());
        opened(BreachedList::open_within(file.path(), 0), file)
    }

    conformance::breached_passwords!(list);
}

#[test]
fn a_file_without_a_list_is_refused() {
    assert!(matches!(
        BreachedList::open(file(&[]).path()),
        Err(OpenError::Empty)
    ));
    assert!(matches!(
        BreachedList::open(file(&["", ""]).path()),
        Err(OpenError::Empty)
    ));
    assert!(matches!(
        BreachedList::open("/nowhere/at/all".as_ref()),
        Err(OpenError::Io(_))
    ));
    let ntlm = file(&["8846F7EAEE8FB117AD06BDD830B7586C:3"]);
    assert!(matches!(BreachedList::open(ntlm.path()), Err(OpenError::Ntlm)));
}
