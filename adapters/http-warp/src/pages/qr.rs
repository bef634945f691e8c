//! A text as a picture for cameras.

use std::fmt::Write as _;

use qrcode::{Color, QrCode};

use super::view::QrView;

/// Light squares around the picture (ISO/IEC 18004 section 9.1).
const MARGIN: usize = 4;

/// The picture of a text; none for one too long for any.
pub fn picture(text: &str) -> Option<QrView> {
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let mut path = String::new();
    let squares = code.to_colors();
    for (y, row) in squares.chunks(width).enumerate() {
        let dark = row.iter().enumerate().filter(|(_, color)| **color == Color::Dark);
        for (x, _) in dark {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    Some(QrView {
        size: width + 2 * MARGIN,
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_squares_with_a_quiet_margin_and_a_novel_does_not() {
        let picture = picture("otpauth://totp/A:b?secret=GEZDGNBVGY3TQOJQ").unwrap();
        assert!(picture.size >= 21 + 2 * MARGIN);
        assert!(picture.path.starts_with("M4 4h1v1h-1z"));
        assert!(super::picture(&"x".repeat(8000)).is_none());
    }
}
