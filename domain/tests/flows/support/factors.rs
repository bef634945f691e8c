//! People with second factors, their keys, and the steps that change them.

use std::sync::Arc;

use domain::credential::{Passkey, RecoveryCodes, TOTP_STEP_SECONDS, TotpApp, TotpSecret};
use domain::entropy::Entropy;
use domain::flow::factors::ChangeFactors;
use domain::flow::login::passkey::PASSKEY_CALL_LIFE;
use domain::flow::{Advanced, Effect, Step};
use domain::flow_record::{FlowBody, FlowRecord, PasskeyCall, PasskeyPurpose};
use domain::id::{DeviceId, FactorId};
use domain::secret::{Secret, Token};
use domain::time::Timestamp;
use domain::user::{Device, Factors, User};

use super::{NOON, Scene, ann, sealed};

/// The user with other factors.
pub fn with_factors(user: User, change: impl FnOnce(&mut Factors)) -> User {
    let mut factors = (*user.factors).clone();
    change(&mut factors);
    User {
        factors: Arc::new(factors),
        ..user
    }
}

/// The secret of Ann's authenticator app.
pub const APP_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// The secret of somebody else's.
pub const OTHER_SECRET: &str = "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U";

/// A secret as the sealer opens it.
pub fn app_secret(base32: &str) -> TotpSecret {
    TotpSecret::opened(Secret::new(base32))
}

/// The code that an app shows for a secret at a moment.
pub fn shown(base32: &str, at: Timestamp) -> Secret {
    let totp = totp_rs::Builder::new()
        .with_algorithm(totp_rs::Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(TOTP_STEP_SECONDS)
        .with_secret(totp_rs::Secret::try_from_base32(base32).expect("base32"))
        .build()
        .expect("an app");
    let seconds = u64::try_from(at.as_millis()).expect("after 1970") / 1000;
    Secret::new(totp.generate(seconds).to_string())
}

/// The step a moment is in.
pub fn totp_step(at: Timestamp) -> u64 {
    u64::try_from(at.as_millis()).expect("after 1970") / 1000 / TOTP_STEP_SECONDS
}

/// An authenticator app whose codes were never used.
pub fn app(id: &str) -> TotpApp {
    TotpApp {
        id: FactorId::new(id),
        name: format!("name of {id}"),
        secret: sealed(id),
        last_step: 0,
        created: Timestamp::from_millis(1),
        last_used: None,
    }
}

/// Ann with an authenticator app.
pub fn ann_with_app() -> User {
    with_factors(ann(), |factors| factors.totp.push(app("app")))
}

/// A passkey that verified its user at registration and counted to seven.
pub fn passkey(name: &str) -> Passkey {
    Passkey {
        id: FactorId::new(format!("id of {name}")),
        name: name.to_owned(),
        credential: format!("credential of {name}"),
        material: format!("material of {name}"),
        sign_count: 7,
        user_verifying: true,
        backup_eligible: true,
        backed_up: false,
        created: Timestamp::from_millis(1),
        last_used: None,
    }
}

/// Ann with a passkey.
pub fn ann_with_passkey() -> User {
    with_factors(ann(), |factors| factors.passkeys.push(passkey("key")))
}

/// Chance whose bytes do not come round after 256 of them.
struct Shuffled(u64);

impl Entropy for Shuffled {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
            self.0 = next.wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

/// The user with recovery codes, and the codes.
pub fn with_codes(user: User) -> (User, Vec<Secret>) {
    let (kept, codes) = RecoveryCodes::draw(Timestamp::from_millis(1), &mut Shuffled(11));
    let user = with_factors(user, |factors| factors.recovery = Some(kept));
    (user, codes)
}

/// What an authenticator was asked for, kept for Ann.
pub fn passkey_call(scene: &Scene, purpose: PasskeyPurpose) -> FlowRecord {
    let body = FlowBody::Passkey(Box::new(PasskeyCall {
        state: "what the verifier keeps".to_owned(),
        purpose,
    }));
    scene.record(&ann(), "call", PASSKEY_CALL_LIFE, body)
}

/// A device, as if its token were this text; nobody trusts it.
pub fn device(text: &str) -> Device {
    Device {
        id: DeviceId::new(text),
        token: Token::presented(text).hash(),
        name: None,
        created: NOON,
        last_used: NOON,
        trusted_until: None,
    }
}

/// The user as a change of their factors leaves them.
pub fn changed(step: Step<ChangeFactors>) -> (User, Vec<Effect>) {
    match step {
        Ok(Advanced {
            next: ChangeFactors::Done(user),
            effects,
        }) => (*user, effects),
        other => panic!("not done: {other:?}"),
    }
}
