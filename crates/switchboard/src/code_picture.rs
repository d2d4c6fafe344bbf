//! A QR code as text: two modules to a character, with half blocks.

use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode};

/// Black on white, whatever the terminal's own colours are: not every camera reads a code in negative.
const PAPER: &str = "\x1b[38;5;16m\x1b[48;5;231m";
/// Empty modules round the code (ISO 18004).
const QUIET: usize = 4;
/// The terminal's own colours again.
const PLAIN: &str = "\x1b[0m";

/// The lines of the picture. In colour it is black on white; without, blocks are the white of it, as on a dark screen.
///
/// # Errors
/// The text is too long for a code.
pub(crate) fn draw(text: &str, in_colour: bool) -> Result<Vec<String>, QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)?;
    let colors = code.to_colors();
    let row = |row: &[Color]| row.iter().map(|color| *color == Color::Dark).collect();
    Ok(draw_modules(&colors.chunks(code.width()).map(row).collect::<Vec<_>>(), in_colour))
}

/// The same of the rows of a code, `true` where it is dark.
pub(crate) fn draw_modules(rows: &[Vec<bool>], in_colour: bool) -> Vec<String> {
    let side = rows.len() + 2 * QUIET;
    let is_covered = |x: usize, y: usize| {
        let dark = y.checked_sub(QUIET).zip(x.checked_sub(QUIET)).and_then(|(y, x)| rows.get(y)?.get(x));
        dark.is_some_and(|dark| *dark) == in_colour
    };
    let half = |x: usize, y: usize| match (is_covered(x, y), y + 1 < side && is_covered(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    let line = |y: usize| {
        let line: String = (0..side).map(|x| half(x, y)).collect();
        if in_colour { format!("{PAPER}{line}{PLAIN}") } else { line }
    };
    (0..side).step_by(2).map(line).collect()
}

#[cfg(test)]
mod tests {
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
