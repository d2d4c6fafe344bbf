//! Films, recordings and moving pictures: no more of each than says what it is.

/// A GIF picture of 320 by 200 pixels.
pub const GIF: &[u8] = b"GIF89a\x40\x01\xc8\0";

/// The beginning of an MP3 recording.
pub const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0";

/// The beginning of a Matroska film.
pub const MATROSKA: &[u8] = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska";

/// The beginning of an AVI film.
pub const AVI: &[u8] = b"RIFF\0\0\0\0AVI LIST";

/// A film of the MP4 family of this brand (`isom`, `qt  `), 640 by 360 pixels and two and a half seconds long.
pub fn film(brand: &[u8; 4], sound: bool) -> Vec<u8> {
    let mut about = vec![0; 100];
    about[12..16].copy_from_slice(&600_u32.to_be_bytes());
    about[16..20].copy_from_slice(&1_500_u32.to_be_bytes());
    let mut tracks = vec![boxed(b"mvhd", &about), track(b"vide", 640, 360)];
    tracks.extend(sound.then(|| track(b"soun", 0, 0)));
    let brands = [&brand[..], b"\0\0\x02\0isomiso2"].concat();
    [boxed(b"ftyp", &brands), boxed(b"mdat", &[7; 1000]), boxed(b"moov", &tracks.concat())].concat()
}

/// An Ogg Opus recording of three seconds.
pub fn recording() -> Vec<u8> {
    let head = [&b"OpusHead\x01\x01"[..], &312_u16.to_le_bytes(), &[0; 7]].concat();
    [page(0, &head), page(960, &[1; 200]), page(3 * 48_000 + 312, &[2; 90])].concat()
}

fn boxed(name: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).expect("small");
    [&length.to_be_bytes()[..], name, content].concat()
}

fn track(handler: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut header = vec![0; 84];
    // The first number of a matrix that turns nothing.
    header[40] = 1;
    header[76..80].copy_from_slice(&(width << 16).to_be_bytes());
    header[80..84].copy_from_slice(&(height << 16).to_be_bytes());
    let handler = [&[0; 8][..], handler, &[0; 13]].concat();
    boxed(b"trak", &[boxed(b"tkhd", &header), boxed(b"mdia", &boxed(b"hdlr", &handler))].concat())
}

fn page(position: u64, packet: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0\0".to_vec();
    page.extend(position.to_le_bytes());
    page.extend([0; 12]);
    page.extend([1, u8::try_from(packet.len()).expect("small")]);
    page.extend(packet);
    page
}
