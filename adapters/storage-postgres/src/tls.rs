//! The machine's own root certificates. The driver brings the public ones along; what an operator installed on the machine counts
//! as well, and one odd certificate among them must not spoil the rest, as it would if the driver read the file.

use std::env;
use std::fs;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Where systems keep them: Debian, Fedora, Alpine and SUSE, FreeBSD and macOS.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

const END: &str = "-----END CERTIFICATE-----";

/// The sound ones among the machine's root certificates, as PEM; none when there are none.
pub(crate) fn system_roots() -> Option<Vec<u8>> {
    let own = env::var("SSL_CERT_FILE").ok();
    let mut places = own.as_deref().into_iter().chain(BUNDLES.iter().copied());
    let bundle = places.find_map(|place| fs::read_to_string(place).ok())?;
    let sound = sound_ones(&bundle);
    (!sound.is_empty()).then(|| sound.into_bytes())
}

fn sound_ones(bundle: &str) -> String {
    let mut store = RootCertStore::empty();
    bundle
        .split_inclusive(END)
        .filter(|pem| {
            CertificateDer::from_pem_slice(pem.as_bytes())
                .is_ok_and(|certificate| store.add(certificate).is_ok())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_certificate_does_not_spoil_the_rest() {
        let good = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        let good = good.cert.pem();
        let odd = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
        let bundle = format!("{odd}\n{good}\n{odd}\n{good}");
        let sound = sound_ones(&bundle);
        assert_eq!(sound.matches(END).count(), 2);
        assert!(!sound.contains("AAAA\n-----END"));
        assert_eq!(sound_ones("no certificate at all"), "");
    }
}
