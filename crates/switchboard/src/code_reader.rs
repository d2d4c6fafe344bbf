//! The modules of a QR code that is given as a picture, so that a terminal can show it.

use std::io::Cursor;

/// The greatest picture that is read, in bytes of its pixels.
const LARGEST: usize = 16 * 1024 * 1024;
/// What is darker is black.
const GREY: u16 = 128;
/// The modules on a side of the smallest and the largest code (ISO 18004); sizes between are four apart.
const SIDES: std::ops::RangeInclusive<usize> = 21..=177;
/// The first finder begins with a line of so many dark modules.
const FINDER: usize = 7;

/// The rows of a code, `true` where it is dark; none where the picture is none of an upright code without anything round it.
pub(crate) fn modules(picture: &[u8]) -> Option<Vec<Vec<bool>>> {
    let dark = pixels(picture)?;
    let top = dark.iter().position(|row| row.contains(&true))?;
    let bottom = dark.iter().rposition(|row| row.contains(&true))? + 1;
    let left = dark.iter().filter_map(|row| row.iter().position(|dark| *dark)).min()?;
    let right = dark.iter().filter_map(|row| row.iter().rposition(|dark| *dark)).max()? + 1;
    let (width, height) = (right - left, bottom - top);
    let run = dark[top][left..].iter().take_while(|dark| **dark).count();
    let side = (width * FINDER + run / 2).checked_div(run)?;
    let is_square = width.abs_diff(height) * side <= width;
    if !is_square || !SIDES.contains(&side) || !(side - SIDES.start()).is_multiple_of(4) {
        return None;
    }
    let middle = |place: usize, first: usize, length: usize| first + (2 * place + 1) * length / (2 * side);
    let row = |y: usize| (0..side).map(|x| dark[middle(y, top, height)][middle(x, left, width)]).collect();
    Some((0..side).map(row).collect())
}

/// The rows of a PNG, `true` where a pixel is dark; what shines through is not.
fn pixels(picture: &[u8]) -> Option<Vec<Vec<bool>>> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(picture), png::Limits { bytes: LARGEST });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let size = reader.output_buffer_size().filter(|size| *size <= LARGEST)?;
    let mut content = vec![0; size];
    let frame = reader.next_frame(&mut content).ok()?;
    let samples = frame.color_type.samples();
    let has_alpha = matches!(frame.color_type, png::ColorType::GrayscaleAlpha | png::ColorType::Rgba);
    let colours = if has_alpha { samples - 1 } else { samples };
    let is_dark = |pixel: &[u8]| {
        let sum: u16 = pixel[..colours].iter().map(|byte| u16::from(*byte)).sum();
        let is_seen = !has_alpha || u16::from(pixel[colours]) >= GREY;
        is_seen && sum < GREY * u16::try_from(colours).unwrap_or(1)
    };
    let width = usize::try_from(frame.width).ok()?;
    let rows = content[..frame.buffer_size()].chunks(width * samples);
    Some(rows.map(|row| row.chunks_exact(samples).map(is_dark).collect()).collect())
}

#[cfg(test)]
mod tests {
    use qrcode::{Color, QrCode};

    use super::*;

    /// A code of `scale` pixels a module on each side, drawn in a colour on nothing or on white.
    fn drawn(code: &QrCode, scale: usize, color: png::ColorType, dark: &[u8], light: &[u8]) -> Vec<u8> {
        let (width, colors, quiet) = (code.width(), code.to_colors(), 3);
        let side = (width + 2 * quiet) * scale;
        let is_dark = |x: usize, y: usize| {
            let place = |at: usize| (at / scale).checked_sub(quiet).filter(|at| *at < width);
            place(x).zip(place(y)).is_some_and(|(x, y)| colors[y * width + x] == Color::Dark)
        };
        let places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
        let content: Vec<u8> =
            places.flat_map(|(x, y)| if is_dark(x, y) { dark } else { light }).copied().collect();
        let (mut picture, side) = (Vec::new(), u32::try_from(side).expect("small"));
        let mut encoder = png::Encoder::new(&mut picture, side, side);
        encoder.set_color(color);
        encoder.write_header().and_then(|mut writer| writer.write_image_data(&content)).expect("a picture");
        picture
    }

    #[test]
    fn every_module_is_found_at_each_scale_and_in_each_colour() {
        for text in
            ["2@a", "2@70000000009,1893456000,3EB000000001 and some more, as long as codes of phones are"]
        {
            let code = QrCode::new(text).expect("a code");
            let wanted: Vec<Vec<bool>> = code
                .to_colors()
                .chunks(code.width())
                .map(|row| row.iter().map(|color| *color == Color::Dark).collect())
                .collect();
            for scale in [1, 3, 6] {
                let grey = drawn(&code, scale, png::ColorType::Grayscale, &[0], &[255]);
                let green = drawn(&code, scale, png::ColorType::Rgba, &[18, 140, 70, 255], &[0, 0, 0, 0]);
                assert_eq!(modules(&grey).as_ref(), Some(&wanted), "{scale}");
                assert_eq!(modules(&green).as_ref(), Some(&wanted), "{scale}");
            }
        }
    }

    #[test]
    fn pictures_without_a_code_are_refused() {
        let code = QrCode::new("2@a").expect("a code");
        let whole = drawn(&code, 3, png::ColorType::Grayscale, &[0], &[255]);
        let blank = drawn(&code, 3, png::ColorType::Grayscale, &[255], &[255]);
        let all_dark = drawn(&code, 3, png::ColorType::Grayscale, &[0], &[0]);
        for picture in [&b"no picture"[..], &whole[..whole.len() / 2], &blank, &all_dark] {
            assert_eq!(modules(picture), None);
        }
    }
}
