//! Hashes other programs made, and what becomes of them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use domain::credential::{Password, PasswordHash};
use domain::ports::{PasswordHasher as _, PortError, Verified};
use hash_password::{HashConfig, Hasher};

/// `opensesame` by bcryptjs 2.4.3, the library LoopBack 3 hashes with.
const BCRYPTJS: &str = "$2a$10$cyzWJN.cjXE/tjzVjNrqkeNdo9MYrwLrlw053wfpMwy1466Ptpdz.";
/// `пароль длинный` by bcryptjs.
const BCRYPTJS_CYRILLIC: &str = "$2a$10$350F.wxPq0uzJG.jeF0aXuvi6o2zKtnWL6SKqr0K3/itwsJwkrhLq";
/// 71 times `a` and a `b`, by bcryptjs.
const BCRYPTJS_72_BYTES: &str = "$2a$10$34XvH1G303dT/zrr9uqCXewzaWkmaRJ4wa/nD9JNYgdUkgK5E2dr2";
/// `ab` by bcryptjs, which then also takes `ab` NUL `ab` for it.
const BCRYPTJS_AB: &str = "$2a$10$TzfrB5MKoccQ1t.yZTu0ZOTsS5cIS.EDN6ClV7k.bKGDZb9LlkmUW";
/// `with` NUL `nul` by bcryptjs.
const BCRYPTJS_NUL: &str = "$2a$10$56UtvYFxaC1Ce/Yfn74ZEeHICVfKJ5r2kb5GB/ZET3btjGOjtQzQ6";
/// Nothing at all, by bcryptjs.
const BCRYPTJS_EMPTY: &str = "$2a$10$O/xn8hpAMmDOmMFVxZeJNeHAWtQ7od.BUjG4kiJWo/mqO5ZU6P41y";
/// `cheap` by bcryptjs, at the lowest cost there is.
const BCRYPTJS_COST_4: &str = "$2a$04$rh8bz1AM/pMnrvhytbSHleTvm3l44nQh.f2w3a5xMFYCBiv7ni.D2";
/// `opensesame` by node's native bcrypt.
const NATIVE: &str = "$2b$10$E3IBgN68BXmfrBHMBKThfuKgc1IApuxdrZNdgeKg5ZrsYtcN1K4Ei";
/// `opensesame` by libxcrypt, as PHP and htpasswd write it.
const LIBXCRYPT: &str = "$2y$10$abcdefghijklmnopqrstuuP6v2pSlZArVxSSZ96MqswhQJJDkEPqm";
/// `opensesame` by hash-wasm at our default cost.
const WASM_DEFAULT: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AZJroWc0Dmm57rXXHJrqAWKosk7CbCT211FegJmYyaM";
/// `opensesame` by hash-wasm at the cost many libraries choose.
const WASM_64_MIB: &str =
    "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$kGORMzB5K8bOhiMNvzdkKLHv+Qm3Vdl9g77VVj+XLTs";

fn hasher() -> Hasher {
    Hasher::new(HashConfig::default()).unwrap()
}

async fn verify(password: &str, hash: &str) -> Verified {
    hasher()
        .verify(&Password::typed(password), Some(&PasswordHash::new(hash)))
        .await
        .unwrap()
}

/// Verifies a foreign hash, and that the fresh one is of the current kind and right for the same password alone.
async fn assert_renewed(password: &str, foreign: &str) {
    let Verified::RightAndRehashed(fresh) = verify(password, foreign).await else {
        panic!("{foreign} is renewed");
    };
    assert!(
        fresh.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "the fresh hash is of the default cost"
    );
    assert_eq!(verify(password, fresh.as_str()).await, Verified::Right);
    assert_eq!(verify("something else", fresh.as_str()).await, Verified::Wrong);
}

#[tokio::test]
async fn every_imported_kind_is_verified_and_renewed_at_the_first_success() {
    for (password, foreign) in [
        ("opensesame", BCRYPTJS),
        ("пароль длинный", BCRYPTJS_CYRILLIC),
        ("cheap", BCRYPTJS_COST_4),
        ("opensesame", NATIVE),
        ("opensesame", LIBXCRYPT),
        ("opensesame", WASM_64_MIB),
    ] {
        assert_renewed(password, foreign).await;
    }
}

#[tokio::test]
async fn a_wrong_password_renews_nothing() {
    for foreign in [BCRYPTJS, NATIVE, LIBXCRYPT, WASM_64_MIB, WASM_DEFAULT] {
        for wrong in ["opensesam", "opensesame ", "Opensesame", "opensesame\0", ""] {
            assert_eq!(
                verify(wrong, foreign).await,
                Verified::Wrong,
                "{wrong:?} {foreign}"
            );
        }
    }
}

#[tokio::test]
async fn another_programs_hash_at_our_cost_is_current() {
    assert_eq!(verify("opensesame", WASM_DEFAULT).await, Verified::Right);
}

#[tokio::test]
async fn bcrypt_takes_all_of_its_72_bytes_and_not_one_more() {
    let right = format!("{}b", "a".repeat(71));
    assert_renewed(&right, BCRYPTJS_72_BYTES).await;
    for wrong in [
        "a".repeat(71),
        "a".repeat(72),
        format!("{right}c"),
        format!("{right}\0"),
    ] {
        assert_eq!(verify(&wrong, BCRYPTJS_72_BYTES).await, Verified::Wrong);
    }
}

#[tokio::test]
async fn a_nul_never_hides_what_follows_it() {
    assert_renewed("ab", BCRYPTJS_AB).await;
    // To bcrypt itself this is the same key.
    assert_eq!(verify("ab\0ab", BCRYPTJS_AB).await, Verified::Wrong);
    for refused in ["with\0nul", "with", "with\0nux"] {
        assert_eq!(
            verify(refused, BCRYPTJS_NUL).await,
            Verified::Wrong,
            "{refused:?}"
        );
    }
    assert_eq!(verify("\0", BCRYPTJS_EMPTY).await, Verified::Wrong);
    let hash = hasher().hash(&Password::typed("with\0nul")).await.unwrap();
    assert_eq!(verify("with\0nul", hash.as_str()).await, Verified::Right);
    assert_eq!(verify("with", hash.as_str()).await, Verified::Wrong);
}

#[tokio::test]
async fn a_hash_that_asks_for_too_much_is_refused_even_with_the_right_password() {
    let params = argon2::Params::new(1024, 1025, 1, Some(32)).unwrap();
    let argon2 = argon2::Argon2::from(params);
    let dear = argon2::PasswordHasher::hash_password(&argon2, b"opensesame")
        .unwrap()
        .to_string();
    assert_eq!(verify("opensesame", &dear).await, Verified::Wrong);
    for monstrous in [
        WASM_DEFAULT.replace("m=19456", "m=4294967295"),
        WASM_DEFAULT.replace("t=2", "t=4294967295"),
        BCRYPTJS.replace("$10$", "$31$"),
    ] {
        assert_eq!(verify("opensesame", &monstrous).await, Verified::Wrong);
    }
}

#[tokio::test]
async fn other_costs_renew_a_hash_in_both_directions() {
    let cheaper = Hasher::new(HashConfig {
        memory_kib: 8192,
        ..HashConfig::default()
    })
    .unwrap();
    let password = Password::typed("correct horse battery staple");
    let cheap = cheaper.hash(&password).await.unwrap();
    assert_eq!(
        cheaper.verify(&password, Some(&cheap)).await.unwrap(),
        Verified::Right
    );
    assert_renewed("correct horse battery staple", cheap.as_str()).await;
    let dear = hasher().hash(&password).await.unwrap();
    assert!(matches!(
        cheaper.verify(&password, Some(&dear)).await.unwrap(),
        Verified::RightAndRehashed(_)
    ));
}

#[tokio::test]
async fn a_burst_beyond_the_queue_is_busy_and_the_rest_is_served() {
    let hasher = Hasher::new(HashConfig {
        workers: 1,
        queue: 3,
        ..HashConfig::default()
    })
    .unwrap();
    let password = Password::typed("correct horse battery staple");
    let (a, b, c, d, refused) = tokio::join!(
        hasher.hash(&password),
        hasher.hash(&password),
        hasher.verify(&password, None),
        hasher.verify(&password, None),
        hasher.verify(&password, None),
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
    assert!(matches!(refused, Err(PortError::Busy { .. })), "{refused:?}");
    assert!(hasher.hash(&password).await.is_ok(), "the queue is free again");
}

#[tokio::test]
async fn a_flood_of_new_passwords_is_busy_before_a_login_is() {
    let hasher = Hasher::new(HashConfig {
        workers: 1,
        queue: 3,
        ..HashConfig::default()
    })
    .unwrap();
    let password = Password::typed("correct horse battery staple");
    let (a, b, refused, login, other_login) = tokio::join!(
        hasher.hash(&password),
        hasher.hash(&password),
        hasher.hash(&password),
        hasher.verify(&password, None),
        hasher.verify(&password, None),
    );
    assert!(a.is_ok() && b.is_ok());
    assert!(matches!(refused, Err(PortError::Busy { .. })), "{refused:?}");
    assert!(login.is_ok() && other_login.is_ok());
}

#[test]
fn debug_names_the_cost_and_no_more() {
    assert_eq!(
        format!("{:?}", hasher()),
        "Hasher { engine: Argon2id(m=19456,t=2,p=1), .. }"
    );
}
