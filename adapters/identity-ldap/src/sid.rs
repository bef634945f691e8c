//! Security identifiers, by which Active Directory knows people and groups (MS-DTYP section 2.4.2).

use crate::entry::Entry;

/// Octets before the parts: revision, count, authority.
const HEAD: usize = 8;
/// Octets of a part.
const PART: usize = 4;

/// The parts of a binary SID, if that is one.
fn parts(value: &[u8]) -> Option<&[u8]> {
    let count = usize::from(*value.get(1)?);
    let parts = value.get(HEAD..)?;
    (parts.len() == count * PART).then_some(parts)
}

/// As Windows writes it: `S-1-5-21-…` (MS-DTYP section 2.4.2.1).
pub fn text(value: &[u8]) -> Option<String> {
    let parts = parts(value)?;
    let (revision, authority) = (value.first()?, value.get(2..HEAD)?);
    let authority = authority
        .iter()
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let mut text = format!("S-{revision}-{authority}");
    for part in parts.chunks_exact(PART) {
        let part = <[u8; PART]>::try_from(part).ok()?;
        text.push('-');
        text.push_str(&u32::from_le_bytes(part).to_string());
    }
    Some(text)
}

/// The SID of a person's primary group, which Active Directory names neither in `memberOf` nor in the group's `member`:
/// `primaryGroupID` is its last part, and the rest is the domain's, with which the person's own `objectSid` begins.
pub fn of_primary_group(entry: &Entry) -> Option<Vec<u8>> {
    let group: u32 = entry.text("primaryGroupID")?.parse().ok()?;
    let own = entry.octets("objectSid")?;
    // A domain, and one part behind it.
    let within = parts(own).filter(|parts| parts.len() > PART)?.len();
    let mut sid = own.get(..HEAD + within - PART)?.to_vec();
    sid.extend(group.to_le_bytes());
    Some(sid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `S-1-5-21-1-2-3-1104`.
    const ANN: [u8; 28] = [
        1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0x50, 4, 0, 0,
    ];

    fn primary(sid: &[u8], group: &str) -> Option<String> {
        let mut entry = Entry::named("cn=ann");
        entry.add("objectSid", sid.to_vec());
        entry.add("primaryGroupID", group.as_bytes().to_vec());
        text(&of_primary_group(&entry)?)
    }

    #[test]
    fn a_sid_is_written_as_windows_writes_it() {
        // BUILTIN\Administrators (MS-DTYP section 2.4.2.4).
        let bytes = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        assert_eq!(text(&bytes).as_deref(), Some("S-1-5-32-544"));
        assert_eq!(text(&ANN).as_deref(), Some("S-1-5-21-1-2-3-1104"));
        assert_eq!(text(&bytes[..15]), None);
        assert_eq!(text(&[1, 2, 0, 0]), None);
        assert_eq!(text(&[]), None);
    }

    #[test]
    fn the_primary_group_is_in_the_domain_of_the_person() {
        let domain = "S-1-5-21-1-2-3";
        assert_eq!(primary(&ANN, "513"), Some(format!("{domain}-513")));
        assert_eq!(primary(&ANN, "4294967295"), Some(format!("{domain}-4294967295")));
    }

    #[test]
    fn without_a_domain_or_a_number_there_is_no_primary_group() {
        for group in ["", "-1", "4294967296", "513 ", "0x201", "5١3"] {
            assert_eq!(primary(&ANN, group), None, "{group}");
        }
        let everyone = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        for sid in [&ANN[..27], &everyone, &[1, 0, 0, 0, 0, 0, 0, 5], &[]] {
            assert_eq!(primary(sid, "513"), None, "{sid:?}");
        }
        let mut two = Entry::named("cn=ann");
        two.add("primaryGroupID", b"513".to_vec());
        assert_eq!(of_primary_group(&two), None);
        two.add("objectSid", ANN.to_vec());
        two.add("objectSid", everyone.to_vec());
        assert_eq!(of_primary_group(&two), None, "which one?");
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_sid_panic(bytes: Vec<u8>, group: String) {
            let _ = (text(&bytes), primary(&bytes, &group));
        }

        #[test]
        fn whatever_is_reckoned_is_a_sid_again(count in 2_u8..16, group: u32) {
            let mut sid = vec![1, count, 0, 0, 0, 0, 0, 5];
            sid.resize(HEAD + usize::from(count) * PART, 7);
            let found = primary(&sid, &group.to_string());
            let end = format!("-{group}");
            prop_assert!(found.is_some_and(|found| found.ends_with(&end)));
        }
    }
}
