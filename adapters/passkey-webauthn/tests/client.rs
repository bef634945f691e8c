//! The whole way of a browser: its client, written by others, reads what the verifier asks and writes what it is answered.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod authenticator;

use domain::credential::Passkey;
use domain::id::{FactorId, PoolName, UserId, UserKey};
use domain::ports::{PasskeyHolder, PasskeyVerifier as _, RegisteredPasskey};
use domain::time::Timestamp;
use passkey::client::{Client, DefaultClientData};
use passkey::types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};
use passkey_webauthn::{Site, WebauthnVerifier};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

const ORIGIN: &str = "http://localhost:3000";

fn ann() -> PasskeyHolder {
    PasskeyHolder {
        user: UserKey::new(
            PoolName::new("Users"),
            UserId::new("019a0000-0000-7000-8000-000000000000"),
        ),
        name: "ann@example.com".to_owned(),
        display_name: String::new(),
    }
}

fn kept(made: RegisteredPasskey) -> Passkey {
    Passkey {
        id: FactorId::new("1"),
        name: "a device".to_owned(),
        credential: made.credential,
        material: made.material,
        sign_count: made.sign_count,
        user_verifying: made.user_verifying,
        backup_eligible: made.backup_eligible,
        backed_up: made.backed_up,
        created: Timestamp::from_millis(0),
        last_used: None,
    }
}

fn written(answer: impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap()
}

#[tokio::test]
async fn a_browser_reads_what_is_asked_and_is_understood() {
    let verifier = WebauthnVerifier::new(&Site::at(ORIGIN, "").unwrap());
    let origin = Url::parse(ORIGIN).unwrap();
    let mut client = Client::new(authenticator::authenticator()).allows_insecure_localhost(true);

    let begun = verifier.begin_registration(&ann(), &[]).unwrap();
    assert_eq!(begun.options["user"]["displayName"], "ann@example.com");
    let options: CredentialCreationOptions =
        serde_json::from_value(json!({"publicKey": begun.options})).unwrap();
    let answer = client
        .register(&origin, options, DefaultClientData)
        .await
        .unwrap();
    let own = [kept(
        verifier
            .finish_registration(&begun.state, &written(answer))
            .unwrap(),
    )];
    assert!(own[0].user_verifying);

    for allowed in [&own[..], &[]] {
        let begun = verifier.begin_assertion(allowed, true).unwrap();
        let options: CredentialRequestOptions =
            serde_json::from_value(json!({"publicKey": begun.options})).unwrap();
        let answer = client
            .authenticate(&origin, options, DefaultClientData)
            .await
            .unwrap();
        let answer = written(answer);
        assert_eq!(verifier.named_by(&answer), Ok(ann().user));
        let proven = verifier.finish_assertion(&begun.state, &answer, &own).unwrap();
        assert!(proven.user_verified);
    }
}

#[test]
fn a_user_whose_id_fits_no_handle_gets_no_passkey() {
    let verifier = WebauthnVerifier::new(&Site::at(ORIGIN, "").unwrap());
    let holder = PasskeyHolder {
        user: UserKey::new(PoolName::new("Users"), UserId::new("x".repeat(60))),
        ..ann()
    };
    let error = verifier.begin_registration(&holder, &[]).unwrap_err();
    assert!(!error.may_pass(), "{error}");
}

#[test]
fn somebody_without_a_name_is_asked_all_the_same() {
    let verifier = WebauthnVerifier::new(&Site::at(ORIGIN, "Example").unwrap());
    let holder = PasskeyHolder {
        name: String::new(),
        ..ann()
    };
    let begun = verifier.begin_registration(&holder, &[]).unwrap();
    assert_eq!(begun.options["user"]["name"], "Example");
    assert_eq!(begun.options["rp"]["name"], "Example");
}
