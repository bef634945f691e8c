//! Cases of [`TokenSigner`]. What was signed is checked by another library than signs.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::{PoolName, RoleName, SessionId, SignedTokenId, UserId};
use domain::ports::{TokenSigner, VerifyingKey};
use domain::signed_token::{ActingParty, Claims};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey as Key};
use serde_json::Value;

use crate::log;
use crate::sealer::KeyKeeper;

/// All cases of the port, as tests. `$fixture` makes a `TokenSignerFixture`.
#[macro_export]
macro_rules! token_signer {
    ($fixture:ident) => {
        $crate::cases!(
            token_signer,
            $fixture,
            [
                a_token_is_checked_by_the_key_that_its_head_names,
                the_claims_are_signed_as_they_are,
                a_changed_token_is_not_believed,
                after_a_rotation_the_newest_key_signs_and_older_tokens_are_believed,
                a_key_that_is_gone_is_published_no_more,
                every_node_with_the_same_keys_publishes_the_same,
                the_token_is_in_no_log,
            ]
        );
    };
}

/// A signer, another with the same keys, and whoever keeps those.
pub struct TokenSignerFixture {
    /// The adapter under test, with one key.
    pub port: Arc<dyn TokenSigner>,
    /// The same on another node.
    pub other_node: Arc<dyn TokenSigner>,
    /// Their keys.
    pub keys: Arc<dyn KeyKeeper>,
}

fn claims(id: &str) -> Claims {
    Claims {
        iss: "https://login.example".to_owned(),
        sub: UserId::new("Zoë 李雷"),
        aud: "https://orders.example".to_owned(),
        exp: 1_795_262_700,
        iat: 1_795_262_400,
        jti: SignedTokenId::new(id),
        client_id: PoolName::new("Users"),
        auth_time: 1_795_262_000,
        acr: "aal2",
        amr: vec!["pwd", "otp"],
        sid: SessionId::new("s"),
        pool: PoolName::new("Users"),
        roles: vec![RoleName::new("clerk"), RoleName::new("\"; boss")],
        act: Some(ActingParty {
            sub: UserId::new("boss"),
        }),
    }
}

async fn signed(signer: &dyn TokenSigner, id: &str) -> String {
    let token = signer.sign(&claims(id)).await.expect("it is signed");
    token.expose().to_owned()
}

fn part(token: &str, index: usize) -> Vec<u8> {
    let part = token.split('.').nth(index).expect("it has three parts");
    URL_SAFE_NO_PAD.decode(part).expect("base64url without padding")
}

fn head(token: &str) -> Value {
    serde_json::from_slice(&part(token, 0)).expect("the head is JSON")
}

/// Whether the published key that the head names believes the token.
fn believed(token: &str, keys: &[VerifyingKey]) -> bool {
    let head = head(token);
    let Some(key) = keys.iter().find(|key| head["kid"] == *key.id) else {
        return false;
    };
    let point = [&[4_u8], key.x.as_slice(), key.y.as_slice()].concat();
    let key = Key::from_sec1_bytes(&point).expect("a point of the curve");
    let (said, _) = token.rsplit_once('.').expect("it has three parts");
    let signature = Signature::from_slice(&part(token, 2)).expect("two numbers of 32 bytes");
    key.verify(said.as_bytes(), &signature).is_ok()
}

pub async fn a_token_is_checked_by_the_key_that_its_head_names(fixture: &TokenSignerFixture) {
    let keys = fixture.port.keys().await.unwrap();
    for id in ["1", "2", "3"] {
        let token = signed(&*fixture.port, id).await;
        assert_eq!(token.split('.').count(), 3);
        let head = head(&token);
        assert_eq!((&head["alg"], &head["typ"]), (&"ES256".into(), &"at+jwt".into()));
        assert!(believed(&token, &keys));
    }
}

pub async fn the_claims_are_signed_as_they_are(fixture: &TokenSignerFixture) {
    let token = signed(&*fixture.port, "1").await;
    let said: Value = serde_json::from_slice(&part(&token, 1)).unwrap();
    assert_eq!(said, serde_json::to_value(claims("1")).unwrap());
}

pub async fn a_changed_token_is_not_believed(fixture: &TokenSignerFixture) {
    let keys = fixture.port.keys().await.unwrap();
    let token = signed(&*fixture.port, "1").await;
    let parts: Vec<&str> = token.split('.').collect();
    let other = serde_json::to_string(&claims("2")).unwrap();
    let forged = [parts[0], &URL_SAFE_NO_PAD.encode(other), parts[2]].join(".");
    assert!(believed(&token, &keys) && !believed(&forged, &keys));
}

pub async fn after_a_rotation_the_newest_key_signs_and_older_tokens_are_believed(
    fixture: &TokenSignerFixture,
) {
    let before = signed(&*fixture.port, "1").await;
    fixture.keys.rotate().await;
    let after = signed(&*fixture.port, "1").await;
    assert_ne!(head(&before)["kid"], head(&after)["kid"]);
    let keys = fixture.port.keys().await.unwrap();
    assert_eq!(head(&after)["kid"], *keys[0].id);
    assert!(believed(&before, &keys) && believed(&after, &keys));
}

pub async fn a_key_that_is_gone_is_published_no_more(fixture: &TokenSignerFixture) {
    let before = signed(&*fixture.port, "1").await;
    fixture.keys.rotate().await;
    fixture.keys.forget_older().await;
    let keys = fixture.port.keys().await.unwrap();
    assert_eq!(keys.len(), 1);
    assert!(!believed(&before, &keys));
    assert!(believed(&signed(&*fixture.port, "1").await, &keys));
}

pub async fn every_node_with_the_same_keys_publishes_the_same(fixture: &TokenSignerFixture) {
    fixture.keys.rotate().await;
    let keys = fixture.other_node.keys().await.unwrap();
    assert_eq!(keys, fixture.port.keys().await.unwrap());
    let ids: BTreeSet<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(ids.len(), keys.len());
    assert!(believed(&signed(&*fixture.port, "1").await, &keys));
}

pub async fn the_token_is_in_no_log(fixture: &TokenSignerFixture) {
    log::listen();
    let token = signed(&*fixture.port, "logged").await;
    for part in token.split('.').skip(1) {
        assert!(!log::holds(part));
    }
}
