//! Keys of one's own, their names and their order.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use domain::ports::{PortError, SealBinding, Sealer};
use domain::secret::{Sealed, Secret};
use seal_local::{LocalSealer, SealKey, SealerError, key_id_of};

const OLD: &str = "00000000deadbeef";
const NEW: &str = "0123456789abcdef";

fn binding() -> SealBinding {
    SealBinding {
        kind: "user-credential",
        owner: vec!["Users".to_owned(), "ann".to_owned()],
    }
}

async fn seal(sealer: &LocalSealer) -> Sealed {
    sealer.seal(&Secret::new("token"), &binding()).await.unwrap()
}

/// What the operator reads about a value that does not open.
async fn refusal(sealer: &LocalSealer, value: &Sealed) -> String {
    let refused = sealer.open(value, &binding()).await.unwrap_err();
    assert!(matches!(refused, PortError::Corrupt { .. }), "{refused:?}");
    refused.to_string()
}

#[tokio::test]
async fn a_sealed_value_tells_its_key() {
    let old = SealKey::new(OLD, [1; 32]);
    let sealer = LocalSealer::new(vec![old.clone()]).unwrap();
    let before = seal(&sealer).await;
    sealer.replace(vec![SealKey::new(NEW, [2; 32]), old]).unwrap();
    let after = seal(&sealer).await;
    assert_eq!(key_id_of(&before).as_deref(), Some(OLD));
    assert_eq!(key_id_of(&after).as_deref(), Some(NEW));
    assert!(!sealer.is_current(&before) && sealer.is_current(&after));
    assert_eq!(key_id_of(&Sealed::from_bytes(b"token".to_vec())), None);
}

#[tokio::test]
async fn the_id_of_a_key_is_read_in_either_case() {
    let sealer = LocalSealer::new(vec![SealKey::new("0123456789ABCDEF", [2; 32])]).unwrap();
    assert_eq!(key_id_of(&seal(&sealer).await).as_deref(), Some(NEW));
}

#[tokio::test]
async fn another_key_of_the_same_id_opens_nothing() {
    let one = LocalSealer::new(vec![SealKey::new(OLD, [1; 32])]).unwrap();
    let other = LocalSealer::new(vec![SealKey::new(OLD, [2; 32])]).unwrap();
    let said = refusal(&other, &seal(&one).await).await;
    assert!(said.contains(OLD), "{said}");
}

#[tokio::test]
async fn a_key_that_is_missing_is_named_to_the_operator() {
    let one = LocalSealer::new(vec![SealKey::new(OLD, [1; 32])]).unwrap();
    let other = LocalSealer::new(vec![SealKey::new(NEW, [1; 32])]).unwrap();
    let said = refusal(&other, &seal(&one).await).await;
    assert!(said.contains(&format!("key {OLD} is not at hand")), "{said}");
}

#[tokio::test]
async fn a_relabelled_value_does_not_open_under_the_key_it_names() {
    let keys = vec![SealKey::new(NEW, [2; 32]), SealKey::new(OLD, [1; 32])];
    let sealer = LocalSealer::new(keys).unwrap();
    let mut bytes = seal(&sealer).await.as_bytes().to_vec();
    bytes[1..9].copy_from_slice(&0x0000_0000_dead_beef_u64.to_be_bytes());
    let relabelled = Sealed::from_bytes(bytes);
    assert_eq!(key_id_of(&relabelled).as_deref(), Some(OLD));
    let said = refusal(&sealer, &relabelled).await;
    assert!(said.contains(OLD), "{said}");
}

#[tokio::test]
async fn keys_that_will_not_do_leave_the_former_in_use() {
    let sealer = LocalSealer::new(vec![SealKey::new(OLD, [1; 32])]).unwrap();
    let value = seal(&sealer).await;
    assert_eq!(sealer.replace(Vec::new()), Err(SealerError::NoKey));
    let bad = sealer.replace(vec![SealKey::new("short", [2; 32])]);
    assert_eq!(bad, Err(SealerError::BadKeyId { position: 1 }));
    assert!(sealer.is_current(&value));
    let opened = sealer.open(&value, &binding()).await.unwrap();
    assert_eq!(opened, Secret::new("token"));
}

#[test]
fn without_a_key_there_is_no_sealer() {
    assert_eq!(LocalSealer::new(Vec::new()).err(), Some(SealerError::NoKey));
}

#[test]
fn debug_shows_names_alone() {
    let sealer = LocalSealer::new(vec![SealKey::new(OLD, *b"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")]).unwrap();
    let shown = format!("{sealer:?}");
    assert!(shown.contains(OLD), "{shown}");
    assert!(!shown.contains("kkk") && !shown.contains("107, 107"), "{shown}");
}
