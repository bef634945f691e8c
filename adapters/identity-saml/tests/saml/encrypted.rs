//! Encrypted assertions: what is taken, and what never is.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::crypto::{cipher, keytransport};
use domain::ports::ProviderFault::{
    self, SamlAlgorithm, SamlDecryption, SamlMalformed, SamlSignature, SamlSignatureMissing,
};
use domain::secret::Secret;
use identity_saml::SamlConfig;

use crate::support::{
    OTHER_KEY, OWN_KEY, Signing, assertion, complete_by, config, fault_of, response, sign, signed, with,
};

const GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
const OAEP: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";

fn decrypting() -> SamlConfig {
    SamlConfig {
        decryption_key: Some(Secret::new(&*OWN_KEY.private)),
        ..config()
    }
}

/// An `EncryptedAssertion` for us.
fn encrypt(plain: &str, algorithm: &str) -> String {
    let cipher = cipher::from_uri(algorithm).unwrap();
    let mut session = vec![0; cipher.key_size()];
    rand::fill(&mut session).unwrap();
    let data = STANDARD.encode(cipher.encrypt(&session, plain.as_bytes()).unwrap());
    let own = OWN_KEY.key.software_key().unwrap().unwrap();
    let key = STANDARD.encode(
        keytransport::from_uri(OAEP)
            .unwrap()
            .encrypt(&own, &session)
            .unwrap(),
    );
    format!(
        r#"<saml:EncryptedAssertion><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod Algorithm="{algorithm}"/><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{OAEP}"/><xenc:CipherData><xenc:CipherValue>{key}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{data}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"#
    )
}

async fn fault(xml: &str) -> ProviderFault {
    fault_of(complete_by(decrypting(), xml).await)
}

#[tokio::test]
async fn what_is_encrypted_for_us_is_read() {
    let inside = response(&encrypt(&sign(&assertion()), GCM));
    let outside = sign(&response(&encrypt(&assertion(), GCM)));
    let both = sign(&response(&encrypt(&sign(&assertion()), GCM)));
    for xml in [inside, outside, both] {
        let arrival = complete_by(decrypting(), &xml).await.unwrap();
        assert_eq!(arrival.subject, "ann@example.com");
    }
    // The key beside the data, as others have it.
    let encrypted = encrypt(&sign(&assertion()), GCM);
    let (begin, end) = (
        encrypted.find("<xenc:EncryptedKey>").unwrap(),
        encrypted.find("</ds:KeyInfo>").unwrap(),
    );
    let key = encrypted[begin..end].replace(
        "<xenc:EncryptedKey>",
        "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">",
    );
    let beside = format!("{}{}", &encrypted[..begin], &encrypted[end..]);
    let beside = with(
        &beside,
        "</saml:EncryptedAssertion>",
        &format!("{key}</saml:EncryptedAssertion>"),
    );
    assert!(complete_by(decrypting(), &response(&beside)).await.is_ok());
}

#[tokio::test]
async fn who_encrypts_is_not_believed_for_that() {
    assert_eq!(
        fault(&response(&encrypt(&assertion(), GCM))).await,
        SamlSignatureMissing
    );
    let other = Signing {
        key: &OTHER_KEY,
        ..Signing::default()
    };
    let forged = encrypt(&other.sign(&assertion(), "_assertion1"), GCM);
    assert_eq!(fault(&response(&forged)).await, SamlSignature);
    // Nor below a signature that holds.
    assert_eq!(fault(&sign(&response(&forged))).await, SamlSignature);
    let strict = SamlConfig {
        want_assertions_signed: true,
        ..decrypting()
    };
    let outside = sign(&response(&encrypt(&assertion(), GCM)));
    assert_eq!(
        fault_of(complete_by(strict, &outside).await),
        SamlSignatureMissing
    );
}

#[tokio::test]
async fn ciphers_that_can_be_asked_are_taken_only_where_nobody_can_change_them() {
    let inside = response(&encrypt(&sign(&assertion()), CBC));
    assert_eq!(fault(&inside).await, SamlAlgorithm);
    let outside = sign(&response(&encrypt(&sign(&assertion()), CBC)));
    assert!(complete_by(decrypting(), &outside).await.is_ok());
    // The padding of a changed one is not even looked at.
    let begin = outside.rfind("<xenc:CipherValue>").unwrap() + 30;
    let mut changed = outside.clone();
    changed.replace_range(
        begin..=begin,
        if &outside[begin..=begin] == "A" { "B" } else { "A" },
    );
    assert_eq!(fault(&changed).await, SamlSignature);
}

#[tokio::test]
async fn other_algorithms_and_references_are_refused() {
    let xml = response(&encrypt(&sign(&assertion()), GCM));
    for transport in [
        "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
        "http://www.w3.org/2001/04/xmlenc#kw-aes256",
        "",
    ] {
        assert_eq!(
            fault(&with(&xml, OAEP, transport)).await,
            SamlAlgorithm,
            "{transport}"
        );
    }
    for cipher in [
        "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
        "http://www.w3.org/2001/04/xmlenc#des-cbc",
        "",
    ] {
        assert_eq!(fault(&with(&xml, GCM, cipher)).await, SamlAlgorithm, "{cipher}");
    }
    let referring = with(
        &xml,
        "<xenc:CipherValue>",
        "<xenc:CipherReference URI=\"file:///etc/passwd\"/><xenc:Other>",
    );
    let referring = with(&referring, "</xenc:CipherValue>", "</xenc:Other>");
    assert_eq!(fault(&referring).await, SamlDecryption);
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_alike() {
    let xml = response(&encrypt(&sign(&assertion()), GCM));
    assert_eq!(fault_of(complete_by(config(), &xml).await), SamlDecryption);
    let data = xml.rfind("<xenc:CipherValue>").unwrap() + "<xenc:CipherValue>".len();
    let key = xml.find("<xenc:CipherValue>").unwrap() + "<xenc:CipherValue>".len();
    let mut told = Vec::new();
    for (at, with) in [
        (data, "AAAA"),
        (key, "AAAA"),
        (data, "*"),
        (key, "*"),
        (data + 40, "AAAA"),
    ] {
        let mut changed = xml.clone();
        changed.insert_str(at, with);
        told.push(complete_by(decrypting(), &changed).await.unwrap_err().to_string());
    }
    told.dedup();
    assert_eq!(told, ["SAML_DECRYPTION: the assertion cannot be decrypted"]);
    assert_eq!(fault(&response(&encrypt("no xml", GCM))).await, SamlDecryption);
    assert_eq!(
        fault(&response(&encrypt("<!DOCTYPE a><a/>", GCM))).await,
        SamlDecryption
    );
}

#[tokio::test]
async fn there_is_one_assertion_with_or_without_a_cover() {
    let encrypted = encrypt(&sign(&assertion()), GCM);
    assert_eq!(
        fault(&response(&format!("{encrypted}{encrypted}"))).await,
        SamlMalformed
    );
    assert_eq!(
        fault(&response(&format!("{encrypted}{}", sign(&assertion())))).await,
        SamlMalformed
    );
    assert_eq!(fault(&response(&encrypt(&signed(), GCM))).await, SamlMalformed);
    let evil = with(&assertion(), "_assertion1", "_evil1");
    let nested = with(
        &evil,
        "</saml:Assertion>",
        &format!("{}</saml:Assertion>", sign(&assertion())),
    );
    assert_eq!(fault(&response(&encrypt(&nested, GCM))).await, SamlMalformed);
}
