//! Cases of [`PasskeyVerifier`].

mod page;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::credential::user_handle;
use domain::ports::{PasskeyFault as Fault, PasskeyVerifier};
use serde_json::{Value, json};

pub use page::{Asserted, Authenticator, Made};
use page::{BACKED_UP, BACKUP_ELIGIBLE, Page, decoded, encoded, holder, passkeys, set};

/// All cases of the port, as tests. `$fixture` makes a `PasskeyFixture`.
#[macro_export]
macro_rules! passkey_verifier {
    ($fixture:ident) => {
        $crate::cases!(
            passkey_verifier,
            $fixture,
            [
                a_passkey_logs_its_user_in,
                a_login_that_names_nobody_finds_its_user,
                a_browser_is_asked_for_all_that_a_passkey_needs,
                no_two_ceremonies_have_one_challenge,
                a_user_gets_one_passkey_on_one_authenticator,
                all_passkeys_of_a_user_log_in,
                what_an_authenticator_says_of_itself_is_passed_on,
                an_answer_to_another_challenge_is_refused,
                an_answer_from_another_site_is_refused,
                an_answer_from_a_frame_of_another_site_is_refused,
                a_login_registers_nothing_and_a_registration_logs_nobody_in,
                a_user_who_is_not_verified_is_refused_where_it_is_required,
                a_second_factor_does_without_verification,
                a_key_of_somebody_else_is_refused,
                a_key_that_was_not_asked_for_is_refused,
                a_handle_of_somebody_else_is_refused,
                another_keys_signature_is_refused,
                a_login_that_was_changed_anywhere_is_refused,
                a_registration_that_was_changed_anywhere_is_survived,
                a_counter_that_falls_is_told_and_not_judged,
                an_answer_with_a_part_missing_is_malformed,
                an_answer_with_a_part_of_another_kind_is_malformed,
                junk_is_malformed,
                a_state_nobody_wrote_is_refused,
                a_damaged_passkey_is_refused,
            ]
        );
    };
}

/// A verifier, and what its users have in their hands.
pub struct PasskeyFixture {
    /// The adapter under test, for [`SITE`].
    pub port: Arc<dyn PasskeyVerifier>,
    /// One for [`OTHER_SITE`].
    pub elsewhere: Arc<dyn PasskeyVerifier>,
    /// Makes an authenticator that counts its signatures.
    pub authenticator: fn() -> Box<dyn Authenticator>,
}

/// The site under test.
pub const SITE: &str = "https://login.example.com";
/// Its domain.
pub const DOMAIN: &str = "login.example.com";
/// Another.
pub const OTHER_SITE: &str = "https://login.example.net";

impl PasskeyFixture {
    fn page(&self) -> Page<'_> {
        Page::new(&*self.port, (self.authenticator)())
    }
}

pub async fn a_passkey_logs_its_user_in(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let passkey = page.register("ann", &[]).await;
    assert!(passkey.user_verifying);
    assert_eq!(passkey.sign_count, 0);
    for (verify, count) in [(true, 1), (false, 2)] {
        let begun = fixture
            .port
            .begin_assertion(std::slice::from_ref(&passkey), verify)
            .unwrap();
        let answer = page.get(&begun.options, true).await.unwrap();
        let proven = fixture
            .port
            .finish_assertion(&begun.state, &answer, std::slice::from_ref(&passkey))
            .unwrap();
        assert_eq!(proven.credential, passkey.credential);
        assert!(proven.user_verified);
        assert_eq!((proven.sign_count, proven.backed_up), (count, passkey.backed_up));
    }
}

pub async fn a_login_that_names_nobody_finds_its_user(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let passkey = page.register("ann", &[]).await;
    let begun = fixture.port.begin_assertion(&[], true).unwrap();
    let mut answer = page.get(&begun.options, true).await.unwrap();
    assert_eq!(fixture.port.named_by(&answer), Ok(holder("ann").user));
    let own = [passkey];
    let proven = fixture.port.finish_assertion(&begun.state, &answer, &own);
    assert!(proven.unwrap().user_verified);
    for handle in ["nobody", "", "Users"] {
        set(
            &mut answer,
            "/response/userHandle",
            json!(encoded(handle.as_bytes())),
        );
        assert!(fixture.port.named_by(&answer).is_err(), "{handle}");
        let named = fixture.port.finish_assertion(&begun.state, &answer, &own);
        assert!(named.is_err(), "{handle}");
    }
    set(&mut answer, "/response/userHandle", Value::Null);
    assert_eq!(fixture.port.named_by(&answer), Err(Fault::Malformed));
}

pub async fn a_browser_is_asked_for_all_that_a_passkey_needs(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let passkey = page.register("ann", &[]).await;
    let own = std::slice::from_ref(&passkey);
    let begun = fixture.port.begin_registration(&holder("ann"), own).unwrap();
    let options = &begun.options;
    assert_eq!(options["rp"]["id"], DOMAIN);
    assert_eq!(
        decoded(&options["user"]["id"]),
        user_handle(&holder("ann").user).unwrap()
    );
    assert_eq!(options["user"]["name"], "ann@example.com");
    assert_eq!(options["attestation"], "none");
    let selection = &options["authenticatorSelection"];
    assert_eq!(selection["residentKey"], "required");
    assert_eq!(selection["userVerification"], "preferred");
    assert_eq!(options["excludeCredentials"][0]["id"], passkey.credential);
    let algorithms: Vec<i64> = options["pubKeyCredParams"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|params| params["alg"].as_i64())
        .collect();
    assert!(
        algorithms.contains(&-7) && algorithms.contains(&-257),
        "{algorithms:?}"
    );
    for (verify, word) in [(true, "required"), (false, "preferred")] {
        let begun = fixture.port.begin_assertion(own, verify).unwrap();
        assert_eq!(begun.options["userVerification"], word);
        assert_eq!(begun.options["rpId"], DOMAIN);
        assert_eq!(begun.options["allowCredentials"][0]["id"], passkey.credential);
        let anybody = fixture.port.begin_assertion(&[], verify).unwrap();
        let allowed = &anybody.options["allowCredentials"];
        assert!(allowed.as_array().is_none_or(Vec::is_empty), "{allowed}");
    }
}

pub async fn no_two_ceremonies_have_one_challenge(fixture: &PasskeyFixture) {
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        for begun in [
            fixture.port.begin_registration(&holder("ann"), &[]).unwrap(),
            fixture.port.begin_assertion(&[], true).unwrap(),
        ] {
            let challenge = decoded(&begun.options["challenge"]);
            assert!(challenge.len() >= 32, "{} bytes", challenge.len());
            assert!(seen.insert(challenge));
        }
    }
}

pub async fn a_user_gets_one_passkey_on_one_authenticator(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let passkey = page.register("ann", &[]).await;
    let own = std::slice::from_ref(&passkey);
    let begun = fixture.port.begin_registration(&holder("ann"), own).unwrap();
    assert!(page.create(&begun.options, true).await.is_none());
    // An authenticator that does not care is refused as well.
    let first = fixture.port.begin_registration(&holder("bob"), &[]).unwrap();
    let answer = page.create(&first.options, true).await.unwrap();
    let made = fixture.port.finish_registration(&first.state, &answer).unwrap();
    let again = fixture
        .port
        .begin_registration(&holder("bob"), &passkeys(&[made]))
        .unwrap();
    let answer = page.signed_anew(&answer, &again.options);
    assert!(fixture.port.finish_registration(&again.state, &answer).is_err());
}

pub async fn all_passkeys_of_a_user_log_in(fixture: &PasskeyFixture) {
    let (phone, key) = (fixture.page(), fixture.page());
    let first = phone.register("ann", &[]).await;
    let second = key.register("ann", std::slice::from_ref(&first)).await;
    assert_ne!(first.credential, second.credential);
    let both = [first, second];
    for (page, passkey) in [(&phone, &both[0]), (&key, &both[1])] {
        for allowed in [&both[..], &[]] {
            let proven = page.log_in(allowed, true, &both).await.unwrap();
            assert_eq!(proven.credential, passkey.credential);
        }
    }
}

pub async fn what_an_authenticator_says_of_itself_is_passed_on(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let begun = fixture.port.begin_registration(&holder("ann"), &[]).unwrap();
    let answer = page.create(&begun.options, false).await.unwrap();
    let made = |flags: u8| {
        let mut answer = answer.clone();
        page::set_backup_flags(&mut answer, flags);
        fixture.port.finish_registration(&begun.state, &answer)
    };
    let plain = made(0).unwrap();
    assert!(!plain.user_verifying && !plain.backup_eligible && !plain.backed_up);
    let eligible = made(BACKUP_ELIGIBLE).unwrap();
    assert!(eligible.backup_eligible && !eligible.backed_up);
    let copied = made(BACKUP_ELIGIBLE | BACKED_UP).unwrap();
    assert!(copied.backup_eligible && copied.backed_up);
    assert_eq!(made(BACKED_UP), Err(Fault::Refused), "it says two things");
}

pub async fn an_answer_to_another_challenge_is_refused(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let passkey = page.register("ann", &[]).await;
    let own = std::slice::from_ref(&passkey);
    let begin = || fixture.port.begin_assertion(own, true).unwrap();
    let (asked, other) = (begin(), begin());
    let answer = page.get(&asked.options, true).await.unwrap();
    let replayed = fixture.port.finish_assertion(&other.state, &answer, own);
    assert_eq!(replayed, Err(Fault::Challenge));
    let begin = || fixture.port.begin_registration(&holder("bob"), &[]).unwrap();
    let (asked, other) = (begin(), begin());
    let answer = page.create(&asked.options, true).await.unwrap();
    let replayed = fixture.port.finish_registration(&other.state, &answer);
    assert_eq!(replayed, Err(Fault::Challenge));
}

pub async fn an_answer_from_another_site_is_refused(fixture: &PasskeyFixture) {
    let mut page = fixture.page();
    let passkey = page.register("ann", &[]).await;
    let own = std::slice::from_ref(&passkey);
    for origin in [
        "https://login.example.net",
        "https://example.com",
        "https://evil.login.example.com",
        "https://login.example.com.evil.net",
        "https://login.example.com:8443",
        "http://login.example.com",
        "https://xlogin.example.com",
        "android:apk-key-hash:Kx0YGa4FH7hVyPzLXJPJrGxpZqz0X0Ub3Q5aB3E4C5s",
    ] {
        origin.clone_into(&mut page.origin);
        assert_eq!(page.log_in(own, true, own).await, Err(Fault::Origin), "{origin}");
        let begun = fixture.port.begin_registration(&holder("bob"), &[]).unwrap();
        let answer = page.create(&begun.options, true).await.unwrap();
        let made = fixture.port.finish_registration(&begun.state, &answer);
        assert_eq!(made, Err(Fault::Origin), "{origin}");
    }
    SITE.clone_into(&mut page.origin);
    let mut begun = fixture.port.begin_registration(&holder("bob"), &[]).unwrap();
    begun.options["rp"]["id"] = json!("login.example.net");
    let answer = page.create(&begun.options, true).await.unwrap();
    let made = fixture.port.finish_registration(&begun.state, &answer);
    assert_eq!(made, Err(Fault::Origin));
    // A key made for the other site, whose proof a page of this one got hold of.
    let mut page = Page::new(&*fixture.elsewhere, (fixture.authenticator)());
    OTHER_SITE.clone_into(&mut page.origin);
    let own = [page.register("ann", &[]).await];
    assert!(page.log_in(&own, true, &own).await.is_ok());
    SITE.clone_into(&mut page.origin);
    let mut begun = fixture.port.begin_assertion(&own, true).unwrap();
    begun.options["rpId"] = json!("login.example.net");
    let answer = page.get(&begun.options, true).await.unwrap();
    let proven = fixture.port.finish_assertion(&begun.state, &answer, &own);
    assert_eq!(proven, Err(Fault::Origin));
}

pub async fn an_answer_from_a_frame_of_another_site_is_refused(fixture: &PasskeyFixture) {
    let mut page = fixture.page();
    let passkey = page.register("ann", &[]).await;
    let own = std::slice::from_ref(&passkey);
    for more in [
        json!({"crossOrigin": true}),
        json!({"topOrigin": "https://evil.example.net"}),
    ] {
        page.more = more;
        assert_eq!(page.log_in(own, true, own).await, Err(Fault::Origin));
        let begun = fixture.port.begin_registration(&holder("bob"), &[]).unwrap();
        let answer = page.create(&begun.options, true).await.unwrap();
        let made = fixture.port.finish_registration(&begun.state, &answer);
        assert_eq!(made, Err(Fault::Origin));
    }
    page.more = json!({"crossOrigin": false, "other_keys_can_be_added_here": "as they say"});
    assert!(page.log_in(own, true, own).await.is_ok());
}

pub async fn a_login_registers_nothing_and_a_registration_logs_nobody_in(fixture: &PasskeyFixture) {
    let mut page = fixture.page();
    let passkey = page.register("ann", &[]).await;
    let own = std::slice::from_ref(&passkey);
    let login = fixture.port.begin_assertion(own, true).unwrap();
    let joining = fixture.port.begin_registration(&holder("bob"), &[]).unwrap();
    let proof = page.get(&login.options, true).await.unwrap();
    let made = page.create(&joining.options, true).await.unwrap();
    assert!(fixture.port.finish_registration(&joining.state, &proof).is_err());
    assert!(fixture.port.finish_registration(&login.state, &made).is_err());
    assert!(fixture.port.finish_assertion(&login.state, &made, own).is_err());
    assert!(
        fixture
            .port
            .finish_assertion(&joining.state, &proof, own)
            .is_err()
    );
    // One that says it is the other, and is right in all else.
    page.kinds = ["webauthn.get", "webauthn.create"];
    assert!(page.log_in(own, true, own).await.is_err());
    let answer = page.create(&joining.options, true).await.unwrap();
    assert!(fixture.port.finish_registration(&joining.state, &answer).is_err());
}

pub async fn a_user_who_is_not_verified_is_refused_where_it_is_required(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let passkey = page.register("ann", &[]).await;
    let own = std::slice::from_ref(&passkey);
    for allowed in [own, &[]] {
        let begun = fixture.port.begin_assertion(allowed, true).unwrap();
        let answer = page.get(&begun.options, false).await.unwrap();
        let proven = fixture.port.finish_assertion(&begun.state, &answer, own);
        assert_eq!(proven, Err(Fault::UserVerification));
    }
}

pub async fn a_second_factor_does_without_verification(fixture: &PasskeyFixture) {
    for verified_at_first in [true, false] {
        let page = fixture.page();
        let begun = fixture.port.begin_registration(&holder("ann"), &[]).unwrap();
        let answer = page.create(&begun.options, verified_at_first).await.unwrap();
        let made = fixture.port.finish_registration(&begun.state, &answer).unwrap();
        assert_eq!(made.user_verifying, verified_at_first);
        let own = passkeys(&[made]);
        let begun = fixture.port.begin_assertion(&own, false).unwrap();
        let answer = page.get(&begun.options, false).await.unwrap();
        let proven = fixture.port.finish_assertion(&begun.state, &answer, &own);
        assert!(!proven.unwrap().user_verified);
    }
}

pub async fn a_key_of_somebody_else_is_refused(fixture: &PasskeyFixture) {
    let (ann, bob) = (fixture.page(), fixture.page());
    let own = [ann.register("ann", &[]).await];
    bob.register("bob", &[]).await;
    let begun = fixture.port.begin_assertion(&[], true).unwrap();
    let answer = bob.get(&begun.options, true).await.unwrap();
    for passkeys in [&own[..], &[]] {
        let proven = fixture.port.finish_assertion(&begun.state, &answer, passkeys);
        assert_eq!(proven, Err(Fault::UnknownKey));
    }
}

pub async fn a_key_that_was_not_asked_for_is_refused(fixture: &PasskeyFixture) {
    let (phone, key) = (fixture.page(), fixture.page());
    let both = [phone.register("ann", &[]).await, key.register("ann", &[]).await];
    let begun = fixture.port.begin_assertion(&both[..1], true).unwrap();
    let anything = json!({"challenge": begun.options["challenge"], "rpId": DOMAIN});
    let answer = key.get(&anything, true).await.unwrap();
    let proven = fixture.port.finish_assertion(&begun.state, &answer, &both);
    assert_eq!(proven, Err(Fault::UnknownKey));
    // One that was asked for and removed in the meantime.
    let answer = phone.get(&begun.options, true).await.unwrap();
    let proven = fixture.port.finish_assertion(&begun.state, &answer, &both[1..]);
    assert_eq!(proven, Err(Fault::UnknownKey));
}

pub async fn a_handle_of_somebody_else_is_refused(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let own = [page.register("ann", &[]).await];
    for allowed in [&own[..], &[]] {
        let begun = fixture.port.begin_assertion(allowed, true).unwrap();
        let mut answer = page.get(&begun.options, true).await.unwrap();
        let bob = user_handle(&holder("bob").user).unwrap();
        set(&mut answer, "/response/userHandle", json!(encoded(&bob)));
        let proven = fixture.port.finish_assertion(&begun.state, &answer, &own);
        assert_eq!(proven, Err(Fault::UnknownKey));
    }
}

pub async fn another_keys_signature_is_refused(fixture: &PasskeyFixture) {
    let (phone, key) = (fixture.page(), fixture.page());
    let both = [phone.register("ann", &[]).await, key.register("ann", &[]).await];
    let begun = fixture.port.begin_assertion(&both, true).unwrap();
    let mut answer = phone.get(&begun.options, true).await.unwrap();
    let other = json!(both[1].credential);
    set(&mut answer, "/id", other.clone());
    set(&mut answer, "/rawId", other);
    let proven = fixture.port.finish_assertion(&begun.state, &answer, &both);
    assert_eq!(proven, Err(Fault::Signature));
}

pub async fn a_login_that_was_changed_anywhere_is_refused(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let own = [page.register("ann", &[]).await];
    let begun = fixture.port.begin_assertion(&own, true).unwrap();
    let answer = page.get(&begun.options, true).await.unwrap();
    for part in ["authenticatorData", "clientDataJSON", "signature"] {
        let bytes = decoded(&answer["response"][part]);
        for place in 0..bytes.len() {
            for changed in page::changes(&bytes, place) {
                let mut answer = answer.clone();
                answer["response"][part] = json!(encoded(&changed));
                let proven = fixture.port.finish_assertion(&begun.state, &answer, &own);
                assert!(proven.is_err(), "byte {place} of {part}: {changed:?}");
            }
        }
    }
    assert!(fixture.port.finish_assertion(&begun.state, &answer, &own).is_ok());
}

/// Nothing in it is signed, so that much of it may be anything; it must be read to its end all the same.
pub async fn a_registration_that_was_changed_anywhere_is_survived(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let begun = fixture.port.begin_registration(&holder("ann"), &[]).unwrap();
    let answer = page.create(&begun.options, true).await.unwrap();
    let login = fixture.port.begin_assertion(&[], true).unwrap();
    let proof = page.get(&login.options, true).await.unwrap();
    for part in ["attestationObject", "clientDataJSON"] {
        let bytes = decoded(&answer["response"][part]);
        for place in 0..bytes.len() {
            for changed in page::changes(&bytes, place) {
                let mut answer = answer.clone();
                answer["response"][part] = json!(encoded(&changed));
                if let Ok(made) = fixture.port.finish_registration(&begun.state, &answer) {
                    assert_eq!(json!(made.credential), answer["id"], "byte {place} of {part}");
                    // Its key may be none now: that no login with it breaks anything is the point.
                    let own = passkeys(&[made]);
                    let _proven = fixture.port.finish_assertion(&login.state, &proof, &own);
                }
            }
        }
    }
}

pub async fn a_counter_that_falls_is_told_and_not_judged(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let mut own = [page.register("ann", &[]).await];
    own[0].sign_count = 1_000;
    let proven = page.log_in(&own, true, &own).await.unwrap();
    assert_eq!(proven.sign_count, 1);
    own[0].sign_count = 2;
    let proven = page.log_in(&own, true, &own).await.unwrap();
    assert_eq!(proven.sign_count, 2);
}

pub async fn an_answer_with_a_part_missing_is_malformed(fixture: &PasskeyFixture) {
    let answers = page::answers(fixture).await;
    for path in ["id", "rawId", "response", "type"] {
        answers.both_malformed(&format!("no {path}"), |answer| page::remove(answer, "", path));
    }
    for path in ["clientDataJSON", "attestationObject"] {
        answers.registration_malformed(&format!("no {path}"), |answer| {
            page::remove(answer, "/response", path);
        });
    }
    for path in ["clientDataJSON", "authenticatorData", "signature", "userHandle"] {
        answers.login_malformed(&format!("no {path}"), |answer| {
            page::remove(answer, "/response", path);
        });
    }
}

pub async fn an_answer_with_a_part_of_another_kind_is_malformed(fixture: &PasskeyFixture) {
    let answers = page::answers(fixture).await;
    let parts = [
        "/id",
        "/rawId",
        "/response",
        "/type",
        "/response/clientDataJSON",
        "/response/attestationObject",
        "/response/authenticatorData",
    ];
    for junk in page::junk() {
        for path in parts {
            let what = format!("{path} is {}", page::shortened(&junk));
            if path != "/response/authenticatorData" {
                answers.registration_malformed(&what, |answer| set(answer, path, junk.clone()));
            }
            if path != "/response/attestationObject" {
                answers.login_malformed(&what, |answer| set(answer, path, junk.clone()));
            }
        }
    }
}

pub async fn junk_is_malformed(fixture: &PasskeyFixture) {
    let answers = page::answers(fixture).await;
    for junk in page::junk() {
        let what = page::shortened(&junk);
        answers.both_malformed(&what, |answer| *answer = junk.clone());
        assert_eq!(fixture.port.named_by(&junk), Err(Fault::Malformed), "{what}");
    }
    for levels in [10, 100, 1_000] {
        let mut deep = json!(0);
        for _ in 0..levels {
            deep = json!([deep]);
        }
        answers.both_malformed("a deep one", |answer| *answer = json!({"response": deep.clone()}));
    }
    // CBOR that promises far more than there is, and CBOR that goes ever deeper.
    for bytes in [
        [&[0xa3, 0x63][..], b"fmt", &[0x7b], &[0xff; 8]].concat(),
        vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![0x81; 40_000],
        vec![0xa1; 40_000],
        vec![0xc0; 40_000],
    ] {
        let text = json!(encoded(&bytes));
        answers.registration_malformed(&format!("{:?}", &bytes[..8]), |answer| {
            set(answer, "/response/attestationObject", text.clone());
        });
    }
}

pub async fn a_state_nobody_wrote_is_refused(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let own = [page.register("ann", &[]).await];
    let login = fixture.port.begin_assertion(&own, true).unwrap();
    let proof = page.get(&login.options, true).await.unwrap();
    let joining = fixture.port.begin_registration(&holder("bob"), &[]).unwrap();
    let made = page.create(&joining.options, true).await.unwrap();
    for state in [
        "",
        "null",
        "{}",
        "[]",
        "\"\"",
        &login.state[1..],
        &joining.state[..20],
    ] {
        assert!(fixture.port.finish_assertion(state, &proof, &own).is_err());
        assert!(fixture.port.finish_registration(state, &made).is_err());
    }
}

pub async fn a_damaged_passkey_is_refused(fixture: &PasskeyFixture) {
    let page = fixture.page();
    let own = [page.register("ann", &[]).await];
    let begun = fixture.port.begin_assertion(&own, true).unwrap();
    let answer = page.get(&begun.options, true).await.unwrap();
    let material = &own[0].material;
    for damaged in ["", "{}", "null", &material[1..], &material[..material.len() / 2]] {
        let mut own = own.clone();
        damaged.clone_into(&mut own[0].material);
        assert!(fixture.port.begin_assertion(&own, true).is_err(), "{damaged}");
        let proven = fixture.port.finish_assertion(&begun.state, &answer, &own);
        assert_eq!(proven, Err(Fault::Refused), "{damaged}");
    }
}
