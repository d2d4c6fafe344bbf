//! A QR code as a picture in the page: one path, a square for each dark module, the quiet zone round it.

use std::fmt::{self, Write};

use askama::filters::HtmlSafe;
use qrcode::types::QrError;
use qrcode::{Color, EcLevel};

/// Empty modules round the code (ISO 18004).
const QUIET: usize = 4;

/// A picture of a text for a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QrCode {
    side: usize,
    path: String,
}

impl QrCode {
    /// Draws it.
    ///
    /// # Errors
    /// The text is too long for a code.
    pub(crate) fn of(text: &str) -> Result<Self, QrError> {
        let code = qrcode::QrCode::with_error_correction_level(text, EcLevel::M)?;
        let width = code.width();
        let mut path = String::new();
        for (at, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                // Writing to a text never fails.
                let _ = write!(path, "M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET);
            }
        }
        Ok(Self { side: width + 2 * QUIET, path })
    }
}

/// Numbers and letters of a path; the text itself is nowhere in it.
impl HtmlSafe for QrCode {}

impl fmt::Display for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, path } = self;
        write!(f, "<svg viewBox=\"0 0 {side} {side}\" aria-hidden=\"true\"><path d=\"{path}\"/></svg>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_and_no_other() {
        let text = "otpauth://totp/Switchboard:demo?secret=GEZDGNBVGY3TQOJQ&issuer=Switchboard";
        let drawn = QrCode::of(text).expect("a code");
        let code = qrcode::QrCode::with_error_correction_level(text, EcLevel::M).expect("a code");
        let dark = code.to_colors().into_iter().filter(|color| *color == Color::Dark).count();
        assert_eq!(drawn.path.matches('M').count(), dark);
        // The corner of the first finder lies inside the quiet zone.
        assert!(drawn.path.starts_with("M4 4h1v1h-1z"), "{drawn}");
        assert_eq!(drawn.side, code.width() + 8);
        assert!(QrCode::of(&"x".repeat(5000)).is_err());
    }
}
