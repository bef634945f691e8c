//! Cases of [`Sealer`].

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{PortError, SealBinding, Sealer};
use domain::secret::{Sealed, Secret};

use crate::{log, race};

/// All cases of the port, as tests. `$fixture` makes a `SealerFixture`.
#[macro_export]
macro_rules! sealer {
    ($fixture:ident) => {
        $crate::cases!(
            sealer,
            $fixture,
            [
                what_was_sealed_opens,
                two_seals_of_one_secret_differ,
                no_part_of_the_secret_stands_in_a_seal,
                another_binding_does_not_open_it,
                a_flipped_bit_anywhere_is_corrupt,
                a_cut_anywhere_is_corrupt,
                what_was_never_sealed_is_corrupt,
                parts_of_two_seals_do_not_fit,
                rotated_keys_still_open_and_are_not_current,
                a_key_that_is_gone_opens_nothing,
                sealing_goes_on_while_keys_are_rotated,
                the_secret_is_in_no_log_and_no_error,
            ]
        );
    };
}

/// A sealer, and whoever keeps its keys.
pub struct SealerFixture {
    /// The adapter under test, with one key.
    pub port: Arc<dyn Sealer>,
    /// Its keys.
    pub keys: Arc<dyn KeyKeeper>,
}

/// Whoever keeps the keys of a sealer.
#[async_trait]
pub trait KeyKeeper: Send + Sync {
    /// Makes a new key the newest; the others stay.
    async fn rotate(&self);
    /// Throws away every key but the newest.
    async fn forget_older(&self);
}

const SECRET: &str = "ya29.a0AfH6SMBx-1234567890-abcdefghijklmnop";

fn binding(kind: &'static str, owner: &[&str]) -> SealBinding {
    SealBinding {
        kind,
        owner: owner.iter().map(|part| (*part).to_owned()).collect(),
    }
}

fn ann() -> SealBinding {
    binding("user-credential", &["Users", "ann", "google"])
}

async fn seal(fixture: &SealerFixture, text: &str) -> Sealed {
    let sealed = fixture.port.seal(&Secret::new(text), &ann()).await;
    sealed.expect("it is sealed")
}

async fn assert_corrupt(fixture: &SealerFixture, bytes: Vec<u8>, binding: &SealBinding, why: &str) {
    let sealed = Sealed::from_bytes(bytes);
    let answer = fixture.port.open(&sealed, binding).await;
    assert!(
        matches!(answer, Err(PortError::Corrupt { .. })),
        "{why}: {answer:?}"
    );
    // Asked in passing; that it answers at all is the point.
    let _current = fixture.port.is_current(&sealed);
}

pub async fn what_was_sealed_opens(fixture: &SealerFixture) {
    let long = "ü".repeat(20_000);
    for text in ["", "a", SECRET, "Zoë 李雷\u{1f600}\0\n", long.as_str()] {
        let secret = Secret::new(text);
        for binding in [ann(), binding("", &[]), binding("Zoë", &["", "李雷"])] {
            let sealed = fixture.port.seal(&secret, &binding).await.unwrap();
            assert_eq!(fixture.port.open(&sealed, &binding).await.unwrap(), secret);
            assert!(fixture.port.is_current(&sealed));
        }
    }
}

pub async fn two_seals_of_one_secret_differ(fixture: &SealerFixture) {
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let sealed = seal(fixture, SECRET).await;
        assert!(seen.insert(sealed.as_bytes().to_vec()));
    }
}

pub async fn no_part_of_the_secret_stands_in_a_seal(fixture: &SealerFixture) {
    let sealed = seal(fixture, SECRET).await;
    for part in SECRET.as_bytes().windows(4) {
        let stands = sealed.as_bytes().windows(4).any(|window| window == part);
        assert!(!stands, "{part:?}");
    }
}

pub async fn another_binding_does_not_open_it(fixture: &SealerFixture) {
    let sealed = seal(fixture, SECRET).await;
    for other in [
        binding("application-credential", &["Users", "ann", "google"]),
        binding("user-credential", &["Users", "bob", "google"]),
        binding("user-credential", &["Employees", "ann", "google"]),
        binding("user-credential", &["Users", "ann", "googl"]),
        binding("user-credential", &["Users", "ann", "google", ""]),
        binding("user-credential", &["Users", "ann"]),
        binding("user-credential", &["Usersann", "", "google"]),
        binding("user-credential", &["Users", "anng", "oogle"]),
        binding("user-credential", &["Users", "google", "ann"]),
        binding("user-credential", &["Usersanngoogle"]),
        binding("user-credentialUsers", &["ann", "google"]),
        binding("", &["user-credential", "Users", "ann", "google"]),
        binding("user-credential", &[]),
    ] {
        assert_corrupt(fixture, sealed.as_bytes().to_vec(), &other, &format!("{other:?}")).await;
    }
}

pub async fn a_flipped_bit_anywhere_is_corrupt(fixture: &SealerFixture) {
    let sealed = seal(fixture, SECRET).await;
    for place in 0..sealed.as_bytes().len() {
        for bit in 0..8 {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            assert_corrupt(fixture, bytes, &ann(), &format!("bit {bit} of byte {place}")).await;
        }
    }
}

pub async fn a_cut_anywhere_is_corrupt(fixture: &SealerFixture) {
    let sealed = seal(fixture, SECRET).await;
    let bytes = sealed.as_bytes();
    for place in 0..bytes.len() {
        assert_corrupt(
            fixture,
            bytes[..place].to_vec(),
            &ann(),
            &format!("cut at {place}"),
        )
        .await;
        let without = [&bytes[..place], &bytes[place + 1..]].concat();
        assert_corrupt(fixture, without, &ann(), &format!("without byte {place}")).await;
        let tail = bytes[place + 1..].to_vec();
        assert_corrupt(fixture, tail, &ann(), &format!("from {place} on")).await;
    }
    for more in [&[0][..], &[0; 16], bytes] {
        let longer = [bytes, more].concat();
        assert_corrupt(fixture, longer, &ann(), "something behind it").await;
    }
}

pub async fn what_was_never_sealed_is_corrupt(fixture: &SealerFixture) {
    for length in 0..200 {
        for byte in [0, 1, 0x7f, 0xff] {
            assert_corrupt(
                fixture,
                vec![byte; length],
                &ann(),
                &format!("{length} of {byte}"),
            )
            .await;
        }
    }
    assert_corrupt(fixture, SECRET.as_bytes().to_vec(), &ann(), "a bare secret").await;
}

/// What a thief with write access might try: halves of two values that are both genuine.
pub async fn parts_of_two_seals_do_not_fit(fixture: &SealerFixture) {
    let (one, two) = (seal(fixture, SECRET).await, seal(fixture, SECRET).await);
    let (one, two) = (one.as_bytes(), two.as_bytes());
    let same = one.iter().zip(two).take_while(|(one, two)| one == two).count();
    let last = one.len() - 1;
    for place in same + 1..last {
        let mixed = [&one[..place], &two[place..]].concat();
        if mixed != one && mixed != two {
            assert_corrupt(fixture, mixed, &ann(), &format!("mixed at {place}")).await;
        }
    }
}

pub async fn rotated_keys_still_open_and_are_not_current(fixture: &SealerFixture) {
    let old = seal(fixture, SECRET).await;
    assert!(fixture.port.is_current(&old));
    for _ in 0..3 {
        fixture.keys.rotate().await;
        assert!(!fixture.port.is_current(&old));
        let opened = fixture.port.open(&old, &ann()).await.unwrap();
        assert_eq!(opened, Secret::new(SECRET));
        let new = fixture.port.seal(&opened, &ann()).await.unwrap();
        assert!(fixture.port.is_current(&new));
    }
}

pub async fn a_key_that_is_gone_opens_nothing(fixture: &SealerFixture) {
    let old = seal(fixture, SECRET).await;
    fixture.keys.rotate().await;
    let new = seal(fixture, SECRET).await;
    fixture.keys.forget_older().await;
    assert_corrupt(fixture, old.as_bytes().to_vec(), &ann(), "its key is gone").await;
    assert!(!fixture.port.is_current(&old));
    let opened = fixture.port.open(&new, &ann()).await.unwrap();
    assert_eq!(opened, Secret::new(SECRET));
}

pub async fn sealing_goes_on_while_keys_are_rotated(fixture: &SealerFixture) {
    let old = seal(fixture, SECRET).await;
    race(8, |number| {
        let (port, keys, old) = (Arc::clone(&fixture.port), Arc::clone(&fixture.keys), old.clone());
        async move {
            for round in 0..50 {
                if number == 0 && round % 10 == 0 {
                    keys.rotate().await;
                }
                let secret = Secret::new(format!("{number}-{round}"));
                let sealed = port.seal(&secret, &ann()).await.unwrap();
                tokio::task::yield_now().await;
                assert_eq!(port.open(&sealed, &ann()).await.unwrap(), secret);
                assert_eq!(port.open(&old, &ann()).await.unwrap(), Secret::new(SECRET));
            }
        }
    })
    .await;
}

pub async fn the_secret_is_in_no_log_and_no_error(fixture: &SealerFixture) {
    const TOLD: &str = "a-provider-token-for-no-log";
    log::listen();
    let sealed = seal(fixture, TOLD).await;
    let opened = fixture.port.open(&sealed, &ann()).await;
    let moved = fixture.port.open(&sealed, &binding("other", &[])).await;
    let mut bytes = sealed.as_bytes().to_vec();
    bytes.reverse();
    let damaged = fixture.port.open(&Sealed::from_bytes(bytes), &ann()).await;
    let said = format!("{sealed:?} {opened:?} {moved:?} {damaged:?}");
    assert!(!said.contains(TOLD), "{said}");
    assert!(!log::holds(TOLD), "the secret is logged");
}
