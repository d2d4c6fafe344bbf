//! A QR code as text: two modules to a character, with half blocks.

use qrcode::render::unicode::Dense1x2;
use qrcode::types::QrError;
use qrcode::{EcLevel, QrCode};

/// Black on white, whatever the terminal's own colours are: not every camera reads a code in negative.
const PAPER: &str = "\x1b[38;5;16m\x1b[48;5;231m";
/// The terminal's own colours again.
const PLAIN: &str = "\x1b[0m";

/// The lines of the picture. In colour it is black on white; without, blocks are the white of it, as on a dark screen.
///
/// # Errors
/// The text is too long for a code.
pub(super) fn draw(text: &str, in_colour: bool) -> Result<Vec<String>, QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)?;
    let mut picture = code.render::<Dense1x2>();
    if !in_colour {
        picture.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    }
    let picture = picture.build();
    let line = |line: &str| if in_colour { format!("{PAPER}{line}{PLAIN}") } else { line.to_owned() };
    Ok(picture.lines().map(line).collect())
}

#[cfg(test)]
mod tests {
    use qrcode::Color;

    use super::*;

    const TEXT: &str = "tg://login?token=ZGVtbyB0b2tlbiwgdGhpcnR5LXR3byBieXRlcyBsb25n";

    /// The modules of a drawn code, `true` where the character covers them.
    fn covered(lines: &[String]) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in lines {
            let line = line.trim_start_matches(PAPER).trim_end_matches(PLAIN);
            let half = |upper: bool| {
                line.chars().map(|c| c == '█' || c == if upper { '▀' } else { '▄' }).collect::<Vec<_>>()
            };
            rows.extend([half(true), half(false)]);
        }
        rows
    }

    #[test]
    fn the_picture_has_every_module_and_a_quiet_zone() {
        let code = QrCode::with_error_correction_level(TEXT, EcLevel::L).expect("fits");
        let (width, modules) = (code.width(), code.to_colors());
        for in_colour in [true, false] {
            let drawn = covered(&draw(TEXT, in_colour).expect("fits"));
            assert_eq!(drawn[0].len(), width + 8, "four modules of paper on each side");
            for (y, row) in drawn.iter().enumerate().take(width + 8) {
                for (x, covered) in row.iter().enumerate() {
                    let inside = (4..width + 4).contains(&x) && (4..width + 4).contains(&y);
                    let dark = inside && modules[(y - 4) * width + (x - 4)] == Color::Dark;
                    assert_eq!(*covered, dark == in_colour, "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn it_fits_on_a_small_terminal() {
        let drawn = draw(TEXT, true).expect("fits");
        assert!(drawn.len() <= 23, "{} lines", drawn.len());
    }

    #[test]
    fn a_text_that_no_code_can_hold_is_refused() {
        assert!(draw(&"x".repeat(4_000), false).is_err());
    }
}
