//! An authenticator app's key, shown once.

use domain::secret::Secret;
use domain::service::TotpEnrolment;

use super::qr;
use super::view::TotpEnrolView;

/// The part of the page that shows it: as text and as a picture.
pub fn shown(begun: &TotpEnrolment) -> TotpEnrolView {
    TotpEnrolView {
        secret: Some(grouped(begun.secret.expose())),
        qr: begun.uri.as_ref().and_then(|uri| qr::picture(uri.expose())),
        ..TotpEnrolView::default()
    }
}

/// A key in groups of four, as it is read off and typed.
fn grouped(key: &Secret) -> String {
    let mut text = String::with_capacity(key.expose().len() * 5 / 4);
    for (position, letter) in key.expose().chars().enumerate() {
        if position > 0 && position % 4 == 0 {
            text.push(' ');
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_in_groups() {
        assert_eq!(grouped(&Secret::new("GEZDGNBVG")), "GEZD GNBV G");
    }
}
