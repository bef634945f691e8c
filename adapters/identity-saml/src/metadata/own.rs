use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::SamlConfig;
use crate::xml::{DSIG, METADATA_NS, POST, PROTOCOL, REDIRECT, escape};

/// Our certificates, DER.
#[derive(Debug, Default)]
pub struct OwnCertificates {
    /// Of the key we sign with.
    pub signing: Option<Vec<u8>>,
    /// Of the key that is encrypted for.
    pub encryption: Option<Vec<u8>>,
}

/// What the provider's operator is to know of us. Holds no time, so that it is the same document as long as the entry is.
pub fn own_metadata(config: &SamlConfig, certificates: &OwnCertificates, signs: bool) -> String {
    let mut parts = Vec::new();
    let keys = [
        ("signing", &certificates.signing),
        ("encryption", &certificates.encryption),
    ];
    for (purpose, certificate) in keys {
        let Some(certificate) = certificate else { continue };
        let certificate = STANDARD.encode(certificate);
        parts.push(format!(
            "<md:KeyDescriptor use=\"{purpose}\"><ds:KeyInfo xmlns:ds=\"{DSIG}\"><ds:X509Data><ds:X509Certificate>{certificate}\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        ));
        if purpose == "encryption" {
            for algorithm in ["aes256-gcm", "aes128-gcm"] {
                parts.push(format!(
                    "<md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#{algorithm}\"/>"
                ));
            }
            parts.push(
                "<md:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>"
                    .to_owned(),
            );
        }
        parts.push("</md:KeyDescriptor>".to_owned());
    }
    // Messages about log-outs are signed or none: without a key there are none.
    if let Some(logout) = config.logout_callback_url.as_deref().filter(|_| signs) {
        for binding in [REDIRECT, POST] {
            parts.push(format!(
                "<md:SingleLogoutService Binding=\"{binding}\" Location=\"{}\"/>",
                escape(logout)
            ));
        }
    }
    if let Some(format) = &config.identifier_format {
        parts.push(format!("<md:NameIDFormat>{}</md:NameIDFormat>", escape(format)));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<md:EntityDescriptor xmlns:md=\"{METADATA_NS}\" entityID=\"{}\">\
         <md:SPSSODescriptor AuthnRequestsSigned=\"{signs}\" WantAssertionsSigned=\"{}\" \
         protocolSupportEnumeration=\"{PROTOCOL}\">{}<md:AssertionConsumerService Binding=\"{POST}\" Location=\"{}\" \
         index=\"0\" isDefault=\"true\"/></md:SPSSODescriptor></md:EntityDescriptor>\n",
        escape(&config.issuer),
        !config.want_response_signed || config.want_assertions_signed,
        parts.concat(),
        escape(&config.callback_url),
    )
}
