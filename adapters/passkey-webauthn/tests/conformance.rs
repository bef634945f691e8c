//! What every verifier of passkeys must do, with an authenticator in software on the other side.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod authenticator;

use std::sync::Arc;

use async_trait::async_trait;
use conformance::passkey_verifier::{Asserted, Authenticator, Made, OTHER_SITE, PasskeyFixture, SITE};
use passkey::types::ctap2::make_credential::Options;
use passkey::types::ctap2::{get_assertion, make_credential};
use passkey::types::webauthn::PublicKeyCredentialCreationOptions;
use passkey_webauthn::{Site, WebauthnVerifier};
use serde_json::Value;
use tokio::sync::Mutex;

use authenticator::OwnAuthenticator;

/// One that is asked without a browser.
struct Soft(Mutex<OwnAuthenticator>);

#[async_trait]
impl Authenticator for Soft {
    async fn make(&self, options: &Value, client_data_hash: &[u8], verify: bool) -> Option<Made> {
        let asked: PublicKeyCredentialCreationOptions = serde_json::from_value(options.clone()).unwrap();
        let request = make_credential::Request {
            client_data_hash: client_data_hash.to_vec().into(),
            rp: asked.rp.try_into().unwrap(),
            user: asked.user,
            pub_key_cred_params: asked.pub_key_cred_params,
            exclude_list: asked.exclude_credentials,
            extensions: None,
            options: Options {
                rk: true,
                up: true,
                uv: verify,
            },
            pin_auth: None,
            pin_protocol: None,
        };
        let made = self.0.lock().await.make_credential(request).await.ok()?;
        let attested = made.auth_data.attested_credential_data.as_ref()?;
        Some(Made {
            credential: attested.credential_id().to_vec(),
            attestation_object: made.as_webauthn_bytes().to_vec(),
        })
    }

    async fn assert(&self, options: &Value, client_data_hash: &[u8], verify: bool) -> Option<Asserted> {
        let allowed = options.get("allowCredentials").cloned();
        let request = get_assertion::Request {
            rp_id: options["rpId"].as_str()?.to_owned(),
            client_data_hash: client_data_hash.to_vec().into(),
            allow_list: allowed.map(|allowed| serde_json::from_value(allowed).unwrap()),
            extensions: None,
            options: get_assertion::Options { up: true, uv: verify },
            pin_auth: None,
            pin_protocol: None,
        };
        let asserted = self.0.lock().await.get_assertion(request).await.ok()?;
        Some(Asserted {
            credential: asserted.credential?.id.to_vec(),
            authenticator_data: asserted.auth_data.to_vec(),
            signature: asserted.signature.to_vec(),
            user_handle: asserted.user.map(|user| user.id.to_vec()),
        })
    }
}

async fn fresh() -> PasskeyFixture {
    let verifier = |url| Arc::new(WebauthnVerifier::new(&Site::at(url, "Example").unwrap()));
    PasskeyFixture {
        port: verifier(SITE),
        elsewhere: verifier(OTHER_SITE),
        authenticator: || Box::new(Soft(Mutex::new(authenticator::authenticator()))),
    }
}

conformance::passkey_verifier!(fresh);
