//! The QR code of a profile that is not signed in, as a picture, and what is done to the profile.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use qrcode::{Color, QrCode};
use serde_json::{Value, json};

use super::super::fake::Outside;
use super::super::request::Reply;
use super::{NUMBER, PROFILE, WhatsappFake, error_with_success_status};

/// Pixels of a module on each side.
const MODULE: usize = 6;
/// Empty modules round the code.
const QUIET: usize = 4;

impl WhatsappFake {
    /// The code that is to be scanned; each time another one.
    pub(super) fn qr_code(&mut self, outside: &Outside) -> Result<Value, Reply> {
        if self.mode.is_authorized {
            return Err(error_with_success_status("profile is already authorized"));
        }
        let text = format!("2@{NUMBER},{},{}", outside.seconds(), self.next_id());
        let picture = png(&text).ok_or_else(|| error_with_success_status("the code is too long"))?;
        let coded = STANDARD.encode(picture);
        Ok(
            json!({"status": "done", "qrCode": format!("data:image/png;base64,{coded}"), "timestamp": outside.seconds()}),
        )
    }

    /// The profile is signed in or out.
    pub(super) fn sign(&mut self, is_in: bool, outside: &mut Outside) {
        self.mode.is_authorized = is_in;
        let status = if is_in { "online" } else { "offline" };
        let item = json!({
            "wh_type": "authorization_status", "profile_id": PROFILE, "status": status, "time": outside.seconds(),
        });
        self.tell(&json!([item]), false, outside);
    }
}

/// A code as a PNG of grey pixels.
fn png(text: &str) -> Option<Vec<u8>> {
    let code = QrCode::new(text).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let side = (width + 2 * QUIET) * MODULE;
    let is_dark = |x: usize, y: usize| {
        let place = |at: usize| (at / MODULE).checked_sub(QUIET).filter(|at| *at < width);
        place(x).zip(place(y)).is_some_and(|(x, y)| colors[y * width + x] == Color::Dark)
    };
    let mut lines = Vec::with_capacity(side * (side + 1));
    for y in 0..side {
        lines.push(0);
        lines.extend((0..side).map(|x| if is_dark(x, y) { 0_u8 } else { 255 }));
    }
    let edge = u32::try_from(side).ok()?.to_be_bytes();
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut picture, *b"IHDR", &[edge.as_slice(), &edge, &[8, 0, 0, 0, 0]].concat())?;
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&lines).ok()?;
    chunk(&mut picture, *b"IDAT", &packed.finish().ok()?)?;
    chunk(&mut picture, *b"IEND", &[])?;
    Some(picture)
}

fn chunk(picture: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) -> Option<()> {
    picture.extend(u32::try_from(content.len()).ok()?.to_be_bytes());
    let begins = picture.len();
    picture.extend(kind);
    picture.extend(content);
    let mut sum = Crc::new();
    sum.update(&picture[begins..]);
    picture.extend(sum.sum().to_be_bytes());
    Some(())
}
